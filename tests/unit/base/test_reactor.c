/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_reactor.c - a reactor on poll(2)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include <annex/list.h>

#include "base/reactor.h"

struct pair {
	struct reactor *reactor;
	struct watch watch;
	int fds[2];
	int fired, events;
	struct pair *stops; /* another one to be stopped when this one fires */
};

static void
fire(struct watch *watch, int events)
{
	struct pair *pair = annex_container_of(watch, struct pair, watch);

	pair->fired++;
	pair->events = events;
	if (pair->stops != NULL)
		watch_stop(pair->reactor, &pair->stops->watch);
}

static void
pair_open(struct pair *pair, struct reactor *reactor)
{
	*pair = (struct pair) { .reactor = reactor };
	assert_int_equal(pipe(pair->fds), 0);
}

static void
pair_close(struct pair *pair)
{
	watch_stop(pair->reactor, &pair->watch);
	close(pair->fds[0]);
	close(pair->fds[1]);
}

static void
fires_when_there_is_something_to_read_or_room_to_write(void **state)
{
	struct reactor *reactor = poll_reactor_create();
	struct pair a, b;

	pair_open(&a, reactor);
	pair_open(&b, reactor);
	watch_start(reactor, &a.watch, a.fds[0], REACTOR_READ, fire);
	assert_int_equal(poll_reactor_run(reactor, 0), 0);
	assert_int_equal(write(a.fds[1], "x", 1), 1);
	watch_start(reactor, &b.watch, b.fds[1], REACTOR_WRITE, fire);
	assert_int_equal(poll_reactor_run(reactor, -1), 2);
	assert_int_equal(a.events, REACTOR_READ);
	assert_int_equal(b.events, REACTOR_WRITE);
	watch_stop(reactor, &a.watch);
	watch_start(reactor, &b.watch, b.fds[1], 0, fire);
	assert_int_equal(poll_reactor_run(reactor, 0), 0);
	pair_close(&a);
	pair_close(&b);
	poll_reactor_destroy(&reactor);
}

static void
a_callback_may_stop_any_watch(void **state)
{
	struct reactor *reactor = poll_reactor_create();
	struct pair pairs[3];

	for (int i = 0; i < 3; i++) {
		pair_open(&pairs[i], reactor);
		watch_start(reactor, &pairs[i].watch, pairs[i].fds[1], REACTOR_WRITE, fire);
	}
	pairs[0].stops = &pairs[1];
	pairs[2].stops = &pairs[2];
	assert_int_equal(poll_reactor_run(reactor, -1), 2);
	assert_int_equal(pairs[1].fired, 0);
	assert_int_equal(poll_reactor_run(reactor, -1), 1);
	assert_int_equal(pairs[0].fired, 2);
	assert_int_equal(pairs[2].fired, 1);
	for (int i = 0; i < 3; i++)
		pair_close(&pairs[i]);
	poll_reactor_destroy(&reactor);
}

static void
a_peer_that_is_gone_wakes_whoever_waits(void **state)
{
	struct reactor *reactor = poll_reactor_create();
	struct pair a;

	pair_open(&a, reactor);
	watch_start(reactor, &a.watch, a.fds[0], REACTOR_READ, fire);
	close(a.fds[1]);
	assert_int_equal(poll_reactor_run(reactor, -1), 1);
	assert_int_equal(a.events, REACTOR_READ);
	a.fds[1] = dup(a.fds[0]);
	pair_close(&a);
	poll_reactor_destroy(&reactor);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_when_there_is_something_to_read_or_room_to_write),
		cmocka_unit_test(a_callback_may_stop_any_watch),
		cmocka_unit_test(a_peer_that_is_gone_wakes_whoever_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
