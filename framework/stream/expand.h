/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * expand.h - a fan-out's next stanzas, written where they are to stand
 */
#ifndef STREAM_EXPAND_H
#define STREAM_EXPAND_H

#include "fanout.h"
#include "spool.h"

/* Move stanzas to wire until room bytes are reached (the last may go beyond) or there are no more.
 * The bytes; *stanzas is counted up. */
size_t fanout_move(const struct fanout *fanout, struct fanout_place *place, struct spool *wire,
    unsigned class, uint32_t when_s, size_t room, size_t *stanzas);

#endif /* STREAM_EXPAND_H */
