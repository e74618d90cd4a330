/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * delivery.c - events that go to more subscribers than one turn tells
 *
 * Such an event is a row of deliveries, written in the turn in which it happened.  The
 * nodes that have some are served in turn, a run of subscriptions at a time, while
 * the output has room.  What was sent is proved by a fence behind it; then the row of told
 * says up to where a node's subscribers have been told, and deliveries that are done go.  After a
 * crash, and after a loss of the link, it goes on from there: so nobody misses an event, each gets
 * them in the order of their commits, and some get those of the last moments again, under the same id.
 *
 * A delivery ends with the subscription that was the last when the event happened; who
 * goes meanwhile is not told any more.  In memory are positions alone.
 */
#include <string.h>

#include "pubsub.h"

#define WAIT_MS 20 /* where the output has no room */
#define OF_NODE_MAX 1000u
#define ALL_MAX 10000u
#define MESSAGE_MAX ((size_t)1 << 20)

/* Up to where: deliveries before it, and of it the subscriptions before next. */
struct place {
	uint64_t delivery, next;
};

struct queue {
	struct annex_link by_turn; /* in waiting, where something is to be sent */
	struct annex_pool *pool;
	uint64_t node;
	size_t count; /* of its rows */
	struct place sent;
	bool is_fenced; /* a fence is out */
};

/* What a fence proves. */
struct proof {
	uint64_t node, link;
	struct place place;
};

static struct queue *
queue_find(const struct pubsub *p, uint64_t node)
{
	return annex_map_get(p->queues, &node, sizeof(node));
}

bool
delivery_goes_on(const struct pubsub *p, uint64_t node)
{
	return queue_find(p, node) != NULL;
}

static bool
are_many(const struct node *node)
{
	return node->audience == NULL && !node->is_deserted &&
	    subs_count(node) > (uint64_t)node->p->set->subscribers_per_turn;
}

bool
delivery_is_due(const struct node *node)
{
	return delivery_goes_on(node->p, node->number) || are_many(node);
}

bool
delivery_has_room(const struct node *node)
{
	const struct queue *q = queue_find(node->p, node->number);

	if (q != NULL && q->count >= OF_NODE_MAX)
		return false;
	return node->p->deliveries < ALL_MAX || (q == NULL && !are_many(node));
}

/* --- Queues --------------------------------------------------------------------------- */

static void
queue_wake(struct pubsub *p, struct queue *q)
{
	annex_list_remove(&q->by_turn);
	annex_list_append(&p->waiting, &q->by_turn);
	if (!annex_timer_is_running(p->drain))
		annex_timer_start(p->drain, 0);
}

/* Where the store says that its subscribers have been told. */
static struct place
told_get(struct pubsub *p, uint64_t node)
{
	struct annex_key key = key_number(TABLE_TOLD, node);
	ProtobufCMessage *record;

	if (annex_get(p->store, &key, &record) < 0)
		return (struct place) { 0, 1 };
	return (
	    struct place) { ((Pubsub__Told *)record)->delivery, ((Pubsub__Told *)record)->next };
}

static struct queue *
queue_make(struct pubsub *p, uint64_t node)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(p->inst), "deliveries");
	struct queue *q = annex_new(pool, struct queue);

	q->pool = pool;
	q->node = node;
	q->sent = told_get(p, node);
	annex_list_init(&q->by_turn);
	annex_map_set(p->queues, &node, sizeof(node), q);
	return q;
}

static void
queue_end(struct pubsub *p, struct queue *q)
{
	struct annex_pool *pool = q->pool;

	annex_map_remove(p->queues, &q->node, sizeof(q->node));
	annex_list_remove(&q->by_turn);
	annex_pool_destroy(&pool);
}

/* --- The rows --------------------------------------------------------------------------- */

static int
row_put(struct pubsub *p, uint64_t node, const Pubsub__Delivery *record)
{
	struct annex_key key = key_number(TABLE_DELIVERIES, node);
	struct queue *q = queue_find(p, node);
	uint64_t number;
	int r;

	if ((r = annex_sequence(p->store, &key, &number)) < 0 ||
	    (r = annex_put(p->store, annex_key_u64(&key, number), &record->base)) < 0)
		return r;
	if (q == NULL)
		q = queue_make(p, node);
	q->count++;
	p->deliveries++;
	queue_wake(p, q);
	return ANNEX_OK;
}

int
delivery_add(struct pubsub *p, const struct delivery *d)
{
	Pubsub__Delivery record = PUBSUB__DELIVERY__INIT;
	size_t len;

	record.event = d->event;
	record.xml =
	    (char *)(uintptr_t)annex_element_write(d->message, annex_scratch(p->inst), &len);
	record.body = (char *)(uintptr_t)(d->body == NULL ? "" : d->body);
	record.n_id = d->ids.count;
	record.id = (char **)(uintptr_t)d->ids.value;
	record.retracted = d->retracted;
	record.to_online = d->to_online;
	record.last = d->last;
	return row_put(p, d->node, &record);
}

int
delivery_add_end(const struct node *node)
{
	Pubsub__Delivery record = PUBSUB__DELIVERY__INIT;

	record.shelf = node->shelf;
	return row_put(node->p, node->number, &record);
}

static struct delivery
delivery_read(uint64_t node, const Pubsub__Delivery *record, struct annex_pool *pool)
{
	return (struct delivery) { .node = node,
		.last = record->last,
		.event = (enum event)record->event,
		.message = annex_element_read(pool, record->xml, strlen(record->xml), MESSAGE_MAX),
		.body = record->body[0] == '\0' ? NULL : record->body,
		.ids = { (const char *const *)record->id, record->n_id },
		.retracted = record->retracted,
		.to_online = record->to_online,
		.is_kept = true };
}

