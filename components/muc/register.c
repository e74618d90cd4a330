/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * register.c - becoming a member of one's own accord, under a nickname
 * (XEP-0045 §7.10)
 *
 * A room for members takes nobody this way at once: its admins decide (approve.c).
 */
#include <string.h>

#include "change.h"
#include "register.h"

#define FAQ_MAX ((size_t)8 << 10)

static const struct annex_field fields[] = { REGISTRATION_FIELDS, { 0 } };

static const struct annex_form form = {
	.type = NS_MUC "#register",
	.title = "Registration with the room",
	.fields = fields,
};

static const char *
nick_of(const struct room *room, const struct annex_stanza *in)
{
	const Muc__Affiliation *a = affiliation_get(room, in->from->bare);

	return a == NULL ? "" : a->nick;
}

/* The room, where there is registration at all. */
static struct room *
room_of_user(struct muc *m, const struct annex_stanza *in, enum annex_verdict *verdict_r)
{
	struct room *room = room_of_iq(m, in, verdict_r);

	if (room == NULL || m->set->registration)
		return room;
	*verdict_r = muc_refuse(m, in, ANNEX_SERVICE_UNAVAILABLE, ANNEX_ERROR_CANCEL, NULL);
	return NULL;
}

static bool
may_register(const struct room *room, const struct annex_stanza *in)
{
	return rank_of(room, in->from) != RANK_OUTCAST;
}

/* A stranger to a room that only members may come into. */
static bool
must_be_approved(const struct room *room, const struct annex_stanza *in)
{
	return room->config.members_only && power_of(room, in->from) < RANK_MEMBER;
}

enum annex_verdict
muc_register_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;
	struct room *room = room_of_user(m, in, &verdict);
	struct registration now = { .first = "", .last = "", .nick = "", .url = "", .email = "" };
	struct annex_stanza *out;
	struct annex_element *query;

	if (room == NULL)
		return verdict;
	if (!may_register(room, in))
		return muc_refuse(m, in, ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL, NULL);
	out = annex_reply(inst, in);
	query = annex_add(out->element, NS_REGISTER, "query");
	now.nick = nick_of(room, in);
	if (now.nick[0] != '\0') {
		annex_add(query, NULL, "registered");
		annex_add_text(query, NULL, "username", now.nick);
	} else {
		annex_form_add(query, &form, "form", &now);
	}
	muc_answer(m, in, out);
	return ANNEX_DONE;
}

/* Who is in goes by the nickname from now on, unless it would be one of several of theirs. */
void
rename_registered(struct room *room, const struct change *c)
{
	struct occupant *found = NULL;
	size_t count = 0;

	OCCUPANTS_EACH(room, o)
	{
		if (strcmp(o->bare, c->jid) != 0)
			continue;
		found = o;
		count++;
	}
	if (count == 1 && strcmp(found->nick, c->nick) != 0)
		muc_must(room->muc, occupant_rename_by_room(found, c->nick));
}

static enum annex_verdict
apply(struct muc *m, struct room *room, const struct change *c, const struct annex_stanza *in)
{
	if (change_put(room, c) < 0)
		return muc_full(m, in);
	change_tell_who_goes(room, c, NULL);
	muc_confirm(m, in);
	if (c->rank != c->before)
		change_tell(room, c, NULL);
	if (c->nick[0] != '\0')
		rename_registered(room, c);
	room_settle(room);
	return ANNEX_DONE;
}

/* Owners and admins stay what they are, without the nickname. */
static enum annex_verdict
remove_registration(struct muc *m, struct room *room, const struct annex_stanza *in)
{
	struct change c = change_of_rank(room, in->from, RANK_NONE);

	if (c.before < RANK_MEMBER && request_drop(room, in->from->bare) == ANNEX_OK)
		return muc_confirm(m, in);
	if (c.before < RANK_MEMBER)
		return muc_refuse(m, in, ANNEX_REGISTRATION_REQUIRED, ANNEX_ERROR_AUTH,
		    "You are not registered.");
	if (c.before > RANK_MEMBER)
		c.rank = c.before;
	c.nick = "";
	return apply(m, room, &c, in);
}

/* It is told to admins, and kept for them. */
static bool
faq_fits(const struct registration *asked)
{
	size_t bytes = 0;

	for (size_t i = 0; i < asked->faq.count; i++)
		bytes += strlen(asked->faq.value[i]) + 1;
	return bytes <= FAQ_MAX;
}

enum annex_verdict
muc_register_set(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;
	struct room *room = room_of_user(m, in, &verdict);
	struct registration asked = { .first = "", .last = "", .nick = "", .url = "", .email = "" };
	struct change c;
	const struct annex_element *x;
	const char *why;

	if (room == NULL)
		return verdict;
	if (annex_child(in->payload, NS_REGISTER, "remove") != NULL)
		return remove_registration(m, room, in);
	if (!may_register(room, in))
		return muc_refuse(m, in, ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL, NULL);
	x = annex_form_find(in->payload, NS_MUC "#register");
	if (x == NULL || annex_form_read(&form, x, &asked, NULL, in->pool, &why) < 0)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	if (!faq_fits(&asked))
		return muc_refuse(m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY,
		    "The entry in the FAQ is too long.");
	c = change_of_rank(room, in->from, RANK_MEMBER);
	c.nick = annex_prep_resource(in->pool, asked.nick);
	if (!nick_is_fine(m, c.nick))
		return muc_refuse(m, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_MODIFY,
		    "That is no nickname to go by.");
	if (nick_is_taken(room, c.nick, in->from->bare) ||
	    (room->config.members_only && request_has_nick(room, c.nick, in->from->bare)))
		return muc_refuse(
		    m, in, ANNEX_CONFLICT, ANNEX_ERROR_CANCEL, "Somebody else has that nickname.");
	if (must_be_approved(room, in))
		return request_make(m, room, &asked, c.nick, in);
	if (c.before > RANK_MEMBER)
		c.rank = c.before;
	return apply(m, room, &c, in);
}
