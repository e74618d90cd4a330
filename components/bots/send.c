/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * send.c - messages that answer nothing
 *
 * With a key they are sent once, however often a program says so: the key is
 * remembered for a day, with the id that its message got.
 */
#include <sodium.h>
#include <string.h>

#include "action.h"

#define KEY_BYTES 256

static const char *const types[] = { "normal", "chat", "headline", "groupchat", NULL };

static bool
is_type(const char *type)
{
	for (const char *const *t = types; *t != NULL; t++)
		if (strcmp(*t, type) == 0)
			return true;
	return false;
}

int
judge_send(struct action *a)
{
	if (a->type != NULL && !is_type(a->type))
		return action_wrong(
		    a, "bad-json", "\"type\" must be normal, chat, headline or groupchat");
	if (a->key != NULL && (*a->key == '\0' || strlen(a->key) > KEY_BYTES))
		return action_wrong(
		    a, "bad-json", "\"key\" must be a text of 1 to %d bytes", KEY_BYTES);
	return ANNEX_OK;
}

/* What was sent under that key before. */
static const Bots__Send *
known(const struct action *a)
{
	struct annex_key key = bots_key_in(TABLE_KEYS, a->bot->name, a->key);
	ProtobufCMessage *record;

	if (annex_get(a->bot->bots->store, &key, &record) < 0)
		return NULL;
	return (const Bots__Send *)record;
}

static int
note_key(const struct action *a)
{
	struct annex_key key = bots_key_in(TABLE_KEYS, a->bot->name, a->key);
	Bots__Send record = BOTS__SEND__INIT;

	record.id = (char *)(uintptr_t)a->stanza_id;
	record.key = (char *)(uintptr_t)a->key;
	record.to = (char *)(uintptr_t)a->to->full;
	record.made_ms = annex_wall_ms(a->bot->bots->inst);
	return annex_put(a->bot->bots->store, &key, &record.base);
}

static int
send_part(struct action *a, const char *part, unsigned number)
{
	struct annex_instance *inst = a->bot->bots->inst;
	struct annex_stanza *out = annex_message(inst, a->bot->full, a->to->full,
	    a->type == NULL                      ? "chat"
		: strcmp(a->type, "normal") == 0 ? NULL
						 : a->type);

	annex_attr_set(out->element, "id",
	    number == 0 ? a->stanza_id : annex_sprintf(a->pool, "%s-%u", a->stanza_id, number));
	if (number == 0 && a->subject != NULL)
		annex_add_text(out->element, NULL, "subject", clean_text(a->pool, a->subject));
	annex_add_text(out->element, NULL, "body", part);
	if (a->thread != NULL)
		annex_add_text(out->element, NULL, "thread", clean_text(a->pool, a->thread));
	return out_send(a->bot, out);
}

static int
send_all(struct action *a)
{
	const char *rest = clean_text(a->pool, a->body), *part;
	size_t max = (size_t)a->bot->bots->set->max_body_bytes;
	unsigned n = 0;
	int r;

	while ((part = clean_part(a->pool, &rest, max)) != NULL)
		if ((r = send_part(a, part, n++)) < 0)
			return n > 1 || a->key != NULL ? bots_must(a->bot->bots, r) : r;
	return ANNEX_OK;
}

int
run_send(struct action *a)
{
	struct annex_instance *inst = a->bot->bots->inst;
	const Bots__Send *before = a->key == NULL ? NULL : known(a);
	int r;

	a->state = "queued";
	if (before != NULL) {
		a->stanza_id = annex_strdup(a->pool, before->id);
		return ANNEX_OK;
	}
	a->stanza_id =
	    a->key == NULL ? annex_random_id(inst) : bot_stanza_id(a->bot, a->pool, a->key, 0);
	if (a->key != NULL && (r = note_key(a)) < 0)
		return r;
	return send_all(a);
}
