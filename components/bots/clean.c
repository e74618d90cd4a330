/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * clean.c - what a program wrote, as text that may be sent
 *
 * All bots share one stream, which a server closes at the first character that
 * is not XML's.  So what a terminal would take for itself goes: escape
 * sequences (ECMA-48 §5.4) whole, and the controls; a carriage return
 * becomes a line's end, as XML's own rule has it (XML 1.0 §2.11).
 */
#include <string.h>

#include "bots.h"

/* The first byte behind the escape sequence that begins at c. */
static const char *
behind_escape(const char *c)
{
	c++;
	if (*c == '[') { /* control sequence: parameters, then one final byte */
		for (c++; *c >= 0x20 && *c < 0x40; c++)
			continue;
		return *c == '\0' ? c : c + 1;
	}
	if (*c != '\0' && strchr("]PX^_", *c) != NULL) { /* a string up to BEL or ST */
		for (c++; *c != '\0' && *c != '\a'; c++)
			if (c[0] == '\033' && c[1] == '\\')
				return c + 2;
		return *c == '\0' ? c : c + 1;
	}
	return *c == '\0' ? c : c + 1;
}

/* U+FFFE and U+FFFF are no characters of XML (XML 1.0 §2.2). */
static bool
is_noncharacter(const char *c)
{
	return (unsigned char)c[0] == 0xef && (unsigned char)c[1] == 0xbf &&
	    ((unsigned char)c[2] & 0xfe) == 0xbe;
}

const char *
clean_text(struct annex_pool *pool, const char *text)
{
	char *out = annex_pool_alloc(pool, strlen(text) + 1), *to = out;

	for (const char *c = text; *c != '\0';) {
		unsigned char byte = (unsigned char)*c;

		if (byte == '\033') {
			c = behind_escape(c);
		} else if (byte == '\r') {
			*to++ = '\n';
			c += c[1] == '\n' ? 2 : 1;
		} else if (is_noncharacter(c)) {
			c += 3;
		} else {
			if (byte >= 0x20 ? byte != 0x7f : byte == '\n' || byte == '\t')
				*to++ = *c;
			c++;
		}
	}
	*to = '\0';
	return out;
}

/* Where to cut at most max bytes off: behind a line, else behind a word, else a character. */
static size_t
place_to_cut(const char *text, size_t max)
{
	size_t n = max;

	while (n > max / 2 && text[n - 1] != '\n')
		n--;
	if (n > max / 2)
		return n;
	for (n = max; n > max / 2 && text[n - 1] != ' ';)
		n--;
	if (n > max / 2)
		return n;
	for (n = max; n > 1 && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

const char *
clean_part(struct annex_pool *pool, const char **text, size_t max)
{
	size_t len = strlen(*text), n = len <= max ? len : place_to_cut(*text, max);
	size_t shown = n;
	const char *part;

	if (n == 0)
		return NULL;
	while (n < len && shown > 0 && ((*text)[shown - 1] == '\n' || (*text)[shown - 1] == ' '))
		shown--;
	part = annex_strndup(pool, *text, shown);
	*text += n;
	return part;
}

/* How many bytes the character at c has, 0 where it is none (RFC 3629 §4). */
static size_t
character(const unsigned char *c, size_t len)
{
	size_t n = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > len || c[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return n;
}

const char *
clean_utf8(struct annex_pool *pool, const char *bytes, size_t len)
{
	struct text t = { .pool = pool };
	size_t n;

	text_add(&t, "", 0);
	for (size_t i = 0; i < len; i += n) {
		n = character((const unsigned char *)bytes + i, len - i);
		if (n == 0)
			text_add(&t, "\xef\xbf\xbd", 3); /* U+FFFD */
		else if (bytes[i] != '\0')
			text_add(&t, bytes + i, n);
		n += n == 0;
	}
	return t.bytes;
}
