/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_stream.c - conversations of a stream with a server
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "world.h"

#define ERROR(condition)                                                             \
	"<stream:error><" condition " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" \
	"</stream:error></stream:stream>"

static int
setup(void **state)
{
	*state = world_create();
	return 0;
}

static int
teardown(void **state)
{
	world_destroy(*state);
	return 0;
}

static void
it_opens_and_shakes_hands_as_the_specification_has_it(void **state)
{
	struct world *world = *state;

	world_make(world);
	assert_string_equal(stream_state_name(world->stream), "idle");
	stream_start(world->stream);
	assert_string_equal(stream_state_name(world->stream), "connecting");
	assert_string_equal(world->net.host, "one.test:5347");
	memory_connect(&world->net);
	assert_string_equal(stream_state_name(world->stream), "opening");
	assert_string_equal(memory_heard(&world->net),
	    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
	    "xmlns:stream='http://etherx.jabber.org/streams' to='annex.test'>");
	memory_say(&world->net, HEADER);
	assert_string_equal(stream_state_name(world->stream), "handshaking");
	/* printf %s 3BF96D32test | sha1sum */
	assert_string_equal(memory_heard(&world->net),
	    "<handshake>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>");
	assert_int_equal(world->ups, 0);
	memory_say(&world->net, "<handshake/>");
	assert_true(stream_is_up(world->stream));
	assert_string_equal(stream_state_name(world->stream), "up");
	assert_int_equal(world->ups, 1);
	assert_int_equal(stream_up_since_ms(world->stream), 1000 * 1000);
	assert_int_equal(world_count(world, "link_up"), 1);
	assert_null(stream_last_trouble(world->stream));
}

static void
it_delivers_stanzas_in_order_and_skipped_ones_too(void **state)
{
	struct world *world = *state;

	world_attach(world);
	memory_say(&world->net,
	    "<message id='1'><body>x</body></message><presence id='2'/>"
	    "<iq id='3'><a:b/></iq><message id='4'/>");
	assert_true(stream_has_next(world->stream));
	assert_string_equal(world_events(world), "message#1 presence#2 skipped-iq#3 message#4 ");
	assert_false(stream_has_next(world->stream));
}

static void
it_does_not_read_on_while_stanzas_wait(void **state)
{
	struct world *world = *state;

	world_attach(world);
	memory_say(&world->net, "<message id='1'/>");
	memory_say(&world->net, "<message id='2'/>");
	assert_int_equal(world->net.link->wants & REACTOR_READ, 0);
	assert_string_equal(world_events(world), "message#1 ");
	assert_int_equal(world->net.link->wants & REACTOR_READ, REACTOR_READ);
	memory_read(&world->net);
	assert_string_equal(world_events(world), "message#2 ");
}

static void
it_writes_a_turn_with_one_write(void **state)
{
	struct world *world = *state;
	unsigned before;

	world_attach(world);
	before = world->net.writes;
	world_queue(world, STREAM_MESSAGE, "<message id='1'/>");
	world_queue(world, STREAM_PRESENCE, "<presence id='2'/>");
	world_queue(world, STREAM_MESSAGE, "<message id='3'/>");
	assert_int_equal(world->net.writes, before);
	assert_int_equal(stream_queued_stanzas(world->stream), 3);
	stream_flush(world->stream);
	assert_int_equal(world->net.writes, before + 1);
	assert_string_equal(
	    memory_heard(&world->net), "<message id='1'/><presence id='2'/><message id='3'/>");
	assert_int_equal(stream_queued_stanzas(world->stream), 0);
	assert_int_equal(world_count(world, "stanzas_out_total"), 3);
}

static void
it_comes_back_when_the_server_hangs_up(void **state)
{
	struct world *world = *state;

	world_attach(world);
	memory_hang_up(&world->net);
	assert_int_equal(world->downs, 1);
	assert_string_equal(world->why, "the server closed the connection");
	assert_string_equal(stream_state_name(world->stream), "waiting");
	assert_int_equal(world_count(world, "link_up"), 0);
	world_pass(world, 100);
	assert_string_equal(stream_state_name(world->stream), "connecting");
	world_shake(world);
	assert_int_equal(world->ups, 2);
	assert_int_equal(world_count(world, "link_reconnects_total"), 1);
}

