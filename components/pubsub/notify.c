/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * notify.c - telling subscribers (XEP-0060 §7.1.2, §12.2 and what refers there)
 *
 * All that a node says to its subscribers is one flow, in the order of its
 * commits.  Where they are few an event goes to all of them in its own turn (fan.c).  Where
 * they are many it is kept in the store instead, and goes to a run of them at a time
 * in turns of its own (delivery.c), so that neither the answer to who published nor other
 * nodes wait; while that goes on, later events of the node queue behind it.
 */
#include <string.h>

#include "pubsub.h"

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

bool
is_heard(struct node *node)
{
	if (!node->config.deliver_notifications)
		return false;
	if (node->audience == NULL && !node->is_deserted)
		node->is_deserted = subs_last(node) == 0;
	return !node->is_deserted;
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
		.last = UINT64_MAX };
	bool due;

	if (!node->config.deliver_notifications)
		return;
	if (notice->event == EVENT_ITEMS)
		roster_refresh(node);
	due = delivery_is_due(node);
	if ((due || node->audience == NULL) && (d.last = subs_last(node)) == 0)
		return;
	if (due)
		must(p, delivery_add(p, &d));
	else if (node->audience != NULL && d.event != EVENT_DELETE && !d.to_online)
		tell_audience(node, &d);
	else
		tell_some(p, node->audience == NULL ? node : NULL, &d);
}

/* --- A text to read (§12.8: Atom) -------------------------------------------------------- */

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

/* --- Which subscription (§12.16) --------------------------------------------------------- */

void
subid_add(struct annex_element *headers, const struct sub *sub)
{
	struct annex_element *header = annex_add_text(headers, NULL, "header", sub->subid);

	annex_attr_set(header, "name", "SubID");
}

void
headers_add(struct annex_element *message, const struct sub *sub)
{
	if (sub->subid[0] != '\0')
		subid_add(annex_add(message, NS_SHIM, "headers"), sub);
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

/* §8.9.4; its example has a slip of the pen in the name of the element. */
void
tell_affiliation(const struct node *node, const char *bare, enum rank rank)
{
	struct annex_element *list, *el;
	struct annex_stanza *out;

	if (!node->p->set->notify_affiliation)
		return;
	out = annex_message(node->p->inst, NULL, bare, NULL);
	list = annex_add(annex_add(out->element, NS_PUBSUB, "pubsub"), NULL, "affiliations");
	annex_attr_set(list, "node", node->name);
	el = annex_add(list, NULL, "affiliation");
	annex_attr_set(el, "jid", bare);
	annex_attr_set(el, "affiliation", rank_name(rank));
	annex_send(node->p->inst, out);
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
	const struct annex_element *payload;
	struct annex_stanza *out;
	const Pubsub__Item *item;

	if (!sub_wants_items(sub) || !node->config.deliver_notifications ||
	    strcmp(node->config.send_last, "never") == 0)
		return;
	item = node->config.persist_items ? item_last(node, NULL) : item_kept(node);
	if (item == NULL)
		return;
	payload = item_payload(node->p, item);
	out = event_build(node, sub->jid, &event);
	items = annex_add(event, NULL, "items");
	annex_attr_set(items, "node", node->name);
	item_add_with(items, node, item, node->config.deliver_payloads ? payload : NULL);
	if (sub->options.include_body && body_of(payload, out->pool) != NULL)
		annex_add_text(out->element, NULL, "body", body_of(payload, out->pool));
	annex_delay_add(out->element, NULL, item->stamp_ms, NULL);
	headers_add(out->element, sub);
	annex_send(node->p->inst, out);
}
