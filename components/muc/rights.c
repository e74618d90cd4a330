/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * rights.c - all that is kept of one user: handed out, and erased
 *
 * Handing out goes in parts, each of a bounded piece of the archives; the
 * answer says where the next one begins.  Erasing is a job: what somebody said
 * goes, a subject too, and so do their membership, nickname and hats, and they leave the rooms
 * they are in.  A ban stays, or it would be a way around it; and so does an
 * owner who is the only one.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "muc.h"

#define LOOK_MAX 5000
#define ROWS_MAX 200
#define JID_MAX 180

/* Where it goes on: in which room, behind which line. */
struct place {
	struct rooms_cursor room; /* the one before; */
	uint64_t line;
};

/* The subject is kept as it was sent: with the occupant-id of who sent it. */
static bool
is_subject_by(struct muc *m, const Muc__Room *record, const char *bare)
{
	struct annex_pool *pool = annex_scratch(m->inst);
	const struct annex_element *kept, *by = NULL;
	struct room room = { .gone = record->gone };

	if (record->subject[0] == '\0' || record->secret.len != sizeof(room.secret))
		return false;
	memcpy(room.secret, record->secret.data, sizeof(room.secret));
	kept = annex_element_read(pool, record->subject, strlen(record->subject), (size_t)1 << 20);
	if (kept != NULL)
		by = annex_child(kept, NS_OCCUPANT, "occupant-id");
	return by != NULL && strcmp(annex_attr(by, "id"), occupant_id(&room, pool, bare)) == 0;
}

/* Sessions are in the order of their addresses, so those of one account stand together. */
static struct annex_iter
sessions_of(const char *room_id, const char *bare)
{
	struct annex_key prefix = muc_key(TABLE_SESSIONS, room_id);
	struct annex_key from = muc_key_in(TABLE_SESSIONS, room_id, bare);

	return annex_iter_from(&prefix, &from);
}

static const Muc__Session *
session_next(struct muc *m, struct annex_iter *it, const char *bare)
{
	const Muc__Session *s;

	while (annex_next(m->store, it) == ANNEX_AGAIN) {
		s = (const Muc__Session *)it->record;
		if (is_address_of(s->jid, bare))
			return s;
		if (strncmp(s->jid, bare, strlen(bare)) != 0)
			break;
	}
	return NULL;
}

/* --- Handing out ------------------------------------------------------------------ */

struct handing {
	struct muc *m;
	struct annex_run *run;
	const char *bare;
	size_t looked, rows, bytes;
	size_t most; /* bytes of them, and of each: an answer has to be sent */
};

static void
row(struct handing *h, const char *room, const char *what, int64_t stamp_ms, const char *data)
{
	const char *stamp =
	    stamp_ms == 0 ? "" : annex_datetime(annex_scratch(h->m->inst), stamp_ms);
	const char *values[] = { room, what, stamp, data, NULL };
	size_t bytes = row_bytes(values);

	if (bytes > h->most && annex_run_by(h->run) != NULL) {
		values[3] = annex_sprintf(annex_scratch(h->m->inst),
		    "(%zu bytes, which only annexctl hands out)", strlen(data));
		bytes = row_bytes(values);
	}
	annex_run_row(h->run, values);
	h->rows++;
	h->bytes += bytes;
}

/* Hats, and that they would be a member. */
static void
hand_out_personal(struct handing *h, const Muc__Room *room)
{
	struct annex_pool *pool = annex_scratch(h->m->inst);
	struct annex_key hats = muc_key_in(TABLE_HATS, room->id, h->bare);
	struct annex_key asked = muc_key_in(TABLE_REQUESTS, room->id, h->bare);
	ProtobufCMessage *record;

	if (annex_get(h->m->store, &hats, &record) == ANNEX_OK)
		for (size_t i = 0; i < ((const Muc__Hats *)record)->n_uri; i++)
			row(h, room->name, "hat", 0, ((const Muc__Hats *)record)->uri[i]);
	if (annex_get(h->m->store, &asked, &record) == ANNEX_OK) {
		const Muc__Request *r = (const Muc__Request *)record;

		row(h, room->name, "request", r->asked_ms,
		    annex_sprintf(
			pool, "%s %s %s %s %s", r->nick, r->first, r->last, r->url, r->email));
	}
}

static void
hand_out_membership(struct handing *h, const Muc__Room *room)
{
	struct annex_pool *pool = annex_scratch(h->m->inst);
	struct annex_key key = muc_key_in(TABLE_AFFILIATIONS, room->id, h->bare);
	struct annex_iter it;
	const Muc__Session *s;
	ProtobufCMessage *record;

	if (strcmp(room->creator, h->bare) == 0)
		row(h, room->name, "created", room->created_ms, "");
	if (annex_get(h->m->store, &key, &record) == ANNEX_OK) {
		const Muc__Affiliation *a = (const Muc__Affiliation *)record;

		row(h, room->name, "affiliation", 0,
		    annex_sprintf(
			pool, "%s %s %s", rank_name((enum rank)a->rank), a->nick, a->reason));
	}
	if (is_subject_by(h->m, room, h->bare))
		row(h, room->name, "subject", room->subject_ms, room->subject);
	hand_out_personal(h, room);
	it = sessions_of(room->id, h->bare);
	while ((s = session_next(h->m, &it, h->bare)) != NULL)
		row(h, room->name, "occupant", s->joined_ms,
		    annex_sprintf(pool, "%s %s %s", s->jid, s->nick, s->presence));
}

