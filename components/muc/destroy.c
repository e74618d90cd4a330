/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * destroy.c - the end of a room (XEP-0045 §10.9), and of what it kept
 *
 * In the turn everybody is told and put out, and the room's row becomes a
 * tombstone, or goes where nobody need know that it was; the rest stays until
 * all are known to have been told (routed.c), and is then left to a job, table
 * by table.  A room made anew under the name meanwhile has rows
 * under an id of its own.
 */
#include <string.h>

#include "archive.h"
#include "commands.h"
#include "presence.h"
#include "routed.h"

void
room_tell_destroyed(struct room *room, const struct annex_element *destroy)
{
	static const enum rank none = RANK_NONE;
	const struct notice n = {
		.type = "unavailable", .out = true, .rank = &none, .destroy = destroy
	};

	OCCUPANTS_EACH(room, o)
	presence_to_self(o, &n);
}

static struct annex_element *
destroy_build(struct room *room, const struct annex_element *asked)
{
	struct annex_element *el =
	    annex_element(annex_scratch(room->muc->inst), NS_USER, "destroy");

	if (asked == NULL)
		return el;
	annex_attr_set(el, "jid", annex_attr(asked, "jid"));
	annex_add_text(el, NULL, "password", annex_child_text(asked, NULL, "password"));
	annex_add_text(el, NULL, "reason", annex_child_text(asked, NULL, "reason"));
	return el;
}

static const int emptied[] = { TABLE_SESSIONS, TABLE_AFFILIATIONS, TABLE_NICKS, TABLE_LINES,
	TABLE_USAGE, TABLE_VCARDS, TABLE_HATS, TABLE_SLOW, TABLE_UNROUTED, TABLE_VOICES,
	TABLE_REQUESTS };

/* One table after the other; state is the id of the room that was. */
static int
remains_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct muc *m = annex_state(inst);
	const char *id = annex_strndup(annex_scratch(inst), (char *)state->bytes, state->len);
	struct annex_key key;
	int n;

	for (size_t i = 0; i < sizeof(emptied) / sizeof(*emptied); i++) {
		key = muc_key(emptied[i], id);
		if ((n = annex_delete_some(m->store, &key, limit)) != 0)
			return n < 0 ? n : ANNEX_AGAIN;
	}
	key = muc_key(TABLE_LINES, id);
	return annex_sequence_forget(m->store, &key);
}

const struct annex_job muc_jobs[] = {
	{ .kind = "remains", .step = remains_step },
	{ .kind = "retain", .step = retain_step },
	{ .kind = "erase", .step = erase_step },
	{ .kind = "announce", .step = announce_step },
	{ 0 },
};

static const char *
uri_target(struct room *room, const struct annex_element *asked)
{
	const char *text = asked == NULL ? NULL : annex_attr(asked, "jid");
	const struct annex_jid *jid =
	    text == NULL ? NULL : annex_jid(annex_scratch(room->muc->inst), text);

	return jid == NULL ? "" : annex_strdup(room->pool, jid->bare);
}

/* asked NULL: it ended by itself, and leaves no tombstone. */
void
room_destroy(struct room *room, const struct annex_element *asked)
{
	struct muc *m = room->muc;
	struct annex_key key = muc_key(TABLE_ROOMS, room->name);
	struct annex_element *el;
	const char *reason = asked == NULL ? NULL : annex_child_text(asked, NULL, "reason");

	el = destroy_build(room, asked);
	room_tell_destroyed(room, el);
	live_gone(room, el);
	muc_must(m, annex_alarm_clear(m->inst, "configure", room->name, strlen(room->name)));
	annex_count(m->destroyed, 1);
	muc_must(m, room_made_no_more(room));
	recent_forget(m, room->id);
	room->gone = true;
	room->gone_ms = annex_wall_ms(m->inst);
	room->gone_jid = uri_target(room, asked);
	room->gone_reason = annex_strdup(room->pool, reason == NULL ? "" : reason);
	room->subject = NULL;
	if (asked != NULL) {
		muc_must(m, room_put(room));
	} else {
		annex_delete(m->store, &key);
		muc_must(m, listed_drop(m, room->name));
	}
	room_forget(room);
}

/* Nobody configured it in time (§10.1.2). */
static void
configure_due(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	struct muc *m = annex_state(inst);
	struct room *room = room_find(m, annex_strndup(annex_scratch(inst), key, key_len));

	(void)due_wall_ms;
	if (room != NULL && room->locked && !room->gone)
		room_destroy(room, NULL);
}

/* They were put out since something went wrong, and nobody came back. */
static void
settle_due(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	struct muc *m = annex_state(inst);
	struct room *room = room_find(m, annex_strndup(annex_scratch(inst), key, key_len));

	(void)due_wall_ms;
	if (room == NULL)
		return;
	if (ask_is_early(m))
		room_settle_late(room);
	else
		room_settle(room);
}

const struct annex_alarm muc_alarms[] = {
	{ .kind = "settle", .fn = settle_due },
	{ .kind = "configure", .fn = configure_due },
	{ 0 },
};
