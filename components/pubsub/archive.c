/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * archive.c - nodes as archives (XEP-0442): their items, looked up by time, by place and by
 * who published them
 *
 * An item's id in the archive is its place in the order of publishing: overwriting it gives it
 * another, and what it was before is not kept.  Times become bounds on places, by
 * bisection, so that a page and its total cost no walk; in the order of creation
 * (XEP-0413) times are those of creation.  Only "with" looks at items one by one: that goes in
 * pieces, a bounded number in each turn, the IQ being held meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/iq.h>
#include <annex/mam.h>

#include "pubsub.h"

#define PAGE_PRESET 50
#define PAGE_MAX 250
#define LOOK_MAX 1000
#define QUERIES_MAX 50

struct query {
	struct pubsub *p;
	struct node *node; /* NULL while it is held */
	struct annex_mam_query asked;
	struct rows rows;
	const char *to;
	/* Of one that looks at items: */
	struct annex_pool *pool;
	annex_hold_t hold;
	struct annex_timer *timer;
	uint64_t number, shelf;
	struct annex_page page;
	struct annex_page_result found;
	char last[24]; /* looked at last; "": nothing yet */
	size_t looked;
	bool is_full;
};

/* --- Bounds ------------------------------------------------------------------------------- */

static int64_t
stamp_of(const struct query *q, const Pubsub__Item *item)
{
	return rows_are_of(&q->rows, TABLE_CREATED) ? item->created_ms : item->stamp_ms;
}

struct first_item {
	const char *id;
	const Pubsub__Item *item;
};

static bool
take_first(void *cookie, const char *id, void *item)
{
	*(struct first_item *)cookie = (struct first_item) { id, item };
	return false;
}

/* The place of the first that is not before ms; UINT64_MAX where all are. */
static int
first_since(const struct query *q, int64_t ms, uint64_t *place_r)
{
	struct rows all = q->rows;
	struct first_item first;
	struct annex_source source;
	uint64_t low = 0, high;
	int r;

	all.low = all.high = 0;
	all.newest_first = false;
	source = rows_source(&all);
	*place_r = UINT64_MAX;
	if ((r = source.count(source.cookie, &high)) < 0)
		return r;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		first = (struct first_item) { 0 };
		if ((r = source.seek(source.cookie, middle, take_first, &first)) < 0)
			return r;
		if (first.item == NULL)
			return ANNEX_ESTORE;
		if (stamp_of(q, first.item) < ms) {
			low = middle + 1;
		} else {
			high = middle;
			*place_r = row_place(&all, first.id);
		}
	}
	return ANNEX_OK;
}

static int
bound_by_id(struct query *q, const char *id, uint64_t *bound)
{
	if (id == NULL)
		return ANNEX_OK;
	*bound = row_place(&q->rows, id);
	return *bound == 0 ? ANNEX_ENOENT : ANNEX_OK;
}

static int
narrow(struct query *q)
{
	const struct annex_mam_query *asked = &q->asked;
	uint64_t low = 0, high = UINT64_MAX, place;
	int r;

	if ((r = bound_by_id(q, asked->after_id, &low)) < 0 ||
	    (r = bound_by_id(q, asked->before_id, &high)) < 0)
		return r;
	if (asked->start_ms != INT64_MIN) {
		if ((r = first_since(q, asked->start_ms, &place)) < 0)
			return r;
		if (place - 1 > low)
			low = place - 1;
	}
	if (asked->end_ms != INT64_MAX) {
		if ((r = first_since(q, asked->end_ms + 1, &place)) < 0)
			return r;
		if (place < high)
			high = place;
	}
	q->rows.low = low;
	q->rows.high = high == UINT64_MAX ? 0 : high;
	return ANNEX_OK;
}

/* --- Those that are named (§4.1.4) -------------------------------------------------------- */

struct named {
	const char *id;
	uint64_t place;
	const Pubsub__Item *item;
};

static int
compare(const void *a, const void *b)
{
	const struct named *x = *(struct named *const *)a, *y = *(struct named *const *)b;

	return x->place < y->place ? -1 : x->place > y->place;
}

static const char *
id_of(const void *item)
{
	return ((const struct named *)item)->id;
}

