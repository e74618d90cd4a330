/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * command.c - commands, declared once: who may, and what a run gathers
 *
 * adhoc.c offers them over XMPP (XEP-0050), operator.c to annexctl.
 */
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "instance.h"
#include "run.h"

/* --- Which, and who may -------------------------------------------------- */

bool
command_is_offered(const struct annex_command *command)
{
	return command->who != ANNEX_WHO_OPERATOR;
}

bool
command_is_of_domain(const struct annex_command *command)
{
	return command->may == NULL;
}

static bool
any_is_offered(const struct annex_instance *inst, bool of_domain)
{
	for (const struct annex_command *c = inst->module->commands; c != NULL && c->node != NULL;
	     c++)
		if (command_is_offered(c) && command_is_of_domain(c) == of_domain)
			return true;
	return false;
}

bool
commands_are_offered(const struct annex_instance *inst)
{
	return any_is_offered(inst, true);
}

bool
commands_are_offered_below(const struct annex_instance *inst)
{
	return any_is_offered(inst, false);
}

static bool
is_among(const struct annex_instance *inst, enum annex_who group, const struct annex_jid *who)
{
	switch (group) {
	case ANNEX_WHO_ANYBODY:
		return true;
	case ANNEX_WHO_LOCAL:
		return annex_is_local(inst, who) || annex_is_admin(inst, who);
	case ANNEX_WHO_ADMIN:
		return annex_is_admin(inst, who);
	case ANNEX_WHO_OPERATOR:
		break;
	}
	return false;
}

enum annex_condition
command_judge(struct annex_instance *inst, const struct annex_command *command,
    const struct annex_jid *who, const struct annex_jid *at)
{
	if (!command_is_offered(command) || command_is_of_domain(command) != (at->local == NULL))
		return ANNEX_ITEM_NOT_FOUND;
	if (!is_among(inst, command->who, who))
		return ANNEX_FORBIDDEN;
	return command->may == NULL ? 0 : command->may(inst, who, at);
}

const struct annex_command *
command_find(const struct annex_instance *inst, const char *node)
{
	for (const struct annex_command *c = inst->module->commands; c != NULL && c->node != NULL;
	     c++)
		if (strcmp(c->node, node) == 0)
			return c;
	return NULL;
}

/* --- A run --------------------------------------------------------------- */

void
run_init(struct annex_run *run, struct annex_instance *inst, const struct annex_jid *by,
    const struct annex_jid *at, struct annex_pool *pool, struct annex_pool *values)
{
	*run =
	    (struct annex_run) { .inst = inst, .by = by, .at = at, .pool = pool, .values = values };
}

struct annex_pool *
annex_run_pool(struct annex_run *run)
{
	return run->values;
}

const struct annex_jid *
annex_run_by(const struct annex_run *run)
{
	return run->by;
}

const char *
annex_run_lang(const struct annex_run *run)
{
	return run->lang;
}

const struct annex_jid *
annex_run_at(const struct annex_run *run)
{
	return run->at;
}

static struct run_line *
line_add(struct annex_run *run, struct run_lines *lines)
{
	struct run_line *line = annex_new(run->pool, struct run_line);

	if (lines->last != NULL)
		lines->last->next = line;
	else
		lines->first = line;
	lines->last = line;
	lines->count++;
	return line;
}

void
annex_run_say(struct annex_run *run, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	line_add(run, &run->notes)->text = annex_vsprintf(run->pool, fmt, args);
	va_end(args);
}

static const char *const *
copy_texts(struct annex_pool *pool, const char *const *text, size_t n)
{
	const char **copy = annex_new_array(pool, const char *, n + 1);

	for (size_t i = 0; i < n; i++)
		copy[i] = annex_strdup(pool, text[i] != NULL ? text[i] : "");
	return copy;
}

void
annex_run_columns(struct annex_run *run, const char *const *var, const char *const *label)
{
	run->columns = 0;
	while (var[run->columns] != NULL)
		run->columns++;
	run->var = copy_texts(run->pool, var, run->columns);
	run->label = copy_texts(run->pool, label != NULL ? label : var, run->columns);
}

void
annex_run_row(struct annex_run *run, const char *const *value)
{
	struct run_line *line;

	CHECK(run->columns > 0);
	line = line_add(run, &run->rows);
	line->value = copy_texts(run->pool, value, run->columns);
	line->bytes = annex_run_row_bytes(run, line->value);
	run->rows.bytes += line->bytes;
}

size_t
annex_run_row_bytes(const struct annex_run *run, const char *const *value)
{
	size_t n = 0;

	for (size_t i = 0; i < run->columns; i++)
		n += 60 + bytes_on_wire(run->var[i]) + bytes_on_wire(value[i]);
	return n;
}

size_t
annex_run_bytes(const struct annex_run *run)
{
	return run->rows.bytes;
}

