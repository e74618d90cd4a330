/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * adhoc.c - commands over XMPP (XEP-0050)
 *
 * A session belongs to one full JID, one command and the address it is of.  It holds the values
 * and the forms shown so far, so that "prev" goes back with what was entered
 * (§3.4.2), and dies when it is completed or cancelled, after ten minutes
 * without a word, or with the instance.  At most 1,000 live; of one account
 * 100, then its own oldest makes room.
 *
 * A session's number tells one that is over (session-expired) from one that
 * never was (bad-sessionid).  A client that sends a form without a sessionid
 * means its latest session of that command.
 *
 * The values and what they point to lie in one pool, moved to a fresh one at
 * every stage: going back and forth does not make it grow.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/list.h>
#include <annex/map.h>

#include "base/alloc.h"
#include "base/check.h"
#include "instance.h"
#include "run.h"

#define SESSIONS_MAX 1000
#define SESSIONS_MAX_BY_JID 100
#define SESSION_BYTES_MAX (64 << 10)
#define SESSION_MS (10 * 60 * 1000)
#define STAGES_MAX 32

struct session {
	struct annex_link link;
	struct timer idle;
	struct annex_instance *inst;
	const struct annex_command *command;
	char id[40];
	char *full, *bare;       /* whose */
	char *at;                /* of which address */
	struct annex_pool *keep; /* the component's part */
	struct annex_pool *pool; /* in it: values, their texts, forms */
	void *values;
	struct texts texts;
	unsigned stage; /* whose form was shown */
	const struct annex_form *form[STAGES_MAX];
};

void
commands_init(struct annex_instance *inst)
{
	struct commands *c = mem_zalloc(sizeof(*c));

	c->pool = annex_pool_create(NULL, "commands");
	c->answer = annex_pool_create(c->pool, "command answer");
	c->by_id = annex_map_create(c->pool);
	annex_list_init(&c->by_age);
	annex_list_init(&c->held);
	random_id(inst->random, c->prefix);
	inst->commands = c;
}

/* --- Sessions ------------------------------------------------------------ */

static void
session_free(struct session *s)
{
	struct commands *c = s->inst->commands;

	annex_map_remove_str(c->by_id, s->id);
	annex_list_remove(&s->link);
	timer_stop(s->inst->timers, &s->idle);
	annex_pool_destroy(&s->keep);
	free(s->texts.text);
	free(s->full);
	free(s->bare);
	free(s->at);
	free(s);
	c->count--;
}

static void
session_is_idle(struct timer *timer)
{
	session_free(annex_container_of(timer, struct session, idle));
}

static void
make_room(struct commands *c, const char *bare)
{
	struct session *oldest = NULL;
	size_t n = 0;

	ANNEX_LIST_EACH (&c->by_age, l) {
		struct session *s = annex_container_of(l, struct session, link);

		if (strcmp(s->bare, bare) != 0)
			continue;
		if (oldest == NULL)
			oldest = s;
		n++;
	}
	if (n >= SESSIONS_MAX_BY_JID)
		session_free(oldest);
}

/* NULL where there are too many. */
static struct session *
session_create(
    struct annex_instance *inst, const struct annex_command *command, const struct annex_stanza *in)
{
	const struct annex_jid *who = in->from;
	struct commands *c = inst->commands;
	struct session *s;

	make_room(c, who->bare);
	if (c->count >= SESSIONS_MAX)
		return NULL;
	s = mem_zalloc(sizeof(*s));
	s->inst = inst;
	s->command = command;
	s->full = mem_strdup(who->full);
	s->bare = mem_strdup(who->bare);
	s->at = mem_strdup(in->to->full);
	s->keep = annex_pool_create(NULL, "command session");
	s->pool = annex_pool_create(s->keep, "command values");
	s->values = annex_pool_zalloc(s->pool, command->values_size);
	s->form[0] = command->form;
	snprintf(s->id, sizeof(s->id), "%s-%" PRIu64, c->prefix, ++c->last);
	annex_map_set_str(c->by_id, s->id, s);
	annex_list_append(&c->by_age, &s->link);
	c->count++;
	timer_start(inst->timers, &s->idle, SESSION_MS, session_is_idle);
	return s;
}

static bool
session_is_of(
    const struct session *s, const struct annex_command *command, const struct annex_stanza *in)
{
	return s->command == command && strcmp(s->full, in->from->full) == 0 &&
	    strcmp(s->at, in->to->full) == 0;
}

/* The latest of that JID and command, for who forgot its id. */
static struct session *
session_guess(
    struct commands *c, const struct annex_command *command, const struct annex_stanza *in)
{
	struct session *found = NULL;

	ANNEX_LIST_EACH (&c->by_age, l) {
		struct session *s = annex_container_of(l, struct session, link);

		if (session_is_of(s, command, in))
			found = s;
	}
	return found;
}

