/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_outbound.c - what leaves, in which order, and what outlives the link
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <annex/pool.h>

#include "base/alloc.h"
#include "stream/fanout.h"
#include "world.h"

#define POLICY                                                                          \
	"<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" \
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
queue_on(struct world *world, const char *flow, enum stream_class class, const char *text)
{
	stream_queue(world->stream, stream_flow(world->stream, flow), class, text, strlen(text));
}

static void
lose_and_come_back(struct world *world)
{
	memory_hang_up(&world->net);
	world_pass(world, 1000);
	world->net.room = SIZE_MAX;
	memory_heard(&world->net);
	world_shake(world);
}

/* What followed the handshake, without the fences. */
static void
assert_said(struct world *world, const char *expected)
{
	const char *heard = memory_heard(&world->net), *end;
	static char text[100000];

	if ((end = strstr(heard, "</handshake>")) != NULL)
		heard = end + strlen("</handshake>");
	assert_string_equal(world_without_fences(heard, text, sizeof(text)), expected);
}

/* --- Loss of the link ----------------------------------------------------- */

static void
answers_and_durables_are_sent_again_until_a_fence_proved_them(void **state)
{
	struct world *world = *state;
	const char *heard;

	world_attach(world);
	world_queue(world, STREAM_ANSWER, "<iq id='1' type='result'/>");
	world_queue(world, STREAM_MESSAGE, "<message id='2'/>");
	stream_flush(world->stream);
	assert_string_equal(
	    memory_heard(&world->net), "<iq id='1' type='result'/><message id='2'/>");
	lose_and_come_back(world);
	assert_said(world, "<iq id='1' type='result'/>");
	/* Again, now in the middle of the second stanza. */
	world->net.room = strlen("<iq id='4' type='result'/>") + 5;
	world_queue(world, STREAM_ANSWER, "<iq id='4' type='result'/>");
	world_queue(world, STREAM_ANSWER, "<iq id='5' type='result'/>");
	stream_flush(world->stream);
	lose_and_come_back(world);
	assert_said(world,
	    "<iq id='1' type='result'/><iq id='4' type='result'/><iq id='5' type='result'/>");
	world_pass(world, 100);
	heard = memory_heard(&world->net);
	assert_int_equal(world_return_fences(world, heard), 1);
	lose_and_come_back(world);
	assert_said(world, "");
}

static void
a_fence_proves_only_what_went_before_it(void **state)
{
	struct world *world = *state;
	char *fence;

	world_attach(world);
	world_queue(world, STREAM_ANSWER, "<iq id='1'/>");
	stream_flush(world->stream);
	world_pass(world, 100);
	fence = mem_strdup(memory_heard(&world->net));
	world_queue(world, STREAM_ANSWER, "<iq id='2'/>");
	stream_flush(world->stream);
	assert_int_equal(world_return_fences(world, fence), 1);
	free(fence);
	lose_and_come_back(world);
	assert_said(world, "<iq id='2'/>");
}

static void
unsent_presence_and_questions_are_dropped_and_counted(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world->net.room = 0;
	queue_on(world, "den", STREAM_PRESENCE, "<presence id='1'/>");
	queue_on(world, "den", STREAM_MESSAGE, "<message id='2'/>");
	world_queue(world, STREAM_QUESTION, "<iq id='3'/>");
	world_queue(world, STREAM_BOUNCE, "<message id='4' type='error'/>");
	world_queue(world, STREAM_DURABLE, "<message id='5'><body/></message>");
	stream_flush(world->stream);
	lose_and_come_back(world);
	assert_said(world,
	    "<message id='2'/><message id='4' type='error'/><message id='5'><body/></message>");
	assert_int_equal(world_count(world, "dropped_presences_total"), 1);
	assert_int_equal(world_count(world, "dropped_questions_total"), 1);
	assert_int_equal(stream_queued_stanzas(world->stream), 0);
}

