/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_element.c - XML as trees
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <annex/pool.h>
#include <cmocka.h>

#include "show.h"

static int
set_up(void **state)
{
	*state = annex_pool_create(NULL, "test");
	return 0;
}

static int
tear_down(void **state)
{
	struct annex_pool *pool = *state;

	annex_pool_destroy(&pool);
	return 0;
}

static void
assert_shows(const struct annex_element *el, const char *expected)
{
	struct buf buf = { 0 };

	show_element(&buf, el);
	assert_string_equal(buf_text(&buf), expected);
	buf_finish(&buf);
}

static void
children_take_the_namespace_of_their_parent(void **state)
{
	struct annex_element *el = annex_element(*state, "urn:x", "a");

	annex_add(el, NULL, "b");
	annex_add(el, "urn:y", "c");
	assert_shows(el, "{urn:x}a({urn:x}b {urn:y}c)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    children_take_the_namespace_of_their_parent, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
