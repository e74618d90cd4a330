/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * commands.c - what operators may do, as ad-hoc commands (XEP-0050) and with
 * annexctl; and what owners may (XEP-0060 §8.7)
 *
 * They act as owners do, through the same changes: subscribers are told what
 * they would be told of an owner's.
 */
#include <string.h>

#include "pubsub.h"

#define ROWS_MAX 500

#define NODE                                                                                     \
	ANNEX_FIELD(struct command_values, node, "node", ANNEX_TEXT_SINGLE, "Node", .max = 1023, \
	    .required = true)
#define JID          \
	ANNEX_FIELD( \
	    struct command_values, jid, "jid", ANNEX_JID_SINGLE, "Address", .required = true)

#define AFTER \
	ANNEX_FIELD(struct command_values, after, "after", ANNEX_TEXT_SINGLE, "Where to go on")

static const struct annex_field list_fields[] = { AFTER, { 0 } };
static const struct annex_field node_fields[] = { NODE, { 0 } };
static const struct annex_field node_list_fields[] = { NODE, AFTER, { 0 } };
static const struct annex_field jid_fields[] = { JID, { 0 } };
static const struct annex_field jid_list_fields[] = { JID, AFTER, { 0 } };
static const struct annex_field delete_fields[] = { NODE,
	ANNEX_FIELD(struct command_values, redirect, "redirect", ANNEX_TEXT_SINGLE, "Moved to"),
	{ 0 } };

static const struct annex_form node_form = { .title = "Node", .fields = node_fields };
static const struct annex_form jid_form = { .title = "Address", .fields = jid_fields };
static const struct annex_form list_form = { .title = "Nodes", .fields = list_fields };
static const struct annex_form node_list_form = { .title = "Node", .fields = node_list_fields };
static const struct annex_form jid_list_form = { .title = "Address", .fields = jid_list_fields };
static const struct annex_form delete_form = { .title = "Delete", .fields = delete_fields };

static struct node *
node_named(struct annex_instance *inst, struct annex_run *run, const struct command_values *v)
{
	struct node *node = v->node == NULL ? NULL : node_find(annex_state(inst), v->node);

	if (node != NULL && !node->gone)
		return node;
	annex_run_fail(run, ANNEX_ITEM_NOT_FOUND, "There is no such node.");
	return NULL;
}

int
command_not_after(struct annex_run *run, const char *after)
{
	annex_run_fail(run, ANNEX_BAD_REQUEST,
	    "\"after\" is what the answer before this one ended with; \"%s\" is not.", after);
	return ANNEX_EINVAL;
}

/* --- Lists -------------------------------------------------------------------------------- */

static void
node_row(struct pubsub *p, struct annex_run *run, const struct annex_iter *it)
{
	const struct node *node = node_by_number(p, annex_key_number(&it->key, 0));

	if (node != NULL)
		annex_run_row(run,
		    (const char *[]) { node->name, node->config.title, node->creator,
			number_text(p->inst, items_count(node)),
			number_text(p->inst, subs_count(node)), NULL });
}

static void
subscription_row(struct pubsub *p, struct annex_run *run, const struct annex_iter *it)
{
	const Pubsub__Subscription *s = (Pubsub__Subscription *)it->record;

	annex_run_row(run,
	    (const char *[]) { s->jid, state_name((enum state)s->state), s->subid,
		number_text(p->inst, s->bounces), NULL });
}

static void
affiliation_row(struct pubsub *p, struct annex_run *run, const struct annex_iter *it)
{
	const Pubsub__Affiliation *a = (Pubsub__Affiliation *)it->record;

	(void)p;
	annex_run_row(run, (const char *[]) { a->jid, rank_name((enum rank)a->rank), NULL });
}

static void
owned_row(struct pubsub *p, struct annex_run *run, const struct annex_iter *it)
{
	enum rank rank = (enum rank)((Pubsub__Affiliation *)it->record)->rank;
	const char *name = node_name_of(p, annex_key_number(&it->key, 1));

	if (name != NULL)
		annex_run_row(run, (const char *[]) { name, rank_name(rank), NULL });
}

/* What is listed: rows of a table, all of them, or those of a node or a user. */
enum whose { OF_ALL, OF_NODE, OF_USER };
enum { LIST_NODES, LIST_SUBSCRIPTIONS, LIST_AFFILIATIONS, LIST_OWNED };
static const struct list {
	int table;
	enum whose whose;
	void (*row)(struct pubsub *p, struct annex_run *run, const struct annex_iter *it);
	const char *columns[6], *labels[6];
} lists[] = {
	[LIST_NODES] = { TABLE_NUMBERS, OF_ALL, node_row,
	    { "node", "title", "creator", "items", "subscriptions" },
	    { "Node", "Title", "Creator", "Items", "Subscriptions" } },
	[LIST_SUBSCRIPTIONS] = { TABLE_SUBSCRIPTIONS, OF_NODE, subscription_row,
	    { "jid", "subscription", "subid", "bounces" },
	    { "Address", "State", "Id", "Bounces" } },
	[LIST_AFFILIATIONS] = { TABLE_MEMBERS, OF_NODE, affiliation_row, { "jid", "affiliation" },
	    { "Address", "Affiliation" } },
	[LIST_OWNED] = { TABLE_AFFILIATED, OF_USER, owned_row, { "node", "affiliation" },
	    { "Node", "Affiliation" } },
};

