/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * approve.c - who would be a member of a room for members, and who lets them
 * (XEP-0045 §9.9)
 *
 * A request is kept until an admin has decided, or the user is affiliated in some other
 * way.  Admins who are in get a form; where none is, it goes to their accounts; and who
 * comes in as an admin is shown what is undecided.  The one asked about is known
 * by the nickname, which nobody else can ask for meanwhile; and by the address in
 * the form, since the nickname may have become free and be asked for by another.
 */
#include <string.h>

#include "change.h"
#include "presence.h"
#include "register.h"

#define REQUESTS_MAX 100  /* of a room */
#define ADMINS_MAX 20     /* who are told at their accounts */
#define BARE_JID_MAX 2047 /* RFC 7622 §3.1 */

static const struct annex_field fields[] = {
	REGISTRATION_FIELDS,
	ANNEX_FIELD(struct registration, jid, "x-annex_jid", ANNEX_HIDDEN, "", .max = BARE_JID_MAX),
	REGISTRATION_FIELD(
	    allow, "allow", ANNEX_BOOLEAN, "Allow this person to register with the room?", ),
	{ 0 },
};

static const struct annex_form form = {
	.type = NS_MUC "#register",
	.title = "Registration request",
	.fields = fields,
};

/* --- Those that are kept ------------------------------------------------------------ */

static struct annex_iter
requests_of(const struct room *room)
{
	struct annex_key prefix = muc_key(TABLE_REQUESTS, room->id);

	return annex_iter(&prefix);
}

static const Muc__Request *
request_next(const struct room *room, struct annex_iter *it)
{
	return annex_next(room->muc->store, it) == ANNEX_AGAIN ? (const Muc__Request *)it->record
							       : NULL;
}

static bool
is_full(const struct room *room)
{
	struct annex_key prefix = muc_key(TABLE_REQUESTS, room->id);

	return annex_rows_upto(room->muc->store, &prefix, REQUESTS_MAX) == REQUESTS_MAX;
}

static const Muc__Request *
request_of(const struct room *room, const char *bare)
{
	struct annex_key key = muc_key_in(TABLE_REQUESTS, room->id, bare);
	ProtobufCMessage *record;

	return annex_get(room->muc->store, &key, &record) == ANNEX_OK ? (const Muc__Request *)record
								      : NULL;
}

/* They are few. */
static const Muc__Request *
request_by_nick(const struct room *room, const char *nick)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	const char *fold = nick_fold(pool, nick);
	struct annex_iter it = requests_of(room);
	const Muc__Request *r;

	while ((r = request_next(room, &it)) != NULL)
		if (strcmp(nick_fold(pool, r->nick), fold) == 0)
			return r;
	return NULL;
}

bool
request_has_nick(const struct room *room, const char *nick, const char *bare)
{
	const Muc__Request *r = request_by_nick(room, nick);

	return r != NULL && strcmp(r->jid, bare) != 0;
}

int
request_drop(struct room *room, const char *bare)
{
	struct annex_key key = muc_key_in(TABLE_REQUESTS, room->id, bare);

	if (!annex_has(room->muc->store, &key))
		return ANNEX_ENOENT;
	return annex_delete(room->muc->store, &key);
}

static int
request_put(struct room *room, const struct registration *asked, const char *nick, const char *bare)
{
	struct annex_key key = muc_key_in(TABLE_REQUESTS, room->id, bare);
	Muc__Request record = MUC__REQUEST__INIT;

	record.jid = record_text(bare);
	record.nick = record_text(nick);
	record.first = record_text(asked->first);
	record.last = record_text(asked->last);
	record.url = record_text(asked->url);
	record.email = record_text(asked->email);
	record.faq = (char **)(uintptr_t)asked->faq.value;
	record.n_faq = asked->faq.count;
	record.asked_ms = annex_wall_ms(room->muc->inst);
	return annex_put(room->muc->store, &key, &record.base);
}

/* --- Asking ------------------------------------------------------------------------- */

