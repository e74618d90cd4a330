/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * options.c - option tables: from text to settings, and back
 *
 * An option's type is a row of functions: how its range is said, how a text
 * gets into the settings, how it is written again.  Lists are the exception
 * that has two ways in, since in the file they are nodes and in a preset or
 * a section they are one text.
 *
 * What equals the preset is always allowed: it may lie outside the range to
 * mean "none".
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/nearest.h"
#include "config.h"
#include "list_text.h"
#include "quantities.h"
#include "sections.h"

/* One option being set. */
struct setting {
	const struct annex_option *option;
	void *place; /* the member */
	config_jid_fn *prepare_jid;
	struct annex_pool *pool;
	const char *why;
};

struct type {
	const char *(*range)(const struct annex_option *option, struct annex_pool *pool);
	int (*set)(struct setting *s, const char *text);
	const char *(*value)(
	    const struct annex_option *option, const void *place, struct annex_pool *pool);
};

static const struct type *type_of(const struct annex_option *option);

static int
refuse(struct setting *s, const char *found)
{
	s->why = annex_sprintf(
	    s->pool, "must be %s, not %s", config_option_range(s->option, s->pool), found);
	return ANNEX_EINVAL;
}

static int
refuse_text(struct setting *s, const char *text)
{
	return refuse(s, *text == '\0' ? "empty" : config_quote(s->pool, text));
}

static bool
is_open(const struct annex_option *option)
{
	return option->min == 0 && option->max == 0;
}

static bool
is_in_range(const struct annex_option *option, int64_t value)
{
	return is_open(option) || (value >= option->min && value <= option->max);
}

/* " from 1 to 9", " of at least 1", or "". */
static const char *
range_text(const struct annex_option *option, struct annex_pool *pool,
    const char *(*write)(struct annex_pool *pool, int64_t value))
{
	if (is_open(option))
		return "";
	if (option->max == INT64_MAX)
		return annex_sprintf(pool, " of at least %s", write(pool, option->min));
	return annex_sprintf(
	    pool, " from %s to %s", write(pool, option->min), write(pool, option->max));
}

static const char *
write_int(struct annex_pool *pool, int64_t value)
{
	return annex_sprintf(pool, "%" PRId64, value);
}

/* Numbers, times, sizes. */

static int
set_number(struct setting *s, const char *text, int (*read)(const char *text, int64_t *value_r))
{
	const struct annex_option *option = s->option;
	int64_t value, preset;

	if (read(text, &value) < 0)
		return refuse_text(s, text);
	if (!is_in_range(option, value) &&
	    (option->preset == NULL || read(option->preset, &preset) < 0 || value != preset))
		return refuse_text(s, text);
	*(int64_t *)s->place = value;
	return ANNEX_OK;
}

static const char *
int_range(const struct annex_option *option, struct annex_pool *pool)
{
	return annex_sprintf(pool, "a whole number%s", range_text(option, pool, write_int));
}

static int
int_set(struct setting *s, const char *text)
{
	return set_number(s, text, quantity_read_int);
}

static const char *
int_value(const struct annex_option *option, const void *place, struct annex_pool *pool)
{
	return write_int(pool, *(const int64_t *)place);
}

static const char *
time_range(const struct annex_option *option, struct annex_pool *pool)
{
	return annex_sprintf(pool, "a time with its unit (ms, s, m, h, d or w)%s",
	    range_text(option, pool, quantity_write_time));
}

static int
time_set(struct setting *s, const char *text)
{
	return set_number(s, text, quantity_read_time);
}

static const char *
time_value(const struct annex_option *option, const void *place, struct annex_pool *pool)
{
	return quantity_write_time(pool, *(const int64_t *)place);
}

static const char *
size_range(const struct annex_option *option, struct annex_pool *pool)
{
	return annex_sprintf(
	    pool, "a size in bytes, K, M, G or T%s", range_text(option, pool, quantity_write_size));
}

static int
size_set(struct setting *s, const char *text)
{
	return set_number(s, text, quantity_read_size);
}

static const char *
size_value(const struct annex_option *option, const void *place, struct annex_pool *pool)
{
	return quantity_write_size(pool, *(const int64_t *)place);
}

/* Truths. */

static const char *
bool_range(const struct annex_option *option, struct annex_pool *pool)
{
	return "yes or no";
}

