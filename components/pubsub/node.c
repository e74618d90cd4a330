/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * node.c - nodes: a cache of what the store says about them
 *
 * Start-up loads none.  A node is loaded when it is asked for; the one used
 * longest ago goes when there are too many.  Whether there are ten nodes or a
 * million makes no difference to memory.
 */
#include <string.h>

#include "pubsub.h"

#define NODES_MAX 4000
#define GARBAGE_MAX ((size_t)16 << 10)

static struct node *
node_alloc(struct pubsub *p, const char *name)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(p->inst), "node");
	struct node *node = annex_new(pool, struct node);

	node->magic = NODE_MAGIC;
	node->p = p;
	node->pool = pool;
	node->name = annex_strdup(pool, name);
	node->config = config_baseline;
	node->redirect = "";
	annex_map_set_str(p->nodes, name, node);
	annex_list_prepend(&p->recent, &node->by_use);
	return node;
}

void
node_forget(struct node *node)
{
	struct annex_pool *pool = node->pool;

	audience_forget(node);
	item_forget(node);
	annex_map_remove_str(node->p->nodes, node->name);
	annex_list_remove(&node->by_use);
	node->magic = 0;
	annex_pool_destroy(&pool);
}

static void
node_read(struct node *node, const Pubsub__Node *record)
{
	struct annex_pool *pool = node->pool;

	settings_unpack(config_fields, &node->config, record->setting, record->n_setting, pool);
	node->number = record->number;
	node->shelf = record->shelf;
	node->creator = annex_strdup(pool, record->creator);
	node->created_ms = record->created_ms;
	node->gone = record->gone;
	node->redirect = annex_strdup(pool, record->redirect);
	node->gone_ms = record->gone_ms;
	node->role = (enum role)record->role;
	node->target = record->target;
	node->attached = record->attached;
	node->order = (enum order)record->order;
	if (node->role != ROLE_NONE)
		kept_loaded(node);
}

static struct node *
node_load(struct pubsub *p, const char *name)
{
	struct annex_key key = key_text(TABLE_NODES, name);
	ProtobufCMessage *record;
	struct node *node;

	if (annex_get(p->store, &key, &record) < 0)
		return NULL;
	if (annex_map_count(p->nodes) >= NODES_MAX)
		node_forget(annex_container_of(p->recent.prev, struct node, by_use));
	node = node_alloc(p, name);
	node_read(node, (const Pubsub__Node *)record);
	return node;
}

struct node *
node_find(struct pubsub *p, const char *name)
{
	struct node *node = annex_map_get_str(p->nodes, name);

	if (node == NULL && (node = node_load(p, name)) == NULL)
		return NULL;
	annex_list_remove(&node->by_use);
	annex_list_prepend(&p->recent, &node->by_use);
	return node;
}

const char *
node_name_of(struct pubsub *p, uint64_t number)
{
	struct annex_key key = key_number(TABLE_NUMBERS, number);
	ProtobufCMessage *record;

	return annex_get(p->store, &key, &record) == ANNEX_OK ? ((Pubsub__Number *)record)->name
							      : NULL;
}

struct node *
node_by_number(struct pubsub *p, uint64_t number)
{
	const char *name = node_name_of(p, number);
	struct node *node = name == NULL ? NULL : node_find(p, name);

	return node == NULL || node->gone || node->number != number ? NULL : node;
}

bool
node_is_listed(const struct node *node)
{
	const char *model = node->config.access_model;

	return !node->gone && node->role == ROLE_NONE && strcmp(model, "whitelist") != 0 &&
	    strcmp(model, "roster") != 0;
}

static char *
text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct annex_key
type_key(const struct node *node, const char *type)
{
	struct annex_key key = key_text(TABLE_TYPES, type);

	return *annex_key_u64(&key, node->number);
}

/* Among all that are listed, and among those of its type. */
static int
listed_put(const struct node *node)
{
	struct annex_store *store = node->p->store;
	struct annex_key key = key_number(TABLE_LISTED, node->number);
	struct annex_key of_type = type_key(node, node->config.type);
	Pubsub__Listed record = PUBSUB__LISTED__INIT;
	int r;

	if (!node_is_listed(node)) {
		annex_delete(store, &key);
		annex_delete(store, &of_type);
		return ANNEX_OK;
	}
	record.name = text(node->name);
	record.title = text(node->config.title);
	if ((r = annex_put(store, &key, &record.base)) < 0)
		return r;
	return annex_put(store, &of_type, &record.base);
}

static void
node_pack(const struct node *node, const struct node_config *config, Pubsub__Node *record)
{
	struct annex_pool *pool = annex_scratch(node->p->inst);

	record->name = text(node->name);
	record->number = node->number;
	record->shelf = node->shelf;
	record->setting =
	    settings_pack(config_fields, config, &config_baseline, &record->n_setting, pool);
	record->creator = text(node->creator);
	record->created_ms = node->created_ms;
	record->gone = node->gone;
	record->redirect = text(node->redirect);
	record->gone_ms = node->gone_ms;
	record->role = node->role;
	record->target = node->target;
	record->attached = node->attached;
	record->order = node->order;
}

