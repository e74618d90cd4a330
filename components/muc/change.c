/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * change.c - a role or an affiliation of somebody: judged, changed, shown
 *
 * Who has not the right at all is forbidden; whose object stands above them
 * may not (not-allowed).  An affiliation of a whole domain is a ban or none, and
 * concerns those alone who have no affiliation of their own.
 */
#include <string.h>

#include "change.h"
#include "presence.h"
#include "routed.h"

struct change
change_of_role(struct occupant *o, enum role role)
{
	return (struct change) { .occupant = o, .role = role, .role_before = o->role };
}

struct change
change_of_rank(const struct room *room, const struct annex_jid *who, enum rank rank)
{
	const Muc__Affiliation *before = affiliation_get(room, who->bare);

	return (struct change) {
		.jid = who->bare,
		.rank = rank,
		.before = before == NULL ? RANK_NONE : (enum rank)before->rank,
		.is_above = annex_is_admin(room->muc->inst, who),
	};
}

/* Whom a change of an affiliation concerns: of a domain's, those who have none of their own. */
static bool
is_meant(const struct occupant *o, const struct change *c)
{
	const char *at = strchr(o->bare, '@');

	if (strcmp(o->bare, c->jid) == 0)
		return true;
	return c->rank == RANK_OUTCAST && o->power == RANK_NONE && at != NULL &&
	    strcmp(at + 1, c->jid) == 0 && affiliation_get(o->room, o->bare) == NULL;
}

bool
changes_clash(const struct change *a, const struct change *b)
{
	if (a->occupant != NULL && b->occupant != NULL)
		return a->occupant == b->occupant;
	if (a->occupant != NULL)
		return is_meant(a->occupant, b);
	return b->occupant != NULL ? is_meant(b->occupant, a) : strcmp(a->jid, b->jid) == 0;
}

bool
changes_leave_owner(const struct room *room, const struct change *changes, size_t count)
{
	size_t lost = 0, won = 0;

	for (size_t i = 0; i < count; i++) {
		if (changes[i].occupant != NULL)
			continue;
		lost += changes[i].before == RANK_OWNER && changes[i].rank < RANK_OWNER;
		won += changes[i].before < RANK_OWNER && changes[i].rank == RANK_OWNER;
	}
	return lost == 0 || affiliations_count(room, RANK_OWNER) + won > lost;
}

/* --- Judging ------------------------------------------------------------------ */

/* §5.1.3 and §8.2: whom a moderator may put out; everybody themselves. */
static bool
may_kick(enum rank power, const char *actor, const struct occupant *o)
{
	if (strcmp(o->bare, actor) == 0)
		return true;
	return o->power <= power && (o->role < ROLE_MODERATOR || power >= RANK_ADMIN);
}

/* §5.1.1 and §8.2 to §9.7: who gives a role to whom. */
static enum annex_condition
role_judge(enum rank power, enum role role, const char *actor, const struct change *c)
{
	const struct occupant *o = c->occupant;
	bool about_moderators = c->role == ROLE_MODERATOR || o->role == ROLE_MODERATOR;

	if (role != ROLE_MODERATOR && power < RANK_ADMIN)
		return ANNEX_FORBIDDEN;
	if (c->role == ROLE_NONE)
		return may_kick(power, actor, o) ? 0 : ANNEX_NOT_ALLOWED;
	if (o->power >= RANK_ADMIN && c->role < o->role)
		return ANNEX_NOT_ALLOWED;
	if (about_moderators && c->role != o->role && power < RANK_ADMIN)
		return ANNEX_FORBIDDEN;
	/* §8.4: nor from whoever is affiliated and not below; "none" is no level. */
	if (c->role < o->role && o->power > RANK_NONE && o->power >= power)
		return ANNEX_NOT_ALLOWED;
	return 0;
}

/* §5.2.2: who gives which affiliation.  A ban is judged by who is above whom (§9.1), the
 * lists of admins and owners are for owners alone (§10.3 to §10.8). */
