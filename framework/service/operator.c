/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * operator.c - declared commands for annexctl
 *
 * The fields of all stages come at once, as JSON; each stage takes those of
 * its form.  A field that no form has is refused before the last stage runs,
 * so that a misspelt one changes nothing.
 */
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/check.h"
#include "base/nearest.h"
#include "instance.h"
#include "run.h"
#include "xmpp/form.h"

/* One call: the arguments, and which of them a form has had. */
struct call {
	struct annex_instance *inst;
	struct annex_pool *pool;
	const struct annex_command *command;
	json_t *args, *used;
	struct annex_run run;
	void *values;
	const struct annex_form *form[RUN_STAGES_MAX];
	unsigned stage;
	const char *why;
};

static int
fail(struct call *call, int status, const char *why)
{
	call->why = why;
	return status;
}

/* --- Arguments ----------------------------------------------------------- */

/* People write yes and no. */
static const char *
boolean_of(const char *text)
{
	static const struct {
		const char *word, *value;
	} words[] = { { "yes", "1" }, { "on", "1" }, { "no", "0" }, { "off", "0" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(words[i].word, text) == 0)
			return words[i].value;
	return text;
}

static const char *
text_of(struct call *call, const struct annex_field *field, const json_t *value)
{
	if (json_is_string(value))
		return field->type == ANNEX_BOOLEAN ? boolean_of(json_string_value(value))
						    : json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "1" : "0";
	if (json_is_integer(value))
		return annex_sprintf(call->pool, "%lld", (long long)json_integer_value(value));
	return NULL;
}

static bool
is_multi(const struct annex_field *field)
{
	return field->type == ANNEX_JID_MULTI || field->type == ANNEX_LIST_MULTI ||
	    field->type == ANNEX_TEXT_MULTI;
}

static int
value_add(struct call *call, const struct annex_field *field, struct annex_element *el,
    const json_t *value)
{
	const char *text = text_of(call, field, value);

	if (text == NULL)
		return fail(call, ANNEX_EINVAL,
		    annex_sprintf(call->pool, "field \"%s\" takes a text", field->var));
	annex_add_text(el, NULL, "value", text);
	return ANNEX_OK;
}

static int
field_add(struct call *call, const struct annex_field *field, struct annex_element *x)
{
	json_t *value = json_object_get(call->args, field->var);
	struct annex_element *el;
	int r = ANNEX_OK;

	if (value == NULL)
		return ANNEX_OK;
	json_object_set_new(call->used, field->var, json_true());
	el = annex_add(x, NULL, "field");
	annex_attr_set(el, "var", field->var);
	if (!json_is_array(value))
		return value_add(call, field, el, value);
	if (!is_multi(field) && json_array_size(value) > 1)
		return fail(call, ANNEX_EINVAL,
		    annex_sprintf(call->pool, "field \"%s\" takes one value", field->var));
	for (size_t i = 0; i < json_array_size(value) && r >= 0; i++)
		r = value_add(call, field, el, json_array_get(value, i));
	return r;
}

static size_t
vars_of(const struct call *call, const char **var, size_t most)
{
	size_t n = 0;

	for (unsigned i = 0; i <= call->stage; i++)
		for (const struct annex_field *f = call->form[i] != NULL ? call->form[i]->fields
									 : NULL;
		     f != NULL && f->var != NULL && n < most; f++)
			if (f->type != ANNEX_FIXED)
				var[n++] = f->var;
	return n;
}

/* Nothing may be left over once the last form is known. */
static int
refuse_unknown(struct call *call)
{
	const char *var[256], *key, *near;
	json_t *value;

	json_object_foreach(call->args, key, value)
	{
		if (json_object_get(call->used, key) != NULL)
			continue;
		near = nearest(key, var, vars_of(call, var, 256));
		return fail(call, ANNEX_EINVAL,
		    near == NULL
			? annex_sprintf(
			      call->pool, "%s has no field \"%s\"", call->command->node, key)
			: annex_sprintf(call->pool, "%s has no field \"%s\"; did you mean \"%s\"?",
			      call->command->node, key, near));
	}
	return ANNEX_OK;
}

static int
take_fields(struct call *call)
{
	const struct annex_form *form = call->form[call->stage];
	struct annex_element *x = annex_element(call->pool, ANNEX_NS_FORM, "x");
	int r;

	annex_attr_set(x, "type", "submit");
	for (const struct annex_field *f = form != NULL ? form->fields : NULL;
	     f != NULL && f->var != NULL; f++)
		if ((r = field_add(call, f, x)) < 0)
			return r;
	if (call->stage + 1 >= call->command->stages && (r = refuse_unknown(call)) < 0)
		return r;
	if (form == NULL)
		return ANNEX_OK;
	return annex_form_read(form, x, call->values, NULL, call->pool, &call->why);
}

/* --- Running ------------------------------------------------------------- */

/* One stage; ANNEX_AGAIN where another follows. */
static int
stage_run(struct call *call)
{
	int r;

	if ((r = take_fields(call)) < 0)
		return r;
	r = run_stage(&call->run, call->command, call->stage, call->values);
	if (r < 0)
		return fail(call, r, call->run.error.text);
	if (r == ANNEX_AGAIN) {
		if (call->stage + 1 >= RUN_STAGES_MAX)
			return fail(call, ANNEX_EIO, "the command has no end");
		call->form[++call->stage] = form_copy(call->pool, call->run.asked);
	}
	return r;
}

static int
stages_run(struct call *call)
{
	int r = ANNEX_AGAIN;

	if (call->command->preset != NULL)
		call->command->preset(call->inst, &call->run, call->values);
	if (call->run.error.condition != 0)
		r = fail(call, ANNEX_EDENIED, call->run.error.text);
	while (r == ANNEX_AGAIN)
		r = stage_run(call);
	return r;
}

static json_t *
array_of(const char *const *text, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_string(text[i]));
	return array;
}

