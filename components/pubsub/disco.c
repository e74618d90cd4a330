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
#include <annex/mam.h>

#include "pubsub.h"

#define OWNERS_SHOWN 50
#define PUBLISHERS_SHOWN 50

static const struct annex_identity identities[] = {
	{ "pubsub", "service", "Publish and subscribe" },
	{ 0 },
};

static const char *const features[] = {
	NS_PUBSUB,
	NS_PUBSUB "#config-node",
	NS_PUBSUB "#config-node-max",
	NS_PUBSUB "#create-and-configure",
	NS_PUBSUB "#create-nodes",
	NS_PUBSUB "#delete-items",
	NS_PUBSUB "#delete-nodes",
	NS_PUBSUB "#get-pending",
	NS_PUBSUB "#instant-nodes",
	NS_PUBSUB "#item-ids",
	NS_PUBSUB "#leased-subscription",
	NS_PUBSUB "#manage-subscriptions",
	NS_PUBSUB "#member-affiliation",
	NS_PUBSUB "#meta-data",
	NS_PUBSUB "#modify-affiliations",
	NS_PUBSUB "#multi-items",
	NS_PUBSUB "#outcast-affiliation",
	NS_PUBSUB "#persistent-items",
	NS_PUBSUB "#presence-notifications",
	NS_PUBSUB "#publish",
	NS_PUBSUB "#publish-node-full",
	NS_PUBSUB "#publish-only-affiliation",
	NS_PUBSUB "#publish-options",
	NS_PUBSUB "#publisher-affiliation",
	NS_PUBSUB "#purge-nodes",
	NS_PUBSUB "#retract-items",
	NS_PUBSUB "#retrieve-affiliations",
	NS_PUBSUB "#retrieve-default",
	NS_PUBSUB "#retrieve-default-sub",
	NS_PUBSUB "#retrieve-items",
	NS_PUBSUB "#retrieve-subscriptions",
	NS_PUBSUB "#rsm",
	NS_PUBSUB "#subscribe",
	NS_PUBSUB "#subscription-notifications",
	NS_PUBSUB "#subscription-options",
	ANNEX_NS_RSM,
	"urn:xmpp:microblog:0",
	"urn:xmpp:pubsub-social-feed:1",
	"urn:xmpp:pubsub-social-feed:gallery:1",
	NS_ATTACHMENTS,
	NS_FILTER,
	NS_ORDER,
	NS_ORDER "@" NS_PUBSUB,
	NS_ORDER "@" ANNEX_NS_MAM,
	ANNEX_NS_MAM,
	ANNEX_NS_MAM_EXTENDED,
	ANNEX_NS_FULLTEXT,
	NS_PUBLIC,
	NULL,
};

/* --- pubsub#meta-data (§5.4) ------------------------------------------------------------ */

struct meta_data {
	const char *title, *description, *type, *language, *access_model, *publish_model, *creator,
	    *creation_date, *max_items;
	struct annex_strings contact, owner, publisher;
	int64_t num_subscribers;
};

#define META(member, var, type, label) \
	ANNEX_FIELD(struct meta_data, member, "pubsub#" var, type, label, )

static const struct annex_field meta_fields[] = {
	META(title, "title", ANNEX_TEXT_SINGLE, "Title"),
	META(description, "description", ANNEX_TEXT_SINGLE, "Description"),
	META(type, "type", ANNEX_TEXT_SINGLE, "Namespace of payloads"),
	META(language, "language", ANNEX_LIST_SINGLE, "Language"),
	META(contact, "contact", ANNEX_JID_MULTI, "People to contact"),
	META(creator, "creator", ANNEX_JID_SINGLE, "Creator"),
	META(creation_date, "creation_date", ANNEX_TEXT_SINGLE, "Created"),
	META(owner, "owner", ANNEX_JID_MULTI, "Owners"),
	META(publisher, "publisher", ANNEX_JID_MULTI, "Publishers"),
	META(access_model, "access_model", ANNEX_LIST_SINGLE, "Who may subscribe and read"),
	META(publish_model, "publish_model", ANNEX_LIST_SINGLE, "Who may publish"),
	META(max_items, "max_items", ANNEX_TEXT_SINGLE, "Items that are kept at most"),
	META(num_subscribers, "num_subscribers", ANNEX_TEXT_SINGLE, "Subscribers"),
	{ 0 },
};

static const struct annex_form meta_form = { .type = NS_META_DATA, .fields = meta_fields };

