/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * paths.h - where the other parts of Annex are
 *
 * A program finds them from its own place: installed, possibly under a
 * DESTDIR that is no part of the configured directories, or in the build
 * tree, where libtool may run it from a .libs folder.
 */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

#include <stdbool.h>

struct annex_pool;

/* The configured directories, absolute. */
struct paths_configured {
	const char *sbindir, *bindir, *libexecdir, *pkglibdir;
};

struct paths {
	bool installed;             /* false: the build tree */
	const char *root;           /* in front of configured paths: DESTDIR or "";
					   of a build tree its top */
	const char *worker;         /* the program annex-worker */
	const char *libexec;        /* below it are programs of modules: paths_programs */
	const char *const *modules; /* directories, NULL at the end */
};

/* The path of the running program, or NULL where /proc does not tell. */
const char *paths_self(struct annex_pool *pool);

/*
 * Everything lives in pool.  A program that stands in neither tree, or whose
 * exe is NULL, is taken to belong to the configured installation.
 */
void paths_find(struct paths *paths, struct annex_pool *pool, const char *exe,
    const struct paths_configured *configured);

/* The directory of programs that came with a module, in pool. */
const char *paths_programs(const struct paths *paths, struct annex_pool *pool, const char *module);

#endif /* BASE_PATHS_H */
