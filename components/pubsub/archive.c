/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * archive.c - nodes as archives (XEP-0442): their items, looked up by time, by place and by
 * who published them
 *
 * An item's id in the archive is its place in the order of publishing: overwriting it gives it
 * another, and what it was before is not kept.  Times become bounds on places, by
 * bisection, so that a page and its total cost no walk; in the order of creation
 * (XEP-0413) times are those of creation.  Only "with" and words look at items one by one (sift.c).
 */
#include <stdlib.h>
#include <string.h>

#include "archive.h"

#define PAGE_PRESET 50
#define PAGE_MAX 250
#define WORDS_ASKED 20 /* each is looked for in each item */

/* --- Bounds ------------------------------------------------------------------------------- */

static int64_t
stamp_of(const struct query *q, const Pubsub__Item *item)
{
	return q->rows.by_creation ? item->created_ms : item->stamp_ms;
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

bool
archive_matches(const struct query *q, uint64_t place, const Pubsub__Item *item)
{
	return (q->asked.with == NULL || item_is_by(item, q->asked.with)) &&
	    (q->words.count == 0 || fulltext_has(&q->rows, &q->words, place));
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
		    archive_matches(q, row_number(named->id), named->item))
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

bool
archive_page_send(const struct query *q, const struct annex_page_result *page)
{
	for (size_t i = 0; i < page->count; i++) {
		size_t at = q->asked.flip ? page->count - 1 - i : i;

		if (item_send(q, page->id[at], page->item[at]) < 0)
			return false;
	}
	return true;
}

void
archive_fin_send(
    const struct query *q, struct annex_stanza *out, const struct annex_page_result *page)
{
	annex_mam_fin_add(out->element, page);
	annex_send(q->p->inst, out);
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
	if (!archive_page_send(q, &found))
		return refuse(rq, FAULT_FULL);
	archive_fin_send(q, result(rq), &found);
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

/* urn:xmpp:fulltext:0: items that have all of the words.  Those that are named are judged by all. */
static enum fault
look_for_words(struct request *rq, struct query *q)
{
	q->words = words_of_text(q->asked.fulltext, rq->in->pool);
	if (!rq->node->config.fulltext)
		return FAULT_UNKNOWN;
	if (q->words.count == 0 || q->words.count > WORDS_ASKED)
		return FAULT_BAD_REQUEST;
	if (q->rows.by_creation)
		return FAULT_UNSUPPORTED_PAGE;
	if (q->asked.ids.count > 0)
		return FAULT_NONE;
	return fulltext_rows(&q->rows, &q->words) < 0 ? FAULT_FULL : FAULT_NONE;
}

static enum annex_verdict
query(struct request *rq)
{
	const struct annex_stanza *in = rq->in;
	struct query q = { .p = rq->p, .to = in->from->full };
	const char *why = NULL;
	enum fault fault;
	int r;

	q.node = rq->node;
	r = annex_mam_read(&q.asked, in->payload, true, in->pool, &why);
	if (r == ANNEX_EDENIED)
		return refuse_saying(rq, FAULT_UNKNOWN, why);
	if (r < 0 || annex_page_read(&q.page, in->payload, PAGE_PRESET, PAGE_MAX) < 0)
		return refuse_saying(rq, FAULT_BAD_REQUEST, why);
	if ((fault = rows_of_items(&q.rows, q.node, in->payload)) != FAULT_NONE)
		return refuse(rq, fault);
	if (annex_child(in->payload, NS_ORDER, "order") == NULL)
		q.rows.newest_first = false; /* XEP-0313 §3.1 */
	q.rows.by_place = true;
	if ((r = narrow(&q)) < 0)
		return refuse(rq, page_fault(r));
	/* Where items do not show who published them that is for owners alone. */
	if (q.asked.with != NULL && rq->rank != RANK_OWNER &&
	    strcmp(q.node->config.itemreply, "publisher") != 0)
		return refuse(rq, FAULT_FORBIDDEN);
	if (q.asked.fulltext != NULL && (fault = look_for_words(rq, &q)) != FAULT_NONE)
		return refuse(rq, fault);
	if ((q.asked.with != NULL || q.words.count > 0) && q.asked.ids.count == 0)
		return archive_sift(rq, &q);
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

/* Where it ends, or by what can be asked (§4.1, XEP-0313 §3.3). */
static enum annex_verdict
describe(struct request *rq)
{
	const char *name = rq->in->payload->name;
	struct annex_stanza *out = result(rq);
	struct annex_element *el = annex_add(out->element, ANNEX_NS_MAM, name);

	if (strcmp(name, "metadata") == 0) {
		add_end(rq, el, "start", false);
		add_end(rq, el, "end", true);
	} else {
		annex_mam_form_add(el, rq->node->config.fulltext);
	}
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

enum annex_verdict
archive_run(struct request *rq)
{
	enum fault fault = node_named(rq);

	if (rq->node != NULL && !rq->node->gone && roster_is_wanted(rq))
		return roster_wait(rq);
	if (fault != FAULT_NONE)
		return refuse(rq, fault);
	return rq->in->kind == ANNEX_IQ_GET ? describe(rq) : query(rq);
}
