/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * adhoc.c - commands of bots as ad-hoc commands (XEP-0050)
 *
 *	execute ─▶ form ─▶ complete ─▶ event ─▶ the program's answer
 *
 * A command without fields runs at once.  Where the program takes longer than
 * people look at a form the command ends with a note, and the answer
 * follows as a message.  Sessions are memory: who had a form open at a
 * restart opens it anew.
 */
#include <string.h>

#include "command.h"

#define SESSION_MS 600000
#define ANSWER_MS 10000 /* then the answer follows as a message */
#define SESSIONS_MOST 5 /* of one user */

struct session {
	struct annex_pool *pool;
	const char *id, *node, *owner;
	int64_t until_ms;
};

/* --- Sessions ------------------------------------------------------------------- */

static void
session_end(struct bot *bot, struct session *s)
{
	annex_map_remove_str(bot->sessions, s->id);
	annex_pool_destroy(&s->pool);
}

/* Of those of owner: how many there are, and the only one. */
static size_t
sessions_of(struct bot *bot, const char *owner, struct session **only_r)
{
	struct annex_map_iter it = { 0 };
	int64_t now_ms = annex_now_ms(bot->bots->inst);
	size_t n = 0;

	while (annex_map_next(bot->sessions, &it)) {
		struct session *s = it.value;

		if (s->until_ms < now_ms) {
			session_end(bot, s);
		} else if (strcmp(s->owner, owner) == 0) {
			*only_r = s;
			n++;
		}
	}
	return n;
}

static struct session *
session_begin(struct bot *bot, const struct command *c, const char *owner)
{
	struct annex_pool *pool;
	struct session *s, *other;

	if (sessions_of(bot, owner, &other) >= SESSIONS_MOST)
		return NULL;
	pool = annex_pool_create(bot->pool, "session");
	s = annex_new(pool, struct session);
	s->pool = pool;
	s->id = annex_strdup(pool, annex_random_id(bot->bots->inst));
	s->node = annex_strdup(pool, c->node);
	s->owner = annex_strdup(pool, owner);
	s->until_ms = annex_now_ms(bot->bots->inst) + SESSION_MS;
	annex_map_set_str(bot->sessions, s->id, s);
	return s;
}

/* Some clients forget the id: where there is only one, it is meant. */
static struct session *
session_find(struct bot *bot, const struct annex_stanza *in)
{
	const char *id = annex_attr(in->payload, "sessionid");
	struct session *s = NULL;

	if (id == NULL)
		return sessions_of(bot, in->from->full, &s) == 1 ? s : NULL;
	s = annex_map_get_str(bot->sessions, id);
	return s != NULL && strcmp(s->owner, in->from->full) == 0 ? s : NULL;
}

/* --- Answers ---------------------------------------------------------------------- */

static struct annex_element *
command_element(struct annex_stanza *out, const char *node, const char *id, const char *status)
{
	struct annex_element *el = annex_add(out->element, ANNEX_NS_COMMANDS, "command");

	annex_attr_set(el, "node", node);
	annex_attr_set(el, "sessionid", id);
	annex_attr_set(el, "status", status);
	return el;
}

static void
add_field(struct annex_element *x, const struct field *f)
{
	struct annex_element *el = annex_add(x, NULL, "field"), *option;

	annex_attr_set(el, "var", f->var);
	annex_attr_set(el, "type", f->options != NULL ? "list-single" : f->type);
	annex_attr_set(el, "label", f->label);
	if (f->required)
		annex_add(el, NULL, "required");
	for (const char *const *o = f->options; o != NULL && *o != NULL; o++) {
		option = annex_add(el, NULL, "option");
		annex_attr_set(option, "label", *o);
		annex_add_text(option, NULL, "value", *o);
	}
}

static enum annex_verdict
show_form(struct bot *bot, const struct command *c, const struct session *s,
    const struct annex_stanza *in, const char *note)
{
	struct annex_stanza *out = annex_reply(bot->bots->inst, in);
	struct annex_element *el = command_element(out, c->node, s->id, "executing");
	struct annex_element *actions = annex_add(el, NULL, "actions"), *x;

	annex_attr_set(actions, "execute", "complete");
	annex_add(actions, NULL, "complete");
	x = annex_add(el, ANNEX_NS_FORM, "x");
	annex_attr_set(x, "type", "form");
	annex_add_text(x, NULL, "title", c->name);
	for (size_t i = 0; i < c->field_count; i++)
		add_field(x, &c->fields[i]);
	if (note != NULL)
		annex_attr_set(annex_add_text(el, NULL, "note", note), "type", "error");
	annex_send(bot->bots->inst, out);
	return ANNEX_DONE;
}

struct annex_element *
adhoc_result(struct event *ev, struct annex_stanza **out_r)
{
	struct annex_stanza *out =
	    ev->hold == 0 ? NULL : annex_release(ev->bot->bots->inst, ev->hold);

	ev->hold = 0;
	*out_r = out;
	return out == NULL ? NULL : command_element(out, ev->node, ev->session, "completed");
}

bool
adhoc_answer(struct event *ev, const char *text)
{
	struct annex_stanza *out;
	struct annex_element *el = adhoc_result(ev, &out);

	if (el == NULL)
		return false;
	annex_attr_set(annex_add_text(el, NULL, "note", text), "type", "info");
	annex_send(ev->bot->bots->inst, out);
	return true;
}