static void
presence_without_a_link_is_dropped_at_once_and_the_rest_waits(void **state)
{
	struct world *world = *state;

	world_make(world);
	stream_start(world->stream);
	world_queue(world, STREAM_PRESENCE, "<presence id='1'/>");
	world_queue(world, STREAM_QUESTION, "<iq id='2'/>");
	world_queue(world, STREAM_MESSAGE, "<message id='3'/>");
	world_queue(world, STREAM_ANSWER, "<iq id='4'/>");
	stream_flush(world->stream);
	assert_int_equal(stream_queued_stanzas(world->stream), 2);
	assert_int_equal(world_count(world, "dropped_presences_total"), 1);
	world_shake(world);
	assert_said(world, "<message id='3'/><iq id='4'/>");
}

static void
a_durable_message_sent_again_says_when_it_was_sent_first(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world_queue(world, STREAM_DURABLE, "<message id='1'><body>a</body></message>");
	world_queue(world, STREAM_DURABLE,
	    "<message id='2'><delay xmlns='urn:xmpp:delay' stamp='x'/></message>");
	world_queue(world, STREAM_DURABLE, "<iq id='3'><query/></iq>");
	stream_flush(world->stream);
	world_pass(world, 90);
	lose_and_come_back(world);
	assert_said(world,
	    "<message id='1'><body>a</body><delay xmlns='urn:xmpp:delay' from='annex.test' "
	    "stamp='2026-09-21T14:13:20Z'/></message>"
	    "<message id='2'><delay xmlns='urn:xmpp:delay' stamp='x'/></message>"
	    "<iq id='3'><query/></iq>");
	/* And keeps saying it. */
	lose_and_come_back(world);
	assert_said(world,
	    "<message id='1'><body>a</body><delay xmlns='urn:xmpp:delay' from='annex.test' "
	    "stamp='2026-09-21T14:13:20Z'/></message>"
	    "<message id='2'><delay xmlns='urn:xmpp:delay' stamp='x'/></message>"
	    "<iq id='3'><query/></iq>");
}

static void
what_is_sent_again_goes_before_what_is_new_in_its_flow(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world->net.room = 3;
	queue_on(world, "den", STREAM_MESSAGE, "<message id='1'/>");
	queue_on(world, "den", STREAM_MESSAGE, "<message id='2'/>");
	stream_flush(world->stream);
	memory_hang_up(&world->net);
	queue_on(world, "den", STREAM_MESSAGE, "<message id='3'/>");
	stream_flush(world->stream);
	world_pass(world, 100);
	world->net.room = SIZE_MAX;
	world_shake(world);
	queue_on(world, "den", STREAM_MESSAGE, "<message id='4'/>");
	stream_flush(world->stream);
	assert_said(world, "<message id='1'/><message id='2'/><message id='3'/><message id='4'/>");
}

static void
kept_copies_are_bounded_though_no_fence_returns(void **state)
{
	struct world *world = *state;
	char text[1100], body[1001];
	const char *heard;

	world->config.queue_high_bytes = 1000000;
	world->config.queue_hard_bytes = 2000000;
	world_attach(world);
	memset(body, 'x', 1000);
	body[1000] = '\0';
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "<iq id='%d'>%s</iq>", i, body);
		world_queue(world, STREAM_ANSWER, text);
		stream_flush(world->stream);
		memory_heard(&world->net);
		assert_int_equal(stream_pressure(world->stream), STREAM_EASY);
	}
	assert_true(world_count(world, "kept_forgotten_total") > 500);
	lose_and_come_back(world);
	heard = memory_heard(&world->net);
	assert_null(strstr(heard, "<iq id='500'>"));
	assert_non_null(strstr(heard, "<iq id='999'>"));
}

