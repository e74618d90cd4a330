/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * audience.c - what is kept written, since it is said again and again
 *
 * A thousand who enter a room are told of each other a million times.  So who
 * hears is kept as an audience, in two groups: moderators, who may see real
 * JIDs where others may not, and the rest; and of each occupant their presence
 * as the rest sees it.  Both are caches: a presence that was kept is good for
 * as long as all that it was made of is the same, and goes when the room was
 * quiet for a while; groups are put right whenever somebody speaks.
 */
#include "presence.h"
#include "routed.h"

enum { GROUP_OTHERS, GROUP_MODERATORS };

static unsigned
group_of(const struct occupant *o)
{
	return o->role == ROLE_MODERATOR ? GROUP_MODERATORS : GROUP_OTHERS;
}

void
session_hears(struct session *s)
{
	s->group = (unsigned char)group_of(s->occupant);
	annex_audience_add(s->occupant->room->audience, s->group, s->jid);
}

void
session_hears_no_more(const struct session *s)
{
	annex_audience_remove(s->occupant->room->audience, s->jid);
}

/* Their roles may have changed since. */
static struct annex_audience *
room_audience(struct room *room)
{
	OCCUPANTS_EACH(room, o)
	SESSIONS_EACH(o, s)
	if (s->group != group_of(o)) {
		s->group = (unsigned char)group_of(o);
		annex_audience_move(room->audience, s->jid, s->group);
	}
	return room->audience;
}

/* The full JIDs of an occupant, NULL-ended, in scratch. */
static const char *const *
jids_of(const struct occupant *o)
{
	size_t n = 0;
	const char **jids = annex_new_array(
	    annex_scratch(o->room->muc->inst), const char *, occupant_sessions(o) + 1);

	SESSIONS_EACH(o, s)
	jids[n++] = s->jid;
	return jids;
}

void
room_spread(struct room *room, struct annex_body *to_moderators, struct annex_body *to_others,
    const struct occupant *except)
{
	struct annex_fanout *fan = annex_fanout(room->muc->inst);

	if (to_moderators == NULL || to_others == NULL ||
	    annex_fanout_body(fan, to_others) != GROUP_OTHERS ||
	    annex_fanout_body(fan, to_moderators) != GROUP_MODERATORS)
		return;
	/* What all are told alike needs no groups put right. */
	annex_fanout_add_audience(fan,
	    to_moderators == to_others ? room->audience : room_audience(room),
	    except != NULL ? jids_of(except) : NULL);
	room_sent(room, annex_fanout_send(fan, room_flow(room)));
}

/* --- Presences that are kept ------------------------------------------------ */

/*
 * All strings are of the room's pool, where none is ever changed: the same pointer, the same text.
 * Who wears which hat is in the store, so where there are hats nothing is as it was kept.
 */
static bool
is_as_kept(const struct occupant *o)
{
	const struct kept_presence *k = &o->kept;

	return k->body != NULL && k->jid == o->jid && k->shown == o->shown &&
	    k->presence == o->shown->presence && k->role == o->role && k->rank == o->rank &&
	    k->with_jid == room_shows_jids(o->room) && !k->with_hats && o->room->hats.count == 0;
}

struct annex_body *
presence_kept(struct occupant *o)
{
	struct kept_presence *k = &o->kept;
	struct annex_stanza *built;

	if (is_as_kept(o))
		return k->body;
	annex_body_drop(&k->body);
	*k = (struct kept_presence) { NULL, o->jid, o->shown->presence, o->shown, o->role, o->rank,
		room_shows_jids(o->room), o->room->hats.count > 0 };
	built = presence_as_it_is(o, k->with_jid);
	if (annex_body(o->room->muc->inst, o->room->pool, built, &k->body) < 0)
		return NULL;
	o->room->is_warm = true;
	return k->body;
}

void
room_cool(struct room *room)
{
	if (!room->is_warm)
		return;
	room->is_warm = false;
	OCCUPANTS_EACH(room, o)
	annex_body_drop(&o->kept.body);
}
