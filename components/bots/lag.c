/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * lag.c - how far programs are behind
 *
 * The age of the oldest event that nobody has acknowledged says more than a number of
 * events: it grows where a program has stopped, and where it is too slow.  It
 * is looked at while something waits, and not at all otherwise.
 */
#include <string.h>

#include "carrier.h"

#define LOOK_MS 10000

static int64_t
first_ms(const struct annex_link *list, int64_t oldest_ms)
{
	int64_t made_ms;

	if (annex_list_is_empty(list))
		return oldest_ms;
	made_ms = annex_container_of(list->next, struct event, link)->made_ms;
	return oldest_ms == 0 || made_ms < oldest_ms ? made_ms : oldest_ms;
}

int64_t
bot_lag_ms(const struct bot *bot)
{
	int64_t oldest_ms = first_ms(&bot->waiting, 0), lag_ms;

	ANNEX_LIST_EACH (&bot->consumers, l)
		oldest_ms =
		    first_ms(&annex_container_of(l, struct consumer, link)->taken, oldest_ms);
	lag_ms = annex_wall_ms(bot->bots->inst) - oldest_ms;
	return oldest_ms == 0 || lag_ms < 0 ? 0 : lag_ms;
}

static void
look(struct annex_instance *inst, void *cookie)
{
	struct bots *m = cookie;
	struct annex_map_iter it = { 0 };
	int64_t waiting = 0, lag_ms = 0;

	(void)inst;
	while (annex_map_next(m->by_name, &it)) {
		const struct bot *bot = it.value;
		int64_t its_ms = bot_lag_ms(bot);

		waiting += (int64_t)bot->stored;
		if (its_ms > lag_ms)
			lag_ms = its_ms;
	}
	annex_gauge_set(m->waiting, waiting);
	annex_gauge_set(m->lag, lag_ms / 1000);
	if (waiting > 0)
		annex_timer_start(m->lag_timer, LOOK_MS);
}

void
lag_init(struct bots *m)
{
	m->waiting = annex_gauge(m->inst, "bots_waiting", "Events that nobody has acknowledged.");
	m->lag = annex_gauge(
	    m->inst, "bots_lag_seconds", "Age of the oldest event that nobody has acknowledged.");
	m->lag_timer = annex_timer(m->inst, look, m);
}

void
lag_note(struct bots *m)
{
	if (!annex_timer_is_running(m->lag_timer))
		annex_timer_start(m->lag_timer, LOOK_MS);
}
