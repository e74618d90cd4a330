/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * voice.c - asking to speak (XEP-0045 §7.13), and letting somebody (§8.6)
 */
#include <string.h>

#include "change.h"
#include "presence.h"

struct voice_form {
	const char *role, *jid, *nick;
	bool allow;
};

static const struct annex_choice roles[] = {
	{ "participant", "Participant" },
	{ 0 },
};

static const struct annex_field fields[] = {
	ANNEX_FIELD(struct voice_form, role, "muc#role", ANNEX_LIST_SINGLE, "Requested role",
	    .choices = roles),
	ANNEX_FIELD(struct voice_form, jid, "muc#jid", ANNEX_JID_SINGLE, "User"),
	ANNEX_FIELD(struct voice_form, nick, "muc#roomnick", ANNEX_TEXT_SINGLE, "Nickname"),
	ANNEX_FIELD(
	    struct voice_form, allow, "muc#request_allow", ANNEX_BOOLEAN, "Let them speak?"),
	{ 0 },
};

static const struct annex_form form = {
	.type = NS_REQUEST,
	.title = "Voice request",
	.instructions = "Somebody would like to speak in this room.",
	.fields = fields,
};

static int
ask_moderators(struct session *s)
{
	struct room *room = s->occupant->room;
	const struct voice_form asked = { "participant", s->jid, s->occupant->nick, false };
	struct annex_stanza *out = annex_message(room->muc->inst, room->jid, NULL, NULL);
	struct annex_fanout *fan = annex_fanout(room->muc->inst);
	int variant;

	annex_form_add(out->element, &form, "form", &asked);
	if ((variant = annex_fanout_variant(fan, out)) < 0)
		return variant;
	OCCUPANTS_EACH(room, o)
	{
		if (o->role != ROLE_MODERATOR)
			continue;
		SESSIONS_EACH(o, to)
		if (annex_fanout_add(fan, variant, to->jid, NULL) < 0)
			return ANNEX_ELIMIT;
	}
	return annex_fanout_send(fan, room_flow(room));
}

/* The nickname may be somebody else's by now. */
static bool
is_whom(const struct occupant *o, const struct voice_form *f, struct annex_pool *pool)
{
	const struct annex_jid *jid = f->jid[0] == '\0' ? NULL : annex_jid(pool, f->jid);

	return jid == NULL || strcmp(jid->bare, o->bare) == 0;
}

static enum annex_verdict
grant(struct muc *m, struct session *s, const struct voice_form *f, const struct annex_stanza *in)
{
	struct occupant *o = occupant_find(s->occupant->room, f->nick);
	struct change c;

	if (s->occupant->role != ROLE_MODERATOR)
		return muc_refuse(m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, NULL);
	if (o == NULL || !is_whom(o, f, in->pool))
		return muc_refuse(
		    m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, "They have left.");
	if (!f->allow || o->role != ROLE_VISITOR)
		return ANNEX_DONE;
	c = change_of_role(o, ROLE_PARTICIPANT);
	if (change_put(o->room, &c) < 0)
		return muc_full(m, in);
	change_tell(o->room, &c, s->occupant->nick);
	return ANNEX_DONE;
}

static enum annex_verdict
ask(struct muc *m, struct session *s, const struct voice_form *f, const struct annex_stanza *in)
{
	struct occupant *o = s->occupant;

	if (strcmp(f->role, "participant") != 0)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY,
		    "One can only ask for the role of a participant.");
	if (o->role != ROLE_VISITOR)
		return muc_refuse(
		    m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, "You have a voice already.");
	if (!o->room->config.voice_requests)
		return muc_refuse(m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH,
		    "Nobody asks for a voice in this room.");
	if (!pace_request(o))
		return muc_refuse(
		    m, in, ANNEX_RESOURCE_CONSTRAINT, ANNEX_ERROR_WAIT, "You have asked already.");
	return ask_moderators(s) < 0 ? muc_full(m, in) : ANNEX_DONE;
}

enum annex_verdict
voice(struct muc *m, struct session *s, const struct annex_stanza *in)
{
	const struct annex_element *x = annex_form_find(in->element, NS_REQUEST);
	struct voice_form f = { "", "", "", false };
	const char *why;

	if (s == NULL)
		return muc_refuse(
		    m, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_CANCEL, "You are not in the room.");
	if (annex_form_is_cancelled(x))
		return ANNEX_DONE;
	if (annex_form_read(&form, x, &f, NULL, in->pool, &why) < 0)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, why);
	return f.nick[0] != '\0' ? grant(m, s, &f, in) : ask(m, s, &f, in);
}
