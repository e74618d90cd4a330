/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * types.c - what an option may be, by its type
 *
 * A type is a row of functions: how its range is said, how a text gets into
 * the settings, how it is written again.
 *
 * What equals the preset is always allowed: it may lie outside the range to
 * mean "none".
 */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "list_text.h"
#include "quantities.h"
#include "sections.h"
#include "types.h"

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

const char *
setting_item(struct setting *s, const char *item)
{
	if (s->option->type == ANNEX_OPTION_JID_LIST && s->prepare_jid != NULL)
		return s->prepare_jid(s->pool, item);
	return item;
}

int
setting_refuse_item(struct setting *s, const char *item)
{
	s->why = annex_sprintf(s->pool, "has %s, which is not a JID such as user@example.org",
	    config_quote(s->pool, item));
	return ANNEX_EINVAL;
}

int
setting_keep_list(struct setting *s, const struct annex_strings *list)
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
		const char *item = setting_item(s, items[i]);

		if (item == NULL)
			return setting_refuse_item(s, items[i]);
		items[i] = item;
	}
	return setting_keep_list(s, &list);
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

static const struct option_type types[] = {
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

const struct option_type *
option_type(const struct annex_option *option)
{
	CHECK(option->type > 0 && option->type < sizeof(types) / sizeof(types[0]));
	return &types[option->type];
}
