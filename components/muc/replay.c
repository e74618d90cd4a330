/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * replay.c - what may have been lost with a link, said again
 *
 * On a new link each room that somebody is in says what it does not know to
 * have been routed (routed.c), before anything else: the welcome of those who
 * had just come in; the lines of the archive, with the same ids and a delay, so
 * that clients know which they have; who went, what was said in private; and the
 * presence of those that changed.  Where lines are missing - they were not kept,
 * deleted since, or are too many - everybody is put out with 333, and comes
 * in again.
 */
#include <string.h>

#include "archive.h"
#include "change.h"
#include "presence.h"
#include "routed.h"

static struct annex_pool *
scratch(const struct room *room)
{
	return annex_scratch(room->muc->inst);
}

/* --- Lines ------------------------------------------------------------------- */

/* Whether all that were said are still there, and not too many. */
static bool
can_replay(const struct room *room)
{
	struct annex_key prefix = muc_key(TABLE_LINES, room->id), key = prefix;
	uint64_t due = room->said_line - room->routed_line, found = 0;
	struct annex_iter it;

	if (room->unkept_event > room->routed_event)
		return false;
	if (due == 0)
		return true;
	if (due > (uint64_t)room->muc->set->max_replay)
		return false;
	it = annex_iter_from(&prefix, annex_key_u64(&key, room->routed_line + 1));
	it.keys_only = true;
	while (annex_next(room->muc->store, &it) == ANNEX_AGAIN)
		found++;
	return found == due;
}

static void
line_again(struct room *room, uint64_t number, const Muc__Line *line)
{
	struct annex_stanza *out = line_build(room, line, NULL);
	struct annex_fanout *fan = annex_fanout(room->muc->inst);
	int variant;

	if (out == NULL || (variant = annex_fanout_variant(fan, out)) < 0)
		return;
	OCCUPANTS_EACH(room, o)
	SESSIONS_EACH(o, s)
	if (s->line < number && annex_fanout_add(fan, variant, s->jid, NULL) < 0)
		return;
	room_sent(room, annex_fanout_send(fan, room_flow(room)));
	annex_count(room->muc->replayed, 1);
}

static void
lines_again(struct room *room)
{
	struct annex_key prefix = muc_key(TABLE_LINES, room->id), key = prefix;
	struct annex_iter it = annex_iter_from(&prefix, annex_key_u64(&key, room->routed_line + 1));

	if (room->said_line > room->routed_line)
		while (annex_next(room->muc->store, &it) == ANNEX_AGAIN)
			line_again(
			    room, annex_key_number(&it.key, 1), (const Muc__Line *)it.record);
}

/* --- Who went, and what was said beside --------------------------------------------- */

/* Somebody who is in no longer, as they are shown. */
struct ghost {
	struct occupant occupant;
	struct session *sessions;
	struct notice notice;
	enum rank rank;
};

static struct ghost *
ghost_make(struct room *room, const Muc__Unrouted *u)
{
	struct annex_pool *pool = scratch(room);
	struct ghost *g = annex_new(pool, struct ghost);
	struct occupant *o = &g->occupant;

	o->room = room;
	o->nick = u->nick;
	o->jid = annex_sprintf(pool, "%s/%s", room->jid, u->nick);
	o->bare = u->bare;
	o->rank = g->rank = (enum rank)u->rank;
	o->role = (enum role)u->role;
	annex_list_init(&o->sessions);
	g->sessions = annex_new_array(pool, struct session, u->n_jid + 1);
	for (size_t i = 0; i < u->n_jid; i++) {
		if (session_find(room, u->jid[i]) != NULL && u->new_nick[0] == '\0')
			continue; /* in again */
		g->sessions[i].occupant = o;
		g->sessions[i].jid = u->jid[i];
		annex_list_append(&o->sessions, &g->sessions[i].of_occupant);
	}
	g->sessions[0].jid = u->n_jid > 0 ? u->jid[0] : u->bare;
	o->shown = &g->sessions[0];
	return g;
}

static struct notice
notice_of(const Muc__Unrouted *u, const enum rank *rank)
{
	struct notice n = { .type = "unavailable", .out = u->new_nick[0] == '\0', .rank = rank };

	for (size_t i = 0; i < u->n_code && i < NOTICE_CODES; i++)
		n.codes[i] = u->code[i];
	for (size_t i = 0; i < u->n_own_code && i < NOTICE_CODES; i++)
		n.own_codes[i] = u->own_code[i];
	n.new_nick = u->new_nick[0] != '\0' ? u->new_nick : NULL;
	n.actor = u->actor[0] != '\0' ? u->actor : NULL;
	n.reason = u->reason[0] != '\0' ? u->reason : NULL;
	return n;
}

