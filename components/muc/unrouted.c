/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * unrouted.c - what a room says that can be seen neither in the archive nor in who is in
 *
 * Who is out, another nickname, private messages, status codes: each has a row until a fence
 * has come back behind it (routed.c), and is said again from it where it may be lost (replay.c).
 */
#include <string.h>

#include "archive.h"
#include "routed.h"

int
unrouted_count(struct room *room)
{
	struct annex_key prefix = muc_key(TABLE_UNROUTED, room->id);
	struct annex_iter it = annex_iter(&prefix);
	int r;

	it.keys_only = true;
	while ((r = annex_next(room->muc->store, &it)) == ANNEX_AGAIN) {
		room->unrouted++;
		room->next_order = annex_key_number(&it.key, 1) + 1;
	}
	return r;
}

size_t
unrouted_forget(struct muc *m, const char *id, uint64_t event)
{
	struct annex_key prefix = muc_key(TABLE_UNROUTED, id);
	struct annex_iter it = annex_iter(&prefix);
	size_t n = 0;

	it.keys_only = true;
	while (annex_next(m->store, &it) == ANNEX_AGAIN && annex_key_number(&it.key, 1) <= event) {
		muc_must(m, annex_delete(m->store, &it.key));
		n++;
	}
	return n;
}

static int
unrouted_put(struct room *room, Muc__Unrouted *record)
{
	struct annex_key key = muc_key(TABLE_UNROUTED, room->id);
	int r;

	record->stamp_ms = annex_wall_ms(room->muc->inst);
	annex_key_u64(&key, room_event(room));
	if ((r = annex_put(room->muc->store, &key, &record->base)) < 0)
		return r;
	room->unrouted++;
	return ANNEX_OK;
}

/* A full disk keeps nobody in a room: where what it had no place for is lost, all come in anew. */
static void
unrouted_keep(struct room *room, Muc__Unrouted *record)
{
	int r = unrouted_put(room, record);

	if (r == ANNEX_EFULL) {
		room->unkept_event = room->next_order - 1;
		live_put_soft(room);
	}
	muc_must_unless_full(room->muc, r);
}

static size_t
codes_count(const unsigned *codes, size_t most)
{
	size_t n = 0;

	while (n < most && codes[n] != 0)
		n++;
	return n;
}

/* The full JIDs of an occupant's sessions, or of one of them. */
static void
add_jids(Muc__Unrouted *record, const struct occupant *o, const struct session *only)
{
	size_t n = occupant_sessions(o);

	record->jid = annex_new_array(annex_scratch(o->room->muc->inst), char *, n + 1);
	SESSIONS_EACH(o, s)
	if (only == NULL || s == only)
		record->jid[record->n_jid++] = record_text(s->jid);
}

void
unrouted_notice(const struct occupant *o, const struct session *only, bool to_self, bool to_others,
    const struct notice *n)
{
	Muc__Unrouted record = MUC__UNROUTED__INIT;
	unsigned codes[2][NOTICE_CODES];

	to_others = to_others && o->room->occupant_count > 1;
	if (!o->room->live || (!to_self && !to_others))
		return;
	memcpy(codes[0], n->codes, sizeof(codes[0]));
	memcpy(codes[1], n->own_codes, sizeof(codes[1]));
	record.nick = record_text(o->nick);
	record.bare = record_text(o->bare);
	record.new_nick = record_text(n->new_nick);
	record.role = (int32_t)o->role;
	record.rank = n->rank != NULL ? *n->rank : o->rank;
	record.n_code = codes_count(codes[0], NOTICE_CODES);
	record.code = codes[0];
	record.n_own_code = codes_count(codes[1], NOTICE_CODES);
	record.own_code = codes[1];
	record.actor = record_text(n->actor);
	record.reason = record_text(n->reason);
	record.to_others = to_others;
	record.to_self = to_self;
	add_jids(&record, o, only);
	unrouted_keep(o->room, &record);
}

void
unrouted_codes(struct room *room, const unsigned *codes)
{
	Muc__Unrouted record = MUC__UNROUTED__INIT;
	unsigned copy[NOTICE_CODES];

	if (!room->live)
		return;
	record.n_code = codes_count(codes, NOTICE_CODES);
	memcpy(copy, codes, record.n_code * sizeof(*copy));
	record.code = copy;
	unrouted_keep(room, &record);
}

void
unrouted_absent(struct room *room, const char *jid, enum rank rank, const char *reason)
{
	Muc__Unrouted record = MUC__UNROUTED__INIT;

	if (!room->live)
		return;
	record.bare = record_text(jid);
	record.rank = rank;
	record.reason = record_text(reason);
	unrouted_keep(room, &record);
}

/* Where a room keeps nothing, not even for a second: then the sender hears of the loss. */
int
unrouted_private(
    const struct session *from, const struct occupant *to, const struct annex_element *out)
{
	struct room *room = to->room;
	Muc__Unrouted record = MUC__UNROUTED__INIT;
	size_t len;

	if (!message_matters(out))
		return ANNEX_OK;
	record.nick = record_text(from->occupant->nick);
	record.sender = record_text(from->jid);
	record.id = record_text(annex_attr(out, "id"));
	add_jids(&record, to, NULL);
	if (room->config.logged)
		record.xml =
		    record_text(annex_element_write(out, annex_scratch(room->muc->inst), &len));
	else
		record.new_nick = record_text(to->nick);
	return unrouted_put(room, &record);
}
