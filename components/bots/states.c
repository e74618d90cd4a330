/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * states.c - whoever waits sees that somebody is writing (XEP-0085)
 *
 * Only for clients that show as much themselves, and only where the program
 * takes longer than a second; after half a minute it has paused.
 */
#include "carrier.h"

#define COMPOSING_MS 1000
#define PAUSED_MS 30000

static void
say(struct event *ev, const char *state)
{
	struct bot *bot = ev->bot;
	struct annex_instance *inst = bot->bots->inst;
	struct annex_stanza *out = annex_message(inst, bot->full, ev->from, "chat");

	annex_add(out->element, NS_STATES, state);
	annex_send_on(inst, annex_flow(inst, bot->name), out);
}

/* When to look at this one again. */
static int64_t
look_at(struct event *ev, int64_t now_ms)
{
	int64_t due_ms = ev->taken_ms + (ev->composing ? PAUSED_MS : COMPOSING_MS);

	if (!ev->composes)
		return INT64_MAX;
	if (due_ms > now_ms)
		return due_ms;
	say(ev, ev->composing ? "paused" : "composing");
	ev->composes = !ev->composing;
	ev->composing = true;
	return ev->composes ? ev->taken_ms + PAUSED_MS : INT64_MAX;
}

static int64_t
look_at_all(const struct annex_link *events, int64_t now_ms)
{
	int64_t next_ms = INT64_MAX, due_ms;

	ANNEX_LIST_EACH (events, l) {
		due_ms = look_at(annex_container_of(l, struct event, link), now_ms);
		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	return next_ms;
}

static void
look(struct annex_instance *inst, void *cookie)
{
	struct bot *bot = cookie;
	int64_t now_ms = annex_now_ms(inst), next_ms = INT64_MAX, due_ms;

	ANNEX_LIST_EACH (&bot->consumers, l) {
		due_ms = look_at_all(&annex_container_of(l, struct consumer, link)->taken, now_ms);
		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	due_ms = look_at_all(&bot->recent, now_ms);
	next_ms = due_ms < next_ms ? due_ms : next_ms;
	if (next_ms != INT64_MAX)
		annex_timer_start(bot->states_timer, next_ms - now_ms);
}

void
states_watch(struct bot *bot)
{
	if (bot->states_timer == NULL)
		bot->states_timer = annex_timer(bot->bots->inst, look, bot);
	if (!annex_timer_is_running(bot->states_timer))
		annex_timer_start(bot->states_timer, COMPOSING_MS);
}
