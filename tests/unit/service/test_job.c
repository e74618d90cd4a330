/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_job.c - long work in small turns
 */
#include <annex/job.h>

#include "fixture.h"

/* What the steps did: each job counts its state down to 0. */
struct work {
	unsigned steps;
	char log[200];
	int fail;       /* so many steps from now on give up */
	int fail_turns; /* or fail their turn */
	char who;       /* this job alone; 0: any */
};

static int
step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct work *w = inst->settings;
	size_t len = strlen(w->log);

	assert_true(inst->entered);
	assert_int_equal(limit, 500);
	assert_int_equal(state->len, 2);
	w->steps++;
	snprintf(w->log + len, sizeof(w->log) - len, "%c%c ", state->bytes[0], state->bytes[1]);
	if (w->who == 0 || w->who == state->bytes[0]) {
		if (w->fail > 0) {
			w->fail--;
			return ANNEX_EIO;
		}
		if (w->fail_turns > 0) {
			w->fail_turns--;
			annex_fail_turn(inst, "on purpose");
			return ANNEX_AGAIN;
		}
	}
	return --state->bytes[1] == '0' ? ANNEX_OK : ANNEX_AGAIN;
}

static const struct annex_job jobs[] = { { "count", step }, { "other", step }, { 0 } };
static const struct annex_job fewer_jobs[] = { { "other", step }, { 0 } };
static const struct annex_route routes[] = { { 0 } };
static const struct annex_module module = { .name = "worker", .routes = routes, .jobs = jobs };
static const struct annex_module downgraded = {
	.name = "worker",
	.routes = routes,
	.jobs = fewer_jobs,
};

/* Idle turns, as long as there is work. */
static void
idle(struct fixture *f)
{
	for (int i = 0; i < 1000 && jobs_have_work(&f->inst); i++) {
		jobs_step(&f->inst);
		fixture_end(f);
	}
}

static int
setup(void **state)
{
	struct fixture *f = fixture_create(&module);

	f->inst.settings = annex_new(f->pool, struct work);
	idle(f);
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
	struct work *w = f->inst.settings;

	fixture_restart(f, other);
	f->inst.settings = w;
}

static void
start(struct fixture *f, const char *kind, const char *state)
{
	assert_true(instance_enter(&f->inst));
	assert_int_equal(annex_job_start(&f->inst, kind, state, strlen(state)), ANNEX_OK);
	instance_leave(&f->inst);
}

static const char *
done(struct fixture *f)
{
	return ((struct work *)f->inst.settings)->log;
}

static void
steps_follow_until_it_is_done_oldest_first(void **state)
{
	struct fixture *f = *state;

	assert_false(jobs_have_work(&f->inst));
	start(f, "count", "a3");
	start(f, "other", "b1");
	start(f, "count", "c2");
	assert_true(f->wakes > 0);
	assert_true(fixture_end(f));
	assert_true(jobs_have_work(&f->inst));
	idle(f);
	assert_string_equal(done(f), "a3 a2 a1 b1 c2 c1 ");
	assert_false(jobs_have_work(&f->inst));
}

static void
one_step_is_one_turn(void **state)
{
	struct fixture *f = *state;
	struct work *w = f->inst.settings;

	start(f, "count", "a3");
	assert_true(fixture_end(f));
	jobs_step(&f->inst);
	assert_int_equal(w->steps, 1);
	assert_true(fixture_end(f));
}

static void
it_goes_on_where_it_stopped_after_a_restart(void **state)
{
	struct fixture *f = *state;

	start(f, "count", "a3");
	assert_true(fixture_end(f));
	jobs_step(&f->inst);
	assert_true(fixture_end(f));
	restart(f, NULL);
	assert_true(jobs_have_work(&f->inst));
	idle(f);
	assert_string_equal(done(f), "a3 a2 a1 ");
	restart(f, NULL);
	idle(f);
	assert_string_equal(done(f), "a3 a2 a1 ");
}

static void
started_in_a_turn_that_fails_it_was_not(void **state)
{
	struct fixture *f = *state;

	start(f, "count", "a3");
	instance_fail(&f->inst, "on purpose");
	assert_false(fixture_end(f));
	idle(f);
	assert_string_equal(done(f), "");
}

