/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * join.c - entering a room (XEP-0045 §7.2), and making one (§10.1)
 *
 * The checks are a table, in the order that keeps the answers predictable.
 * What follows is in the order of §7.1: the others' presence, one's own,
 * the history, the subject, live messages.
 */
#include <string.h>

#include "change.h"
#include "archive.h"
#include "presence.h"
#include "routed.h"

struct joining {
	struct muc *m;
	struct room *room; /* NULL: there is none yet */
	const struct annex_stanza *in;
	const struct annex_element *x;
	const char *nick;
	enum rank rank, power;
	struct occupant *same; /* an occupant of that nickname and the same account */
	bool is_new, renamed;
};

struct gate {
	bool (*is_open)(struct joining *j);
	enum annex_condition condition;
	enum annex_error_type type;
	const char *text;
};

static bool
is_open(struct joining *j)
{
	return j->m->drain == NULL;
}

static bool
has_nick(struct joining *j)
{
	return j->nick != NULL;
}

static bool
nick_fits(struct joining *j)
{
	return nick_is_fine(j->m, j->nick);
}

static bool
is_there(struct joining *j)
{
	return j->room == NULL || !j->room->gone;
}

static bool
may_create(struct joining *j)
{
	return j->room != NULL || annex_is_admin(j->m->inst, j->in->from) ||
	    annex_matches_any(j->m->inst, &j->m->set->create, j->in->from);
}

static bool
made_few_rooms(struct joining *j)
{
	size_t most = (size_t)j->m->set->max_rooms;

	return j->room != NULL || most == 0 || annex_is_admin(j->m->inst, j->in->from) ||
	    rooms_made_by(j->m, j->in->from, most) < most;
}

static bool
is_configured(struct joining *j)
{
	return j->room == NULL || !j->room->locked || j->power == RANK_OWNER;
}

static bool
is_no_outcast(struct joining *j)
{
	return j->power != RANK_OUTCAST;
}

static bool
is_member(struct joining *j)
{
	return j->room == NULL || !j->room->config.members_only || j->power >= RANK_MEMBER;
}

static bool
knows_password(struct joining *j)
{
	const char *password = annex_child_text(j->x, NS_MUC, "password");

	return j->room == NULL || !j->room->config.guarded ||
	    annex_is_admin(j->m->inst, j->in->from) ||
	    (password != NULL && strcmp(password, j->room->config.secret) == 0);
}

static bool
nick_is_free(struct joining *j)
{
	if (j->room == NULL)
		return true;
	j->same = occupant_find(j->room, j->nick);
	return !nick_is_taken(j->room, j->nick, j->in->from->bare);
}

/* Admins and owners are let in even so, up to a reserve (§7.2.9). */
#define RESERVE 5
static bool
has_place(struct joining *j)
{
	size_t reserve = j->power >= RANK_ADMIN ? RESERVE : 0;

	return j->room == NULL || j->same != NULL ||
	    j->room->occupant_count < room_max(j->room) + reserve;
}

static bool
has_few_sessions(struct joining *j)
{
	return j->same == NULL || occupant_sessions(j->same) < (size_t)j->m->set->max_sessions;
}

/* Who comes in is told of everybody, and everybody of them: not while what was said before still waits. */
static bool
is_heard(struct joining *j)
{
	return !annex_is_congested(j->m->inst);
}

static const struct gate gates[] = {
	{ is_open, ANNEX_SERVICE_UNAVAILABLE, ANNEX_ERROR_WAIT, "The service is being shut down." },
	{ has_nick, ANNEX_JID_MALFORMED, ANNEX_ERROR_MODIFY, "Choose a nickname." },
	{ nick_fits, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_MODIFY, "That is no nickname to go by." },
	{ is_there, ANNEX_GONE, ANNEX_ERROR_CANCEL, NULL },
	{ may_create, ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL, "You may not make rooms here." },
	{ made_few_rooms, ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL, "You have made many rooms." },
	{ is_configured, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, "The room is not open yet." },
	{ is_no_outcast, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, "You are banned from this room." },
	{ is_member, ANNEX_REGISTRATION_REQUIRED, ANNEX_ERROR_AUTH,
	    "The room is for members only." },
	{ knows_password, ANNEX_NOT_AUTHORIZED, ANNEX_ERROR_AUTH,
	    "The password is missing or wrong." },
	{ nick_is_free, ANNEX_CONFLICT, ANNEX_ERROR_CANCEL, "Somebody else has that nickname." },
	{ has_place, ANNEX_SERVICE_UNAVAILABLE, ANNEX_ERROR_WAIT, "The room is full." },
	{ has_few_sessions, ANNEX_RESOURCE_CONSTRAINT, ANNEX_ERROR_WAIT,
	    "You are here with too many clients already." },
	{ is_heard, ANNEX_RESOURCE_CONSTRAINT, ANNEX_ERROR_WAIT,
	    "The service is busy; try again later." },
};

static const struct gate *
gate_closed(struct joining *j)
{
	for (size_t i = 0; i < sizeof(gates) / sizeof(*gates); i++)
		if (!gates[i].is_open(j))
			return &gates[i];
	return NULL;
}

/* --- Making a room --------------------------------------------------------- */

