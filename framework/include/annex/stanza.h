/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * stanza.h - what comes in, what goes out
 */
#ifndef ANNEX_STANZA_H
#define ANNEX_STANZA_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/element.h>
#include <annex/error.h>
#include <annex/jid.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_instance;
struct annex_flow;

/* IQ results and errors are no kind: they go to whoever asked (iq.h). */
enum annex_kind {
	ANNEX_MESSAGE = 1, /* any type but error */
	ANNEX_PRESENCE,    /* any type but error */
	ANNEX_IQ_GET,
	ANNEX_IQ_SET,
	ANNEX_MESSAGE_ERROR, /* a bounce: never answer it */
	ANNEX_PRESENCE_ERROR,
};

/* What a handler did with a stanza. */
enum annex_verdict {
	ANNEX_DONE, /* handled; an IQ has had its one answer */
	ANNEX_PASS, /* not mine: try the next route */
	ANNEX_HELD, /* an IQ: taken with annex_hold(), answered later */
};

/*
 * A stanza.  One that came in has been checked before a component sees it:
 * from and to are JIDs, to is in the instance's domain, an IQ has an id and
 * exactly one payload.  It is borrowed: gone when the handler returns.  One
 * that goes out is built in the scratch pool; its addresses are attributes
 * of element, and from and to are NULL.
 */
struct annex_stanza {
	enum annex_kind kind;
	struct annex_element *element;
	const struct annex_jid *from, *to;
	const char *id;                /* NULL where there is none */
	const char *type;              /* as written: "chat", "subscribe"; NULL where absent */
	struct annex_element *payload; /* what the route matched: for an IQ its only child */
	struct annex_pool *pool;
};

/*
 * Build.  from NULL: the domain itself; the scratch pool owns the result until the
 * callback returns.  id: messages and presence get one of their own when
 * sent without.
 */
struct annex_stanza *
annex_message(struct annex_instance *inst, const char *from, const char *to, const char *type);
struct annex_stanza *
annex_presence(struct annex_instance *inst, const char *from, const char *to, const char *type);

/* The answer to in: addresses swapped, id and (for messages) type and thread kept; an IQ becomes its
 * result. */
struct annex_stanza *annex_reply(struct annex_instance *inst, const struct annex_stanza *in);

/* Append copies of all that is in in, and take over the language it is in. */
void annex_copy_children(struct annex_stanza *out, const struct annex_stanza *in);

/*
 * Send when this turn's changes are on disk; nothing leaves before, and nothing at all where
 * the turn fails.  Refused, counted and logged with the component's name
 * (ANNEX_EINVAL) where from is not in the domain, to is missing or not a JID, a
 * character is not XML's, or it is too large; ANNEX_ELIMIT above the hard mark of the
 * queue.  The return value may be ignored: an IQ still gets its one answer.
 *
 * annex_send is flow 0; annex_send_on keeps order with the other stanzas of that flow (flow.h).
 */
int annex_send(struct annex_instance *inst, struct annex_stanza *out);
/* Bytes of the largest stanza that may be sent: for who keeps what it says, and must be able to. */
size_t annex_send_max(const struct annex_instance *inst);
int annex_send_on(struct annex_instance *inst, struct annex_flow *flow, struct annex_stanza *out);

/*
 * Survive the loss of the link: sent again, under the same id and with a delay stamp (XEP-0203)
 * where it is a message, until fenced.  Answers and errors always do; presence and questions never
 * do.
 */
void annex_make_durable(struct annex_stanza *out);

/*
 * Go with the link, as presence does, instead of waiting for the next one: for a component that
 * knows what was lost with a link, and tells it anew in link_up.
 */
void annex_make_fleeting(struct annex_stanza *out);

/*
 * Refuse a stanza with an error and say ANNEX_DONE: "return annex_refuse(...)".
 * For a presence or message as well as an IQ; an error is never answered
 * with an error: then nothing is sent.  text may be NULL.
 */
enum annex_verdict annex_refuse(struct annex_instance *inst, const struct annex_stanza *in,
    enum annex_condition condition, const char *text);
enum annex_verdict annex_refuse_with(
    struct annex_instance *inst, const struct annex_stanza *in, const struct annex_error *error);

/* Answer an IQ with an empty result and say ANNEX_DONE. */
enum annex_verdict annex_confirm(struct annex_instance *inst, const struct annex_stanza *in);

#pragma GCC visibility pop

#endif /* ANNEX_STANZA_H */
