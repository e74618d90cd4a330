/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco.c - who are you, what do you hold (XEP-0030)
 *
 * An info answer is collected first and rendered last: identities and
 * features sorted and each once, then forms (XEP-0128), as the schema of
 * XEP-0030 and the hash of XEP-0115 §5 want them.  The domain's own is put
 * together from the descriptor's table, what Annex answers for everybody,
 * what the component adds, and the contact addresses (XEP-0157).
 *
 *	address  node                     info                      items
 *	domain   none, or our caps node   table + component         component
 *	domain   commands (XEP-0050)      command-list              those one may run
 *	domain   a command's              command-node              none
 *	below    commands, a command's    as of the domain, where the component has some there
 *	any other                         component                 component
 *
 * Items are paged (XEP-0059 §2); without a <set/> one gets up to a thousand,
 * and a <set/> in the answer only where there were more.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/caps.h>
#include <annex/disco.h>
#include <annex/form.h>

#include "base/check.h"
#include "instance.h"
#include "service.h"

#define ITEMS_MAX 1000

#define NS_SERVERINFO "http://jabber.org/network/serverinfo"

struct annex_disco_info {
	struct annex_instance *inst;
	struct annex_pool *pool;
	struct annex_identity *identity;
	const char **feature;
	size_t identities, identity_room;
	size_t features, feature_room;
	struct annex_element *forms; /* a <query/> of its own until it is rendered */
};

static struct annex_disco_info *
info_create(struct annex_instance *inst)
{
	struct annex_disco_info *info = annex_new(inst->scratch, struct annex_disco_info);

	info->inst = inst;
	info->pool = inst->scratch;
	info->forms = annex_element(info->pool, ANNEX_NS_DISCO_INFO, "query");
	return info;
}

/* Room for one more of size bytes each, in a pool that does not resize. */
static void *
grow(struct annex_pool *pool, void *array, size_t count, size_t *room, size_t size)
{
	void *larger;

	if (count < *room)
		return array;
	*room = *room == 0 ? 16 : *room * 2;
	larger = annex_pool_array(pool, *room, size);
	if (count > 0)
		memcpy(larger, array, count * size);
	return larger;
}

void
annex_disco_identity(
    struct annex_disco_info *info, const char *category, const char *type, const char *name)
{
	struct annex_identity *i;

	info->identity = grow(info->pool, info->identity, info->identities, &info->identity_room,
	    sizeof(*info->identity));
	i = &info->identity[info->identities++];
	i->category = annex_strdup(info->pool, category);
	i->type = annex_strdup(info->pool, type);
	i->name = annex_strdup(info->pool, name);
}

void
annex_disco_feature(struct annex_disco_info *info, const char *feature)
{
	info->feature = grow(
	    info->pool, info->feature, info->features, &info->feature_room, sizeof(*info->feature));
	info->feature[info->features++] = annex_strdup(info->pool, feature);
}

struct annex_element *
annex_disco_query(struct annex_disco_info *info)
{
	return info->forms;
}

/* --- Rendering ----------------------------------------------------------- */

