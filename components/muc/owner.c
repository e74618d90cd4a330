/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * owner.c - configuring a room (XEP-0045 §10.1 to 10.2), and destroying it
 * (§10.9)
 *
 * A form is read, judged as a whole and only then applied: what is written,
 * who loses their place, what changes for whom in sight, and at last what
 * everybody is told in codes.  Owners and admins come as full lists and become
 * changes of affiliations.
 */
#include <string.h>

#include "change.h"
#include "commands.h"
#include "presence.h"

/* --- The form ----------------------------------------------------------------- */

struct gathering {
	struct annex_pool *pool;
	enum rank rank;
	const char **jid;
	size_t count, space;
};

static bool
gather_one(void *cookie, const Muc__Affiliation *a)
{
	struct gathering *g = cookie;
	const char **more;

	if ((enum rank)a->rank != g->rank)
		return true;
	if (g->count == g->space) {
		more = annex_new_array(g->pool, const char *, g->space = g->space * 2 + 8);
		if (g->count > 0)
			memcpy(more, g->jid, g->count * sizeof(*more));
		g->jid = more;
	}
	g->jid[g->count++] = a->jid;
	return true;
}

static struct annex_strings
gather(const struct room *room, enum rank rank)
{
	struct gathering g = { .pool = annex_scratch(room->muc->inst), .rank = rank };

	affiliations_each(room, gather_one, &g);
	return (struct annex_strings) { g.jid, g.count };
}

static struct room_config
config_now(const struct room *room)
{
	struct room_config config = room->config;

	config.owners = gather(room, RANK_OWNER);
	config.admins = gather(room, RANK_ADMIN);
	return config;
}

static struct room *
room_of_owner(struct muc *m, const struct annex_stanza *in, enum annex_verdict *verdict)
{
	struct room *room = room_of_iq(m, in, verdict);

	if (room == NULL || power_of(room, in->from) == RANK_OWNER)
		return room;
	*verdict =
	    muc_refuse(m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, "That is for owners of the room.");
	return NULL;
}

enum annex_verdict
muc_owner_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;
	struct room *room = room_of_owner(m, in, &verdict);
	struct room_config config;
	struct annex_stanza *out;

	if (room == NULL)
		return verdict;
	config = config_now(room);
	out = annex_reply(inst, in);
	annex_form_add(annex_add(out->element, NS_OWNER, "query"), &config_form, "form", &config);
	muc_answer(m, in, out);
	return ANNEX_DONE;
}

/* --- Owners and admins ---------------------------------------------------------- */

struct lists {
	struct change *change;
	size_t count;
};

static void
change_add(struct lists *l, const char *jid, enum rank before, enum rank rank)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->change[i].jid, jid) != 0)
			continue;
		if (rank > l->change[i].rank)
			l->change[i].rank = rank;
		return;
	}
	l->change[l->count++] = (struct change) { .jid = jid, .before = before, .rank = rank };
}

/* As bare addresses; false where one is of a whole domain. */
static bool
list_read(struct annex_pool *pool, struct annex_strings *list)
{
	const char **bare = annex_new_array(pool, const char *, list->count + 1);

	for (size_t i = 0; i < list->count; i++) {
		const struct annex_jid *jid = annex_jid(pool, list->value[i]);

		if (jid == NULL || jid->local == NULL)
			return false;
		bare[i] = jid->bare;
	}
	list->value = bare;
	return true;
}

static void
list_judge(struct lists *l, const struct room *room, const struct annex_strings *before,
    const struct annex_strings *after, enum rank rank)
{
	for (size_t i = 0; i < after->count; i++) {
		const Muc__Affiliation *a = affiliation_get(room, after->value[i]);

		if (a == NULL || (enum rank)a->rank != rank)
			change_add(
			    l, after->value[i], a == NULL ? RANK_NONE : (enum rank)a->rank, rank);
	}
	for (size_t i = 0; i < before->count; i++)
		if (!annex_strings_have(after, before->value[i]))
			change_add(l, before->value[i], rank, RANK_MEMBER);
}

/* --- Judging ---------------------------------------------------------------------- */

struct configuring {
	struct muc *m;
	struct room *room;
	const struct annex_stanza *in;
	struct room_config before, after;
	struct lists lists;
	struct annex_error error;
};

static bool
fail(struct configuring *c, enum annex_condition condition, const char *text)
{
	c->error = (struct annex_error) { .condition = condition, .text = text };
	return false;
}

static bool
is_number(const char *text)
{
	return text[0] >= '1' && text[0] <= '9' && strspn(text, "0123456789") == strlen(text) &&
	    strlen(text) < 7;
}