/* Somebody who is in, under the nickname that was theirs, which another client of theirs may have kept. */
static bool
rename_again(struct room *room, const Muc__Unrouted *u)
{
	struct session *s = u->n_jid > 0 ? session_find(room, u->jid[0]) : NULL;
	struct occupant *o, *kept = occupant_find(room, u->nick), now;
	struct notice n = notice_of(u, NULL);

	if (u->new_nick[0] == '\0' || s == NULL)
		return false;
	o = s->occupant;
	now = *o;
	o->nick = u->nick;
	o->jid = annex_sprintf(scratch(room), "%s/%s", room->jid, u->nick);
	if (u->to_others)
		presence_to_others(o, &n);
	n.only = u->to_others ? NULL : s;
	if (u->to_self)
		presence_to_self(o, &n);
	o->nick = now.nick;
	o->jid = now.jid;
	if (!u->to_others && kept != NULL && kept != o)
		presence_of(kept, s);
	return true;
}

/* Who goes by that nickname by now came later, and would take it for a leave of their own. */
static void
spare_successor(struct room *room, struct ghost *g)
{
	const struct occupant *now = occupant_find(room, g->occupant.nick);

	if (now == NULL)
		return;
	SESSIONS_EACH(now, s)
	{
		struct session *spared = annex_new(scratch(room), struct session);

		spared->occupant = &g->occupant;
		spared->jid = s->jid;
		annex_list_append(&g->occupant.sessions, &spared->of_occupant);
	}
}

/* They left, no more than that, and are in again: how they are shown says so without a flicker. */
static bool
is_back(const struct room *room, const Muc__Unrouted *u)
{
	const struct occupant *now = occupant_find(room, u->nick);

	return now != NULL && strcmp(now->bare, u->bare) == 0 && u->new_nick[0] == '\0' &&
	    (u->n_code == 0 || (u->n_code == 1 && u->code[0] == CODE_ERROR));
}

/* True where it was a nickname that they left, not the room. */
static bool
notice_again(struct room *room, const Muc__Unrouted *u)
{
	struct ghost *g;
	struct notice n;

	if (rename_again(room, u))
		return true;
	g = ghost_make(room, u);
	n = notice_of(u, &g->rank);
	for (struct annex_link *l = g->occupant.sessions.next;
	     u->to_self && l != &g->occupant.sessions; l = l->next) {
		n.only = annex_container_of(l, struct session, of_occupant);
		presence_to_self(&g->occupant, &n);
	}
	n.only = NULL;
	if (!u->to_others || is_back(room, u))
		return false;
	spare_successor(room, g);
	presence_to_others(&g->occupant, &n);
	return false;
}

/* It was not kept: who sent it is told that it may not have arrived. */
static void
private_lost(struct room *room, const Muc__Unrouted *u)
{
	const struct annex_error error = { .condition = ANNEX_RECIPIENT_UNAVAILABLE,
		.type = ANNEX_ERROR_WAIT,
		.text = "The message may not have arrived." };
	struct annex_stanza *out = annex_message(room->muc->inst,
	    annex_sprintf(scratch(room), "%s/%s", room->jid, u->new_nick), u->sender, "error");

	annex_attr_set(out->element, "id", u->id);
	annex_error_add(out->element, &error);
	annex_send_on(room->muc->inst, room_flow(room), out);
}

static void
private_again(struct room *room, const Muc__Unrouted *u)
{
	struct annex_element *kept = kept_element(scratch(room), u->xml);

	for (size_t i = 0; kept != NULL && i < u->n_jid; i++) {
		struct annex_stanza *out = annex_message(
		    room->muc->inst, annex_attr(kept, "from"), u->jid[i], annex_attr(kept, "type"));

		if (session_find(room, u->jid[i]) == NULL)
			continue;
		annex_attr_set(out->element, "id", u->id);
		annex_add_copies(out->element, kept);
		annex_delay_add(out->element, room->jid, u->stamp_ms, NULL);
		annex_make_fleeting(out);
		room_sent(room, annex_send_on(room->muc->inst, room_flow(room), out));
	}
}

static bool
has_code(const Muc__Unrouted *u, enum code code)
{
	for (size_t i = 0; i < u->n_code; i++)
		if (u->code[i] == code)
			return true;
	return false;
}

static void
codes_again(struct room *room, const Muc__Unrouted *u)
{
	struct annex_stanza *out = annex_message(room->muc->inst, room->jid, NULL, "groupchat");
	struct annex_element *x = annex_add(out->element, NS_USER, "x");

	for (size_t i = 0; i < u->n_code; i++)
		add_status(x, u->code[i]);
	room_say(room, out);
	if (has_code(u, CODE_ABSENT_SHOWN))
		absent_show_to_all(room);
	if (has_code(u, CODE_NON_ANONYMOUS) || has_code(u, CODE_SEMI_ANONYMOUS))
		OCCUPANTS_EACH(room, o)
	presence_again(o);
}