static int
named_find(struct query *q, struct annex_array *array_r)
{
	struct annex_pool *pool = annex_scratch(q->p->inst);
	const struct annex_strings *ids = &q->asked.ids;
	void **list = annex_new_array(pool, void *, ids->count);
	size_t n = 0;

	for (size_t i = 0; i < ids->count; i++) {
		struct named *named = annex_new(pool, struct named);

		named->id = ids->value[i];
		named->place = row_place(&q->rows, named->id);
		named->item = row_item(&q->rows, named->id);
		if (named->item == NULL)
			return ANNEX_ENOENT;
		if (named->place > q->rows.low &&
		    (q->rows.high == 0 || named->place < q->rows.high) &&
		    (q->asked.with == NULL || item_is_by(named->item, q->asked.with)))
			list[n++] = named;
	}
	if (n > 0)
		qsort(list, n, sizeof(*list), compare);
	*array_r = (struct annex_array) { list, n, id_of };
	return ANNEX_OK;
}

/* --- Answering ------------------------------------------------------------------------------- */

static int
item_send(const struct query *q, const char *id, const Pubsub__Item *item)
{
	const struct node *node = q->node;
	struct annex_stanza *out = annex_message(q->p->inst, NULL, q->to, NULL);
	struct annex_element *message, *items;

	message =
	    annex_add(annex_mam_result_add(out->element, q->asked.query_id, id, stamp_of(q, item)),
		"jabber:client", "message");
	if (strcmp(node->config.notification_type, "normal") != 0)
		annex_attr_set(message, "type", "headline");
	items = annex_add(annex_add(message, NS_EVENT, "event"), NULL, "items");
	annex_attr_set(items, "node", node->name);
	item_add(items, node, item, true);
	annex_make_durable(out); /* as is the end of the page, which follows */
	return annex_send(q->p->inst, out);
}

static bool
page_send(const struct query *q, const struct annex_page_result *page)
{
	for (size_t i = 0; i < page->count; i++) {
		size_t at = q->asked.flip ? page->count - 1 - i : i;

		if (item_send(q, page->id[at], page->item[at]) < 0)
			return false;
	}
	return true;
}

static void
fin_send(const struct query *q, struct annex_stanza *out, const struct annex_page_result *page)
{
	annex_mam_fin_add(out->element, page);
	annex_send(q->p->inst, out);
}

/* --- Looking for what somebody published ------------------------------------------------------ */

static bool
look_at(void *cookie, const char *id, void *item)
{
	struct query *q = cookie;
	struct annex_page_result *found = &q->found;

	if (q->looked++ == LOOK_MAX)
		return false;
	snprintf(q->last, sizeof(q->last), "%s", id);
	if (!item_is_by(item, q->asked.with))
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
	return q->is_full || q->looked <= LOOK_MAX ? ANNEX_OK : ANNEX_AGAIN;
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
	if (page_send(q, found))
		fin_send(q, out, found);
}

static void
query_end(struct query *q)
{
	struct annex_pool *pool = q->pool;

	q->p->queries--;
	annex_timer_free(&q->timer);
	annex_pool_destroy(&pool);
}

static void
look_on(struct annex_instance *inst, void *cookie)
{
	const struct annex_error gone = { .condition = ANNEX_ITEM_NOT_FOUND };
	struct query *q = cookie;
	struct annex_stanza *out;
	int r = ANNEX_ENOENT;

	q->node = node_by_number(q->p, q->number);
	if (q->node != NULL && q->node->shelf == q->shelf && (r = look(q)) == ANNEX_AGAIN) {
		annex_timer_start(q->timer, 1);
		return;
	}
	if (r < 0)
		annex_refuse_held(inst, q->hold, &gone);
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
	const char *from;

	q->pool = pool;
	q->to = annex_strdup(pool, asked->to);
	q->asked.query_id = annex_strdup(pool, asked->asked.query_id);
	q->asked.with = annex_jid_copy(pool, asked->asked.with);
	q->number = asked->node->number;
	q->shelf = asked->node->shelf;
	q->found.id = annex_new_array(pool, const char *, q->page.max + 1);
	from = q->page.before != NULL ? q->page.before : q->page.after;
	snprintf(q->last, sizeof(q->last), "%s", from == NULL ? "" : from);
	q->timer = annex_timer(q->p->inst, look_on, q);
	q->p->queries++;
	return q;
}

static enum annex_verdict
sift(struct request *rq, const struct query *asked)
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

/* --- The IQs ----------------------------------------------------------------------------------- */

