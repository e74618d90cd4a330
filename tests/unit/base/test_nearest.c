/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_nearest.c - did you mean
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

static const char *const options[] = { "state-dir", "run-dir", "servers", "components", "module",
	"max-occupants", "secret", "secret-file", "tls", "port", "host" };

static void
a_slip_finds_what_was_meant(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "secret", "secret" }, { "sercet", "secret" }, /* swap */
		{ "secrets", "secret" },                        /* one too many */
		{ "secre", "secret" },                          /* one too few */
		{ "sekret", "secret" },                         /* one wrong */
		{ "secretfile", "secret-file" }, { "max_occupants", "max-occupants" },
		{ "Max-Occupants", "max-occupants" },
		{ "SECRET", NULL }, /* six halves are more than a third */
		{ "Secret", "secret" }, { "hots", "host" }, { "maxoccupant", "max-occupants" },
		{ "component", "components" }, { "password", NULL }, { "x", NULL }, { "", NULL },
		{ "tsl", "tls" }, { "max-occupants-of-the-room", NULL }, /* twelve edits */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got =
		    nearest(cases[i].name, options, sizeof(options) / sizeof(options[0]));

		if (cases[i].want == NULL ? got != NULL
					  : got == NULL || strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].name, got != NULL ? got : "(none)");
	}
}

static void
the_nearer_of_two_wins_and_the_first_of_equals(void **state)
{
	const char *const near[] = { "rooms", "roomy", "room" };

	assert_string_equal(nearest("room", near, 3), "room");
	assert_string_equal(nearest("roome", near, 3), "rooms");
	assert_null(nearest("room", near, 0));
}

static void
names_of_any_length_are_fine(void **state)
{
	char name[300];
	const char *candidates[] = { name + 1, "host" };

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_null(nearest(name, candidates, 2));
	assert_string_equal(nearest("hosts", candidates, 2), "host");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_finds_what_was_meant),
		cmocka_unit_test(the_nearer_of_two_wins_and_the_first_of_equals),
		cmocka_unit_test(names_of_any_length_are_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
