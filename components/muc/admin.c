/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * admin.c - roles and affiliations: judged, changed, listed (XEP-0045 §8, §9)
 *
 * Several changes come in one IQ: all are judged before the first is made.
 * Who has not the right at all is forbidden; whose object stands above them
 * may not (not-allowed).  Who goes is told first, then comes the IQ's answer,
 * then all others are told.
 */
#include <stdlib.h>
#include <string.h>

#include "muc.h"

#define CHANGES_MAX 100

/* --- Judging ------------------------------------------------------------------ */

/* §5.1.1 and §8.2 to §9.7: who gives a role to whom. */
static enum annex_condition
role_judge(enum rank power, enum role role, const struct change *c)
{
	const struct occupant *o = c->occupant;
	bool about_moderators = c->role == ROLE_MODERATOR || o->role == ROLE_MODERATOR;

	if (role != ROLE_MODERATOR && power < RANK_ADMIN)
		return ANNEX_FORBIDDEN;
	if (c->role == ROLE_NONE)
		return o->power > power ? ANNEX_NOT_ALLOWED : 0;
	if (o->power >= RANK_ADMIN && c->role < o->role)
		return ANNEX_NOT_ALLOWED;
	if (about_moderators && c->role != o->role && power < RANK_ADMIN)
		return ANNEX_FORBIDDEN;
	return 0;
}

/* §5.2.2: who gives which affiliation. */
static enum annex_condition
rank_judge(const struct room *room, enum rank power, const char *actor, const struct change *c)
{
	if (power < RANK_ADMIN)
		return ANNEX_FORBIDDEN;
	if (c->rank == RANK_OUTCAST && strcmp(c->jid, actor) == 0)
		return ANNEX_CONFLICT;
	if (c->before > power ||
	    (c->before == RANK_ADMIN && c->rank < RANK_ADMIN && power < RANK_OWNER))
		return ANNEX_NOT_ALLOWED;
	if (c->rank >= RANK_ADMIN && c->rank != c->before && power < RANK_OWNER)
		return ANNEX_FORBIDDEN;
	if (c->before == RANK_OWNER && c->rank < RANK_OWNER &&
	    affiliations_count(room, RANK_OWNER) == 1)
		return ANNEX_CONFLICT;
	return 0;
}

enum annex_condition
change_judge(
    const struct room *room, enum rank power, enum role role, const char *actor, struct change *c)
{
	const char *owner;

	if (c->occupant != NULL)
		return role_judge(power, role, c);
	if (c->nick != NULL && c->nick[0] != '\0') {
		owner = nick_owner(room, c->nick);
		if (owner != NULL && strcmp(owner, c->jid) != 0)
			return ANNEX_CONFLICT;
	}
	return rank_judge(room, power, actor, c);
}

/* --- Making ------------------------------------------------------------------- */

static bool
is_meant(const struct occupant *o, const char *jid)
{
	const char *at = strchr(o->bare, '@');

	if (strchr(jid, '@') == NULL && strcmp(at == NULL ? o->bare : at + 1, jid) == 0)
		return true;
	return strcmp(o->bare, jid) == 0;
}

int
change_put(struct room *room, const struct change *c)
{
	enum role before;
	int r;

	if (c->occupant == NULL)
		return affiliation_put(room, c->jid, c->rank, c->reason, c->nick);
	if (c->role == ROLE_NONE)
		return ANNEX_OK;
	before = c->occupant->role;
	c->occupant->role = c->role;
	if ((r = occupant_put(c->occupant)) < 0)
		c->occupant->role = before;
	return r;
}

/* Whether an occupant has to go with that affiliation, and with which code. */
static unsigned
goes_with(const struct room *room, const struct change *c)
{
	if (c->rank == RANK_OUTCAST)
		return CODE_BANNED;
	return c->rank == RANK_NONE && room->config.members_only ? CODE_NO_MEMBER : 0;
}

/* What becomes of the role (§5.1.2): as at first, but nobody loses a voice they have. */
static enum role
role_after(const struct occupant *o)
{
	enum role first = role_at_first(o->room, o->power);

	if (first == ROLE_MODERATOR || o->role == ROLE_MODERATOR)
		return first;
	return first > o->role ? first : o->role;
}

static void
rank_take(struct room *room, struct occupant *o, const struct change *c)
{
	const struct annex_jid *jid = annex_jid(annex_scratch(room->muc->inst), o->bare);

	o->rank = c->rank;
	o->power = jid != NULL && annex_is_admin(room->muc->inst, jid) ? RANK_OWNER : c->rank;
}

