/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_control.c - a server on a real socket, and clients of several kinds
 *
 * The server runs in the test's own loop; raw clients write and read bytes
 * between its turns, and control_call, which blocks, runs in a thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/loop.h"
#include "control/address.h"
#include "control/control.h"
#include "control/lines.h"

struct bench {
	struct annex_pool *pool;
	struct clock clock;
	struct loop *loop;
	struct log *log;
	struct buf logged;
	char dir[64], *path;
	struct control_server *server;
	struct control_request *held;
	int gone;
	size_t handled;
};

static void
log_to_buf(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
	buf_append(cookie, line, len);
}

static void
note_gone(void *cookie)
{
	struct bench *b = cookie;

	b->gone++;
	b->held = NULL;
}

static void
answer_fd(struct control_request *request)
{
	int fd = control_take_fd(request);
	ssize_t n;

	if (fd < 0) {
		control_fail(request, "no descriptor came along");
		return;
	}
	n = write(fd, "backup", 6);
	close(fd);
	control_done(request, json_pack("{s:i}", "wrote", (int)n));
}

static void
handle(void *cookie, struct control_request *request, const char *command, json_t *args)
{
	struct bench *b = cookie;

	b->handled++;
	if (strcmp(command, "echo") == 0) {
		control_done(request, json_deep_copy(args));
	} else if (strcmp(command, "whoami") == 0) {
		control_done(request, json_pack("{s:i}", "uid", (int)control_peer_uid(request)));
	} else if (strcmp(command, "count") == 0) {
		for (int i = 0; i < 3; i++)
			control_emit(request, json_integer(i));
		control_done(request, NULL);
	} else if (strcmp(command, "backup") == 0) {
		answer_fd(request);
	} else if (strcmp(command, "hold") == 0) {
		b->held = request;
	} else if (strcmp(command, "watch") == 0) {
		b->held = request;
		control_on_gone(request, note_gone, b);
	} else if (strcmp(command, "huge") == 0) {
		char *text = mem_alloc(LINES_MAX + 1);

		memset(text, 'x', LINES_MAX);
		text[LINES_MAX] = '\0';
		control_done(request, json_string(text));
		free(text);
	} else {
		control_fail(request, "no such command: %s", command);
	}
}

static void
listen_again(struct bench *b)
{
	const char *why = NULL;

	b->server = control_listen(
	    b->path, loop_reactor(b->loop), loop_timers(b->loop), b->log, handle, b, b->pool, &why);
	if (b->server == NULL)
		fail_msg("%s", why);
}

static int
setup(void **state)
{
	struct bench *b = mem_zalloc(sizeof(*b));

	*state = b;
	b->pool = annex_pool_create(NULL, "test");
	clock_init_system(&b->clock);
	b->loop = loop_create(&b->clock);
	b->log = log_create("test", &b->clock, log_to_buf, &b->logged);
	strcpy(b->dir, "/tmp/annex-control-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	b->path = annex_sprintf(b->pool, "%s/annexd.sock", b->dir);
	listen_again(b);
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	control_close(&b->server);
	unlink(b->path);
	assert_int_equal(rmdir(b->dir), 0);
	log_destroy(&b->log);
	buf_finish(&b->logged);
	loop_destroy(&b->loop);
	annex_pool_destroy(&b->pool);
	free(b);
	return 0;
}

static void
turn(struct bench *b)
{
	for (int i = 0; i < 8; i++)
		loop_run_once(b->loop, 0);
}

static int
dial(struct bench *b)
{
	struct sockaddr_un address;
	int fd;

	assert_int_equal(address_of_path(&address, b->path), ANNEX_OK);
	fd = address_connect(&address);
	assert_true(fd >= 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What has arrived by now; "EOF" behind it where the server closed. */
static const char *
hear(struct bench *b, int fd)
{
	static const size_t room = 65536;
	char *text = annex_pool_alloc(b->pool, room + 4);
	size_t len = 0;
	ssize_t n;

	turn(b);
	while ((n = recv(fd, text + len, room - len, MSG_DONTWAIT)) > 0)
		len += (size_t)n;
	strcpy(text + len, n == 0 ? "EOF" : "");
	return text;
}

static void
test_a_request_is_answered_in_one_line(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "{\"command\": \"echo\", \"args\": {\"a\": 1}}\n");
	assert_string_equal(hear(b, fd), "{\"done\":true,\"result\":{\"a\":1}}\n");
	close(fd);
}

static void
test_events_come_before_the_answer(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "{\"command\": \"count\"}\n");
	assert_string_equal(hear(b, fd),
	    "{\"event\":0}\n{\"event\":1}\n{\"event\":2}\n{\"done\":true,\"result\":{}}\n");
	close(fd);
}

static void
test_requests_of_one_client_are_served_one_after_the_other(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "{\"command\":\"hold\"}\n{\"command\":\"echo\"}\n{\"command\":\"whoami\"}\n");
	assert_string_equal(hear(b, fd), "");
	assert_int_equal(b->handled, 1);
	control_done(b->held, NULL);
	/* The next one is taken up by the loop, not from within control_done. */
	assert_int_equal(b->handled, 1);
	assert_string_equal(hear(b, fd),
	    annex_sprintf(b->pool,
		"{\"done\":true,\"result\":{}}\n{\"done\":true,\"result\":{}}\n"
		"{\"done\":true,\"result\":{\"uid\":%u}}\n",
		(unsigned)getuid()));
	close(fd);
}