static int
compare_texts(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int
compare_identities(const void *a, const void *b)
{
	const struct annex_identity *x = a, *y = b;
	int order = strcmp(x->category, y->category);

	if (order == 0)
		order = strcmp(x->type, y->type);
	return order != 0 ? order : compare_texts(x->name, y->name);
}

static int
compare_features(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
render_identities(struct annex_disco_info *info, struct annex_element *query)
{
	struct annex_element *el;

	if (info->identities > 0)
		qsort(
		    info->identity, info->identities, sizeof(*info->identity), compare_identities);
	for (size_t i = 0; i < info->identities; i++) {
		const struct annex_identity *id = &info->identity[i];

		if (i > 0 && compare_identities(id, id - 1) == 0)
			continue;
		el = annex_add(query, NULL, "identity");
		annex_attr_set(el, "category", id->category);
		annex_attr_set(el, "type", id->type);
		annex_attr_set(el, "name", id->name);
	}
}

static void
render_info(struct annex_disco_info *info, struct annex_element *query)
{
	render_identities(info, query);
	if (info->features > 0)
		qsort(info->feature, info->features, sizeof(*info->feature), compare_features);
	for (size_t i = 0; i < info->features; i++)
		if (i == 0 || strcmp(info->feature[i], info->feature[i - 1]) != 0)
			annex_attr_set(annex_add(query, NULL, "feature"), "var", info->feature[i]);
	annex_add_copies(query, info->forms);
}

/* --- The domain ---------------------------------------------------------- */

/* What core.c and this file answer for every component. */
static const char *const own_features[] = {
	ANNEX_NS_DISCO_INFO,
	ANNEX_NS_DISCO_ITEMS,
	"jabber:iq:last",
	"jabber:iq:version",
	"urn:xmpp:ping",
	"urn:xmpp:time",
	NULL,
};

static void
add_features(struct annex_disco_info *info, const char *const *features)
{
	for (; features != NULL && *features != NULL; features++)
		annex_disco_feature(info, *features);
}

static void
add_contacts(struct annex_disco_info *info)
{
	struct contacts {
		struct annex_strings admin;
	} contacts = { { info->inst->contact_uris, 0 } };
	static const struct annex_field fields[] = {
		ANNEX_FIELD(struct contacts, admin, "admin-addresses", ANNEX_LIST_MULTI,
		    "Administrators", .open = true),
		{ 0 },
	};
	static const struct annex_form form = { .type = NS_SERVERINFO, .fields = fields };

	if (contacts.admin.value == NULL)
		return;
	while (contacts.admin.value[contacts.admin.count] != NULL)
		contacts.admin.count++;
	if (contacts.admin.count > 0)
		annex_form_add(info->forms, &form, "result", &contacts);
}

/* The table, then what the component adds; ANNEX_ENOENT from it: nothing to add. */
static int
collect_domain(struct annex_instance *inst, const struct annex_stanza *in,
    struct annex_disco_info *info, struct annex_error *error)
{
	const struct annex_disco *disco = inst->module->disco;
	int r;

	add_features(info, own_features);
	if (commands_are_offered(inst)) {
		annex_disco_feature(info, ANNEX_NS_COMMANDS);
		annex_disco_feature(info, ANNEX_NS_FORM);
	}
	if (disco != NULL) {
		add_features(info, disco->features);
		for (const struct annex_identity *i = disco->identities;
		     i != NULL && i->category != NULL; i++)
			annex_disco_identity(info, i->category, i->type, i->name);
		if (disco->info != NULL && (r = disco->info(inst, in, NULL, info, error)) < 0 &&
		    r != ANNEX_ENOENT)
			return r;
	}
	if (info->identities == 0)
		annex_disco_identity(info, "component", "generic", inst->module->name);
	add_contacts(info);
	return ANNEX_OK;
}

/* Whether somebody may run any at that address: else the list there is none of ours. */
static bool
has_commands(struct annex_instance *inst, const struct annex_stanza *in)
{
	for (const struct annex_command *c = inst->module->commands; c != NULL && c->node != NULL;
	     c++)
		if (command_judge(inst, c, in->from, in->to) == 0)
			return true;
	return false;
}

static int
collect_command_list(struct annex_disco_info *info)
{
	annex_disco_identity(info, "automation", "command-list", "Commands");
	annex_disco_feature(info, ANNEX_NS_COMMANDS);
	annex_disco_feature(info, ANNEX_NS_DISCO_INFO);
	annex_disco_feature(info, ANNEX_NS_DISCO_ITEMS);
	return ANNEX_OK;
}

static int
collect_command(struct annex_instance *inst, const struct annex_stanza *in,
    const struct annex_command *command, struct annex_disco_info *info, struct annex_error *error)
{
	if ((error->condition = command_judge(inst, command, in->from, in->to)) != 0)
		return ANNEX_EDENIED;
	annex_disco_identity(info, "automation", "command-node", command->name);
	annex_disco_feature(info, ANNEX_NS_COMMANDS);
	annex_disco_feature(info, ANNEX_NS_FORM);
	return ANNEX_OK;
}

static int
collect_other(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info, struct annex_error *error)
{
	const struct annex_disco *disco = inst->module->disco;
	int r;

	if (disco == NULL || disco->info == NULL)
		return ANNEX_ENOENT;
	if ((r = disco->info(inst, in, node, info, error)) < 0 || node != NULL)
		return r;
	annex_disco_feature(info, ANNEX_NS_DISCO_INFO); /* XEP-0030 §3.1 */
	if (disco->items != NULL)
		annex_disco_feature(info, ANNEX_NS_DISCO_ITEMS);
	return r;
}

/* What anybody may hear of that address: asked for by the domain itself. */
const char *
disco_hash_of(struct annex_instance *inst, const struct annex_jid *jid)
{
	const struct annex_stanza self = {
		.kind = ANNEX_IQ_GET,
		.element = annex_element(inst->scratch, ANNEX_NS_STANZA, "iq"),
		.from = inst->jid,
		.to = jid,
		.id = "",
		.type = "get",
		.payload = annex_element(inst->scratch, ANNEX_NS_DISCO_INFO, "query"),
		.pool = inst->scratch,
	};
	struct annex_disco_info *info = info_create(inst);
	struct annex_element *query = annex_element(inst->scratch, ANNEX_NS_DISCO_INFO, "query");
	struct annex_error error = { 0 };
	int r;

	r = is_for_domain(inst, &self) ? collect_domain(inst, &self, info, &error)
				       : collect_other(inst, &self, NULL, info, &error);
	if (r < 0)
		return NULL;
	render_info(info, query);
	return annex_caps_hash(query, inst->scratch);
}

const char *
annex_disco_hash(struct annex_instance *inst)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	return disco_hash_of(inst, inst->jid);
}

/* "what:ever#HASH" of a presence of ours (XEP-0115 §5.2). */
static bool
is_caps_node(struct annex_instance *inst, const struct annex_stanza *in, const char *node)
{
	const char *hash = strrchr(node, '#'), *ours;

	if (hash == NULL || strlen(hash + 1) != 28) /* SHA-1 in base64 */
		return false;
	ours = disco_hash_of(inst, in->to);
	return ours != NULL && strcmp(hash + 1, ours) == 0;
}

/* --- Info ---------------------------------------------------------------- */

/* Commands of an address below the domain; false where the node is none of them. */
static bool
collect_below(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info, struct annex_error *error, int *status_r)
{
	const struct annex_command *command = command_find(inst, node);

	if (strcmp(node, ANNEX_NS_COMMANDS) == 0 && has_commands(inst, in))
		*status_r = collect_command_list(info);
	else if (command != NULL && !command_is_of_domain(command))
		*status_r = collect_command(inst, in, command, info, error);
	else
		return false;
	return true;
}

static int
collect(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info, struct annex_error *error)
{
	const struct annex_command *command;
	int r;

	if (node != NULL && is_caps_node(inst, in, node))
		node = NULL;
	if (!is_for_domain(inst, in))
		return node != NULL && collect_below(inst, in, node, info, error, &r)
		    ? r
		    : collect_other(inst, in, node, info, error);
	if (node == NULL)
		return collect_domain(inst, in, info, error);
	if (strcmp(node, ANNEX_NS_COMMANDS) == 0)
		return commands_are_offered(inst) ? collect_command_list(info) : ANNEX_ENOENT;
	if ((command = command_find(inst, node)) != NULL && command_is_offered(command) &&
	    command_is_of_domain(command))
		return collect_command(inst, in, command, info, error);
	return collect_other(inst, in, node, info, error);
}

/* An empty node is none (XEP-0030 §7: "" equals its absence for those who send it). */
static const char *
node_of(const struct annex_stanza *in)
{
	const char *node = annex_attr(in->payload, "node");

	return node != NULL && node[0] != '\0' ? node : NULL;
}

static enum annex_verdict
refuse_status(struct annex_instance *inst, const struct annex_stanza *in, int status,
    struct annex_error *error)
{
	switch (status) {
	case ANNEX_EDENIED:
		if (error->condition == 0)
			error->condition = ANNEX_FORBIDDEN;
		return annex_refuse_with(inst, in, error);
	case ANNEX_ENOENT:
		return annex_refuse(inst, in, ANNEX_ITEM_NOT_FOUND, NULL);
	case ANNEX_EINVAL:
		return annex_refuse(inst, in, ANNEX_BAD_REQUEST, NULL);
	case ANNEX_ELIMIT: /* XEP-0059 §2.6: no pages by index, or none so far away */
		return annex_refuse(inst, in, ANNEX_FEATURE_NOT_IMPLEMENTED, NULL);
	default:
		return annex_refuse(inst, in, ANNEX_INTERNAL_SERVER_ERROR, NULL);
	}
}

static struct annex_element *
answer_query(struct annex_stanza *out, const char *ns, const char *node)
{
	struct annex_element *query = annex_add(out->element, ns, "query");

	annex_attr_set(query, "node", node);
	return query;
}

enum annex_verdict
disco_info_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_disco_info *info = info_create(inst);
	struct annex_error error = { 0 };
	const char *node = node_of(in);
	struct annex_stanza *out;
	int r;

	if ((r = collect(inst, in, node, info, &error)) < 0)
		return refuse_status(inst, in, r, &error);
	out = annex_reply(inst, in);
	render_info(info, answer_query(out, ANNEX_NS_DISCO_INFO, node));
	annex_send(inst, out);
	return ANNEX_DONE;
}

