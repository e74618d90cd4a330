/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * find.c - rooms that match, out of a hundred thousand
 *
 * A search goes through the whole index of listed rooms, some rows a turn, so
 * that nobody waits for it.  It counts all that match and keeps in order those alone that
 * may be on the page: memory is bounded by the page.
 */
#include <string.h>

#include "search.h"

#define LOOK_STEP 50

/* --- Order ------------------------------------------------------------------------ */

static int
compare(const struct search *s, const struct place *a, const struct place *b)
{
	if (s->by_users && a->users != b->users)
		return a->users > b->users ? -1 : 1;
	return strcmp(a->room, b->room);
}

/* A place whose memory is used again. */
static void
place_set(struct search *s, struct place *p, const struct place *from)
{
	size_t len = strlen(from->room) + 1;

	if (len > p->space) {
		p->space = len < 64 ? 64 : len;
		p->room = annex_pool_alloc(s->pool, p->space);
	}
	memcpy(p->room, from->room, len);
	p->users = from->users;
}

/* How many of those found come before. */
static size_t
rank_among(const struct search *s, const struct place *p)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(s, &s->found[middle], p) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first ones are kept; of a page that ends somewhere, the last. */
static void
keep(struct search *s, const struct place *p)
{
	size_t at = rank_among(s, p);
	struct place spare;

	if (s->count < s->most) {
		spare = s->found[s->count];
		memmove(&s->found[at + 1], &s->found[at], (s->count - at) * sizeof(*s->found));
		s->count++;
	} else if (!s->backwards) {
		if (at == s->count)
			return;
		spare = s->found[s->count - 1];
		memmove(&s->found[at + 1], &s->found[at], (s->count - 1 - at) * sizeof(*s->found));
	} else {
		if (at == 0)
			return;
		spare = s->found[0];
		memmove(&s->found[0], &s->found[1], (--at) * sizeof(*s->found));
	}
	s->found[at] = spare;
	place_set(s, &s->found[at], p);
}

/* --- What matches ------------------------------------------------------------------- */

static bool
has_term(const struct search *s, const Muc__Listed *room, const char *term)
{
	return (s->f.in_name && strstr(room->name_folded, term) != NULL) ||
	    (s->f.in_desc && strstr(room->desc_folded, term) != NULL) ||
	    (s->f.in_address && strstr(room->room, term) != NULL);
}

static bool
is_wanted(const struct search *s, const Muc__Listed *room)
{
	if (!s->wants_rooms || (int64_t)room->occupants < s->f.min_users)
		return false;
	for (size_t i = 0; i < s->terms; i++)
		if (!has_term(s, room, s->term[i]))
			return false;
	return true;
}

static void
take(struct search *s, const Muc__Listed *room)
{
	struct place p = { .room = room->room, .users = room->occupants };

	s->total++;
	if (s->after != NULL && compare(s, &p, s->after) <= 0) {
		s->passed++;
		return;
	}
	if (s->before != NULL && compare(s, &p, s->before) >= 0)
		return;
	s->within++;
	if (s->most > 0)
		keep(s, &p);
}

/* --- From the beginning to the end ---------------------------------------------------- */

/* Where a room stands that was named. */
static int
bound_find(struct search *s, const char *room, const struct place **place_r)
{
	const Muc__Listed *listed;
	struct place *p;

	if (room == NULL || room[0] == '\0')
		return ANNEX_OK;
	if ((listed = listed_get(s->m, room)) == NULL)
		return ANNEX_ENOENT;
	p = annex_new(s->pool, struct place);
	p->room = annex_strdup(s->pool, listed->room);
	p->users = listed->occupants;
	*place_r = p;
	return ANNEX_OK;
}

int
find_begin(struct search *s)
{
	struct annex_key prefix = annex_key(&muc_tables[TABLE_LISTED]);
	int r;

	if ((r = bound_find(s, s->page.after, &s->after)) < 0 ||
	    (r = bound_find(s, s->page.before, &s->before)) < 0)
		return r;
	s->backwards = s->page.before != NULL;
	s->most = s->page.max;
	if (s->page.by_index) {
		if (s->page.index > FOUND_MAX - s->page.max)
			return ANNEX_ELIMIT;
		s->most += (size_t)s->page.index;
	}
	s->found = annex_new_array(s->pool, struct place, s->most + 1);
	s->at = annex_iter(&prefix);
	return ANNEX_OK;
}

bool
find_more(struct search *s)
{
	for (size_t n = 0; n < LOOK_STEP; n++) {
		if (annex_next(s->m->store, &s->at) != ANNEX_AGAIN)
			return true;
		if (is_wanted(s, (const Muc__Listed *)s->at.record))
			take(s, (const Muc__Listed *)s->at.record);
	}
	return false;
}

const struct place *
find_page(const struct search *s, size_t *count_r, uint64_t *index_r)
{
	size_t skip = s->page.by_index ? (size_t)s->page.index : 0;

	if (skip > s->count)
		skip = s->count;
	*count_r = s->count - skip;
	*index_r = s->passed + skip;
	if (s->backwards)
		*index_r = s->passed + s->within - s->count;
	return s->found + skip;
}
