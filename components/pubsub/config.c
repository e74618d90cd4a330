/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * config.c - what a node's owners may set: pubsub#node_config (XEP-0060
 * §16.4.4), as one table
 *
 * The form, publish-options, what is kept in the store and the presets of the
 * service all read it.  Numbers are kept in one spelling, and what is as much
 * as the service allows is "max", so that to compare is to compare texts.
 */
#include <stdlib.h>
#include <string.h>

#include "pubsub.h"

static const struct annex_choice access_models[] = {
	{ "open", "Everybody" },
	{ "presence", "Those who are subscribed to an owner's presence" },
	{ "roster", "Those in certain groups of an owner's roster" },
	{ "authorize", "Those whom an owner has approved" },
	{ "whitelist", "Those who are affiliated" },
	{ 0 },
};

static const struct annex_choice publish_models[] = {
	{ "publishers", "Publishers" },
	{ "subscribers", "Publishers and subscribers" },
	{ "open", "Everybody" },
	{ 0 },
};

static const struct annex_choice sending[] = {
	{ "never", "Never" },
	{ "on_sub", "When somebody subscribes" },
	{ "on_sub_and_presence", "When somebody subscribes or comes online" },
	{ 0 },
};

static const struct annex_choice replies[] = {
	{ "owner", "Owner" },
	{ "publisher", "Publisher" },
	{ "none", "Nobody" },
	{ 0 },
};

static const struct annex_choice message_types[] = {
	{ "headline", "Headline" },
	{ "normal", "Normal" },
	{ 0 },
};

static const struct annex_choice full_policies[] = {
	{ "retract-oldest", "The oldest item is retracted" },
	{ "discard-oldest", "The oldest item is discarded without a word" },
	{ "reject", "The new item is refused" },
	{ 0 },
};

static const struct annex_choice node_types[] = {
	{ "leaf", "Leaf" },
	{ 0 },
};

#define INTEGER_OR_MAX "pubsub:integer-or-max"
#define FIELD(member, var, type, label, ...) \
	ANNEX_FIELD(struct node_config, member, "pubsub#" var, type, label, __VA_ARGS__)

const struct annex_field config_fields[] = {
	FIELD(title, "title", ANNEX_TEXT_SINGLE, "Title", .max = 500),
	FIELD(description, "description", ANNEX_TEXT_SINGLE, "Description", .max = 2000),
	FIELD(type, "type", ANNEX_TEXT_SINGLE, "Namespace of payloads", .max = 500),
	FIELD(language, "language", ANNEX_LIST_SINGLE, "Language", .max = 35, .open = true,
	    .datatype = "xs:language"),
	FIELD(contact, "contact", ANNEX_JID_MULTI, "People to contact with questions", .most = 50),
	FIELD(node_type, "node_type", ANNEX_LIST_SINGLE, "Type", .choices = node_types),
	FIELD(collection, "collection", ANNEX_TEXT_SINGLE, "Collection it belongs to"),
	FIELD(access_model, "access_model", ANNEX_LIST_SINGLE, "Who may subscribe and read",
	    .choices = access_models,
	    .desc = "While the presence or the roster of owners is not known to this service, "
		    "nobody new is admitted by the models that need it."),
	FIELD(roster_groups, "roster_groups_allowed", ANNEX_LIST_MULTI,
	    "Groups of the roster that may subscribe", .open = true, .most = 100),
	FIELD(publish_model, "publish_model", ANNEX_LIST_SINGLE, "Who may publish",
	    .choices = publish_models),
	FIELD(subscribe, "subscribe", ANNEX_BOOLEAN, "Subscriptions are possible"),
	FIELD(persist_items, "persist_items", ANNEX_BOOLEAN, "Items are kept"),
	FIELD(max_items, "max_items", ANNEX_TEXT_SINGLE, "Items that are kept at most",
	    .datatype = INTEGER_OR_MAX, .min = 1, .max = INT64_MAX),
	FIELD(node_full, "publish_node_full", ANNEX_LIST_SINGLE, "What happens when there are more",
	    .choices = full_policies),
	FIELD(item_expire, "item_expire", ANNEX_TEXT_SINGLE, "Seconds that items are kept",
	    .datatype = INTEGER_OR_MAX, .min = 0, .max = INT64_MAX),
	FIELD(max_payload, "max_payload_size", ANNEX_TEXT_SINGLE, "Largest payload in bytes",
	    .min = 0, .max = INT64_MAX, .datatype = "xs:integer"),
	FIELD(deliver_notifications, "deliver_notifications", ANNEX_BOOLEAN,
	    "Subscribers are notified"),
	FIELD(deliver_payloads, "deliver_payloads", ANNEX_BOOLEAN,
	    "Notifications have the payload in them"),
	FIELD(notification_type, "notification_type", ANNEX_LIST_SINGLE,
	    "Type of the messages that notify", .choices = message_types),
	FIELD(itemreply, "itemreply", ANNEX_LIST_SINGLE, "Whom to reply to about an item",
	    .choices = replies),
	FIELD(send_last, "send_last_published_item", ANNEX_LIST_SINGLE,
	    "When the last item is sent", .choices = sending),
	FIELD(notify_config, "notify_config", ANNEX_BOOLEAN,
	    "Subscribers are told when the configuration changes"),
	FIELD(notify_delete, "notify_delete", ANNEX_BOOLEAN,
	    "Subscribers are told when the node is deleted"),
	FIELD(notify_retract, "notify_retract", ANNEX_BOOLEAN,
	    "Subscribers are told when items are retracted"),
	FIELD(notify_sub, "notify_sub", ANNEX_BOOLEAN,
	    "Owners are told of new and of lost subscribers"),
	FIELD(presence_based, "presence_based_delivery", ANNEX_BOOLEAN,
	    "Only those who are online are notified",
	    .desc = "Those whose presence is not known to this service are notified."),
	FIELD(purge_offline, "purge_offline", ANNEX_BOOLEAN,
	    "Items go when their publisher goes offline"),
	FIELD(tempsub, "tempsub", ANNEX_BOOLEAN,
	    "Subscriptions end when the subscriber goes offline"),
	ANNEX_FIELD(struct node_config, validate, "x-pubsub#validate", ANNEX_BOOLEAN,
	    "Items must be what the type says (Atom)", ),
	ANNEX_FIELD(struct node_config, fulltext, "x-pubsub#fulltext", ANNEX_BOOLEAN,
	    "Items can be looked for by their words", ),
	{ 0 },
};

