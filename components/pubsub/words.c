/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * words.c - the words of a text, as they are looked for
 *
 * A word is a run of letters and digits, folded as local parts of addresses are, so that case and
 * width make no difference.  Scripts that are written without spaces have a word for each character.
 */
#include <string.h>

#include "pubsub.h"

#define WORD_MIN 2 /* bytes; shorter ones are in every text */
#define WORD_MAX 64
#define WORDS_MAX 1000 /* of one item */
#define TEXT_MAX ((size_t)64 << 10)
#define DEPTH_MAX 8

/* One character of UTF-8, which the parser has checked. */
static uint32_t
next_char(const unsigned char **at)
{
	const unsigned char *s = *at;
	uint32_t c = *s++;
	int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	if (more > 0)
		c &= 0x3fu >> more;
	for (; more > 0 && (*s & 0xc0) == 0x80; more--)
		c = c << 6 | (*s++ & 0x3fu);
	*at = s;
	return c;
}

enum sort { APART, IN_WORD, WORD_ITSELF };

static enum sort
sort_of(uint32_t c)
{
	static const struct {
		uint32_t first, last;
		enum sort sort;
	} ranges[] = {
		{ '0', '9', IN_WORD },
		{ 'A', 'Z', IN_WORD },
		{ 'a', 'z', IN_WORD },
		{ 0x00, 0xa9, APART }, /* ASCII, and signs of Latin-1 */
		{ 0xab, 0xb4, APART },
		{ 0xb6, 0xb9, APART },
		{ 0xbb, 0xbf, APART },
		{ 0x2000, 0x206f, APART },       /* General punctuation */
		{ 0x2190, 0x2bff, APART },       /* Arrows to miscellaneous symbols */
		{ 0x2e00, 0x2e7f, APART },       /* Supplemental punctuation */
		{ 0x3000, 0x303f, APART },       /* CJK symbols and punctuation */
		{ 0x3040, 0x9fff, WORD_ITSELF }, /* Kana to unified ideographs */
		{ 0xf900, 0xfaff, WORD_ITSELF },
		{ 0xfe10, 0xfe6f, APART },
		{ 0xff00, 0xff0f, APART },
		{ 0x20000, 0x3ffff, WORD_ITSELF },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return ranges[i].sort;
	return IN_WORD;
}

struct words {
	struct annex_pool *pool;
	struct annex_map *seen;
	const char **word;
	size_t count;
};

static void
word_add(struct words *w, const unsigned char *from, const unsigned char *to)
{
	size_t len = (size_t)(to - from);
	const char *word, *folded;

	if (len < WORD_MIN || len > WORD_MAX || w->count == WORDS_MAX)
		return;
	word = annex_strndup(w->pool, (const char *)from, len);
	folded = annex_prep_local(w->pool, word);
	if (folded != NULL && strlen(folded) <= 2 * WORD_MAX)
		word = folded;
	if (annex_map_set_str(w->seen, word, w) == NULL)
		w->word[w->count++] = word;
}

static void
text_add(struct words *w, const char *text)
{
	const unsigned char *at = (const unsigned char *)text, *begin = at, *before;
	const unsigned char *end = at + strlen(text);

	while (at < end && (size_t)(at - (const unsigned char *)text) < TEXT_MAX) {
		enum sort sort;

		before = at;
		sort = sort_of(next_char(&at));
		if (sort == IN_WORD)
			continue;
		word_add(w, begin, before);
		if (sort == WORD_ITSELF)
			word_add(w, before, at);
		begin = at;
	}
	word_add(w, begin, at);
}

static struct words
words_begin(struct annex_pool *pool)
{
	return (struct words) { .pool = pool,
		.seen = annex_map_create(pool),
		.word = annex_new_array(pool, const char *, WORDS_MAX) };
}

struct annex_strings
words_of_text(const char *text, struct annex_pool *pool)
{
	struct words w = words_begin(pool);

	text_add(&w, text);
	return (struct annex_strings) { w.word, w.count };
}

static bool
is_text(const struct annex_element *el)
{
	static const char *const names[] = { "title", "summary", "content", "body" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(el->name, names[i]) == 0)
			return true;
	return false;
}

static void
element_add(struct words *w, const struct annex_element *el, int depth)
{
	if (is_text(el)) {
		text_add(w, annex_text_all(el, w->pool));
		return;
	}
	if (depth < DEPTH_MAX)
		ANNEX_CHILDREN (el, child)
			element_add(w, child, depth + 1);
}

struct annex_strings
words_of_item(const Pubsub__Item *item, struct annex_pool *pool)
{
	size_t len = strlen(item->xml);
	const struct annex_element *payload =
	    len == 0 ? NULL : annex_element_read(pool, item->xml, len, len);
	struct words w = words_begin(pool);

	if (payload != NULL)
		element_add(&w, payload, 0);
	return (struct annex_strings) { w.word, w.count };
}
