/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * adhoc.c - commands over XMPP (XEP-0050)
 *
 * An action is looked up, its session found or begun (adhoc_session.c), and a stage
 * run or its form shown again: "prev" goes back with what was entered
 * (§3.4.2).
 */
#include <string.h>

#include <annex/map.h>

#include "instance.h"
#include "adhoc.h"

#define SESSION_BYTES_MAX (64 << 10)

/* --- Steps --------------------------------------------------------------- */

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
run_step(struct session *s, const struct annex_stanza *in)
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
		verdict = adhoc_answer_completed(in, s, &run);
		session_free(s);
		return verdict;
	}
	if (s->stage + 1 >= RUN_STAGES_MAX) {
		annex_run_fail(&run, ANNEX_INTERNAL_SERVER_ERROR, "The command has no end.");
		return step_failed(inst, in, s, &run);
	}
	s->form[++s->stage] = run.asked;
	session_rehome(s);
	return adhoc_answer_form(in, s, &run);
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
submit(struct session *s, const struct annex_stanza *in, const struct annex_element *x)
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
	return run_step(s, in);
}

static enum annex_verdict
start(struct annex_instance *inst, const struct annex_stanza *in,
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
		return run_step(s, in);
	return x != NULL ? submit(s, in, x) : adhoc_answer_form(in, s, &run);
}

static enum annex_verdict
go_back(struct session *s, const struct annex_stanza *in)
{
	if (!session_can_go_back(s))
		return refuse(s->inst, in, &bad_action, "There is no earlier stage.");
	s->stage--;
	session_rehome(s);
	return adhoc_answer_form(in, s, NULL);
}

static enum annex_verdict
cancel(struct session *s, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_reply(s->inst, in);
	struct annex_instance *inst = s->inst;

	adhoc_answer(out, s, "canceled");
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
go_on(struct session *s, const struct annex_stanza *in, enum action action,
    const struct annex_element *x)
{
	session_touch(s);
	if (action == CANCEL)
		return cancel(s, in);
	if (action == PREV)
		return go_back(s, in);
	if ((action == NEXT && session_is_last(s)) || (action == COMPLETE && !session_is_last(s)))
		return refuse(s->inst, in, &bad_action, "That is not possible at this stage.");
	return submit(s, in, x);
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
		return go_on(s, in, action, x);
	if (action == CANCEL)
		return refuse(inst, in, &bad_sessionid, NULL);
	if (action != EXECUTE && (action == PREV || x == NULL))
		return refuse(inst, in, &bad_action, "Nothing was started.");
	return start(inst, in, command, x);
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
		    session_was(inst->commands, id) ? &session_expired : &bad_sessionid, NULL);
	if (!session_is_of(s, command, in))
		return refuse(inst, in, &bad_sessionid, NULL);
	return go_on(s, in, action, x);
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
