/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_supervisor.c - annexd's life with its workers
 */
#include "bench.h"

#include <signal.h>

#define SERVE(b, domain, hash, boot) section(b, domain, hash, boot, "serve", "")

static bool
is_running(struct bench *b, const char *domain)
{
	struct component *component = supervisor_find(b->s, domain);

	return component != NULL && component->state == COMPONENT_RUNNING;
}

static void
start_with(struct bench *b, const char *lines)
{
	bench_configure(b, lines);
	bench_start(b);
	AWAIT(b, b->s->started);
}

static void
test_all_components_are_started_and_systemd_is_told(void **state)
{
	struct bench *b = *state;

	start_with(b, joined(b, SERVE(b, "a.test", "1", "1"), SERVE(b, "b.test", "1", "1")));
	AWAIT(b, is_running(b, "a.test") && is_running(b, "b.test"));
	AWAIT(b, strstr(bench_told(b), "STATUS=2/2 attached | ") != NULL);
	assert_non_null(strstr(bench_told(b), "READY=1"));
}

static void
test_a_bad_configuration_starts_nothing(void **state)
{
	struct bench *b = *state;

	bench_write(b, "! annex.yaml:3:1: no such module\n! annex.yaml:9:1: and another\n");
	bench_start(b);
	AWAIT(b, b->finished >= 0);
	assert_int_equal(b->finished, 1);
	assert_string_equal(
	    buf_text(&b->said), "annex.yaml:3:1: no such module\nannex.yaml:9:1: and another\n");
	assert_true(annex_list_is_empty(&b->s->components));
}

static void
test_warnings_of_the_check_are_shown_and_do_not_stop_the_start(void **state)
{
	struct bench *b = *state;

	start_with(b, joined(b, "? annex.yaml:3:1: think twice\n", SERVE(b, "a.test", "1", "1")));
	assert_string_equal(buf_text(&b->said), "annex.yaml:3:1: think twice\n");
	AWAIT(b, is_running(b, "a.test"));
}

static void
test_a_second_annexd_in_the_same_run_dir_is_refused(void **state)
{
	struct bench *b = *state;
	struct supervisor *second;

	start_with(b, SERVE(b, "a.test", "1", "1"));
	second = supervisor_create(&b->setup);
	supervisor_start(second);
	AWAIT(b, b->finished >= 0);
	assert_int_equal(b->finished, 1);
	assert_non_null(strstr(buf_text(&b->said), "in use by a running process"));
	assert_true(annex_list_is_empty(&second->components));
	supervisor_destroy(&second);
	assert_true(component_has_process(the(b, "a.test")));
}

static void
test_readiness_is_told_after_ten_seconds_whatever_the_workers_do(void **state)
{
	struct bench *b = *state;

	start_with(b, section(b, "a.test", "1", "1", "mute", ""));
	bench_pass(b, 9);
	assert_null(strstr(bench_told(b), "READY=1"));
	bench_pass(b, 1);
	assert_non_null(strstr(bench_told(b), "READY=1"));
}

static void
test_a_crashed_worker_is_restarted_with_growing_delays(void **state)
{
	struct bench *b = *state;
	int64_t last = 0, delay;
	struct component *c;

	start_with(b, section(b, "a.test", "1", "1", "crash", ", \"phase\": \"commit\""));
	c = the(b, "a.test");
	for (unsigned i = 1; i <= 12; i++) {
		AWAIT(b, c->state == COMPONENT_WAITING);
		assert_int_equal(c->crashes, i);
		delay = c->restart.due_us - b->clock.mono_us;
		assert_in_range(delay, 200000, 30000000);
		assert_true(i > 8 || delay > last);
		last = delay;
		b->clock.mono_us = c->restart.due_us - 1000;
		loop_run_once(b->loop, 0);
		assert_int_equal(c->state, COMPONENT_WAITING);
		b->clock.mono_us += 1000;
		loop_run_once(b->loop, 0);
		assert_int_not_equal(c->state, COMPONENT_WAITING);
	}
	assert_true(last > 20000000);
	/* A commit blames no stanza. */
	assert_int_equal(blame_quarantined(&c->blame), 0);
	assert_true(LOGGED(b, "worker crashed in a commit: signal 11"));
}

