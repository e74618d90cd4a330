/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_escape.c - XEP-0106, by its own examples
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <annex/jid.h>
#include <annex/pool.h>

#include "tree.h"

static const struct {
	const char *text, *escaped;
} examples[] = {
	/* §5.1 */
	{ "space cadet", "space\\20cadet" },
	{ "call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22" },
	{ "at&t guy", "at\\26t\\20guy" },
	{ "d'artagnan", "d\\27artagnan" },
	{ "/.fanboy", "\\2f.fanboy" },
	{ "::foo::", "\\3a\\3afoo\\3a\\3a" },
	{ "<foo>", "\\3cfoo\\3e" },
	{ "user@host", "user\\40host" },
	{ "c:\\net", "c\\3a\\net" },
	{ "c:\\\\net", "c\\3a\\\\net" },
	{ "c:\\cool stuff", "c\\3a\\cool\\20stuff" },
	{ "c:\\5commas", "c\\3a\\5c5commas" },
	/* §5.2, §5.5, §5.6, §5.7 */
	{ "here's_a_wild_&_/cr%zy/_address", "here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address" },
	{ "here's_a_wild_&_/cr%zy/_address_for:<wv>(\"IMPS\")",
	    "here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address_for\\3a\\3cwv\\3e(\\22IMPS\\22)" },
	{ "\\3and\\2is\\5cool", "\\5c3and\\2is\\5c5cool" },
	{ "CN=D'Artagnan Saint-Andr\\E9,O=Example & Company, Inc.,DC=example,DC=com",
	    "CN=D\\27Artagnan\\20Saint-Andr\\E9,O=Example\\20\\26\\20Company,\\20Inc.,DC=example,"
	    "DC=com" },
	{ "somenick!user\"&'/:<>\\3address",
	    "somenick!user\\22\\26\\27\\2f\\3a\\3c\\3e\\5c3address" },
	/* §4.3: partial and other sequences are none. */
	{ "\\2plus\\2is\\4", "\\2plus\\2is\\4" },
	{ "foo\\bar", "foo\\bar" },
	{ "foob\\41r", "foob\\41r" },
	{ "a\\2Fb", "a\\2Fb" },
	{ "\\", "\\" },
	{ "\\20", "\\5c20" },
	{ "a\\\\5c", "a\\\\5c5c" },
};

static void
test_examples_are_escaped(void **state)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		assert_string_equal(
		    annex_jid_escape(*state, examples[i].text), examples[i].escaped);
}

static void
test_examples_are_unescaped(void **state)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		assert_string_equal(
		    annex_jid_unescape(*state, examples[i].escaped), examples[i].text);
}

static void
test_a_space_at_an_end_cannot_be_escaped(void **state)
{
	assert_null(annex_jid_escape(*state, " a"));
	assert_null(annex_jid_escape(*state, "a "));
	assert_null(annex_jid_escape(*state, " "));
	assert_null(annex_jid_escape(*state, ""));
}

static void
test_an_escaped_space_at_an_end_stays(void **state)
{
	assert_string_equal(annex_jid_unescape(*state, "\\20a"), "\\20a");
	assert_string_equal(annex_jid_unescape(*state, "a\\20"), "a\\20");
	assert_string_equal(annex_jid_unescape(*state, "\\20"), "\\20");
	assert_string_equal(annex_jid_unescape(*state, "\\20a\\20b\\20"), "\\20a b\\20");
}

static void
test_what_is_escaped_comes_back(void **state)
{
	static const char alphabet[] = "\\\\\\20235acef7/ @a";
	uint64_t seed = 20240605;
	char text[12];

	for (int i = 0; i < 100000; i++) {
		size_t len = 1;

		text[0] = text[1] = '\\';
		for (; len < sizeof(text) - 1 && seed % 9 != 0; len++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[len] = alphabet[(seed >> 33) % (sizeof(alphabet) - 1)];
		}
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (text[len - 1] == ' ')
			text[len - 1] = 'a';
		text[len] = '\0';
		const char *escaped = annex_jid_escape(*state, text);

		assert_null(strpbrk(escaped, " \"&'/:<>@"));
		assert_string_equal(annex_jid_unescape(*state, escaped), text);
		annex_pool_reset(*state);
	}
}

static void
test_an_escaped_text_is_a_localpart(void **state)
{
	const char *local = annex_jid_escape(*state, "treville@musketeers.lit");
	const struct annex_jid *jid = annex_jid_make(*state, local, "smtp.gascon.fr", NULL);

	assert_string_equal(jid->full, "treville\\40musketeers.lit@smtp.gascon.fr");
	assert_string_equal(annex_jid_unescape(*state, jid->local), "treville@musketeers.lit");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples_are_escaped),
		cmocka_unit_test(test_examples_are_unescaped),
		cmocka_unit_test(test_a_space_at_an_end_cannot_be_escaped),
		cmocka_unit_test(test_an_escaped_space_at_an_end_stays),
		cmocka_unit_test(test_what_is_escaped_comes_back),
		cmocka_unit_test(test_an_escaped_text_is_a_localpart),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
