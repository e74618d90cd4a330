/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_parser.c - a stream of bytes becomes a queue of stanzas
 *
 * What a text gives is compared as show.h writes it.  Every text is parsed
 * in one piece, byte by byte and in random pieces, and must give the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>
#include <cmocka.h>

#include "base/clock.h"
#include "show.h"

#define HEAD                                                          \
	"<?xml version='1.0'?><stream:stream xmlns='" ANNEX_NS_STANZA \
	"' xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='rooms.example'>"
#define OPEN "open {http://etherx.jabber.org/streams}stream[id=\"s1\" from=\"rooms.example\"]\n"

struct result {
	struct buf shown;
	int status;
	char why[200];
};

/* Feed text in pieces of at most most bytes; random pieces where random is not NULL. */
static void
run(struct result *result, const struct xml_limits *limits, const char *text, size_t len,
    size_t most, struct random *random)
{
	struct xml_parser *p = xml_parser_create(limits, 4711);
	size_t n;

	*result = (struct result) { 0 };
	while (len > 0 && result->status == ANNEX_OK) {
		n = random != NULL ? 1 + random_below(random, (uint32_t)most) : most;
		if (n > len)
			n = len;
		result->status = xml_parser_feed(p, text, n);
		if (result->status == ANNEX_OK && (random == NULL || random_below(random, 2)))
			result->status = xml_parser_flush(p);
		show_events(&result->shown, p);
		text += n;
		len -= n;
	}
	if (result->status == ANNEX_OK)
		result->status = xml_parser_flush(p);
	show_events(&result->shown, p);
	strcpy(result->why, xml_parser_why(p));
	xml_parser_destroy(&p);
}

static void
assert_same(const struct result *a, struct result *b)
{
	assert_string_equal(buf_text(&a->shown), buf_text(&b->shown));
	assert_int_equal(a->status, b->status);
	assert_string_equal(a->why, b->why);
	buf_finish(&b->shown);
}

/* Parse in all kinds of pieces; the caller frees what was shown. */
static struct result
parse_long(const struct xml_limits *limits, const char *text, size_t len)
{
	static const size_t mosts[] = { 2, 7, 64, 600, 5000, 100000 };
	struct result whole, pieces;
	struct random random;

	run(&whole, limits, text, len, len, NULL);
	for (uint64_t seed = 0; seed < 12; seed++) {
		random_init_seeded(&random, seed);
		if (mosts[seed % 6] * 5000 < len)
			continue;
		run(&pieces, limits, text, len, mosts[seed % 6], &random);
		assert_same(&whole, &pieces);
	}
	if (len < 20000) {
		run(&pieces, limits, text, len, 1, NULL);
		assert_same(&whole, &pieces);
	}
	return whole;
}

static void
assert_gives_within(const struct xml_limits *limits, const char *text, const char *expected)
{
	struct result result = parse_long(limits, text, strlen(text));

	assert_string_equal(buf_text(&result.shown), expected);
	assert_string_equal(result.why, "");
	assert_int_equal(result.status, ANNEX_OK);
	buf_finish(&result.shown);
}

static void
assert_gives(const char *text, const char *expected)
{
	assert_gives_within(&xml_limits_default, text, expected);
}

static void __attribute__((unused))
assert_fails(const char *text, const char *expected, const char *why)
{
	struct result result = parse_long(&xml_limits_default, text, strlen(text));

	assert_string_equal(buf_text(&result.shown), expected);
	assert_int_equal(result.status, ANNEX_EINVAL);
	assert_string_equal(result.why, why);
	buf_finish(&result.shown);
}

/* Streams. */

static void
a_stream_opens_carries_stanzas_and_closes(void **state)
{
	assert_gives(HEAD "<message from='a@b/c' to='d'><body>Hi there</body></message>"
			  "<presence/>\n</stream:stream>",
	    OPEN "stanza 60 message[from=\"a@b/c\" to=\"d\"](body(\"Hi there\"))\n"
		 "stanza 11 presence\n"
		 "close\n");
}

static void
white_space_between_stanzas_is_nobodys(void **state)
{
	assert_gives(HEAD " \n\t\r\n<presence/> \n <presence/>\n \n",
	    OPEN "stanza 11 presence\nstanza 11 presence\n");
}

