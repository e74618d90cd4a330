/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * absent.c - of affiliated users who are not in
 *
 * Where addresses are shown, those who are in are told when the affiliation of one of them changes
 * (XEP-0045 §9.3, 10.3).  And a room may show who would be there: members with a nickname of their own
 * have an unavailable presence then (§15.6.2, codes 102 and 103).
 */
#include "change.h"
#include "routed.h"

/* --- What becomes of them ---------------------------------------------------------- */

static struct annex_stanza *
absent_build(struct room *room, const char *to, const char *jid, enum rank rank, const char *reason)
{
	struct annex_stanza *out = annex_message(room->muc->inst, room->jid, to, NULL);
	struct annex_element *item = annex_add(annex_add(out->element, NS_USER, "x"), NULL, "item");

	annex_attr_set(item, "affiliation", rank_name(rank));
	annex_attr_set(item, "jid", jid);
	annex_attr_set(item, "role", role_name(ROLE_NONE));
	annex_add_text(item, NULL, "reason", reason);
	return out;
}

void
absent_say(struct room *room, const char *jid, enum rank rank, const char *reason)
{
	room_say(room, absent_build(room, NULL, jid, rank, reason));
}

/* §9.3, §10.3 and so on.  Who encrypts for each member has to know of those who are away as well. */
void
absent_tell(struct room *room, const char *jid, enum rank rank, const char *reason)
{
	if (!room_shows_jids(room))
		return;
	unrouted_absent(room, jid, rank, reason);
	absent_say(room, jid, rank, reason);
}

/* §16.6.1: out of courtesy. */
void
absent_tell_account(struct room *room, const char *bare, enum rank rank, const char *reason)
{
	struct annex_stanza *out = absent_build(room, bare, NULL, rank, reason);

	add_status(out->element->last, CODE_AFFILIATION);
	annex_send_on(room->muc->inst, room_flow(room), out);
}

/* --- That they are away -------------------------------------------------------------- */

#define AWAY_MAX 200 /* of those who have a nickname are looked at */

static struct annex_stanza *
away_build(struct room *room, const Muc__Affiliation *a, const char *to)
{
	struct annex_instance *inst = room->muc->inst;
	struct annex_stanza *out = annex_presence(inst,
	    annex_sprintf(annex_scratch(inst), "%s/%s", room->jid, a->nick), to, "unavailable");
	struct annex_element *item;

	annex_attr_set(annex_add(out->element, NS_OCCUPANT, "occupant-id"), "id",
	    occupant_id(room, out->pool, a->jid));
	item = annex_add(annex_add(out->element, NS_USER, "x"), NULL, "item");
	annex_attr_set(item, "affiliation", rank_name((enum rank)a->rank));
	annex_attr_set(item, "role", role_name(ROLE_NONE));
	return out;
}

static void
away_show(struct room *room, const Muc__Affiliation *a, const struct session *to)
{
	if (a != NULL && a->rank >= RANK_MEMBER && a->nick[0] != '\0' &&
	    occupant_by_bare(room, a->jid) == NULL && occupant_find(room, a->nick) == NULL)
		room_sent(room,
		    annex_send_on(room->muc->inst, room_flow(room), away_build(room, a, to->jid)));
}

void
absent_show(struct room *room, const struct session *to)
{
	struct annex_key prefix = muc_key(TABLE_NICKS, room->id);
	struct annex_iter it = annex_iter(&prefix);

	if (!room->config.shows_absent)
		return;
	for (size_t n = 0; n < AWAY_MAX && annex_next(room->muc->store, &it) == ANNEX_AGAIN; n++)
		away_show(room, affiliation_get(room, ((const Muc__Nick *)it.record)->jid), to);
}

void
absent_show_to_all(struct room *room)
{
	OCCUPANTS_EACH(room, o)
	SESSIONS_EACH(o, s)
	absent_show(room, s);
}
