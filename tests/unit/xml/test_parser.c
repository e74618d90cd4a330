/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_parser.c - a stream of bytes becomes a queue of stanzas
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pieces.h"
#include "show.h"

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
		cmocka_unit_test(what_is_not_well_formed_is_fatal_but_not_for_what_came_before),
		cmocka_unit_test(a_document_type_is_refused_before_anything_is_expanded),
		cmocka_unit_test(a_declared_encoding_changes_nothing),
		cmocka_unit_test(namespace_errors_of_the_root_are_fatal),
		cmocka_unit_test(a_single_token_above_the_limit_is_fatal_however_it_comes),
		cmocka_unit_test(a_token_that_never_ends_is_refused_before_it_is_kept),
		cmocka_unit_test(a_complete_stanza_is_delivered_after_flush_whatever_the_split),
		cmocka_unit_test(a_complete_stanza_does_not_wait_for_one_that_has_begun),
		cmocka_unit_test(events_nobody_took_go_with_the_parser),
		cmocka_unit_test(a_parser_that_failed_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
