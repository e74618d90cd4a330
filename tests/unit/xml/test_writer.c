/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_writer.c - trees become bytes
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <annex/pool.h>
#include <cmocka.h>

#include "base/clock.h"
#include "show.h"
#include "xml/writer.h"

struct fixture {
	struct annex_pool *pool;
	struct buf buf;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture) { .pool = annex_pool_create(NULL, "test") };
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	annex_pool_destroy(&f->pool);
	buf_finish(&f->buf);
	return 0;
}

static void
assert_writes(struct fixture *f, const struct annex_element *el, const char *expected)
{
	buf_clear(&f->buf);
	assert_int_equal(xml_write(&f->buf, el, ANNEX_NS_STANZA), ANNEX_OK);
	assert_string_equal(buf_text(&f->buf), expected);
}

static void
a_stanza_is_written_without_its_namespace(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el = annex_element(f->pool, ANNEX_NS_STANZA, "message");

	annex_attr_set(el, "to", "a@b");
	assert_writes(f, el, "<message to='a@b'/>");
	annex_add_text(el, NULL, "body", "hi");
	assert_writes(f, el, "<message to='a@b'><body>hi</body></message>");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_stanza_is_written_without_its_namespace, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