void
annex_run_fail(struct annex_run *run, enum annex_condition condition, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	run->error = (struct annex_error) {
		.condition = condition,
		.text = annex_vsprintf(run->pool, fmt, args),
	};
	va_end(args);
}

void
annex_run_ask(struct annex_run *run, const struct annex_form *form)
{
	run->asked = form;
}

/* What a status means to somebody far away. */
static const struct status_rule {
	int status;
	enum annex_condition condition;
} status_rules[] = {
	{ ANNEX_EINVAL, ANNEX_BAD_REQUEST },
	{ ANNEX_ENOENT, ANNEX_ITEM_NOT_FOUND },
	{ ANNEX_EEXIST, ANNEX_CONFLICT },
	{ ANNEX_ELIMIT, ANNEX_RESOURCE_CONSTRAINT },
	{ ANNEX_EFULL, ANNEX_RESOURCE_CONSTRAINT },
	{ ANNEX_EOFFLINE, ANNEX_SERVICE_UNAVAILABLE },
	{ ANNEX_EDENIED, ANNEX_FORBIDDEN },
};

static void
run_fail_status(struct annex_run *run, int status)
{
	run->error.condition = ANNEX_INTERNAL_SERVER_ERROR;
	run->error.text = annex_status_text(status);
	for (size_t i = 0; i < sizeof(status_rules) / sizeof(*status_rules); i++)
		if (status_rules[i].status == status)
			run->error.condition = status_rules[i].condition;
}

int
run_stage(struct annex_run *run, const struct annex_command *command, unsigned stage, void *values)
{
	int r;

	run->asked = NULL;
	r = command->run(run->inst, run, stage, values);
	if (r == ANNEX_AGAIN && run->asked == NULL) {
		annex_log(run->inst, ANNEX_LOG_BUG,
		    "command %s wants another stage but asked for no form", command->node);
		r = ANNEX_EIO;
	}
	if (r < 0 && run->error.condition == 0)
		run_fail_status(run, r);
	return r;
}

/* --- Forms that outlive their turn --------------------------------------- */

static struct annex_choice *
choices_copy(struct annex_pool *pool, const struct annex_choice *choices)
{
	struct annex_choice *copy;
	size_t n = 0;

	while (choices[n].value != NULL)
		n++;
	copy = annex_new_array(pool, struct annex_choice, n + 1);
	for (size_t i = 0; i < n; i++) {
		copy[i].value = annex_strdup(pool, choices[i].value);
		copy[i].label = annex_strdup(pool, choices[i].label);
	}
	return copy;
}

struct annex_form *
form_copy(struct annex_pool *pool, const struct annex_form *form)
{
	struct annex_form *copy = annex_new(pool, struct annex_form);
	struct annex_field *field;
	size_t n = 0;

	while (form->fields[n].var != NULL)
		n++;
	field = annex_new_array(pool, struct annex_field, n + 1);
	for (size_t i = 0; i < n; i++) {
		field[i] = form->fields[i];
		field[i].var = annex_strdup(pool, field[i].var);
		field[i].label = annex_strdup(pool, field[i].label);
		field[i].desc = annex_strdup(pool, field[i].desc);
		field[i].datatype = annex_strdup(pool, field[i].datatype);
		field[i].pattern = annex_strdup(pool, field[i].pattern);
		if (field[i].choices != NULL)
			field[i].choices = choices_copy(pool, field[i].choices);
	}
	copy->type = annex_strdup(pool, form->type);
	copy->title = annex_strdup(pool, form->title);
	copy->instructions = annex_strdup(pool, form->instructions);
	copy->fields = field;
	copy->languages = form->languages;
	return copy;
}

/* Members that are texts, each once, whichever forms they are in. */
void
texts_note(struct texts *texts, const struct annex_form *form)
{
	for (const struct annex_field *f = form->fields; f->var != NULL; f++) {
		size_t i = 0;

		if (f->member != ANNEX_MEMBER_TEXT && f->member != ANNEX_MEMBER_TEXTS)
			continue;
		while (i < texts->count && texts->text[i].offset != f->offset)
			i++;
		if (i < texts->count)
			continue;
		texts->text = mem_resize(texts->text, (i + 1) * sizeof(*texts->text));
		texts->text[texts->count++] =
		    (struct text_member) { f->offset, f->member == ANNEX_MEMBER_TEXTS };
	}
}

void
texts_move(const struct texts *texts, struct annex_pool *pool, void *values)
{
	for (size_t i = 0; i < texts->count; i++) {
		void *member = (char *)values + texts->text[i].offset;

		if (texts->text[i].several) {
			struct annex_strings *s = member;

			s->value = copy_texts(pool, s->value, s->count);
		} else {
			*(const char **)member = annex_strdup(pool, *(const char **)member);
		}
	}
}