static void
it_starts_no_handshake_without_an_id_and_hears_the_error_instead(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	memory_connect(&world->net);
	memory_heard(&world->net);
	memory_say(&world->net,
	    "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
	    "xmlns='jabber:component:accept' id=''>");
	assert_string_equal(memory_heard(&world->net), "");
	memory_say(&world->net,
	    "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
	    "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>no such host here</text>"
	    "</stream:error></stream:stream>");
	assert_string_equal(stream_last_trouble(world->stream),
	    "the server says host-unknown, \"no such host here\"");
	assert_string_equal(stream_state_name(world->stream), "waiting");
	assert_int_equal(world->downs, 0);
}

/* Openfire sends it so: header and error at once, before any handshake. */
static void
it_hears_an_error_that_comes_with_the_header(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	memory_connect(&world->net);
	memory_say(&world->net, HEADER ERROR("conflict"));
	assert_string_equal(stream_last_trouble(world->stream), "the server says conflict");
	assert_true(world_logged(world, "attached already"));
	assert_string_equal(stream_state_name(world->stream), "waiting");
}

static const struct {
	const char *error, *level, *advice;
	int64_t first_wait_ms;
} errors[] = {
	{ ERROR("bad-format"), "error", "could not read", 1000 },
	{ ERROR("bad-namespace-prefix"), "error", "could not read", 1000 },
	{ ERROR("conflict"), "warning", "another process may serve it", 1000 },
	{ ERROR("connection-timeout"), "notice", "heard nothing", 100 },
	{ ERROR("host-gone"), "error", "no longer serves", 1000 },
	{ ERROR("host-unknown"), "warning", "may still be starting", 1000 },
	{ ERROR("improper-addressing"), "error", "address", 1000 },
	{ ERROR("internal-server-error"), "warning", "the server failed", 1000 },
	{ ERROR("invalid-from"), "error", "sender", 1000 },
	{ ERROR("invalid-id"), "error", "did not accept", 1000 },
	{ ERROR("invalid-namespace"), "warning", "no component port", 1000 },
	{ ERROR("invalid-xml"), "error", "did not accept", 1000 },
	{ ERROR("not-authorized"), "error", "the secret is wrong", 1000 },
	{ ERROR("not-well-formed"), "error", "component_stanza_size_limit", 1000 },
	{ ERROR("policy-violation"), "error", "a rule", 1000 },
	{ ERROR("remote-connection-failed"), "warning", "could not reach", 100 },
	{ ERROR("reset"), "notice", "anew", 100 },
	{ ERROR("resource-constraint"), "warning", "short of", 1000 },
	{ ERROR("restricted-xml"), "error", "did not accept", 1000 },
	{ ERROR("see-other-host"), "error", "elsewhere", 1000 },
	{ ERROR("system-shutdown"), "notice", "is stopping", 100 },
	{ ERROR("undefined-condition"), "warning", "no usual reason", 1000 },
	{ ERROR("unsupported-encoding"), "error", "no component port", 1000 },
	{ ERROR("unsupported-feature"), "error", "no component port", 1000 },
	{ ERROR("unsupported-stanza-type"), "error", "did not know", 1000 },
	{ ERROR("unsupported-version"), "error", "no component port", 1000 },
	{ "<stream:error/>", "warning", "no usual reason", 1000 },
	{ ERROR("brand-new-condition"), "warning", "no usual reason", 1000 },
};

