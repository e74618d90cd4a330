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

#include "change.h"
#include "presence.h"

#define INVITES_MAX 20

/* --- Those of late --------------------------------------------------------------- */

/* Where an error to one goes: the last of them are remembered, in a ring. */
#define RECENT 64
struct invitation {
	struct annex_pool *pool;
	const char *id, *room, *to;
	const char *by, *asked_id; /* whose it was, full JID */
};

struct invitations {
	struct invitation ring[RECENT];
	size_t next;
};

static void
invitation_note(struct muc *m, const struct annex_stanza *out, const struct room *room,
    const struct annex_jid *to, const struct annex_stanza *in)
{
	struct invitation *i;

	if (m->invitations == NULL)
		m->invitations = annex_new(annex_pool(m->inst), struct invitations);
	i = &m->invitations->ring[m->invitations->next++ % RECENT];
	if (i->pool == NULL)
		i->pool = annex_pool_create(annex_pool(m->inst), "invitation");
	annex_pool_reset(i->pool);
	i->id = annex_strdup(i->pool, annex_attr(out->element, "id"));
	i->room = annex_strdup(i->pool, room->jid);
	i->to = annex_strdup(i->pool, to->full);
	i->by = annex_strdup(i->pool, in->from->full);
	i->asked_id = annex_strdup(i->pool, in->id);
}

static struct invitation *
invitation_find(struct muc *m, const struct annex_stanza *in)
{
	struct invitation *i;

	if (m->invitations == NULL || in->id == NULL)
		return NULL;
	for (size_t n = 0; n < RECENT; n++) {
		i = &m->invitations->ring[n];
		if (i->id != NULL && strcmp(i->id, in->id) == 0 &&
		    strcmp(i->to, in->from->full) == 0 && strcmp(i->room, in->to->bare) == 0)
			return i;
	}
	return NULL;
}

/* Both bare. */
static bool
has_invited(const struct room *room, const char *by, const char *whom)
{
	const struct invitations *late = room->muc->invitations;

	for (size_t n = 0; late != NULL && n < RECENT; n++) {
		const struct invitation *i = &late->ring[n];

		if (i->id != NULL && strcmp(i->room, room->jid) == 0 && is_address_of(i->by, by) &&
		    is_address_of(i->to, whom))
			return true;
	}
	return false;
}

/* There is nobody of that address: the inviter is told, once (§7.8.2). */
void
invitation_failed(struct muc *m, const struct annex_stanza *in)
{
	struct annex_error error = { .condition = ANNEX_ITEM_NOT_FOUND };
	enum annex_error_type type = annex_error_read(in->element).type;
	struct invitation *i = invitation_find(m, in);
	struct annex_stanza *out;
	struct annex_element *invite;

	if (i == NULL || type == ANNEX_ERROR_WAIT || type == ANNEX_ERROR_AUTH)
		return;
	out = annex_message(m->inst, i->room, i->by, "error");
	annex_attr_set(out->element, "id", i->asked_id);
	invite = annex_add(annex_add(out->element, NS_USER, "x"), NULL, "invite");
	annex_attr_set(invite, "to", i->to);
	error.by = i->room;
	annex_error_add(out->element, &error);
	muc_answer(m, in, out);
	i->id = NULL;
}

/* --- Inviting -------------------------------------------------------------------- */

