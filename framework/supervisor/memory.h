/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * memory.h - the page annexd shares with one worker
 *
 * A worker may have lost its mind, so nothing in the page is believed: the
 * file is sealed against shrinking, and counts and texts are bounded when
 * they are read.
 */
#ifndef SUPERVISOR_MEMORY_H
#define SUPERVISOR_MEMORY_H

#include <annex/status.h>

#include "base/page.h"

/* A fresh page, mapped, and its descriptor; ANNEX_EIO with errno. */
int memory_create(struct page **page_r, int *fd_r) ANNEX_MUST_CHECK;
void memory_destroy(struct page **page);

#endif /* SUPERVISOR_MEMORY_H */
