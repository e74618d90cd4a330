/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_skip.c - which stanzas are given up, and what is left of them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pieces.h"

static void
a_comment_or_instruction_inside_skips_the_stanza(void **state)
{
	assert_gives(HEAD "<iq id='1'><a><!-- x --></a><b/></iq><iq id='2'><?x y?></iq><presence/>",
	    OPEN "skipped markup 37 iq[id=\"1\"]\nskipped markup 23 iq[id=\"2\"]\n"
		 "stanza 11 presence\n");
}

/* Limits. */

static const struct xml_limits small = {
	.stanza_bytes = 100,
	.token_bytes = 300,
	.depth = 4,
	.attributes = 4,
	.namespaces = 3,
	.elements = 6,
};

static void
a_stanza_may_be_as_large_as_the_limit(void **state)
{
	assert_gives_within(&small,
	    HEAD "<m>456789 123456789 123456789 123456789 123456789 123456789 123456789 "
		 "123456789 123456789 123456</m>"
		 "<n id='n'>9 123456789 123456789 123456789 123456789 123456789 123456789 "
		 "123456789 123456789 1234567</n>"
		 "<presence/>",
	    OPEN "stanza 100 m(\"456789 123456789 123456789 123456789 123456789 123456789 "
		 "123456789 123456789 123456789 123456\")\n"
		 "skipped size 103 n[id=\"n\"]\n"
		 "stanza 11 presence\n");
}

static void
a_large_tag_is_skipped_too(void **state)
{
	assert_gives_within(&small,
	    HEAD "<m id='a' from='b' too-long='456789 123456789 123456789 123456789 123456789 "
		 "123456789 123456789 123456789 123456789 123456'/><presence/>",
	    OPEN "skipped size 125 m[id=\"a\" from=\"b\"]\nstanza 11 presence\n");
}

static void
depth_counts_the_stanza_itself(void **state)
{
	assert_gives_within(&small,
	    HEAD "<a><b><c><d/><d/></c></b></a><a id='1'><b><c><d><e/>x</d></c></b></a><a/>",
	    OPEN "stanza 29 a(b(c(d d)))\nskipped depth 40 a[id=\"1\"]\nstanza 4 a\n");
}

static void
attributes_count_declarations(void **state)
{
	assert_gives_within(&small,
	    HEAD "<a b='' c='' d='' e=''/><a b='' c='' d='' e='' f='' to='x'/>"
		 "<a id='1'><a b='' c='' d='' e='' xmlns='x'/></a><a/>",
	    OPEN "stanza 24 a[b=\"\" c=\"\" d=\"\" e=\"\"]\nskipped attributes 36 a[to=\"x\"]\n"
		 "skipped attributes 48 a[id=\"1\"]\nstanza 4 a\n");
}

static void
prefixes_count_in_the_whole_stanza(void **state)
{
	assert_gives_within(&small,
	    HEAD "<a xmlns='u'><b xmlns:p='v'/><b xmlns:p='v' xmlns='w'/><b xmlns:p='v'/></a>"
		 "<a><b xmlns:p='v'/><b xmlns:p='v' xmlns:q='v'/><b xmlns:p='v'/></a><a/>",
	    OPEN "stanza 75 {u}a({u}b {w}b {u}b)\nskipped attributes 67 a\nstanza 4 a\n");
}

static void
elements_count_in_the_whole_stanza(void **state)
{
	assert_gives_within(&small,
	    HEAD "<a><b/><b/><b/><b/><b/></a><a><b/><b/><b/><b/><b/><b/></a>",
	    OPEN "stanza 27 a(b b b b b)\nskipped size 31 a\n");
}

static void
what_answers_need_is_kept_where_it_can_be_a_jid(void **state)
{
	struct buf text = { 0 }, expected = { 0 };

	buf_puts(&text, HEAD "<iq type='get' xml:lang='de' x='y' id='1' to='");
	for (int i = 0; i < 3072; i++)
		buf_putc(&text, 't');
	buf_puts(&text, "' from='");
	buf_puts(&expected, OPEN "skipped markup 6140 iq[type=\"get\" id=\"1\" from=\"");
	for (int i = 0; i < 3000; i++) {
		buf_putc(&text, 'f');
		buf_putc(&expected, 'f');
	}
	buf_puts(&text, "'><!----></iq>");
	buf_puts(&expected, "\"]\n");
	assert_gives(buf_text(&text), buf_text(&expected));
	buf_finish(&text);
	buf_finish(&expected);
}

static void
a_skip_has_words_for_people(void **state)
{
	for (int skip = XML_SKIP_NONE; skip <= XML_SKIP_MARKUP; skip++)
		assert_true(strlen(xml_skip_text((enum xml_skip)skip)) > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_comment_or_instruction_inside_skips_the_stanza),
		cmocka_unit_test(a_stanza_may_be_as_large_as_the_limit),
		cmocka_unit_test(a_large_tag_is_skipped_too),
		cmocka_unit_test(depth_counts_the_stanza_itself),
		cmocka_unit_test(attributes_count_declarations),
		cmocka_unit_test(prefixes_count_in_the_whole_stanza),
		cmocka_unit_test(elements_count_in_the_whole_stanza),
		cmocka_unit_test(what_answers_need_is_kept_where_it_can_be_a_jid),
		cmocka_unit_test(a_skip_has_words_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
