/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * room.c - rooms: a cache of what the store says about them
 *
 * Start-up loads none.  A room is loaded when it is asked for, with who is in
 * it, and forgotten when nobody asked for some minutes, when there are too many,
 * or when its pool holds more that is stale than that is used.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "presence.h"
#include "routed.h"

#define ROOMS_MAX 2000
#define ROOM_IDLE_MS ((int64_t)10 * 60 * 1000)
#define ROOM_COOL_MS ((int64_t)60 * 1000)
#define GARBAGE_MAX ((size_t)64 << 10)
#define GARBAGE_PER_OCCUPANT ((size_t)2 << 10)

struct room *
room_shell(struct muc *m, const char *name)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(m->inst), "room");
	struct room *room = annex_new(pool, struct room);

	room->magic = ROOM_MAGIC;
	room->muc = m;
	room->pool = pool;
	room->name = annex_strdup(pool, name);
	room->jid = annex_sprintf(pool, "%s@%s", name, annex_domain(m->inst));
	room->by_nick = annex_map_borrowing(pool);
	room->by_jid = annex_map_borrowing(pool);
	room->audience = annex_audience(pool);
	room->next_order = 1;
	room->load = ++m->loads;
	annex_list_init(&room->by_mark);
	annex_list_init(&room->occupants);
	config_preset(m, &room->config);
	return room;
}

static struct room *
room_alloc(struct muc *m, const char *name)
{
	struct room *room = room_shell(m, name);

	annex_map_set_str(m->rooms, name, room);
	annex_list_prepend(&m->recent, &room->by_use);
	annex_gauge_set(m->loaded, (int64_t)annex_map_count(m->rooms));
	if (!annex_timer_is_running(m->sweep))
		annex_timer_start(m->sweep, ROOM_IDLE_MS / 10);
	return room;
}

void
room_forget(struct room *room)
{
	struct annex_pool *pool = room->pool;

	annex_map_remove_str(room->muc->rooms, room->name);
	annex_gauge_set(room->muc->loaded, (int64_t)annex_map_count(room->muc->rooms));
	annex_list_remove(&room->by_use);
	annex_list_remove(&room->by_mark);
	OCCUPANTS_EACH(room, o)
	annex_list_remove(&o->held);
	room->magic = 0;
	annex_pool_destroy(&pool);
}

static void
room_read(struct room *room, const Muc__Room *record)
{
	struct annex_pool *pool = room->pool;

	config_unpack(&room->config, record, pool);
	room->id = annex_strdup(pool, record->id);
	room->locked = record->locked;
	room->gone = record->gone;
	room->creator = annex_strdup(pool, record->creator);
	room->created_ms = record->created_ms;
	if (record->secret.len == sizeof(room->secret))
		memcpy(room->secret, record->secret.data, sizeof(room->secret));
	room->subject = record->subject[0] != '\0' ? annex_strdup(pool, record->subject) : NULL;
	room->subject_ms = record->subject_ms;
	strings_keep(pool, &room->avatar,
	    &(struct annex_strings) { (const char *const *)record->avatar, record->n_avatar });
	hats_keep(room, record->hat, record->n_hat);
	room->gone_jid = annex_strdup(pool, record->gone_jid);
	room->gone_reason = annex_strdup(pool, record->gone_reason);
	room->gone_ms = record->gone_ms;
}

static struct room *
room_load(struct muc *m, const char *name)
{
	struct annex_key key = muc_key(TABLE_ROOMS, name);
	ProtobufCMessage *record;
	struct room *room;

	if (annex_get(m->store, &key, &record) < 0)
		return NULL;
	room = room_alloc(m, name);
	room_read(room, (const Muc__Room *)record);
	usage_get(m, room->id, &room->usage);
	if (!room->gone && (occupants_load(room) < 0 || live_load(room) < 0)) {
		room_forget(room);
		return NULL;
	}
	return room;
}

/* What waits to be shown is shown before. */
static void
room_let_go(struct room *room)
{
	presence_release(room);
	room_forget(room);
}

static void
rooms_trim(struct muc *m)
{
	if (annex_map_count(m->rooms) >= ROOMS_MAX)
		room_let_go(annex_container_of(m->recent.prev, struct room, by_use));
}

static bool
is_stale(const struct room *room)
{
	return room->garbage > GARBAGE_MAX + GARBAGE_PER_OCCUPANT * annex_map_count(room->by_jid);
}

struct room *
room_find(struct muc *m, const char *name)
{
	struct room *room = annex_map_get_str(m->rooms, name);

	if (room != NULL && is_stale(room)) {
		room_let_go(room);
		room = NULL;
	}
	if (room == NULL) {
		rooms_trim(m);
		if ((room = room_load(m, name)) == NULL)
			return NULL;
	}
	room->used_ms = annex_now_ms(m->inst);
	annex_list_remove(&room->by_use);
	annex_list_prepend(&m->recent, &room->by_use);
	room_resync(room);
	return room;
}

