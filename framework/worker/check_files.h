/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check_files.h - what files and directories are like, as sentences
 *
 * Nothing is made or changed: --check may be run beside a running annexd.
 * Sentences begin with the path and are in pool.
 */
#ifndef WORKER_CHECK_FILES_H
#define WORKER_CHECK_FILES_H

#include <stdbool.h>
#include <sys/vfs.h>

#include <annex/pool.h>

/* A path as seen from the directory of the configuration file. */
const char *files_resolve(struct annex_pool *pool, const char *dir, const char *path);
/* The directory that a path is in, absolute where it exists: workers may run elsewhere. */
const char *files_place_of(struct annex_pool *pool, const char *path);

/* NULL where one can write into the directory, or can make it; else why not. */
const char *files_judge_directory(struct annex_pool *pool, const char *path);

/* NULL where the file can be read; else why not. */
const char *files_judge_readable(struct annex_pool *pool, const char *path);

/* NULL where one can look what is in the directory; else why not. */
const char *files_judge_listing(struct annex_pool *pool, const char *path);

/* The secret in a file, trimmed, or NULL with *why.  *warning is NULL, or what is odd about it. */
const char *files_read_secret(
    struct annex_pool *pool, const char *path, const char **why, const char **warning);

/* Whether everybody on this machine may read it. */
bool files_is_exposed(const char *path);

/* When a file was changed, its size and its inode; "" where there is none. */
const char *files_stamp(struct annex_pool *pool, const char *path);

/* What is odd about the file system a directory is on, or will be; NULL. */
const char *files_judge_medium(struct annex_pool *pool, const char *path,
    int (*statfs_fn)(const char *path, struct statfs *st));
/* How full it is, if that matters; NULL. */
const char *files_judge_space(struct annex_pool *pool, const char *path,
    int (*statfs_fn)(const char *path, struct statfs *st));

#endif /* WORKER_CHECK_FILES_H */