/* Whether id is one we gave out: then its session is over. */
static bool
was_session(const struct commands *c, const char *id)
{
	size_t len = strlen(c->prefix);
	uint64_t number;
	char *end;

	if (strncmp(id, c->prefix, len) != 0 || id[len] != '-' || id[len + 1] < '1' ||
	    id[len + 1] > '9')
		return false;
	number = strtoull(id + len + 1, &end, 10);
	return *end == '\0' && number <= c->last;
}

/* Move what the session holds to a pool of its own, leaving behind what was replaced. */
static void
session_rehome(struct session *s)
{
	struct annex_pool *old = s->pool;

	s->pool = annex_pool_create(s->keep, "command values");
	s->values = s->command->values_size > 0
	    ? annex_memdup(s->pool, s->values, s->command->values_size)
	    : annex_pool_zalloc(s->pool, 0);
	for (unsigned i = 0; i <= s->stage; i++)
		if (s->form[i] != NULL && s->form[i] != s->command->form)
			s->form[i] = form_copy(s->pool, s->form[i]);
	if (s->form[s->stage] != NULL)
		texts_note(&s->texts, s->form[s->stage]);
	texts_move(&s->texts, s->pool, s->values);
	annex_pool_destroy(&old);
	timer_start(s->inst->timers, &s->idle, SESSION_MS, session_is_idle);
}

static bool
session_can_go_back(const struct session *s)
{
	return s->stage > 0 && s->form[s->stage - 1] != NULL;
}

static bool
session_is_last(const struct session *s)
{
	return s->stage + 1 >= s->command->stages;
}

/* --- Answers ------------------------------------------------------------- */

/* XEP-0050 §4.4, "Possible Errors". */
static const struct failure {
	enum annex_condition condition;
	const char *specific;
} malformed_action = { ANNEX_BAD_REQUEST, "malformed-action" },
  bad_action = { ANNEX_BAD_REQUEST, "bad-action" },
  bad_payload = { ANNEX_BAD_REQUEST, "bad-payload" },
  bad_sessionid = { ANNEX_BAD_REQUEST, "bad-sessionid" },
  session_expired = { ANNEX_NOT_ALLOWED, "session-expired" };

static enum annex_verdict
refuse(struct annex_instance *inst, const struct annex_stanza *in, const struct failure *failure,
    const char *text)
{
	const struct annex_error error = {
		.condition = failure->condition,
		.text = text,
		.app_ns = ANNEX_NS_COMMANDS,
		.app_name = failure->specific,
	};

	return annex_refuse_with(inst, in, &error);
}

static struct annex_element *
answer_command(struct annex_stanza *out, const struct session *s, const char *status)
{
	struct annex_element *el = annex_add(out->element, ANNEX_NS_COMMANDS, "command");

	annex_attr_set(el, "node", s->command->node);
	annex_attr_set(el, "sessionid", s->id);
	annex_attr_set(el, "status", status);
	return el;
}

/* As many rows as fit into a stanza; how many did not. */
static size_t
answer_table(struct annex_element *command, const struct annex_run *run, size_t most)
{
	struct annex_element *x, *parent, *field;
	size_t bytes = 0, left = run->rows.count;

	if (run->columns == 0)
		return 0;
	x = annex_add(command, ANNEX_NS_FORM, "x");
	annex_attr_set(x, "type", "result");
	parent = annex_add(x, NULL, "reported");
	for (size_t i = 0; i < run->columns; i++) {
		field = annex_add(parent, NULL, "field");
		annex_attr_set(field, "var", run->var[i]);
		annex_attr_set(field, "label", run->label[i]);
	}
	for (const struct run_line *row = run->rows.first; row != NULL; row = row->next, left--) {
		if ((bytes += row->bytes) > most)
			break;
		parent = annex_add(x, NULL, "item");
		for (size_t i = 0; i < run->columns; i++) {
			field = annex_add(parent, NULL, "field");
			annex_attr_set(field, "var", run->var[i]);
			annex_add_text(field, NULL, "value", row->value[i]);
		}
	}
	return left;
}

static void
answer_note(struct annex_element *command, const char *type, const char *text)
{
	annex_attr_set(annex_add_text(command, NULL, "note", text), "type", type);
}

static void
answer_notes(struct annex_element *command, const struct annex_run *run)
{
	for (const struct run_line *note = run->notes.first; note != NULL; note = note->next)
		answer_note(command, "info", note->text);
}

