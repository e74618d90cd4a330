/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * lane.c - what waits of one contact
 *
 * There is a lane for each contact of whom there are events in the store.  It keeps
 * their order, and counts them.  Of whether a contact is there, only what was seen last need
 * wait: while nobody has taken an earlier event of that, a later one replaces it, so that
 * a contact that comes and goes all night is one event in the morning.  That one goes
 * as well where the queue is full: it can be asked for at any time ("get"), and what people
 * say is refused only when there is none of it.
 */
#include "event.h"

struct lane *
lane_of(struct bot *bot, const char *bare)
{
	struct lane *lane = annex_map_get_str(bot->lanes, bare);

	if (lane != NULL)
		return lane;
	if (annex_list_is_empty(&bot->spare_lanes)) {
		lane = annex_new(bot->pool, struct lane);
		annex_list_init(&lane->spare);
		annex_list_init(&lane->by_state);
	} else {
		lane = annex_container_of(bot->spare_lanes.next, struct lane, spare);
		annex_list_remove(&lane->spare);
	}
	annex_map_set_str(bot->lanes, bare, lane);
	return lane;
}

static void
forget_state(struct lane *lane)
{
	lane->state = NULL;
	lane->state_seq = 0;
	annex_list_remove(&lane->by_state);
}

/* There is one less. */
static void
shrink(struct bot *bot, struct lane *lane, const char *bare)
{
	if (--lane->events > 0)
		return;
	annex_map_remove_str(bot->lanes, bare);
	annex_list_remove(&lane->by_state);
	*lane = (struct lane) { 0 };
	annex_list_init(&lane->spare);
	annex_list_init(&lane->by_state);
	annex_list_append(&bot->spare_lanes, &lane->spare);
}

void
lane_leave(struct event *ev)
{
	struct bot *bot = ev->bot;
	struct lane *lane = ev->lane;

	ev->lane = NULL;
	if (lane == NULL)
		return;
	if (lane->state == ev)
		forget_state(lane);
	shrink(bot, lane, ev->bare);
}

void
lane_note_state(struct lane *lane, struct event *ev, bool in_memory)
{
	if (!ev->is_state)
		return;
	lane->state = in_memory ? ev : NULL;
	lane->state_is_first = ev->is_first;
	if (lane->state_seq == ev->seq)
		return;
	lane->state_seq = ev->seq;
	annex_list_remove(&lane->by_state);
	annex_list_append(&ev->bot->states, &lane->by_state);
}

static bool
is_taken(const struct lane *lane)
{
	return lane->state != NULL && lane->state->consumer != NULL;
}

bool
lane_replaces(const struct event *ev)
{
	const struct lane *lane = ev->is_state ? annex_map_get_str(ev->bot->lanes, ev->bare) : NULL;

	return lane != NULL && lane->state_seq > 0 && lane->state_seq < ev->seq && !is_taken(lane);
}

bool
lane_replaces_first(const struct event *ev)
{
	const struct lane *lane = annex_map_get_str(ev->bot->lanes, ev->bare);

	return lane_replaces(ev) && lane->state_is_first;
}

uint64_t
lane_spares(const struct event *ev)
{
	const struct bot *bot = ev->bot;
	const struct lane *lane = annex_map_get_str(bot->lanes, ev->bare);

	if (lane != NULL && lane->events >= (size_t)bot->set->max_queue_each)
		return is_taken(lane) ? 0 : lane->state_seq;
	ANNEX_LIST_EACH (&bot->states, l) {
		lane = annex_container_of(l, struct lane, by_state);
		if (!is_taken(lane))
			return lane->state_seq;
	}
	return 0;
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
		forget_state(lane);
		shrink(bot, lane, bare);
		return ANNEX_OK;
	}
	event_waits(old, false);
	event_drop(old);
	return ANNEX_OK;
}