static void
test_requests_cut_anywhere_are_understood(void **state)
{
	static const char text[] = "{\"command\":\"echo\"}\r\n\n{\"command\":\"echo\"}\n";
	struct bench *b = *state;
	int fd = dial(b);

	for (const char *at = text; *at != '\0'; at++) {
		assert_int_equal(write(fd, at, 1), 1);
		turn(b);
	}
	assert_string_equal(
	    hear(b, fd), "{\"done\":true,\"result\":{}}\n{\"done\":true,\"result\":{}}\n");
	close(fd);
}

static void
test_a_client_that_ended_its_input_is_still_answered(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "{\"command\":\"hold\"}\n{\"command\":\"echo\"}\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_string_equal(hear(b, fd), "");
	assert_false(control_is_gone(b->held));
	control_done(b->held, NULL);
	assert_string_equal(
	    hear(b, fd), "{\"done\":true,\"result\":{}}\n{\"done\":true,\"result\":{}}\nEOF");
	close(fd);
}

static void
test_what_is_no_request_gets_a_sentence_and_the_next_line_works(void **state)
{
	static const struct {
		const char *line, *error;
	} bad[] = {
		{ "[1]\n", "a request is an object" },
		{ "{}\n", "a request has a \\\"command\\\", a string" },
		{ "{\"command\":\"\"}\n", "a request has a \\\"command\\\", a string" },
		{ "{\"command\":7}\n", "a request has a \\\"command\\\", a string" },
		{ "{\"command\":\"x\",\"args\":[]}\n", "\\\"args\\\" is an object" },
		{ "{\"command\":\"x\",\"command\":\"y\"}\n", "not JSON: " },
		{ "{\"command\":\"\xff\"}\n", "not JSON: " },
		{ "nonsense\n", "not JSON: " },
		{ "{\"command\":\"nonsense\"}\n", "no such command: nonsense" },
	};
	struct bench *b = *state;
	int fd = dial(b);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *want =
		    annex_sprintf(b->pool, "{\"done\":true,\"error\":\"%s", bad[i].error);
		const char *got;

		say(fd, bad[i].line);
		got = hear(b, fd);
		if (strncmp(got, want, strlen(want)) != 0)
			fail_msg("%s answered %s", bad[i].line, got);
	}
	say(fd, "{\"command\":\"echo\"}\n");
	assert_string_equal(hear(b, fd), "{\"done\":true,\"result\":{}}\n");
	close(fd);
}

static void
test_an_endless_line_closes_the_connection(void **state)
{
	struct bench *b = *state;
	char chunk[16384];
	size_t sent = 0;
	int fd = dial(b);
	ssize_t n;

	memset(chunk, '[', sizeof(chunk));
	while (sent <= 2 * LINES_MAX) {
		n = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EPIPE)
			break;
		sent += n > 0 ? (size_t)n : 0;
		turn(b);
	}
	assert_true(sent <= LINES_MAX + 512 * 1024);
	close(fd);
}

