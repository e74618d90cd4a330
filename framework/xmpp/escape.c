/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * escape.c - what a localpart cannot hold, escaped (XEP-0106)
 *
 * Ten sequences stand for the nine characters that a localpart cannot hold,
 * and for a backslash that would otherwise begin such a sequence.  Case
 * counts: "\2F" is no sequence.
 *
 * The awkward case is the space at either end: "\20" may be neither the
 * first nor the last of a localpart, so such a text cannot be escaped, and
 * where one comes in all the same it stays as it is.
 */
#include <string.h>

#include <annex/jid.h>
#include <annex/pool.h>

/* XEP-0106 §3.2. */
static const struct sequence {
	char character;
	char code[3];
} sequences[] = {
	{ ' ', "20" },
	{ '"', "22" },
	{ '&', "26" },
	{ '\'', "27" },
	{ '/', "2f" },
	{ ':', "3a" },
	{ '<', "3c" },
	{ '>', "3e" },
	{ '@', "40" },
	{ '\\', "5c" },
};
#define N_SEQUENCES (sizeof(sequences) / sizeof(sequences[0]))
#define SEQUENCE_LEN 3 /* the backslash and two digits */

/* The sequence text begins with, or NULL. */
static const struct sequence *
sequence_at(const char *text)
{
	if (text[0] == '\\')
		for (size_t i = 0; i < N_SEQUENCES; i++)
			if (strncmp(text + 1, sequences[i].code, SEQUENCE_LEN - 1) == 0)
				return &sequences[i];
	return NULL;
}

/* The sequence the character at text must become, or NULL where it may stay. */
static const struct sequence *
sequence_for(const char *text)
{
	if (text[0] == '\\' && sequence_at(text) == NULL)
		return NULL;
	for (size_t i = 0; i < N_SEQUENCES; i++)
		if (sequences[i].character == text[0])
			return &sequences[i];
	return NULL;
}

static size_t
escaped_length(const char *text)
{
	size_t len = 0;

	for (; *text != '\0'; text++)
		len += sequence_for(text) == NULL ? 1 : SEQUENCE_LEN;
	return len;
}

const char *
annex_jid_escape(struct annex_pool *pool, const char *text)
{
	const struct sequence *s;
	size_t len = strlen(text);
	char *escaped, *at;

	if (len == 0 || text[0] == ' ' || text[len - 1] == ' ')
		return NULL;
	escaped = at = annex_pool_alloc(pool, escaped_length(text) + 1);
	for (; *text != '\0'; text++) {
		if ((s = sequence_for(text)) == NULL) {
			*at++ = *text;
			continue;
		}
		*at++ = '\\';
		memcpy(at, s->code, SEQUENCE_LEN - 1);
		at += SEQUENCE_LEN - 1;
	}
	*at = '\0';
	return escaped;
}

const char *
annex_jid_unescape(struct annex_pool *pool, const char *local)
{
	const struct sequence *s;
	char *text = annex_pool_alloc(pool, strlen(local) + 1), *at = text;
	const char *start = local;

	while (*local != '\0') {
		s = sequence_at(local);
		if (s != NULL && s->character == ' ' &&
		    (local == start || local[SEQUENCE_LEN] == '\0'))
			s = NULL;
		*at++ = s == NULL ? *local : s->character;
		local += s == NULL ? 1 : SEQUENCE_LEN;
	}
	*at = '\0';
	return text;
}
