/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_mam.c - queries to archives (XEP-0313)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <annex/mam.h>

#include "tree.h"

#define FORM(fields)                                                                        \
	"<query xmlns='urn:xmpp:mam:2' queryid='q' node='n'><x xmlns='jabber:x:data' "      \
	"type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>" fields \
	"</x><flip-page/></query>"
#define FIELD(var, value) "<field var='" var "'><value>" value "</value></field>"

static int
read_query(struct annex_pool *pool, const char *query, bool fulltext, struct annex_mam_query *q)
{
	const char *why;

	return annex_mam_read(q, tree_of(pool, query), fulltext, pool, &why);
}

static void
test_what_is_not_asked_is_open(void **state)
{
	struct annex_mam_query q;

	assert_int_equal(read_query(*state, "<query xmlns='urn:xmpp:mam:2'/>", true, &q), ANNEX_OK);
	assert_true(q.start_ms == INT64_MIN && q.end_ms == INT64_MAX);
	assert_true(q.with == NULL && q.after_id == NULL && q.before_id == NULL);
	assert_true(q.fulltext == NULL && q.query_id == NULL && q.node == NULL);
	assert_int_equal(q.ids.count, 0);
	assert_false(q.flip);
}

static void
test_what_is_asked_is_read(void **state)
{
	struct annex_mam_query q;

	assert_int_equal(read_query(*state,
			     FORM(FIELD("with", "A@b.C/d") FIELD("start", "1970-01-01T00:00:01Z")
				     FIELD("after-id", "7") FIELD("ids", "8")
					 FIELD("{urn:xmpp:fulltext:0}fulltext", "moor")),
			     true, &q),
	    ANNEX_OK);
	assert_string_equal(q.with->full, "a@b.c/d");
	assert_true(q.start_ms == 1000);
	assert_string_equal(q.after_id, "7");
	assert_int_equal(q.ids.count, 1);
	assert_string_equal(q.fulltext, "moor");
	assert_string_equal(q.query_id, "q");
	assert_string_equal(q.node, "n");
	assert_true(q.flip);
}

static void
test_words_are_for_who_offers_them(void **state)
{
	struct annex_mam_query q;

	assert_int_equal(
	    read_query(*state, FORM(FIELD("{urn:xmpp:fulltext:0}fulltext", "moor")), false, &q),
	    ANNEX_EDENIED);
}

/* A small query is no means to have a large answer repeated in each result. */
static void
test_no_queryid_that_is_long(void **state)
{
	struct annex_mam_query q;
	char text[400];

	snprintf(text, sizeof(text), "<query xmlns='urn:xmpp:mam:2' queryid='%0255d'/>", 0);
	assert_int_equal(read_query(*state, text, true, &q), ANNEX_OK);
	snprintf(text, sizeof(text), "<query xmlns='urn:xmpp:mam:2' queryid='%0256d'/>", 0);
	assert_int_equal(read_query(*state, text, true, &q), ANNEX_EINVAL);
}

static void
test_no_dates_and_no_jids(void **state)
{
	struct annex_mam_query q;

	assert_int_equal(
	    read_query(*state, FORM(FIELD("start", "yesterday")), false, &q), ANNEX_EINVAL);
	assert_int_equal(read_query(*state, FORM(FIELD("with", "@")), false, &q), ANNEX_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_asked_is_open),
		cmocka_unit_test(test_what_is_asked_is_read),
		cmocka_unit_test(test_words_are_for_who_offers_them),
		cmocka_unit_test(test_no_queryid_that_is_long),
		cmocka_unit_test(test_no_dates_and_no_jids),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
