/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * event.h - what subscribers are told
 */
#ifndef PUBSUB_EVENT_H
#define PUBSUB_EVENT_H

#include <annex/stanza.h>

#include "item.h"
#include "subscription.h"

enum event {
	EVENT_ITEMS,  /* published or retracted: who wants items */
	EVENT_NODE,   /* configured, purged: who is subscribed */
	EVENT_DELETE, /* whoever had anything to do with it */
};

/* A message with <event/> in it; to NULL where it is for many. */
struct annex_stanza *
event_build(const struct node *node, const char *to, struct annex_element **event_r);
/*
 * To all that are concerned, in the flow of the node; in turns of its own where they are many.
 * body (or NULL) is for those who asked for bodies; ids are the items it is about, for digests.
 */
struct notice {
	enum event event;
	struct annex_stanza *message;
	const char *body;
	struct annex_strings ids;
	bool retracted;
};
void notify(struct node *node, const struct notice *notice);
/* Whether an event goes to anybody; where it does not it need not be built. */
bool is_heard(struct node *node);
/* An item (or NULL) was published; payload is that of item, for bodies. */
void tell_items(struct node *node, const Pubsub__Item *item, const struct annex_element *payload);
void tell_retracted(struct node *node, const struct annex_strings *ids);
/* The text of a payload for people, or NULL (Atom: title and summary). */
const char *body_of(const struct annex_element *payload, struct annex_pool *pool);
/* Which subscription an event is for, where it has a SubID: a header, and all there are of a message to one. */
void subid_add(struct annex_element *headers, const struct sub *sub);
void headers_add(struct annex_element *message, const struct sub *sub);
/* One subscriber (or owner) is told what a subscription is now. */
void tell_subscription(const struct sub *sub, const char *to);
/* Somebody is told what they may do now, where such is told at all. */
void tell_affiliation(const struct node *node, const char *bare, enum rank rank);
/* Owners that want to know (notify_sub). */
void tell_owners_of(const struct sub *sub);
void send_last(const struct sub *sub);

/* --- fan.c --------------------------------------------------------------- */

/* An event on its way to the subscriptions of a node. */
struct delivery {
	uint64_t node, next, last; /* the numbers of subscriptions still to come */
	enum event event;
	const struct annex_element *message;
	const char *body;
	struct annex_strings ids;
	bool retracted, to_online;
	bool is_kept; /* in the store: it is said again after a loss of the link */
};

/* Tell the next subscribers-per-turn of them; whether that was all.  node: where it is at hand, or
 * NULL. */
bool tell_some(struct pubsub *p, struct node *node, struct delivery *d);
/* Tell the audience of a node, which it has. */
void tell_audience(struct node *node, const struct delivery *d);
/* Who is subscribed changes. */
void audience_forget(struct node *node);

/* --- delivery.c ---------------------------------------------------------- */

void deliveries_init(struct pubsub *p);
void delivery_link_up(struct pubsub *p);
void delivery_link_down(struct pubsub *p);
/* Whether somebody is still to be told of something of the node. */
bool delivery_goes_on(const struct pubsub *p, uint64_t node);
/* Whether an event of the node is for more than one turn tells, or behind one that was. */
bool delivery_is_due(const struct node *node);
/* Whether there is room for another event of the node. */
bool delivery_has_room(const struct node *node);
int delivery_add(struct pubsub *p, const struct delivery *d) ANNEX_MUST_CHECK;
/* Once all has been told, the remains of a deleted node are taken away. */
int delivery_add_end(const struct node *node) ANNEX_MUST_CHECK;

#endif /* PUBSUB_EVENT_H */
