/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * say.c - answers, refusals and what a room says itself
 *
 * All that concerns a room goes through its flow, answers to IQs too: so
 * what was said before a kick arrives before it, and the result of a change
 * between what it did to its object and what it shows to everybody.
 */
#include <string.h>

#include "presence.h"
#include "routed.h"

struct annex_flow *
muc_flow(struct muc *m, const struct annex_stanza *in)
{
	return annex_flow(m->inst, in->to->local != NULL ? in->to->local : "");
}

int
muc_answer(struct muc *m, const struct annex_stanza *in, struct annex_stanza *out)
{
	return annex_send_on(m->inst, muc_flow(m, in), out);
}

#define ECHO_INVITES 20 /* as many as may be sent at once */

/* Of what stands there only what makes sense. */
static void
echo_invitations(struct annex_stanza *out, const struct annex_stanza *in)
{
	const struct annex_element *asked = annex_child(in->element, NS_USER, "x");
	struct annex_element *x = NULL, *invite;
	size_t n = 0;

	ANNEX_CHILDREN (asked, one) {
		const char *text = annex_attr(one, "to");
		const struct annex_jid *to = text == NULL ? NULL : annex_jid(in->pool, text);

		if (!annex_is(one, NS_USER, "invite") || to == NULL)
			continue;
		if (n++ == ECHO_INVITES)
			return;
		if (x == NULL)
			x = annex_add(out->element, NS_USER, "x");
		invite = annex_add(x, NULL, "invite");
		annex_attr_set(invite, "to", to->full);
		if (reason_fits(one))
			annex_add_text(
			    invite, NULL, "reason", annex_child_text(one, NULL, "reason"));
	}
}

#define ECHO_MAX ((size_t)8 << 10) /* as long as a subject may be */

/* What was asked for is shown again where it says what the error is about (§7.2, §8.1, §9.5). */
static void
echo(struct annex_stanza *out, const struct annex_stanza *in)
{
	const struct annex_element *subject;

	if (in->kind == ANNEX_PRESENCE && annex_child(in->element, NS_MUC, "x") != NULL)
		annex_add(out->element, NS_MUC, "x");
	if (in->kind != ANNEX_MESSAGE)
		return;
	subject = annex_child(in->element, NULL, "subject");
	if (subject != NULL && strlen(annex_text(subject)) <= ECHO_MAX)
		annex_add_copy(out->element, subject);
	if (annex_child(in->element, NS_USER, "x") != NULL)
		echo_invitations(out, in);
}

enum annex_verdict
muc_refuse_with(struct muc *m, const struct annex_stanza *in, const struct annex_error *error)
{
	struct annex_stanza *out;
	struct annex_error e = *error;

	if (in->kind == ANNEX_MESSAGE_ERROR || in->kind == ANNEX_PRESENCE_ERROR)
		return ANNEX_DONE;
	if (e.by == NULL && in->to->local != NULL)
		e.by = in->to->bare;
	out = annex_reply(m->inst, in);
	annex_attr_set(out->element, "type", "error");
	echo(out, in);
	annex_error_add(out->element, &e);
	muc_answer(m, in, out);
	return ANNEX_DONE;
}

enum annex_verdict
muc_refuse(struct muc *m, const struct annex_stanza *in, enum annex_condition condition,
    enum annex_error_type type, const char *text)
{
	const struct annex_error error = { .condition = condition, .type = type, .text = text };

	return muc_refuse_with(m, in, &error);
}

enum annex_verdict
muc_full(struct muc *m, const struct annex_stanza *in)
{
	return muc_refuse(
	    m, in, ANNEX_RESOURCE_CONSTRAINT, ANNEX_ERROR_WAIT, "There is no room for more now.");
}

enum annex_verdict
muc_confirm(struct muc *m, const struct annex_stanza *in)
{
	muc_answer(m, in, annex_reply(m->inst, in));
	return ANNEX_DONE;
}

void
add_status(struct annex_element *x, unsigned code)
{
	annex_attr_setf(annex_add(x, NULL, "status"), "code", "%u", code);
}

int
room_say(struct room *room, struct annex_stanza *out)
{
	struct annex_instance *inst = room->muc->inst;
	struct annex_body *body;
	int r;

	annex_make_fleeting(out);
	if ((r = annex_body(inst, annex_scratch(inst), out, &body)) == ANNEX_OK)
		room_spread(room, body, body, NULL);
	return r;
}

void
room_tell(struct room *room, const unsigned *codes)
{
	struct annex_stanza *out = annex_message(room->muc->inst, room->jid, NULL, "groupchat");
	struct annex_element *x = annex_add(out->element, NS_USER, "x");

	unrouted_codes(room, codes);
	for (; *codes != 0; codes++)
		add_status(x, *codes);
	room_say(room, out);
}

static bool
is_of(const struct annex_element *el, const char *ns)
{
	return strcmp(el->ns, ns) == 0;
}

/* Somebody of this domain, however it is spelled, or nobody at all. */
static bool
is_ours(const struct annex_element *el, const char *attr, const struct room *room)
{
	const char *text = annex_attr(el, attr);
	const struct annex_jid *jid =
	    text == NULL ? NULL : annex_jid(annex_scratch(room->muc->inst), text);

	return jid == NULL || strcmp(jid->domain, annex_domain(room->muc->inst)) == 0;
}

/* What only a room may say: nobody passes for it, or for somebody else. */
static bool
is_ours_to_say(const struct annex_element *el, const struct room *room)
{
	if (annex_is(el, NS_USER, "x") || annex_is(el, NS_MUC, "x") || is_of(el, NS_OCCUPANT) ||
	    annex_is(el, "http://jabber.org/protocol/nick", "nick"))
		return true;
	if (annex_is(el, NS_SID, "stanza-id"))
		return is_ours(el, "by", room);
	if (annex_is(el, ANNEX_NS_DELAY, "delay"))
		return is_ours(el, "from", room);
	return is_of(el, "urn:xmpp:hats:0") || is_of(el, "jabber:x:delay") ||
	    annex_is(el, NULL, "retracted") || annex_is(el, NULL, "moderated");
}

bool
reason_fits(const struct annex_element *el)
{
	const char *reason = annex_child_text(el, NULL, "reason");

	return reason == NULL || strlen(reason) <= REASON_MAX;
}

void
add_language(struct annex_element *to, const struct annex_element *from)
{
	const char *lang = annex_attr_ns(from, ANNEX_NS_XML, "lang");

	if (lang != NULL)
		annex_attr_set_ns(to, ANNEX_NS_XML, "lang", lang);
}

void
add_safely(struct annex_element *to, const struct annex_element *from, const struct room *room)
{
	ANNEX_CHILDREN (from, child)
		if (!is_ours_to_say(child, room))
			annex_add_copy(to, child);
}
