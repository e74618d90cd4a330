/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * item.c - what is published, in the order it was published last
 *
 * An item's number is its place.  Overwriting gives it a new one, so that it is the
 * newest; when it was first published is remembered (XEP-0413).
 */
#include <string.h>

#include "pubsub.h"

#define PAYLOAD_MAX ((size_t)1 << 20)
#define KEPT_MAX ((size_t)16 << 20) /* of last items of all nodes that store none */

Pubsub__Item *
item_on_shelf(struct pubsub *p, uint64_t shelf, const char *id, uint64_t *number_r)
{
	struct annex_key key = key_number_text(TABLE_ITEM_IDS, shelf, id);
	ProtobufCMessage *record;
	uint64_t number;

	if (annex_get(p->store, &key, &record) < 0)
		return NULL;
	number = ((Pubsub__ItemId *)record)->number;
	key = key_numbers(TABLE_ITEMS, shelf, number);
	if (annex_get(p->store, &key, &record) < 0)
		return NULL;
	if (number_r != NULL)
		*number_r = number;
	return (Pubsub__Item *)record;
}

Pubsub__Item *
item_get(const struct node *node, const char *id, uint64_t *number_r)
{
	return item_on_shelf(node->p, node->shelf, id, number_r);
}

Pubsub__Item *
item_last(const struct node *node, uint64_t *number_r)
{
	struct annex_key prefix = key_number(TABLE_ITEMS, node->shelf);
	struct annex_iter it = annex_iter_backwards(&prefix);

	if (annex_next(node->p->store, &it) != ANNEX_AGAIN)
		return NULL;
	if (number_r != NULL)
		*number_r = annex_key_number(&it.key, 1);
	return (Pubsub__Item *)it.record;
}

struct kept_item {
	struct annex_pool *pool;
	Pubsub__Item item;
	size_t bytes;
};

void
item_forget(struct node *node)
{
	struct annex_pool *pool;

	if (node->last == NULL)
		return;
	pool = node->last->pool;
	node->p->kept -= node->last->bytes;
	node->last = NULL;
	annex_pool_destroy(&pool);
}

void
item_keep(struct node *node, const Pubsub__Item *item)
{
	size_t bytes = strlen(item->id) + strlen(item->publisher) + strlen(item->xml);
	struct annex_pool *pool;
	struct kept_item *kept;

	item_forget(node);
	if (node->p->kept + bytes > KEPT_MAX)
		return;
	pool = annex_pool_create(node->pool, "last item");
	kept = annex_memdup(pool, &(struct kept_item) { pool, *item, bytes }, sizeof(*kept));
	kept->item.id = annex_strdup(pool, item->id);
	kept->item.publisher = annex_strdup(pool, item->publisher);
	kept->item.xml = annex_strdup(pool, item->xml);
	node->last = kept;
	node->p->kept += bytes;
}

const Pubsub__Item *
item_kept(const struct node *node)
{
	return node->last == NULL ? NULL : &node->last->item;
}

uint64_t
items_count(const struct node *node)
{
	struct annex_key prefix = key_number(TABLE_ITEMS, node->shelf);
	uint64_t n = 0;

	return annex_rows(node->p->store, &prefix, &n) < 0 ? 0 : n;
}

uint64_t
item_bytes(const Pubsub__Item *item)
{
	return strlen(item->id) + strlen(item->publisher) + strlen(item->xml);
}

uint64_t
item_weigh(const ProtobufCMessage *record)
{
	return item_bytes((const Pubsub__Item *)record);
}

uint64_t
items_bytes(const struct node *node)
{
	struct annex_key prefix = key_number(TABLE_ITEMS, node->shelf);
	uint64_t n = 0;

	return annex_weight(node->p->store, &prefix, &n) < 0 ? 0 : n;
}

int
item_put(struct node *node, Pubsub__Item *item)
{
	uint64_t before = 0;
	const Pubsub__Item *old = item_get(node, item->id, &before);

	return item_put_over(node, item, old, before);
}

