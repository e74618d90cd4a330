/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * publish.c - items come and go (XEP-0060 §7.1 and §7.2)
 *
 * A publish is judged whole before the first row is written: who, under which
 * conditions (publish-options), what an item of this node may be.  Where the
 * node is not there it is judged by the configuration it would get.
 */
#include <string.h>

#include "pubsub.h"

#define RETRACTED_MAX 100

struct publishing {
	struct request *rq;
	struct node_config config;
	const struct annex_element *item, *payload;
	const Pubsub__Item *old;    /* what it overwrites, or NULL, */
	uint64_t place;             /* and where that is, or 0 */
	const char *id, *why, *xml; /* xml: of the payload, or empty */
	size_t size;                /* of xml */
	bool is_named;              /* the id is theirs, not ours */
};

/* --- Judging ------------------------------------------------------------------------- */

static enum fault
judge_options(struct publishing *pub)
{
	struct request *rq = pub->rq;
	const struct annex_element *options =
	    annex_child_after(rq->el, NS_PUBSUB, "publish-options");
	const struct annex_element *x =
	    options == NULL ? NULL : annex_child(options, ANNEX_NS_FORM, "x");

	/* XEP-0470 §5.2.1: with attachments they are ignored. */
	if (x == NULL || rq->kept.role != ROLE_NONE)
		return FAULT_NONE;
	if (rq->node == NULL) {
		profile_preset(rq->name, annex_form_value(x, "pubsub#type"), &pub->config);
		pub->why = config_take(rq->p, x, &pub->config, rq->in->pool);
		return pub->why == NULL ? FAULT_NONE : FAULT_PRECONDITION;
	}
	pub->why = config_unmet(rq->p, x, &pub->config, rq->in->pool);
	return pub->why == NULL ? FAULT_NONE : FAULT_PRECONDITION;
}

static bool
is_above_room(const struct pubsub *p, uint64_t bytes)
{
	return p->set->max_node_bytes > 0 && bytes > (uint64_t)p->set->max_node_bytes;
}

/* As item_bytes has it once it is there. */
static uint64_t
bytes_of(const struct publishing *pub)
{
	return pub->size + strlen(pub->id) + strlen(pub->rq->in->from->full);
}

/* pubsub#type is the namespace of payloads where it looks like one (§7.1.3.6). */
static bool
is_of_type(const struct publishing *pub)
{
	const char *type = pub->config.type;

	/* That of a feed names its profile (XEP-0472 §5). */
	return profile_is_feed(&pub->config) || strchr(type, ':') == NULL ||
	    strcmp(type, pub->payload->ns) == 0;
}

/* The table of event types (§4.3) and §7.1.3.6. */
static enum fault
judge_item(struct publishing *pub)
{
	const struct node_config *c = &pub->config;
	const struct annex_element *more =
	    pub->item == NULL ? NULL : annex_child_after(pub->item, NS_PUBSUB, "item");

	if (more != NULL)
		return FAULT_INVALID_PAYLOAD;
	if (pub->item == NULL)
		return c->persist_items || c->deliver_payloads ? FAULT_ITEM_REQUIRED : FAULT_NONE;
	if (!c->persist_items && !c->deliver_payloads)
		return FAULT_ITEM_FORBIDDEN;
	pub->payload = annex_child(pub->item, NULL, NULL);
	if (pub->payload == NULL)
		return c->deliver_payloads ? FAULT_PAYLOAD_REQUIRED : FAULT_NONE;
	if (annex_child_after(pub->payload, NULL, NULL) != NULL || !is_of_type(pub))
		return FAULT_INVALID_PAYLOAD;
	if ((pub->why = profile_misses(c, pub->payload)) != NULL)
		return FAULT_INVALID_PAYLOAD;
	pub->xml = annex_element_write(pub->payload, pub->rq->in->pool, &pub->size);
	return pub->size > (size_t)config_max_payload(pub->rq->p, c) ? FAULT_PAYLOAD_TOO_BIG
								     : FAULT_NONE;
}