static enum annex_verdict
fetch(struct request *rq, struct query *q)
{
	struct annex_source source = rows_source(&q->rows);
	struct annex_page_result found;
	struct annex_array array;
	int r;

	if (q->asked.ids.count > 0) {
		if ((r = named_find(q, &array)) < 0)
			return refuse(rq, page_fault(r));
		source = annex_array_source(&array);
	}
	if ((r = annex_page_fetch(&source, &q->page, annex_scratch(rq->p->inst), &found)) < 0)
		return refuse(rq, page_fault(r));
	for (size_t i = 0; q->asked.ids.count > 0 && i < found.count; i++)
		found.item[i] = (void *)(uintptr_t)((struct named *)found.item[i])->item;
	page_fit(&found, &q->page, item_size);
	if (!page_send(q, &found))
		return refuse(rq, FAULT_FULL);
	fin_send(q, result(rq), &found);
	return ANNEX_DONE;
}

/* The node, where it has items and who asks may read them. */
static enum fault
node_named(struct request *rq)
{
	struct pubsub *p = rq->p;

	rq->name = annex_attr(rq->in->payload, "node");
	if (rq->name == NULL || rq->name[0] == '\0')
		return FAULT_NODEID_REQUIRED;
	rq->node = node_find(p, kept_read(p, rq->name).name);
	if (rq->node == NULL || rq->node->gone)
		return FAULT_ITEM_NOT_FOUND;
	rq->rank = rank_of_jid(rq->node, rq->in->from);
	if (!rq->node->config.persist_items)
		return FAULT_UNSUPPORTED_PERSISTENT;
	return may_retrieve(rq);
}

enum annex_verdict
archive_query(struct request *rq)
{
	const struct annex_stanza *in = rq->in;
	struct query q = { .p = rq->p, .to = in->from->full };
	const char *why = NULL;
	enum fault fault;
	int r;

	fault = node_named(rq);
	if (rq->node != NULL && !rq->node->gone && roster_is_wanted(rq))
		return roster_wait(rq);
	if (fault != FAULT_NONE)
		return refuse(rq, fault);
	q.node = rq->node;
	if (annex_mam_read(&q.asked, in->payload, false, in->pool, &why) < 0 ||
	    annex_page_read(&q.page, in->payload, PAGE_PRESET, PAGE_MAX) < 0)
		return refuse_saying(rq, FAULT_BAD_REQUEST, why);
	if ((fault = rows_of_items(&q.rows, q.node, in->payload)) != FAULT_NONE)
		return refuse(rq, fault);
	if (annex_child(in->payload, NS_ORDER, "order") == NULL)
		q.rows.newest_first = false; /* XEP-0313 §3.1 */
	q.rows.by_place = true;
	if ((r = narrow(&q)) < 0)
		return refuse(rq, page_fault(r));
	/* Who published what is no secret to owners alone, where it is one. */
	if (q.asked.with != NULL && rq->rank != RANK_OWNER &&
	    strcmp(q.node->config.itemreply, "publisher") != 0)
		return refuse(rq, FAULT_FORBIDDEN);
	if (q.asked.with != NULL && q.asked.ids.count == 0)
		return sift(rq, &q);
	return fetch(rq, &q);
}

static void
add_end(const struct request *rq, struct annex_element *metadata, const char *name, bool backwards)
{
	struct annex_key prefix = key_number(TABLE_ITEMS, rq->node->shelf);
	struct annex_iter it = backwards ? annex_iter_backwards(&prefix) : annex_iter(&prefix);
	struct annex_pool *pool = annex_scratch(rq->p->inst);

	if (annex_next(rq->p->store, &it) != ANNEX_AGAIN)
		return;
	annex_mam_end_add(metadata, name,
	    annex_sprintf(pool, "%llu", (unsigned long long)annex_key_number(&it.key, 1)),
	    ((Pubsub__Item *)it.record)->stamp_ms, pool);
}

enum annex_verdict
archive_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct request rq = { .p = annex_state(inst), .in = in };
	struct annex_stanza *out;
	struct annex_element *el;
	enum fault fault;

	if (in->to->local != NULL)
		return ANNEX_PASS;
	if ((fault = node_named(&rq)) != FAULT_NONE)
		return refuse(&rq, fault);
	out = annex_reply(inst, in);
	el = annex_add(out->element, ANNEX_NS_MAM, in->payload->name);
	if (strcmp(in->payload->name, "metadata") == 0) {
		add_end(&rq, el, "start", false);
		add_end(&rq, el, "end", true);
	} else {
		annex_mam_form_add(el, false);
	}
	annex_send(inst, out);
	return ANNEX_DONE;
}