const struct annex_form config_form = {
	.type = NS_NODE_CONFIG,
	.title = "Configuration of the node",
	.fields = config_fields,
	.languages = pubsub_languages,
};

const struct node_config config_baseline = {
	.title = "",
	.description = "",
	.language = "",
	.type = "",
	.node_type = "leaf",
	.collection = "",
	.access_model = "open",
	.publish_model = "publishers",
	.send_last = "on_sub_and_presence",
	.itemreply = "publisher",
	.notification_type = "headline",
	.node_full = "retract-oldest",
	.max_items = "max",
	.item_expire = "max",
	.max_payload = 65536,
	.deliver_notifications = true,
	.deliver_payloads = true,
	.persist_items = true,
	.notify_delete = true,
	.notify_retract = true,
	.subscribe = true,
};

struct node_config
config_preset(const struct pubsub *p)
{
	struct node_config config = config_baseline;

	config.access_model = p->set->access_model;
	config.publish_model = p->set->publish_model;
	config.send_last = p->set->send_last;
	config.itemreply = p->set->itemreply;
	config.persist_items = p->set->persist_items;
	config.notify_delete = p->set->notify_delete;
	config.notify_retract = p->set->notify_retract;
	config.max_payload = p->set->max_payload_bytes;
	return config;
}

/* --- Numbers -------------------------------------------------------------- */

uint64_t
config_max_items(const struct pubsub *p, const struct node_config *config)
{
	uint64_t cap = (uint64_t)p->set->max_items, n;

	if (strcmp(config->max_items, "max") == 0)
		return cap;
	n = strtoull(config->max_items, NULL, 10);
	return n < cap ? n : cap;
}

int64_t
config_item_expire(const struct node_config *config)
{
	return strcmp(config->item_expire, "max") == 0 ? 0 : strtoll(config->item_expire, NULL, 10);
}

int64_t
config_max_payload(const struct pubsub *p, const struct node_config *config)
{
	return config->max_payload < p->set->max_payload_bytes ? config->max_payload
							       : p->set->max_payload_bytes;
}

/* One spelling of a number; "max" for what is at least cap, and for nothing. */
static const char *
number_or_max(const char *text, uint64_t cap, struct annex_pool *pool)
{
	uint64_t n;

	if (text[0] == '\0' || strcmp(text, "max") == 0)
		return "max";
	n = strtoull(text, NULL, 10);
	return n >= cap ? "max" : annex_sprintf(pool, "%llu", (unsigned long long)n);
}

static void
normalise(const struct pubsub *p, struct node_config *config, struct annex_pool *pool)
{
	config->max_items = number_or_max(config->max_items, (uint64_t)p->set->max_items, pool);
	config->item_expire = number_or_max(config->item_expire, UINT32_MAX, pool);
	if (strcmp(config->item_expire, "0") == 0)
		config->item_expire = "max";
	config->max_payload = config_max_payload(p, config);
}