enum annex_verdict
disco_set(struct annex_instance *inst, const struct annex_stanza *in)
{
	return annex_refuse(inst, in, ANNEX_NOT_ALLOWED, NULL);
}

/* --- Items --------------------------------------------------------------- */

static const char *
id_of_item(const void *item)
{
	return ((const struct annex_disco_item *)item)->node;
}

static int
items_of_commands(
    struct annex_instance *inst, const struct annex_stanza *in, struct annex_source *source_r)
{
	struct annex_array *array = annex_new(inst->scratch, struct annex_array);
	size_t n = 0;
	void **item;

	if (!(is_for_domain(inst, in) ? commands_are_offered(inst) : has_commands(inst, in)))
		return ANNEX_ENOENT;
	for (const struct annex_command *c = inst->module->commands; c->node != NULL; c++)
		n++;
	item = annex_new_array(inst->scratch, void *, n);
	*array = (struct annex_array) { .item = item, .id_of = id_of_item };
	for (const struct annex_command *c = inst->module->commands; c->node != NULL; c++) {
		struct annex_disco_item *i;

		if (command_judge(inst, c, in->from, in->to) != 0)
			continue;
		i = annex_new(inst->scratch, struct annex_disco_item);
		*i = (struct annex_disco_item) { in->to->full, c->node, c->name };
		item[array->count++] = i;
	}
	*source_r = annex_array_source(array);
	return ANNEX_OK;
}

