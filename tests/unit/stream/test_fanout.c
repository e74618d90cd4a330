/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_fanout.c - one body, many recipients
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <annex/pool.h>

#include "stream/audience.h"
#include "stream/body.h"
#include "stream/expand.h"
#include "stream/fanout.h"
#include "stream/stream.h"
#include "xml/writer.h"

static struct annex_element *
message(struct annex_pool *pool, const char *body)
{
	struct annex_element *el = annex_element(pool, ANNEX_NS_STANZA, "message");

	annex_attr_set(el, "from", "den@annex.test/owl");
	annex_attr_set(el, "to", "nobody@annex.test");
	annex_attr_set(el, "id", "m1");
	if (body != NULL)
		annex_add_text(el, NULL, "body", body);
	return el;
}

static void
every_recipient_gets_the_variant_and_the_tail_that_is_his(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_element *tail = annex_element(pool, "urn:x", "x");
	struct fanout *fanout = fanout_create();
	struct buf out = { 0 };
	struct fanout_place place = { 0 };
	int hidden, shown;

	annex_attr_set(tail, "jid", "real@a.test");
	hidden = fanout_variant(fanout, message(pool, "hi"), STREAM_MESSAGE, 256 << 10);
	shown = fanout_variant(fanout, message(pool, NULL), STREAM_MESSAGE, 256 << 10);
	assert_true(hidden >= 0 && shown >= 0 && hidden != shown);
	assert_int_equal(fanout_add(fanout, hidden, "a@a.test/1", NULL), ANNEX_OK);
	assert_int_equal(fanout_add(fanout, hidden, "b@a.test/o'<&", tail), ANNEX_OK);
	assert_int_equal(fanout_add(fanout, shown, "c@a.test", tail), ANNEX_OK);
	assert_int_equal(fanout_stanzas(fanout), 3);
	while (fanout_expand(fanout, &place, &out))
		buf_putc(&out, '\n');
	assert_string_equal(buf_text(&out),
	    "<message to='a@a.test/1' from='den@annex.test/owl' id='m1'><body>hi</body></message>\n"
	    "<message to='b@a.test/o&apos;&lt;&amp;' from='den@annex.test/owl' id='m1'>"
	    "<body>hi</body><x xmlns='urn:x' jid='real@a.test'/></message>\n"
	    "<message to='c@a.test' from='den@annex.test/owl' id='m1'>"
	    "<x xmlns='urn:x' jid='real@a.test'/></message>\n");
	buf_finish(&out);
	fanout_unref(&fanout);
	annex_pool_destroy(&pool);
}

static void
what_xml_cannot_carry_is_refused_and_the_rest_stays(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct fanout *fanout = fanout_create();
	struct buf out = { 0 };
	struct fanout_place place = { 0 };
	char *longest;
	int v;

	assert_true(fanout_variant(fanout, message(pool, "\x01"), STREAM_MESSAGE, 256 << 10) < 0);
	longest = annex_pool_zalloc(pool, (256 << 10) + 1);
	memset(longest, 'x', 256 << 10);
	assert_int_equal(fanout_variant(fanout, message(pool, longest), STREAM_MESSAGE, 256 << 10),
	    ANNEX_ELIMIT);
	assert_true(fanout_variant(fanout, message(pool, longest), STREAM_MESSAGE, 300 << 10) >= 0);
	v = fanout_variant(fanout, message(pool, "ok"), STREAM_MESSAGE, 256 << 10);
	assert_true(v >= 0);
	assert_true(fanout_add(fanout, v, "a\x02@a.test", NULL) < 0);
	longest = annex_pool_zalloc(pool, 70001);
	memset(longest, 'x', 70000);
	assert_int_equal(fanout_add(fanout, v, longest, NULL), ANNEX_ELIMIT);
	assert_int_equal(fanout_stanzas(fanout), 0);
	assert_false(fanout_expand(fanout, &place, &out));
	assert_int_equal(fanout_add(fanout, v, "a@a.test", NULL), ANNEX_OK);
	assert_true(fanout_expand(fanout, &place, &out));
	assert_false(fanout_expand(fanout, &place, &out));
	buf_finish(&out);
	fanout_unref(&fanout);
	annex_pool_destroy(&pool);
}

