/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * turn.h - what the files about a turn share
 *
 * turn.c has the turn itself, renew.c the instance that it calls, replay.c
 * what is done where it failed.
 */
#ifndef WORKER_TURN_H
#define WORKER_TURN_H

#include "worker.h"

/* What the worker is doing, for who watches it. */
static inline void
worker_phase(struct worker *w, enum page_phase phase)
{
	atomic_store_explicit(
	    &w->page->phase_since_us, w->inst.clock->mono_us, memory_order_relaxed);
	atomic_store_explicit(&w->page->phase, phase, memory_order_release);
}

/* Commit, and let the output go; false where all must be undone. */
bool turn_finish(struct worker *w);
void turn_undo(struct worker *w);

/* The turn could not be finished: undo it, and handle its stanzas one by one. */
void turn_fail(struct worker *w);

/* The instance anew from the store; false where the worker has ended. */
bool instance_renew(struct worker *w);

/* "unavailable"s that failed wait for another try. */
void retry_init(struct worker *w);
/* Who has come again is there: that they left before, which failed, must not be tried any more. */
void retry_overtaken(struct worker *w, const struct xml_event *event);

#endif /* WORKER_TURN_H */
