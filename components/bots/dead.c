/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * dead.c - events that fail: tried again, given up, and tried anew
 *
 * The pause between tries doubles.  What is given up is a dead letter, which an
 * operator sees (admin.c) and may revive for a month; whoever caused it is told once.
 */
#include <inttypes.h>
#include <string.h>

#include "event.h"

#define DEAD_MOST 10000 /* of a bot */
#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS 300000

/* Where there are too many the oldest goes. */
static int
make_room(struct bot *bot)
{
	struct annex_key prefix = bots_key(TABLE_DEAD, bot->name);
	struct annex_iter it = annex_iter(&prefix);
	uint64_t count;
	int r = annex_rows(bot->bots->store, &prefix, &count);

	if (r < 0 || count < DEAD_MOST)
		return r;
	it.keys_only = true;
	if (annex_next(bot->bots->store, &it) != ANNEX_AGAIN)
		return ANNEX_ESTORE;
	return annex_delete(bot->bots->store, &it.key);
}

int
event_bury(struct event *ev, const char *why)
{
	struct bots *m = ev->bot->bots;
	struct annex_key key = bots_key_seq(TABLE_DEAD, ev->bot->name, ev->seq);
	Bots__Dead dead = BOTS__DEAD__INIT;
	Bots__Event record;

	if (bots_must(m, make_room(ev->bot)) < 0)
		return ANNEX_ESTORE;
	tidy_later(m);
	annex_count(m->dead, 1);

	event_pack(ev, &record);
	dead.event = &record;
	dead.why = (char *)(uintptr_t)why;
	dead.given_up_ms = annex_wall_ms(m->inst);
	return bots_must(m, annex_put(m->store, &key, &dead.base));
}

static void
give_up(struct event *ev, const char *why)
{
	struct bot *bot = ev->bot;

	if (event_bury(ev, why) < 0)
		return;
	annex_log(bot->bots->inst, ANNEX_LOG_WARNING,
	    "%s gave an event up: seq=%" PRIu64 " tries=%" PRIu32 " why=%s", bot->name, ev->seq,
	    ev->tries, why);
	if (reply_notice(ev, "Sorry, this failed and was given up.") < 0)
		return;
	ev->ordinal = 1;
	event_done(ev);
}

static int64_t
pause_after(uint32_t tries)
{
	int64_t ms = RETRY_FIRST_MS;

	while (--tries > 0 && ms < RETRY_MOST_MS)
		ms *= 2;
	return ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS;
}

void
event_failed(struct event *ev, bool for_good, const char *why)
{
	struct bot *bot = ev->bot;

	ev->tries++;
	if (for_good || ev->tries >= (uint32_t)bot->set->tries) {
		give_up(ev, why);
		return;
	}
	if (event_note(ev) < 0)
		return;
	ev->lane->blocked_until_ms = annex_now_ms(bot->bots->inst) + pause_after(ev->tries);
	event_release(ev);
}

/* --- A second life -------------------------------------------------------------------------- */

/* The line holds the number: the new one takes the old one's place, which comes first. */
static const char *
line_with(struct annex_pool *pool, uint64_t seq, const char *line)
{
	const char *rest = strchr(line, ',');

	return annex_sprintf(pool, "{\"seq\":%" PRIu64 "%s", seq, rest != NULL ? rest : "}");
}

int
event_revive(struct bot *bot, const Bots__Event *record)
{
	struct event *ev;
	uint64_t seq;
	int r;

	if ((r = bot_next_seq(bot, &seq)) < 0)
		return r;
	ev = event_unpack(bot, seq, record);
	ev->line = line_with(ev->pool, seq, ev->line);
	ev->tries = 0;
	ev->replies = 0;
	ev->made_ms = annex_wall_ms(bot->bots->inst); /* it waits anew */
	ev->is_state = false; /* of another time: what is known by now stays */
	return event_add_or_drop(ev);
}
