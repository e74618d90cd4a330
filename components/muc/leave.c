/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * leave.c - who goes, who is gone, and what becomes of the room
 *
 * Presence is sorted here.  An "unavailable" is matched by full JID,
 * whatever nickname it names: somebody who logs out is out.  One that comes
 * from nobody in the room is ignored (§7.14).
 */
#include <string.h>

#include "presence.h"
#include "routed.h"

/* §10.1: who vanishes before the room was configured takes it along; a temporary one ends empty. */
void
room_settle(struct room *room)
{
	if (room->occupant_count > 0 || room->gone)
		return;
	if (room->locked || !room->config.persistent)
		room_destroy(room, NULL);
	else
		live_settle(room);
}

/* Those who were put out since something went wrong may be on their way back. */
#define SETTLE_MS ((int64_t)10 * 60 * 1000)

void
room_settle_late(struct room *room)
{
	if (room->occupant_count > 0 || room->gone)
		return;
	if (room->locked || !room->config.persistent)
		muc_must(room->muc,
		    annex_alarm_set(room->muc->inst, "settle", room->name, strlen(room->name),
			annex_wall_ms(room->muc->inst) + SETTLE_MS));
	live_settle(room);
}

/* Take a session out: who it was is told with notice's codes, then the others. */
static void
session_expel(struct session *s, const struct notice *notice)
{
	struct occupant *o = s->occupant;
	struct room *room = o->room;
	struct notice n = *notice, plain = { 0 };
	bool only = occupant_is_only(s), was_shown = o->shown == s;
	bool by_error = notice->codes[0] == CODE_ERROR;
	const char *presence = s->presence;

	n.type = "unavailable";
	n.out = true;
	n.only = s;
	presence_to_self(o, &n);
	n.only = NULL;
	n.id = NULL;
	if (only)
		presence_to_others(o, &n);
	unrouted_notice(o, s, notice->with == NULL && !by_error, only, &n);
	session_remove(s);
	/* The others go on seeing the occupant, as the session that is left. */
	if (!only && was_shown &&
	    (presence == NULL || o->shown->presence == NULL ||
		strcmp(presence, o->shown->presence) != 0))
		presence_to_others(o, &plain);
	if (by_error)
		room_settle_late(room);
	else
		room_settle(room);
}

void
occupant_tell_expelled(struct occupant *o, const struct notice *notice)
{
	struct notice n = *notice;

	n.type = "unavailable";
	n.out = true;
	SESSIONS_EACH(o, s)
	{
		n.only = s;
		presence_to_self(o, &n);
	}
}

void
occupant_expel(struct occupant *o, const struct notice *notice)
{
	struct notice n = *notice;

	n.type = "unavailable";
	n.out = true;
	presence_to_others(o, &n);
	unrouted_notice(o, NULL, true, true, &n);
	occupant_remove(o);
}

enum annex_verdict
leave(struct muc *m, struct session *s, const struct annex_stanza *in)
{
	struct annex_pool *pool = annex_scratch(m->inst);
	struct annex_element *with = annex_element(pool, ANNEX_NS_STANZA, "presence");
	struct notice n = { .with = with, .id = in->id };

	ANNEX_CHILDREN (in->element, child)
		if (annex_is(child, ANNEX_NS_STANZA, "status"))
			annex_add_copy(with, child);
	add_language(with, in->element);
	if (!presence_fits(with, pool)) /* they go, whatever they have to say */
		n.with = annex_element(pool, ANNEX_NS_STANZA, "presence");
	session_expel(s, &n);
	return ANNEX_DONE;
}

/* §7.2.1: who thinks to be in and is not has missed something; they are told so that they come in again. */
static enum annex_verdict
tell_not_in(struct muc *m, const struct annex_stanza *in)
{
	struct annex_stanza *out =
	    annex_presence(m->inst, in->to->full, in->from->full, "unavailable");
	struct annex_element *x = annex_add(out->element, NS_USER, "x"), *item;

	item = annex_add(x, NULL, "item");
	annex_attr_set(item, "affiliation", "none");
	annex_attr_set(item, "role", "none");
	annex_add_text(item, NULL, "reason", "You are not in the room.");
	add_status(x, CODE_SELF);
	add_status(x, CODE_KICKED);
	add_status(x, CODE_ERROR);
	muc_answer(m, in, out);
	return ANNEX_DONE;
}

