/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * dispatch.c - who gets an event
 *
 * In order of arrival, to whoever has room.  What one contact says stays in
 * order: while somebody has an event of theirs, that one alone gets the next,
 * and where an event failed, all that are behind it wait with it.
 */
#include <string.h>

#include "carrier.h"

#define STUFFED_MS 200 /* until one whose carrier had no room is asked again */

static bool
has_room(const struct consumer *c)
{
	return c->attached && c->taken_count < c->window &&
	    c->stuffed_until_ms <= annex_now_ms(c->bot->bots->inst);
}

static struct consumer *
least_loaded(const struct bot *bot)
{
	struct consumer *best = NULL;

	ANNEX_LIST_EACH (&bot->consumers, l) {
		struct consumer *c = annex_container_of(l, struct consumer, link);

		if (has_room(c) && (best == NULL || c->taken_count < best->taken_count))
			best = c;
	}
	return best;
}

static struct consumer *
first(const struct bot *bot)
{
	ANNEX_LIST_EACH (&bot->consumers, l) {
		struct consumer *c = annex_container_of(l, struct consumer, link);

		if (has_room(c))
			return c;
	}
	return NULL;
}

static struct consumer *
anybody(const struct bot *bot)
{
	return strcmp(bot->set->dispatch, "least-loaded") == 0 ? least_loaded(bot) : first(bot);
}

bool
bot_is_crowded(const struct bot *bot)
{
	return bot->waiting_count > 0 && bot->consumer_count > 0 && anybody(bot) == NULL;
}

static struct consumer *
choose(const struct bot *bot, const struct lane *lane, int64_t now_ms)
{
	if (lane->blocked_until_ms > now_ms)
		return NULL;
	if (lane->consumer == NULL)
		return anybody(bot);
	return has_room(lane->consumer) && !lane->consumer->one_by_one ? lane->consumer : NULL;
}

/* The others see it as well; who has taken it acknowledges it. */
static void
show_others(const struct consumer *c, struct event *ev)
{
	if (strcmp(c->bot->set->dispatch, "all") != 0 || c->one_by_one)
		return;
	ANNEX_LIST_EACH (&c->bot->consumers, l) {
		struct consumer *other = annex_container_of(l, struct consumer, link);

		if (other != c && other->attached && !other->one_by_one)
			other->carrier->deliver(other, ev);
	}
}

/* Negative: it waits on. */
static int
hand_over(struct consumer *c, struct event *ev)
{
	struct lane *lane = ev->lane;
	int r = c->carrier->deliver(c, ev);

	if (r < 0)
		return r;
	annex_list_remove(&ev->link);
	event_waits(ev, false);
	c->jumbled = !annex_list_is_empty(&c->taken) &&
	    (c->jumbled || annex_container_of(c->taken.prev, struct event, link)->seq > ev->seq);
	annex_list_append(&c->taken, &ev->link);
	c->taken_count++;
	ev->consumer = c;
	ev->taken_ms = annex_now_ms(c->bot->bots->inst);
	show_others(c, ev);
	if (ev->composes)
		states_watch(c->bot);
	lane->consumer = c;
	lane->taken++;
	if (c->ack == ACK_AUTO)
		event_done(ev);
	return ANNEX_OK;
}

static void
wake_at(struct bot *bot, int64_t due_ms, int64_t now_ms)
{
	if (due_ms != INT64_MAX)
		annex_timer_start(bot->retry, due_ms - now_ms);
}

void
dispatch(struct bot *bot)
{
	int64_t now_ms = annex_now_ms(bot->bots->inst), due_ms = INT64_MAX;

	if (bots_must(bot->bots, inbox_fill(bot)) < 0)
		return;
	bot->pass++;
	ANNEX_LIST_EACH (&bot->waiting, l) {
		struct event *ev = annex_container_of(l, struct event, link);
		struct lane *lane = ev->lane;
		struct consumer *c;

		if (anybody(bot) == NULL)
			break;
		if (lane->pass == bot->pass)
			continue; /* somebody of it waits already */
		if (expire_is_over(ev))
			continue;
		c = choose(bot, lane, now_ms);
		if (c != NULL && hand_over(c, ev) >= 0)
			continue;
		if (c != NULL) {
			c->stuffed_until_ms = now_ms + STUFFED_MS;
			due_ms = c->stuffed_until_ms < due_ms ? c->stuffed_until_ms : due_ms;
		}
		lane->pass = bot->pass;
		if (lane->blocked_until_ms > now_ms && lane->blocked_until_ms < due_ms)
			due_ms = lane->blocked_until_ms;
	}
	wake_at(bot, due_ms, now_ms);
	if (bot_is_crowded(bot))
		show_crowded(bot);
}

void
dispatch_anew(struct bot *bot)
{
	ANNEX_LIST_EACH (&bot->waiting, l)
		annex_container_of(l, struct event, link)->lane->blocked_until_ms = 0;
	dispatch(bot);
}
