/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pieces.c - a text is parsed in all kinds of pieces
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pieces.h"
#include "show.h"

void
run(struct result *result, const struct xml_limits *limits, const char *text, size_t len,
    size_t most, struct random *random)
{
	struct xml_parser *p = xml_parser_create(limits, 4711);
	size_t n;

	*result = (struct result) { 0 };
	while (len > 0 && result->status == ANNEX_OK) {
		n = random != NULL ? 1 + random_below(random, (uint32_t)most) : most;
		if (n > len)
			n = len;
		result->status = xml_parser_feed(p, text, n);
		if (result->status == ANNEX_OK && (random == NULL || random_below(random, 2)))
			result->status = xml_parser_flush(p);
		show_events(&result->shown, p);
		text += n;
		len -= n;
	}
	if (result->status == ANNEX_OK)
		result->status = xml_parser_flush(p);
	show_events(&result->shown, p);
	strcpy(result->why, xml_parser_why(p));
	xml_parser_destroy(&p);
}

static void
assert_same(const struct result *a, struct result *b)
{
	assert_string_equal(buf_text(&a->shown), buf_text(&b->shown));
	assert_int_equal(a->status, b->status);
	assert_string_equal(a->why, b->why);
	buf_finish(&b->shown);
}

struct result
parse_long(const struct xml_limits *limits, const char *text, size_t len)
{
	static const size_t mosts[] = { 2, 7, 64, 600, 5000, 100000 };
	struct xml_limits replace_often = *limits;
	struct result whole, pieces;
	struct random random;

	replace_often.expat_bytes = 1;

	run(&whole, limits, text, len, len, NULL);
	for (uint64_t seed = 0; seed < 12; seed++) {
		random_init_seeded(&random, seed);
		if (mosts[seed % 6] * 5000 < len)
			continue;
		run(&pieces, seed < 6 ? limits : &replace_often, text, len, mosts[seed % 6],
		    &random);
		assert_same(&whole, &pieces);
	}
	if (len < 20000) {
		run(&pieces, limits, text, len, 1, NULL);
		assert_same(&whole, &pieces);
	}
	return whole;
}

void
assert_gives_within(const struct xml_limits *limits, const char *text, const char *expected)
{
	struct result result = parse_long(limits, text, strlen(text));

	assert_string_equal(buf_text(&result.shown), expected);
	assert_string_equal(result.why, "");
	assert_int_equal(result.status, ANNEX_OK);
	buf_finish(&result.shown);
}

void
assert_gives(const char *text, const char *expected)
{
	assert_gives_within(&xml_limits_default, text, expected);
}

void
assert_fails(const char *text, const char *expected, const char *why)
{
	struct result result = parse_long(&xml_limits_default, text, strlen(text));

	assert_string_equal(buf_text(&result.shown), expected);
	assert_int_equal(result.status, ANNEX_EINVAL);
	assert_string_equal(result.why, why);
	buf_finish(&result.shown);
}

struct buf
repeated(const char *before, const char *middle, size_t times, const char *after)
{
	struct buf text = { 0 };

	buf_puts(&text, before);
	while (times-- > 0)
		buf_puts(&text, middle);
	buf_puts(&text, after);
	return text;
}
