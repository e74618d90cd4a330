/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * presence.c - what contacts, and those who would be, tell us
 *
 * A table of types; each handler knows one row of RFC 6121 §3 and §4.  Servers
 * send subscription stanzas from full addresses as well (Prosody does, where a
 * contact is removed): they count for the bare one.
 */
#include <string.h>

#include <annex/datetime.h>

#include "contact.h"

static enum annex_decision
decide(struct annex_instance *inst, const struct annex_stanza *in, enum annex_wish wish,
    const char *preauth)
{
	const struct annex_contacts *ops = inst->module->contacts;
	const struct annex_request request = {
		.wish = wish,
		.me = annex_jid_bare(inst->scratch, in->to),
		.from = in->from,
		.preauth = preauth,
		.text = annex_child_text(in->element, NULL, "status"),
	};

	if (ops->decide != NULL)
		return ops->decide(inst, &request);
	return in->to->local == NULL ? ANNEX_ACCEPT : ANNEX_IGNORE;
}

/* The row of who sent this to which of our addresses; false where the store has failed. */
static bool
load(struct annex_instance *inst, const struct annex_stanza *in, contact_row **row_r)
{
	int r = contact_load(inst, in->to->bare, in->from->bare, row_r);

	return r == ANNEX_OK || r == ANNEX_ENOENT;
}

/* A full disk refuses growth: nothing is said, and their server asks again. */
static void
grown(struct annex_instance *inst, const contact_row *row, int status)
{
	if (status == ANNEX_EFULL)
		annex_log(inst, ANNEX_LOG_WARNING, "no room for a contact: me=%s contact=%s",
		    row->me, row->jid);
}

/* --- They want to see us -------------------------------------------------- */

static int
keep_pending(struct annex_instance *inst, contact_row *row, const struct annex_stanza *in,
    const char *preauth)
{
	const char *text = annex_child_text(in->element, NULL, "status");
	bool is_news = row->out != ANNEX_SUBSCRIBED_PENDING;
	int r;

	row->out = ANNEX_SUBSCRIBED_PENDING;
	row->gone_until_ms = 0;
	if (preauth != NULL && strlen(preauth) <= 1024)
		row->preauth = annex_strdup(inst->scratch, preauth);
	if (text != NULL)
		row->text = annex_strndup(inst->scratch, text, strnlen(text, 1024));
	if ((r = contact_put(inst, row)) < 0)
		return r;
	if (is_news)
		contact_tell(inst, row, ANNEX_CONTACT_OUT);
	return ANNEX_OK;
}

static void
refuse(struct annex_instance *inst, contact_row *row)
{
	bool was_pending = row->out == ANNEX_SUBSCRIBED_PENDING;

	if (was_pending) {
		row->out = ANNEX_SUBSCRIBED_NOT;
		contact_must(inst, contact_put(inst, row));
	}
	contact_say(inst, row, "unsubscribed", NULL);
	if (was_pending)
		contact_tell(inst, row, ANNEX_CONTACT_OUT);
}

static int
settle(struct annex_instance *inst, contact_row *row, const struct annex_stanza *in,
    enum annex_decision decision, const char *preauth)
{
	switch (decision) {
	case ANNEX_ACCEPT:
	case ANNEX_ACCEPT_AND_ASK:
		return contact_accept(inst, row, decision == ANNEX_ACCEPT_AND_ASK);
	case ANNEX_REFUSE:
		refuse(inst, row);
		return ANNEX_OK;
	case ANNEX_LATER:
		return keep_pending(inst, row, in, preauth);
	default:
		return ANNEX_OK;
	}
}

/*
 * Servers send it again: Prosody at each login until it is answered, and the answer may have
 * been lost while we were away (RFC 6121 §3.1.3).
 */
static void
on_subscribe(struct annex_instance *inst, const struct annex_stanza *in)
{
	const struct annex_element *pars = annex_child(in->element, NS_PARS, "preauth");
	const char *preauth = pars == NULL ? NULL : annex_attr(pars, "token");
	contact_row *row;

	if (!load(inst, in, &row))
		return;
	if (row->out == ANNEX_SUBSCRIBED) {
		contact_say(inst, row, "subscribed", NULL);
		contact_must(inst, show_all(inst, row, row->jid));
		return;
	}
	grown(inst, row,
	    row->approved
		? contact_accept(inst, row, false)
		: settle(inst, row, in, decide(inst, in, ANNEX_WISH_SUBSCRIBE, preauth), preauth));
}

/* Said again where it was said already: our answer may have been lost. Strangers are told nothing. */
static void
on_unsubscribe(struct annex_instance *inst, const struct annex_stanza *in)
{
	contact_row *row;

	if (contact_load(inst, in->to->bare, in->from->bare, &row) == ANNEX_OK)
		contact_must(inst, contact_dismiss(inst, row));
}

/* --- They answer us ------------------------------------------------------- */

/* At any time: a server answers by itself what its user has approved in advance (§3.4). */
static void
on_subscribed(struct annex_instance *inst, const struct annex_stanza *in)
{
	contact_row *row;

	if (contact_load(inst, in->to->bare, in->from->bare, &row) != ANNEX_OK ||
	    row->in == ANNEX_SUBSCRIBED)
		return;
	row->in = ANNEX_SUBSCRIBED;
	if (contact_must(inst, contact_put(inst, row)) >= 0)
		contact_tell(inst, row, ANNEX_CONTACT_IN);
}

