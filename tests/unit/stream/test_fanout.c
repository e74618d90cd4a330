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

#include <cmocka.h>

#include <annex/pool.h>

#include "stream/fanout.h"

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
	size_t place = 0;
	int hidden, shown;

	annex_attr_set(tail, "jid", "real@a.test");
	hidden = fanout_variant(fanout, message(pool, "hi"));
	shown = fanout_variant(fanout, message(pool, NULL));
	assert_true(hidden >= 0 && shown >= 0 && hidden != shown);
	assert_int_equal(fanout_add(fanout, hidden, "a@a.test/1", NULL), ANNEX_OK);
	assert_int_equal(fanout_add(fanout, hidden, "b@a.test/o'<&", tail), ANNEX_OK);
	assert_int_equal(fanout_add(fanout, shown, "c@a.test", tail), ANNEX_OK);
	assert_int_equal(fanout_recipients(fanout), 3);
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
	size_t place = 0;
	char *longest;
	int v;

	assert_true(fanout_variant(fanout, message(pool, "\x01")) < 0);
	longest = annex_pool_zalloc(pool, (256 << 10) + 1);
	memset(longest, 'x', 256 << 10);
	assert_int_equal(fanout_variant(fanout, message(pool, longest)), ANNEX_ELIMIT);
	v = fanout_variant(fanout, message(pool, "ok"));
	assert_true(v >= 0);
	assert_true(fanout_add(fanout, v, "a\x02@a.test", NULL) < 0);
	longest = annex_pool_zalloc(pool, 70001);
	memset(longest, 'x', 70000);
	assert_int_equal(fanout_add(fanout, v, longest, NULL), ANNEX_ELIMIT);
	assert_int_equal(fanout_recipients(fanout), 0);
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
	size_t place = 0, n = 0, before;
	int v = fanout_variant(fanout, message(pool, "hello, everybody"));
	char to[64], part[80];

	before = fanout_memory(fanout);
	for (int i = 0; i < 10000; i++) {
		snprintf(to, sizeof(to), "user%d@example.org/phone", i);
		assert_int_equal(fanout_add(fanout, v, to, NULL), ANNEX_OK);
	}
	assert_true(fanout_memory(fanout) - before < 10000 * 64);
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
	int v = fanout_variant(fanout, message(pool, "hi"));

	assert_int_equal(fanout_add(fanout, v, "a@a.test", NULL), ANNEX_OK);
	assert_true(fanout_memory(fanout) < 2048);
	fanout_unref(&fanout);
	annex_pool_destroy(&pool);
}

static void
it_lives_as_long_as_somebody_holds_it(void **state)
{
	struct fanout *fanout = fanout_create(), *second = fanout_ref(fanout);

	fanout_unref(&fanout);
	assert_null(fanout);
	assert_int_equal(fanout_recipients(second), 0);
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
		cmocka_unit_test(it_lives_as_long_as_somebody_holds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