/* In every state: a sentence at the right level, an end of our stream, another try in time. */
static void
every_stream_error_is_told_and_tried_again(void **state)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		for (int stage = 0; stage < 3; stage++) {
			struct world *world = world_create();
			char level[40];

			world_make(world);
			stream_start(world->stream);
			memory_connect(&world->net);
			memory_say(&world->net, HEADER);
			if (stage > 0)
				memory_say(&world->net, "<handshake/>");
			if (stage > 1)
				memory_say(&world->net, "<message id='1'/>");
			world_events(world);
			memory_heard(&world->net);
			memory_say(&world->net, errors[i].error);
			assert_string_equal(memory_heard(&world->net), "</stream:stream>");
			assert_null(world->net.link);
			assert_int_equal(world->downs, stage > 0);
			snprintf(level, sizeof(level), "level=%s", errors[i].level);
			assert_true(world_logged(world, level));
			assert_true(world_logged(world, errors[i].advice));
			world_pass(world, errors[i].first_wait_ms * 3 / 4 - 1);
			assert_string_equal(stream_state_name(world->stream), "waiting");
			world_pass(world, errors[i].first_wait_ms / 4 + 1);
			assert_string_equal(stream_state_name(world->stream), "connecting");
			world_destroy(world);
		}
	}
}

static void
a_server_that_closes_anywhere_in_the_handshake_is_tried_again(void **state)
{
	static const char all[] = HEADER "<handshake/>";
	size_t len = sizeof(all) - 1;

	for (size_t n = 0; n < len; n++) {
		struct world *world = world_create();
		char *part = mem_strdup(all);

		part[n] = '\0';
		world_make(world);
		stream_start(world->stream);
		memory_connect(&world->net);
		memory_say(&world->net, part);
		assert_int_equal(world->ups, 0);
		memory_hang_up(&world->net);
		assert_null(world->net.link);
		assert_true(world_logged(world, "closed the connection"));
		world_pass(world, 100);
		assert_string_equal(stream_state_name(world->stream), "connecting");
		world_shake(world);
		free(part);
		world_destroy(world);
	}
}

static void
the_handshake_may_come_byte_by_byte(void **state)
{
	struct world *world = *state;
	static const char all[] = HEADER "<handshake></handshake><message id='1'/>";

	world_make(world);
	stream_start(world->stream);
	memory_connect(&world->net);
	for (const char *at = all; *at != '\0'; at++)
		memory_say_bytes(&world->net, at, 1);
	assert_true(stream_is_up(world->stream));
	assert_string_equal(world_events(world), "message#1 ");
}

static const struct {
	const char *said, *sentence, *goodbye;
} strangers[] = {
	{ "HTTP/1.1 400 Bad Request\r\n\r\n", "what is no XML", "not-well-formed" },
	{ "SSH-2.0-OpenSSH_9.2\r\n", "what is no XML", "not-well-formed" },
	{ "\x15\x03\x01\x02\x02", "what is no XML", "not-well-formed" },
	{ "<html><body>", "no XMPP server: it opened with <html/>", "invalid-namespace" },
	{ "<stream:stream xmlns:stream='urn:other' id='1'>", "no XMPP server",
	    "invalid-namespace" },
	{ "<stream:stream id='1'>", "bad namespaces", "not-well-formed" },
	{ "<!DOCTYPE x [<!ENTITY a 'b'>]><stream:stream>", "what is no XML", "not-well-formed" },
};

static void
what_is_no_server_is_told_in_a_sentence_and_tried_seldom(void **state)
{
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		struct world *world = world_create();

		world_make(world);
		stream_start(world->stream);
		memory_connect(&world->net);
		memory_heard(&world->net);
		memory_say(&world->net, strangers[i].said);
		if (world->net.link != NULL)
			memory_hang_up(&world->net);
		if (strstr(stream_last_trouble(world->stream), strangers[i].sentence) == NULL)
			fail_msg("%s: %s", strangers[i].said, stream_last_trouble(world->stream));
		assert_non_null(strstr(memory_heard(&world->net), strangers[i].goodbye));
		world_pass(world, 700);
		assert_string_equal(stream_state_name(world->stream), "waiting");
		world_pass(world, 400);
		assert_string_equal(stream_state_name(world->stream), "connecting");
		world_destroy(world);
	}
}

static void
an_answer_to_the_handshake_that_is_none_is_told(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	memory_connect(&world->net);
	memory_say(&world->net, HEADER "<stream:features/>");
	assert_string_equal(stream_state_name(world->stream), "handshaking");
	memory_say(&world->net, "<message from='a@b'/>");
	assert_string_equal(stream_last_trouble(world->stream),
	    "the server answered the handshake with <message/>");
}

