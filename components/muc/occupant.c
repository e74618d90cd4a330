/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * occupant.c - who is in a room, under which nickname, with which resources
 *
 * A row per session: joining and leaving are written at once, what is shown
 * of somebody softly.  So everybody is still in the room after a crash.
 */
#include <stdlib.h>
#include <string.h>

#include "presence.h"
#include "routed.h"

struct occupant *
occupant_find(const struct room *room, const char *nick)
{
	return annex_map_get_str(room->by_nick, nick_fold(annex_scratch(room->muc->inst), nick));
}

struct occupant *
occupant_by_bare(const struct room *room, const char *bare)
{
	OCCUPANTS_EACH(room, o)
	if (strcmp(o->bare, bare) == 0)
		return o;
	return NULL;
}

struct session *
session_find(const struct room *room, const char *jid)
{
	return annex_map_get_str(room->by_jid, jid);
}

static void
name_set(struct occupant *o, const char *nick)
{
	struct room *room = o->room;
	const char *fold = nick_fold(annex_scratch(room->muc->inst), nick);

	o->jid = annex_sprintf(room->pool, "%s/%s", room->jid, nick);
	o->nick = o->jid + strlen(room->jid) + 1;
	o->fold = strcmp(fold, nick) == 0 ? o->nick : annex_strdup(room->pool, fold);
	annex_map_set_str(room->by_nick, o->fold, o);
}

struct occupant *
occupant_make(struct room *room, const char *nick, const char *bare, enum rank rank,
    enum rank power, enum role role)
{
	struct occupant *o = annex_new(room->pool, struct occupant);

	o->room = room;
	o->bare = annex_strdup(room->pool, bare);
	o->rank = rank;
	o->power = power;
	o->role = role;
	annex_list_init(&o->sessions);
	annex_list_init(&o->held);
	annex_list_append(&room->occupants, &o->by_order);
	room->occupant_count++;
	name_set(o, nick);
	return o;
}

void
occupant_rename(struct occupant *o, const char *nick)
{
	annex_map_remove_str(o->room->by_nick, o->fold);
	o->room->garbage += strlen(o->fold) + strlen(o->jid);
	name_set(o, nick);
}

struct session *
session_make(struct occupant *o, const char *jid, const char *presence)
{
	struct room *room = o->room;
	struct session *s = annex_new(room->pool, struct session);

	s->occupant = o;
	s->jid = annex_strdup(room->pool, jid);
	s->presence = annex_strdup(room->pool, presence);
	s->line = room->said_line;
	s->link = annex_link_number(room->muc->inst);
	s->joined_ms = annex_wall_ms(room->muc->inst);
	annex_list_append(&o->sessions, &s->of_occupant);
	annex_map_set_str(room->by_jid, s->jid, s);
	session_hears(s);
	o->shown = s;
	return s;
}

size_t
occupant_sessions(const struct occupant *o)
{
	size_t n = 0;

	SESSIONS_EACH(o, s)
	n += s != NULL;
	return n;
}

bool
occupant_is_only(const struct session *s)
{
	return s->occupant->sessions.next == s->occupant->sessions.prev;
}

/* --- In the store ---------------------------------------------------------- */

static void
session_write(const struct session *s, const char *nick, enum role role, Muc__Session *record)
{
	muc__session__init(record);
	record->jid = record_text(s->jid);
	record->nick = record_text(nick);
	record->role = (int32_t)role;
	record->presence = record_text(s->presence);
	record->order = s->order;
	record->joined_ms = s->joined_ms;
	record->changed = s->changed;
	record->line = s->line;
	record->link = s->link;
	record->renamed = s->renamed;
}

/* Once for all changes that one fence will be behind. */
static void
session_touch(struct session *s)
{
	struct room *room = s->occupant->room;

	if (s->changed <= room->fenced_event)
		s->changed = room_event(room);
}

int
session_put(struct session *s)
{
	return session_put_as(s, s->occupant->nick, s->occupant->role);
}

int
session_put_as(struct session *s, const char *nick, enum role role)
{
	struct room *room = s->occupant->room;
	struct annex_key key = muc_key_in(TABLE_SESSIONS, room->id, s->jid);
	Muc__Session record;
	int r;

	if ((r = live_begin(room)) < 0)
		return r;
	session_touch(s);
	session_write(s, nick, role, &record);
	return annex_put(room->muc->store, &key, &record.base);
}

static int
session_write_soft(const struct session *s)
{
	struct room *room = s->occupant->room;
	struct annex_key key = muc_key_in(TABLE_SESSIONS, room->id, s->jid);
	Muc__Session record;

	session_write(s, s->occupant->nick, s->occupant->role, &record);
	return annex_put_soft(room->muc->store, &key, &record.base);
}

int
session_put_soft(struct session *s)
{
	session_touch(s);
	return session_write_soft(s);
}

void
session_keep(struct session *s)
{
	int r = session_put_soft(s);

	muc_must_unless_full(s->occupant->room->muc, r == ANNEX_ENOENT ? session_put(s) : r);
}