/* The server closes at <message id='bad'/> every time; all others get through. */
static void
a_stanza_at_which_the_server_closes_is_found_and_dropped(void **state)
{
	struct world *world = *state;
	const char *heard;
	unsigned closed = 0;
	char seen[4000] = "";

	world_attach(world);
	world_queue(world, STREAM_ANSWER, "<iq id='1'/>");
	world_queue(world, STREAM_ANSWER, "<iq id='2'/>");
	world_queue(world, STREAM_DURABLE, "<iq id='bad'/>");
	world_queue(world, STREAM_ANSWER, "<iq id='3'/>");
	stream_flush(world->stream);
	queue_on(world, "den", STREAM_MESSAGE, "<message id='after'/>");
	for (int i = 0; i < 100 && strstr(seen, "after") == NULL; i++) {
		if (i == 0)
			memory_heard(&world->net);
		if (i == 0 || strstr(heard, "bad") != NULL) {
			memory_say(&world->net, POLICY);
			closed++;
			world_pass(world, 8000);
			memory_heard(&world->net);
			world_shake(world);
		}
		heard = memory_heard(&world->net);
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s", heard);
		if (strstr(heard, "bad") == NULL) {
			char *copy = mem_strdup(heard);

			world_return_fences(world, copy);
			free(copy);
		}
	}
	/* The first time it was not known which; the second time it was. */
	assert_int_equal(closed, 2);
	assert_non_null(strstr(seen, "<iq id='1'/>"));
	assert_non_null(strstr(seen, "<iq id='2'/>"));
	assert_non_null(strstr(seen, "<iq id='3'/>"));
	assert_non_null(strstr(seen, "<message id='after'/>"));
	assert_true(world_logged(world, "a stanza was dropped"));
	assert_int_equal(world_count(world, "dropped_durables_total"), 1);
	lose_and_come_back(world);
	assert_null(strstr(memory_heard(&world->net), "bad"));
}

/* No more is read while too much waits, but what waits goes only when fences were read. */
static void
suspects_are_told_apart_however_much_waits_behind_them(void **state)
{
	struct world *world = *state;
	char text[600], *heard;

	world->config.queue_high_bytes = 4000;
	world->config.queue_hard_bytes = 8000;
	world_attach(world);
	world_queue(world, STREAM_ANSWER, "<iq id='1'/>");
	world_queue(world, STREAM_ANSWER, "<iq id='2'/>");
	stream_flush(world->stream);
	world->net.room = 0;
	snprintf(text, sizeof(text), "<message id='%0500d'/>", 1);
	for (int i = 0; i < 40; i++)
		queue_on(world, "den", STREAM_MESSAGE, text);
	memory_say(&world->net, POLICY);
	assert_int_equal(stream_pressure(world->stream), STREAM_HARD);
	world->net.room = SIZE_MAX;
	world_pass(world, 1000);
	memory_heard(&world->net);
	world_shake(world);
	for (int i = 0; i < 3; i++) {
		heard = mem_strdup(memory_heard(&world->net));
		world_return_fences(world, heard);
		free(heard);
	}
	assert_int_equal(stream_pressure(world->stream), STREAM_EASY);
}

/* A stanza so large that the server closes before it has all of it. */
static void
a_stanza_that_never_gets_through_whole_is_dropped_too(void **state)
{
	struct world *world = *state;

	world_attach(world);
	world->net.room = 20;
	world_queue(world, STREAM_MESSAGE, "<message id='huge'>and so on</message>");
	world_queue(world, STREAM_MESSAGE, "<message id='fine'/>");
	stream_flush(world->stream);
	memory_say(&world->net, POLICY);
	world_pass(world, 1000);
	world->net.room = SIZE_MAX;
	memory_connect(&world->net);
	memory_say(&world->net, HEADER);
	memory_heard(&world->net);
	world->net.room = 20;
	memory_say(&world->net, "<handshake/>");
	assert_string_equal(memory_heard(&world->net), "<message id='huge'>a");
	memory_say(&world->net, POLICY);
	assert_true(world_logged(world, "a stanza was dropped"));
	world_pass(world, 2000);
	world->net.room = SIZE_MAX;
	world_shake(world);
	assert_said(world, "<message id='fine'/>");
}

