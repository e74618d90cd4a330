/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * reply.c - answers to what people said
 *
 * They go to the bare address, so that all devices see them, in the type
 * and thread of what they answer; in a room, to the room.  Answers to an
 * event are counted: of one that was delivered again, those that were sent
 * before are swallowed.  The answer to an ad-hoc command goes into its form
 * while somebody looks at it.
 */
#include <string.h>

#include "command.h"

#define ROWS_MOST 1000
#define WIDTH_MOST 64 /* of a column: what is longer stands out */

static const char *
address_of(const struct event *ev)
{
	return rooms_reply_to(ev->bot, ev->from, ev->bare, ev->type);
}

const char *
reply_id(const struct event *ev)
{
	return bot_stanza_id(
	    ev->bot, annex_scratch(ev->bot->bots->inst), "reply", ev->seq * 4096 + ev->ordinal);
}

static struct annex_stanza *
message_for(struct event *ev)
{
	struct bot *bot = ev->bot;
	const char *type = ev->type == NULL || strcmp(ev->type, "normal") == 0 ? NULL : ev->type;
	struct annex_stanza *out = annex_message(bot->bots->inst, bot->full, address_of(ev), type);

	annex_attr_set(out->element, "id", reply_id(ev));
	return out;
}

/* Of a timer or a worker nobody is waiting; who was banned meanwhile hears nothing more. */
static bool
is_unheard(const struct event *ev)
{
	return strcmp(ev->bare, ev->bot->jid) == 0 || bot_bans(ev->bot, ev->bare);
}

/* Whether that answer was sent before. */
static bool
is_swallowed(struct event *ev)
{
	if (ev->ordinal >= ev->replies)
		return false;
	ev->ordinal++;
	return true;
}

/* Which of what they said it answers (XEP-0461). */
static void
quote(struct annex_element *message, const struct event *ev)
{
	struct annex_element *el = annex_add(message, NS_REPLY, "reply");

	annex_attr_set(el, "to", ev->from);
	annex_attr_set(el, "id", ev->id);
}

static int
send_part(struct event *ev, const char *part)
{
	struct annex_stanza *out;
	int r;

	if (is_swallowed(ev))
		return ANNEX_OK;
	out = message_for(ev);
	add_origin(out->element);
	annex_add_text(out->element, NULL, "body", part);
	if (ev->thread != NULL)
		annex_add_text(out->element, NULL, "thread", ev->thread);
	if (ev->quoted && ev->id != NULL)
		quote(out->element, ev);
	if (ev->composing)
		annex_add(out->element, NS_STATES, "active");
	if ((r = out_send(ev->bot, out, NULL)) < 0)
		return r;
	ev->replies = ++ev->ordinal;
	return ANNEX_OK;
}

static int
send_file(struct event *ev, const char *text)
{
	int r;

	if (is_swallowed(ev))
		return ANNEX_OK;
	r = bots_must(ev->bot->bots, files_text(ev->bot, address_of(ev), reply_id(ev), text));
	if (r < 0)
		return r;
	ev->replies = ++ev->ordinal;
	return ANNEX_OK;
}

int
reply_reactions(struct event *ev, const json_t *reactions)
{
	struct annex_stanza *out;
	int r;

	if (is_unheard(ev) || is_swallowed(ev))
		return ANNEX_OK;
	out = message_for(ev);
	add_reactions(out->element, ev->id, reactions, !ev->unkept);
	if ((r = out_send(ev->bot, out, NULL)) < 0)
		return r;
	ev->replies = ++ev->ordinal;
	return ANNEX_OK;
}

int
reply_text(struct event *ev, const char *body)
{
	struct annex_pool *pool = annex_scratch(ev->bot->bots->inst);
	const char *rest = clean_text(pool, body), *part;
	size_t max = (size_t)ev->bot->bots->set->max_body_bytes;
	int r;

	if (is_unheard(ev))
		return ANNEX_OK;
	if (adhoc_answer(ev, rest)) {
		ev->replies = ++ev->ordinal;
		return ANNEX_OK;
	}
	if ((ev->type == NULL || strcmp(ev->type, "groupchat") != 0) && files_take(ev->bot, rest))
		return send_file(ev, rest);
	while ((part = clean_part(pool, &rest, max)) != NULL)
		if ((r = send_part(ev, part)) < 0)
			return bots_must(ev->bot->bots, r);
	return ANNEX_OK;
}

int
reply_notice(struct event *ev, const char *text)
{
	bool said = strcmp(ev->kind, "message") == 0 || strcmp(ev->kind, "command") == 0 ||
	    (strcmp(ev->kind, "answer") == 0 && ev->body != NULL);

	if (!said)
		return ANNEX_OK; /* nobody is waiting */
	return reply_text(ev, text);
}

/* --- Tables ------------------------------------------------------------------------ */

