/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fan.c - an event goes to a run of its node's subscriptions
 *
 * What is said is one body in two variants, with a text to read and without one;
 * who is told is read from the store, a bounded run in a turn.  Of a node
 * whose subscribers are few and all without options the addresses are kept, so that a busy
 * one is not read again for each event.
 */
#include <string.h>

#include "pubsub.h"

#define AUDIENCE_MAX ((size_t)200000)

/* --- One subscription ------------------------------------------------------------------- */

/* The two variants of a stanza: as it is, and with a body before all else. */
struct fan {
	struct annex_fanout *fanout;
	int variant[2];
};

static int
variant_of(struct fan *fan, const struct delivery *d, struct pubsub *p, bool with_body)
{
	struct annex_stanza *out;
	int *variant = &fan->variant[with_body];

	if (*variant >= 0)
		return *variant;
	out = annex_message(p->inst, NULL, NULL, NULL);
	out->element = annex_element_copy(annex_scratch(p->inst), d->message);
	if (with_body)
		annex_add_text(out->element, NULL, "body", d->body);
	if (d->is_kept)
		annex_make_fleeting(out);
	return *variant = annex_fanout_variant(fan->fanout, out);
}

static bool
is_collected(const struct delivery *d, const struct sub *sub)
{
	return sub->options.digest && d->ids.count > 0;
}

/* §12.16: of several subscriptions of one address that want it now the first speaks for all. */
static bool
is_first_of_many(const struct delivery *d, const struct sub *sub, struct annex_element **headers_r)
{
	struct sub subs[SUBS_MAX];
	struct annex_pool *pool = annex_scratch(sub->node->p->inst);
	const struct annex_jid *jid = annex_jid(pool, sub->jid);
	struct annex_element *headers = annex_element(pool, NS_SHIM, "headers");
	size_t n = jid == NULL ? 0 : subs_of_jid(sub->node, jid, subs, SUBS_MAX);

	for (size_t i = 0; i < n; i++) {
		if (!sub_wants_items(&subs[i]) || is_collected(d, &subs[i]))
			continue;
		if (subs[i].number < sub->number)
			return false;
		subid_add(headers, &subs[i]);
	}
	*headers_r = headers;
	return true;
}

static void
keep_for_digest(const struct delivery *d, const struct sub *sub)
{
	for (size_t i = 0; i < d->ids.count; i++)
		if (digest_add(sub, d->ids.value[i], d->retracted) < 0)
			return;
}

/* Whether a subscription with options, or one of several, is told of items now. */
static bool
is_told(const struct delivery *d, const struct sub *sub, struct annex_element **headers)
{
	if (!sub_wants_items(sub))
		return false;
	if (is_collected(d, sub)) {
		keep_for_digest(d, sub);
		return false;
	}
	return sub->subid[0] == '\0' || is_first_of_many(d, sub, headers);
}

/* presence_based_delivery */
static bool
is_offline(const struct pubsub *p, const char *text)
{
	const struct annex_jid *jid = annex_jid(annex_scratch(p->inst), text);

	return jid != NULL && presence_is_offline(p, jid->bare);
}

static void
tell_one(struct fan *fan, const struct delivery *d, struct pubsub *p, uint64_t number,
    const Pubsub__Subscription *record)
{
	/* Whether the node is still there makes no difference. */
	struct node node = { .p = p, .number = d->node, .name = "", .config = config_baseline };
	struct annex_element *headers = NULL;
	struct sub sub;
	bool body = false;
	int variant;

	if (d->event != EVENT_DELETE && record->state != STATE_SUBSCRIBED)
		return;
	if (d->to_online && is_offline(p, record->jid))
		return;
	if (d->event == EVENT_ITEMS && (record->n_setting > 0 || record->subid[0] != '\0')) {
		sub = sub_of_record(&node, number, record);
		if (!is_told(d, &sub, &headers))
			return;
		body = sub.options.include_body && d->body != NULL;
	}
	if ((variant = variant_of(fan, d, p, body)) < 0)
		return;
	if (annex_fanout_add(fan->fanout, variant, record->jid, headers) == ANNEX_OK)
		annex_count(p->notified, 1);
}