static int
bool_set(struct setting *s, const char *text)
{
	return quantity_read_bool(text, s->place) < 0 ? refuse_text(s, text) : ANNEX_OK;
}

static const char *
bool_value(const struct annex_option *option, const void *place, struct annex_pool *pool)
{
	return *(const bool *)place ? "yes" : "no";
}

/* Texts. */

static const char *
string_range(const struct annex_option *option, struct annex_pool *pool)
{
	if (is_open(option))
		return "a text";
	if (option->max == INT64_MAX)
		return annex_sprintf(pool, "a text of at least %" PRId64 " bytes", option->min);
	return annex_sprintf(
	    pool, "a text of %" PRId64 " to %" PRId64 " bytes", option->min, option->max);
}

static bool
is_preset(const struct annex_option *option, const char *text)
{
	return option->preset != NULL && strcmp(text, option->preset) == 0;
}

/* The text is not shown: it may be a secret. */
static int
string_set(struct setting *s, const char *text)
{
	size_t len = strlen(text);

	if (!is_in_range(s->option, (int64_t)len) && !is_preset(s->option, text))
		return refuse(s, annex_sprintf(s->pool, "%zu", len));
	*(const char **)s->place = annex_strdup(s->pool, text);
	return ANNEX_OK;
}

static const char *
string_value(const struct annex_option *option, const void *place, struct annex_pool *pool)
{
	const char *text = *(const char *const *)place;

	return text != NULL ? text : "";
}

static const char *
choice_range(const struct annex_option *option, struct annex_pool *pool)
{
	const char *text = option->choices[0];

	for (size_t i = 1; text != NULL && option->choices[i] != NULL; i++)
		text = annex_sprintf(pool, "%s%s%s", text,
		    option->choices[i + 1] != NULL ? ", " : " or ", option->choices[i]);
	return text != NULL ? text : "nothing";
}

static int
choice_set(struct setting *s, const char *text)
{
	size_t n = 0;

	for (; s->option->choices[n] != NULL; n++)
		if (strcmp(text, s->option->choices[n]) == 0) {
			*(const char **)s->place = s->option->choices[n];
			return ANNEX_OK;
		}
	if (is_preset(s->option, text)) {
		*(const char **)s->place = s->option->preset;
		return ANNEX_OK;
	}
	(void)refuse_text(s, text);
	s->why = annex_sprintf(
	    s->pool, "%s%s", s->why, config_hint(s->pool, text, s->option->choices, n));
	return ANNEX_EINVAL;
}

static const char *
jid_range(const struct annex_option *option, struct annex_pool *pool)
{
	return "a JID such as user@example.org";
}

static int
jid_set(struct setting *s, const char *text)
{
	const char *jid = text;

	if (is_preset(s->option, text) && *text == '\0')
		jid = "";
	else if (s->prepare_jid != NULL)
		jid = s->prepare_jid(s->pool, text);
	if (jid == NULL)
		return refuse_text(s, text);
	*(const char **)s->place = annex_strdup(s->pool, jid);
	return ANNEX_OK;
}

/* Lists. */

static const char *
list_of(const struct annex_option *option, struct annex_pool *pool, const char *what)
{
	if (is_open(option))
		return annex_sprintf(pool, "a list of %s", what);
	if (option->min == option->max)
		return annex_sprintf(pool, "a list of %" PRId64 " %s", option->min, what);
	if (option->max == INT64_MAX)
		return annex_sprintf(pool, "a list of at least %" PRId64 " %s", option->min, what);
	return annex_sprintf(
	    pool, "a list of %" PRId64 " to %" PRId64 " %s", option->min, option->max, what);
}

static const char *
list_range(const struct annex_option *option, struct annex_pool *pool)
{
	return list_of(option, pool, "texts");
}

static const char *
jid_list_range(const struct annex_option *option, struct annex_pool *pool)
{
	return list_of(option, pool, "JIDs");
}

static bool
is_list(const struct annex_option *option)
{
	return option->type == ANNEX_OPTION_LIST || option->type == ANNEX_OPTION_JID_LIST;
}

static const char *
list_value(const struct annex_option *option, const void *place, struct annex_pool *pool)
{
	const struct annex_strings *list = place;
	struct buf out = { 0 };
	const char *text;

	for (size_t i = 0; i < list->count; i++)
		list_text_add(&out, list->value[i]);
	text = annex_strndup(pool, buf_text(&out), out.len);
	buf_finish(&out);
	return text;
}

