/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * retain.c - what is not kept for ever: old lines of archives, rooms that
 * nobody uses, tombstones
 *
 * Once an hour a job walks over all rooms, in small turns.  Of each limit that
 * of the service and that of the room count, whichever is less.  A room that
 * is to keep no archive loses what it had kept when it still did.
 */
#include <string.h>

#include "muc.h"

#define EVERY_MS ((int64_t)3600000)
#define DAY_MS ((int64_t)86400000)

/* --- All rooms, one after the other -------------------------------------------- */

const Muc__Room *
rooms_next(struct muc *m, struct rooms_cursor *c)
{
	struct annex_key prefix = annex_key(&muc_tables[TABLE_ROOMS]), key = prefix;
	struct annex_iter it = annex_iter(&prefix);

	if (c->len > 0) {
		key.parts = 1;
		key.len = c->len;
		memcpy(key.bytes, c->bytes, c->len);
		it = annex_iter_from(&prefix, &key);
	}
	while (annex_next(m->store, &it) == ANNEX_AGAIN) {
		if (it.key.len == c->len && memcmp(it.key.bytes, c->bytes, c->len) == 0)
			continue;
		if (it.key.len > sizeof(c->bytes))
			continue;
		c->len = it.key.len;
		memcpy(c->bytes, it.key.bytes, it.key.len);
		return (const Muc__Room *)it.record;
	}
	return NULL;
}

/* --- Lines ------------------------------------------------------------------------ */

struct limits {
	int64_t since_ms, lines, bytes; /* 0: none */
	bool all;                       /* nothing is to be kept */
};

static int64_t
less_of(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static struct limits
limits_of(const struct muc *m, const struct room_config *config)
{
	int64_t age = less_of(m->set->archive_age_ms, config->archive_days * DAY_MS);

	return (struct limits) {
		.since_ms = age == 0 ? 0 : annex_wall_ms(m->inst) - age,
		.lines = less_of(m->set->archive_messages, config->archive_messages),
		.bytes = less_of(m->set->archive_size_bytes, config->archive_bytes),
		.all = !config->logged,
	};
}

static bool
is_over(const struct limits *l, const Muc__Line *oldest, uint64_t lines, int64_t bytes)
{
	return l->all || oldest->stamp_ms < l->since_ms ||
	    (l->lines > 0 && lines > (uint64_t)l->lines) || (l->bytes > 0 && bytes > l->bytes);
}

/* Delete at most most lines, oldest first; how many went. */
static int
lines_trim(struct muc *m, const char *room_id, const struct limits *l, struct usage *u, size_t most)
{
	struct annex_key prefix = muc_key(TABLE_LINES, room_id);
	struct annex_iter it = annex_iter(&prefix);
	uint64_t lines;
	int n = 0, r;

	if ((r = annex_rows(m->store, &prefix, &lines)) < 0)
		return r;
	while (lines > 0 && (size_t)n < most && annex_next(m->store, &it) == ANNEX_AGAIN) {
		const Muc__Line *line = (const Muc__Line *)it.record;

		if (!is_over(l, line, lines, u->bytes))
			break;
		u->bytes -= (int64_t)strlen(line->xml);
		if ((r = annex_delete(m->store, &it.key)) < 0)
			return r;
		lines--;
		n++;
	}
	return n;
}

static int
room_trim(struct muc *m, const Muc__Room *record, const struct room_config *config, size_t most)
{
	struct room *loaded = annex_map_get_str(m->rooms, record->name);
	const struct limits l = limits_of(m, config);
	struct usage u;
	int n, r;

	if (l.since_ms == 0 && l.lines == 0 && l.bytes == 0 && !l.all)
		return 0;
	usage_get(m, record->id, &u);
	if ((n = lines_trim(m, record->id, &l, &u, most)) <= 0)
		return n;
	if (u.bytes < 0)
		u.bytes = 0;
	if ((r = usage_put(m, record->id, &u)) < 0)
		return r;
	if (loaded != NULL)
		loaded->usage = u;
	annex_count(m->expired, n);
	return n;
}

/* --- Rooms -------------------------------------------------------------------------- */

static bool
is_unused(struct muc *m, const Muc__Room *record)
{
	struct annex_key prefix = muc_key(TABLE_SESSIONS, record->id);
	struct annex_iter it = annex_iter(&prefix);
	struct usage u;

	if (m->set->idle_ms == 0 || annex_wall_ms(m->inst) - record->created_ms < m->set->idle_ms)
		return false;
	usage_get(m, record->id, &u);
	it.keys_only = true;
	return annex_wall_ms(m->inst) - u.used_ms >= m->set->idle_ms &&
	    annex_next(m->store, &it) == ANNEX_OK;
}

static int
room_judge(struct muc *m, const Muc__Room *record, size_t most)
{
	struct annex_key key = muc_key(TABLE_ROOMS, record->name);
	struct room_config config;
	struct room *room;
	int n;

	if (record->gone) {
		if (annex_wall_ms(m->inst) - record->gone_ms < m->set->tombstone_ms)
			return 0;
		if ((room = annex_map_get_str(m->rooms, record->name)) != NULL)
			room_forget(room);
		return annex_delete(m->store, &key);
	}
	if (is_unused(m, record) && (room = room_find(m, record->name)) != NULL) {
		annex_log(m->inst, ANNEX_LOG_INFO, "room %s ends: nobody used it", room->name);
		room_destroy(room, NULL);
		return 0;
	}
	config_preset(m, &config);
	config_unpack(&config, record, annex_scratch(m->inst));
	if ((n = slow_sweep(m, record->id, &config, most)) < 0 || (size_t)n >= most)
		return n < 0 ? n : 1;
	return room_trim(m, record, &config, most);
}

int
retain_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct muc *m = annex_state(inst);
	struct rooms_cursor at = { 0 }, before;
	const Muc__Room *record;
	int n;

	if (state->len == sizeof(at))
		memcpy(&at, state->bytes, sizeof(at));
	for (size_t done = 0; done < limit; done += (size_t)n + 1) {
		before = at;
		if ((record = rooms_next(m, &at)) == NULL)
			return ANNEX_OK;
		if ((n = room_judge(m, record, limit - done)) < 0)
			return n;
		if ((size_t)n == limit - done)
			at = before; /* there may be more in it */
	}
	memcpy(state->bytes, &at, sizeof(at));
	state->len = sizeof(at);
	return ANNEX_AGAIN;
}

static void
retain_due(struct annex_instance *inst, void *cookie)
{
	struct muc *m = cookie;

	annex_job_start(inst, "retain", "", 0);
	annex_timer_start(m->retain, EVERY_MS);
}

void
retain_init(struct muc *m)
{
	m->retain = annex_timer(m->inst, retain_due, m);
	annex_timer_start(m->retain, EVERY_MS);
}
