/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_name.c - which strings are names
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <expat.h>

#include "xml/name.h"

static size_t
encode(char *to, unsigned c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	to[0] = (char)(0xe0 | c >> 12);
	to[1] = (char)(0x80 | (c >> 6 & 0x3f));
	to[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

static bool
expat_takes(const char *name, size_t len)
{
	XML_Parser p = XML_ParserCreate("UTF-8");
	bool ok;

	ok = XML_Parse(p, "<", 1, 0) == XML_STATUS_OK &&
	    XML_Parse(p, name, (int)len, 0) == XML_STATUS_OK &&
	    XML_Parse(p, "/>", 2, 1) == XML_STATUS_OK;
	XML_ParserFree(p);
	return ok;
}

static void
every_character_counts_as_it_does_for_expat(void **state)
{
	char name[8] = "a";
	size_t n;

	for (unsigned c = 1; c < 0x10000; c++) {
		/* Not names at all, or names with a prefix. */
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '/' || c == '>' ||
		    c == ':')
			continue;
		n = encode(name + 1, c);
		if (xml_name_is_valid(name, n + 1) != expat_takes(name, n + 1) ||
		    xml_name_is_valid(name + 1, n) != expat_takes(name + 1, n))
			fail_msg("U+%04X", c);
	}
}

static void
what_is_no_name_is_refused(void **state)
{
	static const char *const bad[] = { "", "1a", "-a", ".a", "a:b", ":a", "a b", "a/", "a>",
		"\xc3", "a\xff", "\xf0\x90\x80\x80", "a\xf0\x90\x80\x80", "a\xcc" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (xml_name_is_valid(bad[i], strlen(bad[i])))
			fail_msg("\"%s\"", bad[i]);
	assert_false(xml_name_is_valid("a\0b", 3));
	assert_true(xml_name_is_valid("a-1._b", 6));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character_counts_as_it_does_for_expat),
		cmocka_unit_test(what_is_no_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
