/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * query.h - one question to an archive (query.c, narrow.c, sift.c)
 */
#ifndef MUC_QUERY_H
#define MUC_QUERY_H

#include <annex/mam.h>
#include <annex/query.h>
#include <annex/rsm.h>

#include "presence.h"

#define PAGE_MAX 250
#define PAGE_STANZAS 8 /* as many bytes as that many of the largest end a page */

/* One query; where it is held, all of it is in a pool of its own. */
struct query {
	struct muc *m;
	struct room *room; /* good while a slice is looked at */
	struct annex_pool *pool;
	const char *room_name, *room_id, *room_jid, *to, *query_id;
	const struct annex_jid *with;
	uint64_t after, before; /* numbers that bound it, themselves left out */
	const uint64_t *ids;    /* or these */
	size_t id_count;
	bool sees_jids, narrowed, flip;
	size_t bytes; /* of the lines of the page so far */
	/* Of one that looks at lines: */
	bool backwards, complete;
	size_t max, count;
	uint64_t at; /* looked at last; 0: nothing yet */
	uint64_t found[PAGE_MAX + 1];
};

/* What a query that was submitted says, into the members that bound it: ANNEX_ENOENT where it names a
 * message there is not, ANNEX_EDENIED where there is no such filter, ANNEX_EINVAL and why. */
int query_narrow(struct query *q, const struct annex_element *asked, const char **why);

/* Whether somebody may read the archive; which addresses they see is noted. */
bool query_judge(struct query *q, const struct annex_jid *who);

/* From the place behind (or before) number, 0 being none, within the bounds. */
struct annex_iter query_iter(const struct query *q, uint64_t number, bool backwards);
/* Whether the page has a place for one more; else it is not complete. */
bool query_has_place(struct query *q, const Muc__Line *line);
bool query_is_within(const struct query *q, uint64_t number);
int query_compare(const void *a, const void *b);
/* The lines of a page, in their order or flipped; false where they do not all go out. */
bool query_page(const struct query *q, const struct annex_page_result *page);
void
query_fin(const struct query *q, struct annex_stanza *out, const struct annex_page_result *page);
/* Look for lines of q->with. */
enum annex_verdict
query_sift(struct query *q, const struct annex_stanza *in, const struct annex_page *page);

#endif /* MUC_QUERY_H */
