/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_liveness.c - keepalives, fences, and whose the route is
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

/* Return what was heard, as the server does. */
static unsigned
echo(struct world *world)
{
	char *heard = mem_strdup(memory_heard(&world->net));
	unsigned n = world_return_fences(world, heard);

	free(heard);
	return n;
}

static void
white_space_goes_out_after_a_minute_of_our_silence(void **state)
{
	struct world *world = *state;

	world->config.fence_check_ms = 0;
	world_attach(world);
	world_pass(world, 30000);
	world_queue(world, STREAM_MESSAGE, "<message/>");
	stream_flush(world->stream);
	memory_heard(&world->net);
	world_pass(world, 59999);
	assert_string_equal(memory_heard(&world->net), "");
	world_pass(world, 1);
	assert_string_equal(memory_heard(&world->net), " ");
	world_pass(world, 60000);
	assert_string_equal(memory_heard(&world->net), " ");
}

static void
no_white_space_is_put_into_a_stanza_that_is_on_its_way(void **state)
{
	struct world *world = *state;

	world->config.fence_check_ms = 0;
	world_attach(world);
	world->net.room = 4;
	world_queue(world, STREAM_MESSAGE, "<message/>");
	stream_flush(world->stream);
	world_pass(world, 200000);
	memory_take(&world->net, SIZE_MAX);
	assert_string_equal(memory_heard(&world->net), "<message/>");
}

static void
a_fence_is_a_ping_from_us_to_us_and_never_delivered(void **state)
{
	struct world *world = *state;
	char from[100], to[100], id[100];
	const char *heard;

	world_attach(world);
	world_queue(world, STREAM_MESSAGE, "<message id='1'/>");
	world_fence(world);
	stream_flush(world->stream);
	heard = memory_heard(&world->net);
	assert_int_equal(sscanf(heard,
			     "<message id='1'/><iq type='get' from='%99[^']' to='%99[^']' "
			     "id='%99[^']'><ping xmlns='urn:xmpp:ping'/></iq>",
			     from, to, id),
	    3);
	assert_string_equal(from, "annex.test/annex");
	assert_int_equal(strncmp(to, "annex.test/", 11), 0);
	assert_string_equal(to + 11, id);
	assert_true(strlen(id) > 16);
	assert_int_equal(world->fences_ok, 0);
	memory_say(&world->net, "<message id='2'/>");
	assert_string_equal(world_events(world), "message#2 ");
	assert_int_equal(world->fences_ok, 0);
	assert_int_equal(world_return_fences(world, heard), 1);
	assert_int_equal(world->fences_ok, 1);
	assert_string_equal(world_events(world), "");
	assert_int_equal(world_count(world, "fence_seconds"), 1);
}

static void
fences_of_one_turn_travel_as_one_ping(void **state)
{
	struct world *world = *state;

	world_attach(world);
	for (int i = 0; i < 5; i++)
		world_fence(world);
	stream_flush(world->stream);
	assert_int_equal(echo(world), 1);
	assert_int_equal(world->fences_ok, 5);
}

static void
a_fence_waits_until_all_flows_are_past_it(void **state)
{
	struct world *world = *state;
	const char *heard, *last;
	char text[400], body[301];

	world_attach(world);
	world->net.room = 0;
	memset(body, 'x', 300);
	body[300] = '\0';
	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "<message id='a%d'>%s</message>", i, body);
		stream_queue(world->stream, stream_flow(world->stream, i % 2 != 0 ? "a" : "b"),
		    STREAM_MESSAGE, text, strlen(text));
	}
	world_fence(world);
	stream_flush(world->stream);
	/* What comes behind it does not hold it up, nor does it slip before. */
	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "<message id='z%d'>%s</message>", i, body);
		stream_queue(world->stream, stream_flow(world->stream, i % 2 != 0 ? "c" : NULL),
		    STREAM_MESSAGE, text, strlen(text));
	}
	world_fence(world);
	stream_flush(world->stream);
	memory_take(&world->net, SIZE_MAX);
	heard = memory_heard(&world->net);
	last = strstr(heard, "<message id='a2999'>");
	assert_non_null(last);
	assert_true(strstr(heard, "<iq type='get'") > last);
	assert_true(strstr(heard, "<iq type='get'") > strstr(heard, "<message id='a2998'>"));
	last = strstr(heard, "<message id='z2999'>");
	assert_non_null(strstr(last, "<iq type='get'"));
	assert_int_equal(world_return_fences(world, heard), 2);
	assert_int_equal(world->fences_ok, 2);
}