/* True where somebody was said to have left a nickname. */
static bool
unrouted_again(struct room *room)
{
	struct annex_key prefix = muc_key(TABLE_UNROUTED, room->id);
	struct annex_iter it = annex_iter(&prefix);
	bool renamed = false;

	while (annex_next(room->muc->store, &it) == ANNEX_AGAIN) {
		const Muc__Unrouted *u = (const Muc__Unrouted *)it.record;

		if (u->sender[0] != '\0' && u->xml[0] == '\0')
			private_lost(room, u);
		else if (u->sender[0] != '\0')
			private_again(room, u);
		else if (u->nick[0] != '\0')
			renamed |= notice_again(room, u);
		else if (u->bare[0] != '\0')
			absent_say(room, u->bare, (enum rank)u->rank,
			    u->reason[0] != '\0' ? u->reason : NULL);
		else
			codes_again(room, u);
	}
	return renamed;
}

/* --- Who came, and who changed --------------------------------------------------------- */

/* They may not have got what who enters is told; nor the room's maker that it is to be configured. */
static void
welcome_again(struct room *room, uint64_t routed)
{
	OCCUPANTS_EACH(room, o)
	SESSIONS_EACH(o, s)
	{
		if (s->order <= routed)
			continue;
		presence_of_others(o, s);
		session_welcome(s, NULL, room->locked, false);
	}
}

/* Who was welcomed again may have been told since that a nickname they go by was left. */
static void
presence_again_to_all(struct occupant *o, uint64_t routed, bool renamed)
{
	struct room *room = o->room;

	presence_cross(o);
	SESSIONS_EACH(o, s)
	{
		const struct notice own = { .only = s };

		if (s->order <= routed || renamed)
			presence_to_self(o, &own);
		/* They may see addresses since. */
		if (s->order <= routed && o->role == ROLE_MODERATOR && !room_shows_jids(room))
			presence_of_others(o, s);
	}
}

static bool
is_changed(const struct occupant *o, uint64_t routed)
{
	SESSIONS_EACH(o, s)
	if (s->changed > routed || s->order > routed)
		return true;
	return false;
}

static void
presences_again(struct room *room, bool renamed)
{
	uint64_t routed = room->routed_event;

	OCCUPANTS_EACH(room, o)
	if (is_changed(o, routed))
		presence_again_to_all(o, routed, renamed);
}

/* --- Or not ------------------------------------------------------------------------------ */

static void
put_out(struct room *room)
{
	struct notice n = { .type = "unavailable", .codes = { CODE_ERROR }, .out = true };

	annex_log(room->muc->inst, ANNEX_LOG_INFO,
	    "everybody has to come in again, since something may be lost to them: room=%s clients=%zu",
	    room->name, annex_map_count(room->by_jid));
	annex_count(room->muc->put_out, annex_map_count(room->by_jid));
	OCCUPANTS_EACH(room, o)
	{
		SESSIONS_EACH(o, s)
		{
			n.only = s;
			presence_to_self(o, &n);
		}
		unrouted_notice(o, NULL, true, false, &n);
		occupant_remove(o);
	}
	room->unkept_event = 0;
	room_settle_late(room);
}

void
room_resync(struct room *room)
{
	uint64_t link = annex_link_number(room->muc->inst);
	bool renamed;

	if (!room->live || room->gone || link == 0 || room->link == link)
		return;
	if (room->link == LINK_LOST && annex_is_congested(room->muc->inst))
		return;
	room->link = link;
	if (can_replay(room)) {
		welcome_again(room, room->routed_event);
		lines_again(room);
		renamed = unrouted_again(room);
		presences_again(room, renamed);
	} else {
		unrouted_again(room);
		put_out(room);
	}
	if (room->live)
		live_put_soft(room);
	room_said(room);
}

/* --- Of a room that is destroyed ----------------------------------------------------------- */

void
gone_resync(struct muc *m, const char *id, const Muc__Live *live)
{
	struct room *room = room_shell(m, live->name);
	struct annex_pool *pool = room->pool;
	bool loaded;
	struct annex_element *destroy = kept_element(annex_scratch(m->inst), live->destroy);

	room->id = id;
	if (live->secret.len == sizeof(room->secret))
		memcpy(room->secret, live->secret.data, sizeof(room->secret));
	loaded = occupants_load(room) == ANNEX_OK;
	unrouted_again(room);
	if (loaded && destroy != NULL)
		room_tell_destroyed(room, destroy);
	live_gone_fence(m, id, live->name);
	annex_pool_destroy(&pool);
	/* Who is in one that was made anew under its name is not out for that. */
	room = annex_map_get_str(m->rooms, live->name);
	if (room != NULL && room->link == annex_link_number(m->inst))
		welcome_again(room, 0);
}
