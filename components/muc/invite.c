/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * invite.c - invitations through the room, and refusals of them (XEP-0045
 * §7.8.2)
 *
 * Who is invited to a room for members becomes one, or the invitation would
 * be to a closed door; in an open room nobody becomes anything.
 */
#include <string.h>

#include "muc.h"

#define INVITES_MAX 20

void
invite_send(struct room *room, const struct annex_jid *to, const char *from,
    const struct annex_element *asked)
{
	struct annex_stanza *out = annex_message(room->muc->inst, room->jid, to->full, NULL);
	struct annex_element *x = annex_add(out->element, NS_USER, "x"), *invite;

	invite = annex_add(x, NULL, "invite");
	annex_attr_set(invite, "from", from);
	ANNEX_CHILDREN (asked, child)
		if (annex_is(child, NS_USER, "reason") || annex_is(child, NS_USER, "continue"))
			annex_add_copy(invite, child);
	if (room->config.guarded)
		annex_add_text(x, NULL, "password", room->config.secret);
	x = annex_add(out->element, NS_CONFERENCE, "x");
	annex_attr_set(x, "jid", room->jid);
	if (room->config.guarded)
		annex_attr_set(x, "password", room->config.secret);
	annex_make_durable(out);
	annex_send_on(room->muc->inst, room_flow(room), out);
}

/* §7.8.2: where there is one field for it, admins and moderators are not bound by it. */
static bool
may_invite(const struct occupant *o)
{
	if (o->power >= RANK_ADMIN)
		return true;
	if (o->room->config.members_only)
		return o->room->config.allow_invites;
	return o->role >= ROLE_PARTICIPANT || o->room->config.allow_invites;
}

static enum annex_verdict
invite_one(struct muc *m, struct occupant *by, const char *from, const struct annex_element *invite,
    const struct annex_stanza *in)
{
	const char *text = annex_attr(invite, "to");
	const struct annex_jid *to = text == NULL ? NULL : annex_jid(in->pool, text);
	enum rank rank;

	if (to == NULL)
		return muc_refuse(m, in, ANNEX_JID_MALFORMED, ANNEX_ERROR_MODIFY, NULL);
	rank = rank_of(by->room, to);
	if (rank == RANK_OUTCAST)
		return muc_refuse(
		    m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, "They are banned from the room.");
	if (by->room->config.members_only && rank == RANK_NONE &&
	    affiliation_put(by->room, to->bare, RANK_MEMBER, NULL, NULL) < 0)
		return muc_full(m, in);
	invite_send(by->room, to, from, invite);
	return ANNEX_DONE;
}

/* The inviter may have been named by address or by nickname. */
static enum annex_verdict
decline(struct muc *m, struct room *room, const struct annex_element *asked,
    const struct annex_stanza *in)
{
	const char *text = annex_attr(asked, "to");
	const struct annex_jid *to = text == NULL ? NULL : annex_jid(in->pool, text);
	struct occupant *o = NULL;
	struct annex_stanza *out;
	struct annex_element *el;

	if (to == NULL)
		return muc_refuse(m, in, ANNEX_JID_MALFORMED, ANNEX_ERROR_MODIFY, NULL);
	if (strcmp(to->bare, room->jid) == 0)
		o = to->resource == NULL ? NULL : occupant_find(room, to->resource);
	else
		o = occupant_by_bare(room, to->bare);
	if (o == NULL)
		return muc_refuse(m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL,
		    "Who invited you has left the room.");
	out = annex_message(m->inst, room->jid, o->shown->jid, NULL);
	el = annex_add(annex_add(out->element, NS_USER, "x"), NULL, "decline");
	annex_attr_set(el, "from", in->from->bare);
	annex_add_text(el, NULL, "reason", annex_child_text(asked, NS_USER, "reason"));
	annex_send_on(m->inst, room_flow(room), out);
	return ANNEX_DONE;
}

enum annex_verdict
invite(struct muc *m, struct room *room, struct session *s, const struct annex_stanza *in)
{
	const struct annex_element *x = annex_child(in->element, NS_USER, "x"), *declined;
	size_t n = 0;

	if ((declined = annex_child(x, NS_USER, "decline")) != NULL)
		return decline(m, room, declined, in);
	if (annex_child(x, NS_USER, "invite") == NULL)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	if (s == NULL)
		return muc_refuse(
		    m, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_CANCEL, "You are not in the room.");
	if (!may_invite(s->occupant))
		return muc_refuse(
		    m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, "You may not invite others.");
	ANNEX_CHILDREN (x, one)
		if (annex_is(one, NS_USER, "invite") && n++ < INVITES_MAX)
			invite_one(m, s->occupant,
			    room_shows_jids(room) ? s->jid : s->occupant->jid, one, in);
	return ANNEX_DONE;
}