/* The rows that are listed. */
static int
list_prefix(struct pubsub *p, struct annex_run *run, const struct list *list,
    const struct command_values *v, struct annex_key *prefix_r)
{
	const struct annex_jid *jid;
	const struct node *node;

	*prefix_r = key_of(list->table);
	if (list->whose == OF_NODE) {
		if ((node = node_named(p->inst, run, v)) == NULL)
			return ANNEX_ENOENT;
		annex_key_u64(prefix_r, node->number);
	}
	if (list->whose == OF_USER) {
		if ((jid = annex_jid(annex_scratch(p->inst), v->jid)) == NULL)
			return ANNEX_EINVAL;
		annex_key_text(prefix_r, jid->bare);
	}
	return ANNEX_OK;
}

/* By number, from behind what "after" says: as many as are good for an answer. */
static int
list_run(struct pubsub *p, struct annex_run *run, const struct list *list,
    const struct command_values *v)
{
	struct annex_key prefix, from;
	struct annex_iter it;
	uint64_t last = 0;
	int r;

	if ((r = list_prefix(p, run, list, v, &prefix)) < 0)
		return r;
	if (v->after != NULL && v->after[0] != '\0' && (last = row_number(v->after)) == 0)
		return command_not_after(run, v->after);
	annex_run_columns(run, list->columns, list->labels);
	from = prefix;
	it = annex_iter_from(&prefix, annex_key_u64(&from, last + 1));
	for (size_t n = 0; annex_next(p->store, &it) == ANNEX_AGAIN; n++) {
		if (n == ROWS_MAX || annex_run_bytes(run) > annex_send_max(p->inst) / 2) {
			annex_run_say(run, "There is more: after=%s", number_text(p->inst, last));
			break;
		}
		last = annex_key_number(&it.key, prefix.parts);
		list->row(p, run, &it);
	}
	return ANNEX_OK;
}

/* What a command runs has no word of which it is. */
#define LIST(name, list)                                                                      \
	static int name(                                                                      \
	    struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values) \
	{                                                                                     \
		(void)stage;                                                                  \
		return list_run(annex_state(inst), run, &lists[list], values);                \
	}
LIST(run_nodes, LIST_NODES)
LIST(run_subscriptions, LIST_SUBSCRIPTIONS)
LIST(run_affiliations, LIST_AFFILIATIONS)
LIST(run_owned, LIST_OWNED)

/* --- One node ------------------------------------------------------------------------------- */

static int
run_show(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	struct node *node = node_named(inst, run, values);

	(void)stage;
	if (node == NULL)
		return ANNEX_ENOENT;
	annex_run_say(run,
	    "%s \"%s\", made by %s at %s: %llu items of %llu bytes, %llu subscriptions, access %s, publish %s, %s",
	    node->name, node->config.title, node->creator,
	    annex_datetime(annex_scratch(inst), node->created_ms),
	    (unsigned long long)items_count(node), (unsigned long long)items_bytes(node),
	    (unsigned long long)subs_count(node), node->config.access_model,
	    node->config.publish_model,
	    node->config.persist_items ? "items are kept" : "items are not kept");
	return ANNEX_OK;
}

static int
full(struct annex_run *run, int status)
{
	if (status < 0)
		annex_run_fail(run, ANNEX_RESOURCE_CONSTRAINT, "There is no room for it now.");
	return status;
}

static int
run_purge(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	struct node *node = node_named(inst, run, values);
	int status;

	(void)stage;
	if (node == NULL)
		return ANNEX_ENOENT;
	if ((status = node_empty(node)) < 0)
		return full(run, status);
	node_purge_told(node);
	return ANNEX_OK;
}

static int
run_delete(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct command_values *v = values;
	struct node *node = node_named(inst, run, v);

	(void)stage;
	if (node == NULL)
		return ANNEX_ENOENT;
	return full(run, node_delete(node, v->redirect == NULL ? "" : v->redirect));
}

#define COMMAND(node_, name_, form_, run_, help_)                                             \
	{                                                                                     \
		.node = (node_), .name = (name_), .who = ANNEX_WHO_ADMIN, .form = (form_),    \
		.values_size = sizeof(struct command_values), .run = (run_), .help = (help_), \
	}

const struct annex_command pubsub_commands[] = {
	COMMAND("nodes", "List nodes", &list_form, run_nodes, "List the nodes there are."),
	COMMAND("show", "Show a node", &node_form, run_show, "Show what a node is like."),
	COMMAND("subscriptions", "List subscriptions", &node_list_form, run_subscriptions,
	    "List who is subscribed to a node."),
	COMMAND("affiliations", "List affiliations", &node_list_form, run_affiliations,
	    "List who is affiliated with a node."),
	COMMAND("owned", "List nodes of a user", &jid_list_form, run_owned,
	    "List the nodes a user is affiliated with."),
	COMMAND("purge", "Purge a node", &node_form, run_purge, "Remove all items of a node."),
	COMMAND(
	    "delete", "Delete a node", &delete_form, run_delete, "Delete a node and all it has."),
	COMMAND("export", "Export what is kept of a user", &jid_list_form, run_export,
	    "Hand out all that is kept of a user."),
	COMMAND("erase", "Erase what is kept of a user", &jid_form, run_erase,
	    "Remove all that a user has: nodes of which they are the only owner, items, affiliations, subscriptions."),
	{ .node = "import",
	    .name = "Import nodes",
	    .who = ANNEX_WHO_OPERATOR,
	    .form = &import_form,
	    .values_size = sizeof(struct import_values),
	    .run = run_import,
	    .help =
		"Take the nodes of users from a file that another server has exported (XEP-0227)." },
	{ .node = NS_PUBSUB "#get-pending",
	    .name = "Get requests to subscribe",
	    .who = ANNEX_WHO_ANYBODY,
	    .values_size = sizeof(const char *),
	    .preset = preset_pending,
	    .run = run_pending,
	    .help = "Send the requests to subscribe to a node to its owner." },
	{ 0 },
};