static enum annex_verdict
answer_completed(
    const struct annex_stanza *in, const struct session *s, const struct annex_run *run)
{
	struct annex_stanza *out = annex_reply(s->inst, in);
	struct annex_element *el = answer_command(out, s, "completed");
	size_t left = answer_table(el, run, payload_max(s->inst));

	answer_notes(el, run);
	if (left > 0)
		answer_note(
		    el, "warn", annex_sprintf(run->pool, "%zu more rows do not fit here.", left));
	annex_send(s->inst, out);
	return ANNEX_DONE;
}

/* §3.4: which actions there are, and what "execute" means among them. */
static void
answer_actions(struct annex_element *command, const struct session *s)
{
	const char *forward = session_is_last(s) ? "complete" : "next";
	struct annex_element *actions = annex_add(command, NULL, "actions");

	annex_attr_set(actions, "execute", forward);
	if (session_can_go_back(s))
		annex_add(actions, NULL, "prev");
	annex_add(actions, NULL, forward);
}

static enum annex_verdict
answer_form(const struct annex_stanza *in, const struct session *s, const struct annex_run *run)
{
	struct annex_stanza *out = annex_reply(s->inst, in);
	struct annex_element *el = answer_command(out, s, "executing");

	answer_actions(el, s);
	annex_form_ask(el, s->form[s->stage], s->values, annex_lang(in->element));
	if (run != NULL)
		answer_notes(el, run);
	annex_send(s->inst, out);
	return ANNEX_DONE;
}

/* --- Steps --------------------------------------------------------------- */

/* What the asker can mend leaves the session where it is. */
static enum annex_verdict
step_failed(struct annex_instance *inst, const struct annex_stanza *in, struct session *s,
    const struct annex_run *run)
{
	if (annex_condition_type(run->error.condition) != ANNEX_ERROR_MODIFY)
		session_free(s);
	return annex_refuse_with(inst, in, &run->error);
}

static enum annex_verdict
session_run(struct session *s, const struct annex_stanza *in)
{
	struct annex_instance *inst = s->inst;
	enum annex_verdict verdict;
	struct annex_run run;
	int r;

	run_init(&run, inst, in->from, in->to, inst->scratch, s->keep);
	run.lang = annex_lang(in->element);
	r = run_stage(&run, s->command, s->stage, s->values);
	if (r < 0)
		return step_failed(inst, in, s, &run);
	if (r == ANNEX_OK) {
		verdict = answer_completed(in, s, &run);
		session_free(s);
		return verdict;
	}
	if (s->stage + 1 >= STAGES_MAX) {
		annex_run_fail(&run, ANNEX_INTERNAL_SERVER_ERROR, "The command has no end.");
		return step_failed(inst, in, s, &run);
	}
	s->form[++s->stage] = run.asked;
	session_rehome(s);
	return answer_form(in, s, &run);
}

/* Clients that send a form of type "cancel" mean "submit" (§3.5.1); the action says what to do. */
static const struct annex_element *
as_submitted(struct annex_pool *pool, const struct annex_element *x)
{
	struct annex_element *copy;

	if (x == NULL || !annex_form_is_cancelled(x))
		return x;
	copy = annex_element_copy(pool, x);
	annex_attr_set(copy, "type", "submit");
	return copy;
}

static enum annex_verdict
session_submit(struct session *s, const struct annex_stanza *in, const struct annex_element *x)
{
	struct annex_instance *inst = s->inst;
	const char *why = NULL;

	if (x == NULL)
		return refuse(inst, in, &bad_payload, "The form is missing.");
	if (annex_form_read(s->form[s->stage], x, s->values, NULL, inst->scratch, &why) < 0)
		return refuse(inst, in, &bad_payload, why);
	session_rehome(s);
	if (annex_pool_bytes(s->keep) > SESSION_BYTES_MAX) {
		session_free(s);
		return annex_refuse(inst, in, ANNEX_RESOURCE_CONSTRAINT, "That is too much text.");
	}
	return session_run(s, in);
}

static enum annex_verdict
session_start(struct annex_instance *inst, const struct annex_stanza *in,
    const struct annex_command *command, const struct annex_element *x)
{
	struct session *s = session_create(inst, command, in);
	struct annex_run run;

	if (s == NULL) {
		const struct annex_error full = {
			.condition = ANNEX_RESOURCE_CONSTRAINT,
			.type = ANNEX_ERROR_WAIT,
			.text = "Too many commands are being filled in; try again later.",
		};

		return annex_refuse_with(inst, in, &full);
	}
	run_init(&run, inst, in->from, in->to, inst->scratch, s->keep);
	run.lang = annex_lang(in->element);
	if (command->preset != NULL)
		command->preset(inst, &run, s->values);
	if (run.error.condition != 0) {
		session_free(s);
		return annex_refuse_with(inst, in, &run.error);
	}
	if (run.asked != NULL)
		s->form[0] = run.asked;
	session_rehome(s);
	if (s->form[0] == NULL)
		return session_run(s, in);
	return x != NULL ? session_submit(s, in, x) : answer_form(in, s, &run);
}

