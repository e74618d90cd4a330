/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * kept.c - nodes that the service keeps beside a node of somebody's
 *
 *	urn:xmpp:pubsub-attachments:1/URI          what people attach to one item (XEP-0470)
 *	urn:xmpp:pubsub-attachments:summary:1/NODE how much of it there is, an item for each
 *	urn:xmpp:pps:subscribers:0/NODE            who is subscribed in public (XEP-0465)
 *
 * They are nodes as others are, with subscribers, pages and events; but they are made by the
 * service and go with their target, and who may read or publish is decided by the
 * target: its models are copied when one is loaded, its affiliations and subscriptions are
 * asked instead of their own (affiliation.c, subscription.c).  So the two can never differ.
 */
#include <string.h>

#include "pubsub.h"

#define KEPT_A_TURN 10

static const struct kind {
	const char *prefix;
	enum role role;
	enum fault create; /* what making one is refused with */
	bool on_demand;    /* it is there as soon as somebody asks */
} kinds[] = {
	{ NS_ATTACHMENTS "/", ROLE_ATTACHMENTS, FAULT_NOT_ALLOWED, false },
	{ NS_SUMMARY "/", ROLE_SUMMARY, FAULT_NOT_ALLOWED, true },
	{ NS_PUBLIC_SUBSCRIBERS "/", ROLE_SUBSCRIBERS, FAULT_FORBIDDEN, true },
	/* Of accounts alone, but nobody else's either. */
	{ NS_PUBLIC_SUBSCRIPTIONS, ROLE_RESERVED, FAULT_FORBIDDEN, false },
};

/* --- Names ----------------------------------------------------------------------------------- */

static const struct kind *
kind_of(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return &kinds[i];
	return NULL;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 §2.1; NULL where it is none.  It need not be UTF-8: then nothing is found by it. */
static const char *
percent_decode(struct annex_pool *pool, const char *text, size_t len)
{
	char *out = annex_strndup(pool, text, len), *to = out;

	for (const char *at = out; *at != '\0'; at++) {
		int high, low;

		if (*at != '%') {
			*to++ = *at;
			continue;
		}
		high = hex_digit(at[1]);
		low = high < 0 ? -1 : hex_digit(at[2]);
		if (low < 0 || high + low == 0)
			return NULL;
		*to++ = (char)(high * 16 + low);
		at += 2;
	}
	*to = '\0';
	return out;
}

static const char *
percent_encode(struct annex_pool *pool, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = annex_pool_alloc(pool, 3 * strlen(text) + 1), *to = out;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c) != NULL) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	*to = '\0';
	return out;
}

/* The value of a key of a query as XEP-0060 §12.22 has it: "?;node=…;item=…". */
static const char *
uri_value(struct annex_pool *pool, const char *query, const char *key)
{
	size_t len = strlen(key);

	for (; *query == ';'; query += 1 + strcspn(query + 1, ";"))
		if (strncmp(query + 1, key, len) == 0 && query[1 + len] == '=')
			return percent_decode(pool, query + len + 2, strcspn(query + len + 2, ";"));
	return NULL;
}

static const char *
attachments_name(struct pubsub *p, const char *node, const char *item)
{
	struct annex_pool *pool = annex_scratch(p->inst);

	return annex_sprintf(pool, NS_ATTACHMENTS "/xmpp:%s?;node=%s;item=%s",
	    annex_domain(p->inst), percent_encode(pool, node), percent_encode(pool, item));
}

/* However it is encoded it is one item's, and has one name here. */
static void
attachments_read(struct pubsub *p, const char *uri, struct kept *kept)
{
	struct annex_pool *pool = annex_scratch(p->inst);
	const char *query = strchr(uri, '?'), *node, *item;
	const struct annex_jid *jid;

	if (query == NULL || strncmp(uri, "xmpp:", 5) != 0)
		return;
	jid = annex_jid_n(pool, uri + 5, (size_t)(query - uri - 5));
	node = uri_value(pool, query + 1, "node");
	item = uri_value(pool, query + 1, "item");
	if (jid == NULL || node == NULL || item == NULL ||
	    strcmp(jid->full, annex_domain(p->inst)) != 0)
		return;
	kept->target = node_find(p, node);
	kept->item = item;
	kept->name = attachments_name(p, node, item);
}

