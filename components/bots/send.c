/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * send.c - messages that answer nothing
 *
 * With a key they are sent once, however often a program says so: the key is
 * remembered for a day, with the id that its message got.  They go to the
 * bare address, where all devices see them, now or when held.c says.
 */
#include <string.h>

#include "action.h"

#define KEY_BYTES 256
#define NS_OOB "jabber:x:oob"
#define NS_ATOM "http://www.w3.org/2005/Atom"
#define NS_RETRACT "urn:xmpp:message-retract:1"
#define NS_FALLBACK "urn:xmpp:fallback:0"

static const char *
text_in(struct action *a, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? NULL : clean_text(a->pool, text);
}

/* A body becomes several messages, or a file; what stands beside it must fit into one. */
static int
judge_texts(struct action *a)
{
	const struct {
		const char *name, *text;
	} beside[] = {
		{ "subject", a->subject },
		{ "thread", a->thread },
		{ "title", text_in(a, a->atom, "title") },
		{ "summary", text_in(a, a->atom, "summary") },
		{ "link", text_in(a, a->atom, "link") },
	};
	size_t max = (size_t)a->bot->bots->set->max_body_bytes;

	if (*clean_text(a->pool, a->body) == '\0')
		return action_wrong(a, "bad-json", "there is nothing to say: \"body\" is empty");
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		if (beside[i].text != NULL && strlen(beside[i].text) > max)
			return action_wrong(
			    a, "too-large", "\"%s\" is longer than %zu bytes", beside[i].name, max);
	return ANNEX_OK;
}

static bool
is_hint(const char *text)
{
	const char *const *hint = message_hints;

	while (text != NULL && *hint != NULL && strcmp(*hint, text) != 0)
		hint++;
	return text != NULL && *hint != NULL;
}

static int
judge_hints(struct action *a)
{
	const json_t *item;
	size_t i;

	if (a->hints != NULL && !json_is_array(a->hints))
		return action_wrong(a, "bad-json", "\"hints\" must be a list");
	json_array_foreach(a->hints, i, item)
	{
		if (!is_hint(json_string_value(item)))
			return action_wrong(a, "bad-json",
			    "each of \"hints\" must be no-permanent-store, no-store, no-copy or store");
	}
	return ANNEX_OK;
}

/* What is lost in silence is better not said, where the program thinks so. */
static bool
is_reached(const struct action *a)
{
	size_t least = 0;

	while (a->reach != NULL && strcmp(bot_reaches[least], a->reach) != 0)
		least++;
	return bot_reach(a->bot, a->to->bare) >= least;
}

int
judge_send(struct action *a)
{
	const struct annex_instance *inst = a->bot->bots->inst;

	if (out_is_full(a->bot->bots))
		return action_wrong(
		    a, "resource-constraint", "too many messages wait for the server already");
	if (a->key != NULL && (*a->key == '\0' || strlen(a->key) > KEY_BYTES))
		return action_wrong(
		    a, "bad-json", "\"key\" must be a text of 1 to %d bytes", KEY_BYTES);
	if (a->atom != NULL && !json_is_object(a->atom))
		return action_wrong(a, "bad-json", "\"atom\" must be an object");
	if (!is_reached(a))
		return action_wrong(a, "not-subscribed", "%s has not added this bot", a->to->bare);
	if (judge_raw(a) < 0 || judge_texts(a) < 0 || judge_hints(a) < 0)
		return ANNEX_EINVAL;
	if (strcmp(a->to->domain, annex_domain(inst)) == 0)
		return action_wrong(
		    a, "not-allowed", "bots do not talk to bots of the same gateway");
	return held_judge(a);
}

/* --- The stanza ------------------------------------------------------------------ */

