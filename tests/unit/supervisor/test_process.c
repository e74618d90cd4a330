/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_process.c - a child process and its end
 */
#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

struct child {
	struct process process;
	bool ended;
	int status;
};

static void
child_ended(struct process *process, int status)
{
	struct child *child = annex_container_of(process, struct child, process);

	child->ended = true;
	child->status = status;
}

/* sh -c script, its standard output in a pipe that is read to the end. */
static const char *
run_script(struct bench *b, struct child *child, const char *script, int extra_fd)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct process_plan plan = { .path = "/bin/sh", .argv = argv, .fd_count = 4 };
	struct buf out = { 0 };
	const char *text;
	int ends[2];

	*child = (struct child) { .ended = false };
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	plan.fds[0] = -1;
	plan.fds[1] = ends[1];
	plan.fds[2] = STDERR_FILENO;
	plan.fds[3] = extra_fd;
	assert_int_equal(
	    process_start(&child->process, b->setup.reactor, &plan, child_ended), ANNEX_OK);
	close(ends[1]);
	assert_true(io_read_rest(ends[0], 65536, &out) >= 0);
	close(ends[0]);
	AWAIT(b, child->ended);
	text = annex_strdup(b->pool, buf_text(&out));
	buf_finish(&out);
	return text;
}

/* As annexd inherits it from a parent that does not want to wait for its own children. */
static void
test_an_end_is_seen_although_sigchld_was_ignored(void **state)
{
	struct bench *b = *state;
	struct child child;

	signal(SIGCHLD, SIG_IGN);
	run_script(b, &child, "exit 7", -1);
	assert_true(WIFEXITED(child.status));
	assert_int_equal(WEXITSTATUS(child.status), 7);
	signal(SIGCHLD, SIG_DFL);
}

static void
test_an_end_is_reported_with_its_status(void **state)
{
	struct bench *b = *state;
	struct child child;

	run_script(b, &child, "exit 7", -1);
	assert_true(WIFEXITED(child.status));
	assert_string_equal(process_end_text(child.status, b->pool), "exit status 7");
	assert_int_equal(child.process.pid, 0);
	run_script(b, &child, "kill -SEGV $$", -1);
	assert_string_equal(
	    process_end_text(child.status, b->pool), "signal 11 (Segmentation fault)");
}

static void
test_a_child_has_the_planned_descriptors_and_no_other(void **state)
{
	struct bench *b = *state;
	int leak = open("/dev/null", O_RDONLY), ends[2];
	struct child child;
	char text[8] = "";

	assert_int_equal(pipe(ends), 0);
	assert_string_equal(
	    run_script(b, &child,
		"echo three >&3; for n in $(seq 0 40); do [ -e /proc/$$/fd/$n ] && echo $n; done; :",
		ends[1]),
	    "0\n1\n2\n3\n");
	assert_int_equal(read(ends[0], text, 6), 6);
	assert_string_equal(text, "three\n");
	close(ends[0]);
	close(ends[1]);
	close(leak);
}

static void
test_descriptors_may_change_places(void **state)
{
	struct bench *b = *state;
	const char *const argv[] = { "sh", "-c", "echo a >&3; echo b >&4", NULL };
	struct process_plan plan = { .path = "/bin/sh", .argv = argv, .fd_count = 5 };
	struct child child = { .ended = false };
	char one[4] = "", two[4] = "";
	int first[2], second[2];

	assert_int_equal(pipe(first), 0);
	assert_int_equal(pipe(second), 0);
	/* Whatever numbers they have here: each is wanted where the other may be. */
	assert_int_equal(dup2(first[1], 104), 104);
	assert_int_equal(dup2(second[1], 103), 103);
	plan.fds[0] = plan.fds[1] = -1;
	plan.fds[2] = STDERR_FILENO;
	plan.fds[3] = 104;
	plan.fds[4] = 103;
	assert_int_equal(
	    process_start(&child.process, b->setup.reactor, &plan, child_ended), ANNEX_OK);
	AWAIT(b, child.ended);
	assert_int_equal(read(first[0], one, 2), 2);
	assert_int_equal(read(second[0], two, 2), 2);
	assert_string_equal(one, "a\n");
	assert_string_equal(two, "b\n");
	close(103);
	close(104);
	close(first[0]);
	close(first[1]);
	close(second[0]);
	close(second[1]);
}

static void
test_a_child_has_a_group_of_its_own_and_no_blocked_signals(void **state)
{
	struct bench *b = *state;
	struct child child;
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGPIPE, SIG_IGN);
	/* Read by the shell itself: while it waits for another program it blocks some.
	 * 32 and 33 are the C library's own: what make starts finds them ignored. */
	assert_string_equal(
	    run_script(b, &child,
		"read pid comm state ppid pgrp rest </proc/$$/stat; [ $pgrp = $$ ] && echo own; "
		"while read key value; do case $key in Sig[BI]*) "
		"[ $value != 0000000180000000 ] || value=0000000000000000; "
		"echo $key $value; esac; "
		"done </proc/$$/status",
		-1),
	    "own\nSigBlk: 0000000000000000\nSigIgn: 0000000000000000\n");
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
}

static void
test_what_cannot_be_executed_ends_with_127(void **state)
{
	const char *const argv[] = { "nothing", NULL };
	const struct process_plan plan = {
		.path = "/nonexistent/nothing", .argv = argv, .fds = { -1, -1, -1 }, .fd_count = 3
	};
	struct bench *b = *state;
	struct child child = { .ended = false };

	assert_int_equal(
	    process_start(&child.process, b->setup.reactor, &plan, child_ended), ANNEX_OK);
	AWAIT(b, child.ended);
	assert_string_equal(process_end_text(child.status, b->pool), "exit status 127");
}

static void
test_destroying_kills_without_a_word(void **state)
{
	const char *const argv[] = { "sleep", "1000", NULL };
	const struct process_plan plan = {
		.path = "/bin/sleep", .argv = argv, .fds = { -1, -1, -1 }, .fd_count = 3
	};
	struct bench *b = *state;
	struct child child = { .ended = false };
	pid_t pid;

	assert_int_equal(
	    process_start(&child.process, b->setup.reactor, &plan, child_ended), ANNEX_OK);
	pid = child.process.pid;
	process_destroy(&child.process);
	assert_false(child.ended);
	assert_int_equal(kill(pid, 0), -1);
	process_destroy(&child.process);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_an_end_is_reported_with_its_status),
		CASE(test_an_end_is_seen_although_sigchld_was_ignored),
		CASE(test_a_child_has_the_planned_descriptors_and_no_other),
		CASE(test_descriptors_may_change_places),
		CASE(test_a_child_has_a_group_of_its_own_and_no_blocked_signals),
		CASE(test_what_cannot_be_executed_ends_with_127),
		CASE(test_destroying_kills_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
