/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fence.h - pings to ourselves through the server
 *
 * A fence is an IQ get from DOMAIN/annex to DOMAIN/PREFIX-NUMBER.  The server
 * routes it back to whoever it believes to be DOMAIN, in stream order: when
 * it returns to us, all that we wrote before was routed, and the route is
 * ours.  PREFIX is random and drawn once, so that the fences of another
 * instance are told from our own.
 */
#ifndef STREAM_FENCE_H
#define STREAM_FENCE_H

#include <annex/element.h>
#include <annex/list.h>

#include "base/buf.h"
#include "base/clock.h"
#include "stream.h"

#define FENCE_PATIENCE_MS 10000

struct fences {
	const char *domain;
	size_t domain_len;
	char prefix[17];
	uint64_t next;               /* number of the next ping */
	struct annex_link gathering; /* waiters of this turn, for all output */
	struct annex_link draining;  /* ... whose output is on its way to the wire */
	struct annex_link marked;    /* waiters for one flow, likewise */
	struct annex_link ready;     /* their output is on the wire: the next ping takes them */
	struct annex_link pings;     /* out; the oldest first */
	size_t count;                /* of pings */
};

struct waiter;

struct ping {
	struct annex_link link;
	struct annex_link waiters;
	uint64_t number;
	int64_t written_us; /* 0: still on the wire */
	uint64_t upto;      /* kept records below it went before */
	bool lost;          /* complained about */
};

enum fence_kind {
	FENCE_NONE,         /* no fence at all: a stanza */
	FENCE_OURS,         /* proved */
	FENCE_OURS_REFUSED, /* proved, but by an error */
	FENCE_ANSWERED,     /* proved, but answered by somebody else */
	FENCE_STALE,        /* ours, from before */
	FENCE_ALIEN,        /* of another instance */
};

void fences_init(struct fences *fences, const char *domain, struct random *random);
void fences_finish(struct fences *fences); /* nobody is called */

void fences_wait(struct fences *fences, stream_fence_fn *fn, void *cookie);

/* Gathered waiters become draining ones; true where that was done and a barrier is needed. */
bool fences_drain(struct fences *fences);

/* A waiter for one flow: put it in line there, and hand it to fences_passed when its turn comes. */
struct waiter *fences_mark(struct fences *fences, stream_fence_fn *fn, void *cookie);

/* What the waiter waits for is on the wire; NULL: all draining ones. */
void fences_passed(struct fences *fences, struct waiter *waiter);

/* Is a ping wanted now?  Not while a few are out: those who wait then go together with the next. */
bool fences_want_ping(const struct fences *fences);

/* Write the next ping; it takes the waiters that are ready. */
void fences_ping(struct fences *fences, struct buf *out);

/* The first unwritten ping left. */
void fences_written(struct fences *fences, uint64_t upto, int64_t now_us);

/*
 * Is it a fence?  If it proves something, the pings it proves have been
 * moved to proved_r (initialised here), for fences_settle.
 */
enum fence_kind
fences_match(struct fences *fences, const struct annex_element *el, struct annex_link *proved_r);

/* The oldest ping out that nobody complained about, or NULL. */
struct ping *fences_oldest(struct fences *fences);

/* Call the waiters of these pings and free them. */
void fences_settle(struct annex_link *pings, int status);

/* All of them failed: call everybody. */
void fences_fail(struct fences *fences);

#endif /* STREAM_FENCE_H */
