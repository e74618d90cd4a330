/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pool.h - memory that is freed in one piece
 *
 * A pool hands out memory and takes it back all at once.  Pools form a
 * tree: destroying or resetting one destroys its children first.  Nothing
 * allocated here fails: the process stops with a line saying how much was
 * asked, so limits that a remote can reach are checked before.
 */
#ifndef ANNEX_POOL_H
#define ANNEX_POOL_H

#include <stdarg.h>
#include <stddef.h>

#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_pool;

/*
 * A new pool, child of parent, or a root where parent is NULL.  name is
 * shown in messages and must outlive the pool: use a literal.
 */
struct annex_pool *annex_pool_create(struct annex_pool *parent, const char *name);

/* Destroy the children, run the clean-ups (newest first), free everything,
 * and set *pool to NULL.  A NULL *pool is fine. */
void annex_pool_destroy(struct annex_pool **pool);

/* The same, but the pool itself stays, empty, keeping its first chunk. */
void annex_pool_reset(struct annex_pool *pool);

/* size bytes, aligned for any type; not initialised, or all zero. */
void *annex_pool_alloc(struct annex_pool *pool, size_t size);
void *annex_pool_zalloc(struct annex_pool *pool, size_t size);

/* A zeroed object or array of a type. */
#define annex_new(pool, type) ((type *)annex_pool_zalloc((pool), sizeof(type)))
#define annex_new_array(pool, type, n) ((type *)annex_pool_array((pool), (n), sizeof(type)))
void *annex_pool_array(struct annex_pool *pool, size_t n, size_t size);

/* Copies; NUL-terminated always.  strdup of NULL is NULL. */
char *annex_strdup(struct annex_pool *pool, const char *text);
char *annex_strndup(struct annex_pool *pool, const char *text, size_t len);
void *annex_memdup(struct annex_pool *pool, const void *bytes, size_t len);
char *annex_sprintf(struct annex_pool *pool, const char *fmt, ...) ANNEX_PRINTF(2, 3);
char *annex_vsprintf(struct annex_pool *pool, const char *fmt, va_list args) ANNEX_PRINTF(2, 0);

/* Call fn(arg) when the pool is reset or destroyed. */
void annex_pool_on_destroy(struct annex_pool *pool, void (*fn)(void *arg), void *arg);

/* Bytes the pool and its children hold from the system. */
size_t annex_pool_bytes(const struct annex_pool *pool);

#pragma GCC visibility pop

#endif /* ANNEX_POOL_H */
