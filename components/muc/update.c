/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * update.c - who is in already: their presence (XEP-0045 §7.7), and another
 * nickname (§7.6)
 *
 * A user may be in with several clients, under one nickname or several.  A
 * client that takes another nickname alone is a newcomer to all others, or one
 * less; it is a rename where the nickname that was is gone with it.  Who enters
 * again while they are in has lost track, and gets everything (§7.2.1).
 */
#include <string.h>

#include "presence.h"
#include "routed.h"

static bool
is_entering(const struct annex_stanza *in)
{
	return annex_child(in->element, NS_MUC, "x") != NULL;
}

static void
presence_take(struct session *s, const struct annex_stanza *in)
{
	struct room *room = s->occupant->room;

	room->garbage += s->presence == NULL ? 0 : strlen(s->presence);
	s->presence =
	    annex_strdup(room->pool, presence_keep(room, in, annex_scratch(room->muc->inst)));
	s->occupant->shown = s;
}

/* As who has just come in, where it is lost; a full disk is no reason to keep it from them. */
static void
session_again(struct session *s)
{
	int r;

	s->order = room_event(s->occupant->room);
	if ((r = session_put(s)) == ANNEX_EFULL)
		r = session_put_soft(s);
	muc_must_unless_full(s->occupant->room->muc, r);
}

/* What the client itself gets of what it changed. */
static void
answer(struct session *s, const struct annex_stanza *in)
{
	const struct notice own = { .only = s, .id = in->id };

	if (!is_entering(in)) {
		presence_to_self(s->occupant, &own);
		return;
	}
	session_again(s);
	presence_of_others(s->occupant, s);
	session_welcome(s, in, false, false);
}

/* --- Presence ---------------------------------------------------------------- */

static bool
differs(const struct session *s, const struct annex_stanza *in)
{
	struct annex_pool *scratch = annex_scratch(s->occupant->room->muc->inst);
	const char *now = presence_keep(s->occupant->room, in, scratch);

	if (now == NULL || s->presence == NULL)
		return now != s->presence;
	return strcmp(now, s->presence) != 0;
}

static enum annex_verdict
update(struct session *s, const struct annex_stanza *in)
{
	struct occupant *o = s->occupant;
	const struct notice plain = { 0 };
	bool is_news = !is_entering(in) || differs(s, in), may = !is_news || pace_presence(o);

	s->renamed = strcmp(in->to->resource, o->nick) != 0; /* entering, spelled otherwise */
	if (is_news)
		presence_take(s, in);
	if (!may)
		presence_hold(o);
	if (is_news && may) {
		session_keep(s);
		presence_to_others(o, &plain);
		presence_to_other_sessions(s);
	}
	if (may || is_entering(in))
		answer(s, in);
	return ANNEX_DONE;
}

/* --- Another nickname ---------------------------------------------------------- */

/*
 * A server that gets an error from an address forgets that somebody of its own is there, and does
 * not tell us when they log out.  The error comes from the nickname that was refused, so nothing
 * is lost by it - but where the room gave them another nickname it may be the only one that
 * their server knows: then they are told again how they are called (210).
 */
static enum annex_verdict
refuse_rename(struct session *s, const struct annex_stanza *in, enum annex_condition condition,
    enum annex_error_type type, const char *text)
{
	struct notice own = { .only = s };

	if (s->renamed) {
		own.id = in->id;
		own.own_codes[0] = CODE_NICK_GIVEN;
	} else {
		muc_refuse(s->occupant->room->muc, in, condition, type, text);
	}
	presence_to_self(s->occupant, &own);
	return ANNEX_DONE;
}

static enum annex_verdict
refuse_full(struct session *s, const struct annex_stanza *in)
{
	return refuse_rename(
	    s, in, ANNEX_RESOURCE_CONSTRAINT, ANNEX_ERROR_WAIT, "There is no room for more now.");
}

/* §7.6: gone under the old name with 303, there under the new one. */
static enum annex_verdict
rename_all(struct session *s, const char *nick, const struct annex_stanza *in)
{
	struct occupant *o = s->occupant;
	const struct notice away = {
		.type = "unavailable", .codes = { CODE_RENAMED }, .new_nick = nick
	};
	const struct notice plain = { 0 };

	if (occupant_put_as(o, nick) < 0)
		return refuse_full(s, in);
	presence_to_all(o, &away);
	unrouted_notice(o, NULL, true, true, &away);
	occupant_rename(o, nick);
	s->renamed = false;
	presence_take(s, in);
	session_keep(s);
	presence_to_others(o, &plain);
	presence_to_other_sessions(s);
	answer(s, in);
	return ANNEX_DONE;
}