static enum annex_verdict
available(struct muc *m, struct room *room, struct session *s, const struct annex_stanza *in)
{
	if (s != NULL)
		return rename_or_update(s, in);
	if (annex_child(in->element, NS_MUC, "x") != NULL)
		return join(m, room, in);
	if (in->to->resource == NULL)
		return ANNEX_DONE;
	return tell_not_in(m, in);
}

/* §17.3: an occupant sees somebody's presence again. */
static enum annex_verdict
probe(struct muc *m, struct room *room, struct session *s, const struct annex_stanza *in)
{
	struct occupant *o;

	if (in->to->resource == NULL)
		return ANNEX_DONE;
	if (s == NULL)
		return muc_refuse(
		    m, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_CANCEL, "You are not in the room.");
	if ((o = occupant_find(room, in->to->resource)) == s->occupant) {
		const struct notice own = { .only = s };

		presence_to_self(o, &own);
	} else if (o != NULL) {
		presence_of(o, s);
	}
	return ANNEX_DONE;
}

enum annex_verdict
muc_presence(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	struct room *room;
	struct session *s;

	if (in->to->local == NULL)
		return in->type == NULL
		    ? muc_refuse(m, in, ANNEX_SERVICE_UNAVAILABLE, ANNEX_ERROR_CANCEL, NULL)
		    : ANNEX_DONE;
	room = room_find(m, in->to->local);
	s = room == NULL ? NULL : session_find(room, in->from->full);
	if (s != NULL)
		session_prove(s);
	if (in->type == NULL)
		return available(m, room, s, in);
	if (strcmp(in->type, "unavailable") == 0 && s != NULL)
		return leave(m, s, in);
	if (strcmp(in->type, "probe") == 0 && room != NULL)
		return probe(m, room, s, in);
	return ANNEX_DONE;
}

/* An error would make the server of somebody who is in forget them: how they are shown still says it
 * as well. */
void
muc_presence_refused(
    struct annex_instance *inst, const struct annex_stanza *in, const struct annex_error *why)
{
	struct muc *m = annex_state(inst);
	struct room *room =
	    in->to->local == NULL || in->to->resource == NULL ? NULL : room_find(m, in->to->local);
	struct session *s = room == NULL ? NULL : session_find(room, in->from->full);
	const struct notice own = { .only = s };

	if (s != NULL && annex_list_is_empty(&s->occupant->held)) /* else it is shown soon */
		presence_to_self(s->occupant, &own);
	else if (s == NULL && in->to->local != NULL)
		muc_refuse_with(m, in, why);
}

/* --- Those whose server says that they are gone (§16.3, §11.1) --------------- */

static enum annex_verdict
bounce(struct annex_instance *inst, const struct annex_stanza *in)
{
	const struct notice n = { .codes = { CODE_ERROR } };
	struct muc *m = annex_state(inst);
	struct room *room = in->to->local == NULL ? NULL : room_find(m, in->to->local);
	struct session *s = room == NULL ? NULL : session_find(room, in->from->full);
	enum annex_condition condition = annex_error_read(in->element).condition;

	if (s != NULL && ask_is_gone(s, condition, in->to->resource == NULL))
		session_expel(s, &n);
	else if (s == NULL && room != NULL && in->kind == ANNEX_MESSAGE_ERROR)
		invitation_failed(m, in);
	return ANNEX_DONE;
}

enum annex_verdict
muc_presence_error(struct annex_instance *inst, const struct annex_stanza *in)
{
	return bounce(inst, in);
}

enum annex_verdict
muc_message_error(struct annex_instance *inst, const struct annex_stanza *in)
{
	return bounce(inst, in);
}
