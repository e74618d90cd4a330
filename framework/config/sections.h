/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sections.h - an option that is a map of maps: named sections, each with a table
 *
 * As one text it is a list with an item for each section, which is a list
 * itself: the name, then an option and its value in turn, presets left out.
 */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include "config.h"

/* Room for as many as map has children. */
struct annex_sections sections_make(
    const struct annex_option *option, const struct config_node *map, struct annex_pool *pool);

/* The settings of one more, all zero. */
void *sections_add(const struct annex_option *option, struct annex_sections *all, const char *name,
    struct annex_pool *pool);

const char *sections_write(
    const struct annex_option *option, const struct annex_sections *all, struct annex_pool *pool);

/* As config_option_set. */
int
sections_parse(const struct annex_option *option, struct annex_sections *all_r, const char *text,
    config_jid_fn *prepare_jid, struct annex_pool *pool, const char **why) ANNEX_MUST_CHECK;

#endif /* CONFIG_SECTIONS_H */
