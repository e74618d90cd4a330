/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * echoes.c - what rooms call the messages that a bot has said there (XEP-0359)
 *
 * A room hands each message to whoever said it, too, with a name of its own,
 * by which everybody there knows it.  Names are kept for a day.
 */
#include <string.h>

#include "bots.h"

static struct annex_key
key_of(const struct bot *bot, const char *room, const char *name)
{
	return bots_key_in(TABLE_ECHOES, bot->name,
	    annex_sprintf(annex_scratch(bot->bots->inst), "%s\n%s", room, name));
}

const char *
echo_name(const struct annex_stanza *in)
{
	ANNEX_CHILDREN (in->element, el) {
		const char *by = annex_attr(el, "by"), *id = annex_attr(el, "id");

		if (annex_is(el, NS_SID, "stanza-id") && by != NULL && id != NULL &&
		    strcmp(by, in->from->bare) == 0)
			return id;
	}
	return NULL;
}

/* Where what it was called on its way is known to its program, the room's name for it is as well. */
static int
note_sent(struct bot *bot, const char *room, const char *id, const char *name)
{
	const Bots__Send *known = send_by_id(bot, id);
	struct annex_key key = bots_key_in(TABLE_SENDS, bot->name, id);
	Bots__Send send;

	if (known == NULL || strcmp(known->to, room) != 0)
		return ANNEX_OK;
	send = *known;
	send.echo = (char *)(uintptr_t)name;
	return annex_put(bot->bots->store, &key, &send.base);
}

void
echo_note(struct bot *bot, const struct annex_stanza *in)
{
	const struct annex_element *origin = annex_child(in->element, NS_SID, "origin-id");
	const char *id = origin == NULL ? in->id : annex_attr(origin, "id");
	const char *name = echo_name(in), *room = in->from->bare;
	Bots__Send echo = BOTS__SEND__INIT;
	struct annex_key key;

	if (id == NULL || name == NULL)
		return;
	key = key_of(bot, room, name);
	echo.id = (char *)(uintptr_t)id;
	echo.to = (char *)(uintptr_t)room;
	echo.made_ms = annex_wall_ms(bot->bots->inst);
	tidy_later(bot->bots);
	if (bots_must(bot->bots, annex_put(bot->bots->store, &key, &echo.base)) >= 0)
		bots_must(bot->bots, note_sent(bot, room, id, name));
}

const char *
echo_id(const struct bot *bot, const char *room, const char *name)
{
	struct annex_key key = key_of(bot, room, name);
	ProtobufCMessage *record;

	if (annex_get(bot->bots->store, &key, &record) < 0)
		return NULL;
	return annex_strdup(annex_scratch(bot->bots->inst), ((const Bots__Send *)record)->id);
}
