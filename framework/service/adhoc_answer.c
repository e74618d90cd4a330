/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * adhoc_answer.c - what a command has to say, over XMPP (XEP-0050)
 */
#include "instance.h"
#include "adhoc.h"

struct annex_element *
adhoc_answer(struct annex_stanza *out, const struct session *s, const char *status)
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

enum annex_verdict
adhoc_answer_completed(
    const struct annex_stanza *in, const struct session *s, const struct annex_run *run)
{
	struct annex_stanza *out = annex_reply(s->inst, in);
	struct annex_element *el = adhoc_answer(out, s, "completed");
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

enum annex_verdict
adhoc_answer_form(
    const struct annex_stanza *in, const struct session *s, const struct annex_run *run)
{
	struct annex_stanza *out = annex_reply(s->inst, in);
	struct annex_element *el = adhoc_answer(out, s, "executing");

	answer_actions(el, s);
	annex_form_ask(el, s->form[s->stage], s->values, annex_lang(in->element));
	if (run != NULL)
		answer_notes(el, run);
	annex_send(s->inst, out);
	return ANNEX_DONE;
}