struct room *
room_make(struct muc *m, const char *name, const struct annex_jid *creator)
{
	struct room *room;

	if ((room = annex_map_get_str(m->rooms, name)) != NULL)
		room_forget(room);
	rooms_trim(m);
	room = room_alloc(m, name);
	room->id = annex_strdup(room->pool, annex_random_id(m->inst));
	annex_count(m->created, 1);
	room->locked = true;
	room->creator = annex_strdup(room->pool, creator->bare);
	room->created_ms = annex_wall_ms(m->inst);
	room->used_ms = annex_now_ms(m->inst);
	annex_random(m->inst, room->secret, sizeof(room->secret));
	return room;
}

void
strings_keep(struct annex_pool *pool, struct annex_strings *to, const struct annex_strings *from)
{
	const char **value = annex_new_array(pool, const char *, from->count + 1);

	for (size_t i = 0; i < from->count; i++)
		value[i] = annex_strdup(pool, from->value[i]);
	*to = (struct annex_strings) { value, from->count };
}

int
room_put(struct room *room)
{
	struct annex_key key = muc_key(TABLE_ROOMS, room->name);
	Muc__Room record = MUC__ROOM__INIT;
	int r;

	config_pack(&room->config, &record, annex_scratch(room->muc->inst));
	record.name = record_text(room->name);
	record.id = record_text(room->id);
	record.locked = room->locked;
	record.creator = record_text(room->creator);
	record.created_ms = room->created_ms;
	record.secret = (ProtobufCBinaryData) { sizeof(room->secret), room->secret };
	record.subject = record_text(room->subject);
	record.subject_ms = room->subject_ms;
	record.avatar = (char **)(uintptr_t)room->avatar.value;
	record.n_avatar = room->avatar.count;
	record.hat = room->hats.hat;
	record.n_hat = room->hats.count;
	record.gone = room->gone;
	record.gone_jid = record_text(room->gone_jid);
	record.gone_reason = record_text(room->gone_reason);
	record.gone_ms = room->gone_ms;
	if ((r = annex_put(room->muc->store, &key, &record.base)) < 0)
		return r;
	return muc_must(room->muc, listed_put(room));
}

/* --- Who made them ------------------------------------------------------------ */

static struct annex_key
made_key(const char *jid)
{
	return muc_key(TABLE_MADE, jid);
}

size_t
rooms_made_by(struct muc *m, const struct annex_jid *who, size_t most)
{
	struct annex_key prefix = made_key(who->bare);
	struct annex_iter it = annex_iter(&prefix);
	size_t n = 0;

	while (n < most && annex_next(m->store, &it) == ANNEX_AGAIN)
		n++;
	return n;
}

int
room_made(const struct room *room)
{
	struct annex_key key = made_key(room->creator);
	Muc__Made record = MUC__MADE__INIT;

	annex_key_text(&key, room->name);
	record.created_ms = room->created_ms;
	return annex_put(room->muc->store, &key, &record.base);
}

int
room_made_no_more(const struct room *room)
{
	struct annex_key key = made_key(room->creator);

	annex_key_text(&key, room->name);
	return annex_delete(room->muc->store, &key);
}

static void
rooms_cool(struct muc *m, int64_t now)
{
	for (struct annex_link *l = m->recent.prev; l != &m->recent; l = l->prev) {
		struct room *room = annex_container_of(l, struct room, by_use);

		if (now - room->used_ms < ROOM_COOL_MS)
			break;
		room_cool(room);
	}
}

static void
rooms_sweep(struct annex_instance *inst, void *cookie)
{
	struct muc *m = cookie;
	int64_t now = annex_now_ms(inst);

	while (!annex_list_is_empty(&m->recent)) {
		struct room *last = annex_container_of(m->recent.prev, struct room, by_use);

		if (now - last->used_ms < ROOM_IDLE_MS)
			break;
		room_let_go(last);
	}
	rooms_cool(m, now);
	if (!annex_list_is_empty(&m->recent))
		annex_timer_start(m->sweep, ROOM_IDLE_MS / 10);
}

void
rooms_init(struct muc *m)
{
	m->rooms = annex_map_create(annex_pool(m->inst));
	annex_list_init(&m->recent);
	m->sweep = annex_timer(m->inst, rooms_sweep, m);
}

struct annex_flow *
room_flow(const struct room *room)
{
	return annex_flow(room->muc->inst, room->name);
}

bool
room_shows_jids(const struct room *room)
{
	return strcmp(room->config.whois, "anyone") == 0;
}

size_t
room_max(const struct room *room)
{
	int64_t max = strtoll(room->config.max_users, NULL, 10);

	return (size_t)(max > 0 && max < room->muc->set->max_occupants
		? max
		: room->muc->set->max_occupants);
}