static enum annex_condition
rank_judge(enum rank power, const char *actor, const struct change *c)
{
	if (power < RANK_ADMIN)
		return ANNEX_FORBIDDEN;
	if (c->rank == RANK_OUTCAST && strcmp(c->jid, actor) == 0)
		return ANNEX_CONFLICT;
	if (c->rank == RANK_OUTCAST &&
	    (c->is_above || (c->before >= RANK_ADMIN && power < RANK_OWNER)))
		return ANNEX_NOT_ALLOWED;
	if ((c->before >= RANK_ADMIN || c->rank >= RANK_ADMIN) && c->rank != c->before &&
	    power < RANK_OWNER)
		return ANNEX_FORBIDDEN;
	return 0;
}

enum annex_condition
change_judge(
    const struct room *room, enum rank power, enum role role, const char *actor, struct change *c)
{
	enum annex_condition wrong;
	const char *owner;

	if (c->occupant != NULL)
		return role_judge(power, role, actor, c);
	if ((wrong = rank_judge(power, actor, c)) != 0)
		return wrong;
	/* Nobody is a member who is a whole domain. */
	if (strchr(c->jid, '@') == NULL && c->rank > RANK_NONE)
		return ANNEX_NOT_ACCEPTABLE;
	if (c->nick == NULL || c->nick[0] == '\0')
		return 0;
	owner = nick_owner(room, c->nick);
	return owner != NULL && strcmp(owner, c->jid) != 0 ? ANNEX_CONFLICT : 0;
}

/* --- Making ------------------------------------------------------------------- */

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
	else if (room->config.moderated && c->role < ROLE_MODERATOR)
		r = muc_must(room->muc, voice_keep(room, c->occupant->bare, c->role));
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

/* What becomes of the role (§5.1.3): that of an admin goes with the affiliation, else nobody loses one they have. */
static enum role
role_after(const struct occupant *o, enum rank power_before)
{
	enum role first = role_at_first(o->room, o->bare, o->power);

	return power_before >= RANK_ADMIN || first > o->role ? first : o->role;
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
	if (is_meant(o, c))
		occupant_tell_expelled(o, &n);
}

static void
tell_role(const struct change *c, const char *actor)
{
	struct notice n = notice_of(c, actor);

	presence_after_role(c->occupant, c->role_before, &n, true);
}

static void
tell_rank(struct room *room, struct occupant *o, const struct change *c, const char *actor)
{
	struct notice n = notice_of(c, actor);
	enum role before = o->role;
	enum rank power_before = o->power;

	rank_take(room, o, c);
	o->role = role_after(o, power_before);
	if (o->role != before && muc_must(room->muc, occupant_put(o)) < 0)
		return;
	presence_after_role(o, before, &n, true);
}

/* §9.5: who became a member of a room for members is asked in. */
static void
tell_who_is_away(struct room *room, const struct change *c, const char *actor)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	const struct annex_jid *to = annex_jid(pool, c->jid);
	struct annex_element *asked = annex_element(pool, NS_USER, "invite");
	const char *from =
	    actor == NULL ? room->jid : annex_sprintf(pool, "%s/%s", room->jid, actor);

	if (to == NULL || to->local == NULL)
		return;
	annex_add_text(asked, NULL, "reason", c->reason);
	if (c->rank != c->before)
		absent_tell(room, to->bare, c->rank, c->reason);
	if (room->config.members_only && c->rank == RANK_MEMBER && c->before < RANK_MEMBER)
		invite_send(room, to, from, asked, NULL);
	else if (room->muc->set->tell_absent && c->rank != c->before)
		absent_tell_account(room, to->bare, c->rank, c->reason);
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
			tell_role(c, actor);
		return;
	}
	n.codes[0] = goes_with(room, c);
	n.rank = &c->rank;
	OCCUPANTS_EACH(room, o)
	{
		if (!is_meant(o, c))
			continue;
		found = true;
		if (n.codes[0] != 0)
			occupant_expel(o, &n);
		else
			tell_rank(room, o, c, actor);
	}
	if (!found)
		tell_who_is_away(room, c, actor);
}

static bool
puts_out(const struct room *room, const struct change *c)
{
	return c->occupant != NULL ? c->role == ROLE_NONE : goes_with(room, c) != 0;
}

void
changes_tell(struct room *room, const struct change *changes, size_t count, const char *actor)
{
	for (size_t i = 0; i < count; i++)
		if (puts_out(room, &changes[i]))
			change_tell(room, &changes[i], actor);
	for (size_t i = 0; i < count; i++)
		if (!puts_out(room, &changes[i]))
			change_tell(room, &changes[i], actor);
}
