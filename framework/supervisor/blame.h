/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * blame.h - which stanza crashed a worker, and how often
 *
 * At an abnormal end the page tells what the worker was doing.  Only a
 * handler's stanza is blamed: a crash in a commit or in create says nothing
 * about what came in.  A stanza blamed twice is quarantined: the next worker
 * is told its hash and refuses it.  The list belongs to annexd, so it
 * survives the workers, and is forgotten when the operator restarts the
 * component or installs another module: the fault may be mended.
 */
#ifndef SUPERVISOR_BLAME_H
#define SUPERVISOR_BLAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/page.h"

#define BLAME_MAX 256

struct blame_entry {
	uint64_t hash;
	unsigned crashes;
};

struct blame {
	struct blame_entry entry[BLAME_MAX]; /* the oldest first */
	size_t count;
};

enum blame_verdict {
	BLAME_NOBODY,      /* no stanza's doing */
	BLAME_SUSPECT,     /* its first crash */
	BLAME_QUARANTINED, /* its second: from now on refused */
};

/* A worker ended abnormally and left this page; the hash in *hash_r where one is to blame. */
enum blame_verdict blame_page(struct blame *blame, const struct page *page, uint64_t *hash_r);

/* Write the hashes in quarantine, at most PAGE_QUARANTINE_MAX, into the next worker's page. */
void blame_tell(const struct blame *blame, struct page *page);

size_t blame_quarantined(const struct blame *blame);
void blame_forget(struct blame *blame);

/* "in a handler": what a phase is called in a sentence. */
const char *blame_phase_text(uint32_t phase);

#endif /* SUPERVISOR_BLAME_H */