/* A notification: what it is about, and where (XEP-0066). */
static void
add_atom(struct action *a, struct annex_element *message)
{
	const char *link = text_in(a, a->atom, "link");
	const char *title = text_in(a, a->atom, "title"), *summary = text_in(a, a->atom, "summary");
	struct annex_element *entry = annex_add(message, NS_ATOM, "entry"), *el;

	annex_add_text(entry, NULL, "title", title != NULL ? title : "");
	annex_add_text(entry, NULL, "id",
	    link != NULL ? link : annex_sprintf(a->pool, "xmpp:%s#%s", a->bot->jid, a->stanza_id));
	annex_add_text(
	    entry, NULL, "updated", annex_datetime(a->pool, annex_wall_ms(a->bot->bots->inst)));
	if (summary != NULL)
		annex_add_text(entry, NULL, "summary", summary);
	if (link == NULL)
		return;
	annex_attr_set(annex_add(entry, NULL, "link"), "href", link);
	el = annex_add(message, NS_OOB, "x");
	annex_add_text(el, NULL, "url", link);
}

static bool
has_hint(const json_t *hints, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(hints, i, item)
	{
		if (strcmp(json_string_value(item), name) == 0)
			return true;
	}
	return false;
}

static void
send_decorate(struct action *a, struct annex_element *message)
{
	if (a->subject != NULL)
		annex_add_text(message, NULL, "subject", clean_text(a->pool, a->subject));
	if (a->thread != NULL)
		annex_add_text(message, NULL, "thread", clean_text(a->pool, a->thread));
	if (a->atom != NULL)
		add_atom(a, message);
	raw_add(a, message);
	for (const char *const *hint = message_hints; *hint != NULL; hint++)
		if (has_hint(a->hints, *hint))
			annex_add(message, NS_HINTS, *hint);
}

/* In a room it is to be known again, whatever the room calls it (XEP-0359 §3). */
void
add_origin(struct annex_element *message)
{
	const char *type = annex_attr(message, "type");

	if (type != NULL && strcmp(type, "groupchat") == 0)
		annex_attr_set(
		    annex_add(message, NS_SID, "origin-id"), "id", annex_attr(message, "id"));
}

static struct annex_stanza *
message_of(struct action *a, const char *part, unsigned number)
{
	const char *type = a->type == NULL ? "chat" : a->type;
	struct annex_stanza *out = annex_message(a->bot->bots->inst, a->bot->full, a->to->full,
	    strcmp(type, "normal") == 0 ? NULL : type);

	annex_attr_set(out->element, "id",
	    number == 0 ? a->stanza_id : annex_sprintf(a->pool, "%s-%u", a->stanza_id, number));
	add_origin(out->element);
	annex_add_text(out->element, NULL, "body", part);
	if (number > 0)
		return out;
	send_decorate(a, out->element);
	if (a->tracked && strcmp(type, "groupchat") != 0 && strcmp(type, "headline") != 0) {
		annex_add(out->element, NS_RECEIPTS, "request");
		annex_add(out->element, NS_MARKERS, "markable");
	}
	return out;
}

/* Each part waits for its reader. */
static int
hold(struct action *a, const char *rest)
{
	size_t max = (size_t)a->bot->bots->set->max_body_bytes, len;
	const char *part;
	int r = held_collapse(a);

	for (unsigned n = 0; r >= 0 && (part = clean_part(a->pool, &rest, max)) != NULL; n++) {
		struct annex_stanza *out = message_of(a, part, n);

		r = held_add(a, part, n == 0 ? a->stanza_id : "",
		    annex_element_write(out->element, a->pool, &len));
	}
	a->state = "held";
	return bots_must(a->bot->bots, r);
}

static bool
is_for_one(const char *type)
{
	return type == NULL || strcmp(type, "chat") == 0 || strcmp(type, "normal") == 0;
}

