/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_jid.c - what is a JID, what it becomes, and what is none
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <annex/jid.h>
#include <annex/pool.h>

#include "tree.h"

static void
assert_text(const char *actual, const char *expected)
{
	if (expected == NULL)
		assert_null(actual);
	else
		assert_string_equal(actual, expected);
}

/* The text, and what its parts become.  domain NULL: it is no JID. */
static const struct {
	const char *text, *local, *domain, *resource;
} cases[] = {
	/* Shapes (RFC 6122 §2.1). */
	{ "example.org", NULL, "example.org", NULL },
	{ "romeo@example.org", "romeo", "example.org", NULL },
	{ "romeo@example.org/orchard", "romeo", "example.org", "orchard" },
	{ "example.org/orchard", NULL, "example.org", "orchard" },
	{ "a@b", "a", "b", NULL },
	{ "example.org/a@b/c", NULL, "example.org", "a@b/c" },
	{ "romeo@example.org/a/b//", "romeo", "example.org", "a/b//" },
	{ "romeo@example.org//", "romeo", "example.org", "/" },
	{ "", NULL, NULL, NULL },
	{ "@", NULL, NULL, NULL },
	{ "/", NULL, NULL, NULL },
	{ "@example.org", NULL, NULL, NULL },
	{ "romeo@", NULL, NULL, NULL },
	{ "romeo@/orchard", NULL, NULL, NULL },
	{ "/orchard", NULL, NULL, NULL },
	{ "example.org/", NULL, NULL, NULL },
	{ "romeo@example.org/", NULL, NULL, NULL },
	{ "romeo@juliet@example.org", NULL, NULL, NULL },

	/* Localparts (RFC 6122 appendix A). */
	{ "RoMeO@example.org", "romeo", "example.org", NULL },
	{ "!#$%()*+,-.;=?[]^_`{|}~@example.org", "!#$%()*+,-.;=?[]^_`{|}~", "example.org", NULL },
	{ "d\\27artagnan@example.org", "d\\27artagnan", "example.org", NULL },
	{ "foo\"bar@example.org", NULL, NULL, NULL },
	{ "foo&bar@example.org", NULL, NULL, NULL },
	{ "foo'bar@example.org", NULL, NULL, NULL },
	{ "foo:bar@example.org", NULL, NULL, NULL },
	{ "foo<bar@example.org", NULL, NULL, NULL },
	{ "foo>bar@example.org", NULL, NULL, NULL },
	{ "foo bar@example.org", NULL, NULL, NULL },
	{ "foo\tbar@example.org", NULL, NULL, NULL },
	{ "foo\x7f@example.org", NULL, NULL, NULL },
	{ "fu\xc3\x9f"
	  "ball@example.org",
	    "fussball", "example.org", NULL },
	{ "\xcf\x80@example.org", "\xcf\x80", "example.org", NULL },
	{ "\xce\xa3@example.org", "\xcf\x83", "example.org", NULL },
	{ "\xcf\x82@example.org", "\xcf\x83", "example.org", NULL },
	{ "\xe2\x99\x9a@example.org", "\xe2\x99\x9a", "example.org", NULL },
	{ "henry\xe2\x85\xa3@example.org", "henryiv", "example.org", NULL },
	{ "a\xc2\xad"
	  "b@example.org",
	    "ab", "example.org", NULL },
	{ "\xc2\xad@example.org", NULL, NULL, NULL },
	{ "a\xef\xbc\xa0"
	  "b@example.org",
	    NULL, NULL, NULL }, /* U+FF20 becomes '@' */
	{ "a\xc2\xa0"
	  "b@example.org",
	    NULL, NULL, NULL },
	{ "\xd7\x90"
	  "a\xd7\x91@example.org",
	    NULL, NULL, NULL }, /* RFC 3454 §6: both directions in one */

	/* Domains. */
	{ "EXAMPLE.Org", NULL, "example.org", NULL },
	{ "example.org.", NULL, "example.org", NULL },
	{ "romeo@example.org./orchard", "romeo", "example.org", "orchard" },
	{ "my_host-1", NULL, "my_host-1", NULL },
	{ "192.0.2.1", NULL, "192.0.2.1", NULL },
	{ "[2001:DB8::1]", NULL, "[2001:db8::1]", NULL },
	{ "romeo@[::ffff:192.0.2.1]/x", "romeo", "[::ffff:192.0.2.1]", "x" },
	{ "[]", NULL, NULL, NULL },
	{ "[::1", NULL, NULL, NULL },
	{ "[::1].", NULL, NULL, NULL },
	{ "[::g]", NULL, NULL, NULL },
	{ "[192.0.2.1]", NULL, NULL, NULL },
	{ "2001:db8::1", NULL, NULL, NULL },
	{ ".", NULL, NULL, NULL },
	{ "..", NULL, NULL, NULL },
	{ ".example.org", NULL, NULL, NULL },
	{ "example..org", NULL, NULL, NULL },
	{ "example.org..", NULL, NULL, NULL },
	{ "exa mple.org", NULL, NULL, NULL },
	{ "example.org\n", NULL, NULL, NULL },
	{ "exa+mple.org", NULL, NULL, NULL },
	{ "B\xc3\xbc"
	  "cher.example",
	    NULL,
	    "b\xc3\xbc"
	    "cher.example",
	    NULL },
	{ "b\xc3\xbc"
	  "cher\xe3\x80\x82"
	  "example\xef\xbc\x8e",
	    NULL,
	    "b\xc3\xbc"
	    "cher.example",
	    NULL },
	{ "b\xc3\xbc\xe3\x80\x82.example", NULL, NULL, NULL },
	{ "\xe3\x80\x82", NULL, NULL, NULL },
	{ "\xd7\x90\xd7\x91.example", NULL, "\xd7\x90\xd7\x91.example", NULL },
	{ "\xe2\x84\x80.example", NULL, NULL, NULL }, /* U+2100 becomes "a/c" */
	{ "a\xe2\x80\xa4"
	  "b.example",
	    NULL, NULL, NULL }, /* U+2024 becomes '.' */
	{ "\xc2\xad.example", NULL, NULL, NULL },
	{ "a\xc2\xa0.example", NULL, NULL, NULL },

	/* Resources (RFC 6122 appendix B). */
	{ "a@b/Balcony", "a", "b", "Balcony" },
	{ "a@b/ The balcony ", "a", "b", " The balcony " },
	{ "a@b/\"&'/:<>@", "a", "b", "\"&'/:<>@" },
	{ "a@b/\xe2\x85\xa3", "a", "b", "IV" },
	{ "a@b/\xf0\x9f\xa4\x96", "a", "b", "\xf0\x9f\xa4\x96" },
	{ "a@b/x\xc2\xad", "a", "b", "x" },
	{ "a@b/\xc2\xad", NULL, NULL, NULL },
	{ "a@b/x\x01", NULL, NULL, NULL },
	{ "a@b/long enough\x7f to be read by words", NULL, NULL, NULL },
	{ "a@b/long enough\x1f to be read by words", NULL, NULL, NULL },
	{ "a@b/\xe2\x80\xa8", NULL, NULL, NULL }, /* line separator */
	{ "a@b/\xef\xbf\xbe", NULL, NULL, NULL }, /* not an XML character either */

	/* Bytes that are not UTF-8. */
	{ "\xff@b/c", NULL, NULL, NULL },
	{ "a@\xc3/c", NULL, NULL, NULL },
	{ "a@b/\xc0\xaf", NULL, NULL, NULL },
	{ "a@b/\xed\xa0\x80", NULL, NULL, NULL },
};

