/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * expand.h - a fan-out's next stanzas, written where they are to stand
 */
#ifndef STREAM_EXPAND_H
#define STREAM_EXPAND_H

#include "audience.h"
#include "fanout.h"
#include "spool.h"

#define EACH 0xffff /* as a recipient's variant: all of them */

struct run {
	struct slab *slab;
	uint32_t from, to;
#define RUN_GROWS UINT32_MAX /* as to: up to where the slab ends, which is ours */
	uint32_t variants;   /* of a higher number there were none when it was added */
};

struct fanout {
	uint32_t magic;
#define FANOUT_MAGIC 0xfa9007b3u
	unsigned references;
	unsigned queued;
	struct body **variants;
	size_t variant_count, variant_room;
	size_t bodies; /* variants that are not NULL */
	struct run *runs;
	size_t run_count, run_room;
	struct audience own;  /* who was added one by one */
	struct slab *growing; /* of our own, where the last run is */
	size_t singles, eaches;
};

/* Move stanzas to wire until room bytes are reached (the last may go beyond) or there are no more.
 * The bytes; *stanzas is counted up. */
size_t fanout_move(const struct fanout *fanout, struct fanout_place *place, struct spool *wire,
    unsigned class, uint32_t when_s, size_t room, size_t *stanzas);

#endif /* STREAM_EXPAND_H */
