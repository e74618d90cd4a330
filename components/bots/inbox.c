/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * inbox.c - events: rows until they are acknowledged
 *
 * Memory holds the first of those that wait, in order, and all that are
 * taken; where there are more, or they are large, they stay in the store alone ("behind") until
 * there is room.  So a program that is away for a week costs rows, and memory only for
 * whom they are of.
 *
 * Their rows are event.c's, those that are done but may still be answered recent.c's, and those
 * that fail dead.c's.
 */
#include <inttypes.h>
#include <string.h>

#include "carrier.h"

#define MEMORY_MOST 2000             /* events that wait in memory */
#define MEMORY_LOW 500               /* below it more are loaded */
#define BYTES_MOST ((size_t)4 << 20) /* of those that wait in memory */

/* --- Into memory ---------------------------------------------------------------- */

static bool
memory_is_full(const struct bot *bot)
{
	return bot->waiting_count >= MEMORY_MOST || bot->waiting_bytes >= BYTES_MOST;
}

void
event_waits(struct event *ev, bool waits)
{
	struct bot *bot = ev->bot;

	bot->waiting_count += waits ? 1 : (size_t)-1;
	bot->waiting_bytes += waits ? event_bytes(ev) : (size_t)0 - event_bytes(ev);
}

static void
wait_in_memory(struct event *ev)
{
	struct bot *bot = ev->bot;

	ev->lane = lane_of(bot, ev->bare);
	lane_note_state(ev->lane, ev, true);
	annex_list_append(&bot->waiting, &ev->link);
	event_waits(ev, true);
	expire_note(ev);
	bot->loaded_seq = ev->seq;
}

/* A state may have been replaced by one of after a restart, or replace one of before. */
static int
load_one(struct event *ev)
{
	struct bot *bot = ev->bot;
	struct lane *lane = lane_of(bot, ev->bare);
	int r = ANNEX_OK;

	if (ev->is_state && lane->state_seq > ev->seq) {
		if ((r = event_delete(ev)) >= 0) {
			bot->stored--;
			lane->events--;
		}
		event_drop(ev);
		return r;
	}
	if (lane_replaces(ev))
		r = lane_drop_state(bot, ev->bare);
	/* Somebody may have had it before we were begun anew. */
	ev->redelivered = ev->seq <= bot->reserved_at_load ? ev->tries + 1 : 0;
	wait_in_memory(ev);
	return r;
}

int
inbox_fill(struct bot *bot)
{
	struct annex_key prefix = bots_key(TABLE_INBOX, bot->name), from;
	struct annex_iter it;
	int r = ANNEX_ENOENT;

	if (!bot->behind || bot->waiting_count >= MEMORY_LOW ||
	    bot->waiting_bytes >= BYTES_MOST / 2)
		return ANNEX_OK;
	from = bots_key_seq(TABLE_INBOX, bot->name, bot->loaded_seq + 1);
	it = annex_iter_from(&prefix, &from);
	while (!memory_is_full(bot) && (r = annex_next(bot->bots->store, &it)) == ANNEX_AGAIN) {
		struct event *ev =
		    event_unpack(bot, annex_key_number(&it.key, 1), (const Bots__Event *)it.record);

		if (load_one(ev) < 0)
			return ANNEX_ESTORE;
	}
	if (r == ANNEX_ESTORE)
		return r;
	bot->behind = r == ANNEX_AGAIN;
	return ANNEX_OK;
}

/* An address that is too long to stand in a key whole stands in the row. */
static const char *
contact_of_row(struct bot *bot, const struct annex_key *key)
{
	struct annex_pool *scratch = annex_scratch(bot->bots->inst);
	const char *contact = annex_key_string(key, 2, scratch);
	ProtobufCMessage *record;

	if (contact != NULL)
		return contact;
	if (annex_get(bot->bots->store, key, &record) < 0)
		return NULL;
	contact = ((const Bots__Event *)record)->from;
	return annex_strndup(scratch, contact, strcspn(contact, "/"));
}

static int
count_row(struct bot *bot, const struct annex_key *key)
{
	const char *contact = contact_of_row(bot, key);

	if (contact == NULL)
		return ANNEX_ESTORE;
	bot->stored++;
	lane_of(bot, contact)->events++;
	return ANNEX_OK;
}

int
inbox_load(struct bot *bot)
{
	struct annex_key prefix = bots_key(TABLE_INBOX, bot->name);
	struct annex_iter it = annex_iter(&prefix);
	int r;

	it.keys_only = true;
	while ((r = annex_next(bot->bots->store, &it)) == ANNEX_AGAIN)
		if (count_row(bot, &it.key) < 0)
			return ANNEX_ESTORE;
	if (r == ANNEX_ESTORE)
		return r;
	bot->reserved_at_load = bot->last_seq;
	bot->behind = bot->stored > 0;
	if (bot->behind)
		lag_note(bot->bots);
	return inbox_fill(bot);
}