/* True where the room is done with. */
static bool
hand_out_lines(struct handing *h, const Muc__Room *room, uint64_t *line)
{
	struct annex_key prefix = muc_key(TABLE_LINES, room->id), from = prefix;
	struct annex_iter it;

	annex_key_u64(&from, *line + 1);
	it = annex_iter_from(&prefix, &from);
	while (h->looked++ < LOOK_MAX && h->rows < ROWS_MAX && h->bytes < h->most) {
		const Muc__Line *l;

		if (annex_next(h->m->store, &it) != ANNEX_AGAIN)
			return true;
		*line = annex_key_number(&it.key, 1);
		l = (const Muc__Line *)it.record;
		if (is_address_of(l->jid, h->bare))
			row(h, room->name, "message", l->stamp_ms, l->xml);
	}
	return false;
}

static const char *
place_write(const struct place *p, struct annex_pool *pool)
{
	char *text = annex_pool_alloc(pool, (size_t)p->room.len * 2 + 1);

	return annex_sprintf(pool, "%" PRIu64 "-%s", p->line,
	    sodium_bin2hex(text, (size_t)p->room.len * 2 + 1, p->room.bytes, p->room.len));
}

static bool
place_read(struct place *p, const char *text)
{
	char *end;
	size_t len;

	*p = (struct place) { 0 };
	if (text == NULL || text[0] == '\0')
		return true;
	p->line = strtoull(text, &end, 10);
	if (*end != '-' ||
	    sodium_hex2bin(p->room.bytes, sizeof(p->room.bytes), end + 1, strlen(end + 1), NULL,
		&len, NULL) != 0)
		return false;
	p->room.len = (uint16_t)len;
	return true;
}

int
run_export(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "room", "what", "stamp", "data", NULL };
	static const char *const labels[] = { "Room", "What", "When", "Data", NULL };
	const struct command_values *v = values;
	const struct annex_jid *jid = annex_jid(annex_scratch(inst), v->jid);
	struct handing h = { .m = annex_state(inst), .run = run, .most = annex_send_max(inst) / 4 };
	const Muc__Room *room;
	struct place at, next;

	(void)stage;
	if (jid == NULL || !place_read(&at, v->after))
		return ANNEX_EINVAL;
	h.bare = jid->bare;
	annex_run_columns(run, columns, labels);
	for (;;) {
		next = at;
		if ((room = rooms_next(h.m, &next.room)) == NULL)
			return ANNEX_OK;
		if (at.line == 0)
			hand_out_membership(&h, room);
		if (!hand_out_lines(&h, room, &at.line))
			break;
		at = (struct place) { .room = next.room };
	}
	annex_run_say(run, "There is more: after=%s", place_write(&at, annex_scratch(inst)));
	return ANNEX_OK;
}

/* --- Erasing ---------------------------------------------------------------------- */

struct erasing {
	struct place at;
	char bare[JID_MAX + 1];
};

/* Rows of their own. */
static const int personal[] = { TABLE_HATS, TABLE_VOICES, TABLE_SLOW, TABLE_REQUESTS };
#define PERSONAL (sizeof(personal) / sizeof(*personal))

static bool
has_anything(struct muc *m, const Muc__Room *record, const char *bare)
{
	struct annex_key key = muc_key_in(TABLE_AFFILIATIONS, record->id, bare);
	struct annex_iter it = sessions_of(record->id, bare);
	bool has = annex_has(m->store, &key);

	for (size_t i = 0; !has && i < PERSONAL; i++) {
		key = muc_key_in(personal[i], record->id, bare);
		has = annex_has(m->store, &key);
	}
	return !record->gone && (has || session_next(m, &it, bare) != NULL);
}

static int
erase_personal(struct muc *m, const Muc__Room *record, const char *bare)
{
	int r;

	for (size_t i = 0; i < PERSONAL; i++) {
		struct annex_key key = muc_key_in(personal[i], record->id, bare);

		if ((r = annex_delete(m->store, &key)) < 0)
			return r;
	}
	return ANNEX_OK;
}

