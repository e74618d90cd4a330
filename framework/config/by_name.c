/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * by_name.c - options that are set by name, for settings that did not come from the file
 */
#include "config.h"

int
annex_option_set(const struct annex_option *options, void *settings, const char *name,
    const char *text, annex_prepare_fn *prepare, struct annex_pool *pool, const char **why)
{
	const struct annex_option *option = config_option_find(options, name, pool);

	if (option == NULL) {
		*why = "is no option";
		return ANNEX_ENOENT;
	}
	if (text == NULL && (text = option->preset) == NULL) {
		*why = "must be set";
		return ANNEX_EINVAL;
	}
	return config_option_set(option, settings, text, prepare, pool, why);
}

int
annex_options_preset(const struct annex_option *options, void *settings, struct annex_pool *pool)
{
	const char *why;

	for (; options->name != NULL; options++)
		if (options->preset != NULL &&
		    config_option_set(options, settings, options->preset, NULL, pool, &why) < 0)
			return ANNEX_EINVAL;
	return ANNEX_OK;
}

const char *
annex_option_text(const struct annex_option *options, const void *settings, const char *name,
    struct annex_pool *pool)
{
	const struct annex_option *option = config_option_find(options, name, pool);

	return option != NULL ? config_option_value(option, settings, pool) : NULL;
}
