/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_socket.c - a stream on TCP and Unix sockets
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ground.h"
#include "stream/resolve.h"

static int
setup(void **state)
{
	*state = ground_create();
	return 0;
}

static int
teardown(void **state)
{
	ground_destroy(*state);
	return 0;
}

/* A port at which nobody listens. */
static uint16_t
closed_port(void)
{
	struct server nobody;
	uint16_t port;

	assert_true(server_listen(&nobody, AF_INET));
	port = nobody.port;
	server_finish(&nobody);
	return port;
}

static void
attaches_over_ipv4(void **state)
{
	struct ground *ground = *state;

	assert_true(server_listen(&ground->server, AF_INET));
	ground->hosts[0] = server_host(&ground->server, "127.0.0.1");
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
	assert_int_equal(ground->ups, 1);
}

/* The descriptor of ours that is connected to the server, or -1. */
static int
find_socket(const struct server *server)
{
	struct sockaddr_in peer;

	for (int fd = 3; fd < 256; fd++) {
		socklen_t len = sizeof(peer);

		if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
		    peer.sin_family == AF_INET && ntohs(peer.sin_port) == server->port)
			return fd;
	}
	return -1;
}

static int
option_of(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
a_tcp_connection_waits_for_nothing_and_finds_out_that_it_is_dead(void **state)
{
	struct ground *ground = *state;
	int fd;

	assert_true(server_listen(&ground->server, AF_INET));
	ground->hosts[0] = server_host(&ground->server, "127.0.0.1");
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
	fd = find_socket(&ground->server);
	assert_true(fd >= 0);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
}

static void
attaches_over_ipv6(void **state)
{
	struct ground *ground = *state;

	if (!server_listen(&ground->server, AF_INET6))
		skip();
	ground->hosts[0] = server_host(&ground->server, "::1");
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
}

static void
attaches_over_a_unix_socket(void **state)
{
	struct ground *ground = *state;

	assert_true(server_listen(&ground->server, AF_UNIX));
	ground->hosts[0] = server_host(&ground->server, NULL);
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
}

static void
attaches_by_name_whatever_addresses_it_has(void **state)
{
	struct ground *ground = *state;

	assert_true(server_listen(&ground->server, AF_INET));
	/* localhost may be ::1 first, where nobody listens. */
	ground->hosts[0] = server_host(&ground->server, "localhost");
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
}

static void
fails_over_to_the_second_host_and_the_third(void **state)
{
	struct ground *ground = *state;

	assert_true(server_listen(&ground->server, AF_INET));
	ground->hosts[0] = (struct stream_host) { "127.0.0.1", closed_port(), NULL };
	ground->hosts[1] = (struct stream_host) { NULL, 0, "/nonexistent/socket" };
	ground->hosts[2] = server_host(&ground->server, "127.0.0.1");
	ground->config.host_count = 3;
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
}

static void
says_who_refused_and_comes_when_he_is_back(void **state)
{
	struct ground *ground = *state;
	struct server *server = &ground->server;

	assert_true(server_listen(server, AF_UNIX));
	ground->hosts[0] = server_host(server, NULL);
	close(server->listener);
	server->listener = -1;
	ground_start(ground);
	ground_until(ground, stream_last_trouble(ground->stream) != NULL);
	assert_non_null(strstr(stream_last_trouble(ground->stream), server->path));
	assert_non_null(strstr(stream_last_trouble(ground->stream), "Connection refused"));
	server_finish(server);
	assert_true(server_listen(server, AF_UNIX));
	ground_until(ground, stream_is_up(ground->stream));
}

static void
comes_back_when_the_server_goes_and_returns(void **state)
{
	struct ground *ground = *state;

	assert_true(server_listen(&ground->server, AF_INET));
	ground->hosts[0] = server_host(&ground->server, "127.0.0.1");
	ground_start(ground);
	for (unsigned i = 1; i <= 3; i++) {
		ground_until(ground, ground->ups == i && ground->server.is_shaken);
		server_drop_peer(&ground->server);
		ground_until(ground, ground->downs == i);
	}
}

static void
a_server_that_closes_at_once_is_tried_again(void **state)
{
	struct ground *ground = *state;

	assert_true(server_listen(&ground->server, AF_INET));
	ground->server.is_rude = true;
	ground->hosts[0] = server_host(&ground->server, "127.0.0.1");
	ground_start(ground);
	ground_until(ground, ground->server.accepted >= 2);
	ground->server.is_rude = false;
	ground_until(ground, stream_is_up(ground->stream));
}

static void
a_name_that_is_none_is_told(void **state)
{
	struct ground *ground = *state;

	ground->hosts[0] = (struct stream_host) { "not a name", 5347, NULL };
	ground_start(ground);
	ground_until(ground, stream_last_trouble(ground->stream) != NULL);
	assert_int_equal(strncmp(stream_last_trouble(ground->stream), "not a name: ", 12), 0);
}

static void
a_path_that_is_too_long_is_told(void **state)
{
	struct ground *ground = *state;
	char path[300];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ground->hosts[0] = (struct stream_host) { NULL, 0, path };
	ground_start(ground);
	assert_non_null(strstr(stream_last_trouble(ground->stream), "too long"));
}

static void
closing_in_the_middle_of_anything_leaves_nothing(void **state)
{
	struct ground *ground = *state;

	/* While the name is being resolved: the thread may end after us. */
	ground->hosts[0] = (struct stream_host) { "localhost", closed_port(), NULL };
	ground_start(ground);
	ground_step(ground);
	stream_destroy(&ground->stream);
	/* While the connection is being made. */
	assert_true(server_listen(&ground->server, AF_INET));
	ground->server.is_mute = true;
	ground->hosts[0] = server_host(&ground->server, "127.0.0.1");
	ground_start(ground);
	timers_run(&ground->timers, 1);
	stream_destroy(&ground->stream);
	ground_start(ground);
	ground_until(ground, strcmp(stream_state_name(ground->stream), "opening") == 0);
	stream_close(ground->stream, 100);
	ground_until(ground, ground->closed == 1);
}

/* More than a socket takes at once: it fills up, and has room again. */
static void
four_megabytes(struct ground *ground, int family, const char *name)
{
	char text[1001];

	assert_true(server_listen(&ground->server, family));
	ground->server.echoes = true;
	ground->config.fence_check_ms = 0;
	ground->hosts[0] = server_host(&ground->server, name);
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
	memset(text, 'x', sizeof(text));
	memcpy(text, "<message>", 9);
	memcpy(text + 990, "</message>", 10);
	for (int i = 0; i < 4000; i++)
		stream_queue(ground->stream, NULL, STREAM_MESSAGE, text, 1000);
	ground_until(ground, ground->stanzas == 4000);
	assert_int_equal(ground->bytes, 4000 * 1000);
	assert_int_equal(stream_queued_stanzas(ground->stream), 0);
}

static void
four_megabytes_go_out_and_come_back(void **state)
{
	four_megabytes(*state, AF_INET, "127.0.0.1");
}

static void
four_megabytes_go_out_and_come_back_over_a_unix_socket(void **state)
{
	four_megabytes(*state, AF_UNIX, NULL);
}

static void
closing_says_goodbye(void **state)
{
	struct ground *ground = *state;

	assert_true(server_listen(&ground->server, AF_INET));
	ground->server.echoes = true;
	ground->config.fence_check_ms = 0;
	ground->hosts[0] = server_host(&ground->server, "127.0.0.1");
	ground_start(ground);
	ground_until(ground, stream_is_up(ground->stream));
	stream_queue(ground->stream, NULL, STREAM_MESSAGE, "<message/>", 10);
	stream_close(ground->stream, 10000);
	/* The echo of our end is the server's end. */
	ground_until(ground, ground->closed == 1);
	assert_int_equal(ground->server.received, strlen("<message/></stream:stream>"));
	assert_int_equal(ground->stanzas, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(attaches_over_ipv4),
		T(a_tcp_connection_waits_for_nothing_and_finds_out_that_it_is_dead),
		T(attaches_over_ipv6),
		T(attaches_over_a_unix_socket),
		T(attaches_by_name_whatever_addresses_it_has),
		T(fails_over_to_the_second_host_and_the_third),
		T(says_who_refused_and_comes_when_he_is_back),
		T(comes_back_when_the_server_goes_and_returns),
		T(a_server_that_closes_at_once_is_tried_again),
		T(a_name_that_is_none_is_told),
		T(a_path_that_is_too_long_is_told),
		T(closing_in_the_middle_of_anything_leaves_nothing),
		T(four_megabytes_go_out_and_come_back),
		T(four_megabytes_go_out_and_come_back_over_a_unix_socket),
		T(closing_says_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
