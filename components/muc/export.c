/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * export.c - all that is kept of one user, handed out
 *
 * It goes in parts, each of a bounded piece of the archives; the answer says
 * where the next one begins.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "rights.h"

#define LOOK_MAX 5000
#define ROWS_MAX 200

struct handing {
	struct muc *m;
	struct annex_run *run;
	const char *bare;
	size_t looked, rows;
	size_t most; /* bytes of them, and of each: an answer has to be sent */
};

static void
row(struct handing *h, const char *room, const char *what, int64_t stamp_ms, const char *data)
{
	const char *stamp =
	    stamp_ms == 0 ? "" : annex_datetime(annex_scratch(h->m->inst), stamp_ms);
	const char *values[] = { room, what, stamp, data, NULL };

	if (annex_run_row_bytes(h->run, values) > h->most && annex_run_by(h->run) != NULL)
		values[3] = annex_sprintf(annex_scratch(h->m->inst),
		    "(%zu bytes, which only annexctl hands out)", strlen(data));
	annex_run_row(h->run, values);
	h->rows++;
}

/* That they would be a member. */
static void
hand_out_request(struct handing *h, const Muc__Room *room, const Muc__Request *r)
{
	struct annex_pool *pool = annex_scratch(h->m->inst);
	const char *all =
	    annex_sprintf(pool, "%s %s %s %s %s", r->nick, r->first, r->last, r->url, r->email);

	for (size_t i = 0; i < r->n_faq; i++)
		all = annex_sprintf(pool, "%s\n%s", all, r->faq[i]);
	row(h, room->name, "request", r->asked_ms, all);
}

/* NULL where there is no row of theirs. */
static const ProtobufCMessage *
personal(struct handing *h, const Muc__Room *room, int table)
{
	struct annex_key key = muc_key_in(table, room->id, h->bare);
	ProtobufCMessage *record;

	return annex_get(h->m->store, &key, &record) == ANNEX_OK ? record : NULL;
}

static void
hand_out_personal(struct handing *h, const Muc__Room *room)
{
	const Muc__Hats *hats = (const Muc__Hats *)personal(h, room, TABLE_HATS);
	const Muc__Request *request = (const Muc__Request *)personal(h, room, TABLE_REQUESTS);
	const Muc__Voice *voice = (const Muc__Voice *)personal(h, room, TABLE_VOICES);
	const Muc__Slow *slow = (const Muc__Slow *)personal(h, room, TABLE_SLOW);

	for (size_t i = 0; hats != NULL && i < hats->n_uri; i++)
		row(h, room->name, "hat", 0, hats->uri[i]);
	if (request != NULL)
		hand_out_request(h, room, request);
	if (voice != NULL)
		row(h, room->name, "voice", 0, role_name((enum role)voice->role));
	if (slow != NULL)
		row(h, room->name, "last message", slow->said_ms, "");
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
	while (h->looked++ < LOOK_MAX && h->rows < ROWS_MAX && annex_run_bytes(h->run) < h->most) {
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
	if (jid == NULL)
		return ANNEX_EINVAL;
	if (!place_read(&at, v->after)) {
		annex_run_fail(run, ANNEX_BAD_REQUEST,
		    "\"after\" is what the answer before this one ended with; \"%s\" is not.",
		    v->after);
		return ANNEX_EINVAL;
	}
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