/* --- Flows ---------------------------------------------------------------- */

static struct annex_element *
body(struct annex_pool *pool, const char *id)
{
	struct annex_element *el = annex_element(pool, ANNEX_NS_STANZA, "message");

	annex_attr_set(el, "from", "den@annex.test");
	annex_attr_set(el, "id", id);
	annex_add_text(el, NULL, "body", "What a lovely day it is.");
	return el;
}

static struct fanout *
fanout_of(const char *id, unsigned recipients)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct fanout *fanout = fanout_create();
	int v = fanout_variant(fanout, body(pool, id), STREAM_MESSAGE, 256 << 10);
	char to[64];

	for (unsigned i = 0; i < recipients; i++) {
		snprintf(to, sizeof(to), "user%u@example.org/r", i);
		assert_int_equal(fanout_add(fanout, v, to, NULL), ANNEX_OK);
	}
	annex_pool_destroy(&pool);
	return fanout;
}

static void
queue_fanout(struct world *world, const char *flow, const char *id, unsigned recipients)
{
	struct fanout *fanout = fanout_of(id, recipients);

	stream_queue_fanout(
	    world->stream, stream_flow(world->stream, flow), STREAM_MESSAGE, &fanout);
	assert_null(fanout);
}

static unsigned
count_of(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

static void
flows_share_the_wire_by_bytes(void **state)
{
	struct world *world = *state;
	const char *heard;
	char small[200], big[2000], body1000[1001];
	unsigned bytes_small, bytes_big;

	world_attach(world);
	world->net.room = 0;
	memset(body1000, 'x', 1000);
	body1000[1000] = '\0';
	snprintf(small, sizeof(small), "<message from='small'>%.60s</message>", body1000);
	snprintf(big, sizeof(big), "<message from='big'>%s</message>", body1000);
	/* Something in front, so that the flows are not empty when they begin. */
	for (int i = 0; i < 140; i++)
		queue_on(world, "first", STREAM_MESSAGE, big);
	for (int i = 0; i < 4000; i++)
		queue_on(world, "small", STREAM_MESSAGE, small);
	for (int i = 0; i < 400; i++)
		queue_on(world, "big", STREAM_MESSAGE, big);
	stream_flush(world->stream);
	memory_take(&world->net, 400000);
	heard = memory_heard(&world->net);
	bytes_small = count_of(heard, "from='small'") * (unsigned)strlen(small);
	bytes_big = count_of(heard, "from='big'") * (unsigned)strlen(big);
	assert_in_range(bytes_small, 100000, 200000);
	assert_true(bytes_big > 100000);
	memory_take(&world->net, SIZE_MAX);
	assert_int_equal(stream_queued_stanzas(world->stream), 0);
}

/* Each takes more than a flow may have at once: what is too much is paid for in the next rounds. */
static void
flows_share_the_wire_by_bytes_however_large_their_stanzas_are(void **state)
{
	struct world *world = *state;
	char small[200], body[30001], *big = mem_resize(NULL, 31000);
	unsigned bytes_small, bytes_big;
	const char *heard;

	world_attach(world);
	world->net.room = 0;
	memset(body, 'x', 30000);
	body[30000] = '\0';
	snprintf(small, sizeof(small), "<message from='small'>%.60s</message>", body);
	snprintf(big, 31000, "<message from='big'>%s</message>", body);
	for (int i = 0; i < 5; i++)
		queue_on(world, "first", STREAM_MESSAGE, big);
	for (int i = 0; i < 8000; i++)
		queue_on(world, "small", STREAM_MESSAGE, small);
	for (int i = 0; i < 40; i++)
		queue_on(world, "big", STREAM_MESSAGE, big);
	stream_flush(world->stream);
	memory_take(&world->net, 900000);
	heard = memory_heard(&world->net);
	bytes_small = count_of(heard, "from='small'") * (unsigned)strlen(small);
	bytes_big = count_of(heard, "from='big'") * (unsigned)strlen(big);
	assert_in_range(bytes_small, 250000, 450000);
	assert_in_range(bytes_big, 350000, 650000);
	free(big);
}

static void
order_in_a_flow_holds_whatever_the_others_do(void **state)
{
	struct world *world = *state;
	char text[100], flow[20];
	unsigned next[10] = { 0 };
	const char *at;

	world_attach(world);
	world->net.room = 0;
	for (int i = 0; i < 20000; i++) {
		unsigned f = (unsigned)(i * 7919) % 10;

		snprintf(flow, sizeof(flow), "flow%u", f);
		snprintf(text, sizeof(text), "<message f='%u' n='%u'/>", f, next[f]++);
		queue_on(world, flow, STREAM_MESSAGE, text);
		if (i % 100 == 0)
			stream_flush(world->stream);
	}
	memory_take(&world->net, SIZE_MAX);
	memset(next, 0, sizeof(next));
	at = memory_heard(&world->net);
	while ((at = strstr(at, "<message f=")) != NULL) {
		unsigned f, n;

		assert_int_equal(sscanf(at, "<message f='%u' n='%u'", &f, &n), 2);
		assert_int_equal(n, next[f]++);
		at++;
	}
	for (int f = 0; f < 10; f++)
		assert_int_equal(next[f], 2000);
}

static void
an_answer_behind_a_hundred_fanouts_leaves_with_the_next_chunk(void **state)
{
	struct world *world = *state;
	const char *heard, *answer;
	char flow[20], id[20];
	size_t before, grown, on_the_wire;

	world->config.queue_high_bytes = (size_t)256 << 20;
	world->config.queue_hard_bytes = (size_t)512 << 20;
	world_attach(world);
	world->net.room = 0;
	before = stream_queued_bytes(world->stream);
	for (int i = 0; i < 100; i++) {
		snprintf(flow, sizeof(flow), "room%d", i % 20);
		snprintf(id, sizeof(id), "f%d", i);
		queue_fanout(world, flow, id, 10000);
	}
	stream_flush(world->stream);
	grown = stream_queued_bytes(world->stream) - before;
	assert_true(grown < (size_t)100 * 10000 * 64);
	assert_int_equal(stream_queued_stanzas(world->stream), 1000000);

	/* The wire holds its bounded part; an answer comes; reading resumes. */
	memory_take(&world->net, 1000000);
	memory_heard(&world->net);
	world_queue(world, STREAM_ANSWER, "<iq id='answer'/>");
	stream_flush(world->stream);
	grown = stream_queued_bytes(world->stream) - before;
	assert_true(grown < (size_t)100 * 10000 * 64 + 300000);
	memory_take(&world->net, 600000);
	heard = memory_heard(&world->net);
	answer = strstr(heard, "<iq id='answer'/>");
	assert_non_null(answer);
	on_the_wire = (size_t)(answer - heard);
	assert_true(on_the_wire < 300000);
}

static void
every_recipient_of_every_fanout_gets_one_in_order_over_a_loss(void **state)
{
	struct world *world = *state;
	unsigned long next[5] = { 0 };
	const char *at;
	struct buf all = { 0 };
	char id[20];

	world_attach(world);
	world->net.room = 0;
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "%d", i);
		queue_fanout(world, id, id, 1000);
	}
	stream_flush(world->stream);
	memory_take(&world->net, 123457);
	buf_puts(&all, memory_heard(&world->net));
	/* The last one was cut in two: it comes again, whole. */
	while (strncmp(all.data + all.len, "<message ", 9) != 0)
		all.len--;
	all.data[all.len] = '\0';
	memory_hang_up(&world->net);
	world_pass(world, 100);
	world->net.room = SIZE_MAX;
	world_shake(world);
	memory_take(&world->net, SIZE_MAX);
	buf_puts(&all, strstr(memory_heard(&world->net), "</handshake>"));
	for (at = all.data; (at = strstr(at, "<message to='user")) != NULL; at++) {
		unsigned long user = strtoul(at + strlen("<message to='user"), NULL, 10);
		unsigned long f = strtoul(strstr(at, " id='") + 5, NULL, 10);

		assert_int_equal(user, next[f]++);
	}
	for (int f = 0; f < 5; f++)
		assert_int_equal(next[f], 1000);
	assert_int_equal(stream_queued_stanzas(world->stream), 0);
	buf_finish(&all);
}

