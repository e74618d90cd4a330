/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * verbs.c - the verbs of the grammar, and their keys
 *
 * schemas/bots/lines.json says the same for other programs to check against.
 */
#include <inttypes.h>
#include <string.h>

#include "command.h"

#define KEY(name_, type_, member_, ...)                                                       \
	{                                                                                     \
		.name = (name_), .type = (type_), .offset = offsetof(struct action, member_), \
		__VA_ARGS__                                                                   \
	}

static const char *const ack_modes[] = { "reply", "explicit", "auto", NULL };
static const char *const types[] = { "normal", "chat", "headline", "groupchat", NULL };
static const char *const talks[] = { "chat", "groupchat", NULL }; /* XEP-0444 §4 */
static const char *const whens[] = { "now", "online", "available", "active", NULL };

/* --- hello, ack --------------------------------------------------------------- */

static const struct key hello_keys[] = {
	KEY("hello", KEY_NUMBER, hello, .required = true),
	KEY("bot", KEY_TEXT, bot_name),
	KEY("ack", KEY_TEXT, ack, .choices = ack_modes),
	KEY("resource", KEY_TEXT, resource),
	KEY("presence", KEY_TRUTH, seen),
	KEY("standby", KEY_TRUTH, standby),
	KEY("commands", KEY_ANY, commands),
	{ 0 },
};

/* A presence of its own has a name of its own: "bot" is the bot's. */
static int
judge_resource(struct action *a)
{
	const char *jid =
	    annex_sprintf(a->pool, "%s/%s", a->bot->jid, a->resource != NULL ? a->resource : "");
	const struct annex_jid *place = annex_jid(a->pool, jid);

	if (!a->seen)
		return ANNEX_OK;
	if (place == NULL || place->resource == NULL || strcmp(place->full, a->bot->full) == 0)
		return action_wrong(a, "bad-json",
		    "with \"presence\" there is a \"resource\", which is not \"bot\"");
	a->resource = place->resource;
	return ANNEX_OK;
}

static int
judge_hello(struct action *a)
{
	struct commands commands;
	const char *why;

	if (a->hello != 1)
		return action_wrong(
		    a, "bad-json", "version 1 is spoken here, not %" PRId64, a->hello);
	if (a->commands != NULL && commands_read(a->commands, a->pool, &commands, &why) < 0)
		return action_wrong(a, "bad-json", "%s", why);
	return judge_resource(a);
}

static int
run_hello(struct action *a)
{
	struct consumer *c = a->consumer;

	if (a->ack != NULL)
		c->ack = a->ack[0] == 'e' ? ACK_EXPLICIT : a->ack[0] == 'a' ? ACK_AUTO : ACK_REPLY;
	if (a->commands != NULL && commands_keep(a->bot, a->commands) < 0)
		return ANNEX_EFULL;
	if (a->commands != NULL)
		annex_contacts_touch(a->bot->bots->inst, a->bot->jid);
	if (c->attached)
		hide_program(c);
	c->seen = a->seen;
	consumer_name(c, a->resource != NULL ? a->resource : "", a->standby);
	show_program(c);
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
	KEY("body", KEY_TEXT, body),
	KEY("note", KEY_TEXT, body),
	KEY("table", KEY_ANY, table),
	KEY("form", KEY_ANY, form),
	KEY("reactions", KEY_ANY, reactions),
	KEY("more", KEY_TRUTH, more),
	KEY("later", KEY_TRUTH, later),
	KEY("quote", KEY_TRUTH, quote),
	{ 0 },
};

static int
judge_form(struct action *a)
{
	struct form form;
	const char *why;

	if (!json_is_object(a->form))
		return action_wrong(a, "bad-json", "\"form\" must be an object");
	if (strcmp(a->event->kind, "command") != 0 || a->table != NULL || a->later)
		return action_wrong(
		    a, "bad-json", "\"form\" answers a command, and has no \"table\" beside it");
	if (form_read(a->form, a->pool, &form, &why) < 0)
		return action_wrong(a, "bad-json", "%s", why);
	return ANNEX_OK;
}