/* What goes with it: what it overwrites, or else the oldest of a node that is full of items. */
static uint64_t
bytes_that_go(const struct publishing *pub)
{
	const struct node *node = pub->rq->node;
	struct annex_key prefix;
	struct annex_iter it;

	if (pub->old != NULL)
		return item_bytes(pub->old);
	if (node == NULL || items_count(node) < config_max_items(node->p, &pub->config))
		return 0;
	prefix = key_number(TABLE_ITEMS, node->shelf);
	it = annex_iter(&prefix);
	return annex_next(node->p->store, &it) == ANNEX_AGAIN
	    ? item_bytes((const Pubsub__Item *)it.record)
	    : 0;
}

/* Attachments are not theirs who made the node. */
static enum fault
judge_owner(struct publishing *pub)
{
	struct request *rq = pub->rq;
	const char *owner = rq->node == NULL ? rq->in->from->bare : rq->node->creator;

	if (rq->p->set->max_owner_bytes == 0 || rq->kept.role != ROLE_NONE ||
	    quota_allows(rq->p, owner, bytes_that_go(pub), bytes_of(pub)))
		return FAULT_NONE;
	pub->why = "The nodes of who made this one take as many bytes as they may.";
	return FAULT_OWNER_FULL;
}

static enum fault
judge_place(struct publishing *pub)
{
	struct request *rq = pub->rq;
	const struct node_config *c = &pub->config;
	const Pubsub__Item *old;

	if (pub->id == NULL)
		return FAULT_NONE;
	if (pub->is_named && strlen(pub->id) > (size_t)rq->p->set->max_id_bytes)
		return FAULT_BAD_REQUEST;
	if (!c->persist_items)
		return FAULT_NONE;
	if (is_above_room(rq->p, bytes_of(pub)))
		return FAULT_PAYLOAD_TOO_BIG;
	if (rq->node == NULL)
		return judge_owner(pub);
	pub->old = old = pub->is_named ? item_get(rq->node, pub->id, &pub->place) : NULL;
	if (old != NULL && strcmp(rq->p->set->overwrite, "own") == 0 && rq->rank != RANK_OWNER &&
	    !item_is_of(rq, old))
		return FAULT_FORBIDDEN;
	if (strcmp(c->node_full, "reject") == 0 &&
	    ((old == NULL && items_count(rq->node) >= config_max_items(rq->p, c)) ||
		is_above_room(rq->p,
		    items_bytes(rq->node) + bytes_of(pub) - (old == NULL ? 0 : item_bytes(old)))))
		return FAULT_NODE_FULL;
	return judge_owner(pub);
}

static enum fault
judge_node(struct publishing *pub)
{
	struct request *rq = pub->rq;
	enum fault fault;

	if (rq->name == NULL)
		return FAULT_NODEID_REQUIRED;
	if (rq->kept.role != ROLE_NONE) {
		if ((fault = attach_judge(rq, pub->item)) == FAULT_NONE)
			pub->config = kept_config(rq->kept.target, rq->kept.role);
		return fault;
	}
	if (rq->node != NULL) {
		pub->config = rq->node->config;
		return may_publish(&pub->config, rq->node, rq->rank, rq->in->from->bare)
		    ? FAULT_NONE
		    : FAULT_FORBIDDEN;
	}
	if (!rq->p->set->auto_create || !may_create(rq->p, rq->in->from))
		return FAULT_ITEM_NOT_FOUND;
	if ((fault = node_may_be_made(rq)) != FAULT_NONE)
		return fault;
	pub->config = config_preset(rq->p);
	profile_preset(rq->name, NULL, &pub->config);
	return FAULT_NONE;
}

static enum fault
judge(struct publishing *pub)
{
	enum fault fault;

	if ((fault = judge_node(pub)) != FAULT_NONE || (fault = judge_options(pub)) != FAULT_NONE ||
	    (fault = judge_item(pub)) != FAULT_NONE)
		return fault;
	pub->id = pub->item == NULL ? NULL : annex_attr(pub->item, "id");
	pub->is_named = pub->id != NULL && pub->id[0] != '\0';
	if (pub->item != NULL && !pub->is_named)
		pub->id = item_new_id(pub->rq->p);
	return judge_place(pub);
}