static int
form_send(struct room *room, const Muc__Request *r, const char *to)
{
	struct annex_form asking = form;
	const struct registration asked = { r->first, r->last, r->nick, r->url, r->email,
		{ (const char *const *)r->faq, r->n_faq }, r->jid, false };
	struct annex_stanza *out = annex_message(room->muc->inst, room->jid, to, NULL);

	asking.instructions =
	    annex_sprintf(out->pool, "%s would like to become a member of the room.", r->jid);
	annex_form_add(out->element, &asking, "form", &asked);
	annex_make_durable(out);
	return annex_send_on(room->muc->inst, room_flow(room), out);
}

struct telling {
	struct room *room;
	const Muc__Request *request;
	size_t told;
};

static bool
tell_account(void *cookie, const Muc__Affiliation *a)
{
	struct telling *t = cookie;

	if ((enum rank)a->rank >= RANK_ADMIN && form_send(t->room, t->request, a->jid) >= 0)
		t->told++;
	return t->told < ADMINS_MAX;
}

static void
admins_ask(struct room *room, const Muc__Request *r)
{
	struct telling t = { room, r, 0 };

	OCCUPANTS_EACH(room, o)
	SESSIONS_EACH(o, s)
	if (o->power >= RANK_ADMIN && form_send(room, r, s->jid) >= 0)
		t.told++;
	if (t.told == 0)
		affiliations_each(room, tell_account, &t);
}

enum annex_verdict
request_make(struct muc *m, struct room *room, const struct registration *asked, const char *nick,
    const struct annex_stanza *in)
{
	const char *bare = in->from->bare;
	const Muc__Request *r = request_of(room, bare);
	bool is_known = r != NULL, is_news = r == NULL || strcmp(r->nick, nick) != 0;

	if (!is_known && is_full(room))
		return muc_full(m, in);
	if (request_put(room, asked, nick, bare) < 0)
		return muc_full(m, in);
	muc_confirm(m, in);
	/* Under another nickname what admins have is of no use any more; and who asks too often waits
	 * until one comes in. */
	if (is_news && pace_invitations(m, in->from, 1) && (r = request_of(room, bare)) != NULL)
		admins_ask(room, r);
	return ANNEX_DONE;
}

void
requests_show(struct room *room, const struct session *to)
{
	struct annex_iter it;
	const Muc__Request *r;

	if (to->occupant->power < RANK_ADMIN || !room->config.members_only)
		return;
	it = requests_of(room);
	while ((r = request_next(room, &it)) != NULL)
		form_send(room, r, to->jid);
}

/* --- Deciding ----------------------------------------------------------------------- */

static enum annex_verdict
approve(struct muc *m, struct room *room, const Muc__Request *r, const struct session *by,
    const struct annex_stanza *in)
{
	const struct annex_jid *jid = annex_jid(in->pool, r->jid);
	const char *nick = annex_strdup(in->pool, r->nick);
	struct change c;

	if (jid == NULL)
		return muc_refuse(m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, NULL);
	if (nick_is_taken(room, nick, jid->bare))
		return muc_refuse(m, in, ANNEX_CONFLICT, ANNEX_ERROR_CANCEL,
		    "Somebody else has that nickname by now.");
	c = change_of_rank(room, jid, RANK_MEMBER);
	c.nick = nick;
	if (change_put(room, &c) < 0) /* the request goes with it */
		return muc_full(m, in);
	change_tell(room, &c, by == NULL ? NULL : by->occupant->nick);
	rename_registered(room, &c);
	return ANNEX_DONE;
}

enum annex_verdict
registration_judge(
    struct muc *m, struct room *room, const struct session *by, const struct annex_stanza *in)
{
	const struct annex_element *x = annex_form_find(in->element, NS_MUC "#register");
	struct registration f = { "", "", "", "", "", { NULL, 0 }, "", false };
	const Muc__Request *r;
	const char *why;

	if (power_of(room, in->from) < RANK_ADMIN)
		return muc_refuse(
		    m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, "That is for admins of the room.");
	if (annex_form_is_cancelled(x))
		return ANNEX_DONE;
	if (annex_form_read(&form, x, &f, NULL, in->pool, &why) < 0)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, why);
	r = request_by_nick(room, f.nick);
	if (r == NULL || (f.jid[0] != '\0' && strcmp(f.jid, r->jid) != 0))
		return muc_refuse(m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL,
		    "They do not ask for that nickname.");
	if (f.allow)
		return approve(m, room, r, by, in);
	return request_drop(room, r->jid) < 0 ? muc_full(m, in) : ANNEX_DONE;
}