static void
a_header_with_another_default_namespace_is_no_reason_to_leave(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	memory_connect(&world->net);
	memory_say(&world->net,
	    "<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client' id='1'>");
	assert_string_equal(stream_state_name(world->stream), "handshaking");
}

static void
a_silent_server_is_left_after_30_s(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	memory_connect(&world->net);
	world_pass(world, 29999);
	assert_string_equal(stream_state_name(world->stream), "opening");
	world_pass(world, 1);
	assert_string_equal(
	    stream_last_trouble(world->stream), "the server did not answer our stream header");
	world_pass(world, 100);
	memory_connect(&world->net);
	memory_say(&world->net, HEADER);
	world_pass(world, 30000);
	assert_string_equal(
	    stream_last_trouble(world->stream), "the server did not answer our handshake");
	world_pass(world, 200);
	world_pass(world, 60000);
	assert_string_equal(
	    stream_last_trouble(world->stream), "the connection was not made in time");
}

static void
xml_that_breaks_ends_the_stream_but_what_came_before_is_delivered(void **state)
{
	struct world *world = *state;

	world_attach(world);
	memory_say(&world->net, "<message id='1'/><presence id='2'></message>");
	assert_int_equal(world->downs, 1);
	assert_non_null(strstr(memory_heard(&world->net),
	    "<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
	    "</stream:error></stream:stream>"));
	assert_string_equal(world_events(world), "message#1 ");
}

static void
a_server_that_ends_its_stream_hears_ours_end(void **state)
{
	struct world *world = *state;

	world_attach(world);
	memory_say(&world->net, "<message id='1'/></stream:stream>");
	assert_string_equal(memory_heard(&world->net), "</stream:stream>");
	assert_string_equal(world->why, "the server closed the stream");
	assert_string_equal(world_events(world), "message#1 ");
}

static void
the_hosts_are_tried_in_order_without_a_pause(void **state)
{
	struct world *world = *state;

	world->config.host_count = 3;
	world_make(world);
	stream_start(world->stream);
	memory_refuse(&world->net, "Connection refused");
	assert_string_equal(world->net.host, "2001:db8::2:5347");
	assert_true(world_logged(world, "one.test:5347 (Connection refused)"));
	memory_connect(&world->net);
	memory_hang_up(&world->net);
	assert_true(world_logged(world, "[2001:db8::2]:5347"));
	assert_string_equal(world->net.host, "unix:/run/server");
	memory_refuse(&world->net, "No such file or directory");
	assert_true(world_logged(world, "unix:/run/server"));
	assert_string_equal(stream_state_name(world->stream), "waiting");
	assert_int_equal(world->net.opens, 3);
	world_pass(world, 100);
	assert_string_equal(world->net.host, "one.test:5347");
	memory_refuse(&world->net, "Connection refused");
	world_shake(world);
	/* After a loss the first is the first again. */
	memory_hang_up(&world->net);
	world_pass(world, 200);
	assert_string_equal(world->net.host, "one.test:5347");
}

static void
a_host_that_cannot_even_be_tried_does_not_stop_the_others(void **state)
{
	struct world *world = *state;

	world->config.host_count = 2;
	world->net.impossible = "the path is too long";
	world_make(world);
	stream_start(world->stream);
	assert_string_equal(stream_state_name(world->stream), "waiting");
	assert_int_equal(world->net.opens, 2);
	assert_true(world_logged(world, "the path is too long"));
	world->net.impossible = NULL;
	world_pass(world, 100);
	world_shake(world);
}

static void
the_same_trouble_is_logged_once_a_minute(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	for (int64_t end_ms = clock_ms(&world->clock) + 59000; clock_ms(&world->clock) < end_ms;) {
		memory_refuse(&world->net, "Connection refused");
		world_pass(world, 800);
	}
	assert_true(world->net.opens > 50);
	assert_int_equal(log_complaints(world->log), 1);
	memory_refuse(&world->net, "No route to host");
	assert_int_equal(log_complaints(world->log), 2);
}

