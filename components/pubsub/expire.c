/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * expire.c - what time does: items that are old, subscriptions on a lease,
 * digests
 *
 * Items of a node live equally long, so the oldest is the next to go: one
 * alarm a node is enough.  A lease has an alarm that rings before its end,
 * to warn, and again at its end (XEP-0060 §12.19).
 */
#include <string.h>

#include "pubsub.h"

#define EXPIRED_A_TURN 100
#define DIGEST_ITEMS 50
#define DIGEST_BYTES ((size_t)128 << 10)
#define WAITING_MAX 200 /* events of a digest; then it is sent before its time */

/* --- Items ------------------------------------------------------------------------------------ */

int
items_arrange(struct node *node)
{
	struct pubsub *p = node->p;
	struct annex_key prefix = key_number(TABLE_ITEMS, node->shelf);
	struct annex_iter it = annex_iter(&prefix);
	int64_t live_ms = config_item_expire(&node->config) * 1000;

	if (live_ms == 0 || annex_next(p->store, &it) != ANNEX_AGAIN)
		return annex_alarm_clear(p->inst, "items", &node->number, sizeof(node->number));
	return annex_alarm_set(p->inst, "items", &node->number, sizeof(node->number),
	    ((Pubsub__Item *)it.record)->stamp_ms + live_ms);
}

/* The oldest that have lived long enough. */
static struct annex_strings
expire_some(struct node *node, int64_t until_ms)
{
	struct annex_key prefix = key_number(TABLE_ITEMS, node->shelf);
	struct annex_iter it = annex_iter(&prefix);
	struct annex_strings gone = { 0 };
	const char **ids =
	    annex_new_array(annex_scratch(node->p->inst), const char *, EXPIRED_A_TURN);

	gone.value = ids;
	while (gone.count < EXPIRED_A_TURN && annex_next(node->p->store, &it) == ANNEX_AGAIN) {
		const Pubsub__Item *item = (Pubsub__Item *)it.record;

		if (item->stamp_ms > until_ms)
			break;
		ids[gone.count++] = item->id;
		if (must(node->p, item_remove(node, item, annex_key_number(&it.key, 1))) < 0)
			break;
	}
	return gone;
}

void
items_due(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	struct pubsub *p = annex_state(inst);
	struct annex_strings gone;
	struct node *node;
	uint64_t number;
	int64_t live_ms;

	(void)key_len;
	(void)due_wall_ms;
	memcpy(&number, key, sizeof(number));
	node = node_by_number(p, number);
	live_ms = node == NULL ? 0 : config_item_expire(&node->config) * 1000;
	if (live_ms == 0)
		return;
	gone = expire_some(node, annex_wall_ms(inst) - live_ms);
	if (gone.count > 0 && node->config.notify_retract)
		tell_retracted(node, &gone);
	must(p, items_arrange(node));
}

/* --- Leases ------------------------------------------------------------------------------------ */

struct sub_key {
	uint64_t node, number;
};

int
lease_arrange(const struct sub *sub)
{
	struct pubsub *p = sub->node->p;
	const struct sub_key key = { sub->node->number, sub->number };
	int64_t end, warn;

	if (annex_datetime_read(sub->options.expire, &end) < 0)
		return annex_alarm_clear(p->inst, "lease", &key, sizeof(key));
	warn = end - p->set->lease_warning_ms;
	return annex_alarm_set(
	    p->inst, "lease", &key, sizeof(key), sub->warned || warn <= sub->since_ms ? end : warn);
}

void
sub_alarms_clear(struct pubsub *p, uint64_t node, uint64_t number)
{
	const struct sub_key key = { node, number };

	must(p, annex_alarm_clear(p->inst, "lease", &key, sizeof(key)));
	must(p, annex_alarm_clear(p->inst, "digest", &key, sizeof(key)));
}

static bool
sub_of_key(struct pubsub *p, const void *bytes, struct sub *sub)
{
	struct sub_key key;
	struct annex_key row;
	ProtobufCMessage *record;
	struct node *node;

	memcpy(&key, bytes, sizeof(key));
	row = key_numbers(TABLE_SUBSCRIPTIONS, key.node, key.number);
	if ((node = node_by_number(p, key.node)) == NULL || annex_get(p->store, &row, &record) < 0)
		return false;
	*sub = sub_of_record(node, key.number, (Pubsub__Subscription *)record);
	return true;
}