static void
ten_thousand_recipients_cost_less_than_64_bytes_each(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct fanout *fanout = fanout_create();
	struct buf out = { 0 };
	struct fanout_place place = { 0 };
	size_t n = 0, held;
	int v =
	    fanout_variant(fanout, message(pool, "hello, everybody"), STREAM_MESSAGE, 256 << 10);
	char to[64], part[80];

	for (int i = 0; i < 10000; i++) {
		snprintf(to, sizeof(to), "user%d@example.org/phone", i);
		assert_int_equal(fanout_add(fanout, v, to, NULL), ANNEX_OK);
	}
	held = fanout_hold(fanout);
	assert_true(held > 10000 * 32 && held < 10000 * 64);
	assert_int_equal(fanout_release(fanout), held);
	while (fanout_expand(fanout, &place, &out)) {
		snprintf(part, sizeof(part), " to='user%zu@example.org/phone'", n++);
		assert_non_null(strstr(buf_text(&out), part));
		buf_clear(&out);
	}
	assert_int_equal(n, 10000);
	buf_finish(&out);
	fanout_unref(&fanout);
	annex_pool_destroy(&pool);
}

static void
a_fanout_of_one_recipient_is_small(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct fanout *fanout = fanout_create();
	int v = fanout_variant(fanout, message(pool, "hi"), STREAM_MESSAGE, 256 << 10);

	assert_int_equal(fanout_add(fanout, v, "a@a.test", NULL), ANNEX_OK);
	assert_true(fanout_hold(fanout) < 2048);
	fanout_release(fanout);
	fanout_unref(&fanout);
	annex_pool_destroy(&pool);
}

/* All of it, one stanza a line, without what is the same for all. */
static const char *
expand(struct fanout *fanout, struct buf *out)
{
	struct fanout_place place = { 0 };
	struct buf one = { 0 };
	size_t n = 0;

	buf_clear(out);
	for (; fanout_expand(fanout, &place, &one); n++) {
		const char *to = strstr(buf_text(&one), " to='") + 5;
		const char *text = strstr(buf_text(&one), "<body>") + 6;

		buf_append(out, to, strcspn(to, "'"));
		buf_putc(out, ':');
		buf_append(out, text, strcspn(text, "<"));
		buf_putc(out, ' ');
		buf_clear(&one);
	}
	buf_finish(&one);
	assert_int_equal(n, fanout_stanzas(fanout));
	return buf_text(out);
}

/* Whatever is in an address, wherever it is: what the writer makes of it is sent, or nothing. */
static void
every_byte_in_every_place_of_an_address_is_escaped(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct buf text = { 0 }, out = { 0 };
	char to[40];

	for (size_t len = 1; len < sizeof(to); len++) {
		struct fanout *fanout = fanout_create();
		int v = fanout_variant(fanout, message(pool, "x"), STREAM_MESSAGE, 256 << 10);

		buf_clear(&text);
		for (unsigned i = 0; i < 255 * len; i++) {
			size_t start = text.len;

			memset(to, 'a', sizeof(to));
			to[i % len] = (char)(i / len + 1);
			to[len] = '\0';
			if (xml_write_escaped(&text, to, len) < 0) {
				assert_true(fanout_add(fanout, v, to, NULL) < 0);
				text.len = start;
			} else {
				assert_int_equal(fanout_add(fanout, v, to, NULL), ANNEX_OK);
				buf_puts(&text, ":x ");
			}
		}
		assert_string_equal(expand(fanout, &out), buf_text(&text));
		fanout_unref(&fanout);
	}
	buf_finish(&text);
	buf_finish(&out);
	annex_pool_destroy(&pool);
}

static struct body *
body_of(struct annex_pool *pool, const char *text)
{
	struct body *body;

	assert_int_equal(
	    body_create(pool, message(pool, text), STREAM_MESSAGE, 256 << 10, &body), ANNEX_OK);
	return body;
}

