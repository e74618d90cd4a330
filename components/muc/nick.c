/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * nick.c - which nicknames there may be, and which are the same
 *
 * A nickname comes as the resource of a JID: resourceprep was applied.  Two
 * that differ in case alone are one (XEP-0045 §17.1 speaks of those who pass
 * for others): they are compared as nodeprep folds them, after XEP-0106
 * took away what nodeprep forbids.
 */
#include <string.h>

#include "muc.h"

/* Characters that take room and show nothing, beside the space, as UTF-8. */
static const char *const blanks[] = {
	" ",
	"\t",
	"\xc2\xa0",
	"\xc2\xad",
	"\xe1\x85\x9f",
	"\xe1\x85\xa0",
	"\xe1\x9a\x80",
	"\xe2\x80\x80",
	"\xe2\x80\x81",
	"\xe2\x80\x82",
	"\xe2\x80\x83",
	"\xe2\x80\x84",
	"\xe2\x80\x85",
	"\xe2\x80\x86",
	"\xe2\x80\x87",
	"\xe2\x80\x88",
	"\xe2\x80\x89",
	"\xe2\x80\x8a",
	"\xe2\x80\x8b",
	"\xe2\x80\x8c",
	"\xe2\x80\x8d",
	"\xe2\x80\x8e",
	"\xe2\x80\x8f",
	"\xe2\x80\xaf",
	"\xe2\x81\x9f",
	"\xe2\x81\xa0",
	"\xe3\x80\x80",
	"\xe3\x85\xa4",
	"\xef\xbb\xbf",
	"\xef\xbe\xa0",
	NULL,
};

static size_t
blank_at(const char *text)
{
	for (size_t i = 0; blanks[i] != NULL; i++)
		if (strncmp(text, blanks[i], strlen(blanks[i])) == 0)
			return strlen(blanks[i]);
	return 0;
}

static bool
is_blank(const char *text)
{
	size_t n;

	while (*text != '\0' && (n = blank_at(text)) > 0)
		text += n;
	return *text == '\0';
}

bool
nick_is_fine(const struct muc *m, const char *nick)
{
	return nick != NULL && strlen(nick) <= (size_t)m->set->max_nick_bytes && !is_blank(nick);
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
