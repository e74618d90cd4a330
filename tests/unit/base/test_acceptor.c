/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_acceptor.c - connections let in, one at a time
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <annex/list.h>

#include "base/acceptor.h"
#include "base/alloc.h"

struct door {
	struct acceptor acceptor;
	struct reactor *reactor;
	struct clock clock;
	struct timers timers;
	struct log *log;
	struct sockaddr_un address; /* in the abstract namespace: chosen by the kernel */
	socklen_t address_len;
	unsigned came, lines;
};

static void
stand_still(struct clock *clock)
{
}

static void
count(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
	((struct door *)cookie)->lines++;
}

static void
take(struct acceptor *acceptor, int fd)
{
	annex_container_of(acceptor, struct door, acceptor)->came++;
	close(fd);
}

static int
setup(void **state)
{
	struct door *d = mem_zalloc(sizeof(*d));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*state = d;
	d->clock.read = stand_still;
	d->clock.mono_us = 1000000;
	timers_init(&d->timers, &d->clock);
	d->log = log_create("test", &d->clock, count, d);
	d->reactor = poll_reactor_create();
	d->address.sun_family = AF_UNIX;
	assert_int_equal(bind(fd, (struct sockaddr *)&d->address, sizeof(sa_family_t)), 0);
	d->address_len = sizeof(d->address);
	getsockname(fd, (struct sockaddr *)&d->address, &d->address_len);
	assert_int_equal(listen(fd, 8), 0);
	acceptor_start(&d->acceptor, d->reactor, &d->timers, d->log, fd, take);
	return 0;
}

static int
teardown(void **state)
{
	struct door *d = *state;

	acceptor_stop(&d->acceptor);
	poll_reactor_destroy(&d->reactor);
	timers_finish(&d->timers);
	log_destroy(&d->log);
	free(d);
	return 0;
}

static int
knock(const struct door *d)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&d->address, d->address_len), 0);
	return fd;
}

static void
pass(struct door *d, int64_t ms)
{
	d->clock.mono_us += ms * 1000;
	timers_run(&d->timers, 10);
}

static void
who_knocks_is_let_in_but_in_a_pause(void **state)
{
	struct door *d = *state;
	int fd = knock(d);

	acceptor_pause(&d->acceptor, true);
	assert_int_equal(poll_reactor_run(d->reactor, 0), 0);
	acceptor_pause(&d->acceptor, false);
	assert_int_equal(poll_reactor_run(d->reactor, 0), 1);
	assert_int_equal(d->came, 1);
	assert_int_equal(poll_reactor_run(d->reactor, 0), 0);
	close(fd);
}

/* No further descriptor may be opened until the limit that is returned holds again. */
static struct rlimit
use_up_descriptors(void)
{
	struct rlimit old, low;
	int next = dup(STDERR_FILENO);

	close(next);
	getrlimit(RLIMIT_NOFILE, &old);
	low = (struct rlimit) { (rlim_t)next, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	return old;
}

static void
without_a_descriptor_it_rests_and_says_so_once(void **state)
{
	struct door *d = *state;
	struct rlimit old;
	int fd = knock(d);

	old = use_up_descriptors();
	assert_int_equal(poll_reactor_run(d->reactor, 0), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(poll_reactor_run(d->reactor, 0), 0); /* not asked again at once */
		acceptor_pause(&d->acceptor, false);
		assert_int_equal(poll_reactor_run(d->reactor, 0), 0);
		pass(d, 1000);
		assert_int_equal(poll_reactor_run(d->reactor, 0), 1);
	}
	assert_int_equal(d->came, 0);
	assert_int_equal(d->lines, 1);
	setrlimit(RLIMIT_NOFILE, &old);
	pass(d, 1000);
	assert_int_equal(poll_reactor_run(d->reactor, 0), 1);
	assert_int_equal(d->came, 1);
	close(fd);
}

/* Above all it closes no descriptor, of which 0 is one. */
static void
one_that_was_never_started_has_nothing_to_stop(void **state)
{
	struct acceptor never = { 0 };

	(void)state;
	assert_int_equal(dup2(STDERR_FILENO, STDIN_FILENO), STDIN_FILENO);
	acceptor_stop(&never);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    who_knocks_is_let_in_but_in_a_pause, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    without_a_descriptor_it_rests_and_says_so_once, setup, teardown),
		cmocka_unit_test(one_that_was_never_started_has_nothing_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
