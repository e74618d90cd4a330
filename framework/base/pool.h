/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pool.h - what a pool looks like inside, for who allocates in a hot loop
 *
 * A pool is one chunk from malloc that starts with the pool's own struct, so
 * making one is one malloc and resetting one that never outgrew its first
 * chunk is two stores.  Later chunks hang on a list; an allocation too large
 * for the next chunk gets one of its own and leaves the current one in use.
 *
 * Under AddressSanitizer whatever was not handed out is poisoned, and a gap
 * is left between neighbours, so overruns and use after reset are seen.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include <annex/pool.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_ASAN 1
#endif
#endif

#ifdef POOL_ASAN
#include <sanitizer/asan_interface.h>
#define POOL_GAP 16
#define POOL_HIDE(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define POOL_SHOW(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POOL_GAP 0
#define POOL_HIDE(p, n) ((void)(p), (void)(n))
#define POOL_SHOW(p, n) ((void)(p), (void)(n))
#endif

#define POOL_ALIGN 16

struct pool_chunk;
struct pool_cleanup;

/*
 * A clean-up inside of what it cleans, which may go before the pool does.  They run after those of
 * annex_pool_on_destroy; fn must not touch the hook's siblings.
 */
struct pool_hook {
	struct pool_hook *next, **at;
	void (*fn)(struct pool_hook *hook);
};
void
pool_hook_add(struct annex_pool *pool, struct pool_hook *hook, void (*fn)(struct pool_hook *hook));
void pool_hook_remove(struct pool_hook *hook); /* also one that is in no pool: all zero */

struct annex_pool {
	uint32_t magic;
	uint32_t next_size;            /* of the next chunk */
	char *at, *end;                /* free part of the current chunk */
	struct pool_chunk *chunks;     /* all but the first, newest first */
	struct pool_cleanup *cleanups; /* newest first */
	struct pool_hook *hooks;       /* likewise */
	struct annex_pool *parent, *children, *prev, *next;
	size_t bytes; /* from the system, children excluded */
	const char *name;
};
#define POOL_MAGIC 0x6b1de55fu

void *pool_alloc_slow(struct annex_pool *pool, size_t size, size_t align);

/* align is 1 or POOL_ALIGN. */
static inline void *
pool_take(struct annex_pool *pool, size_t size, size_t align)
{
	size_t pad = -(uintptr_t)pool->at & ((POOL_GAP > 0 ? POOL_ALIGN : align) - 1);
	char *p;

	if (__builtin_expect((size_t)(pool->end - pool->at) < pad + POOL_GAP ||
		    (size_t)(pool->end - pool->at) - pad - POOL_GAP < size,
		0))
		return pool_alloc_slow(pool, size, align);
	p = pool->at + pad;
	pool->at = p + size + POOL_GAP;
	POOL_SHOW(p, size);
	return p;
}

#endif /* BASE_POOL_H */