/* --- Reading ---------------------------------------------------------------- */

static bool
is_known(const char *var)
{
	/* The text of §7.1.3.4 calls it otherwise than the registry (§16.4.4). */
	if (strcmp(var, "FORM_TYPE") == 0 || strcmp(var, "pubsub#publish_full_node") == 0)
		return true;
	for (const struct annex_field *f = config_fields; f->var != NULL; f++)
		if (strcmp(var, f->var) == 0)
			return true;
	return false;
}

static const char *
var_of(const struct annex_element *field)
{
	const char *var = annex_attr(field, "var");

	return annex_is(field, ANNEX_NS_FORM, "field") && var != NULL ? var : "FORM_TYPE";
}

/* A field that nobody knows: what begins with x- or is in braces is for others (§16.4). */
static const char *
unknown_field(const struct annex_element *x, bool strict)
{
	ANNEX_CHILDREN (x, field) {
		const char *var = var_of(field);

		if (is_known(var))
			continue;
		if (strict)
			return var;
		if (strncmp(var, "pubsub#", 7) == 0 && annex_form_value(x, var) != NULL &&
		    annex_form_value(x, var)[0] != '\0')
			return var;
	}
	return NULL;
}

static bool
is_choice(const struct annex_choice *choices, const char *value)
{
	for (; choices->value != NULL; choices++)
		if (strcmp(choices->value, value) == 0)
			return true;
	return false;
}

/* What has an error of its own. */
static enum fault
judge_kinds(const struct annex_element *x)
{
	const char *model = annex_form_value(x, "pubsub#access_model");
	const char *type = annex_form_value(x, "pubsub#node_type");
	const char *collection = annex_form_value(x, "pubsub#collection");

	if (model != NULL && !is_choice(access_models, model))
		return FAULT_UNSUPPORTED_ACCESS_MODEL;
	if ((type != NULL && strcmp(type, "collection") == 0) ||
	    (collection != NULL && collection[0] != '\0'))
		return FAULT_UNSUPPORTED_COLLECTIONS;
	return FAULT_NONE;
}

static int
read_form(const char *form_type, const struct annex_element *x, struct node_config *config,
    uint64_t *set_r, struct annex_pool *pool, const char **why)
{
	struct annex_form form = config_form;
	const char *alias = annex_form_value(x, "pubsub#publish_full_node");
	int r;

	form.type = form_type;
	if ((r = annex_form_read(&form, x, config, set_r, pool, why)) < 0)
		return r;
	if (alias != NULL && is_choice(full_policies, alias))
		config->node_full = alias;
	return ANNEX_OK;
}

enum fault
config_read(const struct pubsub *p, const struct annex_element *x, struct node_config *config,
    struct annex_pool *pool, const char **why)
{
	const char *var = unknown_field(x, false);
	enum fault fault = judge_kinds(x);
	uint64_t set;

	*why = NULL;
	if (fault != FAULT_NONE)
		return fault;
	if (var != NULL) {
		*why = annex_sprintf(pool, "%s: there is no such field.", var);
		return FAULT_NOT_ACCEPTABLE;
	}
	if (read_form(NS_NODE_CONFIG, x, config, &set, pool, why) < 0)
		return FAULT_NOT_ACCEPTABLE;
	normalise(p, config, pool);
	return FAULT_NONE;
}

const char *
config_unmet(const struct pubsub *p, const struct annex_element *x,
    const struct node_config *config, struct annex_pool *pool)
{
	struct node_config wanted = *config, is = *config;
	const char *why = unknown_field(x, true);
	uint64_t set = 0;

	if (why != NULL)
		return annex_sprintf(pool, "%s: there is no such field.", why);
	if (read_form(NS_PUBLISH_OPTIONS, x, &wanted, &set, pool, &why) < 0)
		return why;
	normalise(p, &wanted, pool);
	normalise(p, &is, pool);
	for (const struct annex_field *f = config_fields; f->var != NULL; f++)
		if (!annex_field_equal(f, &wanted, &is))
			return annex_sprintf(pool, "%s: the node is configured otherwise.", f->var);
	return NULL;
}

const char *
config_take(const struct pubsub *p, const struct annex_element *x, struct node_config *config,
    struct annex_pool *pool)
{
	const char *why = unknown_field(x, true);
	uint64_t set;

	if (why != NULL)
		return annex_sprintf(pool, "%s: there is no such field.", why);
	if (judge_kinds(x) != FAULT_NONE)
		return "There are no such nodes here.";
	if (read_form(NS_PUBLISH_OPTIONS, x, config, &set, pool, &why) < 0)
		return why;
	normalise(p, config, pool);
	return NULL;
}
