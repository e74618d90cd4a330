/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * command.c - commands as a program declares them
 */
#include <string.h>
#include <strings.h>

#include "command.h"

/* --- Reading ------------------------------------------------------------------ */

struct reading {
	struct annex_pool *pool;
	const char **why;
};

static int
wrong(const struct reading *r, const char *text)
{
	*r->why = text;
	return ANNEX_EINVAL;
}

/* A list of texts, or of [value, label]. */
static int
read_options(const struct reading *r, const json_t *list, struct field *f)
{
	const char **options = annex_new_array(r->pool, const char *, json_array_size(list) + 1);
	const json_t *item;
	size_t i;

	if (list == NULL)
		return ANNEX_OK;
	json_array_foreach(list, i, item)
	{
		if (json_is_array(item))
			item = json_array_get(item, 0);
		options[i] = annex_strdup(r->pool, json_string_value(item));
		if (options[i] == NULL)
			return wrong(r, "an option of a field is a text");
	}
	if (i == 0 || i > 256)
		return wrong(r, "\"options\" of a field must be a list of 1 to 256");
	f->options = options;
	return ANNEX_OK;
}

static int
read_field(const struct reading *r, const json_t *json, struct field *f)
{
	const char *type = json_string_value(json_object_get(json, "type"));

	f->var = annex_strdup(r->pool, json_string_value(json_object_get(json, "var")));
	f->label = annex_strdup(r->pool, json_string_value(json_object_get(json, "label")));
	f->required = json_is_true(json_object_get(json, "required"));
	f->type = type == NULL ? "text-single" : annex_strdup(r->pool, type);
	if (f->var == NULL || *f->var == '\0' || strpbrk(f->var, " =\"") != NULL)
		return wrong(r, "a field has a \"var\" without blanks");
	if (f->label == NULL)
		f->label = f->var;
	return read_options(r, json_object_get(json, "options"), f);
}

static int
read_command(const struct reading *r, const json_t *json, struct command *c)
{
	const json_t *fields = json_object_get(json, "fields");
	struct field *f;

	c->node = annex_strdup(r->pool, json_string_value(json_object_get(json, "node")));
	c->name = annex_strdup(r->pool, json_string_value(json_object_get(json, "name")));
	c->who = annex_strdup(r->pool, json_string_value(json_object_get(json, "who")));
	c->field_count = json_array_size(fields);
	if (c->node == NULL || *c->node == '\0' || strpbrk(c->node, " =\"") != NULL)
		return wrong(r, "a command has a \"node\" without blanks");
	if (c->field_count > FIELDS_MOST)
		return wrong(r, "a command has at most 30 fields");
	if (c->name == NULL)
		c->name = c->node;
	c->fields = f = annex_new_array(r->pool, struct field, c->field_count + 1);
	for (size_t i = 0; i < c->field_count; i++)
		if (read_field(r, json_array_get(fields, i), &f[i]) < 0)
			return ANNEX_EINVAL;
	return ANNEX_OK;
}

int
commands_read(
    const json_t *list, struct annex_pool *pool, struct commands *commands_r, const char **why)
{
	const struct reading r = { pool, why };
	size_t n = json_array_size(list);
	struct command *all = annex_new_array(pool, struct command, n + 1);

	if (!json_is_array(list) || n > COMMANDS_MOST)
		return wrong(&r, "\"commands\" must be a list of at most 100");
	for (size_t i = 0; i < n; i++)
		if (read_command(&r, json_array_get(list, i), &all[i]) < 0)
			return ANNEX_EINVAL;
	*commands_r = (struct commands) { all, n };
	return ANNEX_OK;
}

/* --- Keeping ------------------------------------------------------------------------ */

int
commands_keep(struct bot *bot, const json_t *list)
{
	struct annex_key key = bots_key(TABLE_COMMANDS, bot->name);
	Bots__Commands record = BOTS__COMMANDS__INIT;
	int r;

	record.json = json_dumps(list, JSON_COMPACT);
	r = annex_put(bot->bots->store, &key, &record.base);
	free(record.json);
	bot->commands_known = false;
	return r;
}

/* Memory holds the text alone: commands are rare, bots may be many. */
struct commands
commands_of(struct bot *bot)
{
	struct annex_key key = bots_key(TABLE_COMMANDS, bot->name);
	struct commands commands = { 0 };
	ProtobufCMessage *record;
	const char *why;
	json_t *list;

	if (bot->commands_known && !bot->has_commands)
		return commands;
	if (annex_get(bot->bots->store, &key, &record) >= 0) {
		list = json_loads(((Bots__Commands *)record)->json, 0, NULL);
		if (commands_read(list, annex_scratch(bot->bots->inst), &commands, &why) < 0)
			commands.count = 0;
		json_decref(list);
	}
	bot->commands_known = true;
	bot->has_commands = commands.count > 0;
	return commands;
}

/* --- Using --------------------------------------------------------------------------- */

bool
command_is_for(const struct bot *bot, const struct command *c, const struct annex_jid *who)
{
	struct annex_instance *inst = bot->bots->inst;
	struct annex_contact contact;

	if (c->who == NULL || annex_matches(inst, c->who, who))
		return true;
	if (annex_contact_get(inst, bot->jid, who->bare, &contact) < 0 || contact.groups == NULL)
		return false;
	for (const char *const *g = contact.groups; *g != NULL; g++)
		if (strcmp(*g, c->who) == 0)
			return true;
	return false;
}

const struct command *
command_find(const struct bot *bot, const struct commands *commands, const char *node,
    const struct annex_jid *who, bool fold)
{
	for (size_t i = 0; i < commands->count; i++) {
		const struct command *c = &commands->at[i];

		if ((fold ? strcasecmp(c->node, node) : strcmp(c->node, node)) == 0)
			return command_is_for(bot, c, who) ? c : NULL;
	}
	return NULL;
}

bool
field_accepts(const struct field *f, const char *value, const char **why)
{
	if (f->required && *value == '\0') {
		*why = "something";
		return false;
	}
	if (strcmp(f->type, "boolean") == 0 && strcmp(value, "0") != 0 && strcmp(value, "1") != 0 &&
	    strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
		*why = "true or false";
		return false;
	}
	if (f->options == NULL || (*value == '\0' && !f->required))
		return true;
	for (const char *const *o = f->options; *o != NULL; o++)
		if (strcmp(*o, value) == 0)
			return true;
	*why = "one of those that are offered";
	return false;
}

int
command_event(struct bot *bot, const struct command *c, const char *const *values,
    const struct annex_stanza *in, const char *via, struct event **event_r)
{
	struct event *ev;
	struct text t;
	int r;

	if ((r = event_make(bot, "command", in->from, &ev)) < 0)
		return r;
	if (in->kind == ANNEX_MESSAGE) {
		ev->type = annex_strdup(ev->pool, in->type);
		ev->thread = annex_strdup(ev->pool, annex_child_text(in->element, NULL, "thread"));
	} else {
		ev->type = "chat";
	}
	ev->id = annex_strdup(ev->pool, in->id);
	ev->lang = annex_strdup(ev->pool, annex_lang(in->element));
	t = event_begin(ev);
	text_member(&t, "node", c->node);
	text_member(&t, "via", via);
	text_name(&t, "form");
	text_open(&t);
	for (size_t i = 0; i < c->field_count; i++)
		text_member(&t, c->fields[i].var, values[i]);
	text_close(&t);
	add_who(&t, bot, in->from, ev->lang);
	event_end(ev, &t);
	ev->body = ev->line;
	*event_r = ev;
	return ANNEX_OK;
}
