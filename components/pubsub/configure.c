/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * configure.c - owners say what a node is like (XEP-0060 §8.2 and §8.3), and what
 * follows from it
 *
 * Items that are too many go at once as far as a turn allows, the rest by a job; so
 * do subscriptions that the new access model does not allow, and requests that it
 * makes needless.
 */
#include <string.h>

#include "pubsub.h"

#define TRIMMED_A_TURN 100

static enum annex_verdict
show(struct request *rq, const char *name, const struct node_config *config)
{
	struct annex_element *pubsub, *el;
	struct annex_stanza *out = answer(rq, &pubsub);

	el = annex_add(pubsub, NULL, name);
	if (rq->node != NULL)
		annex_attr_set(el, "node", rq->name);
	annex_form_ask(el, &config_form, config, annex_lang(rq->in->element));
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

enum annex_verdict
configure_get(struct request *rq)
{
	return show(rq, "configure", &rq->node->config);
}

enum annex_verdict
configure_default(struct request *rq)
{
	const struct node_config config = config_preset(rq->p);
	const char *type = annex_attr(rq->el, "type");

	if (type != NULL && strcmp(type, "collection") == 0)
		return refuse(rq, FAULT_UNSUPPORTED_COLLECTIONS);
	rq->node = NULL;
	return show(rq, "default", &config);
}

/* --- What follows -------------------------------------------------------------------- */

/* §8.2.5.3: with the form where payloads are delivered. */
static void
tell_configured(struct node *node)
{
	struct annex_element *event, *el;
	struct annex_stanza *out = event_build(node, NULL, &event);

	el = annex_add(event, NULL, "configuration");
	annex_attr_set(el, "node", node->name);
	if (node->config.deliver_payloads)
		annex_form_add(el, &config_form, "result", &node->config);
	notify(node, &(struct notice) { .event = EVENT_NODE, .message = out });
}

struct again {
	uint64_t node, next;
};

/* Items above what the node may keep; subscriptions that the access model decides anew. */
int
node_trim_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct pubsub *p = annex_state(inst);
	struct node *node;
	uint64_t number;

	memcpy(&number, state->bytes, sizeof(number));
	if ((node = node_by_number(p, number)) == NULL)
		return ANNEX_OK;
	return items_trim(node, config_max_items(p, &node->config), limit / 4).count > 0
	    ? ANNEX_AGAIN
	    : ANNEX_OK;
}

static bool
may_stay(const struct node *node, const char *bare)
{
	enum rank rank = rank_of(node, bare);

	/* §4.1: neither may be subscribed. */
	if (rank == RANK_OUTCAST || rank == RANK_PUBLISH_ONLY)
		return false;
	return rank != RANK_NONE ||
	    (strcmp(node->config.access_model, "whitelist") != 0 &&
		roster_trust(node, bare) != TRUST_NO);
}

/* Who asked to be let in, and needs nobody's approval any more. */
static bool
is_let_in(const struct node *node, const char *bare)
{
	return strcmp(node->config.access_model, "open") == 0 ||
	    rank_of(node, bare) >= RANK_MEMBER || roster_trust(node, bare) == TRUST_YES;
}

void
sub_judge(struct sub *sub)
{
	struct node *node = sub->node;

	if (!may_stay(node, sub->bare))
		must(node->p, sub_change(sub, STATE_NONE));
	else if (sub->state == STATE_PENDING && is_let_in(node, sub->bare))
		must(node->p, sub_change(sub, STATE_SUBSCRIBED));
}

/* One that has not begun yet judges what changes until then as well. */
int
node_judge(struct node *node)
{
	const struct again again = { node->number, 1 };

	if (node->is_judged_soon || subs_count(node) == 0)
		return ANNEX_OK;
	node->is_judged_soon = true;
	return annex_job_start(node->p->inst, "judge", &again, sizeof(again));
}

int
node_judge_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct pubsub *p = annex_state(inst);
	struct annex_key prefix, from;
	struct annex_iter it;
	struct again again;
	struct node *node;
	struct sub sub;

	memcpy(&again, state->bytes, sizeof(again));
	if ((node = node_by_number(p, again.node)) == NULL)
		return ANNEX_OK;
	node->is_judged_soon = false;
	prefix = key_number(TABLE_SUBSCRIPTIONS, node->number);
	from = key_numbers(TABLE_SUBSCRIPTIONS, node->number, again.next);
	it = annex_iter_from(&prefix, &from);
	for (size_t n = 0; annex_next(p->store, &it) == ANNEX_AGAIN; n++) {
		again.next = annex_key_number(&it.key, 1);
		if (n == limit / 4) {
			memcpy(state->bytes, &again, sizeof(again));
			return ANNEX_AGAIN;
		}
		sub = sub_of_record(node, again.next, (Pubsub__Subscription *)it.record);
		sub_judge(&sub);
	}
	return ANNEX_OK;
}

static bool
access_differs(const struct node_config *a, const struct node_config *b)
{
	if (strcmp(a->access_model, b->access_model) != 0 ||
	    a->roster_groups.count != b->roster_groups.count)
		return true;
	for (size_t i = 0; i < a->roster_groups.count; i++)
		if (strcmp(a->roster_groups.value[i], b->roster_groups.value[i]) != 0)
			return true;
	return false;
}

static int
follow(struct node *node, const struct node_config *before)
{
	struct pubsub *p = node->p;
	uint64_t most = config_max_items(p, &node->config);
	int r = ANNEX_OK;

	item_forget(node);
	if (before->persist_items && !node->config.persist_items)
		r = node_empty(node);
	else if (items_count(node) > most)
		items_trim(node, most, TRIMMED_A_TURN);
	if (r >= 0 && items_count(node) > most)
		r = annex_job_start(p->inst, "trim", &node->number, sizeof(node->number));
	kept_refresh(node);
	if (r >= 0 && access_differs(before, &node->config)) {
		if (subs_last(node) > 0)
			roster_refresh(node);
		if ((r = node_judge(node)) >= 0)
			r = kept_follow(node, KEPT_JUDGE);
	}
	if (r >= 0 && before->fulltext != node->config.fulltext)
		r = fulltext_start(node);
	if (r >= 0 && strcmp(before->item_expire, node->config.item_expire) != 0)
		r = items_arrange(node);
	return must(p, r);
}

int
node_reconfigure(struct node *node, const struct node_config *config)
{
	const struct node_config before = node->config;
	int r = node_configure(node, config);

	return r < 0 ? r : follow(node, &before);
}

/* --- Setting ----------------------------------------------------------------------------- */

enum annex_verdict
configure_set(struct request *rq)
{
	const struct annex_element *x = annex_child(rq->el, ANNEX_NS_FORM, "x");
	struct node_config config = rq->node->config;
	const char *why = NULL;
	enum fault fault;
	int status;

	if (x == NULL)
		return refuse(rq, FAULT_BAD_REQUEST);
	if (annex_form_is_cancelled(x))
		return annex_confirm(rq->p->inst, rq->in);
	if ((fault = config_read(rq->p, x, &config, rq->in->pool, &why)) != FAULT_NONE)
		return refuse_saying(rq, fault, why);
	if ((status = node_reconfigure(rq->node, &config)) < 0)
		return refuse_status(rq, status);
	annex_confirm(rq->p->inst, rq->in);
	if (rq->node->config.notify_config)
		tell_configured(rq->node);
	node_tidy(&rq->node);
	return ANNEX_DONE;
}
