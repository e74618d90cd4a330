/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * import_nodes.c - nodes come in from a file
 *
 * What a node is to be like is taken field by field, and what cannot be is left
 * (XEP-0227 §4.9.1); but never so that more may see it than could before.
 */
#include <string.h>

#include "import.h"

/* --- Names ------------------------------------------------------------------------------ */

static const char *const slots[] = { "{node}", "{user}", "{host}" };
#define SLOTS (sizeof(slots) / sizeof(*slots))

/* Which slot a text begins with; SLOTS: none. */
static size_t
slot_at(const char *text)
{
	size_t i = 0;

	while (i < SLOTS && strncmp(text, slots[i], strlen(slots[i])) != 0)
		i++;
	return i;
}

const char *
import_judge_template(const char *as, struct annex_pool *pool)
{
	if (strstr(as, "{node}") == NULL)
		return "\"as\" has no {node}: all nodes would have one name.";
	for (; *as != '\0'; as++)
		if (*as == '{' && slot_at(as) == SLOTS)
			return annex_sprintf(pool,
			    "\"as\" has {node}, {user} and {host}, and no \"%s\".",
			    import_shown(as, pool));
	return NULL;
}

/* value of slots[i], for each. */
static const char *
fill(const char *as, const char *const *value, struct annex_pool *pool)
{
	size_t room = 1;
	char *name, *to;

	for (const char *at = as; *at != '\0'; at++)
		room += slot_at(at) < SLOTS ? strlen(value[slot_at(at)]) : 1;
	to = name = annex_pool_alloc(pool, room);
	for (size_t i; *as != '\0'; as += i < SLOTS ? strlen(slots[i]) : 1) {
		if ((i = slot_at(as)) < SLOTS)
			to = stpcpy(to, value[i]);
		else
			*to++ = *as;
	}
	*to = '\0';
	return name;
}

const char *
import_name(struct import *imp, const char *their, struct annex_pool *pool)
{
	const char *name;

	name = their == NULL || their[0] == '\0'
	    ? NULL
	    : fill(imp->as, (const char *[]) { their, imp->owner->local, imp->host->full }, pool);
	if (name != NULL && strlen(name) <= (size_t)imp->p->set->max_id_bytes)
		return name;
	if (name == NULL && imp->pass != PASS_MARKS)
		import_left(imp, "node", "it has no name");
	else if (imp->pass != PASS_MARKS)
		import_left(imp, "node", "its name is longer than %lld bytes here",
		    (long long)imp->p->set->max_id_bytes);
	return NULL;
}

/* --- Nodes -------------------------------------------------------------------------------- */

static struct annex_key
mark_key(const struct node *node)
{
	return key_number(TABLE_IMPORTING, node->number);
}

static bool
is_marked(const struct node *node)
{
	const struct annex_key key = mark_key(node);

	return annex_has(node->p->store, &key);
}

static bool
mark(struct import *imp, const struct node *node)
{
	const struct annex_key key = mark_key(node);
	Pubsub__Posting record = PUBSUB__POSTING__INIT;

	return import_wrote(imp, must(imp->p, annex_put(imp->p->store, &key, &record.base)));
}

struct node *
import_node(struct import *imp)
{
	struct node *node = node_find(imp->p, imp->name);

	return node == NULL || node->gone || !is_marked(node) ||
		rank_of(node, imp->owner->bare) != RANK_OWNER
	    ? NULL
	    : node;
}

bool
import_begin(struct import *imp, const char *what)
{
	const struct node *node = node_find(imp->p, imp->name);

	/* Where there is one it was said before why it is not touched. */
	if (node == NULL || node->gone)
		import_left(
		    imp, what, "nothing says what the node is like, or it could not be made");
	return import_node(imp) != NULL;
}

/* A form of one field of theirs. */
static const struct annex_element *
form_of(const struct annex_element *field, struct annex_pool *pool)
{
	struct annex_element *x = annex_element(pool, ANNEX_NS_FORM, "x"), *type;

	annex_attr_set(x, "type", "submit");
	type = annex_add(x, NULL, "field");
	annex_attr_set(type, "var", "FORM_TYPE");
	annex_add_text(type, NULL, "value", NS_NODE_CONFIG);
	annex_add_copy(x, field);
	return x;
}

