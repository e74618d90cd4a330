/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_socket.c - who comes to a component's sockets, and what they are told when
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <annex/socket.h>

#include "base/buf.h"
#include "base/io.h"
#include "fixture.h"

struct guest {
	struct annex_listener *listener;
	struct annex_peer *peer;
	struct buf text;
	bool came, said, left;
	bool refuse, fail;
	bool shut_on_came, shut_on_said, shut_on_left; /* close the listener in that event */
	const char *answer;
};

/* The peer is there until the event returns, but nobody hears what it is told. */
static void
shut(struct guest *g, struct annex_peer *peer)
{
	annex_listener_close(&g->listener);
	annex_peer_pause(peer, false);
	assert_int_equal(annex_peer_write(peer, "x", 1), ANNEX_EOFFLINE);
}

static void *
came(struct annex_instance *inst, struct annex_peer *peer, void *cookie)
{
	struct guest *g = cookie;

	assert_true(inst->entered);
	g->came = true;
	g->peer = peer;
	if (g->refuse)
		annex_peer_close(peer);
	if (g->shut_on_came)
		shut(g, peer);
	return g;
}

static void
said(struct annex_instance *inst, struct annex_peer *peer, const char *bytes, size_t len,
    void *cookie)
{
	struct guest *g = cookie;

	assert_true(inst->entered);
	buf_append(&g->text, bytes, len);
	g->said = true;
	if (g->answer != NULL)
		assert_int_equal(annex_peer_write(peer, g->answer, strlen(g->answer)), ANNEX_OK);
	if (g->shut_on_said)
		shut(g, peer);
	if (g->fail)
		annex_fail_turn(inst, "on purpose");
}

static void
left(struct annex_instance *inst, struct annex_peer *peer, void *cookie)
{
	struct guest *g = cookie;

	assert_true(inst->entered);
	if (peer != g->peer)
		return; /* one who only looked whether somebody is in */
	g->left = true;
	g->peer = NULL;
	if (g->shut_on_left)
		shut(g, peer);
}

static const struct annex_peer_events events = { came, said, left };
static const struct annex_place place = { .name = "door", .mode = 0600 };

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

static void
open_door(struct fixture *f, struct guest *g)
{
	const char *why = NULL;

	assert_true(instance_enter(&f->inst));
	g->listener = annex_listen(&f->inst, &place, &events, g, &why);
	assert_non_null(g->listener);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
}

