/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_spawn.c - children, and the process that starts them
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <annex/spawn.h>

#include "base/buf.h"
#include "fixture.h"

/* What a child said, and how it ended. */
struct heard {
	struct annex_child *child;
	struct buf text;
	bool ended, got; /* got: some output came */
	int status;
	bool fail;
};

static void
output(struct annex_instance *inst, struct annex_child *child, const char *bytes, size_t len,
    void *cookie)
{
	struct heard *h = cookie;

	assert_true(inst->entered);
	buf_append(&h->text, bytes, len);
	h->got = true;
	if (h->fail)
		annex_fail_turn(inst, "on purpose");
}

static void
ended(struct annex_instance *inst, struct annex_child *child, int status, void *cookie)
{
	struct heard *h = cookie;

	assert_true(inst->entered);
	assert_false(h->ended);
	h->ended = true;
	h->status = status;
}

static const struct annex_child_events events = { output, ended };

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

/* In a turn that is not ended yet. */
static struct annex_child *
spawn(struct fixture *f, struct heard *h, const char *script, int timeout_ms)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const char *const env[] = { "WHO=me", "LANG=C", NULL };
	const struct annex_program program = { argv, env, "/tmp", timeout_ms };

	*h = (struct heard) { 0 };
	assert_true(instance_enter(&f->inst));
	h->child = annex_spawn(&f->inst, &program, &events, h);
	instance_leave(&f->inst);
	return h->child;
}

static void
run(struct fixture *f, struct heard *h, const char *script)
{
	assert_non_null(spawn(f, h, script, 0));
	assert_true(fixture_end(f));
	fixture_wait(f, &h->ended);
}

static void
what_it_says_is_heard_before_it_ends(void **state)
{
	struct fixture *f = *state;
	struct heard h;

	run(f, &h, "echo one; echo two >&2; echo three; exit 3");
	assert_string_equal(h.text.data, "one\nthree\n");
	assert_int_equal(h.status, 3);
	assert_true(fixture_logged(f, "sh: two"));
	buf_finish(&h.text);
}

static void
it_has_a_clean_environment_a_directory_and_a_group(void **state)
{
	struct fixture *f = *state;
	struct heard h;

	setenv("SECRET", "x", 1);
	run(f, &h,
	    "pwd; env | grep -v '^_=\\|^PWD=\\|^SHLVL=\\|^PATH=\\|^OLDPWD=' | sort; "
	    "test -n \"$PATH\" && echo path; "
	    "test \"$(ps -o pgid= -p $$ | tr -d ' ')\" = $$ && echo leader");
	assert_string_equal(h.text.data, "/tmp\nHOME=/\nLANG=C\nWHO=me\npath\nleader\n");
	unsetenv("SECRET");
	buf_finish(&h.text);
}

static void
it_has_no_descriptor_but_its_three(void **state)
{
	struct fixture *f = *state;
	struct heard h;

	run(f, &h, "ls /proc/self/fd | grep -cv '^[0123]$'; true"); /* 3: the directory itself */
	assert_string_equal(h.text.data, "0\n");
	buf_finish(&h.text);
}

static void
signals_are_as_a_program_expects(void **state)
{
	struct fixture *f = *state;
	struct heard h;

	/* 32 and 33 are the C library's own: what make starts finds them ignored. */
	run(f, &h,
	    "grep -E '^Sig(Blk|Ign)' /proc/self/status | "
	    "grep -vc -e 0000000000000000 -e 0000000180000000; true");
	assert_string_equal(h.text.data, "0\n");
	buf_finish(&h.text);
}

static void
nothing_starts_before_the_turn_is_durable(void **state)
{
	struct fixture *f = *state;
	char path[200], script[300];
	struct heard h;

	snprintf(path, sizeof(path), "%s/touched", f->dir);
	snprintf(script, sizeof(script), "touch %s", path);
	spawn(f, &h, script, 0);
	for (int i = 0; i < 5; i++)
		poll_reactor_run(f->reactor, 10);
	assert_int_equal(access(path, F_OK), -1);
	instance_fail(&f->inst, "on purpose");
	assert_false(fixture_end(f));
	run(f, &h, "true"); /* whatever was started before is through by now */
	assert_int_equal(access(path, F_OK), -1);
	buf_finish(&h.text);
}