/* One item as it will be kept, or NULL. */
static const char *
prepare_item(struct setting *s, const char *item)
{
	if (s->option->type == ANNEX_OPTION_JID_LIST && s->prepare_jid != NULL)
		return s->prepare_jid(s->pool, item);
	return item;
}

static int
refuse_item(struct setting *s, const char *item)
{
	s->why = annex_sprintf(s->pool, "has %s, which is not a JID such as user@example.org",
	    config_quote(s->pool, item));
	return ANNEX_EINVAL;
}

static int
keep_list(struct setting *s, const struct annex_strings *list)
{
	if (!is_in_range(s->option, (int64_t)list->count) &&
	    (list->count > 0 || !is_preset(s->option, "")))
		return refuse(s, annex_sprintf(s->pool, "%zu", list->count));
	*(struct annex_strings *)s->place = *list;
	return ANNEX_OK;
}

static int
list_set(struct setting *s, const char *text)
{
	struct annex_strings list = list_text_split(s->pool, text);
	const char **items = (const char **)list.value;

	for (size_t i = 0; i < list.count; i++) {
		const char *item = prepare_item(s, items[i]);

		if (item == NULL)
			return refuse_item(s, items[i]);
		items[i] = item;
	}
	return keep_list(s, &list);
}

/* Sections. */

static const char *
sections_range(const struct annex_option *option, struct annex_pool *pool)
{
	return "a map of names, each with a map of options";
}

static const char *
sections_value(const struct annex_option *option, const void *place, struct annex_pool *pool)
{
	return sections_write(option, place, pool);
}

static int
sections_set(struct setting *s, const char *text)
{
	return sections_parse(s->option, s->place, text, s->prepare_jid, s->pool, &s->why);
}

static const struct type types[] = {
	[ANNEX_OPTION_BOOL] = { bool_range, bool_set, bool_value },
	[ANNEX_OPTION_INT] = { int_range, int_set, int_value },
	[ANNEX_OPTION_TIME] = { time_range, time_set, time_value },
	[ANNEX_OPTION_SIZE] = { size_range, size_set, size_value },
	[ANNEX_OPTION_STRING] = { string_range, string_set, string_value },
	[ANNEX_OPTION_CHOICE] = { choice_range, choice_set, string_value },
	[ANNEX_OPTION_LIST] = { list_range, list_set, list_value },
	[ANNEX_OPTION_JID] = { jid_range, jid_set, string_value },
	[ANNEX_OPTION_JID_LIST] = { jid_list_range, list_set, list_value },
	[ANNEX_OPTION_SECTIONS] = { sections_range, sections_set, sections_value },
};

static const struct type *
type_of(const struct annex_option *option)
{
	CHECK(option->type > 0 && option->type < sizeof(types) / sizeof(types[0]));
	return &types[option->type];
}

/* One option. */

const char *
config_option_name(const struct annex_option *option, struct annex_pool *pool)
{
	const char *unit = option->type == ANNEX_OPTION_TIME ? "_ms"
	    : option->type == ANNEX_OPTION_SIZE              ? "_bytes"
							     : "";
	size_t len = strlen(option->name), n = strlen(unit);
	char *name;

	if (n > 0 && len > n && strcmp(option->name + len - n, unit) == 0)
		len -= n;
	name = annex_strndup(pool, option->name, len);
	for (char *c = name; *c != '\0'; c++)
		if (*c == '_')
			*c = '-';
	return name;
}

const struct annex_option *
config_option_find(const struct annex_option *options, const char *name, struct annex_pool *pool)
{
	for (; options->name != NULL; options++)
		if (strcmp(config_option_name(options, pool), name) == 0)
			return options;
	return NULL;
}

const char *
config_option_range(const struct annex_option *option, struct annex_pool *pool)
{
	return type_of(option)->range(option, pool);
}

const char *
config_option_value(
    const struct annex_option *option, const void *settings, struct annex_pool *pool)
{
	return type_of(option)->value(option, (const char *)settings + option->offset, pool);
}

