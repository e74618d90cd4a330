/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_utf8.c - which bytes are text, by a table of what is not
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

#define T(text) text, sizeof(text) - 1

static const struct {
	const char *what, *text;
	size_t len;
	bool valid, xml;
} cases[] = {
	{ "nothing", T(""), true, true },
	{ "ASCII", T("den"), true, true },
	{ "white space", T("\t\n\r "), true, true },
	{ "U+0000", T("\0"), true, false },
	{ "U+001F", T("\x1f"), true, false },
	{ "U+000B", T("\x0b"), true, false },
	{ "U+007F", T("\x7f"), true, true },
	{ "U+0080", T("\xc2\x80"), true, true },
	{ "U+07FF", T("\xdf\xbf"), true, true },
	{ "U+0800", T("\xe0\xa0\x80"), true, true },
	{ "U+D7FF", T("\xed\x9f\xbf"), true, true },
	{ "U+E000", T("\xee\x80\x80"), true, true },
	{ "U+FFFD", T("\xef\xbf\xbd"), true, true },
	{ "U+FFFE", T("\xef\xbf\xbe"), true, false },
	{ "U+FFFF", T("\xef\xbf\xbf"), true, false },
	{ "U+10000", T("\xf0\x90\x80\x80"), true, true },
	{ "U+1FFFF", T("\xf0\x9f\xbf\xbf"), true, true },
	{ "U+10FFFF", T("\xf4\x8f\xbf\xbf"), true, true },
	{ "stray continuation", T("\x80"), false, false },
	{ "two stray continuations", T("\xbf\xbf"), false, false },
	{ "two bytes cut", T("\xc3"), false, false },
	{ "three bytes cut at two", T("\xe2\x82"), false, false },
	{ "three bytes cut at one", T("\xe2"), false, false },
	{ "four bytes cut at three", T("\xf0\x9f\x98"), false, false },
	{ "second byte no continuation", T("\xc3\x28"), false, false },
	{ "third byte no continuation", T("\xe2\x82\x28"), false, false },
	{ "fourth byte no continuation", T("\xf0\x9f\x98\x28"), false, false },
	{ "overlong / in two", T("\xc0\xaf"), false, false },
	{ "overlong NUL in two", T("\xc0\x80"), false, false },
	{ "overlong U+007F", T("\xc1\xbf"), false, false },
	{ "overlong / in three", T("\xe0\x80\xaf"), false, false },
	{ "overlong U+07FF", T("\xe0\x9f\xbf"), false, false },
	{ "overlong / in four", T("\xf0\x80\x80\xaf"), false, false },
	{ "overlong U+FFFF", T("\xf0\x8f\xbf\xbf"), false, false },
	{ "first surrogate", T("\xed\xa0\x80"), false, false },
	{ "last surrogate", T("\xed\xbf\xbf"), false, false },
	{ "a surrogate pair", T("\xed\xa0\xbd\xed\xb8\x80"), false, false },
	{ "U+110000", T("\xf4\x90\x80\x80"), false, false },
	{ "lead byte F5", T("\xf5\x80\x80\x80"), false, false },
	{ "five bytes", T("\xf8\x88\x80\x80\x80"), false, false },
	{ "six bytes", T("\xfc\x84\x80\x80\x80\x80"), false, false },
	{ "FE", T("\xfe"), false, false },
	{ "FF", T("\xff"), false, false },
};

/* Alone, and at every place of a longer text, for the sake of the fast path. */
static void
every_malformed_sequence_is_seen_wherever_it_stands(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t before = 0; before <= 17; before++)
			for (size_t after = 0; after <= 9; after++) {
				char text[64];
				size_t len = before + cases[i].len + after;

				memset(text, 'x', sizeof(text));
				memcpy(text + before, cases[i].text, cases[i].len);
				if (utf8_is_valid(text, len) != cases[i].valid ||
				    utf8_is_xml(text, len) != cases[i].xml)
					fail_msg("%s after %zu bytes", cases[i].what, before);
			}
}

static size_t
encode(char *to, int32_t c)
{
	if (c < 0x80)
		return to[0] = (char)c, 1;
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

static void
every_code_point_decodes_to_itself(void **state)
{
	for (int32_t c = 0; c <= 0x10ffff; c++) {
		char text[8];
		const char *at = text;
		size_t n = encode(text, c);
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		bool xml =
		    c == 9 || c == 10 || c == 13 || (c >= 0x20 && c != 0xfffe && c != 0xffff);

		if (utf8_next(&at, text + n) != (surrogate ? -1 : c) ||
		    (size_t)(at - text) != (surrogate ? 1 : n) ||
		    utf8_is_valid(text, n) == surrogate ||
		    utf8_is_xml(text, n) != (xml && !surrogate))
			fail_msg("U+%04X", (unsigned)c);
	}
}

static void
decoding_goes_on_one_byte_behind_a_wrong_one(void **state)
{
	const char text[] = "a\xe2\x82z\xff";
	const char *at = text, *end = text + sizeof(text) - 1;

	assert_int_equal(utf8_next(&at, end), 'a');
	assert_int_equal(utf8_next(&at, end), -1);
	assert_int_equal(utf8_next(&at, end), -1);
	assert_int_equal(utf8_next(&at, end), 'z');
	assert_int_equal(utf8_next(&at, end), -1);
	assert_ptr_equal(at, end);
}

static void
a_cut_never_parts_a_character(void **state)
{
	const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"; /* 1 + 2 + 3 + 4 + 1 */
	const size_t want[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };

	for (size_t max = 0; max < sizeof(want) / sizeof(want[0]); max++)
		assert_int_equal(utf8_cut(text, 11, max), want[max]);
	assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_malformed_sequence_is_seen_wherever_it_stands),
		cmocka_unit_test(every_code_point_decodes_to_itself),
		cmocka_unit_test(decoding_goes_on_one_byte_behind_a_wrong_one),
		cmocka_unit_test(a_cut_never_parts_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