static int
room_create(struct joining *j)
{
	struct muc *m = j->m;
	int r;

	j->room = room_make(m, j->in->to->local, j->in->from);
	j->rank = j->power = RANK_OWNER;
	j->is_new = true;
	if ((r = room_put(j->room)) < 0) {
		room_forget(j->room);
		return r;
	}
	if ((r = muc_must(m, affiliation_put(j->room, j->in->from->bare, RANK_OWNER, NULL, NULL))) <
	    0)
		return r;
	if ((r = muc_must(m, room_made(j->room))) < 0)
		return r;
	return muc_must(m,
	    annex_alarm_set(m->inst, "configure", j->room->name, strlen(j->room->name),
		annex_wall_ms(m->inst) + m->set->configure_ms));
}

/* --- Coming in ------------------------------------------------------------- */

static struct session *
session_in(struct joining *j)
{
	struct annex_pool *pool = annex_scratch(j->m->inst);
	const char *presence = presence_keep(j->room, j->in, pool);
	struct occupant *o = j->same;
	struct session *s;

	if (o == NULL)
		o = occupant_make(j->room, j->nick, j->in->from->bare, j->rank, j->power,
		    role_at_first(j->room, j->in->from->bare, j->power));
	s = session_make(o, j->in->from->full, presence);
	s->order = room_event(j->room);
	s->renamed = j->renamed;
	if (session_put(s) < 0) {
		session_remove(s); /* nothing was written: only memory has it */
		return NULL;
	}
	room_traffic(j->room);
	return s;
}

void
session_welcome(struct session *s, const struct annex_stanza *in, bool made_room, bool renamed)
{
	struct occupant *o = s->occupant;
	struct room *room = o->room;
	const struct annex_element *x = in == NULL ? NULL : annex_child(in->element, NS_MUC, "x");
	struct notice own = { .only = s, .id = in == NULL ? NULL : in->id };
	size_t n = 0;

	if (room_shows_jids(room))
		own.own_codes[n++] = CODE_JIDS_ARE_SHOWN;
	if (room->config.logged)
		own.own_codes[n++] = CODE_LOGGED;
	if (made_room)
		own.own_codes[n++] = CODE_CREATED;
	if (renamed)
		own.own_codes[n++] = CODE_NICK_GIVEN;
	absent_show(room, s);
	presence_to_self(o, &own);
	if (in != NULL)
		s->line = room->said_line;
	history_send(room, s, x == NULL ? NULL : annex_child(x, NS_MUC, "history"));
	subject_send(room, s);
}

static enum annex_verdict
refuse_gone(struct muc *m, const struct room *room, const struct annex_stanza *in)
{
	struct annex_error error = { .condition = ANNEX_GONE, .type = ANNEX_ERROR_CANCEL };

	if (room->gone_jid[0] != '\0')
		error.uri = annex_sprintf(annex_scratch(m->inst), "xmpp:%s?join", room->gone_jid);
	if (room->gone_reason[0] != '\0')
		error.text = room->gone_reason;
	return muc_refuse_with(m, in, &error);
}

/* A tombstone that is old enough is no room any more. */
static struct room *
past_tombstone(struct muc *m, struct room *room)
{
	return room != NULL && room->gone &&
		annex_wall_ms(m->inst) - room->gone_ms >= m->set->tombstone_ms
	    ? NULL
	    : room;
}

/* Somebody who has a nickname reserved goes by it (§7.10, code 210), unless it was taken before that. */
static void
take_reserved_nick(struct joining *j)
{
	const Muc__Affiliation *a = affiliation_get(j->room, j->in->from->bare);
	const struct occupant *o;

	if (a == NULL || a->nick[0] == '\0' || j->nick == NULL || strcmp(a->nick, j->nick) == 0)
		return;
	o = occupant_find(j->room, a->nick);
	if (o != NULL && strcmp(o->bare, j->in->from->bare) != 0)
		return;
	j->nick = a->nick;
	j->renamed = true;
}

static enum annex_verdict
come_in(struct joining *j)
{
	const struct notice plain = { 0 };
	struct session *s = session_in(j);

	if (s == NULL)
		return muc_full(j->m, j->in);
	annex_count(j->m->joins, 1);
	presence_of_others(s->occupant, s);
	presence_to_others(s->occupant, &plain);
	presence_to_other_sessions(s);
	session_welcome(s, j->in, j->is_new, j->renamed);
	requests_show(j->room, s);
	ask_about(s->occupant);
	return ANNEX_DONE;
}

enum annex_verdict
join(struct muc *m, struct room *room, const struct annex_stanza *in)
{
	struct joining j = { .m = m, .in = in, .nick = in->to->resource };
	const struct gate *closed;

	j.x = annex_child(in->element, NS_MUC, "x");
	j.room = past_tombstone(m, room);
	if (j.room != NULL && !j.room->gone) {
		j.rank = rank_of(j.room, in->from);
		j.power = power_of(j.room, in->from);
		take_reserved_nick(&j);
	}
	if ((closed = gate_closed(&j)) != NULL)
		return closed->condition == ANNEX_GONE
		    ? refuse_gone(m, j.room, in)
		    : muc_refuse(m, in, closed->condition, closed->type, closed->text);
	if (j.room == NULL && room_create(&j) < 0)
		return muc_full(m, in);
	return come_in(&j);
}
