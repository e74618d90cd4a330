/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * item.h - what is published, and the words of it
 */
#ifndef PUBSUB_ITEM_H
#define PUBSUB_ITEM_H

#include <annex/element.h>

#include "node.h"
#include "pubsub.pb-c.h"

Pubsub__Item *item_on_shelf(struct pubsub *p, uint64_t shelf, const char *id, uint64_t *number_r);
Pubsub__Item *item_get(const struct node *node, const char *id, uint64_t *number_r);
/* The newest, or NULL. */
Pubsub__Item *item_last(const struct node *node, uint64_t *number_r);
/* The same of a node whose items are not stored: its last one is kept in memory, while there is room. */
void item_keep(struct node *node, const Pubsub__Item *item);
void item_forget(struct node *node);
const Pubsub__Item *item_kept(const struct node *node);
/* Write it as the newest; one of that id goes. */
int item_put(struct node *node, Pubsub__Item *item) ANNEX_MUST_CHECK;
/* The same where it is known which one goes, and its place; NULL and 0: none. */
int item_put_over(struct node *node, Pubsub__Item *item, const Pubsub__Item *old,
    uint64_t before) ANNEX_MUST_CHECK;
int item_remove(struct node *node, const Pubsub__Item *item, uint64_t number) ANNEX_MUST_CHECK;
uint64_t items_count(const struct node *node);
/* Bytes of one, and of all of a node. */
uint64_t item_bytes(const Pubsub__Item *item);
uint64_t item_weigh(const ProtobufCMessage *record); /* the same, for the store */
uint64_t items_bytes(const struct node *node);
/* quota.c: whether those of all nodes of who made one may change so; and that they did. */
void quota_init(struct pubsub *p);
bool quota_allows(struct pubsub *p, const char *owner, uint64_t before, uint64_t after);
void quota_note(const struct node *node, uint64_t before, uint64_t after);
/* One that sorts by the time it was made. */
const char *item_new_id(struct pubsub *p);
/* Remove the oldest above keep items, and above max-node-bytes; at most most of them; their ids, in
 * scratch. */
struct annex_strings items_trim(struct node *node, uint64_t keep, size_t most);
/* In scratch; NULL where it has none. */
const struct annex_element *item_payload(struct pubsub *p, const Pubsub__Item *item);
/* Append <item/> as it is shown: with its payload where payload is true; item_add_with: with this one, or
 * none where it is NULL. */
struct annex_element *item_add(
    struct annex_element *parent, const struct node *node, const Pubsub__Item *item, bool payload);
struct annex_element *item_add_with(struct annex_element *parent, const struct node *node,
    const Pubsub__Item *item, const struct annex_element *payload);

/* Set the alarm by which the oldest item of a node goes, or none. */
int items_arrange(struct node *node) ANNEX_MUST_CHECK;

/* --- words.c, fulltext.c ---------------------------------------------------- */

/* Each once, folded; in pool. */
struct annex_strings words_of_text(const char *text, struct annex_pool *pool);
struct annex_strings words_of_item(const Pubsub__Item *item, struct annex_pool *pool);
/* An item came, and what was at the place gone (or 0) went: the index will follow. */
int fulltext_follow(struct node *node, uint64_t gone) ANNEX_MUST_CHECK;
/* The index is made, or goes, as the configuration wants it. */
int fulltext_start(struct node *node) ANNEX_MUST_CHECK;

#endif /* PUBSUB_ITEM_H */
