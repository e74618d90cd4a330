/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * lane.c - what waits of one contact
 *
 * There is a lane for each contact of whom there are events in the store.  It keeps
 * their order, and counts them.  Of whether a contact is there, only what was seen last need
 * wait: while nobody has taken an earlier event of that, a later one replaces it, so that
 * a contact that comes and goes all night is one event in the morning.
 */
#include "bots.h"

struct lane *
lane_of(struct bot *bot, const char *bare)
{
	struct lane *lane = annex_map_get_str(bot->lanes, bare);

	if (lane != NULL)
		return lane;
	if (annex_list_is_empty(&bot->spare_lanes)) {
		lane = annex_new(bot->pool, struct lane);
		annex_list_init(&lane->spare);
	} else {
		lane = annex_container_of(bot->spare_lanes.next, struct lane, spare);
		annex_list_remove(&lane->spare);
	}
	annex_map_set_str(bot->lanes, bare, lane);
	return lane;
}

void
lane_leave(struct event *ev)
{
	struct bot *bot = ev->bot;
	struct lane *lane = ev->lane;

	ev->lane = NULL;
	if (lane == NULL)
		return;
	if (lane->state == ev) {
		lane->state = NULL;
		lane->state_seq = 0;
	}
	if (--lane->events > 0)
		return;
	annex_map_remove_str(bot->lanes, ev->bare);
	*lane = (struct lane) { 0 };
	annex_list_init(&lane->spare);
	annex_list_append(&bot->spare_lanes, &lane->spare);
}

void
lane_note_state(struct lane *lane, struct event *ev, bool in_memory)
{
	if (!ev->is_state)
		return;
	lane->state = in_memory ? ev : NULL;
	lane->state_seq = ev->seq;
}

bool
lane_replaces(const struct event *ev)
{
	const struct lane *lane = annex_map_get_str(ev->bot->lanes, ev->bare);

	return ev->is_state && lane != NULL && lane->state_seq > 0 && lane->state_seq < ev->seq &&
	    (lane->state == NULL || lane->state->consumer == NULL);
}

int
lane_drop_state(struct bot *bot, const char *bare)
{
	struct lane *lane = lane_of(bot, bare);
	struct annex_key key = bots_key_event(bot, lane->state_seq, bare);
	struct event *old = lane->state;
	int r = bots_must(bot->bots, annex_delete(bot->bots->store, &key));

	if (r < 0)
		return r;
	bot->stored--;
	if (old == NULL) {
		lane->events--;
		return ANNEX_OK;
	}
	event_waits(old, false);
	event_drop(old);
	return ANNEX_OK;
}