static void
test_a_client_that_does_not_read_is_dropped(void **state)
{
	struct bench *b = *state;
	char *text = mem_alloc(100001);
	int fd = dial(b);

	memset(text, 'x', 100000);
	text[100000] = '\0';
	say(fd, "{\"command\":\"watch\"}\n");
	turn(b);
	for (int i = 0; i < 100 && b->gone == 0; i++) {
		assert_non_null(b->held);
		control_emit(b->held, json_string(text));
		turn(b);
	}
	assert_int_equal(b->gone, 1);
	close(fd);
	free(text);
}

static void
test_a_handler_is_told_that_its_client_left(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "{\"command\":\"watch\"}\n");
	turn(b);
	assert_non_null(b->held);
	close(fd);
	turn(b);
	assert_int_equal(b->gone, 1);
}

static void
test_an_answer_to_a_client_that_left_is_harmless(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "{\"command\":\"hold\"}\n");
	turn(b);
	close(fd);
	turn(b);
	assert_true(control_is_gone(b->held));
	control_emit(b->held, json_true());
	control_fail(b->held, "too late");
}

static void
test_an_answer_beyond_the_limit_is_an_error(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "{\"command\":\"huge\"}\n");
	assert_string_equal(
	    hear(b, fd), "{\"done\":true,\"error\":\"the answer is longer than 1 MiB\"}\n");
	close(fd);
}

static void
test_closing_fails_what_is_open_and_removes_the_socket(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);

	say(fd, "{\"command\":\"watch\"}\n");
	turn(b);
	control_close(&b->server);
	assert_int_equal(b->gone, 1);
	assert_string_equal(hear(b, fd), "{\"done\":true,\"error\":\"shutting down\"}\nEOF");
	assert_int_equal(access(b->path, F_OK), -1);
	close(fd);
}

static void
test_the_socket_is_for_its_user_and_group_whatever_the_umask(void **state)
{
	struct bench *b = *state;
	mode_t old;
	struct stat st;

	for (size_t i = 0; i < 2; i++) {
		control_close(&b->server);
		old = umask(i == 0 ? 0 : 0077);
		listen_again(b);
		umask(old);
		assert_int_equal(lstat(b->path, &st), 0);
		assert_true(S_ISSOCK(st.st_mode));
		assert_int_equal(st.st_mode & 0777, 0660);
	}
}

static void
test_a_dead_server_s_socket_is_replaced_and_a_living_one_s_is_not(void **state)
{
	struct bench *b = *state;
	struct control_server *second;
	struct sockaddr_un address;
	const char *why = NULL;
	int fd;

	second = control_listen(
	    b->path, loop_reactor(b->loop), loop_timers(b->loop), b->log, handle, b, b->pool, &why);
	assert_null(second);
	assert_non_null(strstr(why, "in use by a running process"));

	control_close(&b->server);
	assert_int_equal(address_of_path(&address, b->path), ANNEX_OK);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	listen_again(b);
	fd = dial(b);
	say(fd, "{\"command\":\"echo\"}\n");
	assert_string_equal(hear(b, fd), "{\"done\":true,\"result\":{}}\n");
	close(fd);
}