static int
knock(struct fixture *f)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%.80s/" DOMAIN ".door.sock", f->dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* What has come by now: the other end writes in the turn that the test has just ended. */
static const char *
read_now(int fd, char *text, size_t size)
{
	ssize_t n = recv(fd, text, size - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return n < 0 ? "nothing" : n == 0 ? "the end" : text;
}

static void
one_is_heard_and_answered(void **state)
{
	struct fixture *f = *state;
	struct guest g = { .answer = "welcome" };
	char text[64];
	int fd;

	open_door(f, &g);
	fd = knock(f);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	fixture_wait(f, &g.said);
	assert_true(g.came);
	assert_string_equal(buf_text(&g.text), "hello");
	assert_int_equal(annex_peer_uid(g.peer), getuid());
	assert_string_equal(read_now(fd, text, sizeof(text)), "welcome");
	close(fd);
	fixture_wait(f, &g.left);
	buf_finish(&g.text);
}

static void
nothing_is_told_before_the_turn_is_durable(void **state)
{
	struct fixture *f = *state;
	struct guest g = { 0 };
	char text[64];
	int fd;

	open_door(f, &g);
	fd = knock(f);
	fixture_wait(f, &g.came);
	annex_peer_write(g.peer, "done", 4);
	assert_string_equal(read_now(fd, text, sizeof(text)), "nothing");
	assert_true(fixture_end(f));
	assert_string_equal(read_now(fd, text, sizeof(text)), "done");
	close(fd);
	fixture_wait(f, &g.left);
}

static void
a_turn_that_fails_tells_nobody_and_closes(void **state)
{
	struct fixture *f = *state;
	struct guest g = { .answer = "done", .fail = true };
	char text[64];
	int fd;

	open_door(f, &g);
	fd = knock(f);
	send(fd, "hello", 5, 0);
	fixture_wait(f, &g.said);
	assert_string_equal(read_now(fd, text, sizeof(text)), "the end");
	assert_false(g.left);
	close(fd);
	buf_finish(&g.text);
}

static void
the_door_has_the_mode_that_was_asked_for_and_goes(void **state)
{
	struct fixture *f = *state;
	struct guest g = { 0 };
	char path[200];
	struct stat st;

	open_door(f, &g);
	snprintf(path, sizeof(path), "%s/" DOMAIN ".door.sock", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	annex_listener_close(&g.listener);
	assert_int_equal(stat(path, &st), -1);
}

static void
one_door_is_enough_but_a_dead_one_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct guest g = { 0 };
	const char *why = NULL;
	int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	snprintf(a.sun_path, sizeof(a.sun_path), "%.80s/" DOMAIN ".door.sock", f->dir);
	assert_int_equal(bind(dead, (struct sockaddr *)&a, sizeof(a)), 0);
	close(dead);
	open_door(f, &g);
	assert_int_equal(annex_socket_open(&f->inst, &place, &why), ANNEX_EEXIST);
	assert_non_null(strstr(why, "cannot listen on"));
	fd = knock(f); /* the first one is still there */
	fixture_wait(f, &g.came);
	close(fd);
	fixture_wait(f, &g.left);
}

static void
bad_places_get_a_sentence(void **state)
{
	struct fixture *f = *state;
	const struct annex_place named = { .host = "localhost", .port = 80 };
	const struct annex_place local = { .host = "127.0.0.1" };
	const char *why = NULL;
	int fd;

	assert_int_equal(annex_socket_open(&f->inst, &named, &why), ANNEX_EINVAL);
	assert_string_equal(why, "\"localhost\" is no numeric address");
	fd = annex_socket_open(&f->inst, &local, &why);
	assert_true(fd >= 0);
	close(fd);
}

static void
who_is_refused_is_closed(void **state)
{
	struct fixture *f = *state;
	struct guest g = { .refuse = true };
	char text[64];
	int fd;

	open_door(f, &g);
	fd = knock(f);
	fixture_wait(f, &g.came);
	assert_string_equal(read_now(fd, text, sizeof(text)), "the end");
	close(fd);
}

static void
who_does_not_read_is_not_waited_for_without_end(void **state)
{
	struct fixture *f = *state;
	struct guest g = { 0 };
	static char much[600000]; /* more than a socket holds */
	int fd;

	open_door(f, &g);
	fd = knock(f);
	fixture_wait(f, &g.came);
	assert_int_equal(annex_peer_write(g.peer, much, sizeof(much)), ANNEX_OK);
	assert_int_equal(annex_peer_write(g.peer, much, sizeof(much)), ANNEX_ELIMIT);
	annex_peer_close(g.peer);
	assert_int_equal(annex_peer_write(g.peer, "x", 1), ANNEX_EOFFLINE);
	assert_true(fixture_end(f));
	assert_false(annex_list_is_empty(&f->inst.listeners));
	fixture_pass(f, 10001);
	/* What the kernel had taken is read, and then the end, not an error. */
	for (ssize_t n = 1; n > 0;) {
		n = recv(fd, much, sizeof(much), 0);
		assert_true(n >= 0);
	}
	close(fd);
}

/* More is waiting than is read in a turn, each time it is looked: what is to be written leaves all the
 * same. */
static void
who_never_stops_talking_is_answered(void **state)
{
	static char much[600000]; /* more than a socket holds */
	struct fixture *f = *state;
	struct guest g = { 0 };
	size_t heard = 0;
	int fd;

	open_door(f, &g);
	fd = knock(f);
	fixture_wait(f, &g.came);
	assert_int_equal(annex_peer_write(g.peer, much, sizeof(much)), ANNEX_OK);
	assert_true(fixture_end(f));
	for (int i = 0; i < 1000 && heard < sizeof(much); i++) {
		ssize_t n;

		while (send(fd, much, sizeof(much) / 10, MSG_DONTWAIT) > 0)
			;
		while ((n = recv(fd, much, sizeof(much), MSG_DONTWAIT)) > 0)
			heard += (size_t)n;
		poll_reactor_run(f->reactor, 10);
		assert_true(g.said);
	}
	assert_int_equal(heard, sizeof(much));
	close(fd);
	fixture_wait(f, &g.left);
	buf_finish(&g.text);
}

static void
who_is_paused_is_not_read(void **state)
{
	struct fixture *f = *state;
	struct guest g = { 0 };
	int fd;

	open_door(f, &g);
	fd = knock(f);
	fixture_wait(f, &g.came);
	annex_peer_pause(g.peer, true);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	for (int i = 0; i < 3; i++)
		poll_reactor_run(f->reactor, 10);
	assert_false(g.said);
	annex_peer_pause(g.peer, false);
	fixture_wait(f, &g.said);
	close(fd);
	fixture_wait(f, &g.left);
	buf_finish(&g.text);
}

static void
the_door_may_be_shut_whatever_happens_at_it(void **state)
{
	struct fixture *f = *state;
	struct guest when_came = { .shut_on_came = true }, when_said = { .shut_on_said = true },
		     when_left = { .shut_on_left = true };
	char text[64];
	int fd;

	open_door(f, &when_came);
	fd = knock(f);
	fixture_wait(f, &when_came.came);
	assert_string_equal(read_now(fd, text, sizeof(text)), "the end");
	close(fd);

	open_door(f, &when_said);
	fd = knock(f);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	fixture_wait(f, &when_said.said);
	assert_string_equal(read_now(fd, text, sizeof(text)), "the end");
	assert_false(when_said.left);
	close(fd);
	buf_finish(&when_said.text);

	open_door(f, &when_left);
	fd = knock(f);
	fixture_wait(f, &when_left.came);
	close(fd);
	fixture_wait(f, &when_left.left);
	assert_true(annex_list_is_empty(&f->inst.listeners));
}

static void
noted(struct annex_instance *inst, void *cookie)
{
	bool *done = cookie;

	assert_true(inst->entered);
	*done = true;
}

static void
a_watch_wakes_a_library(void **state)
{
	struct fixture *f = *state;
	struct annex_watch *watch;
	bool done = false;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	watch = annex_watch(&f->inst, fd[0], noted, &done);
	assert_int_equal(write(fd[1], "x", 1), 1);
	fixture_wait(f, &done);
	annex_watch_end(&watch);
	assert_null(watch);
	close(fd[0]);
	close(fd[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_is_heard_and_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    nothing_is_told_before_the_turn_is_durable, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_turn_that_fails_tells_nobody_and_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_door_has_the_mode_that_was_asked_for_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    one_door_is_enough_but_a_dead_one_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_places_get_a_sentence, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_refused_is_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    who_does_not_read_is_not_waited_for_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    who_never_stops_talking_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_paused_is_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_door_may_be_shut_whatever_happens_at_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_watch_wakes_a_library, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
