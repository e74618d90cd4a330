/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * routed.c - up to where a room's output is known to have been routed
 *
 * What a room says is in the store before it leaves: messages in the archive,
 * presence in the sessions' rows.  Both have numbers that only grow, those of
 * lines and of events (a room's changes that are shown).  The room's row in
 * "live" keeps two marks, the line and the event up to which a fence has come
 * back; what is behind them may be lost with a link, and is said again on the
 * next one (replay.c).  What a room says that can be seen in neither - who is out,
 * private messages, status codes - has a row in "unrouted" until then.
 *
 * A mark costs no write of its own: it is soft, and a room asks for a fence at
 * most once a second.  Where a room keeps nothing of what is said, its row says
 * before that there is something, so that a crash is no gap that nobody hears of:
 * then everybody has to come in again.
 */
#include <string.h>

#include <annex/iq.h>

#include "routed.h"

#define MARK_MS 1000

/* What a fence was asked for; id and name follow, each with its end. */
struct mark {
	uint64_t load, line, event;
	char text[];
};

/* --- The row ------------------------------------------------------------------ */

static Muc__Live *
live_get(struct muc *m, const char *id)
{
	struct annex_key key = muc_key(TABLE_LIVE, id);
	ProtobufCMessage *record;

	return annex_get(m->store, &key, &record) < 0 ? NULL : (Muc__Live *)record;
}

static void
live_write(const struct room *room, Muc__Live *record)
{
	muc__live__init(record);
	record->name = record_text(room->name);
	record->line = room->routed_line;
	record->event = room->routed_event;
	record->link = room->link;
	record->unkept = room->unkept_event > room->routed_event;
}

static int
live_put(const struct room *room)
{
	struct annex_key key = muc_key(TABLE_LIVE, room->id);
	Muc__Live record;

	live_write(room, &record);
	return annex_put(room->muc->store, &key, &record.base);
}

void
live_put_soft(struct room *room)
{
	struct annex_key key = muc_key(TABLE_LIVE, room->id);
	Muc__Live record;

	live_write(room, &record);
	muc_must_unless_full(room->muc, annex_put_soft(room->muc->store, &key, &record.base));
}

static void
live_delete(struct muc *m, const char *id)
{
	struct annex_key key = muc_key(TABLE_LIVE, id);

	muc_must(m, annex_delete(m->store, &key));
}

static int
lines_said(struct room *room)
{
	struct annex_key lines = muc_key(TABLE_LINES, room->id);

	return annex_sequence_last(room->muc->store, &lines, &room->said_line);
}

int
live_load(struct room *room)
{
	const Muc__Live *live = live_get(room->muc, room->id);
	uint64_t next = room->next_order;
	int r;

	if ((r = lines_said(room)) < 0)
		return r;
	room->routed_line = room->said_line;
	if (live == NULL)
		return ANNEX_OK;
	room->live = true;
	room->routed_line = live->line;
	room->routed_event = room->fenced_event = live->event;
	room->link = live->link;
	if ((r = unrouted_count(room)) < 0)
		return r;
	if (room->next_order < next)
		room->next_order = next;
	if (room->next_order <= live->event)
		room->next_order = live->event + 1;
	if (live->unkept)
		room->unkept_event = room->next_order++;
	if (room->next_order - 1 > room->routed_event || room->said_line > room->routed_line)
		room_said(room);
	return ANNEX_OK;
}

/* Nobody was in: nothing that was said before is owed to anybody. */
int
live_begin(struct room *room)
{
	int r;

	if (room->live)
		return ANNEX_OK;
	room->routed_line = room->said_line;
	room->link = annex_link_number(room->muc->inst);
	if ((r = live_put(room)) < 0)
		return r;
	room->live = true;
	return ANNEX_OK;
}

static void
live_end(struct room *room)
{
	room->live = false;
	annex_list_remove(&room->by_mark);
	live_delete(room->muc, room->id);
}

void
live_settle(struct room *room)
{
	if (room->live && room->occupant_count == 0 && room->unrouted == 0)
		live_end(room);
}

/* --- Of a room that is destroyed ------------------------------------------------ */

static void
remains_leave(struct muc *m, const char *id)
{
	live_delete(m, id);
	muc_must(m, annex_job_start(m->inst, "remains", id, strlen(id)));
}

void
live_gone(struct room *room, const struct annex_element *destroy)
{
	struct annex_key key = muc_key(TABLE_LIVE, room->id);
	Muc__Live record;
	size_t len;

	if (!room->live || (room->occupant_count == 0 && room->unrouted == 0)) {
		remains_leave(room->muc, room->id);
		return;
	}
	live_write(room, &record);
	record.gone = true;
	record.destroy =
	    record_text(annex_element_write(destroy, annex_scratch(room->muc->inst), &len));
	record.secret = (ProtobufCBinaryData) { sizeof(room->secret), room->secret };
	muc_must(room->muc, annex_put(room->muc->store, &key, &record.base));
	if (room->link != LINK_LOST)
		live_gone_fence(room->muc, room->id, room->name);
}

/* --- Marks ------------------------------------------------------------------------ */

uint64_t
room_event(struct room *room)
{
	room_said(room);
	return room->next_order++;
}

void
room_said(struct room *room)
{
	struct muc *m = room->muc;

	if (!annex_list_is_empty(&room->by_mark))
		return;
	annex_list_append(&m->unmarked, &room->by_mark);
	if (!annex_timer_is_running(m->marking))
		annex_timer_start(m->marking, MARK_MS);
}

/*
 * It is as lost as with a link: no fence is behind it any more, and what was said since the last one
 * that came back is said again, or everybody is put out (replay.c).
 */
void
room_sent(struct room *room, int status)
{
	if (status != ANNEX_ELIMIT || !room->live || room->link == LINK_LOST)
		return;
	room->link = LINK_LOST;
	muc_must_unless_full(room->muc, live_put(room));
	ask_resync(room->muc);
}

int
room_said_unkept(struct room *room)
{
	uint64_t before = room->unkept_event;
	int r;

	if (!room->live)
		return ANNEX_OK;
	room->unkept_event = room_event(room);
	if (before > room->routed_event)
		return ANNEX_OK; /* as the row says */
	if ((r = live_put(room)) < 0)
		room->unkept_event = before;
	return r;
}

static void
room_marked(struct room *room, const struct mark *mark)
{
	room->routed_line = mark->line;
	room->routed_event = mark->event;
	if (room->unrouted > 0)
		room->unrouted -= unrouted_forget(room->muc, room->id, mark->event);
	if (room->occupant_count == 0 && room->unrouted == 0)
		live_end(room);
	else
		live_put_soft(room);
}

/* The same of a room that is not in memory, or not any more. */
static void
row_marked(struct muc *m, const char *id, const struct mark *mark)
{
	struct annex_key key = muc_key(TABLE_LIVE, id);
	Muc__Live *live = live_get(m, id);

	if (live == NULL)
		return;
	if (live->gone) {
		remains_leave(m, id);
		return;
	}
	if (mark->line < live->line || mark->event < live->event)
		return;
	unrouted_forget(m, id, mark->event);
	live->line = mark->line;
	live->event = mark->event;
	muc_must_unless_full(m, annex_put_soft(m->store, &key, &live->base));
}

static void
mark_back(struct annex_instance *inst, int status, const void *cookie, size_t len)
{
	struct muc *m = annex_state(inst);
	const struct mark *mark = annex_memdup(annex_scratch(inst), cookie, len);
	const char *id = mark->text, *name = id + strlen(id) + 1;
	struct room *room = annex_map_get_str(m->rooms, name);

	if (room == NULL || strcmp(room->id, id) != 0) {
		if (status == ANNEX_OK)
			row_marked(m, id, mark);
		return;
	}
	if (room->load !=
	    mark->load) /* its events may have been counted anew: another fence follows */
		return;
	room->fencing = false;
	if (status == ANNEX_OK && room->live)
		room_marked(room, mark);
}

static void
mark_ask(struct muc *m, const struct mark *mark, const char *id, const char *name)
{
	size_t id_len = strlen(id) + 1, name_len = strlen(name) + 1;
	struct mark *cookie =
	    annex_pool_alloc(annex_scratch(m->inst), sizeof(*cookie) + id_len + name_len);

	*cookie = *mark;
	memcpy(cookie->text, id, id_len);
	memcpy(cookie->text + id_len, name, name_len);
	annex_fence_on(m->inst, annex_flow(m->inst, name), mark_back, cookie,
	    sizeof(*cookie) + id_len + name_len);
}

void
live_gone_fence(struct muc *m, const char *id, const char *name)
{
	mark_ask(m, &(const struct mark) { .load = 0 }, id, name);
}

/* Once a second, while rooms say something. */
static void
mark_all(struct annex_instance *inst, void *cookie)
{
	struct muc *m = cookie;

	ANNEX_LIST_EACH (&m->unmarked, l) {
		struct room *room = annex_container_of(l, struct room, by_mark);

		if (room->fencing)
			continue;
		annex_list_remove(l);
		if (!room->live || !annex_is_up(inst) || room->link != annex_link_number(inst))
			continue; /* a resync will say it all again */
		room->fencing = true;
		room->fenced_event = room->next_order - 1;
		mark_ask(m,
		    &(const struct mark) { room->load, room->said_line, room->fenced_event },
		    room->id, room->name);
	}
	if (!annex_list_is_empty(&m->unmarked))
		annex_timer_start(m->marking, MARK_MS);
}

void
routed_init(struct muc *m)
{
	annex_list_init(&m->unmarked);
	m->marking = annex_timer(m->inst, mark_all, m);
}
