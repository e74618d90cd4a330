/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_document.c - an XML document of any length, part by part
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <annex/document.h>
#include <cmocka.h>

#include "show.h"

/* What was told, and what is entered: elements by that name. */
static bool
enter(void *cookie, const struct annex_element *el)
{
	struct buf *told = cookie;
	bool is_in = strcmp(el->name, "in") == 0;

	if (is_in) {
		buf_puts(told, el->parent == NULL ? "+" : "++");
		show_element(told, el);
	}
	return is_in;
}

static void
whole(void *cookie, const struct annex_element *el)
{
	show_element(cookie, el);
}

static void
skipped(void *cookie, const struct annex_element *el)
{
	buf_puts(cookie, "!");
	show_element(cookie, el);
}

static void
left(void *cookie, const struct annex_element *el)
{
	buf_puts(cookie, "-");
	(void)el;
}

static const struct annex_document_events events = { enter, whole, skipped, left };

/* In pieces of n bytes: what was told, and what was wrong. */
static void
assert_told(const char *text, size_t n, size_t max_bytes, const char *expected)
{
	struct buf told = { 0 };
	struct annex_document *doc = annex_document_create(&events, &told, max_bytes);
	size_t len = strlen(text), piece;
	int r = ANNEX_OK;

	for (size_t at = 0; at < len && r == ANNEX_OK; at += piece) {
		piece = len - at < n ? len - at : n;
		r = annex_document_feed(doc, text + at, piece);
	}
	if (r == ANNEX_OK)
		r = annex_document_end(doc);
	assert_int_equal(r < 0, annex_document_why(doc)[0] != '\0');
	if (r < 0)
		buf_printf(&told, "|%s", annex_document_why(doc));
	annex_document_destroy(&doc);
	assert_null(doc);
	assert_string_equal(buf_text(&told), expected);
	buf_finish(&told);
}

static void
children_of_what_is_entered_are_told_one_by_one(void **state)
{
	static const char text[] =
	    "<?xml version='1.0'?><!-- x --><in xmlns='urn:a' xmlns:p='urn:b' a='1'>\n"
	    " <p:x p:k='v' xml:lang='de'>t&amp;<y xmlns=''>&lt;</y><![CDATA[<]]></p:x>"
	    "<in><z/></in><w/></in>";
	static const char told[] =
	    "+{urn:a}in[a=\"1\"]"
	    "{urn:b}x[{urn:b}k=\"v\" {http://www.w3.org/XML/1998/namespace}lang=\"de\"]"
	    "(\"t&\" {}y(\"<\") \"<\")"
	    "++{urn:a}in{urn:a}z-{urn:a}w-";

	for (size_t n = 1; n < sizeof(text); n++)
		assert_told(text, n, 1000, told);
}

static void
what_is_too_large_is_skipped(void **state)
{
	char deep[1000] = "<in><a>";

	assert_told(
	    "<in><a>0123456789</a><b k='0123456789'/><a><bbbbb/><ccccc/></a><c>01234567</c></in>",
	    200, 10, "+{}in!{}a!{}b[k=\"0123456789\"]!{}a{}c(\"01234567\")-");
	for (int i = 0; i < 64; i++)
		strcat(deep, "<b>");
	for (int i = 0; i < 64; i++)
		strcat(deep, "</b>");
	strcat(deep, "</a></in>");
	assert_told(deep, 1, 1000, "+{}in!{}a-");
}

static void
what_is_wrong_is_a_sentence(void **state)
{
	assert_told("<in>\n<a></b></in>", 3, 1000, "+{}in|line 2: mismatched tag");
	assert_told("<in><a/>", 3, 1000, "+{}in{}a|line 1: no element found");
	assert_told("", 1, 1000, "|line 1: no element found");
	assert_told("{\"a\": 1}", 100, 1000, "|line 1: not well-formed (invalid token)");
	assert_told("<in><p:a/></in>", 100, 1000, "+{}in|line 1: unbound prefix");
	assert_told("<!DOCTYPE in [<!ENTITY a 'b'>]><in>&a;</in>", 100, 1000,
	    "|line 1: a document type declaration is not taken");
	assert_told("<in><a k='01234567890123456789'/></in>", 1, 10,
	    "+{}in|line 1: one single tag is larger than 10 bytes");
	assert_told("<in><in><in><in><in><in><in><in><in><in><in><in><in><in><in><in><in/>", 100,
	    1000,
	    "+{}in++{}in++{}in++{}in++{}in++{}in++{}in++{}in"
	    "++{}in++{}in++{}in++{}in++{}in++{}in++{}in++{}in"
	    "++{}in|line 1: elements are nested too deep");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_of_what_is_entered_are_told_one_by_one),
		cmocka_unit_test(what_is_too_large_is_skipped),
		cmocka_unit_test(what_is_wrong_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
