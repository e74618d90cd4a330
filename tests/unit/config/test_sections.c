/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_sections.c - named sections, each read by a table of its own
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_sections_are_read_each_by_the_table, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_mistakes_in_sections_name_their_place, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