static void
so_is_that_of_each_host_of_a_list(void **state)
{
	struct world *world = *state;

	world->config.host_count = 2;
	world_make(world);
	stream_start(world->stream);
	for (int64_t end_ms = clock_ms(&world->clock) + 59000; clock_ms(&world->clock) < end_ms;) {
		memory_refuse(&world->net, "192.0.2.1: Connection refused");
		memory_refuse(&world->net, "2001:db8::2: No route to host");
		world_pass(world, 800);
	}
	assert_true(world->net.opens > 100);
	assert_int_equal(log_complaints(world->log), 2);
	/* Once it is up the next trouble is news. */
	world_shake(world);
	memory_hang_up(&world->net);
	world_pass(world, 800);
	memory_refuse(&world->net, "192.0.2.1: Connection refused");
	assert_int_equal(log_complaints(world->log), 4);
}

/* Newer expats put off a token that was incomplete before until there is twice as much of it. */
static void
a_stanza_that_ends_where_a_turn_has_read_enough_does_not_wait(void **state)
{
	struct world *world = *state;
	size_t enough = (size_t)5 * 32 * 1024; /* in five reads */
	char *text;

	world->config.read_bytes = enough;
	world_attach(world);
	text = mem_alloc(enough);
	memset(text, 'x', enough);
	memcpy(text, "<message id='", 13);
	memcpy(text + enough - 3, "'/>", 3);
	memory_say_bytes(&world->net, text, enough);
	free(text);
	assert_true(stream_has_next(world->stream));
}

static void
who_asked_for_a_fence_without_a_link_is_told_whatever_happens_to_the_next(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	world_fence(world);
	memory_refuse(&world->net, "Connection refused");
	world_pass(world, 0);
	assert_int_equal(world->fences_failed, 1);
	world_pass(world, 200);
	memory_connect(&world->net);
	world_fence_on(world, "den");
	world->config.secret = "new";
	stream_reconfigure(world->stream, &world->config);
	world_pass(world, 0);
	assert_int_equal(world->fences_failed, 2);
	assert_int_equal(world->fences_ok, 0);
}

static void
two_instances_that_throw_each_other_out_slow_down(void **state)
{
	struct world *world = *state;
	unsigned attached = 0;

	world_make(world);
	stream_start(world->stream);
	for (int64_t end_ms = clock_ms(&world->clock) + 300000; clock_ms(&world->clock) < end_ms;) {
		if (world->net.link != NULL) {
			world_shake(world);
			attached++;
			memory_say(&world->net, ERROR("conflict"));
		}
		world_pass(world, 100);
	}
	assert_in_range(attached, 10, 20);
}

static void
reconfiguring_what_is_not_the_link_applies_at_once(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world->config.keepalive_ms = 5000;
	world->config.fence_check_ms = 0;
	assert_int_equal(stream_reconfigure(world->stream, &world->config), ANNEX_OK);
	world_pass(world, 5000);
	assert_string_equal(memory_heard(&world->net), " ");
	world->config.limits.stanza_bytes = 100;
	assert_int_equal(stream_reconfigure(world->stream, &world->config), ANNEX_OK);
	memory_say(&world->net,
	    "<message id='1'/><message id='2'><body>0123456789012345678901234567890"
	    "1234567890123456789012345678901234567890123456789</body></message>");
	assert_string_equal(world_events(world), "message#1 skipped-message#2 ");
	assert_int_equal(world->downs, 0);
}

static void
a_ca_file_with_a_new_stamp_is_taken_up(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world->config.tls_ca_stamp = "1";
	assert_int_equal(stream_reconfigure(world->stream, &world->config), ANNEX_AGAIN);
}

