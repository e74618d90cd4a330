/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sift.c - what one of them said (the filter "with" of XEP-0313 §4.1.1)
 *
 * Lines have to be looked at one by one.  That goes in pieces, a bounded number
 * in each turn, the IQ being held meanwhile: an archive of a million lines holds
 * up nobody.
 */
#include <stdlib.h>
#include <string.h>

#include "query.h"

#define LOOK_MAX 100
#define QUERIES_MAX 50   /* that are held, */
#define QUERIES_OF_ONE 5 /* of one user */

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

/* One more than asked for tells that the page is not all.  True when it is done. */
static bool
look(struct query *q)
{
	struct annex_iter it = query_iter(q, q->at, q->backwards);
	struct annex_pool *pool = annex_scratch(q->m->inst);

	for (size_t looked = 0; looked < LOOK_MAX; looked++) {
		uint64_t number;

		if (annex_next(q->m->store, &it) != ANNEX_AGAIN ||
		    !query_is_within(q, number = annex_key_number(&it.key, 1))) {
			q->complete = true;
			return true;
		}
		q->at = number;
		if (!is_named(q, number) || !is_with(q, (Muc__Line *)it.record, pool))
			continue;
		if (q->count == q->max || !query_has_place(q, (const Muc__Line *)it.record))
			return true;
		q->found[q->count++] = number;
	}
	return false;
}

/* False where it does not all go out. */
static bool
answer_found(struct query *q, struct annex_stanza *out)
{
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
		return false;
	query_fin(q, out, &page);
	return true;
}

static void
query_end(struct query *q)
{
	struct annex_pool *pool = q->pool;

	annex_list_remove(&q->by_age);
	annex_timer_free(&q->timer);
	annex_pool_destroy(&pool);
}

static void
look_on(struct annex_instance *inst, void *cookie)
{
	const struct annex_error gone = { .condition = ANNEX_ITEM_NOT_FOUND };
	const struct annex_error full = { .condition = ANNEX_RESOURCE_CONSTRAINT };
	struct query *q = cookie;
	struct annex_stanza *out;

	q->room = room_find(q->m, q->room_name);
	if (q->room == NULL || q->room->gone || strcmp(q->room->id, q->room_id) != 0) {
		annex_refuse_held(inst, q->hold, &gone);
		query_end(q);
		return;
	}
	if (!look(q)) {
		annex_timer_start(q->timer, 0);
		return;
	}
	if ((out = annex_release(inst, q->hold)) != NULL && !answer_found(q, out))
		annex_refuse_held(inst, q->hold, &full);
	query_end(q);
}

/* A million lines take a while: nobody may ask so much that there is no place for others. */
static bool
is_too_many(const struct muc *m, const char *bare)
{
	size_t all = 0, theirs = 0;

	ANNEX_LIST_EACH (&m->queries, l) {
		all++;
		theirs += strcmp(annex_container_of(l, struct query, by_age)->by, bare) == 0;
	}
	return all >= QUERIES_MAX || theirs >= QUERIES_OF_ONE;
}

static enum annex_verdict
query_hold(const struct query *asked, const struct annex_stanza *in)
{
	struct muc *m = asked->m;
	struct annex_pool *pool = annex_pool_create(annex_pool(m->inst), "archive query");
	struct query *q = annex_memdup(pool, asked, sizeof(*asked));
	enum annex_verdict verdict;

	annex_list_append(&m->queries, &q->by_age);
	q->pool = pool;
	q->by = annex_strdup(pool, in->from->bare);
	q->room_name = annex_strdup(pool, asked->room->name);
	q->room_id = annex_strdup(pool, asked->room->id);
	q->to = annex_strdup(pool, asked->to);
	q->query_id = annex_strdup(pool, asked->query_id);
	q->with = annex_jid_copy(pool, asked->with);
	q->ids = asked->id_count == 0
	    ? NULL
	    : annex_memdup(pool, asked->ids, asked->id_count * sizeof(*asked->ids));
	q->timer = annex_timer(m->inst, look_on, q);
	verdict = annex_hold(m->inst, in, &q->hold);
	if (q->hold == 0)
		query_end(q);
	else
		annex_timer_start(q->timer, 0);
	return verdict;
}

enum annex_verdict
query_sift(struct query *q, const struct annex_stanza *in, const struct annex_page *page)
{
	const char *from = page->before != NULL ? page->before : page->after;

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
	if (!look(q))
		return is_too_many(q->m, in->from->bare) ? muc_full(q->m, in) : query_hold(q, in);
	if (!answer_found(q, annex_reply(q->m->inst, in)))
		return muc_full(q->m, in);
	return ANNEX_DONE;
}