static void
comments_and_instructions_between_stanzas_are_ignored(void **state)
{
	assert_gives(HEAD "<!-- a --><presence/><?b c?><presence/>",
	    OPEN "stanza 11 presence\nstanza 11 presence\n");
}

/* Text. */

static void
adjacent_text_is_one_run(void **state)
{
	assert_gives(HEAD
	    "<a>a&lt;b&gt;c&amp;d&apos;e&quot;f&#65;&#x42;\nnew\r\nline<![CDATA[<x>]]>]]</a>",
	    OPEN "stanza 76 a(\"a<b>c&d'e\\22fAB\\0anew\\0aline<x>]]\")\n");
	assert_gives(HEAD "<a>one<b/>two<b>&#13;</b>three</a>",
	    OPEN "stanza 34 a(\"one\" b \"two\" b(\"\\0d\") \"three\")\n");
}

static void
cdata_is_plain_text(void **state)
{
	assert_gives(HEAD "<a><![CDATA[<b>&amp;</b>]]><![CDATA[]]></a><a><![CDATA[]]></a>",
	    OPEN "stanza 43 a(\"<b>&amp;</b>\")\nstanza 19 a\n");
}

static void
text_of_any_script_arrives_as_it_was(void **state)
{
	assert_gives(HEAD
	    "<a t='\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6'>\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6</a>",
	    OPEN "stanza 30 a[t=\"\\c3\\a9\\e2\\82\\ac\\f0\\9f\\90\\a6\"]"
		 "(\"\\c3\\a9\\e2\\82\\ac\\f0\\9f\\90\\a6\")\n");
}

/* Namespaces. */

static void
namespaces_hold_where_they_were_declared(void **state)
{
	assert_gives(HEAD
	    "<iq><query xmlns='urn:q'><item/><x xmlns=''><y/></x><item/></query><z/></iq>",
	    OPEN "stanza 76 iq({urn:q}query({urn:q}item {}x({}y) {urn:q}item) z)\n");
	assert_gives(HEAD "<iq xmlns:q='urn:q'><q:query q:a='1' a='2'><item/>"
			  "<q:x xmlns:q='urn:r' q:a='3'/><q:x/></q:query></iq>",
	    OPEN "stanza 101 iq({urn:q}query[{urn:q}a=\"1\" a=\"2\"](item "
		 "{urn:r}x[{urn:r}a=\"3\"] {urn:q}x))\n");
}

static void
a_prefix_of_the_root_holds_in_stanzas(void **state)
{
	assert_gives(HEAD "<stream:error><a/></stream:error><b stream:c='d'/>",
	    OPEN "stanza 33 {http://etherx.jabber.org/streams}error(a)\n"
		 "stanza 17 b[{http://etherx.jabber.org/streams}c=\"d\"]\n");
}

static void
xml_needs_no_declaration(void **state)
{
	assert_gives(HEAD "<a xml:lang='de'/><xml:a/><a xmlns:xml='" ANNEX_NS_XML "' xml:id='i'/>",
	    OPEN "stanza 18 a[{" ANNEX_NS_XML "}lang=\"de\"]\n"
		 "stanza 8 {" ANNEX_NS_XML "}a\n"
		 "stanza 64 a[{" ANNEX_NS_XML "}id=\"i\"]\n");
}

static void
a_default_namespace_of_the_server_outlives_the_parser(void **state)
{
	struct xml_parser *p = xml_parser_create(&xml_limits_default, 1);
	static const char text[] = "<s xmlns='urn:x' xmlns:y='urn:y'><a/><y:b/>";
	struct xml_event *event[3];

	assert_int_equal(xml_parser_feed(p, text, sizeof(text) - 1), ANNEX_OK);
	for (int i = 0; i < 3; i++)
		assert_non_null(event[i] = xml_parser_next(p));
	xml_parser_destroy(&p);
	assert_string_equal(event[1]->element->ns, "urn:x");
	assert_string_equal(event[2]->element->ns, "urn:y");
	for (int i = 0; i < 3; i++)
		xml_event_free(NULL, event[i]);
}

