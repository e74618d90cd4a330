/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * presence.c - how an occupant is shown (XEP-0045 §7.2.2 and after)
 *
 * One presence is written in up to four variants: with the real JID or
 * without, and for the occupants themselves, who see codes of their own.  A
 * fan-out carries it to all.  Who has a role that is not broadcast is shown to
 * nobody but themselves.
 */
#include <string.h>

#include "presence.h"
#include "routed.h"

#define PRESENCE_MAX ((size_t)16 << 10)
#define SHOW_MAX 16 /* RFC 6121 §4.7.2.1 */

bool
sees_jids(const struct occupant *o)
{
	return room_shows_jids(o->room) || o->role == ROLE_MODERATOR;
}

static bool
is_shown(const struct occupant *o, enum role role)
{
	return annex_strings_have(&o->room->config.broadcast, role_name(role));
}

bool
occupant_is_shown(const struct occupant *o)
{
	return is_shown(o, o->role);
}

/* --- Building -------------------------------------------------------------- */

static void
add_item(struct annex_element *x, const struct occupant *o, const struct notice *n,
    const struct session *shown, bool with_jid)
{
	struct annex_element *item = annex_add(x, NULL, "item"), *actor;

	annex_attr_set(item, "affiliation", rank_name(n->rank != NULL ? *n->rank : o->rank));
	annex_attr_set(item, "role", n->out ? "none" : role_name(o->role));
	if (with_jid && n->destroy == NULL)
		annex_attr_set(item, "jid", shown->jid);
	annex_attr_set(item, "nick", n->new_nick);
	if (n->actor != NULL) {
		actor = annex_add(item, NULL, "actor");
		annex_attr_set(actor, "nick", n->actor);
	}
	if (n->reason != NULL && n->reason[0] != '\0')
		annex_add_text(item, NULL, "reason", n->reason);
}

/* What a visitor writes there everybody would read. */
static void
drop_status(struct annex_element *presence)
{
	ANNEX_CHILDREN (presence, child)
		if (annex_is(child, ANNEX_NS_STANZA, "status"))
			annex_element_remove(child);
}

static void
add_payload(struct annex_stanza *out, const struct notice *n, const struct session *shown)
{
	struct annex_element *kept;

	if (n->with != NULL) {
		add_language(out->element, n->with);
		annex_add_copies(out->element, n->with);
	} else if (n->type == NULL && shown->presence != NULL) {
		kept = kept_element(out->pool, shown->presence);
		if (kept == NULL)
			return;
		add_language(out->element, kept);
		annex_add_copies(out->element, kept);
	}
}

static struct annex_stanza *
presence_build(const struct occupant *o, const struct notice *n, const struct session *shown,
    const char *to, bool with_jid, bool own)
{
	struct annex_stanza *out = annex_presence(o->room->muc->inst, o->jid, to, n->type);
	struct annex_element *x;

	add_payload(out, n, shown);
	if (o->role == ROLE_VISITOR && !o->room->config.visitor_status)
		drop_status(out->element);
	annex_attr_set(annex_add(out->element, NS_OCCUPANT, "occupant-id"), "id",
	    occupant_id(o->room, out->pool, o->bare));
	hats_add(out->element, o);
	x = annex_add(out->element, NS_USER, "x");
	add_item(x, o, n, shown, with_jid);
	if (n->destroy != NULL)
		annex_add_copy(x, n->destroy);
	for (size_t i = 0; i < NOTICE_CODES && n->codes[i] != 0; i++)
		add_status(x, n->codes[i]);
	if (!own)
		return out;
	add_status(x, CODE_SELF);
	for (size_t i = 0; i < NOTICE_CODES && n->own_codes[i] != 0; i++)
		add_status(x, n->own_codes[i]);
	return out;
}

struct annex_stanza *
presence_as_it_is(const struct occupant *o, bool with_jid)
{
	const struct notice plain = { 0 };

	return presence_build(o, &plain, o->shown, NULL, with_jid, false);
}

/* --- Sending --------------------------------------------------------------- */

/* Does it say nothing to others but the presence? */
static bool
is_plain(const struct notice *n)
{
	return n->type == NULL && n->codes[0] == 0 && n->actor == NULL && n->reason == NULL &&
	    n->new_nick == NULL && !n->out && n->rank == NULL && n->with == NULL &&
	    n->destroy == NULL;
}

static struct annex_body *
body_for_others(struct occupant *about, const struct notice *notice, bool with_jid)
{
	struct annex_instance *inst = about->room->muc->inst;
	struct annex_body *body;

	if (is_plain(notice) && with_jid == room_shows_jids(about->room))
		return presence_kept(about);
	return annex_body(inst, annex_scratch(inst),
		   presence_build(about, notice, about->shown, NULL, with_jid, false),
		   &body) == ANNEX_OK
	    ? body
	    : NULL;
}

