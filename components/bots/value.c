/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * value.c - what people say to a field: in a form (XEP-0004), to a question, in an event
 *
 * In between a value is one text: of several values a line each, of a boolean
 * true or false.  What people enter in a form or say is judged here, once
 * (XEP-0122); what is hidden or fixed is the program's word, whatever comes back.
 */
#include <string.h>
#include <strings.h>

#include "field.h"

#define NS_MEDIA "urn:xmpp:media-element"

/* XEP-0122 §5: those that people are asked for, what they are to them, and how a range is judged. */
static const struct field_datatype datatypes[] = {
	{ "xs:string", "a text", FIELD_UNORDERED },
	{ "xs:anyURI", "a link", FIELD_UNORDERED },
	{ "xs:boolean", "true or false", FIELD_UNORDERED },
	{ "xs:byte", "a whole number", FIELD_BY_NUMBER },
	{ "xs:date", "a date such as 2026-01-31", FIELD_BY_TEXT },
	{ "xs:dateTime", "a time such as 2026-01-31T08:00:00Z", FIELD_BY_TIME },
	{ "xs:decimal", "a number", FIELD_BY_NUMBER },
	{ "xs:double", "a number", FIELD_BY_NUMBER },
	{ "xs:float", "a number", FIELD_BY_NUMBER },
	{ "xs:int", "a whole number", FIELD_BY_NUMBER },
	{ "xs:integer", "a whole number", FIELD_BY_NUMBER },
	{ "xs:language", "a language such as en", FIELD_UNORDERED },
	{ "xs:long", "a whole number", FIELD_BY_NUMBER },
	{ "xs:nonNegativeInteger", "a whole number", FIELD_BY_NUMBER },
	{ "xs:positiveInteger", "a whole number above 0", FIELD_BY_NUMBER },
	{ "xs:short", "a whole number", FIELD_BY_NUMBER },
	{ "xs:time", "a time of the day such as 08:00:00", FIELD_BY_TEXT },
	{ "xs:unsignedInt", "a whole number", FIELD_BY_NUMBER },
	{ 0 },
};

const struct field_datatype *
field_datatype(const char *name)
{
	const struct field_datatype *d = datatypes;

	while (d->name != NULL && strcmp(d->name, name) != 0)
		d++;
	return d->name == NULL ? NULL : d;
}

/* Below 0, 0 or above: as both are of that type. */
static int
compare(enum field_order order, const char *a, const char *b)
{
	int64_t a_ms = 0, b_ms = 0;
	double x, y;

	if (order == FIELD_BY_TEXT)
		return strcmp(a, b);
	if (order == FIELD_BY_TIME) {
		if (annex_datetime_read(a, &a_ms) < 0 || annex_datetime_read(b, &b_ms) < 0)
			return 0;
		return a_ms < b_ms ? -1 : a_ms > b_ms;
	}
	x = strtod(a, NULL);
	y = strtod(b, NULL);
	return x < y ? -1 : x > y;
}

/* --- Judging -------------------------------------------------------------------------------- */

static bool
is_option(const struct field *f, const char *value)
{
	for (const char *const *o = f->options; o != NULL && *o != NULL; o++)
		if (strcmp(*o, value) == 0)
			return true;
	return false;
}

/* "a whole number from 1 to 10" */
static const char *
range_said(const struct field *f, struct annex_pool *pool)
{
	const char *what = field_datatype(f->datatype)->said;

	if (f->min != NULL && f->max != NULL)
		return annex_sprintf(pool, "%s from %s to %s", what, f->min, f->max);
	if (f->min != NULL || f->max != NULL)
		return annex_sprintf(pool, "%s, at %s %s", what, f->min != NULL ? "least" : "most",
		    f->min != NULL ? f->min : f->max);
	return what;
}

static const char *
wrong_with(const struct field *f, const char *value, struct annex_pool *pool)
{
	const char *datatype = f->datatype != NULL ? f->datatype : f->kind->datatype;
	const struct field_datatype *d = datatype == NULL ? NULL : field_datatype(datatype);

	if (f->kind->address && annex_jid(pool, value) == NULL)
		return f->kind->said;
	if (f->kind->listed && !f->open && !is_option(f, value))
		return "one of those that are offered";
	if (datatype != NULL && !annex_datatype_matches(datatype, value))
		return f->datatype == NULL ? f->kind->said : range_said(f, pool);
	if ((f->min != NULL && compare(d->order, value, f->min) < 0) ||
	    (f->max != NULL && compare(d->order, value, f->max) > 0))
		return range_said(f, pool);
	if (f->pattern != NULL && !pattern_matches(f->pattern, value, pool))
		return annex_sprintf(pool, "of the form %s", f->pattern);
	return NULL;
}

