/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * import_contents.c - what is in a node comes in from a file: who has it, who is subscribed, items
 *
 * Nobody is told: what comes in has been told where it comes from.
 */
#include <string.h>

#include "import.h"

#define TRIMMED_MAX 100

/* --- Who has it ---------------------------------------------------------------------------- */

static const struct annex_jid *
jid_of(struct import *imp, const struct annex_element *el)
{
	const char *text = annex_attr(el, "jid");
	const struct annex_jid *jid = text == NULL ? NULL : annex_jid(el->pool, text);

	if (jid == NULL)
		import_left(imp, el->name, "\"%s\" is no address", import_shown(text, el->pool));
	return jid;
}

void
import_affiliation(struct import *imp, const struct annex_element *el)
{
	const struct annex_jid *jid = jid_of(imp, el);
	struct node *node = import_node(imp);
	struct annex_key members;
	enum rank rank, before;

	if (jid == NULL || node == NULL)
		return;
	members = key_number(TABLE_MEMBERS, node->number);
	if (rank_read(annex_attr(el, "affiliation"), &rank) < 0) {
		import_left(imp, "affiliation", "%s: there is none of that name", jid->bare);
		return;
	}
	before = rank_of(node, jid->bare);
	if (rank == before || strcmp(jid->bare, imp->owner->bare) == 0)
		imp->same += rank != RANK_NONE;
	else if (before == RANK_NONE &&
	    rows_reach(imp->p, &members, (uint64_t)imp->p->set->max_affiliations))
		import_left(imp, "affiliation", "%s: the node has as many as it may", jid->bare);
	else
		imp->affiliations += import_wrote(imp, affiliation_put(node, jid->bare, rank));
}

/* Prosody 0.12 writes the state as an attribute "subscribed". */
static const char *
state_of_theirs(const struct annex_element *el)
{
	const char *state = annex_attr(el, "subscription");

	return state != NULL ? state : annex_attr(el, "subscribed");
}

static void
options_of(struct import *imp, const struct annex_element *el, struct sub *sub)
{
	const struct annex_element *options = annex_child(el, NULL, "options");
	const struct annex_element *x =
	    options == NULL ? NULL : annex_child(options, ANNEX_NS_FORM, "x");
	const char *why = NULL;

	if (x != NULL && options_read(imp->p, x, &sub->options, el->pool, &why) != FAULT_NONE)
		import_left(imp, "options", "of %s: %s", sub->jid, why);
}

void
import_subscription(struct import *imp, const struct annex_element *el)
{
	const struct annex_jid *jid = jid_of(imp, el);
	struct node *node = import_node(imp);
	enum state state;
	struct sub sub;

	if (jid == NULL || node == NULL)
		return;
	if (state_read(state_of_theirs(el), &state) < 0) {
		import_left(imp, "subscription", "of %s: there is no such state", jid->full);
		return;
	}
	if (subs_of_jid(node, jid, &sub, 1) > 0) {
		imp->same++;
		return;
	}
	if (state == STATE_NONE)
		return;
	if (sub_has_room(node, jid, state == STATE_PENDING) != FAULT_NONE) {
		import_left(
		    imp, "subscription", "of %s: there are as many as there may be", jid->full);
		return;
	}
	sub = sub_make(node, jid, state);
	options_of(imp, el, &sub);
	imp->subscriptions += import_wrote(imp, sub_put(&sub));
}

/* --- What is in it --------------------------------------------------------------------------- */

/* The payload as it is kept; NULL where it cannot be, and that is noted. */
static const char *
payload_of(struct import *imp, const struct node *node, const struct annex_element *el)
{
	const struct annex_element *payload = annex_child(el, NULL, NULL);
	const char *xml = "";
	size_t size = 0;

	if (payload != NULL && annex_child_after(payload, NULL, NULL) != NULL) {
		import_left(imp, "item", "%s: it has several payloads", annex_attr(el, "id"));
		return NULL;
	}
	if (payload != NULL)
		xml = annex_element_write(payload, el->pool, &size);
	if (xml == NULL || size > (size_t)config_max_payload(imp->p, &node->config)) {
		import_left(imp, "item", "%s: its payload is too large", annex_attr(el, "id"));
		return NULL;
	}
	return xml;
}

static bool
item_may_come(struct import *imp, struct node *node, const char *id)
{
	if (id == NULL || id[0] == '\0')
		import_left(imp, "item", "it has no id");
	else if (strlen(id) > (size_t)imp->p->set->max_id_bytes)
		import_left(imp, "item", "its id is longer than %lld bytes",
		    (long long)imp->p->set->max_id_bytes);
	else if (!node->config.persist_items)
		import_left(imp, "item", "%s: the node keeps none", id);
	else
		return true;
	return false;
}

/* The oldest go, as they are the first in the file. */
static void
item_store(struct import *imp, struct node *node, Pubsub__Item *item)
{
	struct annex_strings gone;

	if (!quota_allows(imp->p, node->creator, 0, item_bytes(item))) {
		import_left(
		    imp, "item", "%s: their nodes take as many bytes as they may", item->id);
		return;
	}
	if (!import_wrote(imp, item_put(node, item)))
		return;
	imp->items++;
	gone = items_trim(node, config_max_items(imp->p, &node->config), TRIMMED_MAX);
	for (size_t i = 0; i < gone.count; i++)
		import_left(imp, "item", "%s: there are more than the node keeps", gone.value[i]);
	imp->items -= gone.count < imp->items ? gone.count : imp->items;
	if (config_item_expire(&node->config) > 0)
		import_wrote(imp, must(imp->p, items_arrange(node)));
}

void
import_item(struct import *imp, const struct annex_element *el)
{
	struct node *node = import_node(imp);
	const char *id = annex_attr(el, "id"), *by = annex_attr(el, "publisher"), *xml;
	const struct annex_jid *publisher = by == NULL ? NULL : annex_jid(el->pool, by);
	Pubsub__Item item = PUBSUB__ITEM__INIT;

	if (node == NULL || !item_may_come(imp, node, id) ||
	    (xml = payload_of(imp, node, el)) == NULL)
		return;
	if (!imp->replace && item_get(node, id, NULL) != NULL) {
		imp->same++;
		return;
	}
	item.id = (char *)(uintptr_t)id;
	item.publisher = (char *)(uintptr_t)(publisher == NULL ? imp->owner : publisher)->full;
	item.stamp_ms = annex_wall_ms(imp->p->inst);
	item.xml = (char *)(uintptr_t)xml;
	item_store(imp, node, &item);
}