static void
a_body_goes_into_any_number_of_fan_outs_and_outlives_its_pool(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct fanout *first = fanout_create(), *second = fanout_create();
	struct body *body = body_of(pool, "a"), *dropped = body_of(pool, "b");
	struct buf out = { 0 };
	size_t held, again;

	assert_int_equal(fanout_body(first, body), 0);
	assert_int_equal(fanout_body(second, dropped), 0);
	assert_int_equal(fanout_body(second, body), 1);
	assert_int_equal(fanout_add(first, 0, "x@a.test", NULL), ANNEX_OK);
	assert_int_equal(fanout_add(second, 0, "y@a.test", NULL), ANNEX_OK);
	assert_int_equal(fanout_add(second, 1, "z@a.test", NULL), ANNEX_OK);
	held = fanout_hold(first);
	again = fanout_hold(second);
	assert_int_equal(fanout_hold(second), 0); /* in line twice */
	body_drop(&dropped);
	assert_null(dropped);
	body_drop(&dropped);
	annex_pool_destroy(&pool);
	assert_string_equal(expand(first, &out), "x@a.test:a ");
	assert_string_equal(expand(second, &out), "y@a.test:b z@a.test:a ");
	/* What both hold is accounted once. */
	held += again;
	again = fanout_release(first);
	assert_int_equal(fanout_release(second), 0);
	assert_int_equal(again + fanout_release(second), held);
	fanout_unref(&first);
	fanout_unref(&second);
	buf_finish(&out);
}

static void
one_may_be_told_of_all(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct fanout *fanout = fanout_create();
	struct buf out = { 0 };
	char text[12], part[40];

	assert_int_equal(fanout_add_each(fanout, "x@a.test"), ANNEX_OK);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(fanout_body(fanout, i == 3 ? NULL : body_of(pool, text)), i);
	}
	assert_int_equal(fanout_add(fanout, 7, "y@a.test", NULL), ANNEX_OK);
	assert_int_equal(fanout_add_each(fanout, "z@a.test"), ANNEX_OK);
	assert_int_equal(fanout_stanzas(fanout), 2 * 999 + 1);
	expand(fanout, &out);
	assert_non_null(strstr(buf_text(&out), "x@a.test:2 x@a.test:4 "));
	snprintf(part, sizeof(part), "x@a.test:999 y@a.test:7 z@a.test:0 ");
	assert_non_null(strstr(buf_text(&out), part));
	fanout_unref(&fanout);
	annex_pool_destroy(&pool);
	buf_finish(&out);
}

/* With a@ in group 0, b@ in 1, c@ in 2, d@ in 0. */
static struct audience *
audience_of_four(struct annex_pool *pool)
{
	struct audience *audience = audience_create(pool);

	assert_int_equal(audience_add(audience, 0, "a@a.test", NULL), ANNEX_OK);
	assert_int_equal(audience_add(audience, 1, "b@a.test", NULL), ANNEX_OK);
	assert_int_equal(audience_add(audience, 2, "c@a.test/o'", NULL), ANNEX_OK);
	assert_int_equal(audience_add(audience, 0, "d@a.test", NULL), ANNEX_OK);
	return audience;
}

static size_t
recipients(const struct audience *audience)
{
	size_t n = 0;

	for (size_t i = 0; i < audience->count; i++)
		for (unsigned g = 0; g < AUDIENCE_GROUPS; g++)
			n += audience->slabs[i]->counts[g];
	return n;
}

static struct fanout *
fanout_to(struct audience *audience, struct body *body, const char *const *except)
{
	struct fanout *fanout = fanout_create();

	for (int i = 0; i < 3; i++)
		assert_int_equal(fanout_body(fanout, body), i);
	fanout_audience(fanout, audience, except);
	return fanout;
}