/* The next line of values, in pool; NULL at the end. */
static const char *
next_value(const struct field *f, const char **at, struct annex_pool *pool)
{
	const char *value = *at;
	size_t len;

	if (value == NULL || (*value == '\0' && f->kind->many))
		return NULL;
	len = f->kind->many ? strcspn(value, "\n") : strlen(value);
	*at = value[len] == '\n' ? value + len + 1 : NULL;
	return annex_strndup(pool, value, len);
}

const char *
field_wrong(const struct field *f, const char *value, struct annex_pool *pool)
{
	const char *one, *why;
	size_t n = 0;

	if (*value == '\0')
		return f->required ? "something" : NULL;
	while ((one = next_value(f, &value, pool)) != NULL) {
		if ((why = wrong_with(f, one, pool)) != NULL)
			return why;
		n++;
	}
	if (f->kind->many && (n < f->least || n > f->most))
		return f->least > 0 ? annex_sprintf(pool, "%zu to %zu of them", f->least, f->most)
				    : annex_sprintf(pool, "at most %zu of them", f->most);
	return NULL;
}

/* --- What people say ------------------------------------------------------------------------- */

static const char *
meant(const struct field *f, const char *said, struct annex_pool *pool)
{
	static const char *const yes[] = { "yes", "y", "true", "1", "on", NULL };
	static const char *const no[] = { "no", "n", "false", "0", "off", NULL };
	const struct annex_jid *jid;

	for (size_t i = 0; f->kind->truth && yes[i] != NULL; i++)
		if (strcasecmp(said, yes[i]) == 0 || strcasecmp(said, no[i]) == 0)
			return strcasecmp(said, yes[i]) == 0 ? "true" : "false";
	if (f->kind->address && (jid = annex_jid(pool, said)) != NULL)
		return jid->full;
	if (is_option(f, said))
		return said;
	for (size_t i = 0; f->options != NULL && f->options[i] != NULL; i++)
		if (strcasecmp(f->labels[i], said) == 0 || strcasecmp(f->options[i], said) == 0)
			return f->options[i];
	return said;
}

/* Several are told apart by commas or lines; in a text a line is one. */
const char *
field_meant(const struct field *f, const char *said, struct annex_pool *pool)
{
	const char *ends = f->kind->listed || f->kind->said != NULL ? ",\n" : "\n";
	struct text t = { .pool = pool };
	size_t len;

	if (!f->kind->many)
		return meant(f, said, pool);
	text_puts(&t, "");
	for (; *said != '\0'; said += len + (said[len] != '\0')) {
		const char *one;

		len = strcspn(said, ends);
		one = annex_strndup(pool, said, len);
		while (ends[0] == ',' && *one == ' ')
			one++;
		if (ends[0] != ',' || *one != '\0')
			text_printf(&t, "%s%s", t.len > 0 ? "\n" : "", meant(f, one, pool));
	}
	return t.bytes;
}

void
field_question(const struct field *f, struct text *t)
{
	for (const char *const *m = f->media; m != NULL && *m != NULL; m += 2)
		text_printf(t, "%s\n", m[1]);
	text_puts(t, f->label);
	for (size_t i = 0; f->options != NULL && f->options[i] != NULL; i++)
		text_printf(t, "%s%s", i == 0 ? " (" : ", ", f->labels[i]);
	if (f->options != NULL)
		text_puts(t, f->kind->many ? "; several with commas)" : ")");
	else if (f->datatype != NULL && strcmp(f->datatype, "xs:string") != 0)
		text_printf(t, " (%s)", range_said(f, t->pool));
	else if (f->kind->said != NULL)
		text_printf(t, " (%s)", f->kind->said);
	if (f->required)
		text_puts(t, "?");
	else
		text_printf(t, "? (- for %s)",
		    f->value == NULL || f->kind->secret || strchr(f->value, '\n') != NULL
			? "none"
			: f->value);
}