/* --- The life of an event ---------------------------------------------------------- */

static bool
is_full(const struct event *ev)
{
	const struct bot *bot = ev->bot;
	const struct lane *lane = annex_map_get_str(bot->lanes, ev->bare);

	if (lane_replaces(ev))
		return false;
	return bot->stored >= (size_t)bot->set->max_queue ||
	    (lane != NULL && lane->events >= (size_t)bot->set->max_queue_each);
}

/* Where the queue is full, with the number of the state that goes for it; else 0. */
static int
fits(const struct event *ev, uint64_t *spared_r)
{
	bool full = is_full(ev);

	*spared_r = full ? lane_spares(ev) : 0;
	if (strlen(ev->line) > (size_t)ev->bot->bots->set->max_line_bytes)
		return ANNEX_EINVAL;
	return full && *spared_r == 0 ? ANNEX_ELIMIT : ANNEX_OK;
}

int
event_fits(const struct event *ev)
{
	uint64_t spared;

	return fits(ev, &spared);
}

/* Room is made: of a state that was not loaded only the number is known. */
static int
drop_state(struct bot *bot, uint64_t seq)
{
	struct annex_key prefix = bots_key(TABLE_INBOX, bot->name);
	struct annex_key from = bots_key_seq(TABLE_INBOX, bot->name, seq);
	struct annex_iter it = annex_iter_from(&prefix, &from);
	const char *contact;

	it.keys_only = true;
	if (annex_next(bot->bots->store, &it) != ANNEX_AGAIN ||
	    (contact = contact_of_row(bot, &it.key)) == NULL)
		return bots_must(bot->bots, ANNEX_ESTORE);
	return lane_drop_state(bot, contact);
}

int
event_add(struct event *ev)
{
	struct bot *bot = ev->bot;
	uint64_t spared;
	struct lane *lane;
	int r;

	if ((r = fits(ev, &spared)) < 0 || (r = event_put(ev)) < 0 ||
	    (spared > 0 && (r = drop_state(bot, spared)) < 0))
		return r;
	bot->stored++;
	lane = lane_of(bot, ev->bare);
	lane->events++;
	if (lane_replaces(ev) && (r = lane_drop_state(bot, ev->bare)) < 0)
		return r;
	lag_note(bot->bots);
	annex_count(bot->bots->received, 1);
	if (bot->behind || memory_is_full(bot)) {
		bot->behind = true;
		lane_note_state(lane, ev, false);
		event_drop(ev);
		return ANNEX_OK;
	}
	wait_in_memory(ev);
	dispatch(bot);
	return ANNEX_OK;
}

static void
untake(struct event *ev)
{
	struct consumer *c = ev->consumer;

	if (c == NULL)
		return;
	ev->consumer = NULL;
	c->taken_count--;
	if (ev->lane != NULL && --ev->lane->taken == 0)
		ev->lane->consumer = NULL;
}

void
event_done(struct event *ev)
{
	struct bot *bot = ev->bot;

	if (event_delete(ev) < 0)
		return;
	bot->stored--;
	annex_count(bot->bots->acknowledged, 1);
	untake(ev);
	event_read(ev);
	annex_list_remove(&ev->link);
	if (ev->ordinal > 0 && !ev->later && !bot_is_for_all(bot)) {
		event_drop(ev);
		return;
	}
	lane_leave(ev);
	event_remember(ev);
}

int
event_forget(struct event *ev)
{
	if (event_delete(ev) < 0)
		return ANNEX_ESTORE;
	ev->bot->stored--;
	event_waits(ev, false);
	event_drop(ev);
	return ANNEX_OK;
}

int
event_note(struct event *ev)
{
	return bots_must(ev->bot->bots, event_put(ev));
}

/* It has a lower number than all that wait, but for others that failed. */
void
event_release(struct event *ev)
{
	struct bot *bot = ev->bot;
	struct annex_link *before = &bot->waiting;

	annex_count(bot->bots->redelivered, 1);
	untake(ev);
	annex_list_remove(&ev->link);
	ev->ordinal = 0;
	ev->redelivered++;
	ANNEX_LIST_EACH (&bot->waiting, l) {
		if (annex_container_of(l, struct event, link)->seq > ev->seq)
			break;
		before = l;
	}
	annex_list_prepend(before, &ev->link);
	event_waits(ev, true);
	expire_note(ev);
}
