/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * form.c - data forms (XEP-0004) written from their tables
 *
 * They have the hints of XEP-0122 and the FORM_TYPE of XEP-0068.  form_read.c has the other half.
 */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <annex/form.h>
#include <annex/pool.h>

#include "base/check.h"
#include "form.h"

/* XEP-0004 §3.3. */
static const char *const type_names[] = {
	[ANNEX_BOOLEAN] = "boolean",
	[ANNEX_FIXED] = "fixed",
	[ANNEX_HIDDEN] = "hidden",
	[ANNEX_JID_MULTI] = "jid-multi",
	[ANNEX_JID_SINGLE] = "jid-single",
	[ANNEX_LIST_MULTI] = "list-multi",
	[ANNEX_LIST_SINGLE] = "list-single",
	[ANNEX_TEXT_MULTI] = "text-multi",
	[ANNEX_TEXT_PRIVATE] = "text-private",
	[ANNEX_TEXT_SINGLE] = "text-single",
};

const char *
field_type_name(enum annex_field_type type)
{
	CHECK(type >= ANNEX_BOOLEAN && type <= ANNEX_TEXT_SINGLE);
	return type_names[type];
}

bool
field_is_list(const struct annex_field *field)
{
	return field->type == ANNEX_LIST_MULTI || field->type == ANNEX_LIST_SINGLE;
}

bool
field_has_choice(const struct annex_field *field, const char *value)
{
	for (const struct annex_choice *c = field->choices; c != NULL && c->value != NULL; c++)
		if (strcmp(c->value, value) == 0)
			return true;
	return false;
}

bool
field_is_number(const struct annex_field *field)
{
	return field->member == ANNEX_MEMBER_INT ||
	    (field->member == ANNEX_MEMBER_TEXT && datatype_is_integer(field->datatype));
}

bool
field_has_range(const struct annex_field *field)
{
	return field_is_number(field) && (field->min != 0 || field->max != 0);
}

/* What is written: a form to be filled in, in a language or as the tables have it; or values alone. */
struct writing {
	bool is_asked;
	const struct annex_language *language; /* NULL: that of the tables */
	const void *values;                    /* or NULL */
};

/* RFC 4647 §3.4: "de-AT" gets "de" where that is as near as there is. */
static const struct annex_language *
language_find(const struct annex_form *form, const char *lang)
{
	const struct annex_language *l = form->languages, *found = NULL;
	size_t len, longest = 0;

	for (; lang != NULL && l != NULL && l->tag != NULL; l++) {
		len = strlen(l->tag);
		if (len <= longest || strncasecmp(l->tag, lang, len) != 0 ||
		    (lang[len] != '\0' && lang[len] != '-'))
			continue;
		found = l;
		longest = len;
	}
	return found;
}

/* A text of the tables as it is read; NULL stays NULL. */
static const char *
in_language(const struct writing *w, const char *text)
{
	const struct annex_translation *t = w->language == NULL ? NULL : w->language->texts;

	for (; text != NULL && t != NULL && t->text != NULL; t++)
		if (strcmp(t->text, text) == 0)
			return t->there;
	return text;
}

static void
value_add(struct annex_element *el, const char *value)
{
	if (value != NULL)
		annex_text_append(annex_add(el, NULL, "value"), value);
}

/* A line a value (XEP-0004 §3.3, text-multi). */
static void
lines_add(struct annex_element *el, const char *text)
{
	size_t len;

	while (text != NULL && *text != '\0') {
		len = strcspn(text, "\n");
		value_add(el, annex_strndup(el->pool, text, len));
		text += len + (text[len] == '\n');
	}
}

