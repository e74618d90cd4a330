/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_io.c - descriptors and files, read and written whole
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"

struct place {
	char dir[64], file[80];
};

static int
setup(void **state)
{
	struct place *p = test_malloc(sizeof(*p));

	strcpy(p->dir, "/tmp/test_io.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->file, sizeof(p->file), "%s/file", p->dir);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	unlink(p->file);
	assert_int_equal(rmdir(p->dir), 0); /* nothing may be left over */
	test_free(p);
	return 0;
}

static void
a_file_is_replaced_whole_and_read_back(void **state)
{
	struct place *p = *state;
	struct buf b = { 0 };
	struct stat st;

	assert_int_equal(io_write_file_atomic(p->file, "old", 3, 0600), ANNEX_OK);
	assert_int_equal(io_write_file_atomic(p->file, "newer", 5, 0640), ANNEX_OK);
	assert_int_equal(io_read_file(p->file, 5, &b), ANNEX_OK);
	assert_string_equal(buf_text(&b), "newer");
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	buf_finish(&b);
}

static void
a_failed_replacement_leaves_nothing_behind(void **state)
{
	struct place *p = *state;
	char below[128];

	snprintf(below, sizeof(below), "%s/none/file", p->dir);
	errno = 0;
	assert_int_equal(io_write_file_atomic(below, "x", 1, 0600), ANNEX_ENOENT);
	assert_int_equal(errno, ENOENT);
	/* A directory cannot be replaced by a file. */
	assert_int_equal(mkdir(p->file, 0700), 0);
	assert_true(io_write_file_atomic(p->file, "x", 1, 0600) < 0);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(rmdir(p->file), 0);
}

static void
a_file_beyond_its_limit_is_refused(void **state)
{
	struct place *p = *state;
	struct buf b = { 0 };
	char *bytes = calloc(1, 100000);

	assert_int_equal(io_write_file_atomic(p->file, bytes, 100000, 0600), ANNEX_OK);
	assert_int_equal(io_read_file(p->file, 99999, &b), ANNEX_ELIMIT);
	buf_clear(&b);
	assert_int_equal(io_read_file(p->file, 100000, &b), ANNEX_OK);
	assert_int_equal(b.len, 100000);
	buf_finish(&b);
	assert_int_equal(io_read_file(p->dir, 10, &b), ANNEX_EIO);
	assert_int_equal(errno, EISDIR);
	free(bytes);
}

static void
a_file_that_is_not_there_is_no_such_thing(void **state)
{
	struct place *p = *state;
	struct buf b = { 0 };

	assert_int_equal(io_read_file(p->file, 10, &b), ANNEX_ENOENT);
	assert_int_equal(b.len, 0);
	buf_finish(&b);
}

/*
 * The alarm interrupts a call that waits, and moves the other end of the
 * pipe only every third time, so that waiting was interrupted before.  A
 * handler has nowhere else to find its pipe.
 */
static volatile struct {
	int fd, rung;
	bool reads;
} other_end;

static void
ring(int number)
{
	static char bytes[5000];
	ssize_t n;

	if (++other_end.rung % 3 != 0)
		return;
	if (other_end.reads)
		n = read(other_end.fd, bytes, sizeof(bytes));
	else
		n = write(other_end.fd, bytes, 10);
	if (n < 0 && errno != EAGAIN)
		_exit(1);
}

static void
start_alarm(int fd, bool reads)
{
	struct sigaction action = { .sa_handler = ring }; /* no SA_RESTART */
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };

	assert_int_equal(io_set_nonblocking(fd), ANNEX_OK);
	other_end.fd = fd;
	other_end.reads = reads;
	other_end.rung = 0;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void
stop_alarm(void)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };

	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_true(other_end.rung >= 3);
}

static void
reading_goes_on_after_an_interruption(void **state)
{
	char got[50];
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	start_alarm(fd[1], false);
	assert_int_equal(io_read_all(fd[0], got, sizeof(got)), sizeof(got));
	stop_alarm();
	close(fd[0]);
	close(fd[1]);
}

static void
writing_goes_on_after_an_interruption(void **state)
{
	static const char big[100000];
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	start_alarm(fd[0], true);
	assert_int_equal(io_write_all(fd[1], big, sizeof(big)), ANNEX_OK);
	stop_alarm();
	io_close(&fd[1]);
	assert_int_equal(fd[1], -1);
	close(fd[0]);
}

static void
a_broken_pipe_is_a_failure_with_its_reason(void **state)
{
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fd), 0);
	close(fd[0]);
	assert_int_equal(io_write_all(fd[1], "x", 1), ANNEX_EIO);
	assert_int_equal(errno, EPIPE);
	errno = ENOENT;
	io_close(&fd[1]);
	io_close(&fd[1]);
	assert_int_equal(errno, ENOENT);
}

static void
descriptor_flags_are_added_to_the_others(void **state)
{
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(io_set_nonblocking(fd[0]), ANNEX_OK);
	assert_int_equal(io_set_cloexec(fd[0]), ANNEX_OK);
	assert_true(fcntl(fd[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd[0], F_GETFD) & FD_CLOEXEC);
	assert_false(fcntl(fd[1], F_GETFD) & FD_CLOEXEC);
	close(fd[0]);
	close(fd[1]);
	assert_true(io_set_cloexec(fd[0]) < 0);
	assert_true(io_set_nonblocking(fd[0]) < 0);
}

static void
a_reason_has_its_kind(void **state)
{
	assert_int_equal(io_status(ENOSPC), ANNEX_EFULL);
	assert_int_equal(io_status(EDQUOT), ANNEX_EFULL);
	assert_int_equal(io_status(EACCES), ANNEX_EDENIED);
	assert_int_equal(io_status(EIO), ANNEX_EIO);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_file_is_replaced_whole_and_read_back),
		T(a_failed_replacement_leaves_nothing_behind),
		T(a_file_beyond_its_limit_is_refused),
		T(a_file_that_is_not_there_is_no_such_thing),
		cmocka_unit_test(reading_goes_on_after_an_interruption),
		cmocka_unit_test(writing_goes_on_after_an_interruption),
		cmocka_unit_test(a_broken_pipe_is_a_failure_with_its_reason),
		cmocka_unit_test(descriptor_flags_are_added_to_the_others),
		cmocka_unit_test(a_reason_has_its_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