static void
namespace_errors_skip_one_stanza(void **state)
{
	static const char *const bad[] = {
		"<m id='1'><p:a/></m>",
		"<m id='1'><a p:b=''/></m>",
		"<m id='1' p:b=''/>",
		"<m id='1' xmlns:xml='urn:x'/>",
		"<m id='1' xmlns:p='" ANNEX_NS_XML "'/>",
		"<m id='1'><a xmlns='" ANNEX_NS_XML "'/></m>",
		"<m id='1' xmlns:xmlns='urn:x'/>",
		"<m id='1' xmlns:p='http://www.w3.org/2000/xmlns/'/>",
		"<m id='1'><a xmlns='http://www.w3.org/2000/xmlns/'/></m>",
		"<m id='1' xmlns:p=''/>",
		"<m id='1' xmlns:='urn:x'/>",
		"<m id='1' xmlns:1='urn:x'/>",
		"<m id='1' xmlns:a:b='urn:x'/>",
		"<m id='1'><xmlns:a/></m>",
		"<m id='1'><:a/></m>",
		"<m id='1'><a:/></m>",
		"<m id='1' xmlns:p='urn:p'><p:1/></m>",
		"<m id='1' xmlns:p='urn:p'><p:a:b/></m>",
		"<m id='1' xmlns:p='urn:p'><p:\xcc\x80/></m>",
		"<m id='1' xmlns:p='urn:x' xmlns:q='urn:x' p:a='1' q:a='2'/>",
		"<m id='1' xmlns:p='urn:x'><a xmlns:q='urn:x' p:a='1' b='' q:a='2'/></m>",
		"<m id='1'><a xmlns:p='urn:x'/><p:b/></m>",
	};
	struct buf text = { 0 }, expected = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&text);
		buf_clear(&expected);
		buf_printf(&text, "%s%s<presence/>", HEAD, bad[i]);
		buf_printf(&expected, "%sskipped namespace %zu m[id=\"1\"]\nstanza 11 presence\n",
		    OPEN, strlen(bad[i]));
		assert_gives(buf_text(&text), buf_text(&expected));
	}
	buf_finish(&text);
	buf_finish(&expected);
}

static void
a_stanza_with_an_unbound_prefix_keeps_its_name_as_written(void **state)
{
	assert_gives(HEAD "<p:message from='a'><b/></p:message>",
	    OPEN "skipped namespace 36 {}p:message[from=\"a\"]\n");
	assert_gives(HEAD "<iq xmlns='urn:x' p:a='' type='get'/>",
	    OPEN "skipped namespace 37 {urn:x}iq[type=\"get\"]\n");
}

/* Markup. */

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_opens_carries_stanzas_and_closes),
		cmocka_unit_test(white_space_between_stanzas_is_nobodys),
		cmocka_unit_test(comments_and_instructions_between_stanzas_are_ignored),
		cmocka_unit_test(adjacent_text_is_one_run),
		cmocka_unit_test(cdata_is_plain_text),
		cmocka_unit_test(text_of_any_script_arrives_as_it_was),
		cmocka_unit_test(namespaces_hold_where_they_were_declared),
		cmocka_unit_test(a_prefix_of_the_root_holds_in_stanzas),
		cmocka_unit_test(xml_needs_no_declaration),
		cmocka_unit_test(a_default_namespace_of_the_server_outlives_the_parser),
		cmocka_unit_test(namespace_errors_skip_one_stanza),
		cmocka_unit_test(a_stanza_with_an_unbound_prefix_keeps_its_name_as_written),
		cmocka_unit_test(a_comment_or_instruction_inside_skips_the_stanza),
		cmocka_unit_test(a_stanza_may_be_as_large_as_the_limit),
		cmocka_unit_test(a_large_tag_is_skipped_too),
		cmocka_unit_test(depth_counts_the_stanza_itself),
		cmocka_unit_test(attributes_count_declarations),
		cmocka_unit_test(prefixes_count_in_the_whole_stanza),
		cmocka_unit_test(elements_count_in_the_whole_stanza),
		cmocka_unit_test(what_answers_need_is_kept_where_it_can_be_a_jid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