static struct notice
notice_of(const struct change *c, const char *actor)
{
	return (struct notice) { .actor = actor, .reason = c->reason };
}

void
change_tell_who_goes(struct room *room, const struct change *c, const char *actor)
{
	struct notice n = notice_of(c, actor);

	if (c->occupant != NULL) {
		n.codes[0] = CODE_KICKED;
		if (c->role == ROLE_NONE)
			occupant_tell_expelled(c->occupant, &n);
		return;
	}
	if ((n.codes[0] = goes_with(room, c)) == 0)
		return;
	n.rank = &c->rank;
	OCCUPANTS_EACH(room, o)
	if (is_meant(o, c->jid))
		occupant_tell_expelled(o, &n);
}

static void
tell_role(const struct change *c, enum role before, const char *actor)
{
	struct notice n = notice_of(c, actor);

	presence_after_role(c->occupant, before, &n, true);
}

static void
tell_rank(struct room *room, struct occupant *o, const struct change *c, const char *actor)
{
	struct notice n = notice_of(c, actor);
	enum role before = o->role;

	rank_take(room, o, c);
	o->role = role_after(o);
	if (o->role != before && muc_must(room->muc, occupant_put(o)) < 0)
		return;
	presence_after_role(o, before, &n, true);
}

/* §9.3: who became a member of a room for members is asked in. */
static void
invite_member(struct room *room, const struct change *c)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	const struct annex_jid *to = annex_jid(pool, c->jid);

	if (to != NULL && to->local != NULL && room->config.members_only &&
	    c->rank == RANK_MEMBER && c->before < RANK_MEMBER)
		invite_send(room, to, room->jid, annex_element(pool, NS_USER, "invite"));
}

void
change_tell(struct room *room, const struct change *c, const char *actor)
{
	struct notice n = notice_of(c, actor);
	bool found = false;

	if (c->occupant != NULL) {
		n.codes[0] = CODE_KICKED;
		if (c->role == ROLE_NONE)
			occupant_expel(c->occupant, &n);
		else
			tell_role(c, (enum role)c->before, actor);
		return;
	}
	n.codes[0] = goes_with(room, c);
	n.rank = &c->rank;
	OCCUPANTS_EACH(room, o)
	{
		if (!is_meant(o, c->jid))
			continue;
		found = true;
		if (n.codes[0] != 0)
			occupant_expel(o, &n);
		else
			tell_rank(room, o, c, actor);
	}
	if (!found)
		invite_member(room, c);
}

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

	if (nick == NULL || role_read(annex_attr(item, "role"), &c->role) < 0)
		return ANNEX_BAD_REQUEST;
	c->occupant = occupant_find(a->room, nick);
	if (c->occupant == NULL)
		return ANNEX_ITEM_NOT_FOUND;
	c->before = (enum rank)c->occupant->role;
	return 0;
}

/* By bare JID; where only a nickname is given, whose it is. */
static enum annex_condition
item_read_rank(struct asking *a, const struct annex_element *item, struct change *c)
{
	const char *text = annex_attr(item, "jid"), *nick = annex_attr(item, "nick");
	const struct occupant *o =
	    text == NULL && nick != NULL ? occupant_find(a->room, nick) : NULL;
	const struct annex_jid *jid;
	const Muc__Affiliation *before;

	if (rank_read(annex_attr(item, "affiliation"), &c->rank) < 0)
		return ANNEX_BAD_REQUEST;
	if (text == NULL && nick == NULL)
		return ANNEX_BAD_REQUEST;
	if (text == NULL && o == NULL)
		return ANNEX_ITEM_NOT_FOUND;
	jid = annex_jid(a->in->pool, o != NULL ? o->bare : text);
	if (jid == NULL)
		return ANNEX_JID_MALFORMED;
	if (jid->local == NULL && c->rank > RANK_NONE)
		return ANNEX_NOT_ACCEPTABLE;
	c->jid = jid->bare;
	c->nick = o != NULL ? NULL : nick;
	before = affiliation_get(a->room, c->jid);
	c->before = annex_is_admin(a->m->inst, jid) ? RANK_OWNER
	    : before == NULL                        ? RANK_NONE
						    : (enum rank)before->rank;
	return 0;
}