static void
test_a_text_becomes_its_parts_or_nothing(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct annex_jid *jid = annex_jid(*state, cases[i].text);

		if ((jid == NULL) != (cases[i].domain == NULL))
			fail_msg("%s", cases[i].text);
		if (jid == NULL)
			continue;
		assert_text(jid->local, cases[i].local);
		assert_text(jid->domain, cases[i].domain);
		assert_text(jid->resource, cases[i].resource);
	}
}

static void
test_full_and_bare_are_put_together(void **state)
{
	const struct annex_jid *jid = annex_jid(*state, "Romeo@Example.org./Orchard");

	assert_string_equal(jid->full, "romeo@example.org/Orchard");
	assert_string_equal(jid->bare, "romeo@example.org");
	jid = annex_jid(*state, "example.org/Orchard");
	assert_string_equal(jid->full, "example.org/Orchard");
	assert_string_equal(jid->bare, "example.org");
	jid = annex_jid(*state, "romeo@example.org");
	assert_string_equal(jid->full, "romeo@example.org");
	assert_ptr_equal(jid->full, jid->bare);
}

static void
test_domain_and_resource_are_suffixes(void **state)
{
	const struct annex_jid *jid = annex_jid(*state, "romeo@example.org/orchard");

	assert_ptr_equal(jid->domain, jid->bare + strlen("romeo@"));
	assert_ptr_equal(jid->resource, jid->full + strlen("romeo@example.org/"));
}

