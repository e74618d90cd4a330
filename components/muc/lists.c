/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * lists.c - who has which role, who which affiliation (XEP-0045 §8.5, §9.2,
 * §9.5, §9.8, §10.5, §10.8)
 *
 * A room may have a hundred thousand members: a list comes in pages
 * (XEP-0059), also to those who did not ask for any.
 */
#include <string.h>

#include <annex/rsm.h>

#include "muc.h"

#define PAGE_MAX 1000

struct listing {
	struct room *room;
	const struct session *session; /* who asks, or NULL: not in the room */
	enum rank power;
	enum rank rank; /* what is asked for: an affiliation, */
	enum role role; /* or a role */
};

/* --- Who may ---------------------------------------------------------------------- */

static enum role
role_of(const struct listing *l)
{
	return l->session == NULL ? ROLE_NONE : l->session->occupant->role;
}

/* §9.5, §10.5, §10.8, and the field getmemberlist. */
static bool
may_list_rank(const struct listing *l)
{
	const struct room_config *config = &l->room->config;

	if (l->power >= RANK_ADMIN)
		return l->rank < RANK_ADMIN || l->power == RANK_OWNER || room_shows_jids(l->room);
	if (l->rank == RANK_OUTCAST || !room_shows_jids(l->room))
		return false;
	if (l->rank >= RANK_ADMIN)
		return l->room->muc->set->list_owners && l->session != NULL;
	return (l->session != NULL &&
		   annex_strings_have(&config->member_list, role_name(role_of(l)))) ||
	    (config->members_only && l->power >= RANK_MEMBER);
}

/* §8.5, and §9.8 for the list of moderators. */
static bool
may_list_role(const struct listing *l)
{
	return l->power >= RANK_ADMIN ||
	    (role_of(l) == ROLE_MODERATOR && l->role != ROLE_MODERATOR);
}

/* --- Who is in it ----------------------------------------------------------------- */

static int
rank_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	const struct listing *l = cookie;
	struct annex_key prefix = muc_key(TABLE_AFFILIATIONS, l->room->id), key;
	struct annex_iter it = backwards ? annex_iter_backwards(&prefix) : annex_iter(&prefix);
	int r;

	if (from != NULL && affiliation_get(l->room, from) == NULL)
		return ANNEX_ENOENT;
	if (from != NULL) {
		key = muc_key_in(TABLE_AFFILIATIONS, l->room->id, from);
		it = annex_iter_from(&prefix, &key);
		it.backwards = backwards;
	}
	while ((r = annex_next(l->room->muc->store, &it)) == ANNEX_AGAIN) {
		Muc__Affiliation *a = (Muc__Affiliation *)it.record;

		if ((enum rank)a->rank != l->rank || (from != NULL && strcmp(a->jid, from) == 0))
			continue;
		if (!take(taker, a->jid, a))
			return ANNEX_OK;
	}
	return r < 0 ? r : ANNEX_OK;
}

static const char *
nick_of(const void *item)
{
	return ((const struct occupant *)item)->nick;
}

static struct annex_source
role_source(const struct listing *l)
{
	struct annex_pool *pool = annex_scratch(l->room->muc->inst);
	struct annex_array *array = annex_new(pool, struct annex_array);
	void **items = annex_new_array(pool, void *, l->room->occupant_count + 1);

	OCCUPANTS_EACH(l->room, o)
	if (o->role == l->role)
		items[array->count++] = o;
	array->item = items;
	array->id_of = nick_of;
	return annex_array_source(array);
}

/* --- How it is shown ---------------------------------------------------------------- */

static void
add_occupant(struct annex_element *query, const struct occupant *o)
{
	struct annex_element *item = annex_add(query, NULL, "item");

	annex_attr_set(item, "affiliation", rank_name(o->rank));
	annex_attr_set(item, "jid", o->shown->jid);
	annex_attr_set(item, "nick", o->nick);
	annex_attr_set(item, "role", role_name(o->role));
}

static void
add_affiliation(struct annex_element *query, const Muc__Affiliation *a)
{
	struct annex_element *item = annex_add(query, NULL, "item");

	annex_attr_set(item, "affiliation", rank_name((enum rank)a->rank));
	annex_attr_set(item, "jid", a->jid);
	if (a->nick[0] != '\0')
		annex_attr_set(item, "nick", a->nick);
	if (a->reason[0] != '\0')
		annex_add_text(item, NULL, "reason", a->reason);
}

/* 0, or the condition it is refused with. */
static enum annex_condition
listing_read(struct listing *l, const struct annex_element *item)
{
	const char *rank = annex_attr(item, "affiliation"), *role = annex_attr(item, "role");

	if ((rank == NULL) == (role == NULL))
		return ANNEX_BAD_REQUEST;
	if (rank != NULL && (rank_read(rank, &l->rank) < 0 || l->rank == RANK_NONE))
		return ANNEX_BAD_REQUEST;
	if (role != NULL && (role_read(role, &l->role) < 0 || l->role == ROLE_NONE))
		return ANNEX_BAD_REQUEST;
	return (rank != NULL ? may_list_rank(l) : may_list_role(l)) ? 0 : ANNEX_FORBIDDEN;
}

static enum annex_verdict
list(struct muc *m, struct listing *l, const struct annex_stanza *in)
{
	struct annex_source source = { .cookie = l, .walk = rank_walk };
	struct annex_page_result found;
	struct annex_stanza *out;
	struct annex_element *query;
	struct annex_page page;
	int r;

	if (annex_page_read(&page, in->payload, PAGE_MAX, PAGE_MAX) < 0)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	if (l->role != ROLE_NONE)
		source = role_source(l);
	if ((r = annex_page_fetch(&source, &page, in->pool, &found)) < 0)
		return muc_refuse(m, in,
		    r == ANNEX_ENOENT ? ANNEX_ITEM_NOT_FOUND : ANNEX_FEATURE_NOT_IMPLEMENTED,
		    ANNEX_ERROR_DEFAULT, NULL);
	out = annex_reply(m->inst, in);
	query = annex_add(out->element, NS_ADMIN, "query");
	for (size_t i = 0; i < found.count; i++) {
		if (l->role != ROLE_NONE)
			add_occupant(query, found.item[i]);
		else
			add_affiliation(query, found.item[i]);
	}
	annex_page_trim(&found, &page, query, annex_send_max(m->inst) - 4096);
	if (page.present || !found.complete)
		annex_page_add(query, &found);
	muc_answer(m, in, out);
	return ANNEX_DONE;
}

enum annex_verdict
muc_admin_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	const struct annex_element *item = annex_child(in->payload, NS_ADMIN, "item");
	struct muc *m = annex_state(inst);
	struct listing l = { .role = ROLE_NONE };
	enum annex_condition wrong;
	enum annex_verdict verdict;

	if ((l.room = room_of_iq(m, in, &verdict)) == NULL)
		return verdict;
	l.session = session_find(l.room, in->from->full);
	l.power = power_of(l.room, in->from);
	wrong = item == NULL ? ANNEX_BAD_REQUEST : listing_read(&l, item);
	if (wrong != 0)
		return muc_refuse(m, in, wrong, ANNEX_ERROR_DEFAULT, NULL);
	return list(m, &l, in);
}
