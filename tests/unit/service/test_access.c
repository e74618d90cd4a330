/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_access.c - who is whom
 */
#include <annex/access.h>

#include "fixture.h"

static int
setup(void **state)
{
	*state = fixture_create(NULL);
	return 0;
}

static int
teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static bool
matches(struct fixture *f, const char *rule, const char *jid)
{
	return annex_matches(&f->inst, rule, jid != NULL ? annex_jid(f->pool, jid) : NULL);
}

static void
admins_are_known_by_their_bare_jid(void **state)
{
	struct fixture *f = *state;

	assert_true(annex_is_admin(&f->inst, annex_jid(f->pool, "admin@example.org/phone")));
	assert_false(annex_is_admin(&f->inst, annex_jid(f->pool, "admin@example.com")));
	assert_false(annex_is_admin(&f->inst, annex_jid(f->pool, "example.org")));
	assert_false(annex_is_admin(&f->inst, NULL));
}

static void
local_are_the_users_of_the_local_domains(void **state)
{
	struct fixture *f = *state;

	assert_true(annex_is_local(&f->inst, annex_jid(f->pool, "anna@example.org/phone")));
	assert_false(annex_is_local(&f->inst, annex_jid(f->pool, "anna@sub.example.org")));
	assert_false(annex_is_local(&f->inst, annex_jid(f->pool, "anna@notexample.org")));
	assert_false(annex_is_local(&f->inst, annex_jid(f->pool, "example.org")));
	assert_false(annex_is_local(&f->inst, NULL));
}

static void
rules_match_what_they_say(void **state)
{
	static const struct {
		const char *rule, *jid;
		bool matches;
	} cases[] = {
		{ "anybody", "x@y.z", true },
		{ "anybody", NULL, true },
		{ "nobody", "admin@example.org", false },
		{ "local", "a@example.org", true },
		{ "local", "a@example.com", false },
		{ "admin", "admin@example.org/x", true },
		{ "admin", "a@example.org", false },
		{ "a@example.com", "a@example.com/x", true },
		{ "A@Example.com", "a@example.com", true },
		{ "a@example.com", "b@example.com", false },
		{ "example.com", "b@example.com/x", true },
		{ "example.com", "example.com", true },
		{ "example.com", "b@sub.example.com", false },
		{ "*.example.com", "b@sub.example.com", true },
		{ "*.example.com", "b@a.sub.Example.com", true },
		{ "*.example.com", "b@example.com", false },
		{ "*.example.com", "b@badexample.com", false },
		{ "*.", "b@example.com", false },
		{ "example.com", NULL, false },
		{ "*.example.com", NULL, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (matches(*state, cases[i].rule, cases[i].jid) != cases[i].matches)
			fail_msg("%s, %s", cases[i].rule, cases[i].jid);
}

static void
one_rule_of_several_is_enough(void **state)
{
	struct fixture *f = *state;
	const char *const value[] = { "example.com", "local" };
	const struct annex_strings rules = { value, 2 }, none = { NULL, 0 };

	assert_true(annex_matches_any(&f->inst, &rules, annex_jid(f->pool, "a@example.org")));
	assert_false(annex_matches_any(&f->inst, &rules, annex_jid(f->pool, "a@example.net")));
	assert_false(annex_matches_any(&f->inst, &none, annex_jid(f->pool, "a@example.org")));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(admins_are_known_by_their_bare_jid),
		TEST(local_are_the_users_of_the_local_domains),
		TEST(rules_match_what_they_say),
		TEST(one_rule_of_several_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
