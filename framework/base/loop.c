/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * loop.c - waiting with libev
 *
 * A watch is the caller's and may be freed in its own callback, so libev's
 * watcher is a block of ours that goes when the watch stops; what waits for
 * it in this iteration, libev forgets with it.
 */
#include <stdlib.h>

#include <ev.h>

#include <annex/list.h>

#include "alloc.h"
#include "check.h"
#include "loop.h"

#define TIMERS_A_TURN 256 /* then the descriptors have a go */

struct loop {
	struct reactor reactor;
	struct timers timers;
	struct clock *clock;
	struct ev_loop *ev;
	ev_prepare prepare;
	ev_check check;
	ev_timer wait;
	int64_t most_wait_us; /* -1: no limit */
	void (*begin)(void *cookie);
	void (*end)(void *cookie);
	void *cookie;
	struct annex_link sources;
};

struct source {
	ev_io io;
	struct annex_link link;
	struct watch *watch;
};

static int
to_ev(int events)
{
	return ((events & REACTOR_READ) != 0 ? EV_READ : 0) |
	    ((events & REACTOR_WRITE) != 0 ? EV_WRITE : 0);
}

static void
source_ready(struct ev_loop *ev, ev_io *io, int revents)
{
	struct watch *watch = annex_container_of(io, struct source, io)->watch;

	/* An error wakes whoever waits; the call that follows says what it is. */
	watch->fire(watch,
	    (revents & EV_ERROR) != 0 ? watch->events
				      : ((revents & EV_READ) != 0 ? REACTOR_READ : 0) |
		    ((revents & EV_WRITE) != 0 ? REACTOR_WRITE : 0));
}

static void
loop_set(struct reactor *reactor, struct watch *watch, int events)
{
	struct loop *loop = annex_container_of(reactor, struct loop, reactor);
	struct source *source = watch->backend;

	if (source != NULL)
		ev_io_stop(loop->ev, &source->io);
	watch->events = events;
	if (events == 0) {
		if (source != NULL)
			annex_list_remove(&source->link);
		free(source);
		watch->backend = NULL;
		return;
	}
	if (source == NULL) {
		source = watch->backend = mem_zalloc(sizeof(*source));
		source->watch = watch;
		annex_list_append(&loop->sources, &source->link);
		ev_init(&source->io, source_ready);
	}
	ev_io_set(&source->io, watch->fd, to_ev(events));
	ev_io_start(loop->ev, &source->io);
}

static void
wait_over(struct ev_loop *ev, ev_timer *wait, int revents)
{
	struct loop *loop = annex_container_of(wait, struct loop, wait);

	timers_run(&loop->timers, TIMERS_A_TURN);
}

/* Before the wait: the turn ends, and the next timer says how long to wait. */
static void
before_wait(struct ev_loop *ev, ev_prepare *prepare, int revents)
{
	struct loop *loop = annex_container_of(prepare, struct loop, prepare);
	int64_t us;

	if (loop->end != NULL)
		loop->end(loop->cookie);
	loop->clock->read(loop->clock);
	us = timers_wait_us(&loop->timers);
	if (loop->most_wait_us >= 0 && (us < 0 || us > loop->most_wait_us))
		us = loop->most_wait_us;
	ev_timer_stop(ev, &loop->wait);
	if (us < 0)
		return;
	ev_now_update(ev);
	ev_timer_set(&loop->wait, (double)us / 1e6, 0.);
	ev_timer_start(ev, &loop->wait);
}

static void
after_wait(struct ev_loop *ev, ev_check *check, int revents)
{
	struct loop *loop = annex_container_of(check, struct loop, check);

	loop->clock->read(loop->clock);
	if (loop->begin != NULL)
		loop->begin(loop->cookie);
}

struct loop *
loop_create(struct clock *clock)
{
	struct loop *loop = mem_zalloc(sizeof(*loop));

	loop->reactor.set = loop_set;
	loop->clock = clock;
	loop->most_wait_us = -1;
	timers_init(&loop->timers, clock);
	annex_list_init(&loop->sources);
	loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	CHECK(loop->ev != NULL);
	ev_timer_init(&loop->wait, wait_over, 0., 0.);
	ev_prepare_init(&loop->prepare, before_wait);
	ev_prepare_start(loop->ev, &loop->prepare);
	/* Of what an iteration found, the clock comes first. */
	ev_check_init(&loop->check, after_wait);
	ev_set_priority(&loop->check, EV_MAXPRI);
	ev_check_start(loop->ev, &loop->check);
	return loop;
}

void
loop_destroy(struct loop **loopp)
{
	struct loop *loop = *loopp;

	if (loop == NULL)
		return;
	*loopp = NULL;
	ANNEX_LIST_EACH (&loop->sources, l) {
		struct source *source = annex_container_of(l, struct source, link);

		loop_set(&loop->reactor, source->watch, 0);
	}
	timers_finish(&loop->timers);
	ev_loop_destroy(loop->ev);
	free(loop);
}

struct reactor *
loop_reactor(struct loop *loop)
{
	return &loop->reactor;
}

struct timers *
loop_timers(struct loop *loop)
{
	return &loop->timers;
}

void
loop_on_turn(
    struct loop *loop, void (*begin)(void *cookie), void (*end)(void *cookie), void *cookie)
{
	loop->begin = begin;
	loop->end = end;
	loop->cookie = cookie;
}

void
loop_run(struct loop *loop)
{
	ev_run(loop->ev, 0);
}

void
loop_stop(struct loop *loop)
{
	ev_break(loop->ev, EVBREAK_ALL);
}

void
loop_run_once(struct loop *loop, int max_wait_ms)
{
	loop->most_wait_us = max_wait_ms < 0 ? -1 : (int64_t)max_wait_ms * 1000;
	ev_run(loop->ev, EVRUN_ONCE);
	loop->most_wait_us = -1;
}
