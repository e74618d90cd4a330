/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * nick.c - which nicknames there may be, and which are the same
 *
 * A nickname comes as the resource of a JID: resourceprep was applied, which
 * lets pass what Unicode 3.2 had not assigned, emoji among it.  What shows
 * nothing is no nickname (XEP-0045 §17.1), nor is what turns the text around it.
 * Two that differ in case alone are one: they are compared as nodeprep folds them, after
 * XEP-0106 took away what nodeprep forbids.
 */
#include <string.h>

#include "muc.h"

struct range {
	uint32_t from, to;
};

/* What takes room, or none, and shows nothing; in order. */
static const struct range blanks[] = {
	{ 0x0000, 0x0020 },   /* controls, space */
	{ 0x007f, 0x00a0 },   /* controls, no-break space */
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x034f, 0x034f },   /* grapheme joiner */
	{ 0x115f, 0x1160 },   /* Hangul fillers */
	{ 0x1680, 0x1680 },   /* Ogham space */
	{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels */
	{ 0x180b, 0x180f },   /* Mongolian selectors and separator */
	{ 0x2000, 0x200f },   /* spaces, joiners, marks */
	{ 0x2028, 0x202f },   /* separators, embeddings, narrow space */
	{ 0x205f, 0x206f },   /* mathematical space, invisible operators, isolates */
	{ 0x2800, 0x2800 },   /* blank Braille */
	{ 0x3000, 0x3000 },   /* ideographic space */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xfe00, 0xfe0f },   /* variation selectors */
	{ 0xfeff, 0xfeff },   /* zero width no-break space */
	{ 0xffa0, 0xffa0 },   /* halfwidth Hangul filler */
	{ 0x1bca0, 0x1bca3 }, /* shorthand format controls */
	{ 0x1d159, 0x1d159 }, /* null notehead */
	{ 0x1d173, 0x1d17a }, /* musical format controls */
	{ 0xe0000, 0xe0fff }, /* tags, variation selectors */
};

/* What changes the direction of the text behind it: those that resourceprep does not know. */
static const struct range turns[] = {
	{ 0x061c, 0x061c },
	{ 0x200e, 0x200f },
	{ 0x202a, 0x202e },
	{ 0x2066, 0x2069 },
};

static bool
is_within(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

uint32_t
nick_next_point(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	size_t more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
	uint32_t c = more == 0 ? *at : *at & (0x3fu >> more);

	if (*at == '\0')
		return 0;
	for (at++; more > 0 && *at != '\0'; more--, at++)
		c = c << 6 | (*at & 0x3f);
	*text = (const char *)at;
	return c;
}

bool
nick_is_fine(const struct muc *m, const char *nick)
{
	bool shows = false;
	uint32_t c;

	if (nick == NULL || strlen(nick) > (size_t)m->set->max_nick_bytes)
		return false;
	while ((c = nick_next_point(&nick)) != 0) {
		if (is_within(turns, sizeof(turns) / sizeof(*turns), c))
			return false;
		shows = shows || !is_within(blanks, sizeof(blanks) / sizeof(*blanks), c);
	}
	return shows;
}

/* Without spaces at its ends and with one where there are several. */
static const char *
squeeze(struct annex_pool *pool, const char *text)
{
	char *out = annex_strdup(pool, text), *at = out;

	for (; *text != '\0'; text++)
		if (*text != ' ' || (at > out && at[-1] != ' '))
			*at++ = *text;
	while (at > out && at[-1] == ' ')
		at--;
	*at = '\0';
	return out;
}

const char *
nick_fold(struct annex_pool *pool, const char *nick)
{
	const char *escaped = annex_jid_escape(pool, squeeze(pool, nick));
	const char *folded = escaped != NULL ? annex_prep_local(pool, escaped) : NULL;

	return folded != NULL ? folded : nick;
}