static enum annex_verdict
session_back(struct session *s, const struct annex_stanza *in)
{
	if (!session_can_go_back(s))
		return refuse(s->inst, in, &bad_action, "There is no earlier stage.");
	s->stage--;
	session_rehome(s);
	return answer_form(in, s, NULL);
}

static enum annex_verdict
session_cancel(struct session *s, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_reply(s->inst, in);
	struct annex_instance *inst = s->inst;

	answer_command(out, s, "canceled");
	session_free(s);
	annex_send(inst, out);
	return ANNEX_DONE;
}

/* --- Actions ------------------------------------------------------------- */

enum action { EXECUTE, NEXT, COMPLETE, PREV, CANCEL, ACTIONS };

static const char *const action_names[ACTIONS] = {
	[EXECUTE] = "execute",
	[NEXT] = "next",
	[COMPLETE] = "complete",
	[PREV] = "prev",
	[CANCEL] = "cancel",
};

static enum action
action_of(const struct annex_element *command)
{
	const char *text = annex_attr(command, "action");
	enum action a = EXECUTE;

	if (text == NULL)
		return EXECUTE;
	while (a < ACTIONS && strcmp(action_names[a], text) != 0)
		a++;
	return a;
}

static enum annex_verdict
session_continue(struct session *s, const struct annex_stanza *in, enum action action,
    const struct annex_element *x)
{
	timer_start(s->inst->timers, &s->idle, SESSION_MS, session_is_idle);
	if (action == CANCEL)
		return session_cancel(s, in);
	if (action == PREV)
		return session_back(s, in);
	if ((action == NEXT && session_is_last(s)) || (action == COMPLETE && !session_is_last(s)))
		return refuse(s->inst, in, &bad_action, "That is not possible at this stage.");
	return session_submit(s, in, x);
}

/* Without a sessionid: a new one, unless the latest is meant. */
static enum annex_verdict
without_session(struct annex_instance *inst, const struct annex_stanza *in,
    const struct annex_command *command, enum action action, const struct annex_element *x)
{
	struct session *s = NULL;

	if (action != EXECUTE || x != NULL)
		s = session_guess(inst->commands, command, in);
	if (s != NULL)
		return session_continue(s, in, action, x);
	if (action == CANCEL)
		return refuse(inst, in, &bad_sessionid, NULL);
	if (action != EXECUTE && (action == PREV || x == NULL))
		return refuse(inst, in, &bad_action, "Nothing was started.");
	return session_start(inst, in, command, x);
}

static enum annex_verdict
act(struct annex_instance *inst, const struct annex_stanza *in, const struct annex_command *command)
{
	const struct annex_element *x =
	    as_submitted(inst->scratch, annex_form_find(in->payload, NULL));
	const char *id = annex_attr(in->payload, "sessionid");
	enum action action = action_of(in->payload);
	struct session *s;

	if (action == ACTIONS)
		return refuse(inst, in, &malformed_action, NULL);
	if (id == NULL)
		return without_session(inst, in, command, action, x);
	s = annex_map_get_str(inst->commands->by_id, id);
	if (s == NULL)
		return refuse(inst, in,
		    was_session(inst->commands, id) ? &session_expired : &bad_sessionid, NULL);
	if (!session_is_of(s, command, in))
		return refuse(inst, in, &bad_sessionid, NULL);
	return session_continue(s, in, action, x);
}

enum annex_verdict
command_set(struct annex_instance *inst, const struct annex_stanza *in)
{
	const char *node = annex_attr(in->payload, "node");
	const struct annex_command *command;
	enum annex_condition wrong;

	if (!is_for_domain(inst, in) &&
	    (in->to->local == NULL || !commands_are_offered_below(inst)))
		return ANNEX_PASS;
	if (node == NULL)
		return annex_refuse(inst, in, ANNEX_BAD_REQUEST, "A command has a node.");
	command = command_find(inst, node);
	if (command == NULL)
		return annex_refuse(inst, in, ANNEX_ITEM_NOT_FOUND, NULL);
	if ((wrong = command_judge(inst, command, in->from, in->to)) != 0)
		return annex_refuse(inst, in, wrong, NULL);
	return act(inst, in, command);
}

/* --- The end of a life --------------------------------------------------- */

void
commands_reset(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->commands->by_age, l)
		session_free(annex_container_of(l, struct session, link));
	held_runs_end(inst->commands);
}

void
commands_finish(struct annex_instance *inst)
{
	if (inst->commands == NULL)
		return;
	commands_reset(inst);
	annex_pool_destroy(&inst->commands->pool);
	free(inst->commands);
	inst->commands = NULL;
}
