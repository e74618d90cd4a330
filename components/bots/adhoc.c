/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * adhoc.c - commands of bots as ad-hoc commands (XEP-0050)
 *
 *	execute ─▶ form ─▶ next, complete ─▶ event ─▶ the program's answer
 *	            ▲  prev                             │ another form
 *	            └───────────────────────────────────┘
 *
 * A command without fields runs at once.  Where the program takes longer than
 * people look at a form the command ends with a note, and the answer
 * follows as a message; another form is asked there then, field by
 * field (dialog.c).  Sessions are memory: who had a form open at a restart opens it anew.
 */
#include <string.h>

#include "session.h"

#define ANSWER_MS 10000 /* then the answer follows as a message */

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

/* What was entered there before is in it. */
static void
add_form(struct annex_element *el, const struct form *form, const char *said)
{
	struct annex_element *x = annex_add(el, ANNEX_NS_FORM, "x");
	json_t *entered = said == NULL ? NULL : json_loads(said, 0, NULL);

	annex_attr_set(x, "type", "form");
	annex_add_text(x, NULL, "title", form->title);
	for (size_t i = 0; i < form->field_count; i++)
		field_add(x, &form->fields[i],
		    field_of_json(
			&form->fields[i], json_object_get(entered, form->fields[i].var), x->pool));
	json_decref(entered);
}

/* The form of the stage that a session is at. */
static struct form
form_at(struct bot *bot, const struct command *c, const struct session *s)
{
	const char *text = session_stage(s)->json;

	return text == NULL ? c->form : form_of(text, annex_scratch(bot->bots->inst));
}

static bool
has_earlier(const struct session *s)
{
	return s->stages > (s->blank ? 2 : 1);
}

static void
show_form(struct bot *bot, const struct form *form, const struct session *s,
    struct annex_stanza *out, const char *note, const char *kind)
{
	struct annex_element *el = command_element(out, s->node, s->id, "executing");
	struct annex_element *actions = annex_add(el, NULL, "actions");
	const char *onward = form->next ? "next" : "complete";

	annex_attr_set(actions, "execute", onward);
	if (has_earlier(s))
		annex_add(actions, NULL, "prev");
	annex_add(actions, NULL, onward);
	add_form(el, form, session_stage(s)->said);
	if (note != NULL)
		annex_attr_set(annex_add_text(el, NULL, "note", note), "type", kind);
	annex_send(bot->bots->inst, out);
}

/* --- Who waits ---------------------------------------------------------------------- */

/*
 * By the number of the event, and not part of it: that may leave memory and come back while
 * they wait.
 */
struct caller {
	struct annex_link link; /* in the order in which they will have waited too long */
	struct annex_pool *pool;
	uint64_t seq;
	annex_hold_t hold;
	int64_t until_ms;
	const char *node, *session;
};

static struct caller *
caller_of(const struct event *ev)
{
	return annex_map_get(ev->bot->callers, &ev->seq, sizeof(ev->seq));
}

static void
caller_end(struct bot *bot, struct caller *c)
{
	struct annex_pool *pool = c->pool;

	annex_map_remove(bot->callers, &c->seq, sizeof(c->seq));
	annex_list_remove(&c->link);
	annex_pool_destroy(&pool);
}

static struct annex_element *
complete(struct bot *bot, struct caller *c, struct annex_stanza **out_r)
{
	struct annex_element *el = NULL;

	*out_r = annex_release(bot->bots->inst, c->hold);
	if (*out_r != NULL) {
		session_end(bot, c->session);
		el = command_element(*out_r, c->node, c->session, "completed");
	}
	caller_end(bot, c);
	return el;
}

void
adhoc_note(struct annex_element *el, const char *text)
{
	annex_attr_set(annex_add_text(el, NULL, "note", text), "type", "info");
}

static bool
complete_with(struct bot *bot, struct caller *c, const char *text)
{
	struct annex_stanza *out;
	struct annex_element *el = complete(bot, c, &out);

	if (el == NULL)
		return false;
	adhoc_note(el, text);
	annex_send(bot->bots->inst, out);
	return true;
}