/* --- Audiences -------------------------------------------------------------------------- */

/*
 * The addresses of a node whose subscribers are few and all without options: what a
 * publish needs of them, kept so that a busy node is not read again for each.
 */
struct audience {
	struct annex_pool *pool;
	struct annex_audience *jids;
	size_t count;
};

void
audience_forget(struct node *node)
{
	struct annex_pool *pool;

	node->is_deserted = false;
	if (node->audience == NULL)
		return;
	pool = node->audience->pool;
	node->p->audience -= node->audience->count;
	node->audience = NULL;
	annex_pool_destroy(&pool);
}

static struct audience *
audience_begin(struct node *node)
{
	uint64_t count = node == NULL ? 0 : subs_count(node);
	struct annex_pool *pool;
	struct audience *a;

	if (count == 0 || count > (uint64_t)node->p->set->subscribers_per_turn ||
	    node->config.presence_based || node->p->audience > AUDIENCE_MAX)
		return NULL;
	pool = annex_pool_create(node->pool, "audience");
	a = annex_new(pool, struct audience);
	a->pool = pool;
	a->jids = annex_audience(pool);
	return a;
}

/* NULL where this one must be read each time: then there is none. */
static struct audience *
audience_add(struct audience *a, const Pubsub__Subscription *record)
{
	struct annex_pool *pool;

	if (a == NULL || record->state != STATE_SUBSCRIBED)
		return a;
	if (record->n_setting == 0 && record->subid[0] == '\0' &&
	    annex_audience_add(a->jids, 0, record->jid) == ANNEX_OK) {
		a->count++;
		return a;
	}
	pool = a->pool;
	annex_pool_destroy(&pool);
	return NULL;
}

static void
audience_keep(struct node *node, struct audience *a, bool whole)
{
	struct annex_pool *pool;

	if (a == NULL)
		return;
	if (whole) {
		node->audience = a;
		node->p->audience += a->count;
		return;
	}
	pool = a->pool;
	annex_pool_destroy(&pool);
}

void
tell_audience(struct node *node, const struct delivery *d)
{
	struct pubsub *p = node->p;
	struct fan fan = { annex_fanout(p->inst), { -1, -1 } };

	if (variant_of(&fan, d, p, false) < 0)
		return;
	annex_fanout_add_audience(fan.fanout, node->audience->jids, NULL);
	annex_count(p->notified, (int64_t)node->audience->count);
	annex_fanout_send(fan.fanout, node_flow(p, d->node));
}

/* --- A run of the store ------------------------------------------------------------------- */

bool
tell_some(struct pubsub *p, struct node *node, struct delivery *d)
{
	struct annex_key prefix = key_number(TABLE_SUBSCRIPTIONS, d->node);
	struct annex_key from = key_numbers(TABLE_SUBSCRIPTIONS, d->node, d->next);
	struct annex_iter it = annex_iter_from(&prefix, &from);
	struct fan fan = { annex_fanout(p->inst), { -1, -1 } };
	struct audience *a = audience_begin(node);
	bool done = true;
	size_t n = 0;

	while (annex_next(p->store, &it) == ANNEX_AGAIN) {
		const Pubsub__Subscription *record = (Pubsub__Subscription *)it.record;
		uint64_t number = annex_key_number(&it.key, 1);

		if (number > d->last)
			break;
		if (n++ == (size_t)p->set->subscribers_per_turn) {
			d->next = number;
			done = false;
			break;
		}
		a = audience_add(a, record);
		tell_one(&fan, d, p, number, record);
	}
	audience_keep(node, a, done);
	annex_fanout_send(fan.fanout, node_flow(p, d->node));
	return done;
}