static void
a_step_that_gives_up_is_tried_again_in_a_minute(void **state)
{
	struct fixture *f = *state;
	struct work *w = f->inst.settings;

	w->fail = 1;
	start(f, "count", "a2");
	start(f, "count", "b1");
	assert_true(fixture_end(f));
	idle(f);
	assert_string_equal(done(f), "a2 b1 ");
	fixture_pass(f, 59999);
	assert_false(jobs_have_work(&f->inst));
	fixture_pass(f, 1);
	assert_true(jobs_have_work(&f->inst));
	idle(f);
	assert_string_equal(done(f), "a2 b1 a2 a1 ");
}

static void
after_five_tries_it_is_dropped_loudly(void **state)
{
	struct fixture *f = *state;
	struct work *w = f->inst.settings;

	w->fail = 1000;
	start(f, "count", "a2");
	assert_true(fixture_end(f));
	for (int i = 0; i < 10; i++) {
		idle(f);
		fixture_pass(f, 60000);
	}
	assert_int_equal(w->steps, 6);
	assert_true(fixture_logged(f, "level=error"));
	restart(f, NULL);
	idle(f);
	assert_int_equal(w->steps, 6);
}

static void
progress_forgives_failures(void **state)
{
	struct fixture *f = *state;
	struct work *w = f->inst.settings;

	start(f, "count", "a4");
	assert_true(fixture_end(f));
	for (int i = 0; i < 3; i++) {
		w->fail = 4;
		for (int j = 0; j < 4; j++) {
			jobs_step(&f->inst);
			assert_true(fixture_end(f));
			fixture_pass(f, 60000);
		}
		jobs_step(&f->inst); /* this one goes well */
		assert_true(fixture_end(f));
	}
	idle(f);
	assert_int_equal(w->steps, 16);
	assert_false(fixture_logged(f, "level=error"));
}

static void
one_whose_turns_fail_does_not_keep_the_instance_from_living(void **state)
{
	struct fixture *f = *state;
	struct work *w = f->inst.settings;

	w->fail_turns = 1000;
	w->who = 'a';
	start(f, "count", "a2");
	start(f, "count", "b1");
	assert_true(fixture_end(f));
	idle(f);
	assert_string_equal(done(f), "a2 b1 ");
	assert_int_equal(f->lives, 2);
	for (int i = 0; i < 10; i++) {
		fixture_pass(f, 60000);
		idle(f);
	}
	assert_int_equal(w->steps, 7);
	assert_true(fixture_logged(f, "gave up a job whose turns failed 6 times"));
	start(f, "count", "c1");
	assert_true(fixture_end(f));
	idle(f);
	assert_int_equal(w->steps, 8);
}

static void
kinds_of_a_later_version_are_kept(void **state)
{
	struct fixture *f = *state;

	start(f, "count", "a1");
	start(f, "other", "b1");
	assert_true(fixture_end(f));
	restart(f, &downgraded);
	idle(f);
	assert_string_equal(done(f), "b1 ");
	assert_true(fixture_logged(f, "does not know: count"));
	restart(f, &module);
	idle(f);
	assert_string_equal(done(f), "b1 a1 ");
}

static void
what_cannot_be_kept_is_refused(void **state)
{
	struct fixture *f = *state;
	char state_of_job[401] = "";

	assert_true(instance_enter(&f->inst));
	assert_int_equal(annex_job_start(&f->inst, "unknown", "", 0), ANNEX_EINVAL);
	assert_int_equal(annex_job_start(&f->inst, "count", state_of_job, 401), ANNEX_EINVAL);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	assert_true(fixture_logged(f, "level=bug"));
	idle(f);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(steps_follow_until_it_is_done_oldest_first),
		TEST(one_step_is_one_turn),
		TEST(it_goes_on_where_it_stopped_after_a_restart),
		TEST(started_in_a_turn_that_fails_it_was_not),
		TEST(a_step_that_gives_up_is_tried_again_in_a_minute),
		TEST(after_five_tries_it_is_dropped_loudly),
		TEST(progress_forgives_failures),
		TEST(one_whose_turns_fail_does_not_keep_the_instance_from_living),
		TEST(kinds_of_a_later_version_are_kept),
		TEST(what_cannot_be_kept_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