static int
judge_reply(struct action *a)
{
	if (a->body == NULL && a->table == NULL && a->form == NULL && a->reactions == NULL &&
	    !a->later)
		return action_wrong(a, "bad-json", "\"reply\" has no \"body\"");
	if (a->table != NULL && !table_is_one(a->table))
		return action_wrong(a, "bad-json",
		    "\"table\" has \"fields\", a list of texts, and \"rows\", lists as long");
	a->event = event_find(a->consumer, (uint64_t)a->seq);
	if (a->event == NULL)
		return action_wrong(
		    a, "item-not-found", "event %" PRId64 " does not wait for an answer", a->seq);
	if (a->reactions != NULL && a->event->id == NULL)
		return action_wrong(a, "item-not-found",
		    "what event %" PRId64 " is of has no id to react to", a->seq);
	if (a->reactions != NULL && judge_reactions(a) < 0)
		return ANNEX_EINVAL;
	return a->form != NULL ? judge_form(a) : ANNEX_OK;
}

static int
run_reply(struct action *a)
{
	/* Found anew: what came before it in a transaction may have ended it. */
	struct event *ev = event_find(a->consumer, (uint64_t)a->seq);
	int r = ANNEX_OK;

	if (ev == NULL) {
		a->state = send_states[SEND_DROPPED];
		return ANNEX_OK;
	}
	ev->quoted = a->quote;
	if (a->reactions != NULL)
		r = bots_must(a->bot->bots, reply_reactions(ev, a->reactions));
	if (r >= 0 && a->table != NULL)
		r = reply_table(ev, a->table, a->body);
	if (r >= 0 && a->form != NULL)
		r = reply_form(ev, a->form, a->body);
	else if (r >= 0 && a->body != NULL && a->table == NULL) {
		a->stanza_id = ev->id != NULL ? reply_id(ev) : NULL;
		r = reply_text(ev, a->body);
	}
	if (r < 0)
		return r;
	a->state = "queued";
	if (a->later && (r = event_later(ev)) < 0)
		return r;
	if (ev->consumer == NULL)
		return a->later || a->more ? ANNEX_OK : event_answered(ev);
	if (a->more || a->consumer->ack == ACK_EXPLICIT || ev->consumer != a->consumer)
		return event_note(ev);
	consumer_ack(a->consumer, ev->seq);
	return ANNEX_OK;
}

/* --- contacts ------------------------------------------------------------------------ */

static const struct key get_keys[] = {
	KEY("get", KEY_TEXT, get, .required = true),
	KEY("online", KEY_TRUTH, more),
	KEY("of", KEY_JID, to),
	{ 0 },
};

static const struct key contact_keys[] = {
	KEY("contact", KEY_JID, to, .required = true),
	KEY("groups", KEY_ANY, groups),
	KEY("allow", KEY_TRUTH, more),
	KEY("deny", KEY_TRUTH, clear),
	KEY("invite", KEY_TRUTH, later),
	KEY("ban", KEY_TRUTH, ban),
	KEY("unban", KEY_TRUTH, unban),
	KEY("why", KEY_TEXT, note),
	{ 0 },
};

/* --- The others' keys -------------------------------------------------------------------- */

