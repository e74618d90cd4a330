/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * form_read.c - submitted forms, judged by their table and read into its struct
 *
 * Nothing is written before everything was judged: each row first becomes a
 * struct answer, and only a form that is right as a whole is applied.
 *
 * A field sent without a value unsets a text or a list (XEP-0004 §3.6) and
 * means false (§3.3); a number and a closed list have no such state.
 */
#include <stdint.h>
#include <string.h>

#include <annex/form.h>
#include <annex/pool.h>

#include "base/check.h"
#include "form.h"

/* What one row of the table was answered. */
struct answer {
	bool is_sent;
	bool truth;
	int64_t number;
	const char *text;
	struct annex_strings texts;
};

static int
read_truth(
    struct reading *r, const struct annex_field *field, const char *value, struct answer *answer)
{
	if (value[0] == '\0')
		return ANNEX_OK;
	if (!annex_datatype_matches("xs:boolean", value))
		return field_refuse(r, field, value, "expected true or false");
	answer->truth = value[0] == '1' || value[0] == 't';
	return ANNEX_OK;
}

static int
read_text(
    struct reading *r, const struct annex_field *field, const char *value, struct answer *answer)
{
	/* Nothing is no JID and no date, but it unsets one. */
	if (value[0] == '\0' && (field->min <= 0 || field_is_number(field)) &&
	    (!field_is_list(field) || field->open)) {
		answer->text = "";
		return ANNEX_OK;
	}
	return field_judge_text(r, field, value, &answer->text);
}

static struct annex_element *
first_value(const struct annex_element *el)
{
	return annex_child(el, ANNEX_NS_FORM, "value");
}

static struct annex_element *
next_value(const struct annex_element *value)
{
	return annex_child_after(value, ANNEX_NS_FORM, "value");
}

/* The values of a text-multi as one text, a line each. */
static int
read_lines(struct reading *r, const struct annex_field *field, const struct annex_element *el,
    struct answer *answer)
{
	const struct annex_element *v;
	size_t len = 0, part;
	char *at;
	int status;

	for (v = first_value(el); v != NULL; v = next_value(v))
		len += strlen(annex_text(v)) + (next_value(v) != NULL);
	if ((status = field_judge_length(r, field, len)) < 0)
		return status;
	answer->text = at = annex_pool_alloc(r->pool, len + 1);
	for (v = first_value(el); v != NULL; v = next_value(v)) {
		part = strlen(annex_text(v));
		memcpy(at, annex_text(v), part);
		at += part;
		if (next_value(v) != NULL)
			*at++ = '\n';
	}
	*at = '\0';
	return ANNEX_OK;
}

/* Several values.  A JID or a choice given twice counts once (XEP-0004 §3.3);
 * a value of nothing says nothing, except as a line of text. */
static int
read_texts(struct reading *r, const struct annex_field *field, const struct annex_element *el,
    struct answer *answer)
{
	bool is_set = field_is_jid(field) || field_is_list(field);
	size_t most = field->most == 0 ? FIELD_MOST : field->most, n = 0;
	const struct annex_element *v;
	const char **text;
	int status;

	for (v = first_value(el); v != NULL; v = next_value(v))
		n++;
	/* Twice as many may be given as may stay: so much for those given twice. */
	if (n > 2 * most)
		return field_refuse(r, field, NULL,
		    annex_sprintf(r->pool, "expected at most %zu values, not %zu", most, n));
	answer->texts.value = text = annex_new_array(r->pool, const char *, n);
	for (v = first_value(el); v != NULL; v = next_value(v)) {
		if (is_set && annex_text(v)[0] == '\0' && !field_has_choice(field, ""))
			continue;
		status = field_judge_text(r, field, annex_text(v), &text[answer->texts.count]);
		if (status < 0)
			return status;
		if (!is_set || !annex_strings_have(&answer->texts, text[answer->texts.count]))
			answer->texts.count++;
	}
	if (answer->texts.count > most)
		return field_refuse(r, field, NULL,
		    annex_sprintf(r->pool, "expected at most %zu values, not %zu", most,
			answer->texts.count));
	return ANNEX_OK;
}

static int
read_single(struct reading *r, const struct annex_field *field, const struct annex_element *el,
    struct answer *answer)
{
	const struct annex_element *v = first_value(el);
	const char *value = v == NULL ? "" : annex_text(v);