static void
queue_many(struct world *world, const char *flow, unsigned n)
{
	char text[400], body[301];

	memset(body, 'x', 300);
	body[300] = '\0';
	for (unsigned i = 1; i <= n; i++) {
		snprintf(text, sizeof(text), "<message id='%s%u'>%s</message>", flow, i, body);
		stream_queue(world->stream, stream_flow(world->stream, flow), STREAM_MESSAGE, text,
		    strlen(text));
	}
}

static void
a_fence_on_a_flow_waits_for_that_flow_alone(void **state)
{
	struct world *world = *state;
	const char *heard, *ping;

	world_attach(world);
	world->net.room = 0;
	queue_many(world, "long", 3000);
	queue_many(world, "short", 20);
	world_fence_on(world, "short");
	queue_many(world, "short", 1);
	stream_flush(world->stream);
	memory_take(&world->net, 600000);
	heard = memory_heard(&world->net);
	ping = strstr(heard, "<iq type='get'");
	assert_non_null(ping);
	assert_true(ping > strstr(heard, "<message id='short20'>"));
	assert_null(strstr(heard, "<message id='long3000'>"));
	assert_int_equal(world->fences_ok, 0);
	assert_int_equal(world_return_fences(world, heard), 1);
	assert_int_equal(world->fences_ok, 1);
}

static void
a_fence_on_a_flow_that_is_empty_goes_at_once(void **state)
{
	struct world *world = *state;
	const char *heard;

	world_attach(world);
	world->net.room = 0;
	queue_many(world, "long", 3000);
	stream_flush(world->stream);
	world_fence_on(world, NULL);
	stream_flush(world->stream);
	memory_take(&world->net, 300000);
	heard = memory_heard(&world->net);
	assert_null(strstr(heard, "<message id='long3000'>"));
	assert_int_equal(world_return_fences(world, heard), 1);
	assert_int_equal(world->fences_ok, 1);
}

static void
a_fence_on_a_flow_waits_for_what_is_sent_again(void **state)
{
	struct world *world = *state;
	const char *heard;

	world->config.fence_check_ms = 0;
	world_attach(world);
	world->net.room = 0;
	queue_many(world, "den", 1000);
	world_fence_on(world, "den");
	stream_flush(world->stream);
	memory_hang_up(&world->net);
	assert_int_equal(world->fences_failed, 1);
	world->net.room = 1000; /* for the handshake */
	world_pass(world, 1000);
	world_shake(world);
	world_fence_on(world, "den");
	world_fence_on(world, "other");
	stream_flush(world->stream);
	memory_take(&world->net, SIZE_MAX);
	heard = memory_heard(&world->net);
	/* What had been on its way is sent again first, whichever flow it was of. */
	assert_true(strstr(heard, "<iq type='get'") > strstr(heard, "<message id='den100'>"));
	assert_non_null(strstr(strstr(heard, "<message id='den1000'>"), "<iq type='get'"));
	assert_int_equal(world_return_fences(world, heard), 2);
	assert_int_equal(world->fences_ok, 2);
}

static void
fences_on_a_thousand_flows_travel_as_one_ping(void **state)
{
	struct world *world = *state;
	char name[20];

	world_attach(world);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "room%d-", i);
		queue_many(world, name, i % 2);
		world_fence_on(world, name);
	}
	stream_flush(world->stream);
	assert_in_range(echo(world), 1, 4); /* one for each time that the wire was filled */
	assert_in_range(echo(world), 0, 1);
	assert_int_equal(world->fences_ok, 1000);
}

static void
while_four_pings_are_out_the_others_wait_and_go_together(void **state)
{
	struct world *world = *state;

	world_attach(world);
	for (int i = 0; i < 100; i++) {
		world_fence_on(world, i % 2 != 0 ? "a" : "b");
		world_fence(world);
		stream_flush(world->stream);
	}
	assert_int_equal(echo(world), 4);
	assert_int_equal(world->fences_ok, 8);
	assert_int_equal(echo(world), 1);
	assert_int_equal(world->fences_ok, 200);
}

static void
a_later_fence_proves_the_earlier_ones(void **state)
{
	struct world *world = *state;
	const char *heard;

	world_attach(world);
	world_fence(world);
	stream_flush(world->stream);
	memory_heard(&world->net);
	world_fence(world);
	stream_flush(world->stream);
	heard = memory_heard(&world->net);
	assert_int_equal(world_return_fences(world, heard), 1);
	assert_int_equal(world->fences_ok, 2);
}