static void
too_long(struct annex_instance *inst, void *cookie)
{
	struct bot *bot = cookie;
	int64_t now_ms = annex_now_ms(inst);

	ANNEX_LIST_EACH (&bot->calls, l) {
		struct caller *c = annex_container_of(l, struct caller, link);

		if (c->until_ms > now_ms) {
			annex_timer_start(bot->call_timer, c->until_ms - now_ms);
			break;
		}
		complete_with(bot, c, "This takes a while; the answer follows as a message.");
	}
}

/* The bot goes: whoever waits is told. */
void
adhoc_end(struct bot *bot)
{
	ANNEX_LIST_EACH (&bot->calls, l)
		complete_with(
		    bot, annex_container_of(l, struct caller, link), "This bot was removed.");
}

static void
wait_for_answer(const struct event *ev, annex_hold_t hold, const char *node, const char *session)
{
	struct bot *bot = ev->bot;
	struct annex_instance *inst = bot->bots->inst;
	struct annex_pool *pool = annex_pool_create(bot->pool, "caller");
	struct caller *c = annex_new(pool, struct caller);

	c->pool = pool;
	c->seq = ev->seq;
	c->hold = hold;
	c->node = annex_strdup(pool, node);
	c->session = annex_strdup(pool, session);
	c->until_ms = annex_now_ms(inst) + ANSWER_MS;
	annex_list_append(&bot->calls, &c->link);
	annex_map_set(bot->callers, &c->seq, sizeof(c->seq), c);
	if (bot->call_timer == NULL)
		bot->call_timer = annex_timer(inst, too_long, bot);
	if (!annex_timer_is_running(bot->call_timer))
		annex_timer_start(bot->call_timer, ANSWER_MS);
}

/* --- What the program answers ------------------------------------------------------- */

struct annex_element *
adhoc_result(const struct event *ev, struct annex_stanza **out_r)
{
	struct caller *c = caller_of(ev);

	return c == NULL ? NULL : complete(ev->bot, c, out_r);
}

bool
adhoc_answer(const struct event *ev, const char *text)
{
	struct caller *c = caller_of(ev);

	return c != NULL && complete_with(ev->bot, c, text);
}

/* The session of a caller who is to see a form. */
static struct session *
session_for(const struct event *ev, const struct caller *c)
{
	struct bot *bot = ev->bot;
	struct session *s = annex_map_get_str(bot->sessions, c->session);

	if (s == NULL) { /* the command had no form of its own, or its session made room */
		s = session_begin(bot, c->node, c->session, ev->from);
		s->blank = true;
		session_stage(s)->said = annex_strdup(
		    session_stage(s)->pool, event_said(ev, annex_scratch(bot->bots->inst)));
	}
	s->running = false;
	session_touch(bot, s);
	return s;
}

bool
adhoc_form(const struct event *ev, const struct form *form, const char *json, const char *note)
{
	struct bot *bot = ev->bot;
	struct caller *c = caller_of(ev);
	struct annex_stanza *out = c == NULL ? NULL : annex_release(bot->bots->inst, c->hold);
	struct session *s = out == NULL ? NULL : session_for(ev, c);

	if (c != NULL)
		caller_end(bot, c);
	if (s == NULL)
		return false;
	if (session_push(s, json)) {
		show_form(bot, form, s, out, note, "info");
		return true;
	}
	annex_attr_set(annex_add_text(command_element(out, s->node, s->id, "completed"), NULL,
			   "note", "There are too many forms."),
	    "type", "error");
	session_end(bot, s->id);
	annex_send(bot->bots->inst, out);
	return true;
}

/* --- Running ------------------------------------------------------------------------- */

static enum annex_verdict
run(struct bot *bot, const struct saying *saying, const struct annex_stanza *in,
    const char *session)
{
	enum annex_verdict verdict;
	annex_hold_t hold;
	struct event *ev;
	int r;

	if ((r = command_event(bot, saying, in, &ev)) < 0)
		return event_refuse(bot->bots, in, r);
	if ((r = event_fits(ev)) < 0) {
		event_drop(ev);
		return event_refuse(bot->bots, in, r);
	}
	verdict = annex_hold(bot->bots->inst, in, &hold);
	if (hold == 0) {
		event_drop(ev);
		return verdict;
	}
	wait_for_answer(ev, hold, saying->node, session);
	bots_must(bot->bots, event_add_or_drop(ev));
	return verdict;
}

