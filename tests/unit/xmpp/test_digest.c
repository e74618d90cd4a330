/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_digest.c - SHA-1 (FIPS 180 examples; the handshake of XEP-0114)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xmpp/digest.h"

static void
test_known_texts_have_known_digests(void **state)
{
	char hex[SHA1_HEX_ROOM], base64[SHA1_BASE64_ROOM];

	assert_int_equal(sha1_hex("", 0, hex), ANNEX_OK);
	assert_string_equal(hex, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_int_equal(sha1_hex("abc", 3, hex), ANNEX_OK);
	assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(sha1_base64("abc", 3, base64), ANNEX_OK);
	assert_string_equal(base64, "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_texts_have_known_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
