/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * private.c - from one occupant to another: messages (XEP-0045 §7.5), IQs
 * (§17.4), and the self-ping (XEP-0410)
 *
 * An IQ is asked anew in the name of the occupant and its answer handed back,
 * so that neither side learns the other's address.  What concerns an account
 * goes to the account, all else to the client whose presence is shown.
 */
#include <string.h>

#include <annex/caps.h>
#include <annex/iq.h>

#include "routed.h"

#define NS_PING "urn:xmpp:ping"

/* --- Messages ----------------------------------------------------------------- */

/* muc#roomconfig_allowpm. */
static bool
may_write(const struct occupant *from)
{
	const char *who = from->room->config.allow_pm;

	if (strcmp(who, "anyone") == 0)
		return true;
	if (strcmp(who, "participants") == 0)
		return from->role >= ROLE_PARTICIPANT;
	return strcmp(who, "moderators") == 0 && from->role == ROLE_MODERATOR;
}

/* RFC 6121 §5.2.2: one that there is not is that of a normal message. */
static const char *
type_of(const struct annex_stanza *in)
{
	static const char *const types[] = { "chat", "headline", "normal" };

	for (size_t i = 0; in->type != NULL && i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(in->type, types[i]) == 0)
			return types[i];
	return NULL;
}

enum annex_verdict
private_message(struct muc *m, struct session *from, const struct annex_stanza *in)
{
	struct occupant *by = from->occupant, *to = occupant_find(by->room, in->to->resource);
	struct annex_stanza *out;
	struct annex_fanout *fan;
	int variant;

	if (to == NULL)
		return muc_refuse(m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL,
		    "Nobody of that name is in the room.");
	if (!may_write(by))
		return muc_refuse(m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH,
		    "Private messages are not allowed here.");
	out = annex_message(m->inst, by->jid, NULL, type_of(in));
	annex_attr_set(out->element, "id", in->id);
	add_language(out->element, in->element);
	add_safely(out->element, in->element, by->room);
	annex_add(out->element, NS_USER, "x");
	annex_attr_set(annex_add(out->element, NS_OCCUPANT, "occupant-id"), "id",
	    occupant_id(by->room, out->pool, by->bare));
	annex_make_fleeting(out);
	fan = annex_fanout(m->inst);
	if ((variant = annex_fanout_variant(fan, out)) < 0)
		return muc_refuse(
		    m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY, "That is too long.");
	if (unrouted_private(from, to, out->element) < 0)
		return muc_full(m, in);
	SESSIONS_EACH(to, s)
	if (annex_fanout_add(fan, variant, s->jid, NULL) < 0)
		return ANNEX_DONE;
	room_sent(by->room, annex_fanout_send(fan, room_flow(by->room)));
	return ANNEX_DONE;
}

/* --- IQs ------------------------------------------------------------------------ */

static const char *const of_accounts[] = {
	"vcard-temp",
	"urn:ietf:params:xml:ns:vcard-4.0",
	"http://jabber.org/protocol/pubsub",
	NULL,
};

static bool
is_of_account(const struct annex_element *payload)
{
	for (size_t i = 0; of_accounts[i] != NULL; i++)
		if (strcmp(payload->ns, of_accounts[i]) == 0)
			return true;
	return false;
}

static void
answered(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t cookie_len)
{
	struct annex_error error = { .condition = ANNEX_REMOTE_SERVER_TIMEOUT };
	const struct annex_error too_long = { .condition = ANNEX_POLICY_VIOLATION };
	struct annex_stanza *out;
	annex_hold_t hold;

	memcpy(&hold, cookie, cookie_len);
	if (status != ANNEX_OK) {
		if (answer != NULL)
			error = annex_error_read(answer->element);
		if (error.condition == 0)
			error.condition = ANNEX_UNDEFINED_CONDITION;
		error.by = NULL; /* it may be a real address */
		annex_refuse_held(inst, hold, &error);
		return;
	}
	if ((out = annex_release(inst, hold)) == NULL)
		return;
	annex_add_copies(out->element, answer->element);
	if (annex_send(inst, out) < 0) /* it has grown too long */
		annex_refuse_held(inst, hold, &too_long);
}

