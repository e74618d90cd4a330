/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * form_judge.c - what is handed in for a field, judged by its row
 *
 * What is refused is said in one sentence that names the field as the user knows it
 * and as the protocol does, what was expected and what came.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <annex/form.h>
#include <annex/jid.h>
#include <annex/pool.h>

#include "base/utf8.h"
#include "form.h"

#define SHOWN_MAX 100 /* bytes of a refused value that are repeated */

static const char *
field_title(struct reading *r, const struct annex_field *field)
{
	if (field->label == NULL || field->label[0] == '\0')
		return field->var;
	return annex_sprintf(r->pool, "%s (%s)", field->label, field->var);
}

int
field_refuse(
    struct reading *r, const struct annex_field *field, const char *value, const char *expected)
{
	const char *title = field_title(r, field);
	size_t len, shown;

	if (value == NULL || field->type == ANNEX_TEXT_PRIVATE) {
		*r->why = annex_sprintf(r->pool, "%s: %s.", title, expected);
		return ANNEX_EINVAL;
	}
	len = strlen(value);
	shown = utf8_cut(value, len, SHOWN_MAX);
	*r->why = annex_sprintf(r->pool, "%s: %s, not \"%.*s%s\".", title, expected, (int)shown,
	    value, shown < len ? "..." : "");
	return ANNEX_EINVAL;
}

static int
judge_choice(struct reading *r, const struct annex_field *field, const char *value)
{
	const char *list = "one of";

	if (!field_is_list(field) || field->open || field_has_choice(field, value))
		return ANNEX_OK;
	for (const struct annex_choice *c = field->choices; c != NULL && c->value != NULL; c++)
		list = annex_sprintf(
		    r->pool, "%s%s %s", list, c == field->choices ? "" : ",", c->value);
	return field_refuse(r, field, value, annex_sprintf(r->pool, "expected %s", list));
}

int
field_judge_length(struct reading *r, const struct annex_field *field, size_t len)
{
	bool is_number = field_is_number(field); /* whose bounds are of another kind */
	size_t min = field->min > 0 && !is_number ? (size_t)field->min : 0;
	size_t max = field->max > 0 && !is_number ? (size_t)field->max : FIELD_TEXT_MAX;

	if (len < min)
		return field_refuse(r, field, NULL,
		    annex_sprintf(r->pool, "expected at least %zu bytes, not %zu", min, len));
	if (len > max)
		return field_refuse(r, field, NULL,
		    annex_sprintf(r->pool, "expected at most %zu bytes, not %zu", max, len));
	return ANNEX_OK;
}

bool
field_is_jid(const struct annex_field *field)
{
	return field->type == ANNEX_JID_SINGLE || field->type == ANNEX_JID_MULTI;
}

/* xs:integer with white space around it, as people type it. */
static bool
number_of(const char *value, int64_t *number_r)
{
	static const char white[] = " \t\r\n";
	const char *digits = value + strspn(value, white);
	char *end;

	digits += *digits == '+' || *digits == '-';
	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	*number_r = strtoimax(value, &end, 10);
	return errno == 0 && end[strspn(end, white)] == '\0';
}

static bool
is_in_range(const struct annex_field *field, int64_t n)
{
	return !field_has_range(field) || (n >= field->min && n <= field->max);
}

static const char *
number_expected(struct reading *r, const struct annex_field *field)
{
	if (!field_has_range(field))
		return "expected a whole number";
	if (field->max == INT64_MAX)
		return annex_sprintf(
		    r->pool, "expected a whole number of at least %" PRId64, field->min);
	if (field->min == INT64_MIN)
		return annex_sprintf(
		    r->pool, "expected a whole number of at most %" PRId64, field->max);
	return annex_sprintf(r->pool, "expected a whole number from %" PRId64 " to %" PRId64,
	    field->min, field->max);
}

/* A number that is kept as a text, which is of its datatype: larger than any is as the largest; the words
 * that some datatypes have are in any range (XEP-0060 §12.23). */
static int
judge_number_text(struct reading *r, const struct annex_field *field, const char *value)
{
	const char *digits = value + (*value == '+' || *value == '-');

	if (*digits < '0' || *digits > '9' || is_in_range(field, strtoimax(value, NULL, 10)))
		return ANNEX_OK;
	return field_refuse(r, field, value, number_expected(r, field));
}

/* One text, judged by all that the row says; *text_r is in the pool. */
int
field_judge_text(
    struct reading *r, const struct annex_field *field, const char *value, const char **text_r)
{
	const struct annex_jid *jid;
	int status;

	if (field_is_jid(field)) {
		if ((jid = annex_jid(r->pool, value)) == NULL)
			return field_refuse(r, field, value, "expected a JID");
		*text_r = jid->full;
		return ANNEX_OK;
	}
	if ((status = judge_choice(r, field, value)) < 0 ||
	    (status = field_judge_length(r, field, strlen(value))) < 0)
		return status;
	if (field->datatype != NULL && !annex_datatype_matches(field->datatype, value))
		return field_refuse(r, field, value,
		    annex_sprintf(r->pool, "expected the datatype %s", field->datatype));
	if (field_has_range(field) && (status = judge_number_text(r, field, value)) < 0)
		return status;
	if (field->pattern != NULL && !field_pattern_matches(field->pattern, value))
		return field_refuse(r, field, value,
		    annex_sprintf(r->pool, "expected what matches %s", field->pattern));
	*text_r = annex_strdup(r->pool, value);
	return ANNEX_OK;
}

int
field_judge_number(
    struct reading *r, const struct annex_field *field, const char *value, int64_t *number_r)
{
	if (!number_of(value, number_r) || !is_in_range(field, *number_r))
		return field_refuse(r, field, value, number_expected(r, field));
	return judge_choice(r, field, annex_sprintf(r->pool, "%" PRId64, *number_r));
}
