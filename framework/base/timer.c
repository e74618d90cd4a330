/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * timer.c - a binary heap of timers, ordered by due time, then by start
 *
 * Every timer knows its place, so stopping one costs a sift and no search.
 * A timer started by a callback at the very moment stands behind all that
 * were there before, and waits for the next run: a callback that restarts
 * itself at once cannot keep the others waiting.
 */
#include <stdlib.h>

#include "alloc.h"
#include "check.h"
#include "timer.h"

void
timers_init(struct timers *timers, const struct clock *clock)
{
	*timers = (struct timers) { .clock = clock };
}

void
timers_finish(struct timers *timers)
{
	for (size_t i = 0; i < timers->count; i++)
		timers->heap[i]->place = 0;
	free(timers->heap);
	timers->heap = NULL;
	timers->count = timers->room = 0;
}

static bool
is_before(const struct timer *a, const struct timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void
put(struct timers *timers, size_t i, struct timer *timer)
{
	timers->heap[i] = timer;
	timer->place = i + 1;
}

static void
sift_up(struct timers *timers, size_t i, struct timer *timer)
{
	while (i > 0 && is_before(timer, timers->heap[(i - 1) / 2])) {
		put(timers, i, timers->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(timers, i, timer);
}

static void
sift_down(struct timers *timers, size_t i, struct timer *timer)
{
	size_t child;

	while ((child = 2 * i + 1) < timers->count) {
		if (child + 1 < timers->count &&
		    is_before(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (!is_before(timers->heap[child], timer))
			break;
		put(timers, i, timers->heap[child]);
		i = child;
	}
	put(timers, i, timer);
}

void
timer_stop(struct timers *timers, struct timer *timer)
{
	struct timer *last;
	size_t i;

	if (timer->place == 0)
		return;
	i = timer->place - 1;
	CHECK(i < timers->count && timers->heap[i] == timer);
	timer->place = 0;
	last = timers->heap[--timers->count];
	if (last == timer)
		return;
	if (i > 0 && is_before(last, timers->heap[(i - 1) / 2]))
		sift_up(timers, i, last);
	else
		sift_down(timers, i, last);
}

void
timer_start(struct timers *timers, struct timer *timer, int64_t after_ms, timer_fn *fire)
{
	int64_t after_us;

	timer_stop(timers, timer);
	if (after_ms < 0)
		after_ms = 0;
	if (__builtin_mul_overflow(after_ms, 1000, &after_us) ||
	    __builtin_add_overflow(timers->clock->mono_us, after_us, &timer->due_us))
		timer->due_us = INT64_MAX;
	timer->order = timers->order++;
	timer->fire = fire;
	if (timers->count == timers->room) {
		timers->room = timers->room > 0 ? timers->room * 2 : 16;
		timers->heap = mem_resize(timers->heap, timers->room * sizeof(struct timer *));
	}
	timers->count++;
	sift_up(timers, timers->count - 1, timer);
}

int64_t
timers_wait_us(const struct timers *timers)
{
	int64_t wait;

	if (timers->count == 0)
		return -1;
	wait = timers->heap[0]->due_us - timers->clock->mono_us;
	return wait > 0 ? wait : 0;
}

size_t
timers_run(struct timers *timers, size_t max)
{
	int64_t now = timers->clock->mono_us;
	uint64_t newer = timers->order;
	size_t fired = 0;

	while (fired < max && timers->count > 0) {
		struct timer *timer = timers->heap[0];

		if (timer->due_us > now || timer->order >= newer)
			break;
		timer_stop(timers, timer);
		fired++;
		timer->fire(timer);
	}
	return fired;
}
