/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_hex.c - bytes as lowercase hexadecimal digits
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"

static void
every_byte_survives_the_round_trip(void **state)
{
	unsigned char bytes[256], back[256];
	char text[513];

	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	hex_encode(text, bytes, 256);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 506, "fdfeff");
	assert_int_equal(hex_decode(back, 256, text, 512), ANNEX_OK);
	assert_memory_equal(bytes, back, 256);
}

static void
nothing_is_nothing(void **state)
{
	char text[1] = { 'x' };

	hex_encode(text, NULL, 0);
	assert_string_equal(text, "");
	assert_int_equal(hex_decode(NULL, 0, "", 0), ANNEX_OK);
}

static void
what_is_no_hex_or_the_wrong_length_is_refused(void **state)
{
	unsigned char bytes[2];

	assert_int_equal(hex_decode(bytes, 2, "AbCd", 4), ANNEX_OK);
	assert_memory_equal(bytes, "\xab\xcd", 2);
	assert_int_equal(hex_decode(bytes, 2, "abc", 3), ANNEX_EINVAL);
	assert_int_equal(hex_decode(bytes, 2, "abcdef", 6), ANNEX_EINVAL);
	assert_int_equal(hex_decode(bytes, 2, "ab", 2), ANNEX_EINVAL);
	for (int c = 1; c < 256; c++) {
		char text[] = { '0', '0', '0', (char)c };
		int want = strchr("0123456789abcdefABCDEF", c) != NULL ? ANNEX_OK : ANNEX_EINVAL;

		assert_int_equal(hex_decode(bytes, 2, text, 4), want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_survives_the_round_trip),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(what_is_no_hex_or_the_wrong_length_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