static void
its_input_is_written_when_durable_and_closed_behind(void **state)
{
	struct fixture *f = *state;
	struct heard h;

	spawn(f, &h, "cat; echo end", 0);
	assert_int_equal(annex_child_write(h.child, "hello ", 6), ANNEX_OK);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.got);
	assert_string_equal(h.text.data, "hello ");
	assert_int_equal(annex_child_write(h.child, "world\n", 6), ANNEX_OK);
	annex_child_end(h.child);
	assert_int_equal(annex_child_write(h.child, "more", 4), ANNEX_EOFFLINE);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.ended);
	assert_string_equal(h.text.data, "hello world\nend\n");
	buf_finish(&h.text);
}

static void
a_mebibyte_may_wait_for_it(void **state)
{
	struct fixture *f = *state;
	char *bytes = calloc(1, 1 << 20);
	struct heard h;

	memset(bytes, 'x', 1 << 20);
	spawn(f, &h, "sleep 0.1; wc -c", 0);
	assert_int_equal(annex_child_write(h.child, bytes, (1 << 20) - 1), ANNEX_OK);
	assert_int_equal(annex_child_write(h.child, bytes, 2), ANNEX_ELIMIT);
	assert_int_equal(annex_child_write(h.child, bytes, 1), ANNEX_OK);
	annex_child_end(h.child);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.ended);
	assert_int_equal(strtol(h.text.data, NULL, 10), 1 << 20);
	buf_finish(&h.text);
	free(bytes);
}

static void
one_that_does_not_read_ends_nobody(void **state)
{
	struct fixture *f = *state;
	struct heard h;
	int r = ANNEX_OK;

	spawn(f, &h, "exec <&-; echo closed; exec sleep 60", 0);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.got);
	/* The spawner may still hold its copy of the pipe for a moment. */
	for (int i = 0; i < 1000 && r == ANNEX_OK; i++) {
		r = annex_child_write(h.child, "x", 1);
		assert_true(fixture_end(f));
		poll_reactor_run(f->reactor, 1);
	}
	assert_int_equal(r, ANNEX_EOFFLINE);
	assert_false(h.ended);
	annex_child_kill(h.child, SIGKILL);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.ended);
	assert_int_equal(h.status, -SIGKILL);
	buf_finish(&h.text);
}

static void
much_output_comes_whole(void **state)
{
	struct fixture *f = *state;
	struct heard h;

	run(f, &h, "head -c 1000000 /dev/zero | tr '\\0' y");
	assert_int_equal(h.text.len, 1000000);
	assert_int_equal(h.text.data[999999], 'y');
	buf_finish(&h.text);
}

static void
what_does_not_exist_is_told(void **state)
{
	struct fixture *f = *state;
	const char *const argv[] = { "no-such-program", NULL };
	const struct annex_program program = { argv, NULL, NULL, 0 };
	const char *const sh[] = { "sh", NULL };
	const struct annex_program nowhere = { sh, NULL, "/no/such/dir", 0 };
	struct heard h = { 0 }, g = { 0 };

	assert_true(instance_enter(&f->inst));
	assert_non_null(annex_spawn(&f->inst, &program, &events, &h));
	assert_non_null(annex_spawn(&f->inst, &nowhere, &events, &g));
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.ended);
	fixture_wait(f, &g.ended);
	assert_int_equal(h.status, -127);
	assert_int_equal(g.status, -127);
	assert_true(fixture_logged(f, "no-such-program could not be started: No such file"));
	buf_finish(&h.text);
}

static void
a_signal_reaches_its_whole_group(void **state)
{
	struct fixture *f = *state;
	struct heard h;

	spawn(f, &h, "sleep 60 & echo up; wait $!; echo $?; exec sleep 60", 0);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.got);
	annex_child_kill(h.child, SIGKILL);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.ended);
	assert_int_equal(h.status, -SIGKILL);
	buf_finish(&h.text);
	spawn(f, &h, "trap '' USR1; (trap - USR1; exec sleep 60) & echo up; wait $!; echo $?", 0);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.got);
	/* The inner one may not have reset its trap yet: signal it until it ends. */
	for (int i = 0; i < 1000 && !h.ended; i++) {
		annex_child_kill(h.child, SIGUSR1);
		assert_true(fixture_end(f));
		poll_reactor_run(f->reactor, 10);
	}
	assert_true(h.ended);
	assert_int_equal(h.status, 0);
	assert_string_equal(h.text.data, "up\n138\n"); /* 128 and USR1 */
	buf_finish(&h.text);
}