/* The caller has judged whether they are shown at all. */
static void
spread(struct occupant *about, const struct notice *notice)
{
	struct annex_body *with_jid = body_for_others(about, notice, true);

	if (notice->type == NULL)
		annex_list_remove(&about->held);
	room_spread(about->room, with_jid,
	    room_shows_jids(about->room) ? with_jid : body_for_others(about, notice, false), about);
}

void
presence_to_others(struct occupant *o, const struct notice *notice)
{
	if (is_shown(o, o->role))
		spread(o, notice);
}

/* Somebody always sees their own JID; each session of theirs the one that is shown. */
void
presence_to_self(struct occupant *o, const struct notice *notice)
{
	struct annex_stanza *out;

	SESSIONS_EACH(o, s)
	{
		if (notice->only != NULL && s != notice->only)
			continue;
		out = presence_build(
		    o, notice, notice->only != NULL ? s : o->shown, s->jid, true, true);
		if (notice->id != NULL)
			annex_attr_set(out->element, "id", notice->id);
		room_sent(o->room, annex_send_on(o->room->muc->inst, room_flow(o->room), out));
	}
}

void
presence_to_other_sessions(const struct session *than)
{
	SESSIONS_EACH(than->occupant, s)
	{
		const struct notice also = { .only = s };

		if (s != than)
			presence_to_self(than->occupant, &also);
	}
}

void
presence_to_all(struct occupant *o, const struct notice *notice)
{
	presence_to_others(o, notice);
	presence_to_self(o, notice);
}

void
presence_of(struct occupant *o, const struct session *to)
{
	const struct notice plain = { 0 };
	struct annex_body *body;

	if (is_shown(o, o->role) &&
	    (body = body_for_others(o, &plain, sees_jids(to->occupant))) != NULL)
		room_sent(o->room,
		    annex_send_body(o->room->muc->inst, room_flow(o->room), body, to->jid));
}

void
presence_of_others(struct occupant *occupant, const struct session *to)
{
	const struct notice plain = { 0 };
	struct room *room = occupant->room;
	struct annex_fanout *fan = annex_fanout(room->muc->inst);
	struct annex_body *body;

	OCCUPANTS_EACH(room, o)
	if (o != occupant && is_shown(o, o->role) &&
	    (body = body_for_others(o, &plain, sees_jids(occupant))) != NULL &&
	    annex_fanout_body(fan, body) < 0)
		presence_of(o, to); /* more than a fan-out takes */
	if (annex_fanout_add_each(fan, to->jid) == ANNEX_OK)
		room_sent(room, annex_fanout_send(fan, room_flow(room)));
}

void
presence_again(struct occupant *occupant)
{
	SESSIONS_EACH(occupant, s)
	presence_of_others(occupant, s);
}

/* §7.2.2.1 and the field presencebroadcast: who comes into sight arrives, who goes out of it leaves. */
void
presence_after_role(struct occupant *o, enum role before, const struct notice *notice, bool to_self)
{
	struct notice gone = { .type = "unavailable", .out = true };

	occupant_changed(o);
	if (is_shown(o, o->role))
		spread(o, notice);
	else if (is_shown(o, before))
		spread(o, &gone);
	if (to_self)
		presence_to_self(o, notice);
	if (!room_shows_jids(o->room) && (before == ROLE_MODERATOR) != (o->role == ROLE_MODERATOR))
		presence_again(o);
}

/* To the others alone: they arrive, or leave, as it is now. */
void
presence_cross(struct occupant *o)
{
	const struct notice plain = { 0 }, gone = { .type = "unavailable", .out = true };

	occupant_changed(o);
	spread(o, occupant_is_shown(o) ? &plain : &gone);
}

/* --- What came in ---------------------------------------------------------- */

bool
presence_fits(const struct annex_element *kept, struct annex_pool *pool)
{
	size_t len;

	return annex_element_write(kept, pool, &len) != NULL && len <= PRESENCE_MAX;
}

const char *
presence_keep(struct room *room, const struct annex_stanza *in, struct annex_pool *pool)
{
	struct annex_element *kept = annex_element(pool, ANNEX_NS_STANZA, "presence");
	const char *text, *show;
	size_t len;

	add_safely(kept, in->element, room);
	if (kept->first == NULL)
		return NULL;
	add_language(kept, in->element);
	text = annex_element_write(kept, pool, &len);
	if (text != NULL && len <= PRESENCE_MAX)
		return text;
	show = annex_child_text(in->element, NULL, "show");
	if (show == NULL || strlen(show) > SHOW_MAX)
		return NULL;
	kept = annex_element(pool, ANNEX_NS_STANZA, "presence");
	annex_add_text(kept, NULL, "show", show);
	return annex_element_write(kept, pool, &len);
}
