/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sift.c - what one of them said (the filter "with" of XEP-0313 §4.1.1)
 *
 * Lines have to be looked at one by one: a slice at a time (annex/query.h).
 */
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "presence.h"
#include "query.h"

#define LOOK_MAX 100
#define QUERIES_MAX 50
#define QUERIES_OF_ONE 5

/* An occupant's address, or a real one for whoever sees them. */
static bool
is_with(const struct query *q, const Muc__Line *line, struct annex_pool *pool)
{
	const struct annex_jid *by;

	if (strcmp(q->with->bare, q->room->jid) == 0)
		return q->with->resource == NULL || strcmp(q->with->resource, line->nick) == 0;
	by = q->sees_jids ? annex_jid(pool, line->jid) : NULL;
	return by != NULL &&
	    strcmp(q->with->full, q->with->resource != NULL ? by->full : by->bare) == 0;
}

static bool
is_named(const struct query *q, uint64_t number)
{
	return q->id_count == 0 ||
	    bsearch(&number, q->ids, q->id_count, sizeof(number), query_compare) != NULL;
}

/* Who asks may have lost the right to it since the last slice. */
static int
query_resume(struct query *q)
{
	const struct annex_jid *who = annex_jid(annex_scratch(q->m->inst), q->to);

	q->room = room_find(q->m, q->room_name);
	if (q->room == NULL || q->room->gone || strcmp(q->room->id, q->room_id) != 0)
		return ANNEX_ENOENT;
	return who != NULL && query_judge(q, who) ? ANNEX_OK : ANNEX_EDENIED;
}

/* One more than asked for tells that the page is not all. */
static int
look(struct annex_instance *inst, void *query)
{
	struct query *q = query;
	struct annex_iter it;
	int r;

	if ((r = query_resume(q)) < 0)
		return r;
	it = query_iter(q, q->at, q->backwards);

	for (size_t looked = 0; looked < LOOK_MAX; looked++) {
		uint64_t number;

		if (annex_next(q->m->store, &it) != ANNEX_AGAIN ||
		    !query_is_within(q, number = annex_key_number(&it.key, 1))) {
			q->complete = true;
			return ANNEX_OK;
		}
		q->at = number;
		if (!is_named(q, number) ||
		    !is_with(q, (Muc__Line *)it.record, annex_scratch(inst)))
			continue;
		if (q->count == q->max || !query_has_place(q, (const Muc__Line *)it.record))
			return ANNEX_OK;
		q->found[q->count++] = number;
	}
	return ANNEX_AGAIN;
}

static int
answer_found(struct annex_instance *inst, void *query, struct annex_stanza *out)
{
	struct query *q = query;
	struct annex_page_result page = { .complete = q->complete };
	void **item = annex_new_array(out->pool, void *, q->count + 1);
	const char **id = annex_new_array(out->pool, const char *, q->count + 1);

	for (size_t i = 0; i < q->count; i++) {
		uint64_t number = q->found[q->backwards ? q->count - 1 - i : i];

		if ((item[page.count] = archive_line(q->room, number)) != NULL)
			id[page.count++] = stanza_id(q->room, out->pool, number);
	}
	page.item = item;
	page.id = id;
	if (!query_page(q, &page))
		return ANNEX_EFULL;
	query_fin(q, out, &page);
	return ANNEX_OK;
}

static struct annex_error
refusal(const void *query, int status)
{
	const struct query *q = query;

	if (status == ANNEX_ENOENT || status == ANNEX_EDENIED)
		return (struct annex_error) {
			.condition =
			    status == ANNEX_ENOENT ? ANNEX_ITEM_NOT_FOUND : ANNEX_FORBIDDEN,
			.by = q->room_jid,
		};
	return (struct annex_error) { .condition = ANNEX_RESOURCE_CONSTRAINT,
		.type = ANNEX_ERROR_WAIT,
		.text = "There is no room for more now.",
		.by = q->room_jid };
}

static const struct annex_query_kind sifting = {
	.look = look,
	.answer = answer_found,
	.refusal = refusal,
	.most = QUERIES_MAX,
	.most_each = QUERIES_OF_ONE,
};

void
archives_init(struct muc *m)
{
	m->queries = annex_queries(m->inst, &sifting);
}

/* It may outlive the stanza. */
static struct query *
query_keep(const struct query *asked)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(asked->m->inst), "archive query");
	struct query *q = annex_memdup(pool, asked, sizeof(*asked));

	q->pool = pool;
	q->room_name = annex_strdup(pool, asked->room->name);
	q->room_id = annex_strdup(pool, asked->room->id);
	q->room_jid = annex_strdup(pool, asked->room->jid);
	q->to = annex_strdup(pool, asked->to);
	q->query_id = annex_strdup(pool, asked->query_id);
	q->with = annex_jid_copy(pool, asked->with);
	q->ids = asked->id_count == 0
	    ? NULL
	    : annex_memdup(pool, asked->ids, asked->id_count * sizeof(*asked->ids));
	return q;
}

enum annex_verdict
query_sift(struct query *q, const struct annex_stanza *in, const struct annex_page *page)
{
	const char *from = page->before != NULL ? page->before : page->after;
	struct annex_pool *pool;

	if (page->by_index)
		return muc_refuse(
		    q->m, in, ANNEX_FEATURE_NOT_IMPLEMENTED, ANNEX_ERROR_CANCEL, NULL);
	q->backwards = page->before != NULL;
	q->max = page->max;
	if (from != NULL && from[0] != '\0') {
		q->at = stanza_id_read(q->room, from);
		if (archive_line(q->room, q->at) == NULL)
			return muc_refuse(q->m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, NULL);
	}
	q = query_keep(q);
	pool = q->pool;
	return annex_query(q->m->queries, in, 0, &pool, q);
}