static void
an_earlier_fence_does_not_prove_the_later_ones(void **state)
{
	struct world *world = *state;
	char *first;

	world_attach(world);
	world_fence(world);
	stream_flush(world->stream);
	first = mem_strdup(memory_heard(&world->net));
	world_fence(world);
	stream_flush(world->stream);
	assert_int_equal(world_return_fences(world, first), 1);
	assert_int_equal(world->fences_ok, 1);
	assert_int_equal(echo(world), 1);
	assert_int_equal(world->fences_ok, 2);
	free(first);
}

static void
fences_fail_with_the_link(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world_fence(world);
	stream_flush(world->stream);
	world_fence(world);
	memory_hang_up(&world->net);
	assert_int_equal(world->fences_failed, 2);
	/* And without one, though not from inside. */
	world_fence(world);
	assert_int_equal(world->fences_failed, 2);
	world_pass(world, 0);
	assert_int_equal(world->fences_failed, 3);
}

static void
a_fence_of_a_lost_link_that_comes_late_is_swallowed(void **state)
{
	struct world *world = *state;
	char *heard;

	world_attach(world);
	world_fence(world);
	stream_flush(world->stream);
	heard = mem_strdup(memory_heard(&world->net));
	memory_hang_up(&world->net);
	world_pass(world, 100);
	world_shake(world);
	assert_int_equal(world_return_fences(world, heard), 1);
	free(heard);
	assert_int_equal(world->fences_ok, 0);
	assert_string_equal(world_events(world), "");
	assert_false(world_logged(world, "another component"));
}

static void
a_fence_that_does_not_return_is_told_loudly_once_a_minute_and_nothing_closes(void **state)
{
	struct world *world = *state;
	unsigned long complaints = log_complaints(world->log);

	world_attach(world);
	world_fence(world);
	stream_flush(world->stream);
	world_pass(world, 9999);
	assert_int_equal(log_complaints(world->log), complaints);
	world_pass(world, 1);
	assert_int_equal(log_complaints(world->log), complaints + 1);
	assert_true(world_logged(world, "level=error"));
	assert_true(world_logged(world, "global_routes"));
	world_pass(world, 50000);
	assert_int_equal(log_complaints(world->log), complaints + 1);
	world_pass(world, 69000);
	assert_int_equal(log_complaints(world->log), complaints + 2);
	assert_true(stream_is_up(world->stream));
	assert_int_equal(world->fences_ok + world->fences_failed, 0);
	/* It returns after all: slow, not foreign. */
	assert_true(echo(world) > 0);
	assert_int_equal(world->fences_ok, 1);
}

static void
pings_that_never_return_do_not_pile_up(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world_fence(world);
	for (int i = 0; i < 200; i++) {
		world_queue(world, STREAM_ANSWER, "<iq/>");
		stream_flush(world->stream);
		world_pass(world, 15000);
	}
	memory_heard(&world->net);
	world_queue(world, STREAM_ANSWER, "<iq/>");
	stream_flush(world->stream);
	world_pass(world, 11000);
	assert_int_equal(echo(world), 1);
	assert_int_equal(world->fences_ok, 1);
}

static void
the_route_is_checked_after_a_second_and_then_every_minute(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world_pass(world, 999);
	assert_int_equal(echo(world), 0);
	world_pass(world, 1);
	assert_int_equal(echo(world), 1);
	world_pass(world, 59999);
	assert_int_equal(echo(world), 0);
	world_pass(world, 1);
	assert_int_equal(echo(world), 1);
	assert_int_equal(world_count(world, "fence_seconds"), 2);
}

static void
answers_are_proved_by_fences_at_most_one_out_and_ten_a_second(void **state)
{
	struct world *world = *state;
	unsigned fences = 0;

	world->config.fence_check_ms = 0;
	world_attach(world);
	for (int i = 0; i < 1000; i++) {
		world_queue(world, STREAM_ANSWER, "<iq/>");
		stream_flush(world->stream);
		world_pass(world, 1);
		fences += echo(world);
	}
	assert_in_range(fences, 8, 12);
	/* Messages need none. */
	world_pass(world, 1000);
	echo(world);
	world_queue(world, STREAM_MESSAGE, "<message/>");
	stream_flush(world->stream);
	world_pass(world, 5000);
	assert_string_equal(memory_heard(&world->net), "<message/>");
}

