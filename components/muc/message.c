/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * message.c - what is said to everybody (XEP-0045 §7.4), and the subject (§8.1)
 */
#include <string.h>

#include "archive.h"
#include "commands.h"
#include "presence.h"

bool
is_subject_change(const struct annex_element *message)
{
	return annex_child(message, ANNEX_NS_STANZA, "subject") != NULL &&
	    annex_child(message, ANNEX_NS_STANZA, "body") == NULL &&
	    annex_child(message, ANNEX_NS_STANZA, "thread") == NULL;
}

static struct annex_stanza *
message_build(const struct occupant *o, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_message(o->room->muc->inst, o->jid, NULL, "groupchat");

	annex_attr_set(
	    out->element, "id", in->id != NULL ? in->id : annex_random_id(o->room->muc->inst));
	add_language(out->element, in->element);
	add_safely(out->element, in->element, o->room);
	annex_attr_set(annex_add(out->element, NS_OCCUPANT, "occupant-id"), "id",
	    occupant_id(o->room, out->pool, o->bare));
	return out;
}

/* --- The subject ------------------------------------------------------------ */

#define SUBJECT_MAX ((size_t)8 << 10)

static bool
may_change_subject(const struct occupant *o)
{
	return o->role == ROLE_MODERATOR ||
	    (o->role == ROLE_PARTICIPANT && o->room->config.change_subject);
}

static enum annex_verdict
change_subject(struct muc *m, struct session *s, const struct annex_stanza *in)
{
	struct occupant *o = s->occupant;
	struct room *room = o->room;
	struct annex_stanza *out;
	const char *before = room->subject, *text;
	int64_t before_ms = room->subject_ms;
	size_t len;

	if (!may_change_subject(o))
		return muc_refuse(
		    m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, "You may not change the subject.");
	out = message_build(o, in);
	text = annex_element_write(out->element, out->pool, &len);
	if (text == NULL || len > SUBJECT_MAX)
		return muc_refuse(
		    m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY, "The subject is too long.");
	room->subject = text;
	room->subject_ms = annex_wall_ms(m->inst);
	if (room_put(room) < 0) {
		room->subject = before;
		room->subject_ms = before_ms;
		return muc_full(m, in);
	}
	room->subject = annex_strdup(room->pool, text);
	room->garbage += before == NULL ? 0 : strlen(before);
	if (muc_must(m, archive_add(room, o, s->jid, out->element)) >= 0)
		room_say(room, out);
	return ANNEX_DONE;
}

static enum annex_verdict
refuse_too_long(struct muc *m, const struct annex_stanza *in)
{
	return muc_refuse(m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY, "That is too long.");
}

/* --- What is said ------------------------------------------------------------- */

static enum annex_verdict
say(struct muc *m, struct session *s, const struct annex_stanza *in)
{
	struct occupant *o = s->occupant;
	enum annex_condition wrong;
	struct annex_stanza *out;
	uint64_t taken_back;
	int r;

	if (is_subject_change(in->element))
		return change_subject(m, s, in);
	if (o->role < ROLE_PARTICIPANT)
		return muc_refuse(
		    m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, "You have no voice here.");
	if (!slow_may_say(o, in->element))
		return muc_refuse(m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_WAIT,
		    annex_sprintf(in->pool,
			"In this room everybody waits %lld seconds between two messages.",
			(long long)o->room->config.slow_s));
	out = message_build(o, in);
	if ((wrong = retract_judge(o, out->element, &taken_back)) != 0)
		return muc_refuse(m, in, wrong, ANNEX_ERROR_DEFAULT, NULL);
	if ((r = archive_add(o->room, o, s->jid, out->element)) < 0)
		return r == ANNEX_EINVAL ? refuse_too_long(m, in) : muc_full(m, in);
	if (taken_back != 0 && muc_must(m, retract_own(o->room, out->element, taken_back)) < 0)
		return ANNEX_DONE;
	if (muc_must(m, slow_note(o, out->element)) < 0)
		return ANNEX_DONE;
	annex_count(m->messages, 1);
	room_say(o->room, out);
	return ANNEX_DONE;
}

static bool
is_type(const struct annex_stanza *in, const char *type)
{
	return in->type != NULL && strcmp(in->type, type) == 0;
}

/* Not one without any field, which a voice request may be as well. */
static bool
is_registration(const struct annex_stanza *in)
{
	const struct annex_element *x = annex_form_find(in->element, NS_MUC "#register");

	return x != NULL && annex_form_value(x, "FORM_TYPE") != NULL;
}

static enum annex_verdict
to_room(struct muc *m, struct room *room, struct session *s, const struct annex_stanza *in)
{
	if (is_type(in, "groupchat"))
		return s != NULL ? say(m, s, in)
				 : muc_refuse(m, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_CANCEL,
				       "You are not in the room.");
	if (annex_child(in->element, NS_USER, "x") != NULL)
		return invite(m, room, s, in);
	if (is_registration(in))
		return registration_judge(m, room, s, in);
	if (annex_form_find(in->element, NS_REQUEST) != NULL)
		return voice(m, s, in);
	return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY,
	    "A message to everybody is of the type groupchat.");
}

static enum annex_verdict
to_occupant(struct muc *m, struct session *s, const struct annex_stanza *in)
{
	if (is_type(in, "groupchat"))
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY,
		    "A message to one of them is not of the type groupchat.");
	if (s == NULL)
		return muc_refuse(
		    m, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_CANCEL, "You are not in the room.");
	return private_message(m, s, in);
}

static bool
is_too_large(const struct muc *m, const struct annex_stanza *in)
{
	size_t len = 0, most = (size_t)m->set->max_message_bytes;

	return most > 0 && annex_element_write(in->element, in->pool, &len) != NULL && len > most;
}

enum annex_verdict
muc_message(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	struct room *room;
	struct session *s;

	if (in->to->local == NULL)
		return announce_as_asked(m, in);
	room = room_find(m, in->to->local);
	s = room == NULL ? NULL : session_find(room, in->from->full);
	if (s != NULL)
		session_prove(s);
	if (room == NULL || room->gone || (room->locked && s == NULL))
		return muc_refuse(
		    m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, "There is no such room.");
	if (is_too_large(m, in))
		return refuse_too_long(m, in);
	if (s != NULL && !pace_message(s->occupant))
		return muc_refuse(
		    m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_WAIT, "That is too much at once.");
	if (in->to->resource != NULL)
		return to_occupant(m, s, in);
	return to_room(m, room, s, in);
}
