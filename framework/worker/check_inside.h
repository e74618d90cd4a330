/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check_inside.h - what the files of the check share
 *
 *	check.c            the top of the file, and what is printed
 *	check_server.c     servers
 *	check_component.c  components, one after the other
 *	check_section.c    what becomes of a component without a mistake
 */
#ifndef WORKER_CHECK_INSIDE_H
#define WORKER_CHECK_INSIDE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "check.h"
#include "config/config.h"
#include "settings.h"

struct server {
	const char *name;
	struct config_node *node;
	struct server_settings settings;
	json_t *hosts;
	bool openfire;
	unsigned users; /* components that name it */
};

struct checking {
	const struct check_env *env;
	const char *path, *dir; /* of the file, and the directory it is in */
	struct annex_pool *pool;
	struct config_errors errors;
	struct config_node *root;
	struct global_settings global;
	const char *state_dir, *run_dir, *metrics; /* resolved, normalised */
	const char *const *module_dirs;
	struct server *servers;
	size_t server_count;
	struct annex_map *domains; /* prepared, to their nodes */
	bool exposed;              /* everybody may read the file */
	json_t *sections;          /* lines of components */
};

/* One component on its way to a section. */
struct candidate {
	struct config_node *node;
	const char *domain;
	struct component_settings settings;
	struct module module;
	bool has_module;
	const struct server *server;
	const char *secret;
	json_t *options;
};

/* A JSON value that goes with the pool. */
json_t *check_keep(struct checking *c, json_t *json);

/* Where a map says an option, or item i of one that is a list; the map itself where it does not. */
const struct config_node *check_place(struct config_node *map, const char *name);
const struct config_node *check_place_item(struct config_node *map, const char *name, size_t i);

/* A map of the file with at least one entry, and how many; or NULL after a sentence. */
struct config_node *
check_map(struct checking *c, const char *name, const char *of_what, size_t *count_r);

/* Contacts of what are URIs; an address alone is a common slip. */
void check_uris(struct checking *c, struct config_node *map, const char *what,
    const struct annex_strings *list);

void check_servers(struct checking *c);
/* What can only be said once it is known, without a mistake, who uses which. */
void check_server_hints(struct checking *c);

void check_components(struct checking *c);

/* Append the line of a component without a mistake to c->sections. */
void check_add_section(struct checking *c, const struct candidate *d);

#endif /* WORKER_CHECK_INSIDE_H */
