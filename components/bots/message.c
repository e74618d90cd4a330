/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * message.c - what people say to bots
 *
 * A message with a text or a file becomes an event, if nobody takes it before: a
 * receipt (track.c), a reaction (react.c), a command or an answer (dialog.c), the guards.  Never
 * answered are errors, headlines, what bots of ours say, and what has no text.
 */
#include <inttypes.h>
#include <string.h>

#include "command.h"

#define NS_OOB "jabber:x:oob"

/* XEP-0334 §4. */
const char *const message_hints[] = { "no-permanent-store", "no-store", "no-copy", "store", NULL };

/* --- The event ---------------------------------------------------------------- */

struct text
event_begin(const struct event *ev)
{
	struct text t = { .pool = ev->pool };

	text_open(&t);
	text_number(&t, "seq", (int64_t)ev->seq);
	text_member(&t, "ts", annex_datetime(ev->pool, ev->made_ms));
	text_member(&t, "kind", ev->kind);
	text_member(&t, "type", ev->type);
	text_member(&t, "from", ev->from);
	text_member(&t, "to", ev->bot->jid);
	return t;
}

void
event_end(struct event *ev, struct text *t)
{
	text_close(t);
	ev->line = t->bytes;
}

int
event_add_or_drop(struct event *ev)
{
	int r = event_add(ev);

	if (r < 0)
		event_drop(ev);
	return r;
}

int
event_offer(struct event *ev)
{
	struct bot *bot = ev->bot;
	const char *kind = annex_strdup(annex_scratch(bot->bots->inst), ev->kind);
	int r = event_add_or_drop(ev);

	if (r != ANNEX_ELIMIT && r != ANNEX_EINVAL)
		return bots_must(bot->bots, r);
	annex_log(bot->bots->inst, ANNEX_LOG_REMOTE, "an event of %s was dropped (%s): %s",
	    bot->name, r == ANNEX_ELIMIT ? "too many wait" : "it is too long", kind);
	return ANNEX_OK;
}

static void
add_delay(struct text *t, const struct annex_element *message, struct annex_pool *pool)
{
	int64_t stamp_ms;

	if (annex_delay_read(message, NULL, &stamp_ms) >= 0)
		text_member(t, "delay", annex_datetime(pool, stamp_ms));
}

/* What is asked of whoever keeps or copies it (XEP-0334). */
static void
add_hints(struct text *t, const struct annex_element *message)
{
	const char *found[sizeof(message_hints) / sizeof(message_hints[0])] = { 0 };
	size_t n = 0;

	for (const char *const *hint = message_hints; *hint != NULL; hint++)
		if (annex_child(message, NS_HINTS, *hint) != NULL)
			found[n++] = *hint;
	if (n > 0)
		text_strings(t, "hints", found);
}

static const char *
attr_of(const struct annex_element *message, const char *ns, const char *name, const char *attr)
{
	const struct annex_element *el = annex_child(message, ns, name);

	return el == NULL ? NULL : annex_attr(el, attr);
}

static void
write_message(struct event *ev, const struct annex_stanza *in)
{
	const struct annex_element *el = in->element, *oob = annex_child(el, NS_OOB, "x");
	struct text t = event_begin(ev);

	text_member(&t, "id", ev->id);
	text_member(&t, "thread", ev->thread);
	text_member(&t, "subject", annex_child_text(el, NULL, "subject"));
	text_member(&t, "body", ev->body);
	text_member(&t, "replace", attr_of(el, NS_CORRECT, "replace", "id"));
	text_member(&t, "reply", attr_of(el, NS_REPLY, "reply", "id"));
	if (oob != NULL)
		text_member(&t, "oob", annex_child_text(oob, NS_OOB, "url"));
	add_shared(&t, el);
	add_raw(&t, ev->bot, el);
	add_hints(&t, el);
	add_delay(&t, el, ev->pool);
	add_who(&t, ev->bot, in->from, ev->lang);
	event_end(ev, &t);
}

static bool
is_type(const struct annex_stanza *in, const char *type)
{
	return in->type != NULL && strcmp(in->type, type) == 0;
}

bool
is_groupchat(const struct annex_stanza *in)
{
	return is_type(in, "groupchat");
}

/* In a room everybody calls it what the room does, and nothing where that calls it nothing. */
const char *
id_for_others(const struct annex_stanza *in)
{
	const char *origin = attr_of(in->element, NS_SID, "origin-id", "id");

	if (is_groupchat(in))
		return echo_name(in);
	return origin != NULL ? origin : in->id;
}

void
event_note_message(struct event *ev, const struct annex_stanza *in)
{
	const struct annex_element *el = in->element;

	if (!is_groupchat(in) && annex_child(el, NS_MARKERS, "markable") != NULL)
		ev->marker = annex_strdup(ev->pool, in->id);
	ev->unkept = annex_child(el, NS_HINTS, "no-store") != NULL ||
	    annex_child(el, NS_HINTS, "no-permanent-store") != NULL;
}