	if (v != NULL && next_value(v) != NULL)
		return field_refuse(r, field, NULL, "expected one value, not several");
	switch (field->member) {
	case ANNEX_MEMBER_BOOL:
		return read_truth(r, field, value, answer);
	case ANNEX_MEMBER_INT:
		return field_judge_number(r, field, value, &answer->number);
	default:
		return read_text(r, field, value, answer);
	}
}

static int
read_field(struct reading *r, const struct annex_field *field, const struct annex_element *el,
    struct answer *answer)
{
	answer->is_sent = true;
	if (field->member == ANNEX_MEMBER_TEXTS)
		return read_texts(r, field, el, answer);
	if (field->member == ANNEX_MEMBER_TEXT && field->type == ANNEX_TEXT_MULTI)
		return read_lines(r, field, el, answer);
	return read_single(r, field, el, answer);
}

/* Whether the row has no value, neither a new one nor the one it had. */
static bool
is_empty(const struct annex_field *field, const struct answer *answer, const void *values)
{
	const void *member = (const char *)values + field->offset;
	const char *text;

	switch (field->member) {
	case ANNEX_MEMBER_TEXT:
		text = answer->is_sent ? answer->text : *(const char *const *)member;
		return text == NULL || text[0] == '\0';
	case ANNEX_MEMBER_TEXTS:
		return (answer->is_sent ? &answer->texts : (const struct annex_strings *)member)
			   ->count == 0;
	default:
		return false;
	}
}

static void
apply(const struct annex_field *field, const struct answer *answer, void *values)
{
	void *member = (char *)values + field->offset;

	switch (field->member) {
	case ANNEX_MEMBER_BOOL:
		*(bool *)member = answer->truth;
		break;
	case ANNEX_MEMBER_INT:
		*(int64_t *)member = answer->number;
		break;
	case ANNEX_MEMBER_TEXT:
		*(const char **)member = answer->text;
		break;
	case ANNEX_MEMBER_TEXTS:
		*(struct annex_strings *)member = answer->texts;
		break;
	}
}

/* Whether x is a submission of this form at all. */
static int
judge_form(struct reading *r, const struct annex_form *form, const struct annex_element *x)
{
	const char *kind = x == NULL ? NULL : annex_attr(x, "type"), *type;

	if (x == NULL || kind == NULL || strcmp(kind, "submit") != 0) {
		*r->why = "A data form of type \"submit\" is expected.";
		return ANNEX_EINVAL;
	}
	type = annex_form_value(x, "FORM_TYPE");
	if (form->type != NULL && type != NULL && strcmp(type, form->type) != 0) {
		*r->why = annex_sprintf(r->pool, "FORM_TYPE: expected %s.", form->type);
		return ANNEX_EINVAL;
	}
	return ANNEX_OK;
}

static int
judge_field(struct reading *r, const struct annex_field *field, const struct annex_element *x,
    const void *values, struct answer *answer)
{
	const struct annex_element *el;
	int status;

	if (field->type == ANNEX_FIXED)
		return ANNEX_OK;
	if ((el = form_field(x, field->var)) != NULL &&
	    (status = read_field(r, field, el, answer)) < 0)
		return status;
	if (field->required && is_empty(field, answer, values))
		return field_refuse(r, field, NULL, "expected a value");
	return ANNEX_OK;
}

int
annex_form_read(const struct annex_form *form, const struct annex_element *x, void *values,
    uint64_t *set_r, struct annex_pool *pool, const char **why)
{
	struct reading r = { pool, why };
	struct answer *answers;
	size_t n = 0;
	int status;

	*why = NULL;
	if ((status = judge_form(&r, form, x)) < 0)
		return status;
	while (form->fields != NULL && form->fields[n].var != NULL)
		n++;
	CHECK(set_r == NULL || n <= 64);
	answers = annex_new_array(pool, struct answer, n);
	for (size_t i = 0; i < n; i++)
		if ((status = judge_field(&r, &form->fields[i], x, values, &answers[i])) < 0)
			return status;
	if (set_r != NULL)
		*set_r = 0;
	for (size_t i = 0; i < n; i++) {
		if (!answers[i].is_sent)
			continue;
		apply(&form->fields[i], &answers[i], values);
		if (set_r != NULL)
			*set_r |= UINT64_C(1) << i;
	}
	return ANNEX_OK;
}