struct kept
kept_read(struct pubsub *p, const char *name)
{
	const struct kind *kind = kind_of(name);
	struct kept kept = { .name = name };

	if (kind == NULL)
		return kept;
	kept.role = kind->role;
	if (kind->role == ROLE_ATTACHMENTS)
		attachments_read(p, name + strlen(kind->prefix), &kept);
	else if (kind->on_demand)
		kept.target = node_find(p, name + strlen(kind->prefix));
	if (kept.target != NULL && (kept.target->gone || kept.target->role != ROLE_NONE))
		kept.target = NULL;
	return kept;
}

enum fault
kept_create_fault(const char *name)
{
	const struct kind *kind = kind_of(name);

	return kind == NULL ? FAULT_NONE : kind->create;
}

/* --- Making ----------------------------------------------------------------------------------- */

struct node_config
kept_config(const struct node *target, enum role role)
{
	struct node_config config = config_baseline;

	config.access_model = target->config.access_model;
	config.roster_groups = target->config.roster_groups;
	config.send_last = "never";
	if (role == ROLE_ATTACHMENTS) {
		config.publish_model = target->config.publish_model;
		config.type = NS_ATTACHMENTS;
	} else {
		config.itemreply = "none";
		config.type = role == ROLE_SUMMARY ? NS_SUMMARY : NS_PUBLIC;
	}
	return config;
}

struct node *
kept_make(const struct kept *kept, int *status_r)
{
	const struct node_config config = kept_config(kept->target, kept->role);
	struct node *node = node_make_kept(kept, &config, status_r);

	if (node != NULL && kept->role == ROLE_ATTACHMENTS && !kept->target->attached) {
		kept->target->attached = true;
		*status_r = must(kept->target->p, node_put(kept->target));
	}
	return node;
}

/* The one of a target, NULL where there is none; made where make is true. */
static struct node *
kept_of(struct node *target, enum role role, const char *item, bool make)
{
	struct pubsub *p = target->p;
	struct kept kept = { .role = role, .target = target, .item = item };
	struct node *node;
	int status;

	if (role == ROLE_ATTACHMENTS)
		kept.name = attachments_name(p, target->name, item);
	else
		kept.name = annex_sprintf(annex_scratch(p->inst), "%s/%s",
		    role == ROLE_SUMMARY ? NS_SUMMARY : NS_PUBLIC_SUBSCRIBERS, target->name);
	node = node_find(p, kept.name);
	if (node != NULL && !node->gone)
		return node;
	if (!make)
		return NULL;
	node = kept_make(&kept, &status);
	return must(p, status) < 0 ? NULL : node;
}

/* What a request names: one that is there, or that is made because somebody asks. */
struct node *
kept_find(struct request *rq)
{
	struct request of_target = { .p = rq->p, .in = rq->in, .node = rq->kept.target };
	struct node *node;
	int status;

	if (rq->kept.target == NULL)
		return NULL;
	node = node_find(rq->p, rq->kept.name);
	if (node != NULL && !node->gone)
		return node;
	of_target.rank = rank_of_jid(rq->kept.target, rq->in->from);
	if (!kind_of(rq->kept.name)->on_demand || rq->op->kept != KEPT_AT_ONCE ||
	    may_retrieve(&of_target) != FAULT_NONE)
		return NULL;
	return kept_make(&rq->kept, &status);
}

/* --- What follows from a change of the target ---------------------------------------------------- */

static struct annex_strings
strings_copy(struct annex_pool *pool, const struct annex_strings *list)
{
	const char **value = annex_new_array(pool, const char *, list->count + 1);

	for (size_t i = 0; i < list->count; i++)
		value[i] = annex_strdup(pool, list->value[i]);
	return (struct annex_strings) { value, list->count };
}

static void
models_copy(struct node *node, const struct node *target)
{
	const struct node_config config = kept_config(target, node->role);

	node->config.access_model = annex_strdup(node->pool, config.access_model);
	node->config.publish_model = annex_strdup(node->pool, config.publish_model);
	node->config.roster_groups = strings_copy(node->pool, &config.roster_groups);
}

/* A kept node was loaded: without its target nobody may have it. */
void
kept_loaded(struct node *node)
{
	struct node *target = node_by_number(node->p, node->target);

	if (target != NULL)
		models_copy(node, target);
	else
		node->config.access_model = "whitelist";
}

void
kept_refresh(const struct node *target)
{
	ANNEX_LIST_EACH (&target->p->recent, l) {
		struct node *node = annex_container_of(l, struct node, by_use);

		if (node->target == target->number)
			node_forget(node);
	}
}

