/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * message.c - what people say to bots
 *
 * A message with a text becomes an event.  Never answered are errors,
 * headlines, what bots of ours say, and what has no text.
 */
#include <inttypes.h>
#include <string.h>

#include "bots.h"

#define NS_OOB "jabber:x:oob"
#define NS_CORRECT "urn:xmpp:message-correct:0"
#define NS_REPLY "urn:xmpp:reply:0"

/* --- The event ---------------------------------------------------------------- */

static void
add_delay(struct text *t, const struct annex_element *message, struct annex_pool *pool)
{
	int64_t stamp_ms;

	if (annex_delay_read(message, NULL, &stamp_ms) >= 0)
		text_member(t, "delay", annex_datetime(pool, stamp_ms));
}

static const char *
attr_of(const struct annex_element *message, const char *ns, const char *name, const char *attr)
{
	const struct annex_element *el = annex_child(message, ns, name);

	return el == NULL ? NULL : annex_attr(el, attr);
}

static void
add_who(struct text *t, const struct annex_stanza *in)
{
	text_name(t, "who");
	text_open(t);
	text_member(t, "jid", in->from->bare);
	text_close(t);
}

static const char *
message_line(const struct event *ev, const struct annex_stanza *in)
{
	const struct annex_element *el = in->element, *oob = annex_child(el, NS_OOB, "x");
	struct text t = { .pool = ev->pool };

	text_open(&t);
	text_number(&t, "seq", (int64_t)ev->seq);
	text_member(&t, "ts", annex_datetime(ev->pool, ev->made_ms));
	text_member(&t, "kind", ev->kind);
	text_member(&t, "type", ev->type != NULL ? ev->type : "normal");
	text_member(&t, "from", ev->from);
	text_member(&t, "to", ev->bot->jid);
	text_member(&t, "id", ev->id);
	text_member(&t, "thread", ev->thread);
	text_member(&t, "subject", annex_child_text(el, NULL, "subject"));
	text_member(&t, "body", ev->body);
	text_member(&t, "replace", attr_of(el, NS_CORRECT, "replace", "id"));
	text_member(&t, "reply", attr_of(el, NS_REPLY, "reply", "id"));
	if (oob != NULL)
		text_member(&t, "oob", annex_child_text(oob, NS_OOB, "url"));
	add_delay(&t, el, ev->pool);
	add_who(&t, in);
	text_close(&t);
	return t.bytes;
}

static int
message_event(struct bot *bot, const struct annex_stanza *in, const char *body)
{
	struct event *ev;
	int r;

	if ((r = event_make(bot, "message", in->from, &ev)) < 0)
		return r;
	ev->type = annex_strdup(ev->pool, in->type);
	ev->id = annex_strdup(ev->pool, in->id);
	ev->thread = annex_strdup(ev->pool, annex_child_text(in->element, NULL, "thread"));
	ev->lang = annex_strdup(ev->pool, annex_lang(in->element));
	ev->body = annex_strdup(ev->pool, body);
	ev->line = message_line(ev, in);
	r = strlen(ev->line) > (size_t)bot->bots->set->max_line_bytes ? ANNEX_EINVAL
								      : event_add(ev);
	if (r < 0)
		event_drop(ev);
	return r;
}

/* --- The stanza ------------------------------------------------------------------ */

static bool
is_type(const struct annex_stanza *in, const char *type)
{
	return in->type != NULL && strcmp(in->type, type) == 0;
}

static enum annex_verdict
refuse(struct bots *m, const struct annex_stanza *in, int status)
{
	if (status == ANNEX_EINVAL)
		return annex_refuse(
		    m->inst, in, ANNEX_POLICY_VIOLATION, "This is too long for a bot.");
	return annex_refuse(m->inst, in, ANNEX_RESOURCE_CONSTRAINT,
	    status == ANNEX_ELIMIT ? "Too much waits for this bot already."
				   : "There is no room for more now.");
}

enum annex_verdict
bots_message(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct bots *m = annex_state(inst);
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(m, in->to->local);
	const char *body = annex_child_text(in->element, NULL, "body");
	int r;

	if (strcmp(in->from->domain, annex_domain(inst)) == 0 || is_type(in, "headline"))
		return ANNEX_DONE;
	if (bot == NULL)
		return annex_refuse(inst, in, ANNEX_SERVICE_UNAVAILABLE, NULL);
	if (body == NULL)
		return ANNEX_DONE;
	if ((r = message_event(bot, in, body)) < 0)
		return refuse(m, in, r);
	return ANNEX_DONE;
}