static void
test_what_is_prepared_stays_as_it_is(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct annex_jid *jid = annex_jid(*state, cases[i].text);

		if (jid != NULL)
			assert_string_equal(annex_jid(*state, jid->full)->full, jid->full);
	}
}

static void
test_a_length_bounds_the_text(void **state)
{
	static const char text[] = { 'a', '@', 'b', '/', 'c', 'd' };

	assert_string_equal(annex_jid_n(*state, text, 5)->full, "a@b/c");
	assert_string_equal(annex_jid_n(*state, text, 3)->full, "a@b");
	assert_null(annex_jid_n(*state, text, 4));
	assert_null(annex_jid_n(*state, text, 2));
	assert_null(annex_jid_n(*state, text, 0));
}

static void
test_a_nul_inside_is_refused(void **state)
{
	static const char *const texts[] = { "a\0a@bb/cc", "aa@b\0b/cc", "aa@bb/\0cc", "aa@bb/c\0c",
		"a\0\xc3\xa4@bb/c", "aa@\xc3\xa4\0/c", "aa@b/\xc3\xa4\0" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_null(annex_jid_n(*state, texts[i], 9));
}

/* n times a text. */
static const char *
many(struct annex_pool *pool, const char *text, size_t n)
{
	size_t len = strlen(text);
	char *all = annex_pool_alloc(pool, n * len + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(all + i * len, text, len);
	all[n * len] = '\0';
	return all;
}

static void
test_each_part_may_have_1023_bytes(void **state)
{
	const char *most = many(*state, "a", 1023), *more = many(*state, "a", 1024);
	const char *full = annex_sprintf(*state, "%s@%s/%s", most, most, most);
	const struct annex_jid *jid = annex_jid(*state, full);

	assert_int_equal(strlen(full), ANNEX_JID_MAX);
	assert_string_equal(jid->full, full);
	assert_string_equal(jid->local, most);
	assert_null(annex_jid(*state, annex_sprintf(*state, "%s@b/c", more)));
	assert_null(annex_jid(*state, annex_sprintf(*state, "a@%s/c", more)));
	assert_null(annex_jid(*state, annex_sprintf(*state, "a@b/%s", more)));
	assert_null(annex_jid(*state, annex_sprintf(*state, "%sa", full)));
}

static void
test_the_limit_holds_before_and_after_preparation(void **state)
{
	/* U+00AD, two bytes, becomes nothing: too long before. */
	assert_null(annex_prep_resource(
	    *state, annex_sprintf(*state, "%sa", many(*state, "\xc2\xad", 512))));
	/* U+FDFA, three bytes, becomes 33: too long after. */
	assert_null(annex_prep_resource(*state, many(*state, "\xef\xb7\xba", 32)));
	assert_int_equal(
	    strlen(annex_prep_resource(*state, many(*state, "\xef\xb7\xba", 31))), 31 * 33);
	/* The same where labels fill a domain. */
	assert_null(annex_prep_domain(
	    *state, annex_sprintf(*state, "%s.\xc3\xa4", many(*state, "a", 1021))));
	assert_int_equal(strlen(annex_prep_domain(*state,
			     annex_sprintf(*state, "%s.\xc3\xa4", many(*state, "a", 1020)))),
	    1023);
	/* U+2167 is three bytes and becomes "viii", four: 256 of them 1024. */
	assert_null(annex_prep_domain(*state, many(*state, "\xe2\x85\xa7", 256)));
	assert_int_equal(
	    strlen(annex_prep_domain(*state, many(*state, "\xe2\x85\xa7", 255))), 1020);
}

static void
test_document_make_a_jid(void **state)
{
	const struct annex_jid *jid = annex_jid_make(*state, "Romeo", "Example.org.", "Orchard");

	assert_string_equal(jid->full, "romeo@example.org/Orchard");
	assert_string_equal(annex_jid_make(*state, NULL, "b", NULL)->full, "b");
	assert_string_equal(annex_jid_make(*state, NULL, "b", "c/d")->full, "b/c/d");
	assert_string_equal(annex_jid_make(*state, "a", "b", NULL)->full, "a@b");
	assert_null(annex_jid_make(*state, "", "b", NULL));
	assert_null(annex_jid_make(*state, "a", "b", ""));
	assert_null(annex_jid_make(*state, "a", "", NULL));
	assert_null(annex_jid_make(*state, "a", NULL, NULL));
	assert_null(annex_jid_make(*state, "a@b", "c", NULL));
	assert_null(annex_jid_make(*state, "a/b", "c", NULL));
	assert_null(annex_jid_make(*state, "a", "b/c", NULL));
	assert_null(annex_jid_make(*state, "a", "b@c", NULL));
}

static void
test_a_copy_does_not_need_the_original(void **state)
{
	struct annex_pool *other = annex_pool_create(NULL, "other");
	const struct annex_jid *jid = annex_jid(other, "romeo@example.org/orchard");
	const struct annex_jid *copy = annex_jid_copy(*state, jid);
	const struct annex_jid *bare = annex_jid_bare(*state, jid);
	const struct annex_jid *same = annex_jid_bare(*state, annex_jid(other, "a@b"));

	annex_pool_destroy(&other);
	assert_string_equal(copy->full, "romeo@example.org/orchard");
	assert_string_equal(copy->bare, "romeo@example.org");
	assert_string_equal(copy->local, "romeo");
	assert_string_equal(copy->domain, "example.org");
	assert_string_equal(copy->resource, "orchard");
	assert_string_equal(bare->full, "romeo@example.org");
	assert_null(bare->resource);
	assert_string_equal(same->full, "a@b");
}

static void
test_equal_is_what_prepares_to_the_same(void **state)
{
	const struct annex_jid *a = annex_jid(*state, "romeo@example.org/orchard");
	const struct annex_jid *b = annex_jid(*state, "Romeo@EXAMPLE.org./orchard");
	const struct annex_jid *c = annex_jid(*state, "romeo@example.org/Orchard");

	assert_true(annex_jid_equal(a, b));
	assert_true(annex_jid_equal(a, a));
	assert_false(annex_jid_equal(a, c));
	assert_true(annex_jid_bare_equal(a, c));
	assert_false(annex_jid_bare_equal(a, annex_jid(*state, "example.org/orchard")));
	assert_false(annex_jid_equal(a, annex_jid_bare(*state, a)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_text_becomes_its_parts_or_nothing),
		cmocka_unit_test(test_full_and_bare_are_put_together),
		cmocka_unit_test(test_domain_and_resource_are_suffixes),
		cmocka_unit_test(test_what_is_prepared_stays_as_it_is),
		cmocka_unit_test(test_a_length_bounds_the_text),
		cmocka_unit_test(test_a_nul_inside_is_refused),
		cmocka_unit_test(test_each_part_may_have_1023_bytes),
		cmocka_unit_test(test_the_limit_holds_before_and_after_preparation),
		cmocka_unit_test(test_document_make_a_jid),
		cmocka_unit_test(test_a_copy_does_not_need_the_original),
		cmocka_unit_test(test_equal_is_what_prepares_to_the_same),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
