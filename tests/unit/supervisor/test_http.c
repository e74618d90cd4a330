/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_http.c - GET /metrics, and no more of HTTP than that
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "supervisor/http.h"

struct bench {
	struct annex_pool *pool;
	struct clock clock;
	struct loop *loop;
	struct log *log;
	struct http_server *server;
	int rendered;
};

static void
stand_still(struct clock *clock)
{
}

static void
render(void *cookie, struct buf *out)
{
	struct bench *b = cookie;

	b->rendered++;
	buf_puts(out, "annex_x 1\n");
}

static int
setup(void **state)
{
	struct bench *b = mem_zalloc(sizeof(*b));
	const char *why = NULL;

	*state = b;
	b->pool = annex_pool_create(NULL, "test");
	b->clock.read = stand_still;
	b->loop = loop_create(&b->clock);
	b->log = log_create("test", &b->clock, NULL, NULL);
	b->server = http_listen("127.0.0.1:0", loop_reactor(b->loop), loop_timers(b->loop), b->log,
	    render, b, b->pool, &why);
	assert_non_null(b->server);
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	http_close(&b->server);
	loop_destroy(&b->loop);
	log_destroy(&b->log);
	annex_pool_destroy(&b->pool);
	free(b);
	return 0;
}

static void
turn(struct bench *b)
{
	for (int i = 0; i < 20; i++)
		loop_run_once(b->loop, 0);
}

static int
dial(struct bench *b)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)http_port(b->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* What comes back, to the end of the connection ("EOF" behind it) or of patience. */
static const char *
hear(struct bench *b, int fd)
{
	char *text = annex_pool_zalloc(b->pool, 8192);
	size_t len = 0;
	ssize_t n = -1;

	for (int i = 0; i < 50 && n != 0; i++) {
		turn(b);
		n = recv(fd, text + len, 8000 - len, MSG_DONTWAIT);
		len += n > 0 ? (size_t)n : 0;
	}
	strcpy(text + len, n == 0 ? "EOF" : "");
	return text;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
test_metrics_are_answered_and_the_connection_ends(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);
	const char *text;

	say(fd, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
	text = hear(b, fd);
	assert_memory_equal(text, "HTTP/1.0 200 OK\r\n", 17);
	assert_non_null(
	    strstr(text, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(text, "\r\nContent-Length: 10\r\n"));
	assert_non_null(strstr(text, "\r\n\r\nannex_x 1\nEOF"));
	close(fd);
}

static void
test_a_request_that_comes_in_bytes_is_answered_once(void **state)
{
	static const char text[] = "GET /metrics?x=1 HTTP/1.0\n\n";
	struct bench *b = *state;
	int fd = dial(b);

	for (const char *at = text; *at != '\0'; at++) {
		assert_int_equal(b->rendered, 0);
		assert_int_equal(write(fd, at, 1), 1);
		turn(b);
	}
	assert_int_equal(b->rendered, 1);
	close(fd);
}

static void
test_other_requests_are_refused_by_name(void **state)
{
	static const struct {
		const char *request, *status;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "404" },
		{ "GET /metricsx HTTP/1.1\r\n\r\n", "404" },
		{ "GET /../etc/passwd HTTP/1.1\r\n\r\n", "404" },
		{ "POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", "405" },
		{ "HEAD /metrics HTTP/1.1\r\n\r\n", "405" },
		{ "get /metrics HTTP/1.1\r\n\r\n", "405" },
		{ "GET /metrics\r\n\r\n", "400" },
		{ "GET /metrics HTTP/2.0\r\n\r\n", "400" },
		{ "\r\n\r\n", "400" },
		{ "GET  /metrics HTTP/1.1\r\n\r\n", "400" },
		{ "\x16\x03\x01\n\n", "400" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = dial(b);
		const char *text;

		say(fd, cases[i].request);
		text = hear(b, fd);
		if (strncmp(text, "HTTP/1.0 ", 9) != 0 ||
		    strncmp(text + 9, cases[i].status, 3) != 0)
			fail_msg("%s answered %s", cases[i].request, text);
		assert_non_null(strstr(text, "EOF"));
		close(fd);
	}
	assert_int_equal(b->rendered, 0);
}

static void
test_a_wrong_method_is_told_the_right_one(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "DELETE /metrics HTTP/1.1\r\n\r\n");
	assert_non_null(strstr(hear(b, fd), "\r\nAllow: GET\r\n"));
	close(fd);
}

static void
test_a_head_beyond_4_kib_is_refused(void **state)
{
	struct bench *b = *state;
	char line[128];
	int fd = dial(b);

	memset(line, 'x', sizeof(line));
	say(fd, "GET /metrics HTTP/1.1\r\n");
	for (int i = 0; i < 40; i++)
		if (send(fd, line, sizeof(line), MSG_NOSIGNAL) < 0)
			break;
	assert_memory_equal(hear(b, fd), "HTTP/1.0 431 ", 13);
	close(fd);
}

static void
test_who_says_nothing_is_dropped_after_ten_seconds(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "GET /met");
	turn(b);
	b->clock.mono_us += 9999000;
	assert_string_equal(hear(b, fd), "");
	b->clock.mono_us += 1000;
	assert_string_equal(hear(b, fd), "EOF");
	close(fd);
}

static void
test_a_seventeenth_connection_waits_for_a_place(void **state)
{
	struct bench *b = *state;
	int fd[17];

	for (int i = 0; i < 17; i++)
		fd[i] = dial(b);
	turn(b);
	say(fd[16], "GET /metrics HTTP/1.1\r\n\r\n");
	assert_string_equal(hear(b, fd[16]), "");
	close(fd[3]);
	assert_memory_equal(hear(b, fd[16]), "HTTP/1.0 200 ", 13);
	for (int i = 0; i < 17; i++)
		if (i != 3)
			close(fd[i]);
}

static void
test_only_loopback_addresses_are_listened_on(void **state)
{
	static const char *const bad[] = { "0.0.0.0:9100", "192.0.2.1:9100", "[::]:9100", "9100",
		":9100", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
		"127.0.0.1:-1", "example.org:9100", "[::1:9100", "[]:1", "" };
	struct bench *b = *state;
	const char *why;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		assert_null(http_listen(bad[i], loop_reactor(b->loop), loop_timers(b->loop), b->log,
		    render, b, b->pool, &why));
		assert_non_null(strstr(why, "is not a loopback address and a port"));
	}
}

static void
test_a_port_in_use_is_said(void **state)
{
	struct bench *b = *state;
	const char *why = NULL;
	char *address = annex_sprintf(b->pool, "localhost:%u", http_port(b->server));

	assert_null(http_listen(address, loop_reactor(b->loop), loop_timers(b->loop), b->log,
	    render, b, b->pool, &why));
	assert_non_null(strstr(why, "Address already in use"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_metrics_are_answered_and_the_connection_ends),
		CASE(test_a_request_that_comes_in_bytes_is_answered_once),
		CASE(test_other_requests_are_refused_by_name),
		CASE(test_a_wrong_method_is_told_the_right_one),
		CASE(test_a_head_beyond_4_kib_is_refused),
		CASE(test_who_says_nothing_is_dropped_after_ten_seconds),
		CASE(test_a_seventeenth_connection_waits_for_a_place),
		CASE(test_only_loopback_addresses_are_listened_on),
		CASE(test_a_port_in_use_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
