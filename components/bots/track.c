/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * track.c - what became of a message
 *
 *	queued ─▶ sent ─▶ delivered ─▶ displayed
 *	    └─▶ expired, dropped  └─▶ bounced
 *
 * Sent means routed by the server (a fence has returned); delivered is the word
 * of a client (XEP-0184), displayed that of its user (XEP-0333).  Only messages
 * that were given an id or a key are tracked, for a day, which is
 * also how long a key is known.
 */
#include <string.h>

#include "action.h"
#include "http.h"

const char *const send_states[] = { "queued", "sent", "delivered", "displayed", "bounced",
	"expired", "dropped", NULL };

static int
put(const struct bot *bot, const Bots__Send *send)
{
	struct annex_key key = bots_key_in(TABLE_SENDS, bot->name, send->id);
	int r = annex_put(bot->bots->store, &key, &send->base);

	if (r < 0 || *send->key == '\0')
		return r;
	key = bots_key_in(TABLE_KEYS, bot->name, send->key);
	return bots_must(bot->bots, annex_put(bot->bots->store, &key, &send->base));
}

const Bots__Send *
send_by_id(const struct bot *bot, const char *id)
{
	struct annex_key key = bots_key_in(TABLE_SENDS, bot->name, id);
	ProtobufCMessage *record;

	return annex_get(bot->bots->store, &key, &record) < 0 ? NULL : (const Bots__Send *)record;
}

const Bots__Send *
send_by_key(const struct bot *bot, const char *name)
{
	struct annex_key key = bots_key_in(TABLE_KEYS, bot->name, name);
	ProtobufCMessage *record;

	if (annex_get(bot->bots->store, &key, &record) < 0)
		return NULL;
	return send_by_id(bot, ((const Bots__Send *)record)->id);
}

int
send_track(const struct bot *bot, const char *id, const char *key, const char *to, const char *type)
{
	struct annex_instance *inst = bot->bots->inst;
	Bots__Send send = BOTS__SEND__INIT;

	send.id = (char *)(uintptr_t)id;
	send.key = (char *)(uintptr_t)(key != NULL ? key : "");
	send.to = (char *)(uintptr_t)to;
	send.type = (char *)(uintptr_t)(type != NULL ? type : "");
	send.made_ms = annex_wall_ms(inst);
	tidy_later(bot->bots);
	return put(bot, &send);
}

static int
tell(struct bot *bot, const Bots__Send *send, const char *why)
{
	struct annex_instance *inst = bot->bots->inst;
	const struct annex_jid *to = annex_jid(annex_scratch(inst), send->to);
	struct event *ev;
	struct text t;
	int r;

	if (!bot_wants(bot, "receipt") || to == NULL)
		return ANNEX_OK;
	if ((r = event_make(bot, "receipt", to, &ev)) < 0)
		return bots_must(bot->bots, r);
	t = event_begin(ev);
	text_member(&t, "id", send->id);
	text_member(&t, "key", *send->key == '\0' ? NULL : send->key);
	text_member(&t, "state", send_states[send->state]);
	text_member(&t, "why", why);
	event_end(ev, &t);
	return event_offer(ev);
}

/* It only goes forward; the last four are the end. */
void
send_reached(struct bot *bot, const char *id, enum send_state state, const char *why)
{
	const Bots__Send *known = send_by_id(bot, id);
	Bots__Send send;

	if (known == NULL || known->state >= (uint32_t)state || known->state >= SEND_BOUNCED)
		return;
	send = *known;
	send.state = state;
	if (bots_must(bot->bots, put(bot, &send)) < 0)
		return;
	http_reached(bot, id);
	tell(bot, &send, why);
}

/* --- Words of clients ----------------------------------------------------------- */

/* Only its reader says what became of a message: others may have guessed its id. */
static void
reader_says(struct bot *bot, const struct annex_stanza *in, const char *id, enum send_state state,
    const char *why)
{
	const Bots__Send *send = id == NULL ? NULL : send_by_id(bot, id);
	const struct annex_jid *to =
	    send == NULL ? NULL : annex_jid(annex_scratch(bot->bots->inst), send->to);

	if (to != NULL && strcmp(to->bare, in->from->bare) == 0)
		send_reached(bot, id, state, why);
}

bool
track_message(struct bot *bot, const struct annex_stanza *in)
{
	const struct annex_element *received = annex_child(in->element, NS_RECEIPTS, "received");
	const struct annex_element *displayed = annex_child(in->element, NS_MARKERS, "displayed");

	if (received != NULL)
		reader_says(bot, in, annex_attr(received, "id"), SEND_DELIVERED, NULL);
	if (displayed != NULL)
		reader_says(bot, in, annex_attr(displayed, "id"), SEND_DISPLAYED, NULL);
	return received != NULL || displayed != NULL;
}

enum annex_verdict
bots_message_error(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(annex_state(inst), in->to->local);
	struct annex_error error = annex_error_read(in->element);

	if (bot == NULL || in->id == NULL)
		return ANNEX_DONE;
	rooms_bounced(bot, in, &error);
	reader_says(bot, in, in->id, SEND_BOUNCED, annex_condition_name(error.condition));
	return ANNEX_DONE;
}