/* At most so many changes. */
static size_t
lists_length(const struct configuring *c)
{
	return c->before.owners.count + c->before.admins.count + c->after.owners.count +
	    c->after.admins.count;
}

static bool
configuring_judge(struct configuring *c)
{
	struct annex_pool *pool = annex_scratch(c->m->inst);

	if (c->after.guarded && c->after.secret[0] == '\0')
		return fail(c, ANNEX_NOT_ACCEPTABLE, "A room with a password needs one.");
	if (strcmp(c->after.max_users, "none") != 0 && !is_number(c->after.max_users))
		return fail(c, ANNEX_BAD_REQUEST, "Most occupants is a number, or none.");
	if (c->after.max_history > c->m->set->max_history)
		c->after.max_history = c->m->set->max_history;
	if (!list_read(pool, &c->after.owners) || !list_read(pool, &c->after.admins))
		return fail(c, ANNEX_NOT_ACCEPTABLE, "Owners and admins are users.");
	c->lists.change = annex_new_array(pool, struct change, lists_length(c) + 1);
	list_judge(&c->lists, c->room, &c->before.owners, &c->after.owners, RANK_OWNER);
	list_judge(&c->lists, c->room, &c->before.admins, &c->after.admins, RANK_ADMIN);
	return changes_leave_owner(c->room, c->lists.change, c->lists.count) ||
	    fail(c, ANNEX_CONFLICT, "The room must keep an owner.");
}

/* --- Applying --------------------------------------------------------------------- */

/* The strings of the form are in scratch: the room reads itself anew from what was written. */
static void
config_keep(struct room *room, const struct room_config *config)
{
	struct annex_pool *pool = room->pool;
	Muc__Room record = MUC__ROOM__INIT;

	config_pack(config, &record, annex_scratch(room->muc->inst));
	config_unpack(&room->config, &record, pool);
	room->config.owners = room->config.admins = (struct annex_strings) { NULL, 0 };
	room->garbage += 1024;
}

/* §10.2: with 322, to all. */
static void
put_out_strangers(struct room *room)
{
	const struct notice n = { .codes = { CODE_MEMBERS_ONLY } };

	OCCUPANTS_EACH(room, o)
	{
		if (o->power >= RANK_MEMBER)
			continue;
		occupant_tell_expelled(o, &n);
		occupant_expel(o, &n);
	}
}

/* The field presencebroadcast: who comes into sight arrives, who goes out of it leaves. */
static void
sight_again(struct room *room, const struct annex_strings *before)
{
	OCCUPANTS_EACH(room, o)
	if (annex_strings_have(before, role_name(o->role)) != occupant_is_shown(o))
		presence_cross(o);
}

static void
voices_again(struct room *room)
{
	const struct notice plain = { 0 };

	OCCUPANTS_EACH(room, o)
	{
		enum role before = o->role, role = role_at_first(room, o->bare, o->power);

		if (o->role == ROLE_MODERATOR || role == before)
			continue;
		o->role = role;
		if (muc_must(room->muc, occupant_put(o)) < 0)
			return;
		presence_after_role(o, before, &plain, true);
	}
}

/* §10.2.1: codes of their own for what concerns privacy, 104 for all else. */
static void
tell_codes(struct configuring *c)
{
	bool shown = room_shows_jids(c->room), was_shown = strcmp(c->before.whois, "anyone") == 0;
	bool absent = c->after.shows_absent, had_absent = c->before.shows_absent;
	unsigned codes[5] = { 0 };
	size_t n = 0;

	if (c->lists.count > 0 || config_differs(&c->after, &c->before))
		codes[n++] = CODE_CONFIGURED;
	if (c->after.logged != c->before.logged)
		codes[n++] = c->after.logged ? CODE_LOGGED : CODE_NOT_LOGGED;
	if (shown != was_shown)
		codes[n++] = shown ? CODE_NON_ANONYMOUS : CODE_SEMI_ANONYMOUS;
	if (absent != had_absent)
		codes[n++] = absent ? CODE_ABSENT_SHOWN : CODE_ABSENT_HIDDEN;
	if (n > 0)
		room_tell(c->room, codes);
	if (absent && !had_absent)
		absent_show_to_all(c->room);
	if (shown != was_shown)
		OCCUPANTS_EACH(c->room, o)
	presence_again(o);
}

static void
unlock(struct configuring *c)
{
	annex_alarm_clear(c->m->inst, "configure", c->room->name, strlen(c->room->name));
}