static int
send_all(struct action *a)
{
	const char *rest = clean_text(a->pool, a->body), *part;
	const char *reply_to = rooms_reply_to(a->bot, a->to->full, a->to->bare, a->type);
	size_t max = (size_t)a->bot->bots->set->max_body_bytes;
	unsigned n = 0;
	int r;

	if (held_must_wait(a))
		return hold(a, rest);
	if (is_for_one(a->type) && files_take(a->bot, rest))
		return bots_must(a->bot->bots, files_text(a->bot, reply_to, a->stanza_id, rest));
	while ((part = clean_part(a->pool, &rest, max)) != NULL) {
		r = out_send(
		    a->bot, message_of(a, part, n), n == 0 && a->tracked ? a->stanza_id : NULL);
		if (r < 0)
			return n > 0 || a->tracked ? bots_must(a->bot->bots, r) : r;
		n++;
	}
	return ANNEX_OK;
}

int
send_begin(struct action *a)
{
	struct annex_instance *inst = a->bot->bots->inst;
	const Bots__Send *before = a->key == NULL ? NULL : send_by_key(a->bot, a->key);
	int r;

	if (before != NULL) {
		a->state = send_states[before->state];
		a->stanza_id = annex_strdup(a->pool, before->id);
		return ANNEX_OK;
	}
	a->state = send_states[SEND_QUEUED];
	a->stanza_id =
	    a->key == NULL ? annex_random_id(inst) : bot_stanza_id(a->bot, a->pool, a->key, 0);
	a->tracked = a->key != NULL || a->id != NULL || a->collapse != NULL || a->when != NULL;
	if (a->tracked && (r = send_track(a->bot, a->stanza_id, a->key, a->to->full, a->type)) < 0)
		return r;
	return ANNEX_AGAIN;
}

int
run_send(struct action *a)
{
	int r = send_begin(a);

	return r == ANNEX_AGAIN ? send_all(a) : r;
}

/* --- Changing what was sent (XEP-0308, XEP-0424) --------------------------------- */

int
judge_edit(struct action *a)
{
	const char *which = a->edit != NULL ? a->edit : a->retract;
	const Bots__Send *send = send_by_id(a->bot, which);

	if (send == NULL)
		send = send_by_key(a->bot, which);
	if (send == NULL)
		return action_wrong(a, "item-not-found", "no message \"%.60s\" is known", which);
	a->to = annex_jid(a->pool, send->to);
	a->edited = annex_strdup(
	    a->pool, a->retract != NULL && *send->echo != '\0' ? send->echo : send->id);
	a->type = *send->type == '\0' ? "chat" : annex_strdup(a->pool, send->type);
	if (a->body != NULL && *clean_text(a->pool, a->body) == '\0')
		return action_wrong(a, "bad-json", "there is nothing to say: \"body\" is empty");
	if (out_is_full(a->bot->bots))
		return action_wrong(
		    a, "resource-constraint", "too many messages wait for the server already");
	return a->to == NULL ? ANNEX_EINVAL : ANNEX_OK;
}

static void
add_retraction(struct annex_element *message, const char *id)
{
	annex_attr_set(annex_add(message, NS_RETRACT, "retract"), "id", id);
	annex_attr_set(annex_add(message, NS_FALLBACK, "fallback"), "for", NS_RETRACT);
	annex_add_text(message, NULL, "body", "A message was taken back.");
	annex_add(message, NS_HINTS, "store");
}

int
run_edit(struct action *a)
{
	struct annex_instance *inst = a->bot->bots->inst;
	const char *rest = clean_text(a->pool, a->body != NULL ? a->body : "");
	struct annex_stanza *out = annex_message(
	    inst, a->bot->full, a->to->full, strcmp(a->type, "normal") == 0 ? NULL : a->type);

	a->stanza_id = annex_random_id(inst);
	a->state = send_states[SEND_QUEUED];
	annex_attr_set(out->element, "id", a->stanza_id);
	if (a->retract != NULL) {
		add_retraction(out->element, a->edited);
	} else {
		annex_add_text(out->element, NULL, "body",
		    clean_part(a->pool, &rest, (size_t)a->bot->bots->set->max_body_bytes));
		annex_attr_set(annex_add(out->element, NS_CORRECT, "replace"), "id", a->edited);
	}
	return out_send(a->bot, out, NULL);
}
