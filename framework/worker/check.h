/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check.h - the whole configuration, judged before anything is started
 *
 * Every mistake is told, in the order of the file; warnings (what will work,
 * but not as hoped) fail nothing.  section.h says what comes out.
 */
#ifndef WORKER_CHECK_H
#define WORKER_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/vfs.h>

#include <annex/pool.h>

#include "module.h"

/* What of the world a test replaces. */
struct check_env {
	const char *const *module_dirs; /* behind those of the file; NULL-ended */
	int (*load)(
	    const char *path, struct annex_pool *pool, struct module *module_r, const char **why);
	int (*statfs)(const char *path, struct statfs *st);
	const char *only; /* judge and print this component alone; NULL: all */
};

/* The world as it is; module directories by where the program stands. */
void check_env_init(struct check_env *env, struct annex_pool *pool);

/* Validate, print sections on out (NULL: nowhere), sentences on err.  The exit status: 0 or 1. */
int check_configuration(const char *path, FILE *out, FILE *err);
int check_configuration_in(const struct check_env *env, const char *path, FILE *out, FILE *err);

/*
 * One component's section, as section_read takes it, in pool; other components are not judged.
 * NULL after sentences on err.
 */
const char *check_section(const char *path, const char *domain, FILE *err, struct annex_pool *pool);

/*
 * The modules that are found, one line each, with their options where verbose.  The exit status:
 * 1 where one of them does not load.
 */
int check_modules(FILE *out, bool verbose);
int check_modules_in(const struct check_env *env, FILE *out, bool verbose);

#endif /* WORKER_CHECK_H */