/* Whom it was asked by in a stanza is answered before the others are told. */
static int
configuring_apply(struct configuring *c)
{
	struct room *room = c->room;
	struct session *s = c->in == NULL ? NULL : session_find(room, c->in->from->full);
	const char *actor = s == NULL ? NULL : s->occupant->nick;
	bool was_locked = room->locked;

	config_keep(room, &c->after);
	room->locked = false;
	if (room_put(room) < 0) {
		room->locked = was_locked;
		config_keep(room, &c->before);
		fail(c, ANNEX_RESOURCE_CONSTRAINT, "There is no room for more now.");
		c->error.type = ANNEX_ERROR_WAIT;
		return ANNEX_EFULL;
	}
	for (size_t i = 0; i < c->lists.count; i++)
		if (muc_must(c->m, change_put(room, &c->lists.change[i])) < 0)
			return ANNEX_OK;
	room_cool(room); /* others may be shown otherwise */
	if (was_locked)
		unlock(c);
	if (c->in != NULL)
		muc_confirm(c->m, c->in);
	sight_again(room, &c->before.broadcast);
	for (size_t i = 0; i < c->lists.count; i++)
		change_tell(room, &c->lists.change[i], actor);
	if (c->after.moderated != c->before.moderated)
		voices_again(room);
	if (c->after.members_only && !c->before.members_only)
		put_out_strangers(room);
	if (!was_locked)
		tell_codes(c);
	room_settle(room);
	return ANNEX_OK;
}

static bool
configuring_read(struct configuring *c, const struct annex_element *x)
{
	struct annex_pool *pool = annex_scratch(c->m->inst);
	const char *type = annex_form_value(x, "FORM_TYPE"), *why = NULL;

	c->before = c->after = config_now(c->room);
	if (type != NULL && strcmp(type, NS_ROOMCONFIG) != 0)
		return fail(c, ANNEX_BAD_REQUEST, NULL);
	if (annex_form_read(&config_form, x, &c->after, NULL, pool, &why) < 0)
		return fail(c, ANNEX_BAD_REQUEST, why);
	return configuring_judge(c);
}

static enum annex_verdict
configure(
    struct muc *m, struct room *room, const struct annex_element *x, const struct annex_stanza *in)
{
	struct configuring c = { .m = m, .room = room, .in = in };

	if (configuring_read(&c, x) && configuring_apply(&c) == ANNEX_OK)
		return ANNEX_DONE;
	return muc_refuse_with(m, in, &c.error);
}

int
room_configure(struct room *room, const struct annex_element *x, struct annex_error *error_r)
{
	struct configuring c = { .m = room->muc, .room = room };

	if (configuring_read(&c, x) && configuring_apply(&c) == ANNEX_OK)
		return ANNEX_OK;
	*error_r = c.error;
	return ANNEX_EDENIED;
}

/* §10.1.3: who cancels the first form wants no room. */
static enum annex_verdict
cancel(struct muc *m, struct room *room, const struct annex_stanza *in)
{
	muc_confirm(m, in);
	if (room->locked)
		room_destroy(room, NULL);
	return ANNEX_DONE;
}

/* Of the room to go to instead. */
static const char *
password_of(const struct annex_element *destroy)
{
	const char *password = annex_child_text(destroy, NULL, "password");

	return password == NULL ? "" : password;
}

static enum annex_verdict
destroy_as_asked(struct muc *m, struct room *room, const struct annex_element *destroy,
    const struct annex_stanza *in)
{
	const char *instead = annex_attr(destroy, "jid");

	if (instead != NULL && annex_jid(in->pool, instead) == NULL)
		return muc_refuse(m, in, ANNEX_JID_MALFORMED, ANNEX_ERROR_MODIFY, NULL);
	if (!reason_fits(destroy) || strlen(password_of(destroy)) > REASON_MAX)
		return muc_refuse(
		    m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY, "The reason is too long.");
	room_destroy(room, destroy);
	return muc_confirm(m, in);
}

enum annex_verdict
muc_owner_set(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;
	struct room *room = room_of_owner(m, in, &verdict);
	const struct annex_element *destroy, *x;

	if (room == NULL)
		return verdict;
	if ((destroy = annex_child(in->payload, NS_OWNER, "destroy")) != NULL)
		return destroy_as_asked(m, room, destroy, in);
	if ((x = annex_child(in->payload, ANNEX_NS_FORM, "x")) == NULL)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	if (annex_form_is_cancelled(x))
		return cancel(m, room, in);
	return configure(m, room, x, in);
}
