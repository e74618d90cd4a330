/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * options.c - one option: its name, what it may be, its text into settings and back
 */
#include <string.h>

#include "types.h"

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
	return option_type(option)->range(option, pool);
}

const char *
config_option_value(
    const struct annex_option *option, const void *settings, struct annex_pool *pool)
{
	return option_type(option)->value(option, (const char *)settings + option->offset, pool);
}

struct setting
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
	int r = option_type(option)->set(&s, text);

	*why = s.why;
	return r;
}
