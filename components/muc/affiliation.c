/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * affiliation.c - who somebody is to a room for good (XEP-0045 §5.2)
 *
 * Affiliations stay in the store: a room may have a hundred thousand members
 * and two people in it.  A ban may also be of a whole domain.
 */
#include <string.h>

#include "muc.h"

static const struct rank_name {
	const char *name;
	enum rank rank;
} ranks[] = {
	{ "outcast", RANK_OUTCAST },
	{ "none", RANK_NONE },
	{ "member", RANK_MEMBER },
	{ "admin", RANK_ADMIN },
	{ "owner", RANK_OWNER },
};

static const char *const roles[] = { "none", "visitor", "participant", "moderator" };

const char *
rank_name(enum rank rank)
{
	return ranks[rank - RANK_OUTCAST].name;
}

const char *
role_name(enum role role)
{
	return roles[role];
}

int
rank_read(const char *text, enum rank *rank_r)
{
	for (size_t i = 0; i < sizeof(ranks) / sizeof(*ranks); i++) {
		if (strcmp(text, ranks[i].name) != 0)
			continue;
		*rank_r = ranks[i].rank;
		return ANNEX_OK;
	}
	return ANNEX_EINVAL;
}

int
role_read(const char *text, enum role *role_r)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		if (strcmp(text, roles[i]) != 0)
			continue;
		*role_r = (enum role)i;
		return ANNEX_OK;
	}
	return ANNEX_EINVAL;
}

const Muc__Affiliation *
affiliation_get(const struct room *room, const char *jid)
{
	struct annex_key key = muc_key_in(TABLE_AFFILIATIONS, room->id, jid);
	ProtobufCMessage *record;

	return annex_get(room->muc->store, &key, &record) == ANNEX_OK ? (Muc__Affiliation *)record
								      : NULL;
}

enum rank
rank_of(const struct room *room, const struct annex_jid *who)
{
	const Muc__Affiliation *a = affiliation_get(room, who->bare);

	if (a == NULL || a->rank == RANK_NONE) {
		const Muc__Affiliation *domain = affiliation_get(room, who->domain);

		if (domain != NULL && domain->rank == RANK_OUTCAST)
			return RANK_OUTCAST;
	}
	return a == NULL ? RANK_NONE : (enum rank)a->rank;
}

enum rank
power_of(const struct room *room, const struct annex_jid *who)
{
	return annex_is_admin(room->muc->inst, who) ? RANK_OWNER : rank_of(room, who);
}

/* --- The role that comes with it ---------------------------------------------- */

int
voice_keep(const struct room *room, const char *bare, enum role role)
{
	struct annex_key key = muc_key_in(TABLE_VOICES, room->id, bare);
	Muc__Voice record = MUC__VOICE__INIT;

	record.role = (int32_t)role;
	return annex_put(room->muc->store, &key, &record.base);
}

static enum role
voice_kept(const struct room *room, const char *bare)
{
	struct annex_key key = muc_key_in(TABLE_VOICES, room->id, bare);
	ProtobufCMessage *record;

	return annex_get(room->muc->store, &key, &record) == ANNEX_OK
	    ? (enum role)((Muc__Voice *)record)->role
	    : ROLE_NONE;
}

/* §5.1.2, "Initial Role Based on Affiliation"; and what a moderator has decided stays so where that
 * matters (§5.1). */
enum role
role_at_first(const struct room *room, const char *bare, enum rank power)
{
	enum role kept;

	if (power >= RANK_ADMIN)
		return ROLE_MODERATOR;
	if (!room->config.moderated)
		return ROLE_PARTICIPANT;
	if ((kept = voice_kept(room, bare)) != ROLE_NONE)
		return kept;
	return power < RANK_MEMBER ? ROLE_VISITOR : ROLE_PARTICIPANT;
}

/* --- Reserved nicknames ---------------------------------------------------- */

const char *
nick_owner(const struct room *room, const char *nick)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	struct annex_key key = muc_key_in(TABLE_NICKS, room->id, nick_fold(pool, nick));
	ProtobufCMessage *record;

	if (annex_get(room->muc->store, &key, &record) < 0)
		return NULL;
	return ((Muc__Nick *)record)->jid;
}

static int
nick_put(struct room *room, const char *jid, const char *before, const char *nick)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	Muc__Nick record = MUC__NICK__INIT;
	struct annex_key key;

	if (before[0] != '\0') {
		key = muc_key_in(TABLE_NICKS, room->id, nick_fold(pool, before));
		annex_delete(room->muc->store, &key);
	}
	if (nick[0] == '\0')
		return ANNEX_OK;
	key = muc_key_in(TABLE_NICKS, room->id, nick_fold(pool, nick));
	record.jid = record_text(jid);
	record.nick = record_text(nick);
	return annex_put(room->muc->store, &key, &record.base);
}

/* --- Changing -------------------------------------------------------------- */

static int
forget(struct room *room, int table, const char *jid)
{
	struct annex_key key = muc_key_in(table, room->id, jid);

	return muc_must(room->muc, annex_delete(room->muc->store, &key));
}

/* nick NULL: as it is; an outcast and who is nobody any more has none (§9.1). */
int
affiliation_put(
    struct room *room, const char *jid, enum rank rank, const char *reason, const char *nick)
{
	struct annex_key key = muc_key_in(TABLE_AFFILIATIONS, room->id, jid);
	const Muc__Affiliation *before = affiliation_get(room, jid);
	const char *had = before == NULL ? "" : before->nick;
	Muc__Affiliation record = MUC__AFFILIATION__INIT;
	int r;

	if (rank <= RANK_NONE)
		nick = "";
	else if (nick == NULL)
		nick = had;
	record.jid = record_text(jid);
	record.rank = rank;
	record.reason = record_text(reason);
	record.nick = record_text(nick);
	if (rank == RANK_NONE)
		r = annex_delete(room->muc->store, &key);
	else
		r = annex_put(room->muc->store, &key, &record.base);
	if (r < 0)
		return r;
	if (before == NULL || before->rank != (int32_t)rank) {
		if ((r = forget(room, TABLE_VOICES, jid)) < 0 ||
		    (r = forget(room, TABLE_REQUESTS, jid)) < 0)
			return r;
	}
	if (strcmp(had, nick) == 0)
		return ANNEX_OK;
	return muc_must(room->muc, nick_put(room, jid, had, nick));
}

void
affiliations_each(const struct room *room, affiliation_fn *fn, void *cookie)
{
	struct annex_key prefix = muc_key(TABLE_AFFILIATIONS, room->id);
	struct annex_iter it = annex_iter(&prefix);

	while (annex_next(room->muc->store, &it) == ANNEX_AGAIN)
		if (!fn(cookie, (const Muc__Affiliation *)it.record))
			return;
}

struct counting {
	enum rank rank;
	size_t count;
};

static bool
count_one(void *cookie, const Muc__Affiliation *a)
{
	struct counting *c = cookie;

	c->count += a->rank == c->rank;
	return true;
}

size_t
affiliations_count(const struct room *room, enum rank rank)
{
	struct counting c = { .rank = rank };

	affiliations_each(room, count_one, &c);
	return c.count;
}