static int
items_none(struct annex_instance *inst, struct annex_source *source_r)
{
	struct annex_array *array = annex_new(inst->scratch, struct annex_array);

	array->id_of = id_of_item;
	*source_r = annex_array_source(array);
	return ANNEX_OK;
}

/* What exists but was given no items has none. */
static int
items_of_component(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error)
{
	const struct annex_disco *disco = inst->module->disco;
	bool is_domain = node == NULL && is_for_domain(inst, in);
	int r = is_domain ? ANNEX_OK : ANNEX_ENOENT;

	if (disco != NULL && disco->items != NULL) {
		r = disco->items(inst, in, node, source_r, error);
		return r == ANNEX_ENOENT && is_domain ? items_none(inst, source_r) : r;
	}
	if (!is_domain && disco != NULL && disco->info != NULL)
		r = disco->info(inst, in, node, info_create(inst), error);
	return r < 0 ? r : items_none(inst, source_r);
}

static int
items_of(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error)
{
	const struct annex_command *command;

	if (node != NULL && strcmp(node, ANNEX_NS_COMMANDS) == 0 &&
	    (is_for_domain(inst, in) || has_commands(inst, in)))
		return items_of_commands(inst, in, source_r);
	if (node != NULL && (command = command_find(inst, node)) != NULL &&
	    command_is_offered(command) && command_is_of_domain(command) == is_for_domain(inst, in))
		return items_none(inst, source_r);
	return items_of_component(inst, in, node, source_r, error);
}

static size_t
item_bytes(const struct annex_disco_item *item)
{
	return 40 + bytes_on_wire(item->jid) + bytes_on_wire(item->node) +
	    bytes_on_wire(item->name);
}

/* Where not all fits, fewer are a page as well; one asked for backwards keeps its end. */
static void
trim(struct annex_page_result *result, bool backwards, size_t most)
{
	size_t bytes = 0, n, skip;

	for (n = 0; n < result->count; n++) {
		bytes += item_bytes(result->item[backwards ? result->count - 1 - n : n]);
		if (bytes > most)
			break;
	}
	if (n == result->count)
		return;
	skip = backwards ? result->count - n : 0;
	result->item += skip;
	result->id += skip;
	result->index += skip;
	result->count = n;
	result->complete = false;
}

static void
render_items(struct annex_element *query, const struct annex_page *page,
    struct annex_page_result *result, size_t most)
{
	trim(result, page->before != NULL, most);
	for (size_t i = 0; i < result->count; i++) {
		const struct annex_disco_item *item = result->item[i];
		struct annex_element *el = annex_add(query, NULL, "item");

		annex_attr_set(el, "jid", item->jid);
		annex_attr_set(el, "node", item->node);
		annex_attr_set(el, "name", item->name);
	}
	if (page->present || !result->complete)
		annex_page_add(query, result);
}

enum annex_verdict
disco_items_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	const char *node = node_of(in);
	struct annex_page_result result;
	struct annex_error error = { 0 };
	struct annex_source source;
	struct annex_page page;
	struct annex_stanza *out;
	int r;

	r = annex_page_read(&page, in->payload, ITEMS_MAX, ITEMS_MAX);
	if (r >= 0)
		r = items_of(inst, in, node, &source, &error);
	if (r >= 0)
		r = annex_page_fetch(&source, &page, inst->scratch, &result);
	if (r < 0)
		return refuse_status(inst, in, r, &error);
	out = annex_reply(inst, in);
	render_items(
	    answer_query(out, ANNEX_NS_DISCO_ITEMS, node), &page, &result, payload_max(inst));
	annex_send(inst, out);
	return ANNEX_DONE;
}
