/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_status.c - a status in words
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <annex/status.h>

static void
every_status_has_words_of_its_own(void **state)
{
	for (int s = ANNEX_EDENIED; s <= ANNEX_AGAIN; s++) {
		assert_non_null(annex_status_text(s));
		for (int t = s + 1; t <= ANNEX_AGAIN; t++)
			assert_string_not_equal(annex_status_text(s), annex_status_text(t));
	}
	assert_string_equal(annex_status_text(ANNEX_ENOENT), "no such thing");
}

static void
an_alien_number_is_no_harm(void **state)
{
	assert_string_equal(annex_status_text(-1000), "unknown status");
	assert_string_equal(annex_status_text(ANNEX_EDENIED - 1), "unknown status");
	assert_string_equal(annex_status_text(1000), annex_status_text(ANNEX_OK));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_words_of_its_own),
		cmocka_unit_test(an_alien_number_is_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
