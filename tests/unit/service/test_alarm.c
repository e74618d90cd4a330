/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_alarm.c - timers that survive restarts
 */
#include <annex/timer.h>

#include "fixture.h"

#define NOW_MS ((int64_t)TEST_TIME_S * 1000)

/* What rang. */
struct rung {
	unsigned count, turns;
	char last[8200];
	int64_t due_ms;
	int fail;        /* so many times from now on, the turn fails */
	const char *bad; /* only where this key rings */
	bool again;      /* set anew, a minute later */
	unsigned lives;
};

static void
ring(struct annex_instance *inst, const void *key, size_t len, int64_t due_ms)
{
	struct rung *r = inst->settings;

	assert_true(inst->entered);
	r->count++;
	snprintf(r->last, sizeof(r->last), "%.*s", (int)len, (const char *)key);
	r->due_ms = due_ms;
	if (r->fail > 0 && (r->bad == NULL || strcmp(r->bad, r->last) == 0)) {
		r->fail--;
		annex_fail_turn(inst, "on purpose");
	}
	if (r->again)
		assert_int_equal(
		    annex_alarm_set(inst, "room", key, len, annex_wall_ms(inst) + 60000), ANNEX_OK);
}

static const struct annex_alarm alarms[] = { { "room", ring }, { "node", ring }, { 0 } };
static const struct annex_alarm fewer_alarms[] = { { "node", ring }, { 0 } };
static const struct annex_route routes[] = { { 0 } };
static const struct annex_module module = {
	.name = "ringer",
	.routes = routes,
	.alarms = alarms,
};
static const struct annex_module downgraded = {
	.name = "ringer",
	.routes = routes,
	.alarms = fewer_alarms,
};

