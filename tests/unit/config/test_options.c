/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_options.c - one option: its name, its text into settings and back
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table.h"

static void
test_values_are_written_as_they_can_be_read(void **state)
{
	struct fixture *f = *state;
	struct settings again;
	const char *why;

	read_by(f, table,
	    "idle: 120s\navatar: 65536\nopen: on\nwords: [\"a \\\"b\\\\\", '', c]\n"
	    "admins: [A@b, c@d]\ntitle: \" x \"\n");
	assert_string_equal(sentences(f), "");
	for (const struct annex_option *o = table; o->name != NULL; o++) {
		const char *text = config_option_value(o, &f->settings, f->pool);

		assert_int_equal(config_option_set(o, &again, text, prepare, f->pool, &why), 0);
		assert_string_equal(config_option_value(o, &again, f->pool), text);
	}
	assert_string_equal(config_option_value(&table[0], &f->settings, f->pool), "200");
	assert_string_equal(config_option_value(&table[2], &f->settings, f->pool), "2m");
	assert_string_equal(config_option_value(&table[4], &f->settings, f->pool), "64K");
	assert_string_equal(config_option_value(&table[5], &f->settings, f->pool), "yes");
	assert_string_equal(
	    config_option_value(&table[9], &f->settings, f->pool), "\"a \\\"b\\\\\" \"\" c");
	assert_string_equal(config_option_value(&table[10], &f->settings, f->pool), "a@b c@d");
	assert_int_equal(again.words.count, 3);
	assert_string_equal(again.words.value[0], "a \"b\\");
	assert_string_equal(again.words.value[1], "");
}

static void
test_one_text_alone_says_why_not(void **state)
{
	struct fixture *f = *state;
	const char *why;

	assert_true(config_option_set(&table[0], &f->settings, "x", NULL, f->pool, &why) < 0);
	assert_string_equal(why, "must be a whole number from 1 to 10000, not \"x\"");
	assert_true(config_option_set(&table[10], &f->settings, "x", prepare, f->pool, &why) < 0);
	assert_string_equal(why, "has \"x\", which is not a JID such as user@example.org");
}

static void
test_names_have_dashes_and_no_unit(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(config_option_name(&table[0], f->pool), "max-occupants");
	assert_string_equal(config_option_name(&table[2], f->pool), "idle");
	assert_string_equal(config_option_name(&table[4], f->pool), "avatar");
}

static void
test_options_are_set_by_name(void **state)
{
	struct fixture *f = *state;
	const char *why = NULL;

	assert_int_equal(annex_options_preset(table, &f->settings, f->pool), ANNEX_OK);
	assert_int_equal(f->settings.max_occupants, 200);
	assert_int_equal(
	    annex_option_set(table, &f->settings, "max-occupants", "7", prepare, f->pool, &why),
	    ANNEX_OK);
	assert_int_equal(f->settings.max_occupants, 7);
	assert_string_equal(annex_option_text(table, &f->settings, "max-occupants", f->pool), "7");
	assert_int_equal(
	    annex_option_set(table, &f->settings, "words", "a \"b c\"", prepare, f->pool, &why),
	    ANNEX_OK);
	assert_int_equal(f->settings.words.count, 2);
	assert_string_equal(annex_option_text(table, &f->settings, "words", f->pool), "a \"b c\"");
	assert_int_equal(
	    annex_option_set(table, &f->settings, "max-occupants", NULL, prepare, f->pool, &why),
	    ANNEX_OK);
	assert_int_equal(f->settings.max_occupants, 200);
	assert_int_equal(
	    annex_option_set(table, &f->settings, "tls", "maybe", prepare, f->pool, &why),
	    ANNEX_EINVAL);
	assert_string_equal(why, "must be no or direct, not \"maybe\"");
	assert_int_equal(
	    annex_option_set(table, &f->settings, "nothing", "1", prepare, f->pool, &why),
	    ANNEX_ENOENT);
	assert_null(annex_option_text(table, &f->settings, "nothing", f->pool));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_values_are_written_as_they_can_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_text_alone_says_why_not, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_names_have_dashes_and_no_unit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_options_are_set_by_name, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
