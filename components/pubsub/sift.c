/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sift.c - items of an archive that have to be looked at one by one: what somebody
 * published, or has several words; a slice at a time (annex/query.h)
 */
#include <stdio.h>
#include <string.h>

#include "archive.h"

#define QUERIES_MAX 50
#define QUERIES_OF_ONE 5

static bool
look_at(void *cookie, const char *id, void *item)
{
	struct query *q = cookie;
	struct annex_page_result *found = &q->found;

	if (q->looked >= (size_t)q->p->set->items_per_turn) {
		q->is_more = true;
		return false;
	}
	q->looked += 1 + q->words.count;
	snprintf(q->last, sizeof(q->last), "%s", id);
	if (!archive_matches(q, row_number(id), item))
		return true;
	if (found->count == q->page.max) {
		q->is_full = true;
		return false;
	}
	found->id[found->count++] = annex_strdup(q->pool, id);
	return true;
}

static int
look(struct annex_instance *inst, void *query)
{
	struct query *q = query;
	const struct annex_source source = rows_source(&q->rows);
	const char *last = q->last[0] == '\0' ? NULL : annex_strdup(annex_scratch(inst), q->last);
	int r;

	q->node = node_by_number(q->p, q->number);
	if (q->node == NULL || q->node->shelf != q->shelf)
		return ANNEX_ENOENT;
	if (rows_have_parted(&q->rows, q->node))
		return ANNEX_ELIMIT; /* it must be asked for once more */
	q->looked = 0;
	q->is_more = false;
	if ((r = source.walk(source.cookie, last, q->page.before != NULL, look_at, q)) < 0)
		return r;
	q->found.complete = !q->is_full;
	return q->is_more ? ANNEX_AGAIN : ANNEX_OK;
}

static int
answer_found(struct annex_instance *inst, void *query, struct annex_stanza *out)
{
	struct query *q = query;
	struct annex_page_result *found = &q->found;
	void **item = annex_new_array(out->pool, void *, found->count + 1);
	const char **id = annex_new_array(out->pool, const char *, found->count + 1);
	size_t n = 0;

	(void)inst;
	for (size_t i = 0; i < found->count; i++) {
		size_t at = q->page.before != NULL ? found->count - 1 - i : i;

		id[n] = found->id[at];
		if ((item[n] = row_item(&q->rows, id[n])) != NULL)
			n++;
	}
	found->count = n;
	found->item = item;
	found->id = id;
	page_fit(found, &q->page, item_size);
	if (!archive_page_send(q, found))
		return ANNEX_EFULL;
	archive_fin_send(q, out, found);
	return ANNEX_OK;
}

static struct annex_error
refusal(const void *query, int status)
{
	(void)query;
	return fault_error(status == ANNEX_ENOENT ? FAULT_ITEM_NOT_FOUND : FAULT_FULL);
}

static const struct annex_query_kind sifting = {
	.look = look,
	.answer = answer_found,
	.refusal = refusal,
	.most = QUERIES_MAX,
	.most_each = QUERIES_OF_ONE,
	.rest_ms = 1, /* a slice is long (items-per-turn) */
};

void
archives_init(struct pubsub *p)
{
	p->queries = annex_queries(p->inst, &sifting);
}

/* It may outlive the stanza. */
static struct query *
query_keep(const struct query *asked)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(asked->p->inst), "archive query");
	struct query *q = annex_memdup(pool, asked, sizeof(*asked));
	const char *from, **word;

	q->pool = pool;
	q->to = annex_strdup(pool, asked->to);
	q->asked.query_id = annex_strdup(pool, asked->asked.query_id);
	q->asked.with = asked->asked.with == NULL ? NULL : annex_jid_copy(pool, asked->asked.with);
	word = annex_new_array(pool, const char *, asked->words.count + 1);
	for (size_t i = 0; i < asked->words.count; i++)
		word[i] = annex_strdup(pool, asked->words.value[i]);
	q->words.value = word;
	q->number = asked->node->number;
	q->shelf = asked->node->shelf;
	q->found.id = annex_new_array(pool, const char *, q->page.max + 1);
	q->page.before = annex_strdup(pool, asked->page.before);
	q->page.after = annex_strdup(pool, asked->page.after);
	from = q->page.before != NULL ? q->page.before : q->page.after;
	snprintf(q->last, sizeof(q->last), "%s", from == NULL ? "" : from);
	return q;
}

enum annex_verdict
archive_sift(struct request *rq, const struct query *asked)
{
	struct annex_pool *pool;
	struct query *q;

	if (asked->page.by_index)
		return refuse(rq, FAULT_UNSUPPORTED_PAGE);
	q = query_keep(asked);
	pool = q->pool;
	return annex_query(rq->p->queries, rq->in, rq->hold, &pool, q);
}