static void
too_long(struct annex_instance *inst, void *cookie)
{
	struct bot *bot = cookie;
	int64_t now_ms = annex_now_ms(inst), next_ms = INT64_MAX;

	ANNEX_LIST_EACH (&bot->held_events, l) {
		struct event *ev = annex_container_of(l, struct event, by_hold);

		if (ev->hold_until_ms > now_ms) {
			next_ms = ev->hold_until_ms < next_ms ? ev->hold_until_ms : next_ms;
			continue;
		}
		annex_list_remove(&ev->by_hold);
		adhoc_answer(ev, "This takes a while; the answer follows as a message.");
	}
	if (next_ms != INT64_MAX)
		annex_timer_start(bot->hold_timer, next_ms - now_ms);
}

/* The bot goes: whoever waits is told. */
void
adhoc_end(struct bot *bot)
{
	ANNEX_LIST_EACH (&bot->held_events, l)
		adhoc_answer(annex_container_of(l, struct event, by_hold), "This bot was removed.");
}

/* --- Running ------------------------------------------------------------------------- */

static enum annex_verdict
run(struct bot *bot, const struct command *c, const char *const *values,
    const struct annex_stanza *in, const char *session)
{
	struct annex_instance *inst = bot->bots->inst;
	enum annex_verdict verdict;
	struct event *ev;
	int r;

	if ((r = command_event(bot, c, values, in, "adhoc", &ev)) < 0)
		return event_refuse(bot->bots, in, r);
	if ((r = event_fits(ev)) < 0) {
		event_drop(ev);
		return event_refuse(bot->bots, in, r);
	}
	verdict = annex_hold(inst, in, &ev->hold);
	if (ev->hold == 0) {
		event_drop(ev);
		return verdict;
	}
	ev->node = annex_strdup(ev->pool, c->node);
	ev->session = annex_strdup(ev->pool, session);
	ev->hold_until_ms = annex_now_ms(inst) + ANSWER_MS;
	annex_list_append(&bot->held_events, &ev->by_hold);
	if (bot->hold_timer == NULL)
		bot->hold_timer = annex_timer(inst, too_long, bot);
	if (!annex_timer_is_running(bot->hold_timer))
		annex_timer_start(bot->hold_timer, ANSWER_MS);
	bots_must(bot->bots, event_add_or_drop(ev));
	return verdict;
}

static enum annex_verdict
submit(struct bot *bot, const struct command *c, struct session *s, const struct annex_stanza *in)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);
	const struct annex_element *x = annex_form_find(in->payload, NULL);
	const char **values = annex_new_array(pool, const char *, c->field_count + 1);
	const char *why, *id = annex_strdup(pool, s->id);

	for (size_t i = 0; i < c->field_count; i++) {
		const struct field *f = &c->fields[i];

		values[i] = x == NULL ? NULL : annex_form_value(x, f->var);
		if (values[i] == NULL && !f->required)
			continue;
		if (!field_accepts(f, values[i] == NULL ? "" : values[i], &why))
			return show_form(
			    bot, c, s, in, annex_sprintf(pool, "%s must be %s.", f->label, why));
	}
	session_end(bot, s);
	return run(bot, c, values, in, id);
}

static enum annex_verdict
execute(struct bot *bot, const struct command *c, const struct annex_stanza *in)
{
	struct session *s;

	if (c->field_count == 0) {
		static const char *const none[] = { NULL };

		return run(bot, c, none, in, annex_random_id(bot->bots->inst));
	}
	if ((s = session_begin(bot, c, in->from->full)) == NULL)
		return annex_refuse(bot->bots->inst, in, ANNEX_RESOURCE_CONSTRAINT,
		    "You have too many commands open.");
	return show_form(bot, c, s, in, NULL);
}

static enum annex_verdict
cancel(struct bot *bot, struct session *s, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_reply(bot->bots->inst, in);

	command_element(out, s->node, s->id, "canceled");
	session_end(bot, s);
	annex_send(bot->bots->inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
go_on(struct bot *bot, const struct command *c, struct session *s, const struct annex_stanza *in)
{
	const char *action = annex_attr(in->payload, "action");

	if (action != NULL && strcmp(action, "cancel") == 0)
		return cancel(bot, s, in);
	if (action != NULL && strcmp(action, "prev") == 0)
		return annex_refuse_with(bot->bots->inst, in,
		    &(struct annex_error) { .condition = ANNEX_BAD_REQUEST,
			.app_ns = ANNEX_NS_COMMANDS,
			.app_name = "bad-action" });
	return submit(bot, c, s, in);
}

enum annex_verdict
bots_command(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(annex_state(inst), in->to->local);
	const char *node = annex_attr(in->payload, "node");
	struct commands commands;
	const struct command *c;
	struct session *s;

	if (in->to->local == NULL)
		return ANNEX_PASS;
	if (bot == NULL || !bot_admits(bot, in->from))
		return annex_refuse(inst, in, ANNEX_SERVICE_UNAVAILABLE, NULL);
	if (node == NULL)
		return annex_refuse(inst, in, ANNEX_BAD_REQUEST, "A command has a node.");
	commands = commands_of(bot);
	if ((c = command_find(bot, &commands, node, in->from, false)) == NULL)
		return annex_refuse(inst, in, ANNEX_ITEM_NOT_FOUND, NULL);
	if ((s = session_find(bot, in)) != NULL && strcmp(s->node, node) == 0)
		return go_on(bot, c, s, in);
	if (annex_attr(in->payload, "sessionid") != NULL)
		return annex_refuse_with(inst, in,
		    &(struct annex_error) { .condition = ANNEX_BAD_REQUEST,
			.app_ns = ANNEX_NS_COMMANDS,
			.app_name = "bad-sessionid" });
	return execute(bot, c, in);
}