static const struct key send_keys[] = {
	KEY("to", KEY_JID, to, .required = true),
	KEY("body", KEY_TEXT, body, .required = true),
	KEY("type", KEY_TEXT, type, .choices = types),
	KEY("subject", KEY_TEXT, subject),
	KEY("thread", KEY_TEXT, thread),
	KEY("key", KEY_TEXT, key),
	KEY("when", KEY_TEXT, when, .choices = whens),
	KEY("ttl", KEY_TIME, ttl_ms),
	KEY("collapse", KEY_TEXT, collapse),
	KEY("else", KEY_TEXT, otherwise),
	KEY("atom", KEY_ANY, atom),
	KEY("hints", KEY_ANY, hints),
	KEY("xml", KEY_TEXT, xml),
	KEY("reach", KEY_TEXT, reach, .choices = bot_reaches),
	{ 0 },
};
static const struct key file_keys[] = {
	KEY("file", KEY_TEXT, file, .required = true),
	KEY("to", KEY_JID, to, .required = true),
	KEY("text", KEY_TEXT, text),
	KEY("data", KEY_TEXT, data),
	KEY("path", KEY_TEXT, path),
	KEY("mime", KEY_TEXT, mime),
	KEY("link", KEY_TEXT, link),
	KEY("body", KEY_TEXT, body),
	KEY("key", KEY_TEXT, key),
	{ 0 },
};
static const struct key presence_keys[] = {
	KEY("kind", KEY_TEXT, kind, .required = true),
	KEY("to", KEY_TEXT, whom),
	KEY("group", KEY_TEXT, group),
	KEY("show", KEY_TEXT, show, .choices = bot_shows),
	KEY("status", KEY_TEXT, status),
	KEY("avatar", KEY_TEXT, avatar),
	KEY("for", KEY_TIME, for_ms),
	KEY("clear", KEY_TRUTH, clear),
	{ 0 },
};
static const struct key ask_keys[] = {
	KEY("ask", KEY_TEXT, ask, .required = true),
	KEY("to", KEY_JID, to, .required = true),
	KEY("body", KEY_TEXT, body, .required = true),
	KEY("type", KEY_TEXT, type, .choices = types),
	KEY("choices", KEY_ANY, choices),
	KEY("timeout", KEY_TIME, ttl_ms),
	KEY("keep", KEY_TRUTH, more),
	{ 0 },
};
static const struct key edit_keys[] = {
	KEY("edit", KEY_TEXT, edit, .required = true),
	KEY("body", KEY_TEXT, body, .required = true),
	{ 0 },
};
static const struct key retract_keys[] = {
	KEY("retract", KEY_TEXT, retract, .required = true),
	{ 0 },
};
static const struct key react_keys[] = {
	KEY("react", KEY_TEXT, react, .required = true),
	KEY("to", KEY_JID, to, .required = true),
	KEY("type", KEY_TEXT, type, .choices = talks),
	KEY("reactions", KEY_ANY, reactions, .required = true),
	{ 0 },
};
static const struct key join_keys[] = {
	KEY("join", KEY_JID, to, .required = true),
	KEY("nick", KEY_TEXT, nick),
	{ 0 },
};
static const struct key leave_keys[] = {
	KEY("leave", KEY_JID, to, .required = true),
	{ 0 },
};

static const struct key beat_keys[] = {
	KEY("beat", KEY_TEXT, beat, .required = true),
	KEY("show", KEY_TEXT, show, .choices = bot_shows),
	KEY("status", KEY_TEXT, status),
	KEY("for", KEY_TIME, for_ms),
	KEY("clear", KEY_TRUTH, clear),
	{ 0 },
};
static const struct key token_keys[] = {
	KEY("token", KEY_TEXT, token, .required = true),
	KEY("to", KEY_JID, to),
	KEY("clear", KEY_TRUTH, clear),
	{ 0 },
};
static const struct key timer_keys[] = {
	KEY("timer", KEY_TEXT, timer, .required = true),
	KEY("in", KEY_TIME, ttl_ms),
	KEY("at", KEY_TEXT, at),
	KEY("tz", KEY_TEXT, tz),
	KEY("every", KEY_TIME, for_ms),
	KEY("clear", KEY_TRUTH, clear),
	{ 0 },
};

/* A verb is known by its key; the first of these that an action has is its verb. */
const struct verb verbs[] = {
	{ "hello", hello_keys, judge_hello, run_hello },
	{ "reply", reply_keys, judge_reply, run_reply },
	{ "kind", presence_keys, judge_presence, run_presence },
	{ "file", file_keys, judge_file, run_file, .writes = true },
	{ "ask", ask_keys, judge_ask, run_ask, .writes = true },
	{ "edit", edit_keys, judge_edit, run_edit, .writes = true },
	{ "retract", retract_keys, judge_edit, run_edit, .writes = true },
	{ "react", react_keys, judge_react, run_react, .writes = true },
	{ "beat", beat_keys, judge_beat, run_beat },
	{ "timer", timer_keys, judge_timer, run_timer },
	{ "token", token_keys, judge_token, run_token },
	{ "contact", contact_keys, judge_contact, run_contact },
	{ "join", join_keys, judge_join, run_join },
	{ "leave", leave_keys, NULL, run_leave },
	{ "get", get_keys, judge_get, run_get },
	{ "to", send_keys, judge_send, run_send, .writes = true },
	{ "ack", ack_keys, NULL, run_ack },
	{ 0 },
};
