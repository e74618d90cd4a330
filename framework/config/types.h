/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * types.h - what an option may be, by its type
 *
 * Lists have two ways in, since in the file they are nodes and in a preset or
 * a section they are one text: what both ways need stands here too.
 */
#ifndef CONFIG_TYPES_H
#define CONFIG_TYPES_H

#include "config.h"

/* One option being set. */
struct setting {
	const struct annex_option *option;
	void *place; /* the member */
	config_jid_fn *prepare_jid;
	struct annex_pool *pool;
	const char *why;
};

struct option_type {
	const char *(*range)(const struct annex_option *option, struct annex_pool *pool);
	int (*set)(struct setting *s, const char *text);
	const char *(*value)(
	    const struct annex_option *option, const void *place, struct annex_pool *pool);
};

const struct option_type *option_type(const struct annex_option *option);

/* One item of a list as it will be kept, or NULL. */
const char *setting_item(struct setting *s, const char *item);

/* Such an item is none: ANNEX_EINVAL, with why. */
int setting_refuse_item(struct setting *s, const char *item);

/* The items, where they are as many as may be; else ANNEX_EINVAL, with why. */
int setting_keep_list(struct setting *s, const struct annex_strings *list);

/* Of an option in settings; why is said where it is refused. */
struct setting setting_of(const struct annex_option *option, void *settings,
    config_jid_fn *prepare_jid, struct annex_pool *pool);

#endif /* CONFIG_TYPES_H */
