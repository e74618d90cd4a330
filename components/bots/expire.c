/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * expire.c - events that nobody took in time
 *
 * How long one may wait is an option for each kind.  It is asked for when an event
 * is to be handed over, and by a timer for those in memory, whether a program is
 * there or not: they are the oldest, and what is behind them in the store comes
 * into memory as they go.  What a program has taken is its own affair.
 *
 * What people said is kept as a dead letter, and they are told; a contact who says much
 * is told once a minute.  The others are of no use to anybody by then.
 */
#include <string.h>

#include "event.h"

#define AT_ONCE 200                      /* in a turn */
#define PAUSE_MS 10                      /* until the next of them */
#define TOLD_MS 60000                    /* of one contact */
#define WAIT_MOST_MS ((int64_t)86400000) /* the clock on the wall may be set */

static const struct kind {
	const char *name;
	size_t ttl; /* in struct bot_settings */
	bool kept;  /* as a dead letter */
} kinds[] = {
	{ "message", offsetof(struct bot_settings, ttl_message_ms), true },
	{ "command", offsetof(struct bot_settings, ttl_command_ms), true },
	{ "answer", offsetof(struct bot_settings, ttl_answer_ms), true },
	{ "undelivered", offsetof(struct bot_settings, ttl_undelivered_ms), true },
	{ "contact", offsetof(struct bot_settings, ttl_contact_ms), false },
	{ "receipt", offsetof(struct bot_settings, ttl_receipt_ms), false },
	{ "reaction", offsetof(struct bot_settings, ttl_reaction_ms), false },
	{ "timer", offsetof(struct bot_settings, ttl_timer_ms), false },
	{ "beat", offsetof(struct bot_settings, ttl_beat_ms), false },
	{ 0 },
};

static const struct kind *
kind_of(const struct event *ev)
{
	const struct kind *kind = kinds;

	while (kind->name != NULL && strcmp(kind->name, ev->kind) != 0)
		kind++;
	return kind->name != NULL ? kind : NULL;
}

/* On the wall; INT64_MAX: never. */
static int64_t
due_of(const struct event *ev)
{
	const struct kind *kind = kind_of(ev);
	int64_t ttl_ms =
	    kind == NULL ? 0 : *(const int64_t *)((const char *)ev->bot->set + kind->ttl);

	return ttl_ms > 0 ? ev->made_ms + ttl_ms : INT64_MAX;
}

static void
ring_at(struct bot *bot, int64_t due_ms)
{
	int64_t after_ms;

	if (due_ms == INT64_MAX || due_ms >= bot->expires_ms)
		return;
	bot->expires_ms = due_ms;
	after_ms = due_ms - annex_wall_ms(bot->bots->inst);
	annex_timer_start(bot->expiry,
	    after_ms < PAUSE_MS           ? PAUSE_MS
		: after_ms > WAIT_MOST_MS ? WAIT_MOST_MS
					  : after_ms);
}

void
expire_note(const struct event *ev)
{
	ring_at(ev->bot, due_of(ev));
}

static bool
is_over(const struct event *ev)
{
	return due_of(ev) <= annex_wall_ms(ev->bot->bots->inst);
}

bool
expire_is_over(const struct event *ev)
{
	if (is_over(ev))
		expire_note(ev);
	return is_over(ev);
}

static int
tell(struct event *ev)
{
	int64_t now_ms = annex_now_ms(ev->bot->bots->inst);

	if (ev->lane->told_ms > 0 && now_ms - ev->lane->told_ms < TOLD_MS)
		return ANNEX_OK;
	ev->lane->told_ms = now_ms;
	ev->ordinal = ev->replies; /* of this nothing was said before */
	ev->quoted = true;
	return reply_notice(ev, "Sorry, nobody took this in time, and it was given up.");
}

static int
expire(struct event *ev)
{
	struct bots *m = ev->bot->bots;

	annex_count(m->expired, 1);
	if (kind_of(ev)->kept && (event_bury(ev, "nobody took it in time") < 0 || tell(ev) < 0))
		return ANNEX_ESTORE;
	return event_forget(ev);
}

static void
look(struct annex_instance *inst, void *cookie)
{
	struct bot *bot = cookie;
	size_t n = 0;

	bot->expires_ms = INT64_MAX;
	ANNEX_LIST_EACH (&bot->waiting, l) {
		struct event *ev = annex_container_of(l, struct event, link);

		if (n == AT_ONCE || !is_over(ev))
			expire_note(ev);
		else if (expire(ev) < 0)
			return;
		else
			n++;
	}
	if (n > 0)
		annex_log(
		    inst, ANNEX_LOG_NOTICE, "nobody took %zu events of %s in time", n, bot->name);
	dispatch(bot);
}

void
expire_look(struct bot *bot)
{
	look(bot->bots->inst, bot);
}

void
expire_begin(struct bot *bot)
{
	bot->expires_ms = INT64_MAX;
	bot->expiry = annex_timer(bot->bots->inst, look, bot);
}
