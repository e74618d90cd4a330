/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_delay.c - delay stamps (XEP-0203)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <annex/datetime.h>

#include "tree.h"

static void
test_a_stamp_is_written(void **state)
{
	struct annex_element *stanza = stanza_in(*state, "message");

	annex_delay_add(stanza, "den@rooms.test", 1795253400123, "Offline");
	annex_delay_add(stanza, NULL, 0, NULL);
	assert_string_equal(text_within(*state, stanza),
	    "<delay xmlns='urn:xmpp:delay' from='den@rooms.test' "
	    "stamp='2026-11-21T09:30:00.123Z'>Offline</delay>"
	    "<delay xmlns='urn:xmpp:delay' stamp='1970-01-01T00:00:00Z'/>");
}

static void
test_the_stamp_of_who_is_asked_for_is_read(void **state)
{
	struct annex_element *stanza = stanza_in(*state, "message");
	int64_t wall_ms = -1;

	assert_int_equal(annex_delay_read(stanza, NULL, &wall_ms), ANNEX_ENOENT);
	annex_delay_add(stanza, NULL, 1000, NULL);
	annex_delay_add(stanza, "a.test", 2000, NULL);
	annex_delay_add(stanza, "b.test", 3000, NULL);
	assert_int_equal(annex_delay_read(stanza, NULL, &wall_ms), ANNEX_OK);
	assert_int_equal(wall_ms, 1000);
	assert_int_equal(annex_delay_read(stanza, "b.test", &wall_ms), ANNEX_OK);
	assert_int_equal(wall_ms, 3000);
	assert_int_equal(annex_delay_read(stanza, "c.test", &wall_ms), ANNEX_ENOENT);
}

static void
test_a_stamp_that_is_no_date_is_refused(void **state)
{
	int64_t wall_ms;

	assert_int_equal(
	    annex_delay_read(tree_of(*state,
				 "<message xmlns='jabber:component:accept'>"
				 "<delay xmlns='urn:xmpp:delay' stamp='20020910T23:08:25'/>"
				 "</message>"),
		NULL, &wall_ms),
	    ANNEX_EINVAL);
	assert_int_equal(annex_delay_read(tree_of(*state,
					      "<message xmlns='jabber:component:accept'>"
					      "<delay xmlns='urn:xmpp:delay'/></message>"),
			     NULL, &wall_ms),
	    ANNEX_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stamp_is_written),
		cmocka_unit_test(test_the_stamp_of_who_is_asked_for_is_read),
		cmocka_unit_test(test_a_stamp_that_is_no_date_is_refused),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
