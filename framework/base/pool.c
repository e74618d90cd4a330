/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pool.c - memory that is freed in one piece
 *
 * See pool.h for the shape.  The tree is held by siblings in a ring-less
 * list under the parent; the newest child stands first and is destroyed
 * first, as clean-ups are, because what is newer may refer to what is older.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "check.h"
#include "pool.h"

#define FIRST_SIZE \
	(1536 - 2 * sizeof(size_t)) /* a stanza of the usual size, with what it is made into */
#define CHUNK_MIN 8192
#define CHUNK_MAX 65536

struct pool_chunk {
	struct pool_chunk *next;
	size_t size;
};

struct pool_cleanup {
	struct pool_cleanup *next;
	void (*fn)(void *arg);
	void *arg;
};

#define ROUND_UP(n) (((n) + POOL_ALIGN - 1) & ~(size_t)(POOL_ALIGN - 1))
#define POOL_HEAD ROUND_UP(sizeof(struct annex_pool))
#define CHUNK_HEAD ROUND_UP(sizeof(struct pool_chunk))

static void
rewind_first(struct annex_pool *pool)
{
	pool->at = (char *)pool + POOL_HEAD;
	pool->end = (char *)pool + FIRST_SIZE;
	POOL_HIDE(pool->at, (size_t)(pool->end - pool->at));
}

struct annex_pool *
annex_pool_create(struct annex_pool *parent, const char *name)
{
	struct annex_pool *pool = mem_alloc(FIRST_SIZE);

	*pool = (struct annex_pool) {
		.magic = POOL_MAGIC,
		.next_size = CHUNK_MIN,
		.parent = parent,
		.bytes = FIRST_SIZE,
		.name = name,
	};
	rewind_first(pool);
	if (parent != NULL) {
		CHECK_OBJECT(parent, POOL_MAGIC);
		pool->next = parent->children;
		if (pool->next != NULL)
			pool->next->prev = pool;
		parent->children = pool;
	}
	return pool;
}

/* Children and clean-ups; both may add to either while they run. */
static void
run_down(struct annex_pool *pool)
{
	struct annex_pool *child;
	struct pool_cleanup *c;
	struct pool_hook *hook;

	while (pool->children != NULL || pool->cleanups != NULL || pool->hooks != NULL) {
		if ((child = pool->children) != NULL) {
			annex_pool_destroy(&child);
		} else if ((c = pool->cleanups) != NULL) {
			pool->cleanups = c->next;
			c->fn(c->arg);
		} else {
			hook = pool->hooks;
			pool_hook_remove(hook);
			hook->fn(hook);
		}
	}
}

static void
free_chunks(struct annex_pool *pool)
{
	struct pool_chunk *chunk;

	while ((chunk = pool->chunks) != NULL) {
		pool->chunks = chunk->next;
		free(chunk);
	}
}

void
annex_pool_destroy(struct annex_pool **poolp)
{
	struct annex_pool *pool = *poolp;

	if (pool == NULL)
		return;
	CHECK_OBJECT(pool, POOL_MAGIC);
	*poolp = NULL;
	run_down(pool);
	if (pool->prev != NULL)
		pool->prev->next = pool->next;
	else if (pool->parent != NULL)
		pool->parent->children = pool->next;
	if (pool->next != NULL)
		pool->next->prev = pool->prev;
	free_chunks(pool);
	pool->magic = 0;
	free(pool);
}

void
annex_pool_reset(struct annex_pool *pool)
{
	CHECK_OBJECT(pool, POOL_MAGIC);
	if (pool->children != NULL || pool->cleanups != NULL || pool->hooks != NULL)
		run_down(pool);
	if (pool->chunks != NULL) {
		free_chunks(pool);
		pool->bytes = FIRST_SIZE;
		pool->next_size = CHUNK_MIN;
	}
	rewind_first(pool);
}

static char *
add_chunk(struct annex_pool *pool, size_t size)
{
	struct pool_chunk *chunk = mem_alloc(size);

	chunk->size = size;
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	pool->bytes += size;
	POOL_HIDE((char *)chunk + CHUNK_HEAD, size - CHUNK_HEAD);
	return (char *)chunk + CHUNK_HEAD;
}

void *
pool_alloc_slow(struct annex_pool *pool, size_t size, size_t align)
{
	char *p;

	CHECK_OBJECT(pool, POOL_MAGIC);
	if (size > SIZE_MAX / 2)
		mem_exhausted(size);
	if (size > pool->next_size / 4) {
		p = add_chunk(pool, CHUNK_HEAD + size + POOL_GAP);
		POOL_SHOW(p, size);
		return p;
	}
	pool->at = add_chunk(pool, pool->next_size);
	pool->end = pool->at + pool->next_size - CHUNK_HEAD;
	if (pool->next_size < CHUNK_MAX)
		pool->next_size *= 2;
	return pool_take(pool, size, align);
}

void *
annex_pool_alloc(struct annex_pool *pool, size_t size)
{
	return pool_take(pool, size, POOL_ALIGN);
}

void *
annex_pool_zalloc(struct annex_pool *pool, size_t size)
{
	return memset(pool_take(pool, size, POOL_ALIGN), 0, size);
}

void *
annex_pool_array(struct annex_pool *pool, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		mem_exhausted(SIZE_MAX);
	return annex_pool_zalloc(pool, total);
}

char *
annex_strdup(struct annex_pool *pool, const char *text)
{
	if (text == NULL)
		return NULL;
	return annex_strndup(pool, text, strlen(text));
}

char *
annex_strndup(struct annex_pool *pool, const char *text, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		mem_exhausted(len);
	copy = pool_take(pool, len + 1, 1);
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void *
annex_memdup(struct annex_pool *pool, const void *bytes, size_t len)
{
	void *copy = annex_pool_alloc(pool, len);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *
annex_sprintf(struct annex_pool *pool, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = annex_vsprintf(pool, fmt, args);
	va_end(args);
	return text;
}

char *
annex_vsprintf(struct annex_pool *pool, const char *fmt, va_list args)
{
	va_list again;
	char first[256], *text;
	int n;

	va_copy(again, args);
	n = vsnprintf(first, sizeof(first), fmt, args);
	CHECK(n >= 0);
	if ((size_t)n < sizeof(first)) {
		text = annex_strndup(pool, first, (size_t)n);
	} else {
		text = pool_take(pool, (size_t)n + 1, 1);
		vsnprintf(text, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	return text;
}

void
annex_pool_on_destroy(struct annex_pool *pool, void (*fn)(void *arg), void *arg)
{
	struct pool_cleanup *c = annex_pool_alloc(pool, sizeof(*c));

	c->fn = fn;
	c->arg = arg;
	c->next = pool->cleanups;
	pool->cleanups = c;
}

void
pool_hook_add(struct annex_pool *pool, struct pool_hook *hook, void (*fn)(struct pool_hook *hook))
{
	CHECK_OBJECT(pool, POOL_MAGIC);
	hook->fn = fn;
	hook->at = &pool->hooks;
	if ((hook->next = pool->hooks) != NULL)
		hook->next->at = &hook->next;
	pool->hooks = hook;
}

void
pool_hook_remove(struct pool_hook *hook)
{
	if (hook->at == NULL)
		return;
	*hook->at = hook->next;
	if (hook->next != NULL)
		hook->next->at = hook->at;
	hook->next = NULL;
	hook->at = NULL;
}

size_t
annex_pool_bytes(const struct annex_pool *pool)
{
	size_t bytes = pool->bytes;

	for (const struct annex_pool *p = pool->children; p != NULL; p = p->next)
		bytes += annex_pool_bytes(p);
	return bytes;
}
