/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * search.h - one search for rooms (search.c, find.c)
 */
#ifndef MUC_SEARCH_H
#define MUC_SEARCH_H

#include <annex/query.h>
#include <annex/rsm.h>

#include "muc.h"

#define TERMS_MAX 10
#define FOUND_MAX 2000 /* places that are kept in order: a page, and by index what is before it */

struct search_form {
	const char *q, *key;
	bool all, in_name, in_desc, in_address;
	int64_t min_users;
	struct annex_strings types;
};

/* A room in the order of the search. */
struct place {
	char *room;
	size_t space;
	uint64_t users;
};

struct search {
	struct muc *m;
	struct annex_pool *pool; /* its own */
	struct search_form f;
	bool by_users, wants_rooms, backwards;
	const char *term[TERMS_MAX];
	size_t terms;
	struct annex_page page;
	const struct place *after, *before; /* NULL: no bound */
	/* Where it stands: */
	struct annex_iter at;
	uint64_t total, passed, within; /* rooms that match; before the bounds, within them */
	struct place *found;            /* the first of those within, or the last; in order */
	size_t count, most;
};

/* Ready to look, with form, terms, page and pool: ANNEX_ENOENT where it begins at a room that there is
 * not, ANNEX_ELIMIT where it is so far behind that nobody counts. */
int find_begin(struct search *s) ANNEX_MUST_CHECK;
/* Look at some more rooms; true when it has looked at all. */
bool find_more(struct search *s);
/* Which of those found are the page, and their place among all. */
const struct place *find_page(const struct search *s, size_t *count_r, uint64_t *index_r);

#endif /* MUC_SEARCH_H */