static void
a_fanout_of_presence_is_dropped_with_the_link(void **state)
{
	struct world *world = *state;
	struct fanout *fanout = fanout_of("1", 5000);

	world_attach(world);
	world->net.room = 0;
	stream_queue_fanout(
	    world->stream, stream_flow(world->stream, "den"), STREAM_PRESENCE, &fanout);
	stream_flush(world->stream);
	lose_and_come_back(world);
	assert_said(world, "");
	assert_int_equal(world_count(world, "dropped_presences_total"), 5000);
	assert_int_equal(stream_queued_stanzas(world->stream), 0);
}

static void
a_fanout_without_recipients_is_nothing(void **state)
{
	struct world *world = *state;
	struct fanout *fanout = fanout_of("1", 0);

	world_attach(world);
	stream_queue_fanout(world->stream, NULL, STREAM_MESSAGE, &fanout);
	stream_flush(world->stream);
	assert_said(world, "");
}

static void
a_thousand_empty_flows_leave_nothing_behind(void **state)
{
	struct world *world = *state;
	size_t before;
	char name[20];

	world_attach(world);
	before = stream_queued_bytes(world->stream);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "flow%d", i);
		queue_on(world, name, STREAM_MESSAGE, "<message/>");
	}
	stream_flush(world->stream);
	assert_int_equal(count_of(memory_heard(&world->net), "<message/>"), 1000);
	assert_true(stream_queued_bytes(world->stream) <= before + 70000);
}