void
occupant_changed(struct occupant *o)
{
	if (o->shown->changed <= o->room->fenced_event)
		muc_must_unless_full(o->room->muc, session_put_soft(o->shown));
}

bool
session_is_proven(const struct session *s)
{
	return s->link == annex_link_number(s->occupant->room->muc->inst);
}

void
session_prove(struct session *s)
{
	s->doubts = 0;
	if (session_is_proven(s))
		return;
	s->link = annex_link_number(s->occupant->room->muc->inst);
	muc_must_unless_full(s->occupant->room->muc, session_write_soft(s));
}

int
occupant_put(struct occupant *o)
{
	return occupant_put_as(o, o->nick);
}

int
occupant_put_as(struct occupant *o, const char *nick)
{
	bool is_begun = false;
	int r;

	SESSIONS_EACH(o, s)
	{
		if ((r = session_put_as(s, nick, o->role)) < 0)
			return is_begun ? muc_must(o->room->muc, r) : r;
		is_begun = true;
	}
	return ANNEX_OK;
}

static void
occupant_forget(struct occupant *o)
{
	struct room *room = o->room;

	annex_map_remove_str(room->by_nick, o->fold);
	annex_list_remove(&o->by_order);
	annex_body_drop(&o->kept.body);
	annex_list_remove(&o->held);
	room->occupant_count--;
	room->garbage += sizeof(*o) + strlen(o->fold) + strlen(o->jid) + strlen(o->bare) +
	    (o->pace == NULL ? 0 : sizeof(*o->pace));
}

static void
session_forget(struct session *s)
{
	struct occupant *o = s->occupant;

	annex_map_remove_str(o->room->by_jid, s->jid);
	session_hears_no_more(s);
	annex_list_remove(&s->of_occupant);
	o->room->garbage +=
	    sizeof(*s) + strlen(s->jid) + (s->presence == NULL ? 0 : strlen(s->presence));
	if (o->shown == s && !annex_list_is_empty(&o->sessions))
		o->shown = annex_container_of(o->sessions.prev, struct session, of_occupant);
	if (annex_list_is_empty(&o->sessions))
		occupant_forget(o);
}

void
session_move(struct session *s, struct occupant *to)
{
	struct occupant *from = s->occupant;

	annex_list_remove(&s->of_occupant);
	if (annex_list_is_empty(&from->sessions))
		occupant_forget(from);
	else if (from->shown == s)
		from->shown = annex_container_of(from->sessions.prev, struct session, of_occupant);
	annex_list_append(&to->sessions, &s->of_occupant);
	s->occupant = to;
	to->shown = s;
}

void
session_remove(struct session *s)
{
	struct room *room = s->occupant->room;
	struct annex_key key = muc_key_in(TABLE_SESSIONS, room->id, s->jid);

	muc_must(room->muc, annex_delete(room->muc->store, &key));
	session_forget(s);
	room_traffic(room);
}

void
occupant_remove(struct occupant *o)
{
	SESSIONS_EACH(o, s)
	session_remove(s);
}

static int
compare_order(const void *a, const void *b)
{
	const Muc__Session *x = *(Muc__Session *const *)a, *y = *(Muc__Session *const *)b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static void
session_restore(struct room *room, const Muc__Session *record)
{
	struct annex_pool *scratch = annex_scratch(room->muc->inst);
	const struct annex_jid *jid = annex_jid(scratch, record->jid);
	struct occupant *o = annex_map_get_str(room->by_nick, nick_fold(scratch, record->nick));
	struct session *s;

	if (jid == NULL)
		return;
	if (o == NULL)
		o = occupant_make(room, record->nick, jid->bare, rank_of(room, jid),
		    power_of(room, jid), (enum role)record->role);
	s = session_make(o, record->jid, record->presence[0] != '\0' ? record->presence : NULL);
	s->order = record->order;
	s->joined_ms = record->joined_ms;
	s->changed = record->changed;
	s->line = record->line;
	s->link = record->link;
	s->renamed = record->renamed;
	if (room->next_order <= s->order)
		room->next_order = s->order + 1;
	if (room->next_order <= s->changed)
		room->next_order = s->changed + 1;
}

int
occupants_load(struct room *room)
{
	struct annex_key prefix = muc_key(TABLE_SESSIONS, room->id);
	struct annex_iter it = annex_iter(&prefix);
	struct annex_pool *scratch = annex_scratch(room->muc->inst);
	Muc__Session **rows = NULL;
	size_t count = 0, space = 0;
	int r;

	while ((r = annex_next(room->muc->store, &it)) == ANNEX_AGAIN) {
		if (count == space) {
			Muc__Session **more =
			    annex_new_array(scratch, Muc__Session *, space = space * 2 + 16);

			if (count > 0)
				memcpy(more, rows, count * sizeof(*rows));
			rows = more;
		}
		rows[count++] = (Muc__Session *)it.record;
	}
	if (r < 0)
		return r;
	if (count > 0)
		qsort(rows, count, sizeof(*rows), compare_order);
	for (size_t i = 0; i < count; i++)
		session_restore(room, rows[i]);
	return ANNEX_OK;
}
