/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_stream.c - conversations of a stream with a server
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
