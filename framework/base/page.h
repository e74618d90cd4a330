/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * page.h - the memory a worker and annexd share
 *
 * annexd makes it (memfd), the worker maps it: what the worker is doing
 * right now, so that a crash can be blamed on a stanza and a hang on a
 * handler, and its counters, so that /metrics answers while it is stuck.
 */
#ifndef BASE_PAGE_H
#define BASE_PAGE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#include "counter.h"

/* Sent to a worker by the kernel when annexd ends. */
#define PAGE_ORPHAN_SIGNAL SIGUSR2

#define PAGE_MAGIC 0x414e5850u
#define PAGE_QUARANTINE_MAX 64

enum page_phase { PAGE_IDLE, PAGE_HANDLER, PAGE_COMMIT, PAGE_CREATE, PAGE_STARTING };

struct page {
	uint32_t magic;
	uint32_t size; /* of this struct: both sides were built alike */
	_Atomic uint32_t phase;
	_Atomic uint32_t attached; /* the stream is up */
	/* Of the stanza in hand while phase is PAGE_HANDLER; 0 = not a stanza's fault. */
	_Atomic uint64_t stanza_hash;
	_Atomic uint64_t heartbeat;     /* grows by one a turn, and at least once a second */
	_Atomic int64_t phase_since_us; /* monotonic */
	_Atomic uint64_t rss_anon;      /* bytes, told every five seconds */
	char status[160]; /* why there is no link: for people; "" where there is one */
	/* Told by annexd before the start: */
	uint32_t quarantine_count;
	uint64_t quarantine[PAGE_QUARANTINE_MAX]; /* hashes that crashed a worker twice */
	struct counters counters;
};

#endif /* BASE_PAGE_H */