static void
values_add(struct annex_element *el, const struct annex_field *field, const void *values)
{
	const void *member = (const char *)values + field->offset;
	const struct annex_strings *texts;

	switch (field->member) {
	case ANNEX_MEMBER_BOOL:
		value_add(el, *(const bool *)member ? "1" : "0");
		break;
	case ANNEX_MEMBER_INT:
		value_add(el, annex_sprintf(el->pool, "%" PRId64, *(const int64_t *)member));
		break;
	case ANNEX_MEMBER_TEXT:
		if (field->type == ANNEX_TEXT_MULTI)
			lines_add(el, *(const char *const *)member);
		else
			value_add(el, *(const char *const *)member);
		break;
	case ANNEX_MEMBER_TEXTS:
		texts = member;
		for (size_t i = 0; i < texts->count; i++)
			value_add(el, texts->value[i]);
		break;
	}
}

static void
choices_add(struct annex_element *el, const struct annex_field *field, const struct writing *w)
{
	struct annex_element *option;

	if (!field_is_list(field) || field->choices == NULL)
		return;
	for (const struct annex_choice *c = field->choices; c->value != NULL; c++) {
		option = annex_add(el, NULL, "option");
		annex_attr_set(option, "label", in_language(w, c->label));
		value_add(option, c->value);
	}
}

static void
range_add(struct annex_element *validate, const struct annex_field *field)
{
	struct annex_element *range = annex_add(validate, NULL, "range");

	if (field->min != INT64_MIN)
		annex_attr_setf(range, "min", "%" PRId64, field->min);
	if (field->max != INT64_MAX)
		annex_attr_setf(range, "max", "%" PRId64, field->max);
}

/* XEP-0122 §3.4: how many of a list-multi may be chosen. */
static void
list_range_add(struct annex_element *validate, const struct annex_field *field)
{
	struct annex_element *range = annex_add(validate, NULL, "list-range");

	if (field->required)
		annex_attr_set(range, "min", "1");
	annex_attr_setf(range, "max", "%zu", field->most);
}

/*
 * XEP-0122 §3.  A range says that a list is open, so the choices of one that
 * is not stand alone; texts have lengths, which no datatype can say.
 */
static void
validate_add(struct annex_element *el, const struct annex_field *field)
{
	bool is_number = field->member == ANNEX_MEMBER_INT;
	bool is_open = field_is_list(field) && field->open;
	bool has_most = field->type == ANNEX_LIST_MULTI && field->most != 0;
	bool has_range = field_has_range(field) && (!field_is_list(field) || is_open);
	const char *datatype = field->datatype;
	struct annex_element *validate;

	if (datatype == NULL)
		datatype = is_number ? "xs:integer" : "xs:string";
	if (field->type == ANNEX_HIDDEN || field->type == ANNEX_BOOLEAN)
		return;
	if (field->datatype == NULL && field->pattern == NULL && !is_open && !has_most &&
	    (!is_number || field_is_list(field)))
		return;
	validate = annex_add(el, ANNEX_NS_FORM_VALIDATE, "validate");
	annex_attr_set(validate, "datatype", datatype);
	if (has_range)
		range_add(validate, field);
	else if (field->pattern != NULL)
		annex_add_text(validate, NULL, "regex", field->pattern);
	else
		annex_add(validate, NULL, is_open ? "open" : "basic");
	if (has_most)
		list_range_add(validate, field);
}

/* The heading of a section; its text is the label. */
static void
fixed_add(struct annex_element *x, const struct annex_field *field, const struct writing *w)
{
	struct annex_element *el = annex_add(x, NULL, "field");

	annex_attr_set(el, "type", field_type_name(ANNEX_FIXED));
	if (field->var[0] != '\0')
		annex_attr_set(el, "var", field->var);
	value_add(el, in_language(w, field->label));
}