/* in: what asked for it, or NULL. */
void
invite_send(struct room *room, const struct annex_jid *to, const char *from,
    const struct annex_element *asked, const struct annex_stanza *in)
{
	struct muc *m = room->muc;
	struct annex_stanza *out = annex_message(m->inst, room->jid, to->full, NULL);
	struct annex_element *x = annex_add(out->element, NS_USER, "x"), *invite;
	const struct annex_element *thread = annex_child(asked, NULL, "continue");

	invite = annex_add(x, NULL, "invite");
	annex_attr_set(invite, "from", from);
	annex_add_text(invite, NULL, "reason", annex_child_text(asked, NULL, "reason"));
	if (thread != NULL)
		annex_attr_set(
		    annex_add(invite, NULL, "continue"), "thread", annex_attr(thread, "thread"));
	if (room->config.guarded)
		annex_add_text(x, NULL, "password", room->config.secret);
	x = annex_add(out->element, NS_CONFERENCE, "x");
	annex_attr_set(x, "jid", room->jid);
	if (room->config.guarded)
		annex_attr_set(x, "password", room->config.secret);
	annex_attr_set(out->element, "id", annex_random_id(m->inst));
	if (in != NULL)
		invitation_note(m, out, room, to, in);
	annex_make_durable(out);
	annex_send_on(m->inst, room_flow(room), out);
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

static bool
thread_fits(const struct annex_element *asked)
{
	const struct annex_element *thread = annex_child(asked, NULL, "continue");
	const char *id = thread == NULL ? NULL : annex_attr(thread, "thread");

	return id == NULL || strlen(id) <= REASON_MAX;
}

static int
member_make(struct room *room, const struct annex_jid *who)
{
	int r = muc_must(room->muc, affiliation_put(room, who->bare, RANK_MEMBER, NULL, NULL));

	if (r >= 0)
		absent_tell(room, who->bare, RANK_MEMBER, NULL);
	return r;
}

/* One that cannot be is refused with all others: the error names none of them. */
static enum annex_verdict
invite_all(struct muc *m, struct room *room, const char *from, const struct annex_element *x,
    const struct annex_stanza *in)
{
	const struct annex_jid *to[INVITES_MAX];
	const struct annex_element *asked[INVITES_MAX];
	size_t n = 0;

	ANNEX_CHILDREN (x, one) {
		const char *text = annex_attr(one, "to");

		if (!annex_is(one, NS_USER, "invite"))
			continue;
		if (n == INVITES_MAX)
			return muc_refuse(m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY,
			    "That is too many at once.");
		if (text == NULL || (to[n] = annex_jid(in->pool, text)) == NULL ||
		    to[n]->local == NULL)
			return muc_refuse(m, in, ANNEX_JID_MALFORMED, ANNEX_ERROR_MODIFY, NULL);
		if (!reason_fits(one) || !thread_fits(one))
			return muc_refuse(m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY,
			    "The reason is too long.");
		if (rank_of(room, to[n]) == RANK_OUTCAST)
			return muc_refuse(m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH,
			    "They are banned from the room.");
		asked[n++] = one;
	}
	if (!pace_invitations(m, in->from, n))
		return muc_refuse(m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_WAIT,
		    "You have invited many; try again later.");
	for (size_t i = 0; i < n; i++) {
		if (room->config.members_only && rank_of(room, to[i]) == RANK_NONE &&
		    member_make(room, to[i]) < 0)
			return ANNEX_DONE;
		invite_send(room, to[i], from, asked[i], in);
	}
	return ANNEX_DONE;
}

/* The inviter may have been named by address or by nickname, and may have left since: then it goes to
 * their account, but as an answer alone. */
static const char *
inviter_find(struct room *room, const struct annex_jid *to, const struct annex_jid *by)
{
	const struct occupant *o = NULL;

	if (strcmp(to->bare, room->jid) != 0)
		o = occupant_by_bare(room, to->bare);
	else if (to->resource != NULL)
		o = occupant_find(room, to->resource);
	if (o != NULL)
		return o->shown->jid;
	return has_invited(room, to->bare, by->bare) ? to->bare : NULL;
}

/* Whoever sends it learns nothing of who is in the room. */
static enum annex_verdict
decline(struct muc *m, struct room *room, const struct annex_element *asked,
    const struct annex_stanza *in)
{
	const char *text = annex_attr(asked, "to");
	const struct annex_jid *to = text == NULL ? NULL : annex_jid(in->pool, text);
	struct annex_stanza *out;
	struct annex_element *el;
	const char *inviter;

	if (to == NULL)
		return muc_refuse(m, in, ANNEX_JID_MALFORMED, ANNEX_ERROR_MODIFY, NULL);
	if (!reason_fits(asked))
		return muc_refuse(
		    m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY, "The reason is too long.");
	if (!pace_invitations(m, in->from, 1))
		return muc_refuse(m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_WAIT,
		    "You have declined many; try again later.");
	inviter = inviter_find(room, to, in->from);
	if (inviter == NULL || rank_of(room, in->from) == RANK_OUTCAST)
		return ANNEX_DONE;
	out = annex_message(m->inst, room->jid, inviter, NULL);
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
	return invite_all(m, room, room_shows_jids(room) ? s->jid : s->occupant->jid, x, in);
}
