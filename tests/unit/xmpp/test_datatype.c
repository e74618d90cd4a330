/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_datatype.c - which texts are of which datatype (XEP-0122 §5)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <annex/form.h>

static const struct {
	const char *datatype, *text;
	bool matches;
} cases[] = {
	{ "xs:string", "", true },
	{ "xs:string", "any\nthing", true },
	{ "xs:string", "\x01", false },
	{ NULL, "any", true },
	{ "x:own", "any", true },
	{ "xs:gMonth", "any", true },
	{ "xs:boolean", "0", true },
	{ "xs:boolean", "1", true },
	{ "xs:boolean", "true", true },
	{ "xs:boolean", "false", true },
	{ "xs:boolean", "True", false },
	{ "xs:boolean", "2", false },
	{ "xs:boolean", "", false },
	{ "xs:integer", "0", true },
	{ "xs:integer", "-0", true },
	{ "xs:integer", "+12", true },
	{ "xs:integer", "123456789012345678901234567890", true },
	{ "xs:integer", "", false },
	{ "xs:integer", "-", false },
	{ "xs:integer", "1.0", false },
	{ "xs:integer", " 1", false },
	{ "xs:integer", "0x10", false },
	{ "xs:byte", "127", true },
	{ "xs:byte", "-128", true },
	{ "xs:byte", "00000127", true },
	{ "xs:byte", "128", false },
	{ "xs:byte", "-129", false },
	{ "xs:short", "32767", true },
	{ "xs:short", "32768", false },
	{ "xs:short", "-32768", true },
	{ "xs:short", "-32769", false },
	{ "xs:int", "2147483647", true },
	{ "xs:int", "2147483648", false },
	{ "xs:int", "-2147483648", true },
	{ "xs:int", "-2147483649", false },
	{ "xs:long", "9223372036854775807", true },
	{ "xs:long", "9223372036854775808", false },
	{ "xs:long", "-9223372036854775808", true },
	{ "xs:long", "-9223372036854775809", false },
	{ "xs:nonNegativeInteger", "0", true },
	{ "xs:nonNegativeInteger", "-0", true },
	{ "xs:nonNegativeInteger", "-1", false },
	{ "xs:positiveInteger", "1", true },
	{ "xs:positiveInteger", "0", false },
	{ "xs:nonPositiveInteger", "0", true },
	{ "xs:nonPositiveInteger", "1", false },
	{ "xs:negativeInteger", "-1", true },
	{ "xs:negativeInteger", "0", false },
	{ "xs:unsignedByte", "255", true },
	{ "xs:unsignedByte", "256", false },
	{ "xs:unsignedShort", "65535", true },
	{ "xs:unsignedShort", "65536", false },
	{ "xs:unsignedInt", "4294967295", true },
	{ "xs:unsignedInt", "4294967296", false },
	{ "xs:unsignedLong", "18446744073709551615", true },
	{ "xs:unsignedLong", "18446744073709551616", false },
	{ "xs:unsignedLong", "-1", false },
	{ "xs:decimal", "1", true },
	{ "xs:decimal", "-1.50", true },
	{ "xs:decimal", ".5", true },
	{ "xs:decimal", "5.", true },
	{ "xs:decimal", ".", false },
	{ "xs:decimal", "", false },
	{ "xs:decimal", "1e3", false },
	{ "xs:decimal", "1,5", false },
	{ "xs:double", "1e3", true },
	{ "xs:double", "-1.5E-10", true },
	{ "xs:double", "INF", true },
	{ "xs:double", "-INF", true },
	{ "xs:double", "NaN", true },
	{ "xs:double", "nan", false },
	{ "xs:double", "1e", false },
	{ "xs:double", "1e+", false },
	{ "xs:double", "e3", false },
	{ "xs:double", "0x1p3", false },
	{ "xs:float", "1.5", true },
	{ "xs:dateTime", "2003-10-06T11:22:00-07:00", true },
	{ "xs:dateTime", "2003-10-06", false },
	{ "xs:date", "2003-10-06", true },
	{ "xs:date", "2003-10-32", false },
	{ "xs:time", "11:22:00", true },
	{ "xs:time", "11:22", false },
	{ "pubsub:integer-or-max", "max", true },
	{ "pubsub:integer-or-max", "10", true },
	{ "pubsub:integer-or-max", "-1", false },
	{ "pubsub:integer-or-max", "many", false },
	{ "xs:anyURI", "http://example.org/a?b#c", true },
	{ "xs:anyURI", "xmpp:den@rooms.test?join", true },
	{ "xs:anyURI", "relative/path:with-colon", true },
	{ "xs:anyURI",
	    "http://b\xc3\xbc"
	    "cher.example/",
	    true },
	{ "xs:anyURI", "a%20b", true },
	{ "xs:anyURI", "a b", false },
	{ "xs:anyURI", "a%2", false },
	{ "xs:anyURI", "a%zz", false },
	{ "xs:anyURI", "<a>", false },
	{ "xs:anyURI", "1http://x", false },
	{ "xs:anyURI", "://x", false },
	{ "xs:language", "en", true },
	{ "xs:language", "zh-Hant-TW", true },
	{ "xs:language", "de-1996", true },
	{ "xs:language", "", false },
	{ "xs:language", "en_GB", false },
	{ "xs:language", "en-", false },
	{ "xs:language", "1en", false },
	{ "xs:language", "abcdefghi", false },
};

static void
test_texts_match_their_datatypes(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (annex_datatype_matches(cases[i].datatype, cases[i].text) != cases[i].matches)
			fail_msg("%s: \"%s\"", cases[i].datatype, cases[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_match_their_datatypes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
