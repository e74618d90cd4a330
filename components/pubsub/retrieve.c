/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * retrieve.c - reading items (XEP-0060 §6.5): newest first
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

static enum annex_verdict
newest(struct request *rq, size_t most)
{
	struct annex_key prefix = key_number(TABLE_ITEMS, rq->node->shelf);
	struct annex_iter it = annex_iter_backwards(&prefix);
	struct annex_stanza *out;
	struct annex_element *items = begin(rq, &out);
	size_t bytes = 0;

	for (size_t n = 0; n < most && annex_next(rq->p->store, &it) == ANNEX_AGAIN; n++) {
		const Pubsub__Item *found = (Pubsub__Item *)it.record;

		if ((bytes += strlen(found->xml) + 1024) > BYTES_MAX)
			break;
		item_add(items, rq->node, found, true);
	}
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

enum annex_verdict
retrieve(struct request *rq)
{
	const struct annex_element *item = annex_child(rq->el, NS_PUBSUB, "item");
	size_t most = ITEMS_MAX;
	enum fault fault;

	if ((fault = may_retrieve(rq)) != FAULT_NONE || (fault = judge_subid(rq)) != FAULT_NONE)
		return refuse(rq, fault);
	if (!rq->node->config.persist_items)
		return refuse(rq, FAULT_UNSUPPORTED_PERSISTENT);
	if (!number_of(annex_attr(rq->el, "max_items"), &most))
		return refuse(rq, FAULT_BAD_REQUEST);
	return item != NULL ? by_id(rq, item) : newest(rq, most);
}
