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

#include <malloc.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/pool.h"
#include "show.h"

#ifdef POOL_ASAN
/* Of sanitizer/allocator_interface.h, which gcc does not bring along. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

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
	struct xml_limits replace_often = *limits;
	struct result whole, pieces;
	struct random random;

	replace_often.expat_bytes = 1;

	run(&whole, limits, text, len, len, NULL);
	for (uint64_t seed = 0; seed < 12; seed++) {
		random_init_seeded(&random, seed);
		if (mosts[seed % 6] * 5000 < len)
			continue;
		run(&pieces, seed < 6 ? limits : &replace_often, text, len, mosts[seed % 6],
		    &random);
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

/* What ends the stream. */

static void
what_is_not_well_formed_is_fatal_but_not_for_what_came_before(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "<a></b>", "mismatched tag at byte 154" },
		{ "<a b='' b=''/>", "duplicate attribute at byte 157" },
		{ "<a b=x/>", "not well-formed (invalid token) at byte 154" },
		{ "<a>\xff</a>", "not well-formed (invalid token) at byte 152" },
		{ "<a>\xc0\xaf</a>", "not well-formed (invalid token) at byte 152" },
		{ "<a>\xed\xa0\x80</a>", "not well-formed (invalid token) at byte 152" },
		{ "<a>\xef\xbf\xbf</a>", "not well-formed (invalid token) at byte 152" },
		{ "<a>\x01</a>", "not well-formed (invalid token) at byte 152" },
		{ "<a>&#0;</a>", "reference to invalid character number at byte 152" },
		{ "<a>&nbsp;</a>", "undefined entity at byte 152" },
		{ "<a>]]></a>", "not well-formed (invalid token) at byte 154" },
		{ "<!DOCTYPE a><a/>", "not well-formed (invalid token) at byte 151" },
		{ "</stream:stream><a/>", "junk after document element at byte 165" },
	};
	struct buf text = { 0 }, why = { 0 }, expected = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&text);
		buf_clear(&why);
		buf_clear(&expected);
		buf_printf(&text, "%s<x/>%s<y/>", HEAD, cases[i].text);
		buf_printf(&why, "XML that is not well-formed: %s", cases[i].why);
		buf_printf(
		    &expected, "%sstanza 4 x\n%s", OPEN, cases[i].text[1] == '/' ? "close\n" : "");
		assert_fails(buf_text(&text), buf_text(&expected), buf_text(&why));
	}
	buf_finish(&text);
	buf_finish(&why);
	buf_finish(&expected);
}

static void
a_document_type_is_refused_before_anything_is_expanded(void **state)
{
	assert_fails("<!DOCTYPE s [<!ENTITY a 'x'><!ENTITY b '&a;&a;&a;'>]>" HEAD "<a>&b;</a>", "",
	    "a document type declaration, which XMPP does not allow");
	assert_fails("<!DOCTYPE s SYSTEM 'http://example.org/x'>" HEAD, "",
	    "a document type declaration, which XMPP does not allow");
}

static void
a_declared_encoding_changes_nothing(void **state)
{
	assert_fails("<?xml version='1.0' encoding='ISO-8859-1'?><s>\xe9</s>", "open {}s\n",
	    "XML that is not well-formed: not well-formed (invalid token) at byte 46");
	assert_gives("<?xml version='1.0' encoding='ISO-8859-1'?><s><a>\xc3\xa9</a>",
	    "open {}s\nstanza 9 {}a(\"\\c3\\a9\")\n");
}

static void
namespace_errors_of_the_root_are_fatal(void **state)
{
	assert_fails("<stream:stream><a/>", "",
	    "the stream's root element has bad namespaces or too many attributes");
	assert_fails("<s xmlns:p='' p:a='1'/>", "",
	    "the stream's root element has bad namespaces or too many attributes");
}

/* times repeats of middle; to be freed. */
static struct buf
repeated(const char *before, const char *middle, size_t times, const char *after)
{
	struct buf text = { 0 };

	buf_puts(&text, before);
	while (times-- > 0)
		buf_puts(&text, middle);
	buf_puts(&text, after);
	return text;
}

static void
a_single_token_above_the_limit_is_fatal_however_it_comes(void **state)
{
	static const struct {
		const char *before, *open, *close;
	} kinds[] = {
		{ "", "<a b='", "'/>" },
		{ "", "<!--", "-->" },
		{ "", "<?p ", "?>" },
		{ "<a>", "<b c='", "'/></a>" },
		{ "<a>", "<!--", "--></a>" },
	};
	struct xml_limits limits = xml_limits_default;
	struct result result;
	struct buf text;
	size_t start, ends;

	limits.token_bytes = 20000;
	for (int i = 0; i < 10; i++) {
		text = repeated(HEAD, "", 0, kinds[i / 2].before);
		start = text.len;
		ends = strchr(kinds[i / 2].close, '>') + 1 - kinds[i / 2].close;
		buf_puts(&text, kinds[i / 2].open);
		while (text.len - start < limits.token_bytes - ends + i % 2)
			buf_putc(&text, 'x');
		buf_puts(&text, kinds[i / 2].close);
		result = parse_long(&limits, text.data, text.len);
		assert_int_equal(result.status, i % 2 == 0 ? ANNEX_OK : ANNEX_EINVAL);
		assert_string_equal(result.why,
		    i % 2 == 0 ? "" : "a single tag or comment of more than 20000 bytes");
		buf_finish(&result.shown);
		buf_finish(&text);
	}
}

