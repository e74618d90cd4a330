/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * retrieve.c - reading items (XEP-0060 §6.5): newest first, in pages (XEP-0059)
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

/* Those that are asked for by name: what is not there is not in the answer. */
static enum annex_verdict
by_id(struct request *rq, const struct annex_element *item)
{
	struct annex_stanza *out;
	struct annex_element *items = begin(rq, &out);
	size_t bytes = 0;

	for (; item != NULL; item = annex_child_after(item, NS_PUBSUB, "item")) {
		const char *id = annex_attr(item, "id");
		Pubsub__Item *found = id == NULL ? NULL : item_get(rq->node, id, NULL);

		if (found == NULL)
			continue;
		if ((bytes += strlen(found->xml) + 1024) > BYTES_MAX)
			break;
		item_add(items, rq->node, found, true);
	}
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

/*
 * An answer is bounded by bytes, too: what does not fit is left out at the end that
 * is farther from where the page began, and is asked for by the next.
 */
static void
fit(struct annex_page_result *found, bool from_the_end)
{
	size_t bytes = 0, n = 0;

	for (; n < found->count; n++) {
		size_t at = from_the_end ? found->count - 1 - n : n;

		bytes += strlen(((Pubsub__Item *)found->item[at])->xml) + 1024;
		if (bytes > BYTES_MAX && n > 0)
			break;
	}
	if (n == found->count)
		return;
	if (from_the_end) {
		found->item += found->count - n;
		found->id += found->count - n;
		found->index += found->count - n;
	}
	found->count = n;
	found->complete = false;
}

static enum annex_verdict
page_send(struct request *rq, const struct annex_page *page, bool with_set)
{
	struct rows rows = {
		.p = rq->p, .table = TABLE_ITEMS, .number = rq->node->shelf, .newest_first = true
	};
	const struct annex_source source = rows_source(&rows);
	struct annex_page_result found;
	struct annex_stanza *out;
	struct annex_element *items;
	int r;

	if ((r = annex_page_fetch(&source, page, annex_scratch(rq->p->inst), &found)) < 0)
		return refuse(rq, page_fault(r));
	fit(&found, page->before != NULL);
	items = begin(rq, &out);
	for (size_t i = 0; i < found.count; i++)
		item_add(items, rq->node, found.item[i], true);
	if (with_set || !found.complete)
		annex_page_add(items->parent, &found);
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

/* §6.5.9: of several subscriptions one must be named. */
static enum fault
judge_subid(struct request *rq)
{
	const char *subid = annex_attr(rq->el, "subid");
	struct sub subs[SUBS_MAX];
	size_t n;

	if (subid == NULL)
		return FAULT_NONE;
	n = subs_of_bare(rq->node, rq->in->from->bare, subs, SUBS_MAX);
	for (size_t i = 0; i < n; i++)
		if (strcmp(subs[i].subid, subid) == 0)
			return FAULT_NONE;
	return FAULT_INVALID_SUBID;
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
	enum fault fault;

	if ((fault = may_retrieve(rq)) != FAULT_NONE || (fault = judge_subid(rq)) != FAULT_NONE)
		return refuse(rq, fault);
	if (!rq->node->config.persist_items)
		return refuse(rq, FAULT_UNSUPPORTED_PERSISTENT);
	if (!number_of(max_items, &most) ||
	    annex_page_read(&page, rq->in->payload, most, ITEMS_MAX) < 0)
		return refuse(rq, FAULT_BAD_REQUEST);
	if (item != NULL)
		return by_id(rq, item);
	return page_send(rq, &page, page.present || max_items != NULL);
}
