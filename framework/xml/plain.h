/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * plain.h - bytes that XML carries as they are, found eight at a time
 *
 * Below a space there are control characters, of which text may hold some, but
 * not as they are; & ' < > would be taken for markup; above ASCII more has to be
 * judged than single bytes.
 */
#ifndef XML_PLAIN_H
#define XML_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PLAIN_BYTES(c) ((c)*0x0101010101010101u)
#define PLAIN_HIGHS PLAIN_BYTES(0x80u)

/* High bits where a byte of x is zero; above the lowest there may be false ones. */
static inline uint64_t
plain_zeroes(uint64_t x)
{
	return (x - PLAIN_BYTES(1)) & ~x & PLAIN_HIGHS;
}

/* Not zero where a byte of word is below a space, or one of & ' < >, of which each pair differs in one
 * bit. */
static inline uint64_t
plain_special(uint64_t word)
{
	return ((word - PLAIN_BYTES(0x20)) & ~word & PLAIN_HIGHS) |
	    plain_zeroes((word | PLAIN_BYTES(1)) ^ PLAIN_BYTES('\'')) |
	    plain_zeroes((word | PLAIN_BYTES(2)) ^ PLAIN_BYTES('>'));
}

static inline bool
plain_is_special(unsigned char c)
{
	return c < 0x20 || (c | 1) == '\'' || (c | 2) == '>';
}

/* Copy eight bytes; not zero where one of them is not of an address as most are: from * up to DEL, but
 * < and >. */
static inline uint64_t
plain_copy_word(char *to, const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	memcpy(to, &word, sizeof(word));
	return (((word - PLAIN_BYTES('*')) | word) & PLAIN_HIGHS) |
	    plain_zeroes((word | PLAIN_BYTES(2)) ^ PLAIN_BYTES('>'));
}

/*
 * Copy what xml_write_escaped would append as it stands: quicker, as it asks less.  False where text is
 * shorter than eight bytes, or might have to be escaped or judged; what is at to then is of no use.
 */
static inline bool
plain_copy(char *to, const char *text, size_t len)
{
	uint64_t seen = 0;
	size_t n = 0;

	if (len < sizeof(seen))
		return false;
	for (; n < len - sizeof(seen); n += sizeof(seen))
		seen |= plain_copy_word(to + n, text + n);
	n = len - sizeof(seen);
	return (seen | plain_copy_word(to + n, text + n)) == 0;
}

#endif /* XML_PLAIN_H */
