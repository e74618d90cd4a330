/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * timer.h - a heap of timers on a clock that somebody else turns
 *
 * The timer is embedded in what it belongs to; find the owner with
 * annex_container_of.  Timers due at the same moment fire in the order they
 * were started.  A callback may start, stop or free any timer, its own too.
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"

struct timer;
typedef void timer_fn(struct timer *timer);

struct timer {
	int64_t due_us; /* on the monotonic clock */
	uint64_t order;
	size_t place; /* in the heap, from 1; 0 = not started */
	timer_fn *fire;
};

struct timers {
	const struct clock *clock;
	struct timer **heap; /* heap[0] is the next */
	size_t count, room;
	uint64_t order;
};

void timers_init(struct timers *timers, const struct clock *clock);
void timers_finish(struct timers *timers);

/* (Re)start: fire once, after_ms from the clock's now; below 0 counts as 0. */
void timer_start(struct timers *timers, struct timer *timer, int64_t after_ms, timer_fn *fire);
void timer_stop(struct timers *timers, struct timer *timer);

static inline bool
timer_is_running(const struct timer *timer)
{
	return timer->place != 0;
}

/* Microseconds until the next is due (0 = now), or -1 where none runs. */
int64_t timers_wait_us(const struct timers *timers);

/* Fire what is due now, at most max callbacks; returns how many fired. */
size_t timers_run(struct timers *timers, size_t max);

#endif /* BASE_TIMER_H */