/* --- Doing ------------------------------------------------------------------------------- */

static struct annex_strings
trim(struct publishing *pub)
{
	struct request *rq = pub->rq;
	uint64_t most = config_max_items(rq->p, &pub->config);

	return items_trim(rq->node, most, RETRACTED_MAX);
}

/* What had to go: with a word or without (§7.1.3.4). */
static void
tell_trimmed(struct publishing *pub, const struct annex_strings *ids)
{
	struct node *node = pub->rq->node;

	if (ids->count > 0 && node->config.notify_retract &&
	    strcmp(node->config.node_full, "retract-oldest") == 0)
		tell_retracted(node, ids);
}

void
tell_items(struct node *node, const Pubsub__Item *item, const struct annex_element *payload)
{
	struct annex_element *event, *items;
	struct annex_stanza *out;
	const char *id = item == NULL ? NULL : item->id;

	if (!is_heard(node))
		return;
	out = event_build(node, NULL, &event);
	items = annex_add(event, NULL, "items");
	annex_attr_set(items, "node", node->name);
	if (item != NULL)
		item_add_with(items, node, item, node->config.deliver_payloads ? payload : NULL);
	notify(node,
	    &(struct notice) { .event = EVENT_ITEMS,
		.message = out,
		.body = body_of(payload, out->pool),
		.ids = { &id, id != NULL && node->config.persist_items } });
}

static void
confirm(struct publishing *pub)
{
	struct annex_element *pubsub, *el;
	struct annex_stanza *out = answer(pub->rq, &pubsub);

	el = annex_add(pubsub, NULL, "publish");
	annex_attr_set(el, "node", pub->rq->name);
	if (pub->id != NULL)
		annex_attr_set(annex_add(el, NULL, "item"), "id", pub->id);
	annex_send(pub->rq->p->inst, out);
}

static void
item_fill(struct publishing *pub, Pubsub__Item *item)
{
	pubsub__item__init(item);
	item->id = (char *)(uintptr_t)pub->id;
	item->publisher = (char *)(uintptr_t)pub->rq->in->from->full;
	item->stamp_ms = annex_wall_ms(pub->rq->p->inst);
	item->xml = (char *)(uintptr_t)pub->xml;
}

enum annex_verdict
publish(struct request *rq)
{
	struct publishing pub = {
		.rq = rq, .item = annex_child(rq->el, NS_PUBSUB, "item"), .xml = ""
	};
	struct annex_strings gone = { 0 };
	const struct annex_element *attached = NULL;
	Pubsub__Item item;
	enum fault fault;
	int status = ANNEX_OK;
	bool made = rq->node == NULL;

	if (annex_is_congested(rq->p->inst) || (!made && !delivery_has_room(rq->node)))
		return refuse(rq, FAULT_FULL);
	if ((fault = judge(&pub)) != FAULT_NONE)
		return refuse_saying(rq, fault, pub.why);
	if (made)
		rq->node = rq->kept.role != ROLE_NONE
		    ? kept_make(&rq->kept, &status)
		    : node_make(rq->p, rq->name, &pub.config, rq->in->from->bare, &status);
	if (status < 0)
		return refuse_status(rq, status);
	if (rq->kept.role != ROLE_NONE)
		attached = attach_payload(rq->node, pub.old);
	item_fill(&pub, &item);
	if (pub.config.persist_items) {
		if ((status = item_put_over(rq->node, &item, pub.old, pub.place)) < 0)
			return refuse_status(rq, made ? must(rq->p, status) : status);
		gone = trim(&pub);
		if (config_item_expire(&pub.config) > 0)
			status = items_arrange(rq->node);
		if (status < 0 ||
		    (status = presence_note_publisher(rq->node, rq->in->from->bare)) < 0)
			return refuse_status(rq, must(rq->p, status));
	}
	if (pub.item != NULL && !pub.config.persist_items)
		item_keep(rq->node, &item);
	confirm(&pub);
	tell_items(rq->node, pub.item == NULL ? NULL : &item, pub.payload);
	annex_count(rq->p->published, 1);
	tell_trimmed(&pub, &gone);
	if (rq->kept.role != ROLE_NONE)
		must(rq->p, attach_follow(rq->node, attached, pub.payload));
	return ANNEX_DONE;
}

