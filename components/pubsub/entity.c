/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * entity.c - what somebody has with all nodes, or with one (XEP-0060 §5.6 and
 * §5.7); nothing is an empty list, never an error
 */
#include <string.h>

#include "pubsub.h"

#define LISTED_MAX 500

static struct annex_element *
begin(struct request *rq, const char *name, struct annex_stanza **out_r)
{
	struct annex_element *pubsub, *list;

	*out_r = answer(rq, &pubsub);
	list = annex_add(pubsub, NULL, name);
	if (rq->name != NULL)
		annex_attr_set(list, "node", rq->name);
	return list;
}

static void
subscription_add(struct pubsub *p, struct annex_element *list, uint64_t number, uint64_t sub_number)
{
	struct annex_key key = key_numbers(TABLE_SUBSCRIPTIONS, number, sub_number);
	struct node *node = node_by_number(p, number);
	ProtobufCMessage *record;
	struct sub sub;

	if (node == NULL || annex_get(p->store, &key, &record) < 0)
		return;
	sub = sub_of_record(node, sub_number, (Pubsub__Subscription *)record);
	sub_add(list, &sub, true);
}

enum annex_verdict
own_subscriptions(struct request *rq)
{
	struct annex_key prefix = key_text(TABLE_SUBSCRIBERS, rq->in->from->bare);
	struct annex_stanza *out;
	struct annex_element *list = begin(rq, "subscriptions", &out);
	struct annex_iter it;

	if (rq->node != NULL)
		annex_key_u64(&prefix, rq->node->number);
	it = annex_iter(&prefix);
	it.keys_only = true;
	for (size_t n = 0; n < LISTED_MAX && annex_next(rq->p->store, &it) == ANNEX_AGAIN; n++)
		subscription_add(
		    rq->p, list, annex_key_number(&it.key, 1), annex_key_number(&it.key, 2));
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

enum annex_verdict
own_affiliations(struct request *rq)
{
	struct annex_key prefix = key_text(TABLE_AFFILIATED, rq->in->from->bare);
	struct annex_stanza *out;
	struct annex_element *list = begin(rq, "affiliations", &out), *el;
	struct annex_iter it;

	if (rq->node != NULL)
		annex_key_u64(&prefix, rq->node->number);
	it = annex_iter(&prefix);
	for (size_t n = 0; n < LISTED_MAX && annex_next(rq->p->store, &it) == ANNEX_AGAIN; n++) {
		const struct node *node = node_by_number(rq->p, annex_key_number(&it.key, 1));

		if (node == NULL)
			continue;
		el = annex_add(list, NULL, "affiliation");
		annex_attr_set(el, "node", node->name);
		annex_attr_set(el, "affiliation",
		    rank_name((enum rank)((Pubsub__Affiliation *)it.record)->rank));
	}
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}
