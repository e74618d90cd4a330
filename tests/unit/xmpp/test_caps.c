/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_caps.c - the verification string (XEP-0115 §5)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <annex/caps.h>

#include "tree.h"
#include "xmpp/digest.h"

static const char *
hash_of(struct annex_pool *pool, const char *info)
{
	return annex_caps_hash(
	    tree_of(pool,
		annex_sprintf(
		    pool, "<query xmlns='http://jabber.org/protocol/disco#info'>%s</query>", info)),
	    pool);
}

/* The hash must be that of this string. */
static void
assert_hashes(struct annex_pool *pool, const char *info, const char *string)
{
	char hash[SHA1_BASE64_ROOM];

	assert_int_equal(sha1_base64(string, strlen(string), hash), ANNEX_OK);
	assert_string_equal(hash_of(pool, info), hash);
}

static void
test_the_simple_example(void **state)
{
	assert_string_equal(hash_of(*state,
				"<identity category='client' type='pc' name='Exodus 0.9.1'/>"
				"<feature var='http://jabber.org/protocol/muc'/>"
				"<feature var='http://jabber.org/protocol/disco#info'/>"
				"<feature var='http://jabber.org/protocol/caps'/>"
				"<feature var='http://jabber.org/protocol/disco#items'/>"),
	    "QgayPKawpkPSDYmwT/WM94uAlu0=");
}

static void
test_the_complex_example(void **state)
{
	assert_string_equal(
	    hash_of(*state,
		"<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>"
		"<identity xml:lang='el' category='client' name='\xce\xa8 0.11' type='pc'/>"
		"<feature var='http://jabber.org/protocol/caps'/>"
		"<feature var='http://jabber.org/protocol/disco#info'/>"
		"<feature var='http://jabber.org/protocol/disco#items'/>"
		"<feature var='http://jabber.org/protocol/muc'/>"
		"<x xmlns='jabber:x:data' type='result'>"
		"<field var='FORM_TYPE' type='hidden'>"
		"<value>urn:xmpp:dataforms:softwareinfo</value></field>"
		"<field var='ip_version' type='text-multi'>"
		"<value>ipv6</value><value>ipv4</value></field>"
		"<field var='software_version'><value>0.11</value></field>"
		"<field var='os'><value>Mac</value></field>"
		"<field var='os_version'><value>10.5.1</value></field>"
		"<field var='software'><value>Psi</value></field></x>"),
	    "q07IKJEyjvHSyhy//CH0CxmKi8w=");
}

static void
test_nothing_has_a_hash_too(void **state)
{
	assert_hashes(*state, "", "");
}

static void
test_identities_are_sorted_part_by_part(void **state)
{
	/* '/' sorts behind '-', the end of a text before everything. */
	assert_hashes(*state,
	    "<identity category='a-b' type='t'/><identity category='a' type='u'/>"
	    "<identity category='a' type='t' xml:lang='de' name='N'/>"
	    "<identity category='a' type='t' name='Z'/>",
	    "a/t//Z<a/t/de/N<a/u//<a-b/t//<");
}

static void
test_forms_are_sorted_by_their_type(void **state)
{
	assert_hashes(*state,
	    "<x xmlns='jabber:x:data' type='result'>"
	    "<field var='z'/><field var='FORM_TYPE' type='hidden'><value>urn:b</value></field></x>"
	    "<x xmlns='jabber:x:data' type='result'>"
	    "<field var='FORM_TYPE' type='hidden'><value>urn:a</value><value>urn:a</value></field>"
	    "<field var='y'><value/></field></x>",
	    "urn:a<y<<urn:b<z<");
}

static void
test_an_escaped_bracket_stays_a_character(void **state)
{
	assert_hashes(
	    *state, "<identity category='c' type='t' name='&amp;lt;&lt;'/>", "c/t//&lt;<<");
}

static void
test_forms_without_a_proper_type_are_left_out(void **state)
{
	assert_hashes(*state,
	    "<feature var='f'/>"
	    "<x xmlns='jabber:x:data' type='result'><field var='a'><value>1</value></field></x>"
	    "<x xmlns='jabber:x:data' type='result'>"
	    "<field var='FORM_TYPE'><value>urn:a</value></field></x>"
	    "<x xmlns='jabber:x:data' type='result'>"
	    "<field var='FORM_TYPE' type='hidden'/></x>",
	    "f<");
}

static void
test_ill_formed_info_has_none(void **state)
{
	static const char *const infos[] = {
		"<identity category='c' type='t' name='n'/><identity category='c' type='t' "
		"name='n'/>",
		"<feature var='f'/><feature var='g'/><feature var='f'/>",
		"<x xmlns='jabber:x:data' type='result'>"
		"<field var='FORM_TYPE' type='hidden'><value>urn:a</value></field></x>"
		"<x xmlns='jabber:x:data' type='result'>"
		"<field var='FORM_TYPE' type='hidden'><value>urn:a</value></field></x>",
		"<x xmlns='jabber:x:data' type='result'>"
		"<field var='FORM_TYPE' type='hidden'><value>urn:a</value><value>urn:b</value>"
		"</field></x>",
		"<identity category='c'/>",
		"<feature/>",
	};

	for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++)
		if (hash_of(*state, infos[i]) != NULL)
			fail_msg("%s", infos[i]);
}

static void
test_the_same_identity_in_two_languages_is_fine(void **state)
{
	assert_hashes(*state,
	    "<identity category='c' type='t' xml:lang='en' name='n'/>"
	    "<identity category='c' type='t' xml:lang='de' name='n'/>",
	    "c/t/de/n<c/t/en/n<");
}

static void
test_presence_carries_node_and_hash(void **state)
{
	struct annex_element *presence = stanza_in(*state, "presence");

	annex_caps_add(presence, "https://annex.example", "QgayPKawpkPSDYmwT/WM94uAlu0=");
	assert_string_equal(text_within(*state, presence),
	    "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' "
	    "node='https://annex.example' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_simple_example),
		cmocka_unit_test(test_the_complex_example),
		cmocka_unit_test(test_nothing_has_a_hash_too),
		cmocka_unit_test(test_identities_are_sorted_part_by_part),
		cmocka_unit_test(test_forms_are_sorted_by_their_type),
		cmocka_unit_test(test_an_escaped_bracket_stays_a_character),
		cmocka_unit_test(test_forms_without_a_proper_type_are_left_out),
		cmocka_unit_test(test_ill_formed_info_has_none),
		cmocka_unit_test(test_the_same_identity_in_two_languages_is_fine),
		cmocka_unit_test(test_presence_carries_node_and_hash),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