static void
groups_of_an_audience_get_the_variant_of_their_number(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct audience *audience = audience_of_four(pool);
	struct fanout *fanout = fanout_create();
	struct buf out = { 0 };

	assert_int_equal(fanout_body(fanout, NULL), 0);
	assert_int_equal(fanout_body(fanout, body_of(pool, "x")), 1);
	fanout_audience(fanout, audience, NULL);
	assert_int_equal(fanout_body(fanout, body_of(pool, "y")), 2);
	assert_int_equal(fanout_add(fanout, 2, "e@a.test", NULL), ANNEX_OK);
	assert_int_equal(fanout_class(fanout), STREAM_MESSAGE);
	assert_true(audience_move(audience, "d@a.test", 1));
	assert_false(audience_move(audience, "e@a.test", 1));
	/* c@ is in a group that had no variant then; d@ was in another when it was moved. */
	assert_string_equal(expand(fanout, &out), "b@a.test:x e@a.test:y ");
	fanout_unref(&fanout);
	fanout = fanout_create();
	assert_int_equal(fanout_body(fanout, body_of(pool, "z")), 0);
	assert_int_equal(fanout_body(fanout, body_of(pool, "x")), 1);
	fanout_audience(fanout, audience, NULL);
	assert_string_equal(expand(fanout, &out), "a@a.test:z b@a.test:x d@a.test:x ");
	fanout_unref(&fanout);
	annex_pool_destroy(&pool);
	buf_finish(&out);
}

/* A fan-out of every kind of recipient, in no order that matters. */
static struct fanout *
motley(struct annex_pool *pool)
{
	static const char *const except[] = { "a@a.test", NULL };
	struct annex_element *tail = annex_element(pool, "urn:x", "x");
	struct fanout *fanout = fanout_create();
	char to[100];

	assert_int_equal(fanout_body(fanout, body_of(pool, "short")), 0);
	assert_int_equal(fanout_body(fanout, NULL), 1);
	assert_int_equal(
	    fanout_body(fanout, body_of(pool, "a longer one, so that copies differ")), 2);
	for (int i = 0; i < 3000; i++) {
		snprintf(to, sizeof(to), "%0*d@a.test", 1 + i % 80, i);
		if (i % 100 == 99)
			assert_int_equal(fanout_add_each(fanout, to), ANNEX_OK);
		else
			assert_int_equal(
			    fanout_add(fanout, i / 5 % 3, to, i % 7 == 0 ? tail : NULL), ANNEX_OK);
		if (i % 1000 == 500)
			fanout_audience(fanout, audience_of_four(pool), except);
	}
	return fanout;
}

static void
in_pieces_of_any_size_it_is_the_same(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct fanout *fanout = motley(pool);
	struct fanout_place one = { 0 }, many = { 0 };
	size_t held = 0, stanzas = 0;
	struct buf expected = { 0 };
	struct spool_record record;
	struct spool wire;

	spool_init(&wire, &held, false);
	srand(7);
	while (fanout_move(fanout, &many, &wire, STREAM_MESSAGE, 7, 1 + (size_t)rand() % 9000,
		   &stanzas) > 0)
		assert_int_equal(wire.records, stanzas);
	assert_int_equal(stanzas, fanout_stanzas(fanout));
	while (fanout_expand(fanout, &one, &expected)) {
		assert_true(spool_first(&wire, &record));
		assert_int_equal(record.len, expected.len);
		assert_memory_equal(record.bytes, expected.data, expected.len);
		spool_drop_first(&wire);
		buf_clear(&expected);
	}
	assert_int_equal(wire.records, 0);
	spool_finish(&wire);
	buf_finish(&expected);
	fanout_unref(&fanout);
	annex_pool_destroy(&pool);
}

static void
some_of_an_audience_may_be_left_out(void **state)
{
	static const struct {
		const char *except[5], *expected;
	} cases[] = {
		{ { NULL }, "a@a.test:x b@a.test:x c@a.test/o&apos;:x d@a.test:x " },
		{ { "a@a.test", NULL }, "b@a.test:x c@a.test/o&apos;:x d@a.test:x " },
		{ { "d@a.test", "b@a.test", NULL }, "a@a.test:x c@a.test/o&apos;:x " },
		{ { "c@a.test/o'", "c@a.test/o'", "e@a.test", NULL },
		    "a@a.test:x b@a.test:x d@a.test:x " },
		{ { "d@a.test", "c@a.test/o'", "b@a.test", "a@a.test", NULL }, "" },
	};
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct audience *audience = audience_of_four(pool);
	struct body *body = body_of(pool, "x");
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fanout *fanout = fanout_to(audience, body, cases[i].except);

		assert_string_equal(expand(fanout, &out), cases[i].expected);
		fanout_unref(&fanout);
	}
	annex_pool_destroy(&pool);
	buf_finish(&out);
}

