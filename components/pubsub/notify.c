/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * notify.c - telling subscribers (XEP-0060 §7.1.2, §12.2 and what refers there)
 *
 * All that a node says to its subscribers is one flow, in the order of its
 * commits.  An event walks the node's subscriptions, a bounded run of them in a
 * turn: the first in the turn of the event, the rest (a delivery) in turns of their
 * own, so that neither the answer to who published nor other nodes wait.  While a
 * delivery goes on, later events of its node queue behind it.  It ends with the
 * subscription that was the last when the event happened; who goes meanwhile is not
 * told any more.
 *
 * Deliveries are in memory: what is durable is the item.
 */
#include <string.h>

#include "pubsub.h"

#define SUBS_A_TURN 1000
#define AUDIENCE_MAX ((size_t)200000)

struct delivery {
	struct annex_link of_queue;
	struct annex_pool *pool;
	uint64_t node, next, last; /* the numbers of subscriptions still to come */
	enum event event;
	const struct annex_element *message;
	const char *body;
	struct annex_strings ids;
	bool retracted, to_online;
	size_t size;
};

struct queue {
	struct annex_link by_turn, deliveries;
	uint64_t number;
	struct annex_pool *pool;
};

struct annex_stanza *
event_build(const struct node *node, const char *to, struct annex_element **event_r)
{
	const char *type =
	    strcmp(node->config.notification_type, "normal") == 0 ? NULL : "headline";
	struct annex_stanza *out = annex_message(node->p->inst, NULL, to, type);

	/* The node is in the id: so a bounce tells which it is about. */
	annex_attr_setf(out->element, "id", "%llx-%s", (unsigned long long)node->number,
	    annex_random_id(node->p->inst));
	*event_r = annex_add(out->element, NS_EVENT, "event");
	return out;
}

/* --- One run of subscriptions ------------------------------------------------------ */

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
	return *variant = annex_fanout_variant(fan->fanout, out);
}

