/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hex.c - bytes as lowercase hexadecimal digits
 */
#include "hex.h"

void
hex_encode(char *text, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *at = bytes;

	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[at[i] >> 4];
		text[2 * i + 1] = digits[at[i] & 15];
	}
	text[2 * n] = '\0';
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
hex_decode(void *bytes, size_t n, const char *text, size_t len)
{
	unsigned char *at = bytes;

	if (len % 2 != 0 || len / 2 != n)
		return ANNEX_EINVAL;
	for (size_t i = 0; i < n; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return ANNEX_EINVAL;
		at[i] = (unsigned char)(high << 4 | low);
	}
	return ANNEX_OK;
}