static void
a_new_secret_is_used_on_a_new_link_and_nothing_queued_is_lost(void **state)
{
	struct world *world = *state;

	world_attach(world);
	memory_take(&world->net, 0);
	world->net.room = 10;
	world_queue(world, STREAM_PRESENCE, "<presence id='1'/>");
	world_queue(world, STREAM_MESSAGE, "<message id='2'/>");
	stream_flush(world->stream);
	world->config.secret = "other";
	world->config.hosts = &world->hosts[1];
	assert_int_equal(stream_reconfigure(world->stream, &world->config), ANNEX_AGAIN);
	assert_false(stream_is_up(world->stream));
	memory_take(&world->net, SIZE_MAX);
	assert_string_equal(
	    memory_heard(&world->net), "<presence id='1'/><message id='2'/></stream:stream>");
	assert_int_equal(world->downs, 0);
	memory_say(&world->net, "<message id='3'/></stream:stream>");
	assert_int_equal(world->downs, 1);
	assert_int_equal(world->closed, 0);
	assert_string_equal(world_events(world), "message#3 ");
	assert_string_equal(world->net.host, "2001:db8::2:5347");
	memory_connect(&world->net);
	memory_heard(&world->net);
	memory_say(&world->net, HEADER);
	/* printf %s 3BF96D32other | sha1sum */
	assert_string_equal(memory_heard(&world->net),
	    "<handshake>846efe3fc561f3663b755155339805accd3a9d1d</handshake>");
	memory_say(&world->net, "<handshake/>");
	assert_int_equal(world->ups, 2);
	assert_int_equal(world_count(world, "dropped_presences_total"), 0);
}

static void
reconfiguring_while_waiting_tries_at_once(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	memory_connect(&world->net);
	memory_say(&world->net, HEADER ERROR("not-authorized"));
	world->config.secret = "right";
	assert_int_equal(stream_reconfigure(world->stream, &world->config), ANNEX_AGAIN);
	world_pass(world, 0);
	assert_string_equal(stream_state_name(world->stream), "connecting");
	/* And while connecting, whatever changed: the attempt was made from the old one. */
	assert_int_equal(stream_reconfigure(world->stream, &world->config), ANNEX_OK);
	world_pass(world, 0);
	world_shake(world);
}

static void
closing_writes_what_is_queued_and_waits_for_the_servers_end(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world->net.room = 5;
	world_queue(world, STREAM_MESSAGE, "<message id='1'/>");
	stream_close(world->stream, 5000);
	assert_string_equal(stream_state_name(world->stream), "closing");
	memory_take(&world->net, SIZE_MAX);
	assert_string_equal(memory_heard(&world->net), "<message id='1'/></stream:stream>");
	assert_int_equal(world->closed, 0);
	memory_say(&world->net, "</stream:stream>");
	assert_int_equal(world->closed, 1);
	assert_int_equal(world->downs, 1);
	assert_string_equal(stream_state_name(world->stream), "closed");
	assert_null(world->net.link);
	world_pass(world, 100000);
	assert_int_equal(world->net.opens, 1);
	assert_int_equal(world->closed, 1);
	assert_int_equal(log_complaints(world->log), 0);
}

static void
closing_ends_at_its_deadline_whatever_the_server_does(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world->net.room = 5;
	world_queue(world, STREAM_MESSAGE, "<message id='1'/>");
	world_fence(world);
	stream_flush(world->stream);
	stream_close(world->stream, 5000);
	world_pass(world, 4999);
	assert_int_equal(world->closed, 0);
	world_pass(world, 1);
	assert_int_equal(world->closed, 1);
	assert_int_equal(world->fences_failed, 1);
	assert_null(world->net.link);
}

static void
closing_without_a_link_is_done_at_once_but_not_from_inside(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	stream_close(world->stream, 5000);
	assert_int_equal(world->closed, 0);
	assert_null(world->net.link);
	world_pass(world, 0);
	assert_int_equal(world->closed, 1);
	assert_int_equal(world->downs, 0);
	stream_close(world->stream, 5000);
	world_pass(world, 10000);
	assert_int_equal(world->closed, 1);
}

static void
a_server_that_hangs_up_while_we_close_ends_it_too(void **state)
{
	struct world *world = *state;

	world_attach(world);
	stream_close(world->stream, 5000);
	memory_hang_up(&world->net);
	assert_int_equal(world->closed, 1);
	assert_int_equal(world->downs, 1);
}