/* --- Retracting (§7.2) --------------------------------------------------------------------- */

void
tell_retracted(struct node *node, const struct annex_strings *ids)
{
	struct annex_element *event, *items;
	struct annex_stanza *out;

	if (!is_heard(node))
		return;
	out = event_build(node, NULL, &event);
	items = annex_add(event, NULL, "items");
	annex_attr_set(items, "node", node->name);
	for (size_t i = 0; i < ids->count; i++)
		annex_attr_set(annex_add(items, NULL, "retract"), "id", ids->value[i]);
	notify(node,
	    &(struct notice) {
		.event = EVENT_ITEMS, .message = out, .ids = *ids, .retracted = true });
}

struct retracting {
	const char *id[RETRACTED_MAX];
	const Pubsub__Item *item[RETRACTED_MAX];
	uint64_t number[RETRACTED_MAX];
	size_t count;
};

/* Named once more it is still one. */
static bool
is_named_before(const struct retracting *r, uint64_t number)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->number[i] == number)
			return true;
	return false;
}

/* §7.2.3.1: who may not publish is not told which items there are. */
static enum fault
judge_missing(const struct request *rq)
{
	return may_publish(&rq->node->config, rq->node, rq->rank, rq->in->from->bare)
	    ? FAULT_ITEM_NOT_FOUND
	    : FAULT_FORBIDDEN;
}

static enum fault
judge_retract(struct request *rq, struct retracting *r)
{
	const struct annex_element *item = annex_child(rq->el, NS_PUBSUB, "item");
	size_t named = 0;

	if (!rq->node->config.persist_items)
		return FAULT_UNSUPPORTED_PERSISTENT;
	if (item == NULL)
		return FAULT_ITEM_REQUIRED;
	for (; item != NULL; item = annex_child_after(item, NS_PUBSUB, "item")) {
		const char *id = annex_attr(item, "id");
		Pubsub__Item *found;
		uint64_t number;

		if (id == NULL || id[0] == '\0')
			return FAULT_ITEM_REQUIRED;
		if (++named > RETRACTED_MAX)
			return FAULT_MAX_ITEMS;
		found = item_get(rq->node, id, &number);
		if (found == NULL)
			return judge_missing(rq);
		if (!may_retract(rq, found))
			return FAULT_FORBIDDEN;
		if (is_named_before(r, number))
			continue;
		r->item[r->count] = found;
		r->number[r->count] = number;
		r->id[r->count++] = id;
	}
	return FAULT_NONE;
}

enum annex_verdict
retract(struct request *rq)
{
	struct retracting r = { .count = 0 };
	const char *notify = annex_attr(rq->el, "notify");
	enum fault fault = judge_retract(rq, &r);
	int status;

	if (fault != FAULT_NONE)
		return refuse(rq, fault);
	for (size_t i = 0; i < r.count; i++)
		if ((status = item_remove(rq->node, r.item[i], r.number[i])) < 0)
			return refuse_status(rq, i > 0 ? must(rq->p, status) : status);
	annex_confirm(rq->p->inst, rq->in);
	if (rq->node->config.notify_retract ||
	    (notify != NULL && (strcmp(notify, "1") == 0 || strcmp(notify, "true") == 0)))
		tell_retracted(rq->node, &(struct annex_strings) { r.id, r.count });
	for (size_t i = 0; rq->node->role != ROLE_NONE && i < r.count; i++)
		must(rq->p, attach_follow(rq->node, attach_payload(rq->node, r.item[i]), NULL));
	return ANNEX_DONE;
}