static json_t *
result_of(const struct annex_run *run)
{
	json_t *result = json_object(), *say = json_array(), *rows = json_array();

	for (const struct run_line *l = run->notes.first; l != NULL; l = l->next)
		json_array_append_new(say, json_string(l->text));
	for (const struct run_line *l = run->rows.first; l != NULL; l = l->next)
		json_array_append_new(rows, array_of(l->value, run->columns));
	json_object_set_new(result, "say", say);
	json_object_set_new(result, "columns", array_of(run->var, run->columns));
	json_object_set_new(result, "labels", array_of(run->label, run->columns));
	json_object_set_new(result, "rows", rows);
	return result;
}

static void
held_free(struct held_run *held)
{
	struct annex_pool *pool = held->run.pool;

	annex_list_remove(&held->link);
	annex_pool_destroy(&pool);
}

static int
no_such_command(struct call *call, const char *node)
{
	const struct annex_command *commands = call->inst->module->commands;
	const char *name[64], *near;
	size_t n = 0;

	for (; commands != NULL && commands->node != NULL && n < 64; commands++)
		if (command_is_of_domain(commands))
			name[n++] = commands->node;
	near = nearest(node, name, n);
	return fail(call, ANNEX_ENOENT,
	    near == NULL ? annex_sprintf(call->pool, "there is no command \"%s\"", node)
			 : annex_sprintf(call->pool,
			       "there is no command \"%s\"; did you mean \"%s\"?", node, near));
}

static int
call_run(struct call *call, const char *node, int *fd, json_t **result_r)
{
	int r;

	call->command = command_find(call->inst, node);
	if (call->command == NULL || !command_is_of_domain(call->command))
		return no_such_command(call, node);
	if (call->args != NULL && !json_is_object(call->args))
		return fail(call, ANNEX_EINVAL, "the fields are not an object");
	call->used = json_object();
	call->values = annex_pool_zalloc(call->pool, call->command->values_size);
	call->form[0] = call->command->form;
	run_init(&call->run, call->inst, NULL, call->inst->jid, call->pool, call->pool);
	call->run.fd = fd;
	r = stages_run(call);
	json_decref(call->used);
	if (r >= 0 && call->run.held == NULL)
		*result_r = result_of(&call->run);
	if (r < 0 && call->run.held != NULL)
		held_free(call->run.held);
	return r;
}