/* --- Pressure ------------------------------------------------------------- */

static void
fill_up(struct world *world, size_t bytes)
{
	char text[1100];

	memset(text, 'x', sizeof(text));
	memcpy(text, "<message>", 9);
	memcpy(text + 1000, "</message>", 11);
	for (size_t n = 0; n < bytes; n += 1010)
		queue_on(world, "den", STREAM_MESSAGE, text);
	stream_flush(world->stream);
}

static void
pressure_is_told_by_two_marks(void **state)
{
	struct world *world = *state;

	world->config.queue_high_bytes = 1000000;
	world->config.queue_hard_bytes = 2000000;
	world_attach(world);
	world->net.room = 0;
	assert_int_equal(stream_pressure(world->stream), STREAM_EASY);
	fill_up(world, 1000000);
	assert_int_equal(stream_pressure(world->stream), STREAM_HIGH);
	fill_up(world, 1100000);
	assert_int_equal(stream_pressure(world->stream), STREAM_HARD);
	memory_take(&world->net, SIZE_MAX);
	assert_int_equal(stream_pressure(world->stream), STREAM_EASY);
}

static void
above_the_hard_mark_bounces_are_dropped_and_reading_stops(void **state)
{
	struct world *world = *state;

	world->config.queue_high_bytes = 1000000;
	world->config.queue_hard_bytes = 2000000;
	world_attach(world);
	world->net.room = 0;
	fill_up(world, 2100000);
	assert_int_equal(world->net.link->wants & REACTOR_READ, 0);
	assert_true(world_logged(world, "nothing more is read"));
	world_queue(world, STREAM_BOUNCE, "<message type='error'/>");
	world_queue(world, STREAM_ANSWER, "<iq id='1'/>");
	stream_flush(world->stream);
	assert_int_equal(world_count(world, "dropped_bounces_total"), 1);
	/* It takes half: still not read.  It takes all: read again. */
	memory_take(&world->net, 800000);
	assert_int_equal(stream_pressure(world->stream), STREAM_HIGH);
	assert_int_equal(world->net.link->wants & REACTOR_READ, 0);
	memory_take(&world->net, SIZE_MAX);
	assert_int_equal(world->net.link->wants & REACTOR_READ, REACTOR_READ);
	world_pass(world, 60000);
	assert_int_equal(world->downs, 0);
}

