/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * reply.c - answers to what people said
 *
 * They go to the bare address, so that all devices see them, in the type
 * and thread of what they answer; in a room, to the room.  Answers to an
 * event are counted: of one that was delivered again, those that were sent
 * before are swallowed.
 */
#include "bots.h"

static struct annex_stanza *
message_for(struct event *ev)
{
	struct bot *bot = ev->bot;
	struct annex_stanza *out = annex_message(bot->bots->inst, bot->full, ev->bare, ev->type);

	annex_attr_set(out->element, "id",
	    bot_stanza_id(
		bot, annex_scratch(bot->bots->inst), "reply", ev->seq * 4096 + ev->ordinal));
	return out;
}

static int
send_part(struct event *ev, const char *part)
{
	struct annex_stanza *out;
	int r;

	if (ev->ordinal < ev->replies) {
		ev->ordinal++;
		return ANNEX_OK;
	}
	out = message_for(ev);
	annex_add_text(out->element, NULL, "body", part);
	if (ev->thread != NULL)
		annex_add_text(out->element, NULL, "thread", ev->thread);
	if ((r = out_send(ev->bot, out)) < 0)
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

	while ((part = clean_part(pool, &rest, max)) != NULL)
		if ((r = send_part(ev, part)) < 0)
			return bots_must(ev->bot->bots, r);
	return ANNEX_OK;
}

int
reply_notice(struct event *ev, const char *text)
{
	return reply_text(ev, text);
}
