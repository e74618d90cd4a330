/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * section.h - a configuration file of one component, and what the worker is told of it
 *
 * Written and judged as an operator's: through annex-worker --check.
 */
#ifndef WIRE_SECTION_H
#define WIRE_SECTION_H

#include <stddef.h>

struct annex_pool;

struct setting {
	const char *dir; /* the run's own, absolute */
	const char *domain;
	const char *name;    /* of the module */
	const char *module;  /* its file, absolute */
	const char *options; /* of the module: "{ max-body: 100 }" or "" */
	const char *section; /* of the component: "{ admins: [...] }" or "" */
};

#define SECTION_SECRET "swordfish"

/* NULL, what was wrong having been printed, where they do not pass. */
char *section_make(struct annex_pool *pool, const struct setting *setting, size_t *len);

#endif /* WIRE_SECTION_H */