static void
after_30_s_above_the_hard_mark_the_link_is_dead(void **state)
{
	struct world *world = *state;

	world->config.queue_high_bytes = 1000000;
	world->config.queue_hard_bytes = 2000000;
	world_attach(world);
	world->net.room = 0;
	fill_up(world, 2100000);
	world_pass(world, 29999);
	assert_int_equal(world->downs, 0);
	world_pass(world, 1);
	assert_int_equal(world->downs, 1);
	assert_non_null(strstr(world->why, "has not taken our output for 30 s"));
	/* Without a link there is no room for more messages. */
	world_queue(world, STREAM_MESSAGE, "<message/>");
	stream_flush(world->stream);
	assert_int_equal(world_count(world, "dropped_messages_total"), 1);
	world_pass(world, 1000);
	world->net.room = SIZE_MAX;
	world_shake(world);
	memory_take(&world->net, SIZE_MAX);
	assert_int_equal(stream_queued_stanzas(world->stream), 0);
	assert_int_equal(stream_pressure(world->stream), STREAM_EASY);
}

static void
a_server_that_takes_some_is_given_time(void **state)
{
	struct world *world = *state;

	world->config.queue_high_bytes = 1000000;
	world->config.queue_hard_bytes = 2000000;
	world_attach(world);
	world->net.room = 0;
	fill_up(world, 2100000);
	world_pass(world, 20000);
	memory_take(&world->net, 800000);
	world_pass(world, 10000);
	assert_int_equal(world->downs, 0);
	assert_int_equal(world->net.link->wants & REACTOR_READ, REACTOR_READ);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(answers_and_durables_are_sent_again_until_a_fence_proved_them),
		T(a_fence_proves_only_what_went_before_it),
		T(unsent_presence_and_questions_are_dropped_and_counted),
		T(presence_without_a_link_is_dropped_at_once_and_the_rest_waits),
		T(a_durable_message_sent_again_says_when_it_was_sent_first),
		T(what_is_sent_again_goes_before_what_is_new_in_its_flow),
		T(kept_copies_are_bounded_though_no_fence_returns),
		T(a_stanza_at_which_the_server_closes_is_found_and_dropped),
		T(suspects_are_told_apart_however_much_waits_behind_them),
		T(a_stanza_that_never_gets_through_whole_is_dropped_too),
		T(flows_share_the_wire_by_bytes),
		T(flows_share_the_wire_by_bytes_however_large_their_stanzas_are),
		T(order_in_a_flow_holds_whatever_the_others_do),
		T(an_answer_behind_a_hundred_fanouts_leaves_with_the_next_chunk),
		T(every_recipient_of_every_fanout_gets_one_in_order_over_a_loss),
		T(a_fanout_of_presence_is_dropped_with_the_link),
		T(a_fanout_without_recipients_is_nothing),
		T(a_thousand_empty_flows_leave_nothing_behind),
		T(pressure_is_told_by_two_marks),
		T(above_the_hard_mark_bounces_are_dropped_and_reading_stops),
		T(after_30_s_above_the_hard_mark_the_link_is_dead),
		T(a_server_that_takes_some_is_given_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
