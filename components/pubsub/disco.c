/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco.c - what the service and its nodes say of themselves (XEP-0060 §5.1
 * to §5.5, and the features of §10)
 *
 * Nodes are listed in the order they were made, with their total.
 */
#include <string.h>

#include <annex/disco.h>

#include "pubsub.h"

static const struct annex_identity identities[] = {
	{ "pubsub", "service", "Publish and subscribe" },
	{ 0 },
};

static const char *const features[] = {
	NS_PUBSUB,
	NS_PUBSUB "#create-and-configure",
	NS_PUBSUB "#create-nodes",
	NS_PUBSUB "#instant-nodes",
	NS_PUBSUB "#item-ids",
	NS_PUBSUB "#persistent-items",
	NS_PUBSUB "#publish",
	NS_PUBSUB "#publish-options",
	NS_PUBSUB "#retrieve-items",
	NS_PUBSUB "#subscribe",
	ANNEX_NS_RSM,
	NULL,
};

static int
node_info(struct node *node, struct annex_disco_info *info)
{
	annex_disco_identity(info, "pubsub", "leaf", node->config.title);
	annex_disco_feature(info, NS_PUBSUB);
	return ANNEX_OK;
}

static int
info(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info_r, struct annex_error *error_r)
{
	struct pubsub *p = annex_state(inst);
	struct node *found;

	(void)error_r;
	if (in->to->local != NULL || node == NULL)
		return ANNEX_ENOENT;
	found = node_find(p, node);
	return found == NULL || found->gone ? ANNEX_ENOENT : node_info(found, info_r);
}

/* --- Nodes as items of the service -------------------------------------------------- */

static int
walk_on(struct pubsub *p, struct annex_iter *it, annex_take_fn *take, void *taker)
{
	struct annex_pool *pool = annex_scratch(p->inst);
	int r;

	while ((r = annex_next(p->store, it)) == ANNEX_AGAIN) {
		const Pubsub__Listed *record = (Pubsub__Listed *)it->record;
		struct annex_disco_item *item = annex_new(pool, struct annex_disco_item);

		item->jid = annex_domain(p->inst);
		item->node = record->name;
		item->name = record->title[0] == '\0' ? NULL : record->title;
		if (!take(taker, item->node, item))
			return ANNEX_OK;
	}
	return r < 0 ? r : ANNEX_OK;
}

/* The row of a NodeID; 0 where it is not listed. */
static uint64_t
listed_number(struct pubsub *p, const char *name)
{
	struct node *node = node_find(p, name);

	return node == NULL || !node_is_listed(node) ? 0 : node->number;
}

static int
listed_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	struct pubsub *p = cookie;
	struct annex_key prefix = key_of(TABLE_LISTED), key;
	struct annex_iter it = backwards ? annex_iter_backwards(&prefix) : annex_iter(&prefix);
	uint64_t number;

	if (from != NULL) {
		if ((number = listed_number(p, from)) == 0)
			return ANNEX_ENOENT;
		key = key_number(TABLE_LISTED, backwards ? number - 1 : number + 1);
		it = annex_iter_from(&prefix, &key);
		it.backwards = backwards;
	}
	return walk_on(p, &it, take, taker);
}

static int
listed_seek(void *cookie, uint64_t index, annex_take_fn *take, void *taker)
{
	struct pubsub *p = cookie;
	struct annex_key prefix = key_of(TABLE_LISTED);
	struct annex_iter it;
	int r = annex_seek(p->store, &prefix, index, &it);

	return r < 0 ? r : walk_on(p, &it, take, taker);
}

static int
listed_count(void *cookie, uint64_t *count_r)
{
	struct pubsub *p = cookie;
	struct annex_key prefix = key_of(TABLE_LISTED);

	return annex_rows(p->store, &prefix, count_r);
}

static int
listed_index(void *cookie, const char *id, uint64_t *index_r)
{
	struct pubsub *p = cookie;
	struct annex_key key = key_number(TABLE_LISTED, listed_number(p, id));

	return annex_row_index(p->store, &key, index_r);
}

static int
items(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error_r)
{
	struct pubsub *p = annex_state(inst);

	(void)error_r;
	if (in->to->local != NULL || (node != NULL && node[0] != '\0'))
		return ANNEX_ENOENT;
	*source_r = (struct annex_source) { .cookie = p,
		.walk = listed_walk,
		.seek = listed_seek,
		.count = listed_count,
		.index_of = listed_index };
	return ANNEX_OK;
}

const struct annex_disco pubsub_disco = {
	.identities = identities,
	.features = features,
	.info = info,
	.items = items,
};
