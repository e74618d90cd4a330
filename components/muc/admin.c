/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * admin.c - roles and affiliations changed by IQ (XEP-0045 §8, §9)
 *
 * Several changes come in one IQ: all are judged before the first is made.
 * Who goes is told first, then comes the IQ's answer, then all others are told.
 */
#include <stdlib.h>
#include <string.h>

#include "change.h"

#define CHANGES_MAX 100

/* --- Reading an IQ -------------------------------------------------------------- */

struct asking {
	struct muc *m;
	struct room *room;
	const struct annex_stanza *in;
	struct session *session; /* or NULL: admins need not be in */
	enum rank power;
	enum role role;
	struct change changes[CHANGES_MAX];
	size_t count;
};

static enum annex_condition
item_read_role(struct asking *a, const struct annex_element *item, struct change *c)
{
	const char *nick = annex_attr(item, "nick");
	struct occupant *o;
	enum role role;

	if (nick == NULL || role_read(annex_attr(item, "role"), &role) < 0)
		return ANNEX_BAD_REQUEST;
	if ((o = occupant_find(a->room, nick)) == NULL)
		return ANNEX_ITEM_NOT_FOUND;
	*c = change_of_role(o, role);
	return 0;
}

/* "" takes a reserved nickname away (§9.5). */
static enum annex_condition
item_read_nick(struct asking *a, const char *nick, struct change *c)
{
	if (nick == NULL || nick[0] == '\0') {
		c->nick = nick;
		return 0;
	}
	c->nick = annex_prep_resource(a->in->pool, nick);
	return nick_is_fine(a->m, c->nick) ? 0 : ANNEX_NOT_ACCEPTABLE;
}

/* By bare JID; where only a nickname is given, whose it is. */
static enum annex_condition
item_read_rank(struct asking *a, const struct annex_element *item, struct change *c)
{
	const char *text = annex_attr(item, "jid"), *nick = annex_attr(item, "nick");
	const struct occupant *o =
	    text == NULL && nick != NULL ? occupant_find(a->room, nick) : NULL;
	const struct annex_jid *jid;
	enum rank rank;

	if (rank_read(annex_attr(item, "affiliation"), &rank) < 0 || (text == NULL && nick == NULL))
		return ANNEX_BAD_REQUEST;
	if (text == NULL && o == NULL)
		return ANNEX_ITEM_NOT_FOUND;
	jid = annex_jid(a->in->pool, o != NULL ? o->bare : text);
	if (jid == NULL)
		return ANNEX_JID_MALFORMED;
	*c = change_of_rank(a->room, jid, rank);
	return o != NULL ? 0 : item_read_nick(a, nick, c);
}

/* Reserved twice in one IQ. */
static bool
is_same_nick(const struct asking *a, const struct change *one, const struct change *other)
{
	if (one->nick == NULL || one->nick[0] == '\0' || other->nick == NULL)
		return false;
	return strcmp(nick_fold(a->in->pool, one->nick), nick_fold(a->in->pool, other->nick)) == 0;
}

static enum annex_condition
item_read(struct asking *a, const struct annex_element *item)
{
	bool by_role = annex_attr(item, "role") != NULL;
	struct change *c = &a->changes[a->count];
	enum annex_condition wrong;

	if (a->count == CHANGES_MAX)
		return ANNEX_NOT_ACCEPTABLE;
	if (by_role == (annex_attr(item, "affiliation") != NULL))
		return ANNEX_BAD_REQUEST;
	wrong = by_role ? item_read_role(a, item, c) : item_read_rank(a, item, c);
	if (wrong != 0)
		return wrong;
	if (!reason_fits(item))
		return ANNEX_POLICY_VIOLATION;
	c->reason = annex_child_text(item, NS_ADMIN, "reason");
	for (size_t i = 0; i < a->count; i++) {
		if (changes_clash(&a->changes[i], c))
			return ANNEX_BAD_REQUEST;
		if (is_same_nick(a, &a->changes[i], c))
			return ANNEX_CONFLICT;
	}
	a->count++;
	return change_judge(a->room, a->power, a->role, a->in->from->bare, c);
}

static bool
asking_begin(struct asking *a, const struct annex_stanza *in, enum annex_verdict *verdict)
{
	a->in = in;
	a->count = 0;
	if ((a->room = room_of_iq(a->m, in, verdict)) == NULL)
		return false;
	a->session = session_find(a->room, in->from->full);
	a->power = power_of(a->room, in->from);
	a->role = a->session != NULL ? a->session->occupant->role : ROLE_NONE;
	return true;
}

static enum annex_condition
items_read(struct asking *a)
{
	enum annex_condition wrong;
	size_t n = 0;

	ANNEX_CHILDREN (a->in->payload, item) {
		if (!annex_is(item, NS_ADMIN, "item"))
			continue;
		n++;
		if ((wrong = item_read(a, item)) != 0)
			return wrong;
	}
	if (n == 0)
		return ANNEX_BAD_REQUEST;
	return changes_leave_owner(a->room, a->changes, a->count) ? 0 : ANNEX_CONFLICT;
}

enum annex_verdict
muc_admin_set(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct asking *a = annex_new(annex_scratch(inst), struct asking);
	enum annex_verdict verdict;
	enum annex_condition wrong;
	const char *actor;

	a->m = annex_state(inst);
	if (!asking_begin(a, in, &verdict))
		return verdict;
	if ((wrong = items_read(a)) != 0)
		return muc_refuse(a->m, in, wrong, ANNEX_ERROR_DEFAULT, NULL);
	actor = a->session != NULL ? a->session->occupant->nick : NULL;
	for (size_t i = 0; i < a->count; i++) {
		if (change_put(a->room, &a->changes[i]) >= 0)
			continue;
		if (i > 0)
			annex_fail_turn(inst, "a list of changes could not be written whole");
		return muc_full(a->m, in);
	}
	for (size_t i = 0; i < a->count; i++)
		change_tell_who_goes(a->room, &a->changes[i], actor);
	muc_confirm(a->m, in);
	changes_tell(a->room, a->changes, a->count, actor);
	room_settle(a->room);
	return ANNEX_DONE;
}