static enum annex_verdict
forward(struct muc *m, struct session *from, struct occupant *to, const struct annex_stanza *in)
{
	const char *address = is_of_account(in->payload) ? to->bare : to->shown->jid;
	struct annex_stanza *out = annex_iq(m->inst, from->occupant->jid, address, in->type);
	annex_hold_t hold;
	enum annex_verdict verdict;

	verdict = annex_hold(m->inst, in, &hold);
	if (hold == 0)
		return verdict;
	annex_add_copy(out->element, in->payload);
	if (annex_ask(m->inst, out, 0, answered, &hold, sizeof(hold)) < 0) {
		const struct annex_error error = { .condition = ANNEX_RESOURCE_CONSTRAINT };

		annex_refuse_held(m->inst, hold, &error);
	}
	return verdict;
}

static bool
is_disco(const struct annex_element *payload)
{
	return strcmp(payload->ns, ANNEX_NS_DISCO_INFO) == 0 ||
	    strcmp(payload->ns, ANNEX_NS_DISCO_ITEMS) == 0;
}

/* §6.6: outsiders learn nothing of occupants; XEP-0410 §3: who is not in is told so. */
static enum annex_verdict
refuse_outsider(struct muc *m, const struct annex_stanza *in)
{
	if (is_disco(in->payload))
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	return muc_refuse(
	    m, in, ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_CANCEL, "You are not in the room.");
}

enum annex_verdict
muc_iq_occupant(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	struct occupant *to;
	struct session *s;
	struct room *room;

	if (in->to->local == NULL || in->to->resource == NULL)
		return ANNEX_PASS;
	room = room_find(m, in->to->local);
	/* XEP-0410 §3.3: "not found" would mean that they are in, under another nickname. */
	if ((room == NULL || room->gone) && !annex_is(in->payload, NS_PING, "ping"))
		return muc_refuse(m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, NULL);
	if (room == NULL || room->gone)
		return refuse_outsider(m, in);
	if ((s = session_find(room, in->from->full)) == NULL)
		return refuse_outsider(m, in);
	session_prove(s);
	if ((to = occupant_find(room, in->to->resource)) == NULL)
		return muc_refuse(m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, NULL);
	if (to == s->occupant && annex_is(in->payload, NS_PING, "ping"))
		return muc_confirm(m, in);
	if (!room->config.queries && to != s->occupant)
		return muc_refuse(m, in, ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL,
		    "Nobody asks somebody else's client in this room.");
	return forward(m, s, to, in);
}

/* --- The room itself -------------------------------------------------------------- */

/* §7.2.10: until it is configured a room is there for its owners alone. */
static bool
is_at_home(const struct room *room, const struct annex_stanza *in)
{
	return power_of(room, in->from) == RANK_OWNER || session_find(room, in->from->full) != NULL;
}

struct room *
room_of_iq(struct muc *m, const struct annex_stanza *in, enum annex_verdict *verdict_r)
{
	struct room *room;

	if (in->to->local == NULL) {
		*verdict_r = ANNEX_PASS;
		return NULL;
	}
	room = room_find(m, in->to->local);
	if (room != NULL && !room->gone && (!room->locked || is_at_home(room, in)))
		return room;
	*verdict_r =
	    muc_refuse(m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, "There is no such room.");
	return NULL;
}

/* What no other route took. */
enum annex_verdict
muc_iq_room(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;

	annex_use_flow(inst, muc_flow(m, in)); /* of what the framework answers, too */
	if (is_disco(in->payload) || room_of_iq(m, in, &verdict) == NULL)
		return is_disco(in->payload) ? ANNEX_PASS : verdict;
	if (in->kind == ANNEX_IQ_GET && annex_is(in->payload, NS_PING, "ping"))
		return muc_confirm(m, in);
	return ANNEX_PASS;
}