static int
node_info(struct node *node, struct annex_disco_info *info)
{
	struct annex_pool *pool = annex_scratch(node->p->inst);
	const struct node_config *c = &node->config;
	const char **jids = annex_new_array(pool, const char *, OWNERS_SHOWN + PUBLISHERS_SHOWN);
	struct meta_data m = { .title = c->title,
		.description = c->description,
		.type = c->type,
		.language = c->language,
		.access_model = c->access_model,
		.publish_model = c->publish_model,
		.creator = node->creator,
		.creation_date = annex_datetime(pool, node->created_ms),
		.max_items = c->max_items,
		.contact = c->contact,
		.num_subscribers = (int64_t)subs_approved(node) };

	if (node->p->set->list_owners)
		m.owner = (struct annex_strings) { jids, owners(node, jids, OWNERS_SHOWN) };
	jids += OWNERS_SHOWN;
	if (node->p->set->list_publishers)
		m.publisher =
		    (struct annex_strings) { jids, publishers(node, jids, PUBLISHERS_SHOWN) };
	annex_disco_identity(info, "pubsub", "leaf", c->title);
	annex_disco_feature(info, NS_PUBSUB);
	if (c->persist_items) {
		annex_disco_feature(info, ANNEX_NS_MAM);
		annex_disco_feature(info, ANNEX_NS_MAM_EXTENDED);
	}
	if (c->fulltext)
		annex_disco_feature(info, ANNEX_NS_FULLTEXT);
	annex_form_add(annex_disco_query(info), &meta_form, "result", &m);
	return ANNEX_OK;
}

/* What the options of the service decide: §4.5 and §6.1.7 have a default each. */
static int
service_info(const struct pubsub *p, struct annex_disco_info *info)
{
	annex_disco_feature(info,
	    annex_sprintf(annex_scratch(p->inst), NS_PUBSUB "#access-%s", p->set->access_model));
	if (p->set->auto_create)
		annex_disco_feature(info, NS_PUBSUB "#auto-create");
	if (strcmp(p->set->send_last, "on_sub_and_presence") == 0)
		annex_disco_feature(info, NS_PUBSUB "#last-published");
	if (p->set->multi_subscribe) {
		annex_disco_feature(info, NS_PUBSUB "#multi-subscribe");
		annex_disco_feature(info, NS_SHIM);
	}
	return ANNEX_OK;
}

/* XEP-0131 §3: which headers there are. */
static int
headers_info(const struct pubsub *p, struct annex_disco_info *info)
{
	if (!p->set->multi_subscribe)
		return ANNEX_ENOENT;
	annex_disco_identity(info, "pubsub", "service", NULL); /* XEP-0030 §3.1: at least one */
	annex_disco_feature(info, NS_SHIM "#SubID");
	return ANNEX_OK;
}

static int
info(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info_r, struct annex_error *error_r)
{
	struct pubsub *p = annex_state(inst);
	struct node *found;

	(void)error_r;
	if (in->to->local != NULL)
		return ANNEX_ENOENT;
	if (node == NULL)
		return service_info(p, info_r);
	found = node_find(p, node);
	if (found != NULL && !found->gone)
		return node_info(found, info_r);
	return strcmp(node, NS_SHIM) == 0 ? headers_info(p, info_r) : ANNEX_ENOENT;
}

/* --- Nodes as items of the service -------------------------------------------------- */

bool
listed_take(struct pubsub *p, const Pubsub__Listed *record, annex_take_fn *take, void *taker)
{
	struct annex_disco_item *item = annex_new(annex_scratch(p->inst), struct annex_disco_item);

	item->jid = annex_domain(p->inst);
	item->node = record->name;
	item->name = record->title[0] == '\0' ? NULL : record->title;
	return take(taker, item->node, item);
}

static int
walk_on(struct pubsub *p, struct annex_iter *it, annex_take_fn *take, void *taker)
{
	int r;

	while ((r = annex_next(p->store, it)) == ANNEX_AGAIN)
		if (!listed_take(p, (Pubsub__Listed *)it->record, take, taker))
			return ANNEX_OK;
	return r < 0 ? r : ANNEX_OK;
}

uint64_t
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

/* §5.5: items of a node by name, for those who may read them. */
static int
node_items(struct pubsub *p, const struct annex_stanza *in, const char *name,
    struct annex_source *source_r, struct annex_error *error_r)
{
	struct request rq = { .p = p, .in = in, .node = node_find(p, name) };
	struct rows *rows = annex_new(annex_scratch(p->inst), struct rows);
	enum fault fault;

	if (rq.node == NULL || rq.node->gone)
		return ANNEX_ENOENT;
	rq.rank = rank_of_jid(rq.node, in->from);
	fault = may_retrieve(&rq);
	if (roster_is_wanted(&rq)) {
		/* Discovery does not wait: it is there when they ask again. */
		roster_refresh(rq.node);
		fault = FAULT_FULL;
	}
	if (fault != FAULT_NONE) {
		*error_r = fault_error(fault);
		return ANNEX_EDENIED;
	}
	if (rows_of_items(rows, rq.node, NULL) != FAULT_NONE)
		return ANNEX_ENOENT;
	rows->for_disco = true;
	*source_r = rows_source(rows);
	return ANNEX_OK;
}

static int
items(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error_r)
{
	struct pubsub *p = annex_state(inst);
	const struct annex_element *filter;

	if (in->to->local != NULL)
		return ANNEX_ENOENT;
	if (node != NULL && node[0] != '\0')
		return node_items(p, in, node, source_r, error_r);
	if ((filter = annex_child(in->payload, NS_FILTER, "filter")) != NULL) {
		*error_r = fault_error(FAULT_BAD_REQUEST);
		return filter_source(p, filter, source_r) < 0 ? ANNEX_EDENIED : ANNEX_OK;
	}
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
