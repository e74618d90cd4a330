/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hash.c - recognising a stanza that crashed a worker when it comes again
 *
 * The hash covers kind, bare from and to, and all that is inside; not the id or
 * resources, which a client that tries again would change.  It is computed for
 * every stanza, so it is cheap: eight bytes at a time.  Forging a collision
 * gains nobody anything, since the sender's bare JID is in it.
 */
#include <string.h>

#include "worker.h"

/* Of a run of text its length and beginning are enough. */
#define TEXT_MAX 64

/* Multiply to 128 bits and fold. */
static inline uint64_t
mix(uint64_t h, uint64_t word)
{
	__extension__ unsigned __int128 wide =
	    (unsigned __int128)(h ^ 0x9e3779b97f4a7c15u) * (word ^ 0xd6e8feb86659fd93u);

	return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static inline uint64_t
word_at(const char *text, size_t len)
{
	uint64_t word = 0;

	memcpy(&word, text, len);
	return word;
}

/* The last words overlap rather than being read byte by byte. */
static inline uint64_t
hash_bytes(uint64_t h, const char *text, size_t len)
{
	size_t at = 0;

	h ^= len;
	if (len >= 8) {
		for (; at + 8 < len; at += 8)
			h = mix(h, word_at(text + at, 8));
		return mix(h, word_at(text + len - 8, 8));
	}
	if (len >= 4)
		return mix(h, word_at(text, 4) << 32 | word_at(text + len - 4, 4));
	for (; at < len; at++)
		h = mix(h, (unsigned char)text[at]);
	return mix(h, 0);
}

static uint64_t
hash_text(uint64_t h, const char *text)
{
	return text == NULL ? mix(h, 0) : hash_bytes(h, text, strlen(text));
}

/* Depth is bounded by the parser's limits. */
static uint64_t
hash_children(uint64_t h, const struct annex_element *el)
{
	for (const struct annex_element *child = el->first; child != NULL; child = child->next) {
		if (child->name == NULL) {
			h = hash_bytes(mix(h, child->text_len), child->text,
			    child->text_len < TEXT_MAX ? child->text_len : TEXT_MAX);
			continue;
		}
		h = hash_text(h, child->name);
		for (const struct annex_attr *a = child->attrs; a != NULL; a = a->next)
			h = hash_text(hash_text(h, a->name), a->value);
		h = hash_children(h, child);
	}
	return mix(h, 1);
}

uint64_t
stanza_hash(const struct annex_stanza *stanza)
{
	uint64_t h = mix(0, stanza->kind);

	h = hash_text(h, stanza->from->bare);
	h = hash_text(h, stanza->to->bare);
	h = hash_text(h, stanza->type);
	h = hash_children(h, stanza->element);
	return h == 0 ? 1 : h;
}
