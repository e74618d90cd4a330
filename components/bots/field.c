/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * field.c - a field of a command as its program declares it
 */
#include <string.h>

#include "field.h"

#define OPTIONS_MOST 256
#define MEDIA_MOST 16

/* XEP-0004 §3.3. */
static const struct field_kind kinds[] = {
	{ "text-single" },
	{ "text-private", .secret = true },
	{ "text-multi", .many = true },
	{ "boolean", .truth = true, .datatype = "xs:boolean", .said = "yes or no" },
	{ "jid-single", .address = true, .said = "an address" },
	{ "jid-multi", .address = true, .many = true, .said = "addresses" },
	{ "list-single", .listed = true },
	{ "list-multi", .listed = true, .many = true },
	{ "fixed", .given = true, .shown = true },
	{ "hidden", .given = true },
	{ 0 },
};

static const struct field_kind *
kind_named(const char *name)
{
	const struct field_kind *kind = kinds;

	while (kind->name != NULL && strcmp(kind->name, name) != 0)
		kind++;
	return kind->name != NULL ? kind : NULL;
}

/* --- Reading what a program declares ---------------------------------------------------- */

static int
wrong(const char **why, const char *text)
{
	*why = text;
	return ANNEX_EINVAL;
}

const char *
field_text(struct annex_pool *pool, const json_t *value)
{
	if (json_is_integer(value))
		return annex_sprintf(pool, "%lld", (long long)json_integer_value(value));
	if (json_is_real(value))
		return annex_sprintf(pool, "%.15g", json_real_value(value));
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	return json_is_string(value) ? clean_text(pool, json_string_value(value)) : NULL;
}

/* A list of texts, or of [value, label]. */
static int
read_options(struct annex_pool *pool, const json_t *list, struct field *f, const char **why)
{
	const char **options = annex_new_array(pool, const char *, json_array_size(list) + 1);
	const char **labels = annex_new_array(pool, const char *, json_array_size(list) + 1);
	const json_t *item, *label;
	size_t i;

	if (list == NULL)
		return f->kind->listed ? wrong(why, "a list has \"options\"") : ANNEX_OK;
	json_array_foreach(list, i, item)
	{
		label = json_is_array(item) ? json_array_get(item, 1) : NULL;
		if (json_is_array(item))
			item = json_array_get(item, 0);
		if (!json_is_string(item) || (label != NULL && !json_is_string(label)))
			return wrong(why, "an option of a field is a text, or [value, label]");
		options[i] = clean_text(pool, json_string_value(item));
		labels[i] = label == NULL ? options[i] : clean_text(pool, json_string_value(label));
		if (strchr(options[i], '\n') != NULL)
			return wrong(why, "an option of a field is one line");
	}
	if (i == 0 || i > OPTIONS_MOST)
		return wrong(why, "\"options\" of a field must be a list of 1 to 256");
	f->options = options;
	f->labels = labels;
	return ANNEX_OK;
}

static int
read_range(struct field *f, const char **why)
{
	const struct field_datatype *d;

	if (f->datatype == NULL && (f->min != NULL || f->max != NULL))
		f->datatype = "xs:integer";
	if (f->datatype == NULL)
		return ANNEX_OK;
	if ((d = field_datatype(f->datatype)) == NULL)
		return wrong(
		    why, "the \"datatype\" of a field is one of XML Schema, as xs:integer");
	if (f->min == NULL && f->max == NULL)
		return ANNEX_OK;
	if (d->order == FIELD_UNORDERED)
		return wrong(why, "there is no range of such a \"datatype\"");
	if ((f->min != NULL && !annex_datatype_matches(f->datatype, f->min)) ||
	    (f->max != NULL && !annex_datatype_matches(f->datatype, f->max)))
		return wrong(why, "\"min\" and \"max\" of a field are of its \"datatype\"");
	return ANNEX_OK;
}

static int
read_pattern(struct annex_pool *pool, struct field *f, const char **why)
{
	if (f->pattern == NULL)
		return ANNEX_OK;
	if (f->min != NULL || f->max != NULL || f->open || f->kind->listed)
		return wrong(why, "a field with a \"regex\" has no range and no \"options\"");
	if (!pattern_is_one(f->pattern, pool))
		return wrong(why, "the \"regex\" of a field is an extended regular expression");
	if (f->datatype == NULL)
		f->datatype = "xs:string";
	return ANNEX_OK;
}

