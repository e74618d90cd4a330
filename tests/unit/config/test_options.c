/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_options.c - a table reads a map, and says every mistake in a sentence
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

struct settings {
	int64_t max_occupants, anything;
	int64_t idle_ms, longest_ms;
	int64_t avatar_bytes;
	bool open;
	const char *title, *tls, *owner;
	struct annex_strings words, admins;
};

struct bot {
	const char *nick;
	struct annex_strings exec;
	int64_t parallel;
};

struct bots {
	struct annex_sections bots;
};

static const struct annex_option bot_options[] = {
	ANNEX_OPTION(struct bot, nick, 1, 20, "", "A name."),
	ANNEX_OPTION(struct bot, exec, 1, 9, NULL, "A program."),
	ANNEX_OPTION(struct bot, parallel, 1, 64, "8", "How many."),
	{ 0 },
};

static const struct annex_option bots_options[] = {
	ANNEX_OPTION_EACH(struct bots, bots, struct bot, bot_options, "The bots."),
	{ 0 },
};

static const char *const tls_choices[] = { "no", "direct", NULL };

static const struct annex_option table[] = {
	ANNEX_OPTION(struct settings, max_occupants, 1, 10000, "200", "Most occupants."),
	ANNEX_OPTION(struct settings, anything, 0, 0, "-7", "Any number."),
	ANNEX_OPTION_AS(
	    ANNEX_OPTION_TIME, struct settings, idle_ms, 1000, 3600000, "0", "Idle after."),
	ANNEX_OPTION_AS(
	    ANNEX_OPTION_TIME, struct settings, longest_ms, 1000, INT64_MAX, "2h", "Longest time."),
	ANNEX_OPTION_AS(
	    ANNEX_OPTION_SIZE, struct settings, avatar_bytes, 1, 65536, "8K", "Largest avatar."),
	ANNEX_OPTION(struct settings, open, 0, 0, "no", "Whether strangers may enter."),
	ANNEX_OPTION(struct settings, title, 2, 5, "", "A title."),
	ANNEX_OPTION_OF(struct settings, tls, tls_choices, "no", "Whether TLS is spoken."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID, struct settings, owner, 0, 0, "", "Who owns it."),
	ANNEX_OPTION(struct settings, words, 1, 3, "", "Words."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID_LIST, struct settings, admins, 0, 0, "", "Who rules."),
	{ 0 },
};

/* Stands in for the preparation of JIDs: lower case, and an @ must be there. */
static const char *
prepare(struct annex_pool *pool, const char *text)
{
	char *copy = annex_strdup(pool, text);

	for (char *c = copy; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return strchr(copy, '@') != NULL ? copy : NULL;
}

struct fixture {
	struct annex_pool *pool;
	struct config_errors errors;
	struct settings settings;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->pool = annex_pool_create(NULL, "test");
	f->errors.pool = f->pool;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	annex_pool_destroy(&f->pool);
	free(f);
	return 0;
}

static void
read_by(struct fixture *f, const struct annex_option *options, const char *text)
{
	static const char *const others[] = { "module", "servers", NULL };
	struct config_node *map =
	    config_read_text("a.yaml", text, strlen(text), f->pool, &f->errors);

	config_read_options(
	    map, "module muc", options, &f->settings, others, prepare, f->pool, &f->errors);
}

static const char *
sentences(struct fixture *f)
{
	const char *all = "";

	for (const struct config_error *e = f->errors.first; e != NULL; e = e->next)
		all = annex_sprintf(f->pool, "%s%s\n", all, e->text);
	return all;
}

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
read_bots(struct fixture *f, struct bots *bots, const char *text)
{
	struct config_node *map =
	    config_read_text("a.yaml", text, strlen(text), f->pool, &f->errors);

	config_read_options(
	    map, "module bots", bots_options, bots, NULL, prepare, f->pool, &f->errors);
}

static void
test_sections_are_read_each_by_the_table(void **state)
{
	struct fixture *f = *state;
	struct bots bots = { 0 }, again = { 0 };
	const struct bot *bot;
	const char *text, *why;

	read_bots(f, &bots,
	    "bots:\n  echo:\n    exec: [/bin/sh, -c, 'echo \"$BOT\" \\ x']\n    nick: ''\n"
	    "  ticker: { exec: /bin/tick, parallel: 3, nick: T t }\n");
	assert_string_equal(sentences(f), "");
	assert_int_equal(bots.bots.count, 2);
	text = config_option_value(&bots_options[0], &bots, f->pool);
	assert_int_equal(
	    config_option_set(&bots_options[0], &again, text, prepare, f->pool, &why), 0);
	assert_int_equal(again.bots.count, 2);
	assert_string_equal(again.bots.name[0], "echo");
	bot = again.bots.settings[0];
	assert_int_equal(bot->parallel, 8);
	assert_int_equal(bot->exec.count, 3);
	assert_string_equal(bot->exec.value[2], "echo \"$BOT\" \\ x");
	bot = again.bots.settings[1];
	assert_int_equal(bot->parallel, 3);
	assert_string_equal(bot->nick, "T t");
	assert_string_equal(config_option_value(&bots_options[0], &again, f->pool), text);
}

static void
test_mistakes_in_sections_name_their_place(void **state)
{
	struct fixture *f = *state;
	struct bots bots = { 0 };
	const char *why;

	read_bots(f, &bots, "bots:\n  a: { exec: x, paralel: 3 }\n  b: { parallel: 0 }\n  c: d\n");
	assert_string_equal(sentences(f),
	    "a.yaml:2:17: unknown option \"paralel\" of a of bots of module bots; did you mean "
	    "\"parallel\"?\n"
	    "a.yaml:3:3: b of bots of module bots has no exec; it must be a list of 1 to 9 texts\n"
	    "a.yaml:3:18: parallel of b of bots of module bots must be a whole number from 1 to "
	    "64, not \"0\"\n"
	    "a.yaml:4:6: c of bots of module bots must be a map of options, not a text\n");
	assert_true(config_option_set(
			&bots_options[0], &bots, "\"a nick\" \"\"", prepare, f->pool, &why) < 0);
	assert_string_equal(why, "has a section without a name");
	assert_true(
	    config_option_set(&bots_options[0], &bots, "\"a x y\"", prepare, f->pool, &why) < 0);
	assert_string_equal(why, "has a with an unknown option \"x\"");
	assert_true(config_option_set(
			&bots_options[0], &bots, "\"a parallel 99\"", prepare, f->pool, &why) < 0);
	assert_string_equal(
	    why, "has a, whose parallel must be a whole number from 1 to 64, not \"99\"");
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
		TEST(test_values_are_written_as_they_can_be_read),
		TEST(test_sections_are_read_each_by_the_table),
		TEST(test_mistakes_in_sections_name_their_place),
		TEST(test_one_text_alone_says_why_not),
		TEST(test_names_have_dashes_and_no_unit),
		TEST(test_a_long_value_is_cut_between_characters),
		TEST(test_options_are_set_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