/* --- As JSON ------------------------------------------------------------------------------------ */

json_t *
field_json(const struct field *f, const char *value, struct annex_pool *pool)
{
	const char *one;
	json_t *list;

	if (f->kind->truth)
		return json_boolean(strcmp(value, "true") == 0);
	if (!f->kind->many)
		return json_string(value);
	list = json_array();
	while ((one = next_value(f, &value, pool)) != NULL)
		json_array_append_new(list, json_string(one));
	return list;
}

const char *
field_of_json(const struct field *f, const json_t *value, struct annex_pool *pool)
{
	struct text t = { .pool = pool };
	const json_t *item;
	size_t i;

	if (value == NULL || !json_is_array(value))
		return value == NULL ? f->value : field_text(pool, value);
	text_puts(&t, "");
	json_array_foreach(value, i, item)
	    text_printf(&t, "%s%s", i > 0 ? "\n" : "", json_string_value(item));
	return t.bytes;
}

/* --- In a form ------------------------------------------------------------------------------------ */

static void
add_validation(struct annex_element *el, const struct field *f)
{
	struct annex_element *v, *range;

	if (f->datatype == NULL && !f->open && f->least == 0 && f->most == VALUES_MOST)
		return;
	v = annex_add(el, ANNEX_NS_FORM_VALIDATE, "validate");
	annex_attr_set(v, "datatype", f->datatype != NULL ? f->datatype : "xs:string");
	if (f->min != NULL || f->max != NULL) {
		range = annex_add(v, NULL, "range");
		annex_attr_set(range, "min", f->min);
		annex_attr_set(range, "max", f->max);
	} else if (f->pattern != NULL) {
		annex_add_text(v, NULL, "regex", f->pattern);
	} else {
		annex_add(v, NULL, f->open ? "open" : "basic");
	}
	if (!f->kind->many || !f->kind->listed)
		return;
	range = annex_add(v, NULL, "list-range");
	if (f->least > 0)
		annex_attr_set(range, "min", annex_sprintf(el->pool, "%zu", f->least));
	annex_attr_set(range, "max", annex_sprintf(el->pool, "%zu", f->most));
}

/* XEP-0221 §2. */
static void
add_media(struct annex_element *el, const struct field *f)
{
	struct annex_element *media = annex_add(el, NS_MEDIA, "media");

	for (const char *const *m = f->media; *m != NULL; m += 2)
		annex_attr_set(annex_add_text(media, NULL, "uri", m[1]), "type", m[0]);
}

void
field_add(struct annex_element *x, const struct field *f, const char *value)
{
	struct annex_element *el = annex_add(x, NULL, "field"), *option;
	const char *one;

	annex_attr_set(el, "var", f->var);
	annex_attr_set(el, "type", f->kind->name);
	annex_attr_set(el, "label", f->label);
	if (f->required)
		annex_add(el, NULL, "required");
	if (value != NULL && *value != '\0' && !f->kind->secret)
		while ((one = next_value(f, &value, x->pool)) != NULL)
			annex_add_text(el, NULL, "value", one);
	for (size_t i = 0; f->options != NULL && f->options[i] != NULL; i++) {
		option = annex_add(el, NULL, "option");
		annex_attr_set(option, "label", f->labels[i]);
		annex_add_text(option, NULL, "value", f->options[i]);
	}
	add_validation(el, f);
	if (f->media != NULL)
		add_media(el, f);
}

const char *
field_sent(const struct field *f, const struct annex_element *x, struct annex_pool *pool)
{
	struct text t = { .pool = pool };
	bool any = false;

	if (f->kind->given)
		return f->kind->shown ? NULL : f->value;
	ANNEX_CHILDREN (x, el) {
		const char *var = annex_attr(el, "var");

		if (!annex_is(el, ANNEX_NS_FORM, "field") || var == NULL ||
		    strcmp(var, f->var) != 0)
			continue;
		ANNEX_CHILDREN (el, v) {
			if (!annex_is(v, ANNEX_NS_FORM, "value") || (any && !f->kind->many))
				continue;
			text_printf(&t, "%s%s", any ? "\n" : "", annex_text(v));
			any = true;
		}
	}
	return any ? t.bytes : NULL;
}
