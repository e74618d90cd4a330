/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * erase.c - all that is kept of one user, erased
 *
 * A job: what somebody said goes, a subject too, and so do their membership, nickname and
 * hats, and they leave the rooms they are in.  A ban stays, or it would be a way
 * around it; and so does an owner who is the only one.
 */
#include <string.h>

#include "archive.h"
#include "change.h"
#include "commands.h"
#include "rights.h"

#define JID_MAX 180

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
