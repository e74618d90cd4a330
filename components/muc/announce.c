/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * announce.c - what operators tell everybody who is in a room
 *
 * To one room at once; to all of them by a job, room by room.
 */
#include <string.h>

#include "archive.h"
#include "commands.h"

#define TEXT_MAX 190
#define TOO_LONG "An announcement to all rooms has at most %d bytes."

struct announcing {
	struct rooms_cursor at;
	char text[TEXT_MAX + 1];
};

/* As what others say it is kept, so that nobody misses it who is in. */
static int
announce(struct room *room, const char *text)
{
	struct annex_stanza *out = annex_message(room->muc->inst, room->jid, NULL, "groupchat");
	int r;

	annex_attr_set(out->element, "id", annex_random_id(room->muc->inst));
	annex_add_text(out->element, NULL, "body", text);
	if ((r = archive_add_own(room, out->element)) < 0)
		return r;
	return room_say(room, out);
}

static bool
has_occupants(struct muc *m, const Muc__Room *record)
{
	struct annex_key prefix = muc_key(TABLE_SESSIONS, record->id);

	return !record->gone && annex_has(m->store, &prefix);
}

int
announce_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct muc *m = annex_state(inst);
	const Muc__Room *record;
	struct announcing a;
	struct room *room;

	memcpy(&a, state->bytes, sizeof(a));
	for (size_t n = 0; n < limit; n++) {
		if (annex_is_congested(inst))
			break;
		if ((record = rooms_next(m, &a.at)) == NULL)
			return ANNEX_OK;
		if (has_occupants(m, record) && (room = room_find(m, record->name)) != NULL &&
		    announce(room, a.text) < 0)
			muc_must(m, ANNEX_EFULL);
	}
	memcpy(state->bytes, &a, sizeof(a));
	return ANNEX_AGAIN;
}

static int
announce_everywhere(struct annex_instance *inst, const char *text)
{
	struct announcing a = { .text = "" };

	if (strlen(text) > TEXT_MAX)
		return ANNEX_ELIMIT;
	memcpy(a.text, text, strlen(text));
	return annex_job_start(inst, "announce", &a, sizeof(a));
}

int
run_announce(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct command_values *v = values;
	struct room *room;
	int r;

	(void)stage;
	if (v->room != NULL && v->room[0] != '\0') {
		if ((room = command_room(inst, run, v)) == NULL)
			return ANNEX_ENOENT;
		if (announce(room, v->text) >= 0)
			return ANNEX_OK;
		annex_run_fail(run, ANNEX_RESOURCE_CONSTRAINT, "There is no room for it now.");
		return ANNEX_EFULL;
	}
	if ((r = announce_everywhere(inst, v->text)) == ANNEX_ELIMIT)
		annex_run_fail(run, ANNEX_NOT_ACCEPTABLE, TOO_LONG, TEXT_MAX);
	return r;
}

enum annex_verdict
announce_as_asked(struct muc *m, const struct annex_stanza *in)
{
	const char *text = annex_child_text(in->element, NULL, "body");
	int r;

	if (text == NULL || in->to->resource != NULL || !annex_is_admin(m->inst, in->from))
		return muc_refuse(m, in, ANNEX_SERVICE_UNAVAILABLE, ANNEX_ERROR_CANCEL, NULL);
	if ((r = announce_everywhere(m->inst, text)) == ANNEX_ELIMIT)
		return muc_refuse(m, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_MODIFY,
		    annex_sprintf(in->pool, TOO_LONG, TEXT_MAX));
	return r < 0 ? muc_full(m, in) : ANNEX_DONE;
}
