/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_namespace.c - what a prefix means where it stands, and where it means nothing
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pieces.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(namespaces_hold_where_they_were_declared),
		cmocka_unit_test(a_prefix_of_the_root_holds_in_stanzas),
		cmocka_unit_test(xml_needs_no_declaration),
		cmocka_unit_test(a_default_namespace_of_the_server_outlives_the_parser),
		cmocka_unit_test(namespace_errors_skip_one_stanza),
		cmocka_unit_test(a_stanza_with_an_unbound_prefix_keeps_its_name_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