static void
field_add(struct annex_element *x, const struct annex_field *field, const struct writing *w)
{
	struct annex_element *el;

	if (field->type == ANNEX_FIXED) {
		if (w->is_asked)
			fixed_add(x, field, w);
		return;
	}
	el = annex_add(x, NULL, "field");
	annex_attr_set(el, "var", field->var);
	if (w->is_asked) {
		annex_attr_set(el, "type", field_type_name(field->type));
		annex_attr_set(el, "label", in_language(w, field->label));
		annex_add_text(el, NULL, "desc", in_language(w, field->desc));
		if (field->required)
			annex_add(el, NULL, "required");
	}
	if (w->values != NULL)
		values_add(el, field, w->values);
	if (w->is_asked) {
		choices_add(el, field, w);
		validate_add(el, field);
	}
}

/* XEP-0068 §3.1: hidden, and before all others. */
static void
form_type_add(struct annex_element *x, const char *type)
{
	struct annex_element *el = annex_add(x, NULL, "field");

	annex_attr_set(el, "var", "FORM_TYPE");
	annex_attr_set(el, "type", field_type_name(ANNEX_HIDDEN));
	value_add(el, type);
}

static struct annex_element *
form_write(struct annex_element *parent, const struct annex_form *form, const char *kind,
    const struct writing *w)
{
	struct annex_element *x = annex_add(parent, ANNEX_NS_FORM, "x");

	annex_attr_set(x, "type", kind);
	if (w->is_asked) {
		annex_add_text(x, NULL, "title", in_language(w, form->title));
		annex_add_text(x, NULL, "instructions", in_language(w, form->instructions));
	}
	if (form->type != NULL)
		form_type_add(x, form->type);
	for (const struct annex_field *f = form->fields; f != NULL && f->var != NULL; f++)
		field_add(x, f, w);
	return x;
}

struct annex_element *
annex_form_add(struct annex_element *parent, const struct annex_form *form, const char *kind,
    const void *values)
{
	return form_write(parent, form, kind,
	    &(struct writing) { .is_asked = strcmp(kind, "form") == 0, .values = values });
}

struct annex_element *
annex_form_ask(struct annex_element *parent, const struct annex_form *form, const void *values,
    const char *lang)
{
	const struct writing w = { true, language_find(form, lang), values };
	struct annex_element *stanza = parent;

	while (stanza->parent != NULL)
		stanza = stanza->parent;
	if (w.language != NULL)
		annex_attr_set_ns(stanza, ANNEX_NS_XML, "lang", w.language->tag);
	return form_write(parent, form, "form", &w);
}

struct annex_element *
form_field(const struct annex_element *x, const char *var)
{
	struct annex_element *el = annex_child(x, ANNEX_NS_FORM, "field");
	const char *name;

	for (; el != NULL; el = annex_child_after(el, ANNEX_NS_FORM, "field")) {
		name = annex_attr(el, "var");
		if (name != NULL && strcmp(name, var) == 0)
			return el;
	}
	return NULL;
}

const char *
annex_form_value(const struct annex_element *x, const char *var)
{
	const struct annex_element *el = form_field(x, var);

	return el == NULL ? NULL : annex_child_text(el, ANNEX_NS_FORM, "value");
}

/* A form that says nothing of its type because it has nothing to say: what
 * cancels, or accepts everything as it is (XEP-0045 §10.1.2). */
static bool
is_blank(const struct annex_element *x)
{
	return annex_child(x, ANNEX_NS_FORM, "field") == NULL;
}

struct annex_element *
annex_form_find(const struct annex_element *el, const char *form_type)
{
	struct annex_element *x = annex_child(el, ANNEX_NS_FORM, "x"), *blank = NULL;
	const char *type;

	for (; x != NULL; x = annex_child_after(x, ANNEX_NS_FORM, "x")) {
		if (form_type == NULL)
			return x;
		type = annex_form_value(x, "FORM_TYPE");
		if (type != NULL && strcmp(type, form_type) == 0)
			return x;
		if (blank == NULL && is_blank(x))
			blank = x;
	}
	return blank;
}

bool
annex_form_is_cancelled(const struct annex_element *x)
{
	const char *type = annex_attr(x, "type");

	return type != NULL && strcmp(type, "cancel") == 0;
}