static void
a_write_that_fails_leaves_time_to_read_why(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world->net.write_error = -EPIPE;
	world_queue(world, STREAM_ANSWER, "<iq id='1'/>");
	stream_flush(world->stream);
	assert_false(stream_is_up(world->stream));
	assert_int_equal(world->downs, 0);
	memory_say(&world->net, ERROR("policy-violation"));
	assert_int_equal(world->downs, 1);
	assert_string_equal(world->why, "the server says policy-violation");
	world->net.write_error = 0;
}

static void
a_write_that_fails_ends_the_link_where_nobody_says_why(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world->net.write_error = -EPIPE;
	world_queue(world, STREAM_ANSWER, "<iq id='1'/>");
	stream_flush(world->stream);
	world_pass(world, 200);
	assert_int_equal(world->downs, 1);
	assert_string_equal(world->why, "Broken pipe");
	world->net.write_error = 0;
}

struct closer {
	struct stream_user user;
	struct stream *stream;
	unsigned downs, closed;
};

static void
closer_up(struct stream_user *user)
{
}

static void
closer_down(struct stream_user *user, const char *why)
{
	struct closer *closer = annex_container_of(user, struct closer, user);

	closer->downs++;
	stream_close(closer->stream, 1000);
}

static void
closer_closed(struct stream_user *user)
{
	annex_container_of(user, struct closer, user)->closed++;
}

static void
a_callback_may_close_the_stream(void **state)
{
	struct world *world = *state;
	struct closer closer = { { closer_up, closer_down, closer_closed }, NULL, 0, 0 };

	closer.stream = world->stream = stream_create(&world->config, &world->env, &closer.user);
	stream_start(world->stream);
	world_shake(world);
	memory_hang_up(&world->net);
	assert_int_equal(closer.downs, 1);
	world_pass(world, 10000);
	assert_int_equal(closer.closed, 1);
	assert_int_equal(world->net.opens, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(it_opens_and_shakes_hands_as_the_specification_has_it),
		T(it_delivers_stanzas_in_order_and_skipped_ones_too),
		T(it_does_not_read_on_while_stanzas_wait),
		T(it_writes_a_turn_with_one_write),
		T(it_comes_back_when_the_server_hangs_up),
		T(it_starts_no_handshake_without_an_id_and_hears_the_error_instead),
		T(it_hears_an_error_that_comes_with_the_header),
		T(every_stream_error_is_told_and_tried_again),
		T(a_server_that_closes_anywhere_in_the_handshake_is_tried_again),
		T(the_handshake_may_come_byte_by_byte),
		T(what_is_no_server_is_told_in_a_sentence_and_tried_seldom),
		T(an_answer_to_the_handshake_that_is_none_is_told),
		T(a_header_with_another_default_namespace_is_no_reason_to_leave),
		T(a_silent_server_is_left_after_30_s),
		T(xml_that_breaks_ends_the_stream_but_what_came_before_is_delivered),
		T(a_server_that_ends_its_stream_hears_ours_end),
		T(the_hosts_are_tried_in_order_without_a_pause),
		T(a_host_that_cannot_even_be_tried_does_not_stop_the_others),
		T(the_same_trouble_is_logged_once_a_minute),
		T(so_is_that_of_each_host_of_a_list),
		T(a_stanza_that_ends_where_a_turn_has_read_enough_does_not_wait),
		T(who_asked_for_a_fence_without_a_link_is_told_whatever_happens_to_the_next),
		T(two_instances_that_throw_each_other_out_slow_down),
		T(reconfiguring_what_is_not_the_link_applies_at_once),
		T(a_ca_file_with_a_new_stamp_is_taken_up),
		T(a_new_secret_is_used_on_a_new_link_and_nothing_queued_is_lost),
		T(reconfiguring_while_waiting_tries_at_once),
		T(closing_writes_what_is_queued_and_waits_for_the_servers_end),
		T(closing_ends_at_its_deadline_whatever_the_server_does),
		T(closing_without_a_link_is_done_at_once_but_not_from_inside),
		T(a_server_that_hangs_up_while_we_close_ends_it_too),
		T(a_write_that_fails_leaves_time_to_read_why),
		T(a_write_that_fails_ends_the_link_where_nobody_says_why),
		T(a_callback_may_close_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