/* It ends what we see, and nothing of what we show. */
static void
on_unsubscribed(struct annex_instance *inst, const struct annex_stanza *in)
{
	contact_row *row;

	if (contact_load(inst, in->to->bare, in->from->bare, &row) == ANNEX_OK &&
	    row->in != ANNEX_SUBSCRIBED_NOT)
		contact_must(inst, contact_lose(inst, row));
}

/* --- They look -------------------------------------------------------------- */

/* Whoever logs in first has then been shown what is set now: nothing is left to be sent. */
static int
answer_probe(struct annex_instance *inst, contact_row *row, const struct annex_jid *from)
{
	int r;

	contact_was_heard(inst, row);
	if ((r = show_all(inst, row, from->full)) < 0)
		return r;
	if (row->in == ANNEX_SUBSCRIBED && online_is_alone(inst, row->me, from))
		r = show_note(inst, row);
	return r;
}

/* Answered once, to whoever asks, with what is meant for the bare address (§4.3). */
static void
on_probe(struct annex_instance *inst, const struct annex_stanza *in)
{
	contact_row *row;
	const char *who = annex_sprintf(inst->scratch, "%s %s", in->to->bare, in->from->bare);

	if (!annex_buckets_take(inst->contacts->probes, who, 1, annex_now_ms(inst)) ||
	    !load(inst, in, &row))
		return;
	if (row->out == ANNEX_SUBSCRIBED)
		contact_must(inst, answer_probe(inst, row, in->from));
	else if (row->gone_until_ms > annex_wall_ms(inst))
		contact_say(inst, row, "unsubscribed", NULL);
	else if (row->out != ANNEX_SUBSCRIBED_PENDING)
		grown(inst, row,
		    settle(inst, row, in, decide(inst, in, ANNEX_WISH_PROBE, NULL), NULL));
}

/* --- They come and go -------------------------------------------------------- */

#define SKEW_MS 10000 /* of the server's clock */

/*
 * Whoever logged in while we were away asked in vain, and nobody asks again.  The answer to our
 * probe says when that was (XEP-0203); a login that happens now says nothing of the kind, and
 * probes.
 */
static bool
was_missed(struct annex_instance *inst, const struct annex_stanza *in)
{
	int64_t since_ms;

	return !inst->contacts->known &&
	    annex_delay_read(in->element, NULL, &since_ms) == ANNEX_OK &&
	    since_ms > batch_alive_ms(inst) - SKEW_MS &&
	    !online_has(inst, in->to->bare, in->from, true);
}

static void
on_available(struct annex_instance *inst, const struct annex_stanza *in)
{
	contact_row *row;
	bool is_known;

	if (privilege_presence(inst, in) || !load(inst, in, &row))
		return;
	if (row->in == ANNEX_SUBSCRIBED) {
		contact_was_heard(inst, row);
		if (row->out == ANNEX_SUBSCRIBED && was_missed(inst, in))
			contact_must(inst, show_all(inst, row, in->from->full));
		if (online_set(inst, row->me, in, false))
			contact_tell(inst, row, ANNEX_CONTACT_PRESENCE);
		return;
	}
	if (annex_child(in->element, NS_MUC, "x") != NULL) { /* no room is here */
		annex_refuse(inst, in, ANNEX_SERVICE_UNAVAILABLE, NULL);
		return;
	}
	is_known = online_has(inst, row->me, in->from, false);
	if (!is_known && row->out != ANNEX_SUBSCRIBED) {
		enum annex_decision d = decide(inst, in, ANNEX_WISH_DIRECTED, NULL);

		if (d != ANNEX_ACCEPT && d != ANNEX_ACCEPT_AND_ASK)
			return;
	}
	if (online_set(inst, row->me, in, true))
		contact_tell(inst, row, ANNEX_CONTACT_PRESENCE);
	if (!is_known && row->out != ANNEX_SUBSCRIBED)
		contact_must(inst, show_all(inst, row, in->from->full));
}

/*
 * From a bare address: all of it; or, right after our "subscribe", Prosody's way to say that it
 * was received: then nobody is there to go.
 */
static void
on_unavailable(struct annex_instance *inst, const struct annex_stanza *in)
{
	contact_row *row;

	if (privilege_presence(inst, in) || !load(inst, in, &row))
		return;
	if (row->in == ANNEX_SUBSCRIBED)
		contact_was_heard(inst, row);
	if (online_remove(inst, row->me, in->from))
		contact_tell(inst, row, ANNEX_CONTACT_PRESENCE);
}

static const struct presence_type {
	const char *type; /* NULL: available */
	void (*handle)(struct annex_instance *inst, const struct annex_stanza *in);
} presence_types[] = {
	{ "subscribe", on_subscribe },
	{ "unsubscribe", on_unsubscribe },
	{ "subscribed", on_subscribed },
	{ "unsubscribed", on_unsubscribed },
	{ "probe", on_probe },
	{ "unavailable", on_unavailable },
	{ NULL, on_available },
};

enum annex_verdict
contact_presence(struct annex_instance *inst, const struct annex_stanza *in)
{
	if (inst->module->contacts == NULL)
		return ANNEX_PASS;
	for (size_t i = 0; i < sizeof(presence_types) / sizeof(*presence_types); i++) {
		const char *type = presence_types[i].type;

		if (type == in->type ||
		    (type != NULL && in->type != NULL && strcmp(type, in->type) == 0)) {
			presence_types[i].handle(inst, in);
			return ANNEX_DONE;
		}
	}
	return ANNEX_PASS;
}

enum annex_verdict
contact_presence_error(struct annex_instance *inst, const struct annex_stanza *in)
{
	if (inst->module->contacts == NULL)
		return ANNEX_PASS;
	contact_failed(inst, in);
	return ANNEX_DONE;
}
