/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco.c - who are you (XEP-0030 §3)
 *
 * An answer is collected first and rendered last.  The domain's own is put
 * together from the descriptor's table, what Annex answers for everybody,
 * what the component adds, and the contact addresses (XEP-0157).
 *
 *	address  node                     info                      items
 *	domain   none, or our caps node   table + component         component
 *	domain   commands (XEP-0050)      command-list              those one may run
 *	domain   a command's              command-node              none
 *	below    commands, a command's    as of the domain, where the component has some there
 *	any other                         component                 component
 */
#include <string.h>

#include <annex/caps.h>
#include <annex/form.h>

#include "base/check.h"
#include "disco_inside.h"
#include "instance.h"
#include "service.h"

#define NS_SERVERINFO "http://jabber.org/network/serverinfo"

/* --- The domain ---------------------------------------------------------- */

/* What core.c and this file answer for every component. */
static const char *const own_features[] = {
	ANNEX_NS_DISCO_INFO,
	ANNEX_NS_DISCO_ITEMS,
	"jabber:iq:last",
	"jabber:iq:version",
	"urn:xmpp:ping",
	"urn:xmpp:time",
	"vcard-temp",
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

/* --- Commands, and what is below the domain -------------------------------- */

bool
disco_has_commands(struct annex_instance *inst, const struct annex_stanza *in)
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

/* --- The hash ------------------------------------------------------------- */

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
	struct annex_disco_info *info = disco_info_create(inst);
	struct annex_element *query = annex_element(inst->scratch, ANNEX_NS_DISCO_INFO, "query");
	struct annex_error error = { 0 };
	int r;

	r = is_for_domain(inst, &self) ? collect_domain(inst, &self, info, &error)
				       : collect_other(inst, &self, NULL, info, &error);
	if (r < 0)
		return NULL;
	disco_info_render(info, query);
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

/* --- Answers --------------------------------------------------------------- */

/* Commands of an address below the domain; false where the node is none of them. */
static bool
collect_below(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info, struct annex_error *error, int *status_r)
{
	const struct annex_command *command = command_find(inst, node);

	if (strcmp(node, ANNEX_NS_COMMANDS) == 0 && disco_has_commands(inst, in))
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
const char *
disco_node(const struct annex_stanza *in)
{
	const char *node = annex_attr(in->payload, "node");

	return node != NULL && node[0] != '\0' ? node : NULL;
}

enum annex_verdict
disco_refuse(struct annex_instance *inst, const struct annex_stanza *in, int status,
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

struct annex_element *
disco_answer(struct annex_stanza *out, const char *ns, const char *node)
{
	struct annex_element *query = annex_add(out->element, ns, "query");

	annex_attr_set(query, "node", node);
	return query;
}

enum annex_verdict
disco_info_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_disco_info *info = disco_info_create(inst);
	struct annex_error error = { 0 };
	const char *node = disco_node(in);
	struct annex_stanza *out;
	int r;

	if ((r = collect(inst, in, node, info, &error)) < 0)
		return disco_refuse(inst, in, r, &error);
	out = annex_reply(inst, in);
	disco_info_render(info, disco_answer(out, ANNEX_NS_DISCO_INFO, node));
	annex_send(inst, out);
	return ANNEX_DONE;
}

enum annex_verdict
disco_set(struct annex_instance *inst, const struct annex_stanza *in)
{
	return annex_refuse(inst, in, ANNEX_NOT_ALLOWED, NULL);
}