static void
a_token_that_never_ends_is_refused_before_it_is_kept(void **state)
{
	struct buf text = repeated(HEAD "<a b='", "0123456789abcdef", (8 << 20) / 16, "");
	struct result result;

	run(&result, &xml_limits_default, text.data, text.len, 1000, NULL);
	assert_int_equal(result.status, ANNEX_EINVAL);
	assert_string_equal(result.why, "a single tag or comment of more than 4194304 bytes");
	buf_finish(&result.shown);
	buf_finish(&text);
}

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

/* Nothing complete waits. */

static size_t
count_events(struct xml_parser *p)
{
	struct xml_event *event;
	size_t n = 0;

	for (; (event = xml_parser_next(p)) != NULL; n++)
		xml_event_free(p, event);
	return n;
}

static void
a_complete_stanza_is_delivered_after_flush_whatever_the_split(void **state)
{
	struct buf text = repeated("<presence from='", "f", 2900, "'/>");
	struct xml_parser *p = xml_parser_create(&xml_limits_default, 4711);
	size_t rest;

	assert_int_equal(xml_parser_feed(p, HEAD, strlen(HEAD)), ANNEX_OK);
	assert_int_equal(count_events(p), 1);
	for (size_t split = 1; split < text.len; split += 7) {
		assert_int_equal(xml_parser_feed(p, text.data, split), ANNEX_OK);
		assert_int_equal(xml_parser_flush(p), ANNEX_OK);
		assert_int_equal(count_events(p), 0);
		rest = text.len - split;
		assert_int_equal(xml_parser_feed(p, text.data + split, rest), ANNEX_OK);
		assert_int_equal(xml_parser_flush(p), ANNEX_OK);
		assert_int_equal(count_events(p), 1);
	}
	xml_parser_destroy(&p);
	buf_finish(&text);
}

static void
a_complete_stanza_does_not_wait_for_one_that_has_begun(void **state)
{
	struct buf text = repeated("<presence from='", "f", 2900, "'/><message to='a");
	struct xml_parser *p = xml_parser_create(&xml_limits_default, 4711);

	assert_int_equal(xml_parser_feed(p, HEAD, strlen(HEAD)), ANNEX_OK);
	assert_int_equal(count_events(p), 1);
	for (size_t split = 1; split < text.len - 20; split += 7) {
		assert_int_equal(xml_parser_feed(p, text.data, split), ANNEX_OK);
		assert_int_equal(xml_parser_flush(p), ANNEX_OK);
		assert_int_equal(xml_parser_feed(p, text.data + split, text.len - split), ANNEX_OK);
		assert_int_equal(xml_parser_flush(p), ANNEX_OK);
		assert_int_equal(count_events(p), 1);
		assert_int_equal(xml_parser_feed(p, "'/>", 3), ANNEX_OK);
		assert_int_equal(xml_parser_flush(p), ANNEX_OK);
		assert_int_equal(count_events(p), 1);
	}
	xml_parser_destroy(&p);
	buf_finish(&text);
}

/* Who owns what. */

static void
events_nobody_took_go_with_the_parser(void **state)
{
	struct xml_parser *p = xml_parser_create(&xml_limits_default, 4711);
	static const char text[] = HEAD "<a/><b>half";

	assert_int_equal(xml_parser_feed(p, text, sizeof(text) - 1), ANNEX_OK);
	xml_parser_destroy(&p);
	assert_null(p);
	xml_parser_destroy(&p);
}

static void
a_parser_that_failed_takes_no_more(void **state)
{
	struct xml_parser *p = xml_parser_create(&xml_limits_default, 4711);

	assert_int_equal(xml_parser_feed(p, HEAD "<a/></b>", strlen(HEAD) + 8), ANNEX_EINVAL);
	assert_int_equal(xml_parser_feed(p, "<c/>", 4), ANNEX_EINVAL);
	assert_int_equal(xml_parser_flush(p), ANNEX_EINVAL);
	assert_int_equal(count_events(p), 2);
	assert_null(xml_parser_next(p));
	xml_parser_destroy(&p);
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
		cmocka_unit_test(what_is_not_well_formed_is_fatal_but_not_for_what_came_before),
		cmocka_unit_test(a_document_type_is_refused_before_anything_is_expanded),
		cmocka_unit_test(a_declared_encoding_changes_nothing),
		cmocka_unit_test(namespace_errors_of_the_root_are_fatal),
		cmocka_unit_test(a_single_token_above_the_limit_is_fatal_however_it_comes),
		cmocka_unit_test(a_token_that_never_ends_is_refused_before_it_is_kept),
		cmocka_unit_test(a_stanza_of_10_megabytes_is_skipped_in_little_memory),
		cmocka_unit_test(a_large_stanza_of_markup_is_skipped_in_little_memory),
		cmocka_unit_test(a_hundred_thousand_levels_are_skipped_in_little_memory),
		cmocka_unit_test(ten_thousand_attributes_are_skipped_in_little_memory),
		cmocka_unit_test(names_never_seen_before_do_not_fill_memory),
		cmocka_unit_test(a_long_stream_loses_and_changes_nothing),
		cmocka_unit_test(a_complete_stanza_is_delivered_after_flush_whatever_the_split),
		cmocka_unit_test(a_complete_stanza_does_not_wait_for_one_that_has_begun),
		cmocka_unit_test(events_nobody_took_go_with_the_parser),
		cmocka_unit_test(a_parser_that_failed_takes_no_more),
		cmocka_unit_test(a_skip_has_words_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