static int
setup(void **state)
{
	struct fixture *f = fixture_create(&module);

	f->inst.settings = annex_new(f->pool, struct rung);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static void
restart(struct fixture *f, const struct annex_module *other)
{
	struct rung *r = f->inst.settings;

	fixture_restart(f, other);
	f->inst.settings = r;
}

static void
set(struct fixture *f, const char *kind, const char *key, int64_t after_ms)
{
	assert_true(instance_enter(&f->inst));
	assert_int_equal(
	    annex_alarm_set(&f->inst, kind, key, strlen(key), annex_wall_ms(&f->inst) + after_ms),
	    ANNEX_OK);
	instance_leave(&f->inst);
}

static void
clear(struct fixture *f, const char *kind, const char *key)
{
	assert_true(instance_enter(&f->inst));
	assert_int_equal(annex_alarm_clear(&f->inst, kind, key, strlen(key)), ANNEX_OK);
	instance_leave(&f->inst);
}

static void
it_rings_once_at_its_time(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;
	int64_t due_ms = clock_wall_ms(&f->clock) + 90000;

	set(f, "room", "den", 90000);
	assert_true(fixture_end(f));
	fixture_pass(f, 89999);
	assert_int_equal(r->count, 0);
	fixture_pass(f, 1);
	assert_int_equal(r->count, 1);
	assert_string_equal(r->last, "den");
	assert_true(r->due_ms == due_ms);
	fixture_pass(f, 1000000);
	restart(f, NULL);
	fixture_pass(f, 1000000);
	assert_int_equal(r->count, 1);
}

static void
the_nearest_rings_first_whenever_it_was_set(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	set(f, "room", "late", 30000);
	set(f, "node", "early", 10000);
	assert_true(fixture_end(f));
	set(f, "room", "earlier", 5000);
	assert_true(fixture_end(f));
	fixture_pass(f, 5000);
	assert_string_equal(r->last, "earlier");
	fixture_pass(f, 5000);
	assert_string_equal(r->last, "early");
	fixture_pass(f, 20000);
	assert_string_equal(r->last, "late");
	assert_int_equal(r->count, 3);
}

static void
there_is_one_of_a_kind_and_key(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	set(f, "room", "den", 10000);
	set(f, "room", "den", 20000);
	set(f, "node", "den", 30000);
	assert_true(fixture_end(f));
	fixture_pass(f, 19999);
	assert_int_equal(r->count, 0);
	fixture_pass(f, 1);
	assert_int_equal(r->count, 1);
	fixture_pass(f, 100000);
	assert_int_equal(r->count, 2);
}

static void
what_is_cleared_does_not_ring(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	set(f, "room", "den", 10000);
	assert_true(fixture_end(f));
	clear(f, "room", "den");
	clear(f, "room", "never was");
	assert_true(fixture_end(f));
	fixture_pass(f, 100000);
	restart(f, NULL);
	fixture_pass(f, 100000);
	assert_int_equal(r->count, 0);
}

static void
what_fell_due_while_down_rings_at_the_start(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	set(f, "room", "den", 10000);
	assert_true(fixture_end(f));
	restart(f, NULL);
	assert_int_equal(r->count, 0);
	f->clock.wall_us += INT64_C(3600) * 1000000;
	restart(f, NULL);
	fixture_pass(f, 0);
	assert_int_equal(r->count, 1);
}

static void
the_time_of_day_may_jump(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	set(f, "room", "den", 7200 * 1000);
	assert_true(fixture_end(f));
	fixture_pass(f, 1000);
	f->clock.wall_us += INT64_C(7200) * 1000000;
	fixture_pass(f, 60000);
	assert_int_equal(r->count, 1);
}

static void
many_that_are_overdue_ring_a_few_a_turn(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;
	char key[16];

	for (int i = 0; i < 120; i++) {
		snprintf(key, sizeof(key), "%d", i);
		set(f, "room", key, 10000);
	}
	assert_true(fixture_end(f));
	f->clock.wall_us += INT64_C(60) * 1000000;
	restart(f, NULL);
	timers_run(&f->timers, 1000);
	assert_in_range(r->count, 1, 50);
	assert_true(fixture_end(f));
	timers_run(&f->timers, 1000);
	assert_in_range(r->count, 51, 100);
	assert_true(fixture_end(f));
	fixture_pass(f, 0);
	assert_int_equal(r->count, 120);
}

static void
an_alarm_may_set_itself_anew(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	r->again = true;
	set(f, "room", "den", 60000);
	assert_true(fixture_end(f));
	fixture_pass(f, 300000);
	assert_int_equal(r->count, 5);
	r->again = false;
	fixture_pass(f, 300000);
	assert_int_equal(r->count, 6);
}

static void
set_and_cleared_in_a_turn_that_fails_it_was_not(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	set(f, "room", "kept", 10000);
	assert_true(fixture_end(f));
	set(f, "room", "new", 5000);
	clear(f, "room", "kept");
	instance_fail(&f->inst, "on purpose");
	assert_false(fixture_end(f));
	fixture_pass(f, 9999);
	assert_int_equal(r->count, 0);
	fixture_pass(f, 1);
	assert_int_equal(r->count, 1);
	assert_string_equal(r->last, "kept");
}

static void
one_whose_turn_fails_rings_again(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	r->fail = 3;
	set(f, "room", "den", 10000);
	assert_true(fixture_end(f));
	fixture_pass(f, 10000); /* with others, and then, to be sure, alone */
	assert_int_equal(r->count, 2);
	fixture_pass(f, 59999); /* not at once, or the instance would never live */
	assert_int_equal(r->count, 2);
	fixture_pass(f, 1);
	assert_int_equal(r->count, 3);
	fixture_pass(f, 119999); /* and longer each time */
	assert_int_equal(r->count, 3);
	fixture_pass(f, 1);
	assert_int_equal(r->count, 4);
	fixture_pass(f, 1000000);
	assert_int_equal(r->count, 4);
	assert_true(fixture_logged(f, "an alarm failed"));
}

static void
one_whose_turn_fails_for_another_rings_at_once(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	set(f, "room", "den", 10000);
	assert_true(fixture_end(f));
	f->clock.mono_us += 10000000;
	f->clock.wall_us += 10000000;
	timers_run(&f->timers, 1000);
	assert_int_equal(r->count, 1);
	instance_fail(&f->inst, "a stanza of the same turn");
	assert_false(fixture_end(f));
	fixture_pass(f, 0);
	assert_int_equal(r->count, 2);
	assert_false(fixture_logged(f, "an alarm failed"));
	fixture_pass(f, 1000000);
	assert_int_equal(r->count, 2);
}

static void
one_that_fails_does_not_keep_the_others(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	r->fail = 1000;
	r->bad = "b";
	set(f, "room", "a", 10000);
	set(f, "room", "b", 10000);
	set(f, "room", "c", 10000);
	assert_true(fixture_end(f));
	fixture_pass(f, 10000);
	/* a b: undone; a; b: undone and put off; c */
	assert_int_equal(r->count, 5);
	assert_string_equal(r->last, "c");
	assert_int_equal(f->lives, 3);
	r->fail = 0;
	fixture_pass(f, 60000);
	assert_int_equal(r->count, 6);
	assert_string_equal(r->last, "b");
}

/* The clock stands far in the future when an alarm is put off, and is right again then. */
static void
one_that_is_put_off_waits_as_long_whatever_the_time_of_day(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	r->fail = 2;
	set(f, "room", "den", 20000);
	assert_true(fixture_end(f));
	fixture_pass(f, 10000);
	f->clock.wall_us += INT64_C(86400) * 1000000;
	fixture_pass(f, 10000);
	assert_int_equal(r->count, 2);
	f->clock.wall_us -= INT64_C(86400) * 1000000;
	fixture_pass(f, 59999);
	assert_int_equal(r->count, 2);
	fixture_pass(f, 1);
	assert_int_equal(r->count, 3);
}

static void
one_that_is_set_anew_is_put_off_no_longer(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	r->fail = 2;
	set(f, "room", "den", 10000);
	assert_true(fixture_end(f));
	fixture_pass(f, 10000);
	assert_int_equal(r->count, 2);
	clear(f, "room", "den");
	set(f, "room", "den", 5000);
	instance_fail(&f->inst, "on purpose"); /* it was not, then */
	assert_false(fixture_end(f));
	fixture_pass(f, 5000);
	assert_int_equal(r->count, 2);
	clear(f, "room", "den");
	set(f, "room", "den", 5000);
	assert_true(fixture_end(f));
	fixture_pass(f, 5000);
	assert_int_equal(r->count, 3);
}

static void
kinds_of_a_later_version_are_kept(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;

	set(f, "room", "den", 10000);
	set(f, "room", "hall", 10000);
	set(f, "node", "news", 20000);
	assert_true(fixture_end(f));
	restart(f, &downgraded);
	fixture_pass(f, 20000);
	assert_int_equal(r->count, 1);
	assert_string_equal(r->last, "news");
	assert_true(fixture_logged(f, "does not know: room"));
	set(f, "node", "early", 1000); /* before what is not known would be looked at */
	assert_true(fixture_end(f));
	fixture_pass(f, 1000);
	assert_string_equal(r->last, "early");
	restart(f, &module);
	fixture_pass(f, 0);
	assert_int_equal(r->count, 4);
}

static void
long_keys_come_back_whole(void **state)
{
	struct fixture *f = *state;
	struct rung *r = f->inst.settings;
	char key[8194];

	memset(key, 'k', sizeof(key));
	key[8193] = '\0';
	assert_true(instance_enter(&f->inst));
	assert_int_equal(annex_alarm_set(&f->inst, "room", key, 8193, NOW_MS), ANNEX_EINVAL);
	assert_int_equal(annex_alarm_set(&f->inst, "room", key, 8192, NOW_MS), ANNEX_OK);
	assert_int_equal(annex_alarm_set(&f->inst, "room", "", 0, NOW_MS + 5000), ANNEX_OK);
	assert_int_equal(annex_alarm_set(&f->inst, "other", key, 1, NOW_MS), ANNEX_EINVAL);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	fixture_pass(f, 0);
	assert_int_equal(r->count, 1);
	assert_int_equal(strlen(r->last), 8192);
	fixture_pass(f, 5000);
	assert_int_equal(r->count, 2);
	assert_string_equal(r->last, "");
	assert_true(fixture_logged(f, "level=bug"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_rings_once_at_its_time),
		TEST(the_nearest_rings_first_whenever_it_was_set),
		TEST(there_is_one_of_a_kind_and_key),
		TEST(what_is_cleared_does_not_ring),
		TEST(what_fell_due_while_down_rings_at_the_start),
		TEST(the_time_of_day_may_jump),
		TEST(many_that_are_overdue_ring_a_few_a_turn),
		TEST(an_alarm_may_set_itself_anew),
		TEST(set_and_cleared_in_a_turn_that_fails_it_was_not),
		TEST(one_whose_turn_fails_rings_again),
		TEST(one_whose_turn_fails_for_another_rings_at_once),
		TEST(one_that_fails_does_not_keep_the_others),
		TEST(one_that_is_put_off_waits_as_long_whatever_the_time_of_day),
		TEST(one_that_is_set_anew_is_put_off_no_longer),
		TEST(kinds_of_a_later_version_are_kept),
		TEST(long_keys_come_back_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