int
node_put(struct node *node)
{
	struct annex_key key = key_text(TABLE_NODES, node->name);
	Pubsub__Node record = PUBSUB__NODE__INIT;
	int r;

	node_pack(node, &node->config, &record);
	if ((r = annex_put(node->p->store, &key, &record.base)) < 0)
		return r;
	return must(node->p, listed_put(node));
}

int
node_configure(struct node *node, const struct node_config *config)
{
	struct annex_key key = key_text(TABLE_NODES, node->name);
	Pubsub__Node record = PUBSUB__NODE__INIT;
	int r;

	node_pack(node, config, &record);
	if ((r = annex_put(node->p->store, &key, &record.base)) < 0)
		return r;
	key = type_key(node, node->config.type);
	annex_delete(node->p->store, &key);
	node->config = config_baseline;
	settings_unpack(config_fields, &node->config, record.setting, record.n_setting, node->pool);
	node->garbage += pubsub__node__get_packed_size(&record);
	return must(node->p, listed_put(node));
}

void
node_tidy(struct node **node)
{
	if ((*node)->garbage > GARBAGE_MAX)
		node_forget(*node);
	*node = NULL;
}

struct annex_key
made_key(const struct node *node)
{
	struct annex_key key = key_text(TABLE_MADE, node->creator);

	return *annex_key_u64(&key, node->number);
}

struct annex_key
tombstone_key(const struct node *node)
{
	struct annex_key key = key_text(TABLE_TOMBSTONES, node->creator);

	annex_key_u64(&key, (uint64_t)node->gone_ms);
	return *annex_key_u64(&key, node->number);
}

/* Who has it: an owner, or the node it is kept for. */
static int
owner_put(struct node *node, const char *owner)
{
	struct annex_key key = key_numbers(TABLE_KEPT, node->target, node->number);
	struct annex_key made = made_key(node);
	Pubsub__Number record = PUBSUB__NUMBER__INIT;
	Pubsub__Posting posting = PUBSUB__POSTING__INIT;
	int r;

	if (node->role == ROLE_NONE)
		return (r = annex_put(node->p->store, &made, &posting.base)) < 0
		    ? r
		    : affiliation_put(node, owner, RANK_OWNER);
	record.name = text(node->name);
	return annex_put(node->p->store, &key, &record.base);
}

static int
node_write(struct node *node, const struct node_config *config, const char *owner)
{
	struct pubsub *p = node->p;
	struct annex_key key = key_of(TABLE_NUMBERS);
	Pubsub__Number number = PUBSUB__NUMBER__INIT;
	int r;

	if ((r = annex_sequence(p->store, &key, &node->number)) < 0)
		return r;
	node->shelf = node->number;
	number.name = text(node->name);
	if ((r = annex_put(p->store, annex_key_u64(&key, node->number), &number.base)) < 0 ||
	    (r = node_configure(node, config)) < 0 || (r = owner_put(node, owner)) < 0)
		return must(p, r);
	return ANNEX_OK;
}

static struct node *
make(struct pubsub *p, const char *name, const struct kept *kept, const struct node_config *config,
    const char *owner, int *status_r)
{
	struct node *node = node_find(p, name);
	struct annex_key tombstone = key_of(TABLE_TOMBSTONES);
	bool was_there = node != NULL;

	if (was_there) {
		tombstone = tombstone_key(node);
		node_forget(node);
	}
	node = node_alloc(p, name);
	node->order = ORDER_SAME;
	if (kept != NULL) {
		node->role = kept->role;
		node->target = kept->target->number;
	}
	node->creator = annex_strdup(node->pool, owner);
	node->created_ms = annex_wall_ms(p->inst);
	if ((*status_r = node_write(node, config, owner)) < 0) {
		node_forget(node);
		return NULL;
	}
	if (was_there)
		annex_delete(p->store, &tombstone);
	return node;
}

struct node *
node_make(struct pubsub *p, const char *name, const struct node_config *config, const char *owner,
    int *status_r)
{
	return make(p, name, NULL, config, owner, status_r);
}

struct node *
node_make_kept(const struct kept *kept, const struct node_config *config, int *status_r)
{
	return make(kept->target->p, kept->name, kept, config, kept->target->creator, status_r);
}

void
nodes_init(struct pubsub *p)
{
	p->nodes = annex_map_create(annex_pool(p->inst));
	annex_list_init(&p->recent);
}

struct annex_flow *
node_flow(struct pubsub *p, uint64_t number)
{
	return annex_flow(
	    p->inst, annex_sprintf(annex_scratch(p->inst), "%llu", (unsigned long long)number));
}
