/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_form_values.c - what a struct holds that a form is bound to
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <annex/form.h>

#include "tree.h"

struct room {
	const char *name;
	bool hidden;
	int64_t most;
	struct annex_strings roles;
};

static const struct annex_field fields[] = {
	ANNEX_FIELD(struct room, name, "name", ANNEX_TEXT_SINGLE, "Name"),
	ANNEX_FIELD(struct room, hidden, "hidden", ANNEX_BOOLEAN, "Hidden"),
	ANNEX_FIELD(struct room, most, "most", ANNEX_TEXT_SINGLE, "Most"),
	ANNEX_FIELD(struct room, roles, "roles", ANNEX_TEXT_MULTI, "Roles"),
	{ 0 },
};
enum { NAME, HIDDEN, MOST, ROLES, COUNT };

static const char *const roles[] = { "visitor", "moderator" };
static const char *const turned[] = { "moderator", "visitor" };
static const struct room den = { "den", true, INT64_MIN, { roles, 2 } };

static void
test_texts_are_as_records_keep_them(void **state)
{
	static const char *const expected[] = { "den", "1", "-9223372036854775808" };

	for (size_t i = NAME; i <= MOST; i++) {
		struct annex_strings texts = annex_field_texts(&fields[i], &den, *state);

		assert_int_equal(texts.count, 1);
		assert_string_equal(texts.value[0], expected[i]);
	}
	assert_int_equal(annex_field_texts(&fields[ROLES], &den, *state).count, 2);
}

static void
test_what_was_kept_comes_back_and_needs_nobody(void **state)
{
	struct room back = { "attic", false, 7, { NULL, 0 } };
	struct annex_pool *record = annex_pool_create(NULL, "record");

	for (size_t i = 0; i < COUNT; i++) {
		struct annex_strings texts = annex_field_texts(&fields[i], &den, record);
		const char **copy = annex_new_array(record, const char *, texts.count);

		assert_false(annex_field_equal(&fields[i], &den, &back));
		for (size_t k = 0; k < texts.count; k++)
			copy[k] = annex_strdup(record, texts.value[k]);
		annex_field_set(&fields[i], &back, copy, texts.count, *state);
	}
	annex_pool_destroy(&record);
	for (size_t i = 0; i < COUNT; i++)
		assert_true(annex_field_equal(&fields[i], &den, &back));
	assert_string_equal(back.roles.value[1], "moderator");
}

static void
test_nothing_kept_is_nothing(void **state)
{
	struct room back = den;

	for (size_t i = 0; i < COUNT; i++)
		annex_field_set(&fields[i], &back, NULL, 0, *state);
	assert_string_equal(back.name, "");
	assert_false(back.hidden);
	assert_int_equal(back.most, 0);
	assert_int_equal(back.roles.count, 0);
}

static void
test_several_values_have_no_order(void **state)
{
	struct room other = den;

	(void)state;
	other.roles = (struct annex_strings) { turned, 2 };
	assert_true(annex_field_equal(&fields[ROLES], &den, &other));
	other.roles.count = 1;
	assert_false(annex_field_equal(&fields[ROLES], &den, &other));
	assert_false(annex_field_equal(&fields[ROLES], &other, &den));
	assert_true(annex_strings_have(&other.roles, "moderator"));
	assert_false(annex_strings_have(&other.roles, "visitor"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_are_as_records_keep_them),
		cmocka_unit_test(test_what_was_kept_comes_back_and_needs_nobody),
		cmocka_unit_test(test_nothing_kept_is_nothing),
		cmocka_unit_test(test_several_values_have_no_order),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
