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

/* People see it, so it is cleaned; NULL where there is none. */
static const char *
text_of(const struct reading *r, const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text == NULL ? NULL : clean_text(r->pool, text);
}

static int
read_form(const struct reading *r, const json_t *json, struct form *form)
{
	const json_t *fields = json_object_get(json, "fields");
	struct field *f;

	form->field_count = json_array_size(fields);
	form->next = json_is_true(json_object_get(json, "next"));
	if (form->field_count > FIELDS_MOST)
		return wrong(r, "a command has at most 30 fields");
	form->fields = f = annex_new_array(r->pool, struct field, form->field_count + 1);
	for (size_t i = 0; i < form->field_count; i++)
		if (field_read(json_array_get(fields, i), r->pool, &f[i], r->why) < 0)
			return ANNEX_EINVAL;
	return ANNEX_OK;
}

int
form_read(const json_t *json, struct annex_pool *pool, struct form *form_r, const char **why)
{
	const struct reading r = { pool, why };
	static const char *const keys[] = { "title", "fields", "next", NULL };
	const char *name;
	const json_t *value;

	*form_r = (struct form) { .title = text_of(&r, json, "title") };
	json_object_foreach((json_t *)(uintptr_t)json, name, value)
	{
		size_t i = 0;

		while (keys[i] != NULL && strcmp(keys[i], name) != 0)
			i++;
		if (keys[i] == NULL)
			return wrong(&r, "\"form\" has \"title\", \"fields\" and \"next\"");
	}
	if (read_form(&r, json, form_r) < 0)
		return ANNEX_EINVAL;
	if (form_r->field_count == 0)
		return wrong(&r, "\"form\" has no \"fields\"");
	for (size_t i = 0; i < form_r->field_count; i++)
		if (!form_r->fields[i].kind->given)
			return ANNEX_OK;
	return wrong(&r, "\"form\" has no \"fields\" that ask anything");
}

struct form
form_of(const char *text, struct annex_pool *pool)
{
	json_t *json = json_loads(text, 0, NULL);
	struct form form = { 0 };
	const char *why;

	if (form_read(json, pool, &form, &why) < 0)
		form.field_count = 0;
	json_decref(json);
	return form;
}

static int
read_command(const struct reading *r, const json_t *json, struct command *c)
{
	c->node = text_of(r, json, "node");
	c->name = text_of(r, json, "name");
	c->who = text_of(r, json, "who");
	if (c->node == NULL || *c->node == '\0' || strpbrk(c->node, " =\"") != NULL)
		return wrong(r, "a command has a \"node\" without blanks");
	if (c->name == NULL)
		c->name = c->node;
	if (read_form(r, json, &c->form) < 0)
		return ANNEX_EINVAL;
	c->form.title = c->name;
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

/* --- What is said ------------------------------------------------------------------------ */

static const char *
object_text(json_t *json, struct annex_pool *pool)
{
	char *text = json_dumps(json, JSON_COMPACT);
	const char *copy = annex_strdup(pool, text != NULL ? text : "{}");

	free(text);
	json_decref(json);
	return copy;
}

const char *
said_with(
    struct annex_pool *pool, const char *before, const struct form *form, const char *const *values)
{
	json_t *json = json_loads(before != NULL ? before : "{}", 0, NULL);

	for (size_t i = 0; i < form->field_count; i++)
		if (values[i] != NULL)
			json_object_set_new(json, form->fields[i].var,
			    field_json(&form->fields[i], values[i], pool));
	return object_text(json, pool);
}

const char *
event_said(const struct event *ev, struct annex_pool *pool)
{
	json_t *line = json_loads(ev->line, 0, NULL);
	json_t *said = json_incref(json_object_get(line, "form"));

	json_decref(line);
	return object_text(said, pool);
}

int
command_event(struct bot *bot, const struct saying *saying, const struct annex_stanza *in,
    struct event **event_r)
{
	struct event *ev;
	struct text t;
	int r;

	if ((r = event_make(bot, "command", in->from, &ev)) < 0)
		return r;
	if (in->kind == ANNEX_MESSAGE) {
		ev->type = annex_strdup(ev->pool, in->type);
		ev->thread = annex_strdup(ev->pool, annex_child_text(in->element, NULL, "thread"));
		event_note_message(ev, in);
	} else {
		ev->type = "chat";
	}
	ev->id = annex_strdup(ev->pool, in->kind == ANNEX_MESSAGE ? id_for_others(in) : NULL);
	ev->lang = annex_strdup(ev->pool, annex_lang(in->element));
	t = event_begin(ev);
	text_member(&t, "node", saying->node);
	text_member(&t, "via", saying->via);
	text_name(&t, "form");
	text_puts(&t, saying->said);
	if (saying->stage > 1)
		text_number(&t, "stage", (int64_t)saying->stage);
	add_who(&t, bot, in->from, ev->lang);
	event_end(ev, &t);
	ev->body = ev->line;
	*event_r = ev;
	return ANNEX_OK;
}
