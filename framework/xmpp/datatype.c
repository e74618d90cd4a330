/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * datatype.c - datatypes of form fields (XEP-0122 §5; XML Schema Part 2), and
 * their patterns
 *
 * Dates and times are the profiles of XEP-0082.  A datatype that is not in
 * the table, "x:" ones among them, is judged as xs:string, as §4.1 asks.
 */
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <annex/datetime.h>
#include <annex/form.h>

#include "base/check.h"
#include "base/utf8.h"
#include "calendar.h"
#include "form.h"

struct datatype {
	const char *name;
	bool (*matches)(const struct datatype *type, const char *text);
	const char *min, *max; /* of integers, as they are written; NULL: none */
};

static const char *
skip_digits(const char *text)
{
	while (*text >= '0' && *text <= '9')
		text++;
	return text;
}

static const char *
skip_sign(const char *text)
{
	return *text == '+' || *text == '-' ? text + 1 : text;
}

/* An integer of any length: its sign and its digits without leading zeroes. */
struct integer {
	int sign; /* -1, 0, 1 */
	const char *digits;
	size_t len;
};

static bool
integer_read(struct integer *n, const char *text)
{
	const char *start = skip_sign(text), *end = skip_digits(start);

	if (end == start || *end != '\0')
		return false;
	while (start < end && *start == '0')
		start++;
	n->digits = start;
	n->len = (size_t)(end - start);
	n->sign = n->len == 0 ? 0 : *text == '-' ? -1 : 1;
	return true;
}

static int
integer_compare(const struct integer *a, const struct integer *b)
{
	int r;

	if (a->sign != b->sign)
		return a->sign < b->sign ? -1 : 1;
	if (a->len != b->len)
		r = a->len < b->len ? -1 : 1;
	else
		r = memcmp(a->digits, b->digits, a->len);
	return a->sign < 0 ? -r : r;
}

static bool
is_integer(const struct datatype *type, const char *text)
{
	struct integer n, bound;

	if (!integer_read(&n, text))
		return false;
	if (type->min != NULL && integer_read(&bound, type->min) && integer_compare(&n, &bound) < 0)
		return false;
	if (type->max != NULL && integer_read(&bound, type->max) && integer_compare(&n, &bound) > 0)
		return false;
	return true;
}

/* Behind a decimal number, or NULL where there is none: digits before or behind the point. */
static const char *
skip_decimal(const char *text)
{
	const char *start = skip_sign(text), *end = skip_digits(start);
	size_t n = (size_t)(end - start);

	if (*end == '.') {
		start = end + 1;
		end = skip_digits(start);
		n += (size_t)(end - start);
	}
	return n == 0 ? NULL : end;
}

static bool
is_decimal(const struct datatype *type, const char *text)
{
	const char *end = skip_decimal(text);

	return end != NULL && *end == '\0';
}

static bool
is_double(const struct datatype *type, const char *text)
{
	const char *end, *exponent;

	if (strcmp(text, "INF") == 0 || strcmp(text, "-INF") == 0 || strcmp(text, "NaN") == 0)
		return true;
	if ((end = skip_decimal(text)) == NULL)
		return false;
	if (*end == 'e' || *end == 'E') {
		exponent = skip_sign(end + 1);
		end = skip_digits(exponent);
		if (end == exponent)
			return false;
	}
	return *end == '\0';
}

static bool
is_boolean(const struct datatype *type, const char *text)
{
	return strcmp(text, "0") == 0 || strcmp(text, "1") == 0 || strcmp(text, "true") == 0 ||
	    strcmp(text, "false") == 0;
}

static bool
is_datetime(const struct datatype *type, const char *text)
{
	int64_t wall_ms;

	return annex_datetime_read(text, &wall_ms) == ANNEX_OK;
}

static bool
is_date(const struct datatype *type, const char *text)
{
	return calendar_is_date(text);
}