static void
a_fence_of_another_instance_tells_of_it(void **state)
{
	struct world *world = *state;

	world_attach(world);
	memory_say(&world->net,
	    "<iq type='get' from='annex.test/annex' to='annex.test/abcdefghabcdefgh-1' "
	    "id='abcdefghabcdefgh-1'><ping xmlns='urn:xmpp:ping'/></iq>");
	assert_true(world_logged(world, "another component serves annex.test, too"));
	assert_string_equal(world_events(world), "");
}

static void
a_fence_that_somebody_answers_tells_of_him_and_proves_all_the_same(void **state)
{
	struct world *world = *state;
	char to[100], answer[400];

	world_attach(world);
	world_fence(world);
	stream_flush(world->stream);
	assert_int_equal(sscanf(strstr(memory_heard(&world->net), " to='"), " to='%99[^']", to), 1);
	snprintf(answer, sizeof(answer),
	    "<iq type='result' from='%s' to='annex.test/annex' id='%s'/>", to, to + 11);
	memory_say(&world->net, answer);
	assert_true(world_logged(world, "another component serves annex.test, too"));
	assert_int_equal(world->fences_ok, 1);
	assert_string_equal(world_events(world), "");
}

static void
a_fence_returned_as_an_error_is_told_and_proves_all_the_same(void **state)
{
	struct world *world = *state;
	char to[100], answer[400];

	world_attach(world);
	world_fence(world);
	stream_flush(world->stream);
	assert_int_equal(sscanf(strstr(memory_heard(&world->net), " to='"), " to='%99[^']", to), 1);
	snprintf(answer, sizeof(answer),
	    "<iq type='error' from='%s' to='annex.test/annex' id='%s'><error type='cancel'>"
	    "<remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
	    to, to + 11);
	memory_say(&world->net, answer);
	assert_true(world_logged(world, "refused with remote-server-not-found"));
	assert_int_equal(world->fences_ok, 1);
}

static void
other_stanzas_to_ourselves_are_delivered(void **state)
{
	struct world *world = *state;

	world_attach(world);
	memory_say(&world->net,
	    "<iq type='get' id='1' from='annex.test' to='annex.test/x'/>"
	    "<iq type='get' id='2' from='a@b/annex' to='annex.test/x'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>"
	    "<iq type='set' id='3' from='annex.test/annex' to='annex.test/x'/>"
	    "<message id='4' from='annex.test/annex' to='annex.test/x'/>"
	    "<iq id='5'/>");
	assert_string_equal(world_events(world), "iq#1 iq#2 iq#3 message#4 iq#5 ");
}

static void
while_we_do_not_read_no_fence_is_called_lost(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world_fence(world);
	stream_flush(world->stream);
	memory_say(&world->net, "<message id='1'/>");
	memory_say(&world->net, "<message id='2'/>");
	world_pass(world, 30000);
	assert_false(world_logged(world, "has not come back"));
	world_events(world);
	memory_read(&world->net);
	world_events(world);
	world_pass(world, 10000);
	assert_true(world_logged(world, "has not come back"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(white_space_goes_out_after_a_minute_of_our_silence),
		T(no_white_space_is_put_into_a_stanza_that_is_on_its_way),
		T(a_fence_is_a_ping_from_us_to_us_and_never_delivered),
		T(fences_of_one_turn_travel_as_one_ping),
		T(a_fence_waits_until_all_flows_are_past_it),
		T(a_fence_on_a_flow_waits_for_that_flow_alone),
		T(a_fence_on_a_flow_that_is_empty_goes_at_once),
		T(a_fence_on_a_flow_waits_for_what_is_sent_again),
		T(fences_on_a_thousand_flows_travel_as_one_ping),
		T(while_four_pings_are_out_the_others_wait_and_go_together),
		T(a_later_fence_proves_the_earlier_ones),
		T(an_earlier_fence_does_not_prove_the_later_ones),
		T(fences_fail_with_the_link),
		T(a_fence_of_a_lost_link_that_comes_late_is_swallowed),
		T(a_fence_that_does_not_return_is_told_loudly_once_a_minute_and_nothing_closes),
		T(pings_that_never_return_do_not_pile_up),
		T(the_route_is_checked_after_a_second_and_then_every_minute),
		T(answers_are_proved_by_fences_at_most_one_out_and_ten_a_second),
		T(a_fence_of_another_instance_tells_of_it),
		T(a_fence_that_somebody_answers_tells_of_him_and_proves_all_the_same),
		T(a_fence_returned_as_an_error_is_told_and_proves_all_the_same),
		T(other_stanzas_to_ourselves_are_delivered),
		T(while_we_do_not_read_no_fence_is_called_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