struct following {
	uint64_t target, next;
	enum kept_action action;
};

static int
follow_one(struct node *node, enum kept_action action)
{
	int r = ANNEX_OK;

	if (action == KEPT_JUDGE)
		return node_judge(node);
	if (action == KEPT_DELETE || node->role == ROLE_ATTACHMENTS)
		return node_delete(node, "");
	if (node->role == ROLE_SUMMARY && (r = node_empty(node)) >= 0)
		node_purge_told(node);
	return r;
}

int
kept_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct pubsub *p = annex_state(inst);
	struct annex_key prefix, from;
	struct following f;
	struct annex_iter it;
	struct node *node;
	int r;

	(void)limit;
	memcpy(&f, state->bytes, sizeof(f));
	if (f.action == KEPT_JUDGE && (node = node_by_number(p, f.target)) != NULL)
		node->are_kept_judged_soon = false;
	prefix = key_number(TABLE_KEPT, f.target);
	from = key_numbers(TABLE_KEPT, f.target, f.next);
	it = annex_iter_from(&prefix, &from);
	it.keys_only = true;
	for (size_t n = 0; annex_next(p->store, &it) == ANNEX_AGAIN; n++) {
		f.next = annex_key_number(&it.key, 1);
		if (n == KEPT_A_TURN) {
			memcpy(state->bytes, &f, sizeof(f));
			return ANNEX_AGAIN;
		}
		node = node_by_number(p, f.next);
		if (node != NULL && (r = follow_one(node, f.action)) < 0)
			return r;
	}
	return ANNEX_OK;
}

/* Subscriptions are judged once for all that changes before the job has begun. */
int
kept_follow(struct node *target, enum kept_action action)
{
	const struct following f = { target->number, 0, action };
	struct annex_key prefix = key_number(TABLE_KEPT, target->number);

	if (target->role != ROLE_NONE || (action == KEPT_JUDGE && target->are_kept_judged_soon) ||
	    !annex_has(target->p->store, &prefix))
		return ANNEX_OK;
	if (action == KEPT_JUDGE)
		target->are_kept_judged_soon = true;
	return annex_job_start(target->p->inst, "kept", &f, sizeof(f));
}

/* --- Their items --------------------------------------------------------------------------------- */

static int
kept_publish(struct node *node, const char *id, const struct annex_element *payload)
{
	Pubsub__Item item = PUBSUB__ITEM__INIT;
	size_t len;
	int r;

	item.id = (char *)(uintptr_t)id;
	item.publisher = (char *)(uintptr_t)annex_domain(node->p->inst);
	item.stamp_ms = annex_wall_ms(node->p->inst);
	item.xml =
	    (char *)(uintptr_t)annex_element_write(payload, annex_scratch(node->p->inst), &len);
	if ((r = item_put(node, &item)) >= 0)
		tell_items(node, &item, payload);
	return r;
}

static int
kept_retract(struct node *node, const char *id)
{
	struct annex_strings ids = { &id, 1 };
	uint64_t number;
	const Pubsub__Item *item = item_get(node, id, &number);
	int r;

	if (item == NULL)
		return ANNEX_OK;
	if ((r = item_remove(node, item, number)) >= 0)
		tell_retracted(node, &ids);
	return r;
}

/* payload NULL: it goes. */
int
kept_set(struct node *target, enum role role, const char *id, const struct annex_element *payload)
{
	struct node *node = kept_of(target, role, NULL, payload != NULL);

	if (node == NULL)
		return payload == NULL ? ANNEX_OK : ANNEX_ESTORE;
	return payload == NULL ? kept_retract(node, id) : kept_publish(node, id, payload);
}

const struct annex_element *
kept_get(struct node *target, enum role role, const char *id)
{
	struct node *node = kept_of(target, role, NULL, false);
	const Pubsub__Item *item = node == NULL ? NULL : item_get(node, id, NULL);

	return item == NULL ? NULL : item_payload(target->p, item);
}

/* An item went, and with it what was attached to it. */
int
kept_item_gone(struct node *target, const char *id)
{
	struct node *node = kept_of(target, ROLE_ATTACHMENTS, id, false);
	int r;

	if (node != NULL && (r = node_delete(node, "")) < 0)
		return r;
	return kept_set(target, ROLE_SUMMARY, id, NULL);
}