static void
test_a_stanza_that_crashes_a_worker_twice_is_in_quarantine(void **state)
{
	struct bench *b = *state;
	struct component *c;

	start_with(b, section(b, "a.test", "1", "1", "crash", ", \"hash\": 4660"));
	c = the(b, "a.test");
	AWAIT(b, c->state == COMPONENT_WAITING);
	assert_int_equal(blame_quarantined(&c->blame), 0);
	assert_true(LOGGED(b, "stanza 0000000000001234 is suspected"));
	b->clock.mono_us = c->restart.due_us;
	loop_run_once(b->loop, 0);
	AWAIT(b, c->state == COMPONENT_WAITING);
	assert_true(LOGGED(b, "stanza 0000000000001234 crashed the worker again"));
	b->clock.mono_us = c->restart.due_us;
	/* The third is told its hash and serves. */
	AWAIT(b, component_is_attached(c));
	assert_int_equal(c->page->quarantine_count, 1);
	assert_int_equal(c->page->quarantine[0], 4660);
	assert_int_equal(c->crashes, 2);
	component_restart(c);
	AWAIT(b, c->state == COMPONENT_WAITING);
	assert_int_equal(blame_quarantined(&c->blame), 0);
}

static void
test_the_crash_of_one_leaves_the_others_alone(void **state)
{
	struct bench *b = *state;
	pid_t pid;

	start_with(b,
	    joined(b, SERVE(b, "good.test", "1", "1"),
		section(b, "bad.test", "1", "1", "crash", ", \"hash\": 1")));
	AWAIT(b, is_running(b, "good.test") && the(b, "bad.test")->crashes == 1);
	pid = the(b, "good.test")->process.pid;
	b->clock.mono_us = the(b, "bad.test")->restart.due_us;
	AWAIT(b, the(b, "bad.test")->crashes == 2);
	assert_int_equal(the(b, "good.test")->process.pid, pid);
	assert_true(is_running(b, "good.test"));
}

static void
test_a_worker_that_cannot_start_is_tried_again(void **state)
{
	struct bench *b = *state;
	struct component *c;

	start_with(b, section(b, "a.test", "1", "1", "exit", ", \"status\": 2"));
	c = the(b, "a.test");
	AWAIT(b, c->state == COMPONENT_WAITING);
	assert_int_equal(c->crashes, 0);
	assert_string_equal(
	    c->last_end, "ended by itself: exit status 2 (it cannot start; its log says why)");
	b->clock.mono_us = c->restart.due_us;
	AWAIT(b, c->starts == 2);
}

static void
test_a_missing_worker_program_is_said(void **state)
{
	struct bench *b = *state;

	b->setup.program = "/nonexistent/annex-worker";
	bench_configure(b, "");
	bench_start(b);
	AWAIT(b, b->finished >= 0);
	assert_int_equal(b->finished, 1);
	assert_non_null(strstr(buf_text(&b->said), "cannot run /nonexistent/annex-worker"));
}

static void
test_a_minute_of_health_resets_the_back_off(void **state)
{
	struct bench *b = *state;
	struct component *c;

	start_with(b, SERVE(b, "a.test", "1", "1"));
	c = the(b, "a.test");
	for (int i = 0; i < 6; i++) {
		AWAIT(b, c->state == COMPONENT_RUNNING);
		process_signal(&c->process, SIGKILL);
		AWAIT(b, c->state == COMPONENT_WAITING);
		b->clock.mono_us = c->restart.due_us;
	}
	assert_true(c->backoff.ends == 6);
	AWAIT(b, c->state == COMPONENT_RUNNING);
	bench_pass(b, 20);
	b->clock.mono_us += 40 * INT64_C(1000000);
	process_signal(&c->process, SIGKILL);
	AWAIT(b, c->state == COMPONENT_WAITING);
	assert_int_equal(c->backoff.ends, 1);
}

static void
test_a_stuck_handler_is_aborted_and_its_stanza_blamed(void **state)
{
	struct bench *b = *state;
	struct component *c;

	start_with(b, section(b, "a.test", "1", "1", "hang", ""));
	c = the(b, "a.test");
	AWAIT(b, c->state == COMPONENT_RUNNING);
	bench_pass(b, 30);
	assert_false(LOGGED(b, "worker is stuck"));
	bench_pass(b, 2);
	assert_true(LOGGED(b, "worker is stuck in a handler"));
	AWAIT(b, c->crashes == 1);
	assert_true(LOGGED(b, "worker crashed in a handler: signal 6"));
	assert_true(LOGGED(b, "stanza 0000000000000007 is suspected"));
}

static void
test_a_worker_that_ignores_the_abort_is_killed(void **state)
{
	struct bench *b = *state;
	struct component *c;

	start_with(b, section(b, "a.test", "1", "1", "hang", ", \"phase\": \"idle\""));
	c = the(b, "a.test");
	AWAIT(b, c->state == COMPONENT_RUNNING);
	bench_pass(b, 32);
	assert_true(LOGGED(b, "worker is stuck while idle"));
	bench_pass(b, 5);
	AWAIT(b, c->crashes == 1);
	assert_true(LOGGED(b, "signal 9"));
	assert_int_equal(c->blame.count, 0);
}