static void
a_signal_is_a_negative_status(void **state)
{
	struct fixture *f = *state;
	struct heard h;

	run(f, &h, "kill -KILL $$");
	assert_int_equal(h.status, -SIGKILL);
	buf_finish(&h.text);
}

static void
time_is_up_by_term(void **state)
{
	struct fixture *f = *state;
	struct heard h;

	spawn(f, &h, "sleep 60", 50);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.ended);
	assert_int_equal(h.status, -SIGTERM);
	buf_finish(&h.text);
}

static void
what_it_leaves_behind_ends_with_it(void **state)
{
	struct fixture *f = *state;
	struct heard h;
	pid_t left;

	run(f, &h, "sleep 60 & echo $!");
	left = (pid_t)strtol(h.text.data, NULL, 10);
	assert_true(left > 1);
	for (int i = 0; i < 200 && kill(left, 0) == 0; i++)
		poll_reactor_run(f->reactor, 10);
	/* Reparented to whoever reaps on this machine, it is at least no longer running. */
	if (kill(left, 0) == 0) {
		char path[64], state_of[64] = "";
		FILE *status;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)left);
		status = fopen(path, "r");
		if (status != NULL) {
			assert_non_null(fgets(state_of, sizeof(state_of), status));
			fclose(status);
			assert_non_null(strstr(state_of, ") Z "));
		}
	}
	buf_finish(&h.text);
}

static void
sixty_four_are_enough(void **state)
{
	struct fixture *f = *state;
	static struct heard h[64];
	struct heard more;

	for (int i = 0; i < 64; i++)
		assert_non_null(spawn(f, &h[i], "read line", 0));
	assert_null(spawn(f, &more, "true", 0));
	assert_true(fixture_logged(f, "64 programs run already"));
	assert_true(fixture_end(f));
	for (int i = 0; i < 64; i++)
		annex_child_end(h[i].child);
	assert_true(fixture_end(f));
	for (int i = 0; i < 64; i++) {
		fixture_wait(f, &h[i].ended);
		assert_int_equal(h[i].status, 1);
		buf_finish(&h[i].text);
	}
	run(f, &more, "echo again");
	assert_string_equal(more.text.data, "again\n");
	buf_finish(&more.text);
}

static void
a_reset_stops_them_and_tells_nobody(void **state)
{
	struct fixture *f = *state;
	bool gone = false;
	struct heard h;
	pid_t pid;

	spawn(f, &h, "echo $$; exec sleep 60", 0);
	assert_true(fixture_end(f));
	h.fail = true;
	fixture_wait(f, &h.got);
	assert_int_equal(f->lives, 2);
	pid = (pid_t)strtol(h.text.data, NULL, 10);
	assert_true(pid > 1);
	for (int i = 0; i < 1000 && !gone; i++) {
		poll_reactor_run(f->reactor, 10);
		gone = kill(pid, 0) < 0;
	}
	assert_true(gone);
	assert_false(h.ended);
	buf_finish(&h.text);
}

static void
the_end_of_the_worker_ends_all(void **state)
{
	struct fixture *f = *state;
	struct heard h;
	pid_t pid;

	spawn(f, &h, "trap '' TERM; echo $$; while :; do sleep 0.05; done", 0);
	assert_true(fixture_end(f));
	fixture_wait(f, &h.got);
	pid = (pid_t)strtol(h.text.data, NULL, 10);
	assert_int_equal(kill(pid, 0), 0);
	fixture_restart(f, NULL); /* waits for the spawner, and that for its children */
	assert_true(kill(pid, 0) < 0 && errno == ESRCH);
	buf_finish(&h.text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_it_says_is_heard_before_it_ends),
		TEST(it_has_a_clean_environment_a_directory_and_a_group),
		TEST(it_has_no_descriptor_but_its_three),
		TEST(signals_are_as_a_program_expects),
		TEST(nothing_starts_before_the_turn_is_durable),
		TEST(its_input_is_written_when_durable_and_closed_behind),
		TEST(a_mebibyte_may_wait_for_it),
		TEST(one_that_does_not_read_ends_nobody),
		TEST(much_output_comes_whole),
		TEST(what_does_not_exist_is_told),
		TEST(a_signal_reaches_its_whole_group),
		TEST(a_signal_is_a_negative_status),
		TEST(time_is_up_by_term),
		TEST(what_it_leaves_behind_ends_with_it),
		TEST(sixty_four_are_enough),
		TEST(a_reset_stops_them_and_tells_nobody),
		TEST(the_end_of_the_worker_ends_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
