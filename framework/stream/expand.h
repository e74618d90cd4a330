/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * expand.h - a fan-out's next stanza, for who has room for it already
 */
#ifndef STREAM_EXPAND_H
#define STREAM_EXPAND_H

#include "fanout.h"

/* Length of the stanza for the recipient at *place; 0 where there are no more. */
size_t fanout_next_len(const struct fanout *fanout, size_t *place);

/* Write that stanza, so many bytes, and move place on. */
void fanout_copy(const struct fanout *fanout, size_t *place, char *at);

#endif /* STREAM_EXPAND_H */
