/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_read.c - a table reads a map, and says every mistake in a sentence
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

static void
test_presets_hold_where_nothing_is_said(void **state)
{
	struct fixture *f = *state;

	config_read_options(
	    NULL, "module muc", table, &f->settings, NULL, prepare, f->pool, &f->errors);
	assert_int_equal(f->errors.count, 0);
	assert_int_equal(f->settings.max_occupants, 200);
	assert_int_equal(f->settings.anything, -7);
	assert_int_equal(f->settings.idle_ms, 0);
	assert_int_equal(f->settings.longest_ms, 7200000);
	assert_int_equal(f->settings.avatar_bytes, 8192);
	assert_false(f->settings.open);
	assert_string_equal(f->settings.title, "");
	assert_string_equal(f->settings.tls, "no");
	assert_string_equal(f->settings.owner, "");
	assert_int_equal(f->settings.words.count, 0);
	assert_int_equal(f->settings.admins.count, 0);
}

static void
test_each_type_reads_what_the_file_says(void **state)
{
	struct fixture *f = *state;

	read_by(f, table,
	    "max-occupants: 500\nanything: -12345678901\nidle: 5m\nlongest: 52w\navatar: 64K\n"
	    "open: Yes\ntitle: 'a: b'\ntls: direct\nowner: Me@Example.ORG\n"
	    "words: [one, 'two words', \"\"]\nadmins:\n  - A@b\n  - c@d\n"
	    "module: muc\nservers: {x: y}\n");
	assert_string_equal(sentences(f), "");
	assert_int_equal(f->settings.max_occupants, 500);
	assert_true(f->settings.anything == INT64_C(-12345678901));
	assert_int_equal(f->settings.idle_ms, 300000);
	assert_true(f->settings.longest_ms == INT64_C(52) * 7 * 86400 * 1000);
	assert_int_equal(f->settings.avatar_bytes, 65536);
	assert_true(f->settings.open);
	assert_string_equal(f->settings.title, "a: b");
	assert_string_equal(f->settings.tls, "direct");
	assert_string_equal(f->settings.owner, "me@example.org");
	assert_int_equal(f->settings.words.count, 3);
	assert_string_equal(f->settings.words.value[1], "two words");
	assert_string_equal(f->settings.words.value[2], "");
	assert_int_equal(f->settings.admins.count, 2);
	assert_string_equal(f->settings.admins.value[0], "a@b");
	assert_string_equal(f->settings.admins.value[1], "c@d");
}

static void
test_a_list_of_one_needs_no_brackets(void **state)
{
	struct fixture *f = *state;

	read_by(f, table, "admins: a@b\nwords: 'one and two'\n");
	assert_string_equal(sentences(f), "");
	assert_int_equal(f->settings.admins.count, 1);
	assert_string_equal(f->settings.admins.value[0], "a@b");
	assert_int_equal(f->settings.words.count, 1);
	assert_string_equal(f->settings.words.value[0], "one and two");
}

static void
test_a_list_may_be_words_with_blanks_between(void **state)
{
	struct fixture *f = *state;

	read_by(f, table, "admins: a@b  c@d\nwords: []\n");
	assert_string_equal(sentences(f), "");
	assert_int_equal(f->settings.admins.count, 2);
	assert_string_equal(f->settings.admins.value[1], "c@d");
	assert_int_equal(f->settings.words.count, 0);
}

static void
test_a_map_with_nothing_in_it_is_all_presets(void **state)
{
	struct fixture *f = *state;
	struct config_node *root =
	    config_read_text("a.yaml", "muc:\n  # none\n", 14, f->pool, &f->errors);

	config_read_options(config_child(root, "muc"), "module muc", table, &f->settings, NULL,
	    prepare, f->pool, &f->errors);
	assert_string_equal(sentences(f), "");
	assert_int_equal(f->settings.max_occupants, 200);
}