static void
a_fan_out_goes_to_who_was_there_when_it_was_made(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct audience *audience = audience_of_four(pool);
	struct body *body = body_of(pool, "x");
	struct fanout *before = fanout_to(audience, body, NULL), *after, *last;
	struct buf out = { 0 };

	assert_int_equal(audience_add(audience, 0, "e@a.test", NULL), ANNEX_OK);
	assert_true(audience_remove(audience, "b@a.test"));
	assert_false(audience_remove(audience, "b@a.test"));
	assert_true(audience_remove(audience, "c@a.test/o'"));
	after = fanout_to(audience, body, NULL);
	while (recipients(audience) > 0)
		assert_true(audience_remove(audience, "a@a.test") ||
		    audience_remove(audience, "d@a.test") || audience_remove(audience, "e@a.test"));
	last = fanout_to(audience, body, NULL);
	annex_pool_destroy(&pool);
	assert_string_equal(
	    expand(before, &out), "a@a.test:x b@a.test:x c@a.test/o&apos;:x d@a.test:x ");
	assert_string_equal(expand(after, &out), "a@a.test:x d@a.test:x e@a.test:x ");
	assert_string_equal(expand(last, &out), "");
	fanout_unref(&before);
	fanout_unref(&after);
	fanout_unref(&last);
	buf_finish(&out);
}

/* People come and go: what is kept for them stays in proportion, and nobody is lost. */
static void
an_audience_stays_small_however_many_pass_through(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct audience *audience = audience_create(pool);
	struct body *body = body_of(pool, "x");
	struct fanout *fanout;
	size_t size = 0;
	char to[40];

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(to, sizeof(to), "user%u@example.org/phone", i);
		assert_int_equal(audience_add(audience, i % 3, to, NULL), ANNEX_OK);
		if (i % 1000 == 7) /* stays, as do the last hundred */
			continue;
		if (i >= 100 && (i - 100) % 1000 != 7) {
			snprintf(to, sizeof(to), "user%u@example.org/phone", i - 100);
			assert_true(audience_remove(audience, to));
		}
	}
	assert_in_range(recipients(audience), 100, 140);
	for (size_t i = 0; i < audience->count; i++)
		size += audience->slabs[i]->size;
	assert_true(size < 32 << 10);
	fanout = fanout_to(audience, body, NULL);
	assert_int_equal(fanout_stanzas(fanout), recipients(audience));
	fanout_unref(&fanout);
	annex_pool_destroy(&pool);
}

static void
it_lives_as_long_as_somebody_holds_it(void **state)
{
	struct fanout *fanout = fanout_create(), *second = fanout_ref(fanout);

	fanout_unref(&fanout);
	assert_null(fanout);
	assert_int_equal(fanout_stanzas(second), 0);
	fanout_unref(&second);
	fanout_unref(&second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recipient_gets_the_variant_and_the_tail_that_is_his),
		cmocka_unit_test(what_xml_cannot_carry_is_refused_and_the_rest_stays),
		cmocka_unit_test(ten_thousand_recipients_cost_less_than_64_bytes_each),
		cmocka_unit_test(a_fanout_of_one_recipient_is_small),
		cmocka_unit_test(a_body_goes_into_any_number_of_fan_outs_and_outlives_its_pool),
		cmocka_unit_test(every_byte_in_every_place_of_an_address_is_escaped),
		cmocka_unit_test(one_may_be_told_of_all),
		cmocka_unit_test(groups_of_an_audience_get_the_variant_of_their_number),
		cmocka_unit_test(in_pieces_of_any_size_it_is_the_same),
		cmocka_unit_test(some_of_an_audience_may_be_left_out),
		cmocka_unit_test(a_fan_out_goes_to_who_was_there_when_it_was_made),
		cmocka_unit_test(an_audience_stays_small_however_many_pass_through),
		cmocka_unit_test(it_lives_as_long_as_somebody_holds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
