/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * retrieve.c - reading items (XEP-0060 §6.5): newest first or in the order that is asked
 * for (XEP-0413), in pages (XEP-0059)
 */
#include <stdlib.h>
#include <string.h>

#include "pubsub.h"

#define ITEMS_MAX 200
#define BYTES_MAX ((size_t)192 << 10) /* of one answer */

static struct annex_element *
begin(struct request *rq, struct annex_stanza **out_r)
{
	struct annex_element *pubsub, *items;

	*out_r = answer(rq, &pubsub);
	items = annex_add(pubsub, NULL, "items");
	annex_attr_set(items, "node", rq->name);
	return items;
}

size_t
item_size(const void *item)
{
	return strlen(((const Pubsub__Item *)item)->xml) + 1024;
}

/* Those that are asked for by name: what is not there is not in the answer. */
static enum annex_verdict
by_id(struct request *rq, const struct annex_element *item)
{
	struct annex_stanza *out;
	struct annex_element *items = begin(rq, &out);
	size_t bytes = 0, n = 0;

	for (; item != NULL; item = annex_child_after(item, NS_PUBSUB, "item")) {
		const char *id = annex_attr(item, "id");
		Pubsub__Item *found = id == NULL ? NULL : item_get(rq->node, id, NULL);

		if (++n > ITEMS_MAX)
			return refuse_saying(rq, FAULT_NOT_ACCEPTABLE, "Ask for fewer at a time.");
		if (found == NULL)
			continue;
		/* To leave one out would say that it is not there. */
		if ((bytes += item_size(found)) > BYTES_MAX && items->first != NULL)
			return refuse_saying(rq, FAULT_NOT_ACCEPTABLE, "Ask for fewer at a time.");
		item_add(items, rq->node, found, true);
	}
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
page_send(struct request *rq, const struct annex_page *page, struct rows *rows, bool with_set)
{
	const struct annex_source source = rows_source(rows);
	struct annex_page_result found;
	struct annex_stanza *out;
	struct annex_element *items;
	int r;

	if ((r = annex_page_fetch(&source, page, annex_scratch(rq->p->inst), &found)) < 0)
		return refuse(rq, page_fault(r));
	page_fit(&found, page, item_size);
	items = begin(rq, &out);
	for (size_t i = 0; i < found.count; i++)
		item_add(items, rq->node, found.item[i], true);
	if (with_set || !found.complete)
		annex_page_add(items->parent, &found);
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

/* §6.5.9: of several subscriptions one must be named; those of other addresses of theirs have no ids. */
static enum fault
judge_subid(struct request *rq)
{
	const char *subid = annex_attr(rq->el, "subid");
	struct sub subs[SUBS_MAX];
	size_t n, named = 0;

	if (subid == NULL && !rq->p->set->multi_subscribe)
		return FAULT_NONE;
	n = subs_of_bare(rq->node, rq->in->from->bare, subs, SUBS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (subid != NULL && strcmp(subs[i].subid, subid) == 0)
			return FAULT_NONE;
		named += subs[i].subid[0] != '\0';
	}
	if (subid != NULL)
		return FAULT_INVALID_SUBID;
	return named > 1 ? FAULT_SUBID_REQUIRED : FAULT_NONE;
}

static bool
number_of(const char *text, size_t *number_r)
{
	char *end;
	unsigned long long n;

	if (text == NULL)
		return true;
	if (text[0] < '0' || text[0] > '9')
		return false;
	n = strtoull(text, &end, 10);
	*number_r = n < ITEMS_MAX ? (size_t)n : ITEMS_MAX;
	return *end == '\0';
}

/* §6.5.7 and §6.5.4: max_items is a page as well, and says where the next begins. */
enum annex_verdict
retrieve(struct request *rq)
{
	const struct annex_element *item = annex_child(rq->el, NS_PUBSUB, "item");
	const char *max_items = annex_attr(rq->el, "max_items");
	struct annex_page page;
	size_t most = ITEMS_MAX;
	struct rows rows;
	enum fault fault;

	if (roster_is_wanted(rq))
		return roster_wait(rq);
	if ((fault = may_retrieve(rq)) != FAULT_NONE || (fault = judge_subid(rq)) != FAULT_NONE)
		return refuse(rq, fault);
	if (!rq->node->config.persist_items)
		return refuse(rq, FAULT_UNSUPPORTED_PERSISTENT);
	if (!number_of(max_items, &most) ||
	    annex_page_read(&page, rq->in->payload, most, ITEMS_MAX) < 0)
		return refuse(rq, FAULT_BAD_REQUEST);
	if ((fault = rows_of_items(&rows, rq->node, rq->in->payload)) != FAULT_NONE)
		return refuse(rq, fault);
	if (item != NULL)
		return by_id(rq, item);
	return page_send(rq, &page, &rows, page.present || max_items != NULL);
}