static const char *
cell(const json_t *value, struct annex_pool *pool)
{
	char *dumped;
	const char *text;

	if (json_is_string(value))
		return clean_text(pool, json_string_value(value));
	dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	text = annex_strdup(pool, dumped != NULL ? dumped : "");
	free(dumped);
	return text;
}

bool
table_is_one(const json_t *table)
{
	const json_t *fields = json_object_get(table, "fields");
	const json_t *rows = json_object_get(table, "rows"), *item;
	size_t i;

	if (!json_is_array(fields) || !json_is_array(rows) || json_array_size(rows) > ROWS_MOST)
		return false;
	json_array_foreach(fields, i, item) if (!json_is_string(item)) return false;
	json_array_foreach(rows, i, item) if (!json_is_array(item) ||
	    json_array_size(item) != json_array_size(fields)) return false;
	return true;
}

static void
table_form(struct annex_element *command, const json_t *table, struct annex_pool *pool)
{
	const json_t *fields = json_object_get(table, "fields"), *row, *value;
	struct annex_element *x = annex_add(command, ANNEX_NS_FORM, "x"), *el, *field;
	size_t i, k;

	annex_attr_set(x, "type", "result");
	el = annex_add(x, NULL, "reported");
	json_array_foreach(fields, i, value)
	{
		field = annex_add(el, NULL, "field");
		annex_attr_set(field, "var", cell(value, pool));
		annex_attr_set(field, "label", cell(value, pool));
	}
	json_array_foreach(json_object_get(table, "rows"), i, row)
	{
		el = annex_add(x, NULL, "item");
		json_array_foreach(row, k, value)
		{
			field = annex_add(el, NULL, "field");
			annex_attr_set(field, "var", cell(json_array_get(fields, k), pool));
			annex_add_text(field, NULL, "value", cell(value, pool));
		}
	}
}

/* In characters, as a font of one width shows them. */
static size_t
width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void
widen(size_t *widths, const json_t *row, struct annex_pool *pool)
{
	const json_t *value;
	size_t i;

	json_array_foreach(row, i, value)
	{
		size_t n = width(cell(value, pool));

		if (n > widths[i] && n <= WIDTH_MOST)
			widths[i] = n;
	}
}

static void
add_row(struct text *t, const json_t *row, const size_t *widths, struct annex_pool *pool)
{
	const json_t *value;
	size_t i;

	json_array_foreach(row, i, value)
	{
		const char *text = cell(value, pool);

		text_puts(t, i > 0 ? "  " : "\n");
		text_puts(t, text);
		if (i + 1 < json_array_size(row) && widths[i] > width(text))
			text_printf(t, "%*s", (int)(widths[i] - width(text)), "");
	}
}

/* A block that is shown as it stands (XEP-0393), its columns below each other. */
static const char *
table_text(const json_t *table, struct annex_pool *pool)
{
	const json_t *fields = json_object_get(table, "fields"), *row;
	const json_t *rows = json_object_get(table, "rows");
	size_t *widths = annex_new_array(pool, size_t, json_array_size(fields) + 1);
	struct text t = { .pool = pool };
	size_t i;

	widen(widths, fields, pool);
	json_array_foreach(rows, i, row) widen(widths, row, pool);
	text_puts(&t, "```");
	add_row(&t, fields, widths, pool);
	json_array_foreach(rows, i, row) add_row(&t, row, widths, pool);
	text_puts(&t, "\n```");
	return t.bytes;
}

int
reply_table(struct event *ev, const json_t *table, const char *note)
{
	struct annex_pool *pool = annex_scratch(ev->bot->bots->inst);
	struct annex_stanza *out;
	struct annex_element *el = adhoc_result(ev, &out);

	if (el != NULL) {
		table_form(el, table, pool);
		if (note != NULL)
			adhoc_note(el, clean_text(pool, note));
		annex_send(ev->bot->bots->inst, out);
		ev->replies = ++ev->ordinal;
		return ANNEX_OK;
	}
	return reply_text(ev,
	    annex_sprintf(pool, "%s%s%s", note != NULL ? note : "", note != NULL ? "\n" : "",
		table_text(table, pool)));
}

/* --- Another form ------------------------------------------------------------------ */

int
reply_form(struct event *ev, const json_t *json, const char *note)
{
	struct annex_pool *pool = annex_scratch(ev->bot->bots->inst);
	char *dumped = json_dumps(json, JSON_COMPACT);
	const char *text = annex_strdup(pool, dumped != NULL ? dumped : "{}");
	const struct form form = form_of(text, pool);
	int r = ANNEX_OK;

	free(dumped);
	if (is_unheard(ev) || is_swallowed(ev))
		return ANNEX_OK;
	if (note != NULL)
		note = clean_text(pool, note);
	if (!adhoc_form(ev, &form, text, note))
		r = dialog_form(ev, &form, text, note);
	if (r >= 0)
		ev->replies = ++ev->ordinal;
	return r;
}