/* §12.19: of several subscriptions of one address the first speaks for all. */
static bool
is_first_of_many(struct node *node, const struct sub *sub, struct annex_element **headers_r)
{
	struct sub subs[SUBS_MAX];
	struct annex_pool *pool = annex_scratch(node->p->inst);
	const struct annex_jid *jid = annex_jid(pool, sub->jid);
	struct annex_element *headers = annex_element(pool, NS_SHIM, "headers"), *header;
	size_t n = jid == NULL ? 0 : subs_of_jid(node, jid, subs, SUBS_MAX);

	for (size_t i = 0; i < n; i++) {
		if (subs[i].state != STATE_SUBSCRIBED || !subs[i].options.deliver ||
		    subs[i].options.digest)
			continue;
		if (subs[i].number < sub->number)
			return false;
		header = annex_add_text(headers, NULL, "header", subs[i].subid);
		annex_attr_set(header, "name", "SubID");
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
is_told(const struct delivery *d, struct sub *sub, struct annex_element **headers)
{
	if (!sub->options.deliver || strcmp(sub->options.type, "items") != 0 ||
	    !presence_suits(sub->node->p, sub))
		return false;
	if (sub->options.digest && d->ids.count > 0) {
		keep_for_digest(d, sub);
		return false;
	}
	return sub->subid[0] == '\0' || is_first_of_many(sub->node, sub, headers);
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
	struct annex_element *headers = NULL;
	struct node *node;
	struct sub sub;
	bool body = false;
	int variant;

	if (d->event != EVENT_DELETE && record->state != STATE_SUBSCRIBED)
		return;
	if (d->to_online && is_offline(p, record->jid))
		return;
	if (d->event == EVENT_ITEMS && (record->n_setting > 0 || record->subid[0] != '\0')) {
		if ((node = node_by_number(p, d->node)) == NULL)
			return;
		sub = sub_of_record(node, number, record);
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

	if (count == 0 || count > SUBS_A_TURN || node->config.presence_based ||
	    node->p->audience > AUDIENCE_MAX)
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

static void
tell_audience(struct pubsub *p, const struct audience *a, const struct delivery *d)
{
	struct fan fan = { annex_fanout(p->inst), { -1, -1 } };

	if (variant_of(&fan, d, p, false) < 0)
		return;
	annex_fanout_add_audience(fan.fanout, a->jids, NULL);
	annex_count(p->notified, (int64_t)a->count);
	annex_fanout_send(fan.fanout, node_flow(p, d->node));
}

/* --- A run of the store ------------------------------------------------------------------- */

/* Whether all have been told.  node: where it is at hand, or NULL. */
static bool
deliver_some(struct pubsub *p, struct node *node, struct delivery *d)
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
		if (n++ == SUBS_A_TURN) {
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

/* --- Deliveries that go on ----------------------------------------------------------- */

static struct queue *
queue_find(const struct pubsub *p, uint64_t number)
{
	return annex_map_get(p->queues, &number, sizeof(number));
}

bool
notify_is_busy(const struct pubsub *p, uint64_t number)
{
	return queue_find(p, number) != NULL;
}

static struct queue *
queue_make(struct pubsub *p, uint64_t number)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(p->inst), "deliveries");
	struct queue *q = annex_new(pool, struct queue);

	q->pool = pool;
	q->number = number;
	annex_list_init(&q->deliveries);
	annex_list_append(&p->waiting, &q->by_turn);
	annex_map_set(p->queues, &number, sizeof(number), q);
	return q;
}

static void
delivery_keep(struct pubsub *p, const struct delivery *d)
{
	struct queue *q = queue_find(p, d->node);
	struct annex_pool *pool;
	struct delivery *kept;
	const char **ids;

	if (q == NULL)
		q = queue_make(p, d->node);
	pool = annex_pool_create(q->pool, "delivery");
	kept = annex_memdup(pool, d, sizeof(*d));
	kept->pool = pool;
	kept->message = annex_element_copy(pool, d->message);
	kept->body = annex_strdup(pool, d->body);
	kept->ids.value = ids = annex_new_array(pool, const char *, d->ids.count + 1);
	for (size_t i = 0; i < d->ids.count; i++)
		ids[i] = annex_strdup(pool, d->ids.value[i]);
	kept->size = annex_pool_bytes(pool);
	p->queued += kept->size;
	annex_list_append(&q->deliveries, &kept->of_queue);
	if (!annex_timer_is_running(p->drain))
		annex_timer_start(p->drain, 0);
}

static void
delivery_end(struct pubsub *p, struct delivery *d)
{
	struct annex_pool *pool = d->pool;

	p->queued -= d->size;
	annex_list_remove(&d->of_queue);
	annex_pool_destroy(&pool);
}

static void
queue_end(struct pubsub *p, struct queue *q)
{
	struct annex_pool *pool = q->pool;

	annex_map_remove(p->queues, &q->number, sizeof(q->number));
	annex_list_remove(&q->by_turn);
	annex_pool_destroy(&pool);
}

/* One run of one queue, the one that has waited longest. */
static void
drain(struct annex_instance *inst, void *cookie)
{
	struct pubsub *p = cookie;
	struct delivery *d;
	struct queue *q;

	if (annex_list_is_empty(&p->waiting))
		return;
	if (annex_is_congested(inst)) {
		annex_timer_start(p->drain, 20);
		return;
	}
	q = annex_container_of(p->waiting.next, struct queue, by_turn);
	d = annex_container_of(q->deliveries.next, struct delivery, of_queue);
	annex_list_remove(&q->by_turn);
	annex_list_append(&p->waiting, &q->by_turn);
	if (deliver_some(p, NULL, d))
		delivery_end(p, d);
	if (annex_list_is_empty(&q->deliveries))
		queue_end(p, q);
	if (!annex_list_is_empty(&p->waiting))
		annex_timer_start(p->drain, 0);
}

void
notify_init(struct pubsub *p)
{
	p->queues = annex_map_create(annex_pool(p->inst));
	annex_list_init(&p->waiting);
	p->drain = annex_timer(p->inst, drain, p);
}

void
notify(struct node *node, const struct notice *notice)
{
	struct pubsub *p = node->p;
	struct delivery d = { .node = node->number,
		.event = notice->event,
		.message = notice->message->element,
		.body = notice->body,
		.ids = notice->ids,
		.retracted = notice->retracted,
		.to_online = node->config.presence_based && notice->event == EVENT_ITEMS,
		.next = 1,
		.last = node->audience != NULL ? UINT64_MAX : subs_last(node) };

	if (!node->config.deliver_notifications || d.last == 0)
		return;
	if (notify_is_busy(p, node->number)) {
		delivery_keep(p, &d);
	} else if (d.event != EVENT_DELETE && !d.to_online && node->audience != NULL) {
		tell_audience(p, node->audience, &d);
	} else if (!deliver_some(p, node->audience == NULL ? node : NULL, &d)) {
		delivery_keep(p, &d);
	}
}

/* --- A text to read (§12.7: Atom) -------------------------------------------------------- */

#define NS_ATOM "http://www.w3.org/2005/Atom"

const char *
body_of(const struct annex_element *payload, struct annex_pool *pool)
{
	const struct annex_element *title, *summary;

	if (payload == NULL || !annex_is(payload, NS_ATOM, "entry"))
		return NULL;
	title = annex_child(payload, NS_ATOM, "title");
	summary = annex_child(payload, NS_ATOM, "summary");
	if (title == NULL)
		return summary == NULL ? NULL : annex_text_all(summary, pool);
	if (summary == NULL)
		return annex_text_all(title, pool);
	return annex_sprintf(
	    pool, "%s\n\n%s", annex_text_all(title, pool), annex_text_all(summary, pool));
}

/* --- To one ------------------------------------------------------------------------------ */

void
tell_subscription(const struct sub *sub, const char *to)
{
	struct annex_element *event;
	struct annex_stanza *out = event_build(sub->node, to, &event);

	sub_add(event, sub, true);
	annex_send(sub->node->p->inst, out);
}

void
tell_owners_of(const struct sub *sub)
{
	const char *jids[100];
	size_t n = sub->node->config.notify_sub ? owners(sub->node, jids, 100) : 0;

	for (size_t i = 0; i < n; i++)
		tell_subscription(sub, jids[i]);
}

/* §6.1.7: behind the result, in the same flow. */
void
send_last(const struct sub *sub)
{
	struct node *node = sub->node;
	struct annex_element *event, *items;
	struct annex_stanza *out;
	Pubsub__Item *item;

	if (sub->state != STATE_SUBSCRIBED || !node->config.deliver_notifications ||
	    strcmp(node->config.send_last, "never") == 0 || (item = item_last(node, NULL)) == NULL)
		return;
	out = event_build(node, sub->jid, &event);
	items = annex_add(event, NULL, "items");
	annex_attr_set(items, "node", node->name);
	item_add(items, node, item, node->config.deliver_payloads);
	annex_delay_add(out->element, NULL, item->stamp_ms, NULL);
	annex_send(node->p->inst, out);
}