void
lease_due(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	struct pubsub *p = annex_state(inst);
	struct sub sub;
	int64_t end;

	(void)key_len;
	(void)due_wall_ms;
	if (!sub_of_key(p, key, &sub) || annex_datetime_read(sub.options.expire, &end) < 0)
		return;
	if (end <= annex_wall_ms(inst)) {
		must(p, sub_change(&sub, STATE_NONE));
		return;
	}
	sub.warned = true;
	if (must(p, sub_put(&sub)) >= 0)
		tell_subscription(&sub, sub.jid);
}

/* --- Digests -------------------------------------------------------------------------------------- */

/* Keep an event for the digest of a subscription. */
int
digest_add(const struct sub *sub, const char *id, bool retracted)
{
	struct pubsub *p = sub->node->p;
	const struct sub_key alarm = { sub->node->number, sub->number };
	struct annex_key key = key_numbers(TABLE_WAITING, alarm.node, alarm.number), first = key;
	struct annex_iter it = annex_iter(&first);
	Pubsub__Waiting record = PUBSUB__WAITING__INIT;
	int64_t now = annex_wall_ms(p->inst);
	uint64_t number;
	bool is_first;
	int r;

	it.keys_only = true;
	is_first = annex_next(p->store, &it) != ANNEX_AGAIN;
	if ((r = annex_sequence(p->store, &key, &number)) < 0)
		return must(p, r);
	if (is_first)
		r = annex_alarm_set(
		    p->inst, "digest", &alarm, sizeof(alarm), now + sub->options.digest_frequency);
	else if (number - annex_key_number(&it.key, 2) == WAITING_MAX)
		r = annex_alarm_set(p->inst, "digest", &alarm, sizeof(alarm), now);
	if (r < 0)
		return must(p, r);
	record.id = (char *)(uintptr_t)id;
	record.retracted = retracted;
	return must(p, annex_put(p->store, annex_key_u64(&key, number), &record.base));
}

struct digest {
	struct sub *sub;
	struct annex_element *published, *retracted;
	size_t bytes, count;
};

static struct annex_element *
list_begin(struct digest *d, struct annex_element *event)
{
	struct annex_element *items = annex_add(event, NULL, "items");

	annex_attr_set(items, "node", d->sub->node->name);
	return items;
}

static bool
is_in_list(const struct annex_element *items, const char *id)
{
	ANNEX_CHILDREN (items, item)
		if (strcmp(annex_attr(item, "id"), id) == 0)
			return true;
	return false;
}

/* An item that was published and is gone since is not worth a word; one that was published several times is
 * shown once, as it is. */
static void
digest_line(struct digest *d, struct annex_element *event, const Pubsub__Waiting *waiting)
{
	struct node *node = d->sub->node;
	Pubsub__Item *item;

	d->count++;
	if (waiting->retracted) {
		if (d->retracted == NULL)
			d->retracted = list_begin(d, event);
		annex_attr_set(annex_add(d->retracted, NULL, "retract"), "id", waiting->id);
		return;
	}
	if ((item = item_get(node, waiting->id, NULL)) == NULL ||
	    (d->published != NULL && is_in_list(d->published, waiting->id)))
		return;
	if (d->published == NULL)
		d->published = list_begin(d, event);
	item_add(d->published, node, item, node->config.deliver_payloads);
	d->bytes += strlen(item->xml);
}

/* One message, of as much as is good for one; what is left rings again at once. */
void
digest_due(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	struct pubsub *p = annex_state(inst);
	struct annex_element *event;
	struct annex_stanza *out;
	struct annex_key prefix, row;
	struct annex_iter it;
	struct sub sub;
	struct digest d = { .sub = &sub };

	(void)due_wall_ms;
	if (!sub_of_key(p, key, &sub))
		return;
	prefix = key_numbers(TABLE_WAITING, sub.node->number, sub.number);
	it = annex_iter(&prefix);
	out = event_build(sub.node, sub.jid, &event);
	while (annex_next(p->store, &it) == ANNEX_AGAIN) {
		if (d.count == DIGEST_ITEMS || d.bytes > DIGEST_BYTES) {
			must(p, annex_alarm_set(inst, "digest", key, key_len, annex_wall_ms(inst)));
			break;
		}
		digest_line(&d, event, (Pubsub__Waiting *)it.record);
		row = it.key;
		annex_delete(p->store, &row);
	}
	headers_add(out->element, &sub);
	if (d.published != NULL || d.retracted != NULL)
		annex_send_on(inst, node_flow(p, sub.node->number), out);
}