/* The room has none then, and says so. */
static int
erase_subject(struct muc *m, const Muc__Room *record, const char *bare)
{
	struct room *room = is_subject_by(m, record, bare) ? room_find(m, record->name) : NULL;
	struct annex_stanza *out;
	int r;

	if (room == NULL || room->gone)
		return ANNEX_OK;
	out = annex_message(m->inst, room->jid, NULL, "groupchat");
	annex_attr_set(out->element, "id", annex_random_id(m->inst));
	annex_add(out->element, NULL, "subject");
	room->subject = NULL;
	room->subject_ms = annex_wall_ms(m->inst);
	if ((r = muc_must(m, room_put(room))) < 0 ||
	    (r = muc_must(m, archive_add_own(room, out->element))) < 0)
		return r;
	room_say(room, out);
	return ANNEX_OK;
}

/* Nobody made it then. */
static int
erase_creator(struct muc *m, const Muc__Room *record, const char *bare)
{
	struct room *room = strcmp(record->creator, bare) == 0 ? room_find(m, record->name) : NULL;
	int r;

	if (room == NULL)
		return ANNEX_OK;
	if ((r = muc_must(m, room_made_no_more(room))) < 0 && r != ANNEX_ENOENT)
		return r;
	room->creator = "";
	return muc_must(m, room_put(room));
}

/* Out of the room, and none of it any more. */
static int
erase_membership(struct muc *m, const Muc__Room *record, const char *bare)
{
	struct room *room = has_anything(m, record, bare) ? room_find(m, record->name) : NULL;
	const Muc__Affiliation *a;
	struct change c = { .jid = bare, .rank = RANK_NONE, .nick = "" };
	struct occupant *o;
	int r;

	if (room == NULL)
		return ANNEX_OK;
	while ((o = occupant_by_bare(room, bare)) != NULL) {
		struct notice n = { .codes = { CODE_KICKED } };

		occupant_tell_expelled(o, &n);
		occupant_expel(o, &n);
	}
	if ((r = erase_personal(m, record, bare)) < 0)
		return r;
	a = affiliation_get(room, bare);
	if (a != NULL && a->rank > RANK_NONE &&
	    (a->rank != RANK_OWNER || affiliations_count(room, RANK_OWNER) > 1)) {
		c.before = (enum rank)a->rank;
		if ((r = change_put(room, &c)) < 0)
			return r;
	}
	room_settle(room);
	return ANNEX_OK;
}

/* How many lines were looked at; 0 where there are no more. */
static int
erase_lines(struct muc *m, const Muc__Room *record, struct erasing *e, size_t most)
{
	struct annex_key prefix = muc_key(TABLE_LINES, record->id), from = prefix;
	struct room *loaded = annex_map_get_str(m->rooms, record->name);
	struct annex_iter it;
	struct usage u;
	size_t looked = 0, erased = 0;
	int r;

	usage_get(m, record->id, &u);
	annex_key_u64(&from, e->at.line + 1);
	it = annex_iter_from(&prefix, &from);
	while (looked < most && annex_next(m->store, &it) == ANNEX_AGAIN) {
		const Muc__Line *line = (const Muc__Line *)it.record;

		looked++;
		e->at.line = annex_key_number(&it.key, 1);
		if (!is_address_of(line->jid, e->bare))
			continue;
		u.bytes -= (int64_t)strlen(line->xml);
		if ((r = annex_delete(m->store, &it.key)) < 0)
			return r;
		erased++;
	}
	if (erased == 0)
		return (int)looked;
	if ((r = usage_put(m, record->id, &u)) < 0)
		return r;
	if (loaded != NULL)
		loaded->usage = u;
	return (int)looked;
}

int
erase_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct muc *m = annex_state(inst);
	struct rooms_cursor next;
	const Muc__Room *record;
	struct erasing e;
	size_t done = 0;
	int n;

	memcpy(&e, state->bytes, sizeof(e));
	while (done < limit) {
		next = e.at.room;
		if ((record = rooms_next(m, &next)) == NULL)
			return ANNEX_OK;
		if (e.at.line == 0 &&
		    ((n = erase_subject(m, record, e.bare)) < 0 ||
			(n = erase_creator(m, record, e.bare)) < 0 ||
			(n = erase_membership(m, record, e.bare)) < 0))
			return n;
		if ((n = erase_lines(m, record, &e, limit - done)) < 0)
			return n;
		done += (size_t)n + 1;
		if (done <= limit)
			e.at = (struct place) { .room = next };
	}
	memcpy(state->bytes, &e, sizeof(e));
	return ANNEX_AGAIN;
}

int
run_erase(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct command_values *v = values;
	const struct annex_jid *jid = annex_jid(annex_scratch(inst), v->jid);
	struct erasing e;

	(void)stage;
	if (jid == NULL || jid->local == NULL || strlen(jid->bare) > JID_MAX) {
		annex_run_fail(
		    run, ANNEX_BAD_REQUEST, "That is no address of a user, or too long.");
		return ANNEX_EINVAL;
	}
	memset(&e, 0, sizeof(e));
	memcpy(e.bare, jid->bare, strlen(jid->bare));
	recent_erase(annex_state(inst), e.bare);
	return annex_job_start(inst, "erase", &e, sizeof(e));
}