/* *why_r is good until the next call. */
int
commands_run(struct annex_instance *inst, const char *node, struct json_t *args, int *fd,
    struct json_t **result_r, struct held_run **held_r, const char **why_r)
{
	struct call call = { .inst = inst, .pool = inst->commands->answer, .args = args };
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	annex_pool_reset(call.pool);
	*result_r = NULL;
	*why_r = NULL;
	r = call_run(&call, node, fd, result_r);
	*held_r = r < 0 ? NULL : call.run.held;
	if (r < 0)
		*why_r = call.why != NULL ? call.why : annex_status_text(r);
	return r;
}

/* --- Answers that come later ------------------------------------------------ */

int
annex_run_file(struct annex_run *run)
{
	int fd = run->fd == NULL ? -1 : *run->fd;

	if (fd >= 0)
		*run->fd = -1;
	return fd;
}

struct annex_run *
annex_run_hold(struct annex_run *run)
{
	struct annex_pool *pool = annex_pool_create(run->inst->commands->pool, "held run");
	struct held_run *held = annex_new(pool, struct held_run);

	CHECK(run->fd != NULL && run->held == NULL);
	run_init(&held->run, run->inst, run->by, run->at, pool, pool);
	annex_list_append(&run->inst->commands->held, &held->link);
	run->held = held;
	return &held->run;
}

void
annex_run_end(struct annex_run **runp)
{
	struct held_run *held = annex_container_of(*runp, struct held_run, run);
	bool failed = held->run.error.condition != 0;

	*runp = NULL;
	CHECK(held->answer != NULL); /* the call that holds it has returned */
	held->answer(held->cookie, failed ? NULL : result_of(&held->run),
	    failed ? held->run.error.text : NULL);
	held_free(held);
}

void
held_runs_end(struct commands *commands)
{
	ANNEX_LIST_EACH (&commands->held, l) {
		struct held_run *held = annex_container_of(l, struct held_run, link);

		if (held->answer != NULL)
			held->answer(held->cookie, NULL,
			    "it was interrupted, as the component ended or began anew; do it again");
		held_free(held);
	}
}

void
command_on_answer(struct held_run *held, held_answer_fn *answer, void *cookie)
{
	held->answer = answer;
	held->cookie = cookie;
}

/* --- Help ---------------------------------------------------------------- */

static json_t *
describe_field(const struct annex_field *field)
{
	json_t *o = json_object(), *choices;

	json_object_set_new(o, "var", json_string(field->var));
	json_object_set_new(o, "type", json_string(field_type_name(field->type)));
	json_object_set_new(o, "required", json_boolean(field->required));
	if (field->label != NULL)
		json_object_set_new(o, "label", json_string(field->label));
	if (field->desc != NULL)
		json_object_set_new(o, "help", json_string(field->desc));
	if (field->datatype != NULL && strcmp(field->datatype, ANNEX_FILE) == 0)
		json_object_set_new(o, "file", json_true());
	if (field->choices == NULL)
		return o;
	choices = json_array();
	for (const struct annex_choice *c = field->choices; c->value != NULL; c++)
		json_array_append_new(choices, json_string(c->value));
	json_object_set_new(o, "choices", choices);
	return o;
}

static json_t *
describe(const struct annex_command *command)
{
	json_t *o = json_object(), *fields = json_array();

	json_object_set_new(o, "node", json_string(command->node));
	json_object_set_new(o, "name", json_string(command->name));
	if (command->help != NULL)
		json_object_set_new(o, "help", json_string(command->help));
	for (const struct annex_field *f = command->form != NULL ? command->form->fields : NULL;
	     f != NULL && f->var != NULL; f++)
		if (f->type != ANNEX_FIXED)
			json_array_append_new(fields, describe_field(f));
	json_object_set_new(o, "fields", fields);
	return o;
}

struct json_t *
commands_list(struct annex_instance *inst)
{
	json_t *list = json_array();

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	for (const struct annex_command *c = inst->module->commands; c != NULL && c->node != NULL;
	     c++)
		if (command_is_of_domain(c))
			json_array_append_new(list, describe(c));
	return list;
}
