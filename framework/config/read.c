/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * read.c - a map of the file is read into settings, by its table
 *
 * Presets come first, then what is there; every mistake is a sentence, and
 * what is wrong leaves the preset.
 */
#include <string.h>

#include "sections.h"
#include "types.h"

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
	else if (option_type(s->option)->set(s, node->text) < 0)
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
	if ((item = setting_item(s, node->text)) == NULL) {
		(void)setting_refuse_item(s, node->text);
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
	if (whole && setting_keep_list(s, &list) < 0)
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

static bool
is_list(const struct annex_option *option)
{
	return option->type == ANNEX_OPTION_LIST || option->type == ANNEX_OPTION_JID_LIST;
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
