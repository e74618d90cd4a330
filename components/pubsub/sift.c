/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sift.c - items of an archive that have to be looked at one by one: what somebody
 * published, or has several words
 *
 * That goes in pieces, a bounded number in each turn, the IQ being held meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "archive.h"

#define QUERIES_MAX 50

static size_t
look_max(const struct query *q)
{
	return (size_t)q->p->set->items_per_turn;
}

static bool
look_at(void *cookie, const char *id, void *item)
{
	struct query *q = cookie;
	struct annex_page_result *found = &q->found;

	if (q->looked++ == look_max(q))
		return false;
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

/* ANNEX_AGAIN: there is more to be looked at. */
static int
look(struct query *q)
{
	const struct annex_source source = rows_source(&q->rows);
	const char *last = annex_strdup(annex_scratch(q->p->inst), q->last);
	int r;

	q->looked = 0;
	if ((r = source.walk(source.cookie, q->last[0] == '\0' ? NULL : last,
		 q->page.before != NULL, look_at, q)) < 0)
		return r;
	q->found.complete = !q->is_full;
	return q->is_full || q->looked <= look_max(q) ? ANNEX_OK : ANNEX_AGAIN;
}

static void
answer_found(struct query *q, struct annex_stanza *out)
{
	struct annex_page_result *found = &q->found;
	void **item = annex_new_array(out->pool, void *, found->count + 1);
	const char **id = annex_new_array(out->pool, const char *, found->count + 1);
	size_t n = 0;

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
	if (archive_page_send(q, found))
		archive_fin_send(q, out, found);
}

static void
query_end(struct query *q)
{
	struct annex_pool *pool = q->pool;

	q->p->queries--;
	annex_timer_free(&q->timer);
	annex_pool_destroy(&pool);
}

/* The rest of what is asked for: ANNEX_ELIMIT where it must be asked for once more. */
static int
look_again(struct query *q)
{
	q->node = node_by_number(q->p, q->number);
	if (q->node == NULL || q->node->shelf != q->shelf)
		return ANNEX_ENOENT;
	return rows_have_parted(&q->rows, q->node) ? ANNEX_ELIMIT : look(q);
}

static void
look_on(struct annex_instance *inst, void *cookie)
{
	const struct annex_error gone = { .condition = ANNEX_ITEM_NOT_FOUND };
	const struct annex_error again = { .condition = ANNEX_RESOURCE_CONSTRAINT };
	struct query *q = cookie;
	struct annex_stanza *out;
	int r = look_again(q);

	if (r == ANNEX_AGAIN) {
		annex_timer_start(q->timer, 1);
		return;
	}
	if (r < 0)
		annex_refuse_held(inst, q->hold, r == ANNEX_ELIMIT ? &again : &gone);
	else if ((out = annex_release(inst, q->hold)) != NULL)
		answer_found(q, out);
	query_end(q);
}

/* What is held outlives the stanza. */
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
	from = q->page.before != NULL ? q->page.before : q->page.after;
	snprintf(q->last, sizeof(q->last), "%s", from == NULL ? "" : from);
	q->timer = annex_timer(q->p->inst, look_on, q);
	q->p->queries++;
	return q;
}

enum annex_verdict
archive_sift(struct request *rq, const struct query *asked)
{
	enum annex_verdict verdict = ANNEX_DONE;
	struct query *q;
	int r;

	if (asked->page.by_index)
		return refuse(rq, FAULT_UNSUPPORTED_PAGE);
	if (rq->p->queries >= QUERIES_MAX)
		return refuse(rq, FAULT_FULL);
	q = query_keep(asked);
	q->hold = rq->hold;
	if ((r = look(q)) == ANNEX_AGAIN) {
		if (q->hold == 0)
			verdict = annex_hold(rq->p->inst, rq->in, &q->hold);
		if (q->hold != 0) {
			annex_timer_start(q->timer, 1);
			return verdict;
		}
	} else if (r < 0) {
		verdict = refuse(rq, page_fault(r));
	} else {
		answer_found(q, result(rq));
	}
	query_end(q);
	return verdict;
}
