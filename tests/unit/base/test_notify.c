/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_notify.c - telling the service manager how things stand
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/notify.h"

static int
listen_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, name, len);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	else
		len++;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
	    0);
	return fd;
}

static void
assert_heard(int fd, const char *want)
{
	char got[128];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, want);
}

static void
one_datagram_arrives_at_a_path(void **state)
{
	char dir[] = "/tmp/test_notify.XXXXXX", path[64];
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	fd = listen_at(path);
	assert_int_equal(notify_send(path, "READY=1\nSTATUS=fine"), ANNEX_OK);
	assert_heard(fd, "READY=1\nSTATUS=fine");
	close(fd);
	unlink(path);
	assert_int_equal(notify_send(path, "STOPPING=1"), ANNEX_ENOENT);
	rmdir(dir);
}

static void
one_datagram_arrives_at_an_abstract_name(void **state)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "@annex/test/%ld", (long)getpid());
	fd = listen_at(name);
	assert_int_equal(notify_send(name, "WATCHDOG=1"), ANNEX_OK);
	assert_heard(fd, "WATCHDOG=1");
	close(fd);
	assert_int_equal(notify_send(name, "WATCHDOG=1"), ANNEX_EIO);
	assert_int_equal(errno, ECONNREFUSED);
}

static void
a_manager_that_does_not_read_never_blocks_us(void **state)
{
	char name[64];
	int fd, r = ANNEX_OK;

	snprintf(name, sizeof(name), "@annex/test/full/%ld", (long)getpid());
	fd = listen_at(name);
	for (int i = 0; i < 100000 && r == ANNEX_OK; i++)
		r = notify_send(name, "WATCHDOG=1");
	assert_int_equal(r, ANNEX_EIO);
	assert_int_equal(errno, EAGAIN);
	close(fd);
}

static void
without_a_manager_nothing_is_said(void **state)
{
	assert_int_equal(notify_send(NULL, "READY=1"), ANNEX_OK);
	assert_int_equal(notify_send("", "READY=1"), ANNEX_OK);
}

static void
a_name_that_is_no_socket_is_refused(void **state)
{
	char name[256];

	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(notify_send(name, "READY=1"), ANNEX_EINVAL);
	assert_int_equal(notify_send("relative", "READY=1"), ANNEX_EINVAL);
	assert_int_equal(notify_send("@", "READY=1"), ANNEX_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_datagram_arrives_at_a_path),
		cmocka_unit_test(one_datagram_arrives_at_an_abstract_name),
		cmocka_unit_test(a_manager_that_does_not_read_never_blocks_us),
		cmocka_unit_test(without_a_manager_nothing_is_said),
		cmocka_unit_test(a_name_that_is_no_socket_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
