/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * module.h - finding and loading a component's shared object
 */
#ifndef WORKER_MODULE_H
#define WORKER_MODULE_H

#include <annex/component.h>

struct module {
	const char *path;
	struct annex_module descriptor; /* what we understand of it; newer members are zero */
	void *handle;                   /* never closed */
};

/* Where is it?  name is a word ("muc": muc.so in dirs) or a path with a slash. */
int module_find(const char *name, const char *const *dirs, struct annex_pool *pool,
    const char **path_r, const char **why) ANNEX_MUST_CHECK;

/* Load and judge it.  Every refusal is a sentence that names the file and both numbers. */
int module_load(const char *path, struct annex_pool *pool, struct module *module_r,
    const char **why) ANNEX_MUST_CHECK;

/* The judging alone, for tests: NULL, or why not. */
const char *
module_accept(const struct annex_module *found, struct annex_module *own, struct annex_pool *pool);

#endif /* WORKER_MODULE_H */
