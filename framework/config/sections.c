/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sections.c - named sections of options, as a text and back
 */
#include <string.h>

#include "base/buf.h"
#include "list_text.h"
#include "sections.h"

static struct annex_sections
make(struct annex_pool *pool, size_t room)
{
	struct annex_sections all = { 0 };

	all.name = annex_new_array(pool, const char *, room + 1);
	all.settings = annex_new_array(pool, void *, room + 1);
	return all;
}

struct annex_sections
sections_make(
    const struct annex_option *option, const struct config_node *map, struct annex_pool *pool)
{
	size_t n = 0;

	for (const struct config_node *child = map->first; child != NULL; child = child->next)
		n++;
	return make(pool, n);
}

void *
sections_add(const struct annex_option *option, struct annex_sections *all, const char *name,
    struct annex_pool *pool)
{
	all->name[all->count] = annex_strdup(pool, name);
	all->settings[all->count] = annex_pool_zalloc(pool, option->size);
	return all->settings[all->count++];
}

/* --- As a text ------------------------------------------------------------ */

static const char *
text_of(struct buf *out, struct annex_pool *pool)
{
	const char *text = annex_strndup(pool, buf_text(out), out->len);

	buf_finish(out);
	return text;
}

static const char *
write_one(const struct annex_option *option, const char *name, const void *settings,
    struct annex_pool *pool)
{
	struct buf out = { 0 };

	list_text_add(&out, name);
	for (const struct annex_option *o = option->options; o->name != NULL; o++) {
		const char *value = config_option_value(o, settings, pool);

		if (o->preset != NULL && strcmp(value, o->preset) == 0)
			continue;
		list_text_add(&out, config_option_name(o, pool));
		list_text_add(&out, value);
	}
	return text_of(&out, pool);
}

const char *
sections_write(
    const struct annex_option *option, const struct annex_sections *all, struct annex_pool *pool)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < all->count; i++)
		list_text_add(&out, write_one(option, all->name[i], all->settings[i], pool));
	return text_of(&out, pool);
}

/* --- From a text ------------------------------------------------------------ */

struct parsing {
	const struct annex_option *option;
	config_jid_fn *prepare_jid;
	struct annex_pool *pool;
	const char **why;
};

static int
set(const struct parsing *p, const struct annex_option *o, void *settings, const char *value,
    const char *section)
{
	const char *wrong;

	if (config_option_set(o, settings, value, p->prepare_jid, p->pool, &wrong) >= 0)
		return ANNEX_OK;
	*p->why = annex_sprintf(
	    p->pool, "has %s, whose %s %s", section, config_option_name(o, p->pool), wrong);
	return ANNEX_EINVAL;
}

static int
parse_one(const struct parsing *p, const struct annex_strings *item, void *settings)
{
	const struct annex_option *o;

	for (o = p->option->options; o->name != NULL; o++)
		if (o->preset != NULL && set(p, o, settings, o->preset, item->value[0]) < 0)
			return ANNEX_EINVAL;
	for (size_t i = 1; i + 1 < item->count; i += 2) {
		o = config_option_find(p->option->options, item->value[i], p->pool);
		if (o == NULL) {
			*p->why = annex_sprintf(p->pool, "has %s with an unknown option %s",
			    item->value[0], config_quote(p->pool, item->value[i]));
			return ANNEX_EINVAL;
		}
		if (set(p, o, settings, item->value[i + 1], item->value[0]) < 0)
			return ANNEX_EINVAL;
	}
	return ANNEX_OK;
}

int
sections_parse(const struct annex_option *option, struct annex_sections *all_r, const char *text,
    config_jid_fn *prepare_jid, struct annex_pool *pool, const char **why)
{
	const struct parsing p = { option, prepare_jid, pool, why };
	struct annex_strings items = list_text_split(pool, text);
	struct annex_sections all = make(pool, items.count);

	for (size_t i = 0; i < items.count; i++) {
		struct annex_strings item = list_text_split(pool, items.value[i]);

		if (item.count == 0) {
			*why = "has a section without a name";
			return ANNEX_EINVAL;
		}
		if (parse_one(&p, &item, sections_add(option, &all, item.value[0], pool)) < 0)
			return ANNEX_EINVAL;
	}
	*all_r = all;
	return ANNEX_OK;
}