/* --- What was proved ---------------------------------------------------------------------- */

/* Deliveries before the place are done; with the last one what is left of a deleted node may go. */
static int
rows_done(struct pubsub *p, struct queue *q, const struct place *place)
{
	struct annex_key prefix = key_number(TABLE_DELIVERIES, q->node), key;
	struct annex_iter it = annex_iter(&prefix);
	int r = ANNEX_OK;

	while (r >= 0 && annex_next(p->store, &it) == ANNEX_AGAIN &&
	    annex_key_number(&it.key, 1) < place->delivery) {
		uint64_t shelf = ((Pubsub__Delivery *)it.record)->shelf;

		if (shelf != 0)
			r = remains_start(p, q->node, shelf);
		key = it.key;
		if (r >= 0 && (r = annex_delete(p->store, &key)) >= 0) {
			q->count--;
			p->deliveries--;
		}
	}
	return r;
}

/* Where there is no room for it, some are told again after a crash: nobody is harmed. */
static void
told_put(struct pubsub *p, const struct queue *q, const struct place *place)
{
	struct annex_key key = key_number(TABLE_TOLD, q->node);
	Pubsub__Told record = PUBSUB__TOLD__INIT;

	record.delivery = place->delivery;
	record.next = place->next;
	if (q->count == 0)
		annex_delete(p->store, &key);
	else if (annex_put(p->store, &key, &record.base) < 0)
		annex_log(p->inst, ANNEX_LOG_DEBUG, "there was no room to say who has been told");
}

static void proved(struct annex_instance *inst, int status, const void *cookie, size_t cookie_len);

static void
ask_for_proof(struct pubsub *p, struct queue *q)
{
	const struct proof proof = { q->node, annex_link_number(p->inst), q->sent };

	q->is_fenced = true;
	annex_fence_on(p->inst, node_flow(p, q->node), proved, &proof, sizeof(proof));
}

/* One of a link that is gone proves nothing: link_down has begun anew. */
static void
proved(struct annex_instance *inst, int status, const void *cookie, size_t cookie_len)
{
	struct pubsub *p = annex_state(inst);
	struct proof proof;
	struct queue *q;

	memcpy(&proof, cookie, cookie_len);
	if (status < 0 || proof.link != annex_link_number(inst) ||
	    (q = queue_find(p, proof.node)) == NULL)
		return;
	q->is_fenced = false;
	if (must(p, rows_done(p, q, &proof.place)) < 0)
		return;
	told_put(p, q, &proof.place);
	if (q->count == 0)
		queue_end(p, q);
	else if (q->sent.delivery != proof.place.delivery || q->sent.next != proof.place.next)
		ask_for_proof(p, q);
}

/* --- Sending ------------------------------------------------------------------------------- */

/* One run of a node's subscriptions; false where there is nothing more to send. */
static bool
queue_step(struct pubsub *p, struct queue *q)
{
	struct annex_key prefix = key_number(TABLE_DELIVERIES, q->node);
	struct annex_key from = key_numbers(TABLE_DELIVERIES, q->node, q->sent.delivery);
	struct annex_iter it = annex_iter_from(&prefix, &from);
	struct delivery d;
	uint64_t number;

	if (annex_next(p->store, &it) != ANNEX_AGAIN)
		return false;
	number = annex_key_number(&it.key, 1);
	d = delivery_read(q->node, (Pubsub__Delivery *)it.record, annex_scratch(p->inst));
	d.next = number == q->sent.delivery ? q->sent.next : 1;
	if (d.message == NULL || tell_some(p, NULL, &d))
		q->sent = (struct place) { number + 1, 1 };
	else
		q->sent = (struct place) { number, d.next };
	if (!q->is_fenced)
		ask_for_proof(p, q);
	return true;
}

static void
drain(struct annex_instance *inst, void *cookie)
{
	struct pubsub *p = cookie;
	struct queue *q;

	if (annex_list_is_empty(&p->waiting) || !annex_is_up(inst))
		return;
	if (annex_is_congested(inst)) {
		annex_timer_start(p->drain, WAIT_MS);
		return;
	}
	q = annex_container_of(p->waiting.next, struct queue, by_turn);
	annex_list_remove(&q->by_turn);
	if (queue_step(p, q))
		annex_list_append(&p->waiting, &q->by_turn);
	if (!annex_list_is_empty(&p->waiting))
		annex_timer_start(p->drain, 0);
}

void
delivery_link_up(struct pubsub *p)
{
	annex_timer_start(p->drain, 0);
}

/* What was sent and not proved is sent again: it went with the link (annex_make_fleeting). */
void
delivery_link_down(struct pubsub *p)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_next(p->queues, &it)) {
		struct queue *q = it.value;

		q->sent = told_get(p, q->node);
		q->is_fenced = false;
		annex_list_remove(&q->by_turn);
		annex_list_append(&p->waiting, &q->by_turn);
	}
}

/* --- Beginning -------------------------------------------------------------------------------- */

void
deliveries_init(struct pubsub *p)
{
	struct annex_key all = key_of(TABLE_DELIVERIES);
	struct annex_iter it = annex_iter(&all);
	struct queue *q;

	p->queues = annex_map_create(annex_pool(p->inst));
	annex_list_init(&p->waiting);
	p->drain = annex_timer(p->inst, drain, p);
	it.keys_only = true;
	while (annex_next(p->store, &it) == ANNEX_AGAIN) {
		uint64_t node = annex_key_number(&it.key, 0);

		if ((q = queue_find(p, node)) == NULL)
			q = queue_make(p, node);
		q->count++;
		p->deliveries++;
		queue_wake(p, q);
	}
}
