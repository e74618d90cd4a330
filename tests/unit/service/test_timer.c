/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_timer.c - a component's timers in memory
 */
#include <annex/timer.h>

#include "fixture.h"

struct rung {
	struct annex_timer *timer;
	unsigned count;
	bool again, free, fail;
};

static void
ring(struct annex_instance *inst, void *cookie)
{
	struct rung *r = cookie;

	assert_true(inst->entered);
	assert_false(annex_timer_is_running(r->timer));
	r->count++;
	if (r->again)
		annex_timer_start(r->timer, 1000);
	if (r->free)
		annex_timer_free(&r->timer);
	if (r->fail)
		annex_fail_turn(inst, "on purpose");
}

static int
setup(void **state)
{
	*state = fixture_create(NULL);
	return 0;
}

static int
teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static void
it_rings_once_when_it_is_time(void **state)
{
	struct fixture *f = *state;
	struct rung r = { annex_timer(&f->inst, ring, &r) };

	fixture_pass(f, 5000);
	assert_int_equal(r.count, 0);
	annex_timer_start(r.timer, 1000);
	assert_true(annex_timer_is_running(r.timer));
	fixture_pass(f, 999);
	assert_int_equal(r.count, 0);
	fixture_pass(f, 1);
	assert_int_equal(r.count, 1);
	fixture_pass(f, 5000);
	assert_int_equal(r.count, 1);
}

static void
starting_it_anew_puts_it_off(void **state)
{
	struct fixture *f = *state;
	struct rung r = { annex_timer(&f->inst, ring, &r) };

	annex_timer_start(r.timer, 1000);
	fixture_pass(f, 900);
	annex_timer_start(r.timer, 1000);
	fixture_pass(f, 900);
	assert_int_equal(r.count, 0);
	annex_timer_stop(r.timer);
	fixture_pass(f, 900);
	assert_int_equal(r.count, 0);
}

static void
a_callback_may_start_and_free_its_own(void **state)
{
	struct fixture *f = *state;
	struct rung r = { annex_timer(&f->inst, ring, &r), .again = true };

	annex_timer_start(r.timer, 1000);
	fixture_pass(f, 3500);
	assert_int_equal(r.count, 3);
	r.free = true;
	fixture_pass(f, 3500);
	assert_int_equal(r.count, 4);
	assert_null(r.timer);
	annex_timer_free(&r.timer);
}

static void
all_are_gone_with_the_instance(void **state)
{
	struct fixture *f = *state;
	struct rung r = { annex_timer(&f->inst, ring, &r) };
	struct rung s = { annex_timer(&f->inst, ring, &s), .fail = true };

	annex_timer_start(s.timer, 1000);
	annex_timer_start(r.timer, 2000);
	fixture_pass(f, 5000);
	assert_int_equal(f->lives, 2);
	assert_int_equal(s.count, 1);
	assert_int_equal(r.count, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_rings_once_when_it_is_time),
		TEST(starting_it_anew_puts_it_off),
		TEST(a_callback_may_start_and_free_its_own),
		TEST(all_are_gone_with_the_instance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