/*
 * One that was read says so of all before it: while the program has another of the same contact, that
 * one will.  Who does not see the bot does not see what it reads, either (XEP-0333 §8).
 */
void
event_read(struct event *ev)
{
	struct bot *bot = ev->bot;
	struct annex_instance *inst = bot->bots->inst;
	struct annex_contact c;
	struct annex_stanza *out;

	if (ev->marker == NULL || (ev->lane != NULL && ev->lane->taken > 0) ||
	    annex_contact_get(inst, bot->jid, ev->bare, &c) < 0 || c.out != ANNEX_SUBSCRIBED)
		return;
	out = annex_message(inst, bot->full, ev->bare, ev->type);
	annex_attr_set(annex_add(out->element, NS_MARKERS, "displayed"), "id", ev->marker);
	annex_add(out->element, NS_HINTS, "store");
	annex_send_on(inst, annex_flow(inst, bot->name), out);
}

static int
message_event(struct bot *bot, const struct annex_stanza *in, const char *body)
{
	struct event *ev;
	int r;

	if ((r = event_make(bot, "message", in->from, &ev)) < 0)
		return r;
	ev->type = in->type != NULL ? annex_strdup(ev->pool, in->type) : "normal";
	ev->id = annex_strdup(ev->pool, id_for_others(in));
	ev->thread = annex_strdup(ev->pool, annex_child_text(in->element, NULL, "thread"));
	ev->lang = annex_strdup(ev->pool, annex_lang(in->element));
	ev->body = annex_strdup(ev->pool, body);
	event_note_message(ev, in);
	ev->composes = is_type(in, "chat") && annex_child(in->element, NS_STATES, "active") != NULL;
	write_message(ev, in);
	return event_add_or_drop(ev);
}

/* --- The stanza ------------------------------------------------------------------ */

enum annex_verdict
event_refuse(struct bots *m, const struct annex_stanza *in, int status)
{
	if (status == ANNEX_EINVAL)
		return annex_refuse(
		    m->inst, in, ANNEX_POLICY_VIOLATION, "This is too long for a bot.");
	return annex_refuse(m->inst, in, ANNEX_RESOURCE_CONSTRAINT,
	    status == ANNEX_ELIMIT ? "Too much waits for this bot already."
				   : "There is no room for more now.");
}

/* It is on disk when this leaves (XEP-0184 §5.3: to the resource that asked). */
static void
confirm(struct bot *bot, const struct annex_stanza *in)
{
	struct annex_instance *inst = bot->bots->inst;
	struct annex_stanza *out;

	if (in->id == NULL || annex_child(in->element, NS_RECEIPTS, "request") == NULL)
		return;
	out = annex_message(inst, bot->full, in->from->full, in->type);
	annex_attr_set(annex_add(out->element, NS_RECEIPTS, "received"), "id", in->id);
	annex_send_on(inst, annex_flow(inst, bot->name), out);
}

static enum annex_verdict
say_to_bot(struct bot *bot, const struct annex_stanza *in, const char *body)
{
	int r;

	if (!guard_admits(bot, in, body))
		return ANNEX_DONE;
	r = dialog_take(bot, in, body);
	if (r == ANNEX_AGAIN)
		r = bot_wants(bot, "message") ? message_event(bot, in, body) : ANNEX_OK;
	if (r < 0)
		return event_refuse(bot->bots, in, r);
	if (seen_note(bot, in, body) < 0)
		return ANNEX_DONE;
	confirm(bot, in);
	return ANNEX_DONE;
}

enum annex_verdict
bots_message(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct bots *m = annex_state(inst);
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(m, in->to->local);
	const char *body = annex_child_text(in->element, NULL, "body");

	if (strcmp(in->from->domain, annex_domain(inst)) == 0 || is_type(in, "headline"))
		return ANNEX_DONE;
	if (bot != NULL && is_groupchat(in)) {
		if (rooms_hear(bot, in) && react_take(bot, in))
			return ANNEX_DONE;
		body = body == NULL ? NULL : rooms_meant(bot, in, body);
		return body == NULL || bot->set->no_reply ? ANNEX_DONE : say_to_bot(bot, in, body);
	}
	if (bot == NULL || !bot_admits(bot, in->from))
		return annex_refuse(inst, in, ANNEX_SERVICE_UNAVAILABLE, NULL);
	if (body == NULL)
		body = first_shared(in->element);
	if (react_take(bot, in))
		return ANNEX_DONE;
	if (track_message(bot, in) && body == NULL)
		return ANNEX_DONE;
	if (body == NULL) {
		guard_encrypted(bot, in);
		return ANNEX_DONE;
	}
	return bot->set->no_reply
	    ? annex_refuse(inst, in, ANNEX_SERVICE_UNAVAILABLE, "Nobody reads what is said here.")
	    : say_to_bot(bot, in, body);
}