/* §7.10: by the room, so that everybody is told (210). */
int
occupant_rename_by_room(struct occupant *o, const char *nick)
{
	const struct notice away = {
		.type = "unavailable", .codes = { CODE_RENAMED }, .new_nick = nick
	};
	const struct notice back = { .codes = { CODE_NICK_GIVEN } };
	int r;

	presence_to_all(o, &away);
	unrouted_notice(o, NULL, true, true, &away);
	occupant_rename(o, nick);
	SESSIONS_EACH(o, s)
	s->renamed = true;
	if ((r = muc_must(o->room->muc, occupant_put(o))) >= 0)
		presence_to_all(o, &back);
	return r;
}

/* One client of several, or to the nickname of another client of theirs: only it is told of a rename. */
static enum annex_verdict
move(struct session *s, struct occupant *to, const char *nick, const struct annex_stanza *in)
{
	struct occupant *from = s->occupant;
	const struct notice away = {
		.type = "unavailable", .codes = { CODE_RENAMED }, .new_nick = nick, .only = s
	};
	const struct notice gone = { .type = "unavailable", .out = true }, plain = { 0 };
	bool is_last = occupant_is_only(s), was_shown = from->shown == s;

	if (session_put_as(s, nick, to == NULL ? from->role : to->role) < 0)
		return refuse_full(s, in);
	presence_to_self(from, &away);
	unrouted_notice(from, s, true, false, &away);
	if (is_last) {
		presence_to_others(from, &gone);
		unrouted_notice(from, s, false, true, &gone);
	}
	if (to == NULL)
		to = occupant_make(
		    from->room, nick, from->bare, from->rank, from->power, from->role);
	session_move(s, to);
	room_traffic(to->room); /* one nickname more, or less */
	if (!is_last && was_shown)
		presence_to_others(from, &plain);
	else if (!is_last)
		presence_of(from, s);
	s->renamed = false;
	presence_take(s, in);
	session_keep(s);
	presence_to_others(to, &plain);
	presence_to_other_sessions(s);
	answer(s, in);
	return ANNEX_DONE;
}

/* Who has registered a nickname goes by no other (§7.10). */
static bool
is_bound_to_another(const struct occupant *o, const char *nick)
{
	struct annex_pool *scratch = annex_scratch(o->room->muc->inst);
	const Muc__Affiliation *mine = affiliation_get(o->room, o->bare);

	return mine != NULL && mine->nick[0] != '\0' &&
	    strcmp(nick_fold(scratch, mine->nick), nick_fold(scratch, nick)) != 0;
}

static enum annex_verdict
change_nick(struct session *s, const char *nick, const struct annex_stanza *in)
{
	struct occupant *o = s->occupant, *to = occupant_find(o->room, nick);
	struct room *room = o->room;

	if (!nick_is_fine(room->muc, nick))
		return refuse_rename(s, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_MODIFY,
		    "That is no nickname to go by.");
	if (o->role == ROLE_VISITOR && !room->config.visitor_nick)
		return refuse_rename(s, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH,
		    "Visitors keep their nickname in this room.");
	if (nick_is_taken(room, nick, o->bare))
		return refuse_rename(
		    s, in, ANNEX_CONFLICT, ANNEX_ERROR_CANCEL, "Somebody else has that nickname.");
	if (is_bound_to_another(o, nick))
		return refuse_rename(s, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_CANCEL,
		    "You are registered under another nickname.");
	if (annex_is_congested(room->muc->inst))
		return refuse_rename(s, in, ANNEX_RESOURCE_CONSTRAINT, ANNEX_ERROR_WAIT,
		    "The service is busy; try again later.");
	if (!pace_presence(o))
		return refuse_rename(s, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_WAIT,
		    "You change your nickname too often.");
	if (to == o || (to == NULL && occupant_is_only(s)))
		return rename_all(s, nick, in);
	if (to == NULL && room->occupant_count >= room_max(room))
		return refuse_rename(s, in, ANNEX_SERVICE_UNAVAILABLE, ANNEX_ERROR_WAIT,
		    "There is no place for one more.");
	if (to != NULL && occupant_sessions(to) >= (size_t)room->muc->set->max_sessions)
		return refuse_rename(s, in, ANNEX_RESOURCE_CONSTRAINT, ANNEX_ERROR_WAIT,
		    "You are here with too many clients already.");
	return move(s, to, nick, in);
}

enum annex_verdict
rename_or_update(struct session *s, const struct annex_stanza *in)
{
	const char *nick = in->to->resource;

	if (nick == NULL)
		return refuse_rename(
		    s, in, ANNEX_JID_MALFORMED, ANNEX_ERROR_MODIFY, "Choose a nickname.");
	if (strcmp(nick, s->occupant->nick) == 0)
		return update(s, in);
	/* Entering again, spelled otherwise. */
	if (is_entering(in) && occupant_find(s->occupant->room, nick) == s->occupant)
		return update(s, in);
	return change_nick(s, nick, in);
}
