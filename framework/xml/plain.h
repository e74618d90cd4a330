/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * plain.h - bytes that XML carries as they are, found sixteen at a time
 *
 * Below a space there are control characters, of which text may hold some, but
 * not as they are; & ' < > would be taken for markup; above ASCII, where a signed
 * char is negative, more has to be judged than single bytes.
 */
#ifndef XML_PLAIN_H
#define XML_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes side by side.  What is compared gives all ones where it holds. */
typedef signed char plain_row __attribute__((vector_size(16)));
typedef signed char plain_half __attribute__((vector_size(8)));

static inline bool
plain_is_any(plain_row row)
{
	uint64_t halves[2];

	memcpy(halves, &row, sizeof(halves));
	return (halves[0] | halves[1]) != 0;
}

/* Where a byte is below a space, or one of & ' < >, of which each pair differs in one bit. */
static inline plain_row
plain_specials(plain_row row)
{
	return ((row < ' ') & (row >= 0)) | ((row | 1) == '\'') | ((row | 2) == '>');
}

static inline bool
plain_is_special(unsigned char c)
{
	return c < 0x20 || (c | 1) == '\'' || (c | 2) == '>';
}

/* Copy a row; where a byte is not of an address as most are: from * up to DEL, but < and >. */
static inline plain_row
plain_copy_row(char *to, const char *text)
{
	plain_row row;

	memcpy(&row, text, sizeof(row));
	memcpy(to, &row, sizeof(row));
	return (row < '*') | ((row | 2) == '>');
}

/* The same of half a row; not zero where there is one. */
static inline uint64_t
plain_copy_half(char *to, const char *text)
{
	plain_half half;
	uint64_t odd;

	memcpy(&half, text, sizeof(half));
	memcpy(to, &half, sizeof(half));
	half = (half < '*') | ((half | 2) == '>');
	memcpy(&odd, &half, sizeof(odd));
	return odd;
}

/*
 * Copy what xml_write_escaped would append as it stands: quicker, as it asks less.  False where
 * text is shorter than eight bytes, or might have to be escaped or judged; what is at to then is of
 * no use.  The last row overlaps the one before.
 */
static inline bool
plain_copy(char *to, const char *text, size_t len)
{
	const size_t row = sizeof(plain_row), half = sizeof(plain_half);
	plain_row odd;

	if (len < row)
		return len >= half &&
		    (plain_copy_half(to, text) |
			plain_copy_half(to + len - half, text + len - half)) == 0;
	odd = plain_copy_row(to + len - row, text + len - row);
	for (size_t n = 0; n < len - row; n += row)
		odd |= plain_copy_row(to + n, text + n);
	return !plain_is_any(odd);
}

#endif /* XML_PLAIN_H */