static void
test_what_is_no_socket_stays_in_the_way(void **state)
{
	struct bench *b = *state;
	const char *why = NULL;
	int fd;

	control_close(&b->server);
	fd = open(b->path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_null(control_listen(b->path, loop_reactor(b->loop), loop_timers(b->loop), b->log,
	    handle, b, b->pool, &why));
	assert_non_null(strstr(why, "is in the way and is no socket"));
	assert_int_equal(access(b->path, F_OK), 0);
}

static void
test_a_path_too_long_for_a_socket_is_said(void **state)
{
	struct bench *b = *state;
	const char *why = NULL;
	char *path = annex_sprintf(b->pool, "%s/%0120d", b->dir, 0);

	assert_null(control_listen(
	    path, loop_reactor(b->loop), loop_timers(b->loop), b->log, handle, b, b->pool, &why));
	assert_non_null(strstr(why, "choose a shorter run-dir"));
}

/* The blocking client, in a thread beside the server's loop. */

struct call {
	struct bench *bench;
	const char *command;
	json_t *args;
	int fd, timeout_ms;
	int events, events_max;
	struct annex_pool *pool;
	json_t *result;
	const char *why;
	bool done;
};

static bool
count_event(void *cookie, json_t *event)
{
	struct call *call = cookie;

	call->events++;
	return call->events_max == 0 || call->events < call->events_max;
}

static void *
call_thread(void *cookie)
{
	struct call *call = cookie;

	call->result = control_call(call->bench->path, call->command, call->args, call->fd,
	    call->timeout_ms, count_event, call, call->pool, &call->why);
	__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void
call_and_serve(struct call *call)
{
	pthread_t thread;

	call->pool = annex_pool_create(NULL, "call");
	assert_int_equal(pthread_create(&thread, NULL, call_thread, call), 0);
	while (!__atomic_load_n(&call->done, __ATOMIC_ACQUIRE))
		loop_run_once(call->bench->loop, 5);
	pthread_join(thread, NULL);
}

static void
call_finish(struct call *call)
{
	json_decref(call->result);
	json_decref(call->args);
	annex_pool_destroy(&call->pool);
}

static void
test_a_call_returns_the_result_and_the_events(void **state)
{
	struct call call = { *state, "count", NULL, -1, -1 };

	call_and_serve(&call);
	assert_int_equal(call.events, 3);
	assert_true(json_is_object(call.result));
	call_finish(&call);
}

static void
test_a_call_ends_when_the_caller_has_seen_enough(void **state)
{
	struct call call = { *state, "count", NULL, -1, -1, .events_max = 2 };

	call_and_serve(&call);
	assert_int_equal(call.events, 2);
	assert_non_null(call.result);
	call_finish(&call);
}

static void
test_a_call_passes_a_descriptor(void **state)
{
	struct call call = { *state, "backup", NULL, -1, -1 };
	char text[8] = "";
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	call.fd = ends[1];
	call_and_serve(&call);
	assert_int_equal(json_integer_value(json_object_get(call.result, "wrote")), 6);
	assert_int_equal(read(ends[0], text, 6), 6);
	assert_string_equal(text, "backup");
	close(ends[0]);
	close(ends[1]);
	call_finish(&call);
}

static void
test_a_call_says_what_the_server_refused(void **state)
{
	struct call call = { *state, "nonsense", NULL, -1, -1 };

	call_and_serve(&call);
	assert_null(call.result);
	assert_string_equal(call.why, "no such command: nonsense");
	call_finish(&call);
}

static void
test_a_call_gives_up_after_its_time(void **state)
{
	struct bench *b = *state;
	struct call call = { b, "hold", NULL, -1, 10 };

	call_and_serve(&call);
	assert_null(call.result);
	assert_non_null(strstr(call.why, "no answer from"));
	call_finish(&call);
	control_done(b->held, NULL);
}

static void
test_a_call_without_a_server_says_which_socket(void **state)
{
	struct bench *b = *state;
	const char *why = NULL;

	control_close(&b->server);
	assert_null(control_call(b->path, "echo", NULL, -1, -1, NULL, NULL, b->pool, &why));
	assert_non_null(strstr(why, b->path));
	assert_non_null(strstr(why, "is it running?"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_request_is_answered_in_one_line),
		CASE(test_events_come_before_the_answer),
		CASE(test_requests_of_one_client_are_served_one_after_the_other),
		CASE(test_requests_cut_anywhere_are_understood),
		CASE(test_a_client_that_ended_its_input_is_still_answered),
		CASE(test_what_is_no_request_gets_a_sentence_and_the_next_line_works),
		CASE(test_an_endless_line_closes_the_connection),
		CASE(test_a_client_that_does_not_read_is_dropped),
		CASE(test_a_handler_is_told_that_its_client_left),
		CASE(test_an_answer_to_a_client_that_left_is_harmless),
		CASE(test_an_answer_beyond_the_limit_is_an_error),
		CASE(test_closing_fails_what_is_open_and_removes_the_socket),
		CASE(test_the_socket_is_for_its_user_and_group_whatever_the_umask),
		CASE(test_a_dead_server_s_socket_is_replaced_and_a_living_one_s_is_not),
		CASE(test_what_is_no_socket_stays_in_the_way),
		CASE(test_a_path_too_long_for_a_socket_is_said),
		CASE(test_a_call_returns_the_result_and_the_events),
		CASE(test_a_call_ends_when_the_caller_has_seen_enough),
		CASE(test_a_call_passes_a_descriptor),
		CASE(test_a_call_says_what_the_server_refused),
		CASE(test_a_call_gives_up_after_its_time),
		CASE(test_a_call_without_a_server_says_which_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
