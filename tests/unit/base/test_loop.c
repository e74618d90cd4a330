/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_loop.c - waiting with libev
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "base/loop.h"

static void
stand_still(struct clock *clock)
{
}

struct ear {
	struct watch watch;
	struct loop *loop;
	int fired, events;
};

static void
ear_fire(struct watch *watch, int events)
{
	struct ear *ear = annex_container_of(watch, struct ear, watch);
	char byte;

	ear->fired++;
	ear->events = events;
	if ((events & REACTOR_READ) != 0)
		assert_int_equal(read(watch->fd, &byte, 1), 1);
}

static void
ear_free_itself(struct watch *watch, int events)
{
	struct ear *ear = annex_container_of(watch, struct ear, watch);

	watch_stop(loop_reactor(ear->loop), watch);
	free(ear);
}

struct bell {
	struct timer timer;
	int rung;
};

static void
bell_ring(struct timer *timer)
{
	annex_container_of(timer, struct bell, timer)->rung++;
}

static void
test_a_readable_descriptor_fires_until_the_watch_stops(void **state)
{
	struct clock clock = { .read = stand_still };
	struct loop *loop = loop_create(&clock);
	struct ear ear = { .loop = loop };
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	watch_start(loop_reactor(loop), &ear.watch, ends[0], REACTOR_READ, ear_fire);
	loop_run_once(loop, 0);
	assert_int_equal(ear.fired, 0);
	assert_int_equal(write(ends[1], "ab", 2), 2);
	loop_run_once(loop, 0);
	loop_run_once(loop, 0);
	assert_int_equal(ear.fired, 2);
	assert_int_equal(ear.events, REACTOR_READ);
	assert_int_equal(write(ends[1], "c", 1), 1);
	watch_stop(loop_reactor(loop), &ear.watch);
	loop_run_once(loop, 0);
	assert_int_equal(ear.fired, 2);
	close(ends[0]);
	close(ends[1]);
	loop_destroy(&loop);
}

static void
test_a_watch_may_be_freed_in_its_own_callback(void **state)
{
	struct clock clock = { .read = stand_still };
	struct loop *loop = loop_create(&clock);
	struct ear *ear = mem_zalloc(sizeof(*ear));
	int ends[2];

	ear->loop = loop;
	assert_int_equal(pipe(ends), 0);
	watch_start(loop_reactor(loop), &ear->watch, ends[1], REACTOR_WRITE, ear_free_itself);
	loop_run_once(loop, 0);
	loop_run_once(loop, 0);
	close(ends[0]);
	close(ends[1]);
	loop_destroy(&loop);
}

static void
test_timers_fire_when_the_handed_in_clock_says_so(void **state)
{
	struct clock clock = { .mono_us = 1000, .read = stand_still };
	struct loop *loop = loop_create(&clock);
	struct bell bell = { .rung = 0 };

	timer_start(loop_timers(loop), &bell.timer, 60000, bell_ring);
	loop_run_once(loop, 0);
	assert_int_equal(bell.rung, 0);
	clock.mono_us += 60000 * INT64_C(1000);
	loop_run_once(loop, -1);
	assert_int_equal(bell.rung, 1);
	loop_destroy(&loop);
}

static void
note_begin(void *cookie)
{
	strcat(cookie, "b");
}

static void
note_end(void *cookie)
{
	strcat(cookie, "e");
}

static void
test_a_turn_ends_before_the_wait_and_begins_after_it(void **state)
{
	struct clock clock = { .read = stand_still };
	struct loop *loop = loop_create(&clock);
	char seen[16] = "";

	loop_on_turn(loop, note_begin, note_end, seen);
	loop_run_once(loop, 0);
	loop_run_once(loop, 0);
	assert_string_equal(seen, "ebeb");
	loop_destroy(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_readable_descriptor_fires_until_the_watch_stops),
		cmocka_unit_test(test_a_watch_may_be_freed_in_its_own_callback),
		cmocka_unit_test(test_timers_fire_when_the_handed_in_clock_says_so),
		cmocka_unit_test(test_a_turn_ends_before_the_wait_and_begins_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