static void
test_a_slow_commit_is_left_alone(void **state)
{
	struct bench *b = *state;
	struct component *c;

	start_with(b, section(b, "a.test", "1", "1", "hang", ", \"phase\": \"commit\""));
	c = the(b, "a.test");
	AWAIT(b, c->state == COMPONENT_RUNNING);
	bench_pass(b, 600);
	assert_int_equal(c->state, COMPONENT_RUNNING);
	assert_true(LOGGED(b, "has been busy in a commit for 30 s; it is left alone"));
}

static void
test_a_stop_is_quiet_and_ends_with_status_0(void **state)
{
	struct bench *b = *state;

	start_with(b, SERVE(b, "a.test", "1", "1"));
	AWAIT(b, is_running(b, "a.test"));
	supervisor_signal(b->s, SIGTERM);
	assert_non_null(strstr(bench_told(b), "STOPPING=1"));
	AWAIT(b, b->finished >= 0);
	assert_int_equal(b->finished, 0);
	assert_string_equal(the(b, "a.test")->last_end, "ended as asked");
}

static void
test_a_worker_that_does_not_stop_is_killed_after_twenty_seconds(void **state)
{
	struct bench *b = *state;

	start_with(b, section(b, "a.test", "1", "1", "hang", ""));
	AWAIT(b, is_running(b, "a.test"));
	supervisor_signal(b->s, SIGTERM);
	bench_pass(b, 19);
	assert_int_equal(b->finished, -1);
	bench_pass(b, 1);
	AWAIT(b, b->finished == 0);
	assert_true(LOGGED(b, "killed, because its worker did not end in time"));
}

static void
test_a_second_request_to_stop_does_not_wait(void **state)
{
	struct bench *b = *state;

	start_with(b, section(b, "a.test", "1", "1", "hang", ""));
	AWAIT(b, is_running(b, "a.test"));
	supervisor_signal(b->s, SIGINT);
	supervisor_signal(b->s, SIGINT);
	AWAIT(b, b->finished == 0);
}

static void
test_a_stop_during_the_first_check_ends_at_once(void **state)
{
	struct bench *b = *state;

	bench_write(b, "hang\n");
	bench_start(b);
	supervisor_signal(b->s, SIGTERM);
	assert_int_equal(b->finished, 0);
}

static void
test_a_stop_while_waiting_to_restart_ends_at_once(void **state)
{
	struct bench *b = *state;

	start_with(b, section(b, "a.test", "1", "1", "exit", ", \"status\": 1"));
	AWAIT(b, the(b, "a.test")->state == COMPONENT_WAITING);
	supervisor_signal(b->s, SIGTERM);
	assert_int_equal(b->finished, 0);
}

static void
test_words_that_are_not_understood_do_no_harm(void **state)
{
	struct bench *b = *state;

	start_with(b, section(b, "a.test", "1", "1", "babble", ""));
	AWAIT(b, is_running(b, "a.test"));
	assert_true(LOGGED(b, "said what is not understood"));
}

static void
test_the_sign_of_life_comes_at_half_the_time_asked_for(void **state)
{
	struct bench *b = *state;

	b->setup.watchdog_us = 20000000;
	start_with(b, SERVE(b, "a.test", "1", "1"));
	AWAIT(b, is_running(b, "a.test"));
	bench_pass(b, 9);
	assert_null(strstr(bench_told(b), "WATCHDOG=1"));
	bench_pass(b, 1);
	assert_non_null(strstr(bench_told(b), "WATCHDOG=1"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_all_components_are_started_and_systemd_is_told),
		CASE(test_a_bad_configuration_starts_nothing),
		CASE(test_warnings_of_the_check_are_shown_and_do_not_stop_the_start),
		CASE(test_a_second_annexd_in_the_same_run_dir_is_refused),
		CASE(test_readiness_is_told_after_ten_seconds_whatever_the_workers_do),
		CASE(test_a_crashed_worker_is_restarted_with_growing_delays),
		CASE(test_a_stanza_that_crashes_a_worker_twice_is_in_quarantine),
		CASE(test_the_crash_of_one_leaves_the_others_alone),
		CASE(test_a_worker_that_cannot_start_is_tried_again),
		CASE(test_a_missing_worker_program_is_said),
		CASE(test_a_minute_of_health_resets_the_back_off),
		CASE(test_a_stuck_handler_is_aborted_and_its_stanza_blamed),
		CASE(test_a_worker_that_ignores_the_abort_is_killed),
		CASE(test_a_slow_commit_is_left_alone),
		CASE(test_a_stop_is_quiet_and_ends_with_status_0),
		CASE(test_a_worker_that_does_not_stop_is_killed_after_twenty_seconds),
		CASE(test_a_second_request_to_stop_does_not_wait),
		CASE(test_a_stop_during_the_first_check_ends_at_once),
		CASE(test_a_stop_while_waiting_to_restart_ends_at_once),
		CASE(test_words_that_are_not_understood_do_no_harm),
		CASE(test_the_sign_of_life_comes_at_half_the_time_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