static struct setting
setting_of(const struct annex_option *option, void *settings, config_jid_fn *prepare_jid,
    struct annex_pool *pool)
{
	return (struct setting) {
		.option = option,
		.place = (char *)settings + option->offset,
		.prepare_jid = prepare_jid,
		.pool = pool,
	};
}

int
config_option_set(const struct annex_option *option, void *settings, const char *text,
    config_jid_fn *prepare_jid, struct annex_pool *pool, const char **why)
{
	struct setting s = setting_of(option, settings, prepare_jid, pool);
	int r = type_of(option)->set(&s, text);

	*why = s.why;
	return r;
}

/* A map of them. */

struct reading {
	const char *what;
	const struct annex_option *options;
	void *settings;
	const char **names; /* of options, in their order */
	size_t count;
	const char *const *others; /* never NULL */
	config_jid_fn *prepare_jid;
	struct annex_pool *pool;
	struct config_errors *errors;
};

static const char *
kind_text(const struct config_node *node)
{
	return node->kind == CONFIG_LIST ? "a list" : node->kind == CONFIG_MAP ? "a map" : "a text";
}

static bool
is_nothing(const struct config_node *node)
{
	return node->kind == CONFIG_SCALAR && !node->quoted && *node->text == '\0';
}

static void
read_scalar(struct reading *r, const struct config_node *node, struct setting *s, const char *name)
{
	if (node->kind != CONFIG_SCALAR)
		config_error_at(r->errors, node, "%s of %s must be %s, not %s", name, r->what,
		    config_option_range(s->option, r->pool), kind_text(node));
	else if (is_nothing(node))
		config_error_at(r->errors, node, "%s of %s has no value; it must be %s", name,
		    r->what, config_option_range(s->option, r->pool));
	else if (type_of(s->option)->set(s, node->text) < 0)
		config_error_at(r->errors, node, "%s of %s %s", name, r->what, s->why);
}

static const char *
read_item(struct reading *r, const struct config_node *node, struct setting *s, const char *name)
{
	const char *item;

	if (node->kind == CONFIG_BROKEN)
		return NULL;
	if (node->kind != CONFIG_SCALAR) {
		config_error_at(r->errors, node, "%s of %s must be %s, but has %s in it", name,
		    r->what, config_option_range(s->option, r->pool), kind_text(node));
		return NULL;
	}
	if ((item = prepare_item(s, node->text)) == NULL) {
		(void)refuse_item(s, node->text);
		config_error_at(r->errors, node, "%s of %s %s", name, r->what, s->why);
	}
	return item;
}

/* [a, b], or the same with dashes. */
static void
read_items(struct reading *r, const struct config_node *node, struct setting *s, const char *name)
{
	const struct config_node *child;
	struct annex_strings list = { 0 };
	const char **items;
	size_t n = 0;
	bool whole = true;

	for (child = node->first; child != NULL; child = child->next)
		n++;
	items = annex_new_array(r->pool, const char *, n + 1);
	for (child = node->first; child != NULL; child = child->next) {
		items[list.count] = read_item(r, child, s, name);
		whole = whole && items[list.count++] != NULL;
	}
	list.value = items;
	if (whole && keep_list(s, &list) < 0)
		config_error_at(r->errors, node, "%s of %s %s", name, r->what, s->why);
}

/* A single item needs no brackets; commas without brackets are a mistake, blanks are not. */
static void
read_list(struct reading *r, const struct config_node *node, struct setting *s, const char *name)
{
	struct config_node item = *node, list = *node;

	item.next = NULL;
	list.kind = CONFIG_LIST;
	list.first = &item;
	if (node->kind == CONFIG_LIST)
		read_items(r, node, s, name);
	else if (node->kind == CONFIG_SCALAR && node->quoted)
		read_items(r, &list, s, name);
	else if (node->kind == CONFIG_SCALAR && strstr(node->text, ", ") != NULL)
		config_error_at(r->errors, node,
		    "%s of %s must be %s: write [%s], with the brackets", name, r->what,
		    config_option_range(s->option, r->pool), node->text);
	else
		read_scalar(r, node, s, name);
}