int
item_put_over(struct node *node, Pubsub__Item *item, const Pubsub__Item *old, uint64_t before)
{
	struct pubsub *p = node->p;
	struct annex_key key = key_number(TABLE_ITEMS, node->shelf);
	Pubsub__ItemId at = PUBSUB__ITEM_ID__INIT;
	uint64_t number;
	int r;

	if ((r = annex_sequence(p->store, &key, &number)) < 0)
		return r;
	item->created = old == NULL ? number : old->created;
	item->created_ms = old == NULL ? item->stamp_ms : old->created_ms;
	if ((r = annex_put(p->store, annex_key_u64(&key, number), &item->base)) < 0)
		return must(p, r);
	key = key_numbers(TABLE_ITEMS, node->shelf, before);
	if (old != NULL)
		annex_delete(p->store, &key);
	if ((r = order_follow(node, item, number, before)) < 0)
		return must(p, r);
	at.id = item->id;
	at.number = number;
	key = key_number_text(TABLE_ITEM_IDS, node->shelf, item->id);
	if ((r = annex_put(p->store, &key, &at.base)) >= 0)
		r = fulltext_follow(node, before);
	quota_note(node, old == NULL ? 0 : item_bytes(old), item_bytes(item));
	return must(p, r);
}

int
item_remove(struct node *node, const Pubsub__Item *item, uint64_t number)
{
	struct annex_key key = key_number_text(TABLE_ITEM_IDS, node->shelf, item->id);
	int r;

	if ((r = annex_delete(node->p->store, &key)) < 0 && r != ANNEX_ENOENT)
		return r;
	if (must(node->p, order_forget(node, item)) == ANNEX_ESTORE)
		return ANNEX_ESTORE;
	if (must(node->p, fulltext_follow(node, number)) < 0)
		return ANNEX_ESTORE;
	if (node->attached && must(node->p, kept_item_gone(node, item->id)) < 0)
		return ANNEX_ESTORE;
	key = key_numbers(TABLE_ITEMS, node->shelf, number);
	quota_note(node, item_bytes(item), 0);
	return must(node->p, annex_delete(node->p->store, &key));
}

/* Twelve digits of time, and what nobody can guess. */
const char *
item_new_id(struct pubsub *p)
{
	return annex_sprintf(annex_scratch(p->inst), "%012llx-%s",
	    (unsigned long long)annex_wall_ms(p->inst), annex_random_id(p->inst));
}

struct annex_strings
items_trim(struct node *node, uint64_t keep, size_t most)
{
	struct annex_pool *pool = annex_scratch(node->p->inst);
	uint64_t room = (uint64_t)node->p->set->max_node_bytes;
	uint64_t count = items_count(node), bytes = room == 0 ? 0 : items_bytes(node);
	struct annex_key prefix = key_number(TABLE_ITEMS, node->shelf);
	struct annex_iter it = annex_iter(&prefix);
	struct annex_strings gone = { 0 };
	const char **ids;

	if (count <= keep && (room == 0 || bytes <= room))
		return gone;
	gone.value = ids = annex_new_array(pool, const char *, most);
	for (; gone.count < most && (count > keep || (room > 0 && bytes > room && count > 1));
	     count--) {
		const Pubsub__Item *item;

		if (annex_next(node->p->store, &it) != ANNEX_AGAIN)
			break;
		item = (Pubsub__Item *)it.record;
		ids[gone.count++] = item->id;
		if (must(node->p, item_remove(node, item, annex_key_number(&it.key, 1))) < 0)
			break;
		bytes -= item_bytes(item) < bytes ? item_bytes(item) : bytes;
	}
	return gone;
}

/* itemreply (§7.1.2.3): whom to reply to, or NULL. */
static const char *
reply_to(const struct node *node, const Pubsub__Item *item)
{
	const struct annex_jid *jid;
	const char *owner;

	if (strcmp(node->config.itemreply, "owner") == 0) {
		if (rank_of(node, node->creator) == RANK_OWNER)
			return node->creator;
		return owners(node, &owner, 1) == 1 ? owner : NULL;
	}
	if (strcmp(node->config.itemreply, "publisher") != 0)
		return NULL;
	jid = annex_jid(annex_scratch(node->p->inst), item->publisher);
	return jid == NULL ? NULL : jid->bare;
}

const struct annex_element *
item_payload(struct pubsub *p, const Pubsub__Item *item)
{
	return item->xml[0] == '\0'
	    ? NULL
	    : annex_element_read(annex_scratch(p->inst), item->xml, strlen(item->xml), PAYLOAD_MAX);
}

struct annex_element *
item_add_with(struct annex_element *parent, const struct node *node, const Pubsub__Item *item,
    const struct annex_element *payload)
{
	struct annex_element *el = annex_add(parent, NULL, "item");

	annex_attr_set(el, "id", item->id);
	annex_attr_set(el, "publisher", reply_to(node, item));
	if (payload != NULL)
		annex_add_copy(el, payload);
	return el;
}

struct annex_element *
item_add(
    struct annex_element *parent, const struct node *node, const Pubsub__Item *item, bool payload)
{
	return item_add_with(parent, node, item, payload ? item_payload(node->p, item) : NULL);
}
