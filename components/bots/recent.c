/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * recent.c - events that are done, but may still be answered
 *
 * One that was acknowledged without an answer of its own is remembered a little
 * longer, in memory: a program may answer out of order.  One that it said it
 * would answer later is a row until it has.
 */
#include <string.h>

#include "carrier.h"

#define RECENT_MOST 512
#define BYTES_MOST ((size_t)4 << 20)

/* Where all programs see an event, each may answer it, also behind the one that has done with it. */
bool
bot_is_for_all(const struct bot *bot)
{
	return strcmp(bot->set->dispatch, "all") == 0;
}

static void
forget(struct event *ev)
{
	ev->bot->recent_count--;
	ev->bot->recent_bytes -= event_bytes(ev);
	event_drop(ev);
}

void
event_remember(struct event *ev)
{
	struct bot *bot = ev->bot;

	annex_list_append(&bot->recent, &ev->link);
	bot->recent_count++;
	bot->recent_bytes += event_bytes(ev);
	while (bot->recent_count > RECENT_MOST ||
	    (bot->recent_bytes > BYTES_MOST && bot->recent_count > 1))
		forget(annex_container_of(bot->recent.next, struct event, link));
}

/* --- Those that are answered later ------------------------------------------------------ */

int
event_later(struct event *ev)
{
	struct annex_key key = bots_key_seq(TABLE_LATER, ev->bot->name, ev->seq);
	Bots__Event record;

	event_pack(ev, &record);
	ev->later = true;
	return bots_must(ev->bot->bots, annex_put(ev->bot->bots->store, &key, &record.base));
}

int
event_answered(struct event *ev)
{
	struct annex_key key = bots_key_seq(TABLE_LATER, ev->bot->name, ev->seq);

	if (ev->later && bots_must(ev->bot->bots, annex_delete(ev->bot->bots->store, &key)) < 0)
		return ANNEX_ESTORE;
	ev->later = false;
	if (bot_is_for_all(ev->bot))
		return ANNEX_OK;
	forget(ev);
	return ANNEX_OK;
}

static struct event *
later_load(struct bot *bot, uint64_t seq)
{
	struct annex_key key = bots_key_seq(TABLE_LATER, bot->name, seq);
	ProtobufCMessage *record;
	struct event *ev;

	if (annex_get(bot->bots->store, &key, &record) < 0)
		return NULL;
	ev = event_unpack(bot, seq, (const Bots__Event *)record);
	ev->later = true;
	ev->ordinal = ev->replies;
	event_remember(ev);
	return ev;
}

/* --- Finding one ------------------------------------------------------------------------ */

static struct event *
find_in(const struct annex_link *events, uint64_t seq)
{
	ANNEX_LIST_EACH (events, l) {
		struct event *ev = annex_container_of(l, struct event, link);

		if (ev->seq == seq)
			return ev;
	}
	return NULL;
}

static struct event *
find_with_others(const struct bot *bot, uint64_t seq)
{
	struct event *ev = NULL;

	if (!bot_is_for_all(bot))
		return NULL;
	ANNEX_LIST_EACH (&bot->consumers, l)
		if (ev == NULL)
			ev = find_in(&annex_container_of(l, struct consumer, link)->taken, seq);
	return ev;
}

struct event *
event_find(const struct consumer *c, uint64_t seq)
{
	struct event *ev = find_in(&c->taken, seq);

	if (ev == NULL)
		ev = find_with_others(c->bot, seq);
	if (ev == NULL)
		ev = find_in(&c->bot->recent, seq);
	return ev != NULL ? ev : later_load(c->bot, seq);
}
