/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * utf8.h - which bytes are text
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 (RFC 3629: shortest form, no surrogates, <= U+10FFFF). */
bool utf8_is_valid(const char *text, size_t len);

/* Well-formed, and every character is an XML 1.0 Char (XML 1.0 §2.2). */
bool utf8_is_xml(const char *text, size_t len);

/*
 * Decode one character at *at (which moves on).  Returns the code point, or
 * -1 where the bytes are not UTF-8; *at then moves one byte.
 */
int32_t utf8_next(const char **at, const char *end);

/* Longest prefix of text, at most max bytes, that ends between characters. */
size_t utf8_cut(const char *text, size_t len, size_t max);

#endif /* BASE_UTF8_H */