/* By type, where else it is seen or heard. */
static int
read_media(struct annex_pool *pool, const json_t *media, struct field *f, const char **why)
{
	const char **list = annex_new_array(pool, const char *, json_object_size(media) * 2 + 1);
	const char *type;
	const json_t *uri;
	size_t n = 0;

	if (media == NULL)
		return ANNEX_OK;
	json_object_foreach((json_t *)(uintptr_t)media, type, uri)
	{
		if (!json_is_string(uri) ||
		    !annex_datatype_matches("xs:anyURI", json_string_value(uri)) ||
		    n == MEDIA_MOST * 2)
			return wrong(why, "\"media\" of a field has a link for each type");
		list[n++] = clean_text(pool, type);
		list[n++] = clean_text(pool, json_string_value(uri));
	}
	f->media = n > 0 ? list : NULL;
	return n > 0 ? ANNEX_OK : wrong(why, "\"media\" of a field has a link for each type");
}

/* What it has to begin with: a text, or a list of them. */
static int
read_value(struct annex_pool *pool, const json_t *value, struct field *f, const char **why)
{
	struct text t = { .pool = pool };
	const json_t *item;
	size_t i;

	if (value == NULL)
		return f->kind->given ? wrong(why, "a hidden or fixed field has a \"value\"") : 0;
	json_array_foreach(value, i, item)
	{
		if (field_text(pool, item) == NULL)
			return wrong(why, "the \"value\" of a field is a text, or a list of them");
		text_printf(&t, "%s%s", i > 0 ? "\n" : "", field_text(pool, item));
	}
	f->value = json_is_array(value) ? t.bytes : field_text(pool, value);
	if (f->value == NULL || (!f->kind->given && field_wrong(f, f->value, pool) != NULL))
		return wrong(why, "the \"value\" of a field is what people might say");
	return ANNEX_OK;
}

static int
read_count(const json_t *json, const char *name, size_t *count_r, const char **why)
{
	const json_t *value = json_object_get(json, name);

	if (value == NULL)
		return ANNEX_OK;
	if (!json_is_integer(value) || json_integer_value(value) < 1 ||
	    json_integer_value(value) > VALUES_MOST)
		return wrong(why, "\"least\" and \"most\" of a field are numbers from 1 to 256");
	*count_r = (size_t)json_integer_value(value);
	return ANNEX_OK;
}

int
field_read(const json_t *json, struct annex_pool *pool, struct field *f, const char **why)
{
	const char *type = json_string_value(json_object_get(json, "type"));
	const json_t *options = json_object_get(json, "options");

	if (type == NULL)
		type = "text-single";
	/* One of a few texts is a list, whatever it is called. */
	if (options != NULL && strcmp(type, "text-single") == 0)
		type = "list-single";
	if ((f->kind = kind_named(type)) == NULL)
		return wrong(why,
		    "the \"type\" of a field is text-single, text-private, text-multi, boolean, "
		    "jid-single, jid-multi, list-single, list-multi, fixed or hidden");
	f->var = field_text(pool, json_object_get(json, "var"));
	f->label = field_text(pool, json_object_get(json, "label"));
	f->required = json_is_true(json_object_get(json, "required")) && !f->kind->given;
	f->open = json_is_true(json_object_get(json, "open"));
	f->datatype = field_text(pool, json_object_get(json, "datatype"));
	f->min = field_text(pool, json_object_get(json, "min"));
	f->max = field_text(pool, json_object_get(json, "max"));
	f->pattern = field_text(pool, json_object_get(json, "regex"));
	f->most = VALUES_MOST;
	if (f->var == NULL || *f->var == '\0' || strpbrk(f->var, " =\"") != NULL)
		return wrong(why, "a field has a \"var\" without blanks");
	if (f->label == NULL)
		f->label = f->var;
	if (read_options(pool, options, f, why) < 0 || read_range(f, why) < 0 ||
	    read_pattern(pool, f, why) < 0 || read_count(json, "least", &f->least, why) < 0 ||
	    read_count(json, "most", &f->most, why) < 0 ||
	    read_media(pool, json_object_get(json, "media"), f, why) < 0)
		return ANNEX_EINVAL;
	if (f->least > f->most)
		return wrong(why, "\"least\" of a field is above its \"most\"");
	return read_value(pool, json_object_get(json, "value"), f, why);
}