static enum annex_condition
item_read(struct asking *a, const struct annex_element *item)
{
	bool by_role = annex_attr(item, "role") != NULL;
	struct change *c = &a->changes[a->count];
	enum annex_condition wrong;

	if (a->count == CHANGES_MAX)
		return ANNEX_NOT_ACCEPTABLE;
	*c = (struct change) { .reason = annex_child_text(item, NS_ADMIN, "reason") };
	if (by_role == (annex_attr(item, "affiliation") != NULL))
		return ANNEX_BAD_REQUEST;
	wrong = by_role ? item_read_role(a, item, c) : item_read_rank(a, item, c);
	if (wrong != 0)
		return wrong;
	a->count++;
	return change_judge(a->room, a->power, a->role, a->in->from->bare, c);
}

/* Together they must not leave the room without an owner. */
static bool
leaves_owners(const struct asking *a)
{
	size_t owners, lost = 0, won = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (a->changes[i].occupant != NULL)
			continue;
		lost += a->changes[i].before == RANK_OWNER && a->changes[i].rank < RANK_OWNER;
		won += a->changes[i].before < RANK_OWNER && a->changes[i].rank == RANK_OWNER;
	}
	if (lost == 0)
		return true;
	owners = affiliations_count(a->room, RANK_OWNER);
	return owners + won > lost;
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
	return leaves_owners(a) ? 0 : ANNEX_CONFLICT;
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
	for (size_t i = 0; i < a->count; i++)
		change_tell(a->room, &a->changes[i], actor);
	room_settle(a->room);
	return ANNEX_DONE;
}

/* --- Lists ---------------------------------------------------------------------- */

static void
list_role(struct asking *a, enum role role, struct annex_element *query)
{
	struct annex_element *item;

	OCCUPANTS_EACH(a->room, o)
	{
		if (o->role != role)
			continue;
		item = annex_add(query, NULL, "item");
		annex_attr_set(item, "affiliation", rank_name(o->rank));
		annex_attr_set(item, "jid", o->shown->jid);
		annex_attr_set(item, "nick", o->nick);
		annex_attr_set(item, "role", role_name(o->role));
	}
}

struct listing {
	struct annex_element *query;
	enum rank rank;
};

static bool
list_one(void *cookie, const Muc__Affiliation *a)
{
	struct listing *l = cookie;
	struct annex_element *item;

	if ((enum rank)a->rank != l->rank)
		return true;
	item = annex_add(l->query, NULL, "item");
	annex_attr_set(item, "affiliation", rank_name(l->rank));
	annex_attr_set(item, "jid", a->jid);
	if (a->nick[0] != '\0')
		annex_attr_set(item, "nick", a->nick);
	if (a->reason[0] != '\0')
		annex_add_text(item, NULL, "reason", a->reason);
	return true;
}

/* §9.5, §10.5, §10.8, and the field getmemberlist. */
static bool
may_list(const struct asking *a, enum rank rank)
{
	const struct room_config *config = &a->room->config;

	if (a->power >= RANK_ADMIN)
		return rank < RANK_ADMIN || a->power == RANK_OWNER || room_shows_jids(a->room);
	if (rank == RANK_OUTCAST || !room_shows_jids(a->room))
		return false;
	if (rank >= RANK_ADMIN)
		return a->m->set->list_owners && a->session != NULL;
	return (a->session != NULL && is_in(&config->member_list, role_name(a->role))) ||
	    (config->members_only && a->power >= RANK_MEMBER);
}

enum annex_verdict
muc_admin_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct asking *a = annex_new(annex_scratch(inst), struct asking);
	const struct annex_element *item = annex_child(in->payload, NS_ADMIN, "item");
	struct listing l;
	struct annex_stanza *out;
	enum annex_verdict verdict;
	enum role role = ROLE_NONE;
	const char *text;

	a->m = annex_state(inst);
	if (!asking_begin(a, in, &verdict))
		return verdict;
	if (item == NULL)
		return muc_refuse(a->m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	out = annex_reply(inst, in);
	l.query = annex_add(out->element, NS_ADMIN, "query");
	if ((text = annex_attr(item, "affiliation")) != NULL) {
		if (rank_read(text, &l.rank) < 0 || l.rank == RANK_NONE)
			return muc_refuse(a->m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
		if (!may_list(a, l.rank))
			return muc_refuse(a->m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, NULL);
		affiliations_each(a->room, list_one, &l);
	} else {
		text = annex_attr(item, "role");
		if (text == NULL || role_read(text, &role) < 0 || role == ROLE_NONE)
			return muc_refuse(a->m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
		if (a->role != ROLE_MODERATOR && a->power < RANK_ADMIN)
			return muc_refuse(a->m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, NULL);
		list_role(a, role, l.query);
	}
	muc_answer(a->m, in, out);
	return ANNEX_DONE;
}
