/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * flow.h - queues of output with their own order, served by bytes in turn
 *
 * A flow is a row of pieces: runs of records, and fan-outs with the place
 * they have been expanded to.  Flows that hold something stand in a ring and
 * are served by deficit round robin; flow 0, the answers, comes first and
 * may take half of every helping, so it waits for nobody and starves nobody.
 */
#ifndef STREAM_FLOW_H
#define STREAM_FLOW_H

#include <annex/list.h>

#include "fanout.h"
#include "spool.h"

struct annex_map;
struct annex_pool;

/* The classes of stream.h go on: what the stream itself puts in line. */
enum { CLASS_FENCE = 6, CLASS_BARRIER = 7, CLASS_MARK = 8, CLASS_COUNT = 9 };

struct piece {
	struct piece *next;
	struct spool spool; /* where fanout is NULL */
	struct fanout *fanout;
	struct fanout_place place;
	size_t left; /* stanzas of the fan-out to come */
	unsigned class;
	uint32_t when_s;
};

struct flow {
	struct annex_link ring; /* alone while the flow is empty */
	struct annex_link idle; /* to be forgotten at the next sweep */
	struct piece *head, *tail;
	int64_t deficit; /* bytes it may still take in this round */
	char *name;      /* NULL for flow 0 */
};

struct flows {
	struct flow zero;
	struct annex_link ring; /* flows with something in them, but zero */
	struct annex_link idle;
	struct annex_pool *pool;
	struct annex_map *by_name;
	size_t *held;    /* account of memory */
	size_t stanzas;  /* waiting here */
	size_t barriers; /* still to be passed */

	/* A mark has come to the wire; NULL: the last barrier has. */
	void (*passed)(struct flows *flows, void *mark);
};

void flows_init(struct flows *flows, size_t *held);
void flows_finish(struct flows *flows);

struct flow *flows_get(struct flows *flows, const char *name);
bool flows_is_empty(const struct flows *flows);

void flow_append(struct flows *flows, struct flow *flow, unsigned class, uint32_t when_s,
    const void *bytes, size_t len);
void flow_append_fanout(struct flows *flows, struct flow *flow, unsigned class, uint32_t when_s,
    struct fanout **fanout);

/* Mark where every flow ends now; flows->barriers falls to 0 as these places are passed. */
void flows_barrier(struct flows *flows);

/* Mark where this flow ends now: mark is passed when that place is. */
void flow_mark(struct flows *flows, struct flow *flow, void *mark);

/* Move records to wire, about room bytes of them (the last may go beyond). */
void flows_fill(struct flows *flows, struct spool *wire, size_t room);

/* Drop what the mask of classes says, and all barriers and marks; dropped counts by class. */
void flows_drop(struct flows *flows, unsigned classes, size_t dropped[CLASS_COUNT]);

/* Forget flows that are empty: flow pointers end here. */
void flows_sweep(struct flows *flows);

#endif /* STREAM_FLOW_H */