static enum annex_verdict
show_again(struct bot *bot, const struct form *form, const struct session *s,
    const struct annex_stanza *in, const char *note)
{
	show_form(bot, form, s, annex_reply(bot->bots->inst, in), note, "error");
	return ANNEX_DONE;
}

static enum annex_verdict
submit(struct bot *bot, const struct command *c, struct session *s, const struct annex_stanza *in)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);
	const struct annex_element *x = annex_form_find(in->payload, NULL);
	const struct form form = form_at(bot, c, s);
	const char **values = annex_new_array(pool, const char *, form.field_count + 1), *why;
	struct saying saying = { .node = c->node, .via = "adhoc", .stage = s->stages };
	enum annex_verdict verdict;

	for (size_t i = 0; i < form.field_count; i++) {
		const struct field *f = &form.fields[i];

		values[i] = x == NULL ? NULL : field_sent(f, x, pool);
		if (f->kind->given || (values[i] == NULL && !f->required))
			continue;
		values[i] = field_meant(f, values[i] == NULL ? "" : values[i], pool);
		if ((why = field_wrong(f, values[i], pool)) != NULL)
			return show_again(bot, &form, s, in,
			    annex_sprintf(pool, "%s must be %s.", f->label, why));
	}
	saying.said = said_with(pool, session_said_before(s), &form, values);
	verdict = run(bot, &saying, in, s->id);
	if (verdict != ANNEX_HELD)
		return verdict;
	s->running = true;
	session_stage(s)->said = annex_strdup(session_stage(s)->pool, saying.said);
	return verdict;
}

static enum annex_verdict
execute(struct bot *bot, const struct command *c, const struct annex_stanza *in)
{
	const struct saying saying = { .node = c->node, .via = "adhoc", .said = "{}", .stage = 1 };
	const char *id = annex_random_id(bot->bots->inst);

	if (c->form.field_count == 0)
		return run(bot, &saying, in, id);
	return show_again(bot, &c->form, session_begin(bot, c->node, id, in->from->full), in, NULL);
}

static enum annex_verdict
cancel(struct bot *bot, struct session *s, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_reply(bot->bots->inst, in);

	command_element(out, s->node, s->id, "canceled");
	session_end(bot, s->id);
	annex_send(bot->bots->inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
refuse_as(struct bot *bot, const struct annex_stanza *in, const char *name)
{
	return annex_refuse_with(bot->bots->inst, in,
	    &(struct annex_error) {
		.condition = ANNEX_BAD_REQUEST, .app_ns = ANNEX_NS_COMMANDS, .app_name = name });
}

static enum annex_verdict
go_on(struct bot *bot, const struct command *c, struct session *s, const struct annex_stanza *in)
{
	const char *action = annex_attr(in->payload, "action");
	struct form form;

	if (action != NULL && strcmp(action, "cancel") == 0)
		return cancel(bot, s, in);
	if (s->running)
		return refuse_as(bot, in, "bad-action");
	session_touch(bot, s);
	if (action == NULL || strcmp(action, "prev") != 0)
		return submit(bot, c, s, in);
	if (!has_earlier(s))
		return refuse_as(bot, in, "bad-action");
	session_pop(s);
	form = form_at(bot, c, s);
	return show_again(bot, &form, s, in, NULL);
}

/* Some clients forget the id: whoever fills in a form, or goes back, does not begin anew. */
static bool
goes_on(const struct annex_stanza *in)
{
	const char *action = annex_attr(in->payload, "action");

	return annex_form_find(in->payload, NULL) != NULL ||
	    (action != NULL && strcmp(action, "execute") != 0);
}

enum annex_verdict
bots_command(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(annex_state(inst), in->to->local);
	const char *node = annex_attr(in->payload, "node"),
		   *id = annex_attr(in->payload, "sessionid");
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
	s = session_of(bot, in->from->full, node, id);
	if (s != NULL && (id != NULL || goes_on(in)))
		return go_on(bot, c, s, in);
	return id != NULL ? refuse_as(bot, in, "bad-sessionid") : execute(bot, c, in);
}