/* { NAME: { option: value, ... }, ... } */
static void
read_sections(struct reading *r, struct config_node *node, struct setting *s, const char *name)
{
	struct annex_sections *all = s->place;
	const char *what;
	void *settings;

	if (is_nothing(node))
		return;
	if (node->kind != CONFIG_MAP) {
		read_scalar(r, node, s, name);
		return;
	}
	*all = sections_make(s->option, node, r->pool);
	for (struct config_node *child = node->first; child != NULL; child = child->next) {
		settings = sections_add(s->option, all, child->key, r->pool);
		what = annex_sprintf(r->pool, "%s of %s of %s", child->key, name, r->what);
		config_read_options(child, what, s->option->options, settings, NULL, r->prepare_jid,
		    r->pool, r->errors);
	}
}

static size_t
find_name(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(names[i], name) != 0)
		i++;
	return i;
}

static size_t
count_names(const char *const *names)
{
	size_t n = 0;

	while (names[n] != NULL)
		n++;
	return n;
}

static void
refuse_unknown(struct reading *r, const struct config_node *node)
{
	size_t others = count_names(r->others);
	const char **all = annex_new_array(r->pool, const char *, r->count + others + 1);

	memcpy(all, r->names, r->count * sizeof(*all));
	memcpy(all + r->count, r->others, others * sizeof(*all));
	config_error_at_key(r->errors, node, "unknown option %s of %s%s",
	    config_quote(r->pool, node->key), r->what,
	    config_hint(r->pool, node->key, all, r->count + others));
}

static void
read_option(struct reading *r, struct config_node *node, size_t i)
{
	const struct annex_option *option = &r->options[i];
	struct setting s = setting_of(option, r->settings, r->prepare_jid, r->pool);

	node->known = true;
	if (node->kind == CONFIG_BROKEN)
		return;
	if (is_list(option))
		read_list(r, node, &s, r->names[i]);
	else if (option->type == ANNEX_OPTION_SECTIONS)
		read_sections(r, node, &s, r->names[i]);
	else
		read_scalar(r, node, &s, r->names[i]);
}

static void
read_map(struct reading *r, struct config_node *map)
{
	bool *seen = annex_new_array(r->pool, bool, r->count + 1);
	struct config_node *node;
	size_t i;

	for (node = map->first; node != NULL; node = node->next) {
		i = find_name(r->names, r->count, node->key);
		if (i < r->count) {
			seen[i] = true;
			read_option(r, node, i);
		} else if (find_name(r->others, count_names(r->others), node->key) ==
		    count_names(r->others)) {
			refuse_unknown(r, node);
		}
	}
	for (i = 0; i < r->count; i++)
		if (!seen[i] && r->options[i].preset == NULL)
			config_error_at_key(r->errors, map, "%s has no %s; it must be %s", r->what,
			    r->names[i], config_option_range(&r->options[i], r->pool));
}

static size_t
count_options(const struct annex_option *options)
{
	size_t n = 0;

	while (options[n].name != NULL)
		n++;
	return n;
}

/* A table may come from anybody's module, so a preset that its own option refuses is told. */
static void
set_presets(struct reading *r, const char *file)
{
	const char *why;

	r->count = count_options(r->options);
	r->names = annex_new_array(r->pool, const char *, r->count + 1);
	for (size_t i = 0; i < r->count; i++) {
		const struct annex_option *o = &r->options[i];

		r->names[i] = config_option_name(o, r->pool);
		if (o->preset != NULL &&
		    config_option_set(o, r->settings, o->preset, r->prepare_jid, r->pool, &why) < 0)
			config_error_in(r->errors, file, 0, 0, "the preset of %s of %s %s",
			    r->names[i], r->what, why);
	}
}

void
config_read_options(struct config_node *map, const char *what, const struct annex_option *options,
    void *settings, const char *const *others, config_jid_fn *prepare_jid, struct annex_pool *pool,
    struct config_errors *errors)
{
	static const char *const nobody[] = { NULL };
	struct reading r = {
		.what = what,
		.options = options,
		.settings = settings,
		.others = others != NULL ? others : nobody,
		.prepare_jid = prepare_jid,
		.pool = pool,
		.errors = errors,
	};

	set_presets(&r, map != NULL ? map->file : what);
	if (map == NULL || map->kind == CONFIG_BROKEN)
		return;
	map->known = true;
	if (map->kind == CONFIG_MAP || is_nothing(map))
		read_map(&r, map);
	else
		config_error_at(
		    errors, map, "%s must be a map of options, not %s", what, kind_text(map));
}
