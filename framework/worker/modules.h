/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * modules.h - which modules there are
 */
#ifndef WORKER_MODULES_H
#define WORKER_MODULES_H

#include <annex/pool.h>

/* The words that "module:" takes: names of files in dirs (NULL-ended), each once.  NULL-ended. */
const char *const *modules_names(struct annex_pool *pool, const char *const *dirs);

/* The word that a word or a path means: "muc" of "/usr/lib/annex/muc.so". */
const char *modules_word(struct annex_pool *pool, const char *name_or_path);

/* The directory of programs that came with a module, of the installation or the build tree that runs. */
const char *modules_programs(struct annex_pool *pool, const char *module);

#endif /* WORKER_MODULES_H */