static bool
is_time(const struct datatype *type, const char *text)
{
	return calendar_is_time(text);
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* What is before the first of ":/?#" is a scheme where that is a colon (RFC 3986 §3.1). */
static bool
scheme_is_fine(const char *text)
{
	size_t len = strcspn(text, ":/?#");

	if (text[len] != ':')
		return true;
	if (!is_alpha(text[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_alpha(text[i]) && !is_digit(text[i]) && strchr("+-.", text[i]) == NULL)
			return false;
	return true;
}

/* A URI or IRI reference: no controls, blanks or delimiters, escapes whole (RFC 3987). */
static bool
is_uri(const struct datatype *type, const char *text)
{
	if (!scheme_is_fine(text))
		return false;
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f ||
		    strchr("<>\"{}|\\^`", *text) != NULL)
			return false;
		if (*text == '%' && !(is_hex(text[1]) && is_hex(text[2])))
			return false;
	}
	return true;
}

/* [a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})* (XML Schema Part 2 §3.4.3). */
static bool
is_language(const struct datatype *type, const char *text)
{
	bool first = true;
	size_t n;

	for (;; text++, first = false) {
		for (n = 0; is_alpha(*text) || (!first && is_digit(*text)); n++)
			text++;
		if (n < 1 || n > 8)
			return false;
		if (*text != '-')
			return *text == '\0';
	}
}

static bool
is_string(const struct datatype *type, const char *text)
{
	return utf8_is_xml(text, strlen(text));
}

/* XEP-0060 §12.23, of whose fields none is below nothing. */
static bool
is_integer_or_max(const struct datatype *type, const char *text)
{
	static const struct datatype number = { "xs:nonNegativeInteger", is_integer, "0", NULL };

	return strcmp(text, "max") == 0 || is_integer(&number, text);
}

/* clang-format off */
static const struct datatype datatypes[] = {
	{ "pubsub:integer-or-max", is_integer_or_max },
	{ "xs:anyURI", is_uri },
	{ "xs:boolean", is_boolean },
	{ "xs:byte", is_integer, "-128", "127" },
	{ "xs:date", is_date },
	{ "xs:dateTime", is_datetime },
	{ "xs:decimal", is_decimal },
	{ "xs:double", is_double },
	{ "xs:float", is_double },
	{ "xs:int", is_integer, "-2147483648", "2147483647" },
	{ "xs:integer", is_integer, NULL, NULL },
	{ "xs:language", is_language },
	{ "xs:long", is_integer, "-9223372036854775808", "9223372036854775807" },
	{ "xs:negativeInteger", is_integer, NULL, "-1" },
	{ "xs:nonNegativeInteger", is_integer, "0", NULL },
	{ "xs:nonPositiveInteger", is_integer, NULL, "0" },
	{ "xs:positiveInteger", is_integer, "1", NULL },
	{ "xs:short", is_integer, "-32768", "32767" },
	{ "xs:string", is_string },
	{ "xs:time", is_time },
	{ "xs:unsignedByte", is_integer, "0", "255" },
	{ "xs:unsignedInt", is_integer, "0", "4294967295" },
	{ "xs:unsignedLong", is_integer, "0", "18446744073709551615" },
	{ "xs:unsignedShort", is_integer, "0", "65535" },
};
/* clang-format on */

bool
annex_datatype_matches(const char *datatype, const char *text)
{
	for (size_t i = 0; datatype != NULL && i < sizeof(datatypes) / sizeof(datatypes[0]); i++)
		if (strcmp(datatypes[i].name, datatype) == 0)
			return datatypes[i].matches(&datatypes[i], text);
	return is_string(NULL, text);
}

bool
datatype_is_integer(const char *datatype)
{
	for (size_t i = 0; datatype != NULL && i < sizeof(datatypes) / sizeof(datatypes[0]); i++)
		if (strcmp(datatypes[i].name, datatype) == 0)
			return datatypes[i].matches == is_integer ||
			    datatypes[i].matches == is_integer_or_max;
	return false;
}

/* POSIX finds the longest match of the leftmost, so a whole one if there is one. */
bool
field_pattern_matches(const char *pattern, const char *text)
{
	regmatch_t found;
	regex_t regex;
	bool matches;

	CHECK(regcomp(&regex, pattern, REG_EXTENDED) == 0);
	matches = regexec(&regex, text, 1, &found, 0) == 0 && found.rm_so == 0 &&
	    text[found.rm_eo] == '\0';
	regfree(&regex);
	return matches;
}
