/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * utf8.c - which bytes are text
 *
 * The table of well-formed sequences is RFC 3629 §4.  Nearly all text is
 * ASCII, so it is looked at eight bytes at a time.
 */
#include <string.h>

#include "utf8.h"

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/*
 * Length of the well-formed sequence at s, 0 where there is none.  Only the
 * second byte has a range of its own, which keeps out overlong forms,
 * surrogates and what lies above U+10FFFF.
 */
static size_t
sequence(const unsigned char *s, size_t n)
{
	unsigned char least = 0x80, most = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	if (s[0] == 0xe0)
		least = 0xa0;
	else if (s[0] == 0xed)
		most = 0x9f;
	else if (s[0] == 0xf0)
		least = 0x90;
	else if (s[0] == 0xf4)
		most = 0x8f;
	if (s[1] < least || s[1] > most)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool
utf8_is_valid(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + len;
	uint64_t word;
	size_t n;

	while (s < end) {
		for (; end - s >= 8; s += 8) {
			memcpy(&word, s, 8);
			if (word & HIGHS)
				break;
		}
		if (s == end)
			break;
		if ((n = sequence(s, (size_t)(end - s))) == 0)
			return false;
		s += n;
	}
	return true;
}

static bool
is_xml_char(const unsigned char *s, size_t n)
{
	if (n == 1)
		return s[0] >= 0x20 || s[0] == '\t' || s[0] == '\n' || s[0] == '\r';
	/* U+FFFE and U+FFFF */
	return n != 3 || s[0] != 0xef || s[1] != 0xbf || s[2] < 0xbe;
}

bool
utf8_is_xml(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + len;
	uint64_t word;
	size_t n;

	while (s < end) {
		/* No byte above 0x7f and none below 0x20. */
		for (; end - s >= 8; s += 8) {
			memcpy(&word, s, 8);
			if ((word | (word - ONES * 0x20)) & HIGHS)
				break;
		}
		if (s == end)
			break;
		if ((n = sequence(s, (size_t)(end - s))) == 0 || !is_xml_char(s, n))
			return false;
		s += n;
	}
	return true;
}

int32_t
utf8_next(const char **at, const char *end)
{
	const unsigned char *s = (const unsigned char *)*at;
	size_t n = sequence(s, (size_t)(end - *at));
	int32_t c;

	if (n == 0) {
		++*at;
		return -1;
	}
	*at += n;
	if (n == 1)
		return s[0];
	c = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

size_t
utf8_cut(const char *text, size_t len, size_t max)
{
	size_t at = max, back = 0;

	if (len <= max)
		return len;
	while (at > 0 && back < 3 && ((unsigned char)text[at] & 0xc0) == 0x80) {
		at--;
		back++;
	}
	/* Stray continuation bytes belong to no character: cut anywhere. */
	return ((unsigned char)text[at] & 0xc0) == 0x80 ? max : at;
}
