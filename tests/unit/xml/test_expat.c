/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_expat.c - what strangers can make expat keep is bounded
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <malloc.h>

#include <cmocka.h>

#include "base/pool.h"
#include "pieces.h"
#include "show.h"

#ifdef POOL_ASAN
/* Of sanitizer/allocator_interface.h, which gcc does not bring along. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

/* What one user sends, however large, is skipped in little memory. */

static size_t
heap_bytes(void)
{
#ifdef POOL_ASAN
	return __sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 all = mallinfo2();

	/* Large blocks are maps of their own, and counted apart. */
	return all.uordblks + all.hblkhd;
#endif
}

/* The most that the heap ever grows while text is fed, in slices as a socket gives them. */
static size_t
heap_growth(struct buf *shown, const struct buf *text)
{
	struct xml_parser *p = xml_parser_create(&xml_limits_default, 4711);
	size_t before = heap_bytes() - shown->room, most = before, n;

	for (size_t at = 0; at < text->len; at += n) {
		n = text->len - at < 65536 ? text->len - at : 65536;
		assert_int_equal(xml_parser_feed(p, text->data + at, n), ANNEX_OK);
		if (heap_bytes() - shown->room > most)
			most = heap_bytes() - shown->room;
		show_events(shown, p);
	}
	assert_int_equal(xml_parser_flush(p), ANNEX_OK);
	show_events(shown, p);
	xml_parser_destroy(&p);
	return most - before;
}

static void
assert_skips_in(size_t most, struct buf *text, const char *expected)
{
	struct buf shown = { 0 };
	size_t growth;

	buf_puts(text, "<presence/>");
	growth = heap_growth(&shown, text);
	assert_string_equal(buf_text(&shown), expected);
	assert_in_range(growth, 0, most);
	buf_finish(&shown);
	buf_finish(text);
}

static void
a_stanza_of_10_megabytes_is_skipped_in_little_memory(void **state)
{
	struct buf text = repeated(HEAD "<message id='1' from='a'><body>",
	    "a long story that never ends, and then another one\n", 200000, "</body></message>");

	assert_skips_in(4 << 20, &text,
	    OPEN "skipped size 10200048 message[id=\"1\" from=\"a\"]\nstanza 11 presence\n");
}

static void
a_large_stanza_of_markup_is_skipped_in_little_memory(void **state)
{
	struct buf text = repeated(
	    HEAD "<message id='1'>", "<a b='c'/>&lt;<![CDATA[<x>]]>", 300000, "</message>");

	assert_skips_in(
	    8 << 20, &text, OPEN "skipped size 8700026 message[id=\"1\"]\nstanza 11 presence\n");
}

static void
a_hundred_thousand_levels_are_skipped_in_little_memory(void **state)
{
	struct buf text = repeated(HEAD "<message id='1'>", "<a>", 100000, "");

	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "</a>");
	buf_puts(&text, "</message>");
	assert_skips_in(
	    24 << 20, &text, OPEN "skipped depth 700026 message[id=\"1\"]\nstanza 11 presence\n");
}

static void
ten_thousand_attributes_are_skipped_in_little_memory(void **state)
{
	struct buf text = repeated(HEAD, "", 0, "<message id='1'><a");

	for (int i = 0; i < 10000; i++)
		buf_printf(&text, " a%d='%d'", i, i);
	buf_puts(&text, " id='2'/></message>");
	assert_skips_in(8 << 20, &text,
	    OPEN "skipped attributes 127817 message[id=\"1\"]\nstanza 11 presence\n");
}

static void
names_never_seen_before_do_not_fill_memory(void **state)
{
	struct buf text = { 0 }, shown = { 0 };
	size_t growth;

	buf_puts(&text, HEAD);
	for (int i = 0; i < 300000; i++)
		buf_printf(&text, "<m><n%d a%d=''/></m>", i, i);
	growth = heap_growth(&shown, &text);
	assert_in_range(growth, 0, 24 << 20);
	assert_non_null(strstr(buf_text(&shown), "stanza 28 m(n299999[a299999=\"\"])\n"));
	buf_finish(&text);

	/* The same within one stanza. */
	buf_clear(&shown);
	buf_puts(&text, HEAD "<m>");
	for (int i = 0; i < 300000; i++)
		buf_printf(&text, "<n%d a%d=''/>", i, i);
	buf_puts(&text, "</m>");
	assert_skips_in(8 << 20, &text, OPEN "skipped size 6077787 m\nstanza 11 presence\n");
	buf_finish(&shown);
}

/* Long enough for expat to be replaced many times, at whatever point. */
static void
a_long_stream_loses_and_changes_nothing(void **state)
{
	struct xml_parser *p = xml_parser_create(&xml_limits_default, 4711);
	struct buf text = { 0 }, want = { 0 }, shown = { 0 };
	struct random random;
	size_t n, at = 0;

	random_init_seeded(&random, 7);
	buf_puts(&text, HEAD);
	buf_puts(&want, OPEN);
	for (int i = 0; i < 40000; i++) {
		size_t start = text.len;
		int kind = (int)random_below(&random, 4);

		buf_printf(&text,
		    "<m i='%d' xmlns:p='urn:p'><p:a%d><![CDATA[a]]]>b]]\r\n%s</p:a%d></m>\n", i,
		    kind, kind == 3 ? "<!---->" : "<b/>&amp;&#x20AC;\xe2\x82\xac", kind);
		n = text.len - start - 1;
		if (kind == 3)
			buf_printf(&want, "skipped markup %zu m\n", n);
		else
			buf_printf(&want,
			    "stanza %zu m[i=\"%d\"]({urn:p}a%d(\"a]b]]\\0a\" b "
			    "\"&\\e2\\82\\ac\\e2\\82\\ac\"))\n",
			    n, i, kind);
	}
	while (at < text.len) {
		n = 1 + random_below(&random, random_below(&random, 9) == 0 ? 70000 : 300);
		if (n > text.len - at)
			n = text.len - at;
		assert_int_equal(xml_parser_feed(p, text.data + at, n), ANNEX_OK);
		if (random_below(&random, 3) == 0)
			assert_int_equal(xml_parser_flush(p), ANNEX_OK);
		show_events(&shown, p);
		at += n;
	}
	assert_string_equal(buf_text(&shown), buf_text(&want));
	xml_parser_destroy(&p);
	buf_finish(&text);
	buf_finish(&want);
	buf_finish(&shown);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stanza_of_10_megabytes_is_skipped_in_little_memory),
		cmocka_unit_test(a_large_stanza_of_markup_is_skipped_in_little_memory),
		cmocka_unit_test(a_hundred_thousand_levels_are_skipped_in_little_memory),
		cmocka_unit_test(ten_thousand_attributes_are_skipped_in_little_memory),
		cmocka_unit_test(names_never_seen_before_do_not_fill_memory),
		cmocka_unit_test(a_long_stream_loses_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