static void
test_every_mistake_is_one_sentence(void **state)
{
	static const char *const rows[][2] = {
		{ "max-ocupants: 5\n",
		    "a.yaml:1:1: unknown option \"max-ocupants\" of module muc; "
		    "did you mean \"max-occupants\"?\n" },
		{ "open: yes\nmodul: x\n",
		    "a.yaml:2:1: unknown option \"modul\" of module muc; "
		    "did you mean \"module\"?\n" },
		{ "max_occupants: 5\n",
		    "a.yaml:1:1: unknown option \"max_occupants\" of module muc; "
		    "did you mean \"max-occupants\"?\n" },
		{ "idle-ms: 5\n", "a.yaml:1:1: unknown option \"idle-ms\" of module muc\n" },
		{ "frobnicate: [x]\n",
		    "a.yaml:1:1: unknown option \"frobnicate\" of module muc\n" },
		{ "max-occupants: many\n",
		    "a.yaml:1:16: max-occupants of module muc must be a "
		    "whole number from 1 to 10000, not \"many\"\n" },
		{ "max-occupants: 0\n",
		    "a.yaml:1:16: max-occupants of module muc must be a whole "
		    "number from 1 to 10000, not \"0\"\n" },
		{ "max-occupants: 10001\n",
		    "a.yaml:1:16: max-occupants of module muc must be a whole number from 1 to "
		    "10000, not \"10001\"\n" },
		{ "anything: 99999999999999999999\n",
		    "a.yaml:1:11: anything of module muc must be a whole number, not "
		    "\"99999999999999999999\"\n" },
		{ "max-occupants: [5]\n",
		    "a.yaml:1:16: max-occupants of module muc must be a "
		    "whole number from 1 to 10000, not a list\n" },
		{ "max-occupants: {a: 5}\n",
		    "a.yaml:1:16: max-occupants of module muc must be a "
		    "whole number from 1 to 10000, not a map\n" },
		{ "max-occupants:\n",
		    "a.yaml:1:15: max-occupants of module muc has no value; it "
		    "must be a whole number from 1 to 10000\n" },
		{ "max-occupants: ''\n",
		    "a.yaml:1:16: max-occupants of module muc must be a "
		    "whole number from 1 to 10000, not empty\n" },
		{ "idle: 30\n",
		    "a.yaml:1:7: idle of module muc must be a time with its unit (ms, "
		    "s, m, h, d or w) from 1s to 1h, not \"30\"\n" },
		{ "longest: 1ms\n",
		    "a.yaml:1:10: longest of module muc must be a time with its "
		    "unit (ms, s, m, h, d or w) of at least 1s, not \"1ms\"\n" },
		{ "avatar: 1M\n",
		    "a.yaml:1:9: avatar of module muc must be a size in bytes, K, M, "
		    "G or T from 1 to 64K, not \"1M\"\n" },
		{ "open: maybe\n",
		    "a.yaml:1:7: open of module muc must be yes or no, not \"maybe\"\n" },
		{ "title: too long\n",
		    "a.yaml:1:8: title of module muc must be a text of 2 to 5 "
		    "bytes, not 8\n" },
		{ "tls: drect\n",
		    "a.yaml:1:6: tls of module muc must be no or direct, not "
		    "\"drect\"; did you mean \"direct\"?\n" },
		{ "tls: starttls\n",
		    "a.yaml:1:6: tls of module muc must be no or direct, not \"starttls\"\n" },
		{ "owner: nobody\n",
		    "a.yaml:1:8: owner of module muc must be a JID such as "
		    "user@example.org, not \"nobody\"\n" },
		{ "words: [a, b, c, d]\n",
		    "a.yaml:1:8: words of module muc must be a list of 1 to 3 texts, not 4\n" },
		{ "words: [a, [b]]\n",
		    "a.yaml:1:12: words of module muc must be a list of 1 to 3 "
		    "texts, but has a list in it\n" },
		{ "words: {a: b}\n",
		    "a.yaml:1:8: words of module muc must be a list of 1 to 3 "
		    "texts, not a map\n" },
		{ "words: a, b\n",
		    "a.yaml:1:8: words of module muc must be a list of 1 to 3 "
		    "texts: write [a, b], with the brackets\n" },
		{ "admins: [a@b, you, me]\n",
		    "a.yaml:1:15: admins of module muc has \"you\", which is not a JID such as "
		    "user@example.org\n"
		    "a.yaml:1:20: admins of module muc has \"me\", which is not a JID such as "
		    "user@example.org\n" },
		{ "admins: you\n",
		    "a.yaml:1:9: admins of module muc has \"you\", which is not a "
		    "JID such as user@example.org\n" },
		{ "[a, b]\n", "a.yaml:1:1: module muc must be a map of options, not a list\n" },
		{ "word\n", "a.yaml:1:1: module muc must be a map of options, not a text\n" },
		{ "title: \"\\e[31m\\n\"\nopen: \"\\a\"\n",
		    "a.yaml:1:8: title of module muc must be a text of 2 to 5 bytes, not 6\n"
		    "a.yaml:2:7: open of module muc must be yes or no, not \"\\x07\"\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *own;

		setup(&own);
		read_by(own, table, rows[i][0]);
		assert_string_equal(sentences(own), rows[i][1]);
		teardown(&own);
	}
}

static void
test_a_wrong_value_leaves_the_preset(void **state)
{
	struct fixture *f = *state;

	read_by(f, table, "max-occupants: 0\nadmins: [x]\n");
	assert_int_equal(f->settings.max_occupants, 200);
	assert_int_equal(f->settings.admins.count, 0);
}

static void
test_what_was_complained_of_is_not_complained_of_again(void **state)
{
	struct fixture *f = *state;

	read_by(f, table, "max-occupants: *x\n");
	assert_string_equal(sentences(f),
	    "a.yaml:1:16: aliases (*x) are not understood here; write the value out\n");
}

static void
test_a_missing_option_says_what_it_must_be(void **state)
{
	static const struct annex_option needy[] = {
		ANNEX_OPTION(struct settings, title, 1, 50, NULL, "A title."),
		{ 0 },
	};
	struct fixture *f = *state;
	struct config_node *root;

	root = config_read_text("a.yaml", "x: 1\nmuc: {}\n", 12, f->pool, &f->errors);
	config_read_options(config_child(root, "muc"), "module muc", needy, &f->settings, NULL,
	    NULL, f->pool, &f->errors);
	assert_string_equal(sentences(f),
	    "a.yaml:2:1: module muc has no title; it must be a text of 1 to 50 bytes\n");
	assert_null(f->settings.title);
}

static void
test_a_preset_outside_the_range_means_none_and_may_be_said(void **state)
{
	struct fixture *f = *state;

	read_by(f, table, "idle: 0s\ntitle: ''\nowner: ''\nwords: []\n");
	assert_string_equal(sentences(f), "");
}

static void
test_a_table_with_a_wrong_preset_is_told(void **state)
{
	static const struct annex_option broken[] = {
		ANNEX_OPTION(struct settings, max_occupants, 1, 9, "ten", "Most."),
		{ 0 },
	};
	struct fixture *f = *state;

	read_by(f, broken, "module: x\n");
	assert_string_equal(sentences(f),
	    "a.yaml: the preset of max-occupants of module muc must "
	    "be a whole number from 1 to 9, not \"ten\"\n");
}

static void
test_a_long_value_is_cut_between_characters(void **state)
{
	struct fixture *f = *state;
	char text[200];

	memset(text, 'x', sizeof(text));
	memcpy(text + 59, "\xc3\xa9", 2);
	text[100] = '\0';
	assert_string_equal(config_quote(f->pool, text),
	    "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_presets_hold_where_nothing_is_said),
		TEST(test_each_type_reads_what_the_file_says),
		TEST(test_a_list_of_one_needs_no_brackets),
		TEST(test_a_list_may_be_words_with_blanks_between),
		TEST(test_a_map_with_nothing_in_it_is_all_presets),
		cmocka_unit_test(test_every_mistake_is_one_sentence),
		TEST(test_a_wrong_value_leaves_the_preset),
		TEST(test_what_was_complained_of_is_not_complained_of_again),
		TEST(test_a_missing_option_says_what_it_must_be),
		TEST(test_a_preset_outside_the_range_means_none_and_may_be_said),
		TEST(test_a_table_with_a_wrong_preset_is_told),
		TEST(test_a_long_value_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
