/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_timer.c - timers on a clock turned by hand
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <annex/list.h>

#include "base/clock.h"
#include "base/timer.h"

#define MANY 400

struct bell {
	struct timer timer;
	struct house *house;
	int64_t due_us; /* reference: -1 = not started */
	uint64_t order;
	int rung;
};

struct house {
	struct clock clock;
	struct timers timers;
	struct bell bell[MANY];
	char rung[32];
	int64_t last_us;
	uint64_t last_order;
};

static void
setup(struct house *house)
{
	memset(house, 0, sizeof(*house));
	timers_init(&house->timers, &house->clock);
	for (int i = 0; i < MANY; i++) {
		house->bell[i].house = house;
		house->bell[i].due_us = -1;
	}
}

static void
ring(struct timer *timer)
{
	struct bell *bell = annex_container_of(timer, struct bell, timer);
	char letter = (char)('a' + (bell - bell->house->bell));

	assert_false(timer_is_running(timer));
	bell->rung++;
	strncat(bell->house->rung, &letter, 1);
}

static void
timers_fire_by_time_then_by_order_of_start(void **state)
{
	struct house h;

	setup(&h);
	timer_start(&h.timers, &h.bell[0].timer, 20, ring);
	timer_start(&h.timers, &h.bell[1].timer, 10, ring);
	timer_start(&h.timers, &h.bell[2].timer, 10, ring);
	timer_start(&h.timers, &h.bell[3].timer, -5, ring);
	timer_start(&h.timers, &h.bell[4].timer, 10, ring);
	assert_int_equal(timers_run(&h.timers, 100), 1);
	h.clock.mono_us = 9999;
	assert_int_equal(timers_run(&h.timers, 100), 0);
	assert_int_equal(timers_wait_us(&h.timers), 1);
	h.clock.mono_us = 10000;
	assert_int_equal(timers_wait_us(&h.timers), 0);
	assert_int_equal(timers_run(&h.timers, 2), 2);
	assert_string_equal(h.rung, "dbc");
	h.clock.mono_us = 50000;
	assert_int_equal(timers_run(&h.timers, 100), 2);
	assert_string_equal(h.rung, "dbcea");
	assert_int_equal(timers_wait_us(&h.timers), -1);
	timers_finish(&h.timers);
}

static void
starting_again_moves_the_timer(void **state)
{
	struct house h;

	setup(&h);
	timer_start(&h.timers, &h.bell[0].timer, 10, ring);
	timer_start(&h.timers, &h.bell[0].timer, 30, ring);
	h.clock.mono_us = 20000;
	assert_int_equal(timers_run(&h.timers, 100), 0);
	timer_start(&h.timers, &h.bell[0].timer, 0, ring);
	assert_int_equal(timers_run(&h.timers, 100), 1);
	assert_int_equal(timers_wait_us(&h.timers), -1);
	timers_finish(&h.timers);
}

static void
an_endless_delay_does_not_wrap_around(void **state)
{
	struct house h;

	setup(&h);
	h.clock.mono_us = 1000;
	timer_start(&h.timers, &h.bell[0].timer, INT64_MAX, ring);
	timer_start(&h.timers, &h.bell[1].timer, INT64_MAX / 1000, ring);
	assert_int_equal(timers_run(&h.timers, 100), 0);
	assert_true(timers_wait_us(&h.timers) > 0);
	timers_finish(&h.timers);
	assert_false(timer_is_running(&h.bell[0].timer));
}

static void
again_at_once(struct timer *timer)
{
	struct bell *bell = annex_container_of(timer, struct bell, timer);

	ring(timer);
	timer_start(&bell->house->timers, timer, 0, again_at_once);
}

static void
one_that_restarts_itself_at_once_waits_for_the_next_run(void **state)
{
	struct house h;

	setup(&h);
	timer_start(&h.timers, &h.bell[0].timer, 0, again_at_once);
	timer_start(&h.timers, &h.bell[1].timer, 0, ring);
	assert_int_equal(timers_run(&h.timers, 100), 2);
	assert_string_equal(h.rung, "ab");
	assert_int_equal(timers_run(&h.timers, 100), 1);
	timers_finish(&h.timers);
}

static void
stop_the_others(struct timer *timer)
{
	struct bell *bell = annex_container_of(timer, struct bell, timer);

	ring(timer);
	for (int i = 0; i < 3; i++)
		timer_stop(&bell->house->timers, &bell->house->bell[i].timer);
}

static void
a_callback_may_stop_those_due_with_it(void **state)
{
	struct house h;

	setup(&h);
	for (int i = 0; i < 4; i++)
		timer_start(&h.timers, &h.bell[i].timer, 0, stop_the_others);
	assert_int_equal(timers_run(&h.timers, 100), 2);
	assert_string_equal(h.rung, "ad");
	timers_finish(&h.timers);
}

static void
free_itself(struct timer *timer)
{
	free(timer);
}

static void
a_callback_may_free_its_own_timer(void **state)
{
	struct house h;
	struct timer *timer = calloc(1, sizeof(*timer));

	setup(&h);
	timer_start(&h.timers, timer, 0, free_itself);
	assert_int_equal(timers_run(&h.timers, 100), 1);
	timers_finish(&h.timers);
}

/* Fires only in the order of the reference, and never too early. */
static void
ring_in_order(struct timer *timer)
{
	struct bell *bell = annex_container_of(timer, struct bell, timer);
	struct house *h = bell->house;

	assert_true(bell->due_us >= 0 && bell->due_us <= h->clock.mono_us);
	assert_true(bell->due_us > h->last_us ||
	    (bell->due_us == h->last_us && bell->order > h->last_order));
	h->last_us = bell->due_us;
	h->last_order = bell->order;
	bell->due_us = -1;
}

static void
the_heap_holds_what_a_table_holds(void **state)
{
	struct house *h = malloc(sizeof(*h));
	struct random random;
	uint64_t order = 0;

	setup(h);
	random_init_seeded(&random, 5);
	for (int step = 0; step < 20000; step++) {
		struct bell *bell = &h->bell[random_below(&random, MANY)];
		int64_t first = -1;

		if (random_below(&random, 3) > 0) {
			int64_t after = random_below(&random, 50);

			timer_start(&h->timers, &bell->timer, after, ring_in_order);
			bell->due_us = h->clock.mono_us + after * 1000;
			bell->order = order++;
		} else {
			timer_stop(&h->timers, &bell->timer);
			bell->due_us = -1;
		}
		if (step % 10 == 0) {
			h->clock.mono_us += random_below(&random, 3000);
			h->last_us = -1;
			timers_run(&h->timers, SIZE_MAX);
		}
		for (int i = 0; i < MANY; i++) {
			int64_t due = h->bell[i].due_us;

			assert_int_equal(timer_is_running(&h->bell[i].timer), due >= 0);
			if (due >= 0 && (first < 0 || due < first))
				first = due;
		}
		if (first < 0)
			assert_int_equal(timers_wait_us(&h->timers), -1);
		else
			assert_int_equal(timers_wait_us(&h->timers),
			    first > h->clock.mono_us ? first - h->clock.mono_us : 0);
	}
	timers_finish(&h->timers);
	free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_by_time_then_by_order_of_start),
		cmocka_unit_test(starting_again_moves_the_timer),
		cmocka_unit_test(an_endless_delay_does_not_wrap_around),
		cmocka_unit_test(one_that_restarts_itself_at_once_waits_for_the_next_run),
		cmocka_unit_test(a_callback_may_stop_those_due_with_it),
		cmocka_unit_test(a_callback_may_free_its_own_timer),
		cmocka_unit_test(the_heap_holds_what_a_table_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