/* Who may see and publish must be as it was, or be nobody. */
static void
field_left(struct import *imp, const char *var, const char *why, struct node_config *config)
{
	import_left(imp, var, "%s", why);
	if (strcmp(var, "pubsub#access_model") == 0 ||
	    strcmp(var, "pubsub#roster_groups_allowed") == 0)
		config->access_model = "whitelist";
	if (strcmp(var, "pubsub#publish_model") == 0)
		config->publish_model = "publishers";
}

static void
field_read(struct import *imp, const struct annex_element *field, struct node_config *config)
{
	struct annex_pool *pool = annex_scratch(imp->p->inst);
	const char *var = annex_attr(field, "var"), *why = NULL;

	/* A field without a value says nothing: Prosody writes them all. */
	if (var == NULL || strcmp(var, "FORM_TYPE") == 0 ||
	    annex_child(field, NULL, "value") == NULL)
		return;
	if (config_read(imp->p, form_of(field, pool), config, pool, &why) != FAULT_NONE)
		field_left(imp, var, why == NULL ? "there is no such thing here" : why, config);
}

/* XEP-0163 §5: what nothing is said about is for contacts. */
static struct node_config
config_of(struct import *imp, const struct annex_element *configure)
{
	const struct annex_element *x = annex_child(configure, ANNEX_NS_FORM, "x");
	struct node_config config = config_preset(imp->p);
	bool denied = false;

	config.access_model = "presence";
	config.publish_model = "publishers";
	if (x == NULL)
		return config;
	ANNEX_CHILDREN (x, field) {
		if (!annex_is(field, ANNEX_NS_FORM, "field"))
			continue;
		field_read(imp, field, &config);
		denied = denied || strcmp(config.access_model, "whitelist") == 0;
	}
	if (denied)
		config.access_model = "whitelist";
	return config;
}

static void
node_new(struct import *imp, const struct node_config *config)
{
	struct node *node;
	int status;

	if (nodes_reach(imp->p, imp->owner)) {
		import_left(
		    imp, "node", "%s has made as many nodes as one user may", imp->owner->bare);
		return;
	}
	node = node_make(imp->p, imp->name, config, imp->owner->bare, &status);
	if (node != NULL && mark(imp, node))
		imp->nodes++;
	else if (node == NULL)
		import_wrote(imp, status);
}

static bool
may_overwrite(struct import *imp, const struct node *node)
{
	if (!imp->replace)
		import_left(imp, "node", "there is one of that name: %s", imp->name);
	else if (rank_of(node, imp->owner->bare) != RANK_OWNER)
		import_left(
		    imp, "node", "there is one of that name that is not theirs: %s", imp->name);
	else
		return true;
	return false;
}

static void
node_overwrite(struct import *imp, struct node *node, const struct node_config *config)
{
	if (import_wrote(imp, node_reconfigure(node, config)) && mark(imp, node))
		imp->nodes++;
	node_tidy(&node);
}

static void
node_take(struct import *imp, const struct annex_element *el)
{
	struct node *node = node_find(imp->p, imp->name);
	struct node_config config;
	bool is_there = node != NULL && !node->gone;

	if (kept_create_fault(imp->name) != FAULT_NONE) {
		import_left(imp, "node", "nodes of such names are made by the service alone");
	} else if (import_node(imp) != NULL) {
		imp->nodes++; /* by an import that was interrupted */
	} else if (!is_there || may_overwrite(imp, node)) {
		config = config_of(imp, el);
		if (is_there)
			node_overwrite(imp, node, &config);
		else
			node_new(imp, &config);
	}
}

void
import_configure(struct import *imp, const struct annex_element *el)
{
	imp->their = annex_attr(el, "node");
	imp->name = import_name(imp, imp->their, el->pool);
	if (imp->name != NULL)
		node_take(imp, el);
	imp->their = imp->name = NULL;
}

/* All of it is in: from now on it is a node as others are. */
void
import_forget(struct import *imp, const struct annex_element *el)
{
	const char *name = import_name(imp, annex_attr(el, "node"), el->pool);
	const struct node *node = name == NULL ? NULL : node_find(imp->p, name);
	struct annex_key key;

	if (node == NULL)
		return;
	key = mark_key(node);
	import_wrote(imp, annex_delete(imp->p->store, &key));
}
