/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * verbs.c - the verbs of the grammar, and what each does
 */
#include <inttypes.h>
#include <string.h>

#include "action.h"

#define KEY(name_, type_, member_, ...)                                                       \
	{                                                                                     \
		.name = (name_), .type = (type_), .offset = offsetof(struct action, member_), \
		__VA_ARGS__                                                                   \
	}

/* --- hello, ack --------------------------------------------------------------- */

static const struct key hello_keys[] = {
	KEY("hello", KEY_NUMBER, hello, .required = true),
	KEY("ack", KEY_TEXT, ack),
	KEY("resource", KEY_TEXT, resource),
	{ 0 },
};

static int
judge_hello(struct action *a)
{
	static const char *const modes[] = { "reply", "explicit", "auto", NULL };

	if (a->hello != 1)
		return action_wrong(
		    a, "bad-json", "version 1 is spoken here, not %" PRId64, a->hello);
	for (int i = 0; a->ack != NULL; i++) {
		if (modes[i] == NULL)
			return action_wrong(
			    a, "bad-json", "\"ack\" must be reply, explicit or auto");
		if (strcmp(modes[i], a->ack) == 0)
			break;
	}
	return ANNEX_OK;
}

static int
run_hello(struct action *a)
{
	struct consumer *c = a->consumer;

	if (a->ack != NULL)
		c->ack = a->ack[0] == 'e' ? ACK_EXPLICIT : a->ack[0] == 'a' ? ACK_AUTO : ACK_REPLY;
	if (a->resource != NULL)
		c->name = annex_strdup(c->pool, a->resource);
	return ANNEX_OK;
}

static const struct key ack_keys[] = {
	KEY("ack", KEY_NUMBER, seq, .required = true),
	{ 0 },
};

static int
run_ack(struct action *a)
{
	consumer_ack(a->consumer, (uint64_t)a->seq);
	return ANNEX_OK;
}

/* --- reply ------------------------------------------------------------------------ */

static const struct key reply_keys[] = {
	KEY("reply", KEY_NUMBER, seq, .required = true),
	KEY("body", KEY_TEXT, body, .required = true),
	KEY("more", KEY_TRUTH, more),
	{ 0 },
};

static int
judge_reply(struct action *a)
{
	a->event = event_find(a->consumer, (uint64_t)a->seq);
	if (a->event == NULL)
		return action_wrong(
		    a, "item-not-found", "event %" PRId64 " does not wait for an answer", a->seq);
	return ANNEX_OK;
}

static int
run_reply(struct action *a)
{
	struct event *ev = a->event;
	int r;

	if ((r = reply_text(ev, a->body)) < 0)
		return r;
	a->state = "queued";
	if (ev->consumer == NULL)
		return ANNEX_OK;
	if (a->more || a->consumer->ack == ACK_EXPLICIT)
		return event_note_replies(ev);
	consumer_ack(a->consumer, ev->seq);
	return ANNEX_OK;
}

/* --- to: a message of its own ----------------------------------------------------------- */

static const struct key send_keys[] = {
	KEY("to", KEY_JID, to, .required = true),
	KEY("body", KEY_TEXT, body, .required = true),
	KEY("type", KEY_TEXT, type),
	KEY("subject", KEY_TEXT, subject),
	KEY("thread", KEY_TEXT, thread),
	KEY("key", KEY_TEXT, key),
	{ 0 },
};

/* A verb is known by its key; the first of these that an action has is its verb. */
const struct verb verbs[] = {
	{ "hello", hello_keys, judge_hello, run_hello },
	{ "reply", reply_keys, judge_reply, run_reply },
	{ "to", send_keys, judge_send, run_send },
	{ "ack", ack_keys, NULL, run_ack },
	{ 0 },
};
