/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * limit.c - token buckets, alone and in sets
 *
 * A set keeps its buckets in the order they were last touched.  The oldest
 * one that is full again tells no more than a new one would, so every take
 * drops up to two of those; beyond the limit the oldest goes, full or not.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/limit.h>
#include <annex/list.h>
#include <annex/map.h>
#include <annex/pool.h>

#include "alloc.h"
#include "check.h"

static double
level(const struct annex_bucket *bucket, double rate, double burst, int64_t now_ms)
{
	double tokens;

	if (bucket->filled_ms == 0)
		return burst;
	tokens = bucket->tokens;
	if (now_ms > bucket->filled_ms)
		tokens += (double)(now_ms - bucket->filled_ms) * rate / 1000;
	return tokens < burst ? tokens : burst;
}

bool
annex_bucket_take(struct annex_bucket *bucket, double rate, double burst, double n, int64_t now_ms)
{
	double tokens = level(bucket, rate, burst, now_ms);

	bucket->tokens = tokens;
	/* Time does not run backwards, and 0 means never used. */
	if (now_ms > bucket->filled_ms)
		bucket->filled_ms = now_ms;
	if (bucket->filled_ms <= 0)
		bucket->filled_ms = 1;
	if (tokens < n)
		return false;
	bucket->tokens = tokens - n;
	return true;
}

struct keyed_bucket {
	struct annex_bucket bucket;
	struct annex_link by_touch;
	char key[];
};

struct annex_buckets {
	struct annex_map *map;
	struct annex_link oldest_first;
	double rate, burst;
	size_t max;
};

/* A full bucket is kept for this long, so that a busy key is not freed and made at each turn. */
#define LINGER_MS 1000

static void
forget(struct annex_buckets *buckets, struct keyed_bucket *k)
{
	annex_map_remove_str(buckets->map, k->key);
	annex_list_remove(&k->by_touch);
	free(k);
}

static void
release(void *arg)
{
	struct annex_buckets *buckets = arg;

	ANNEX_LIST_EACH (&buckets->oldest_first, l)
		free(annex_container_of(l, struct keyed_bucket, by_touch));
}

struct annex_buckets *
annex_buckets_create(struct annex_pool *pool, double rate, double burst, size_t max)
{
	struct annex_buckets *buckets = annex_new(pool, struct annex_buckets);

	CHECK(max > 0);
	buckets->map = annex_map_create(pool);
	annex_list_init(&buckets->oldest_first);
	buckets->rate = rate;
	buckets->burst = burst;
	buckets->max = max;
	annex_pool_on_destroy(pool, release, buckets);
	return buckets;
}

static void
drop_full(struct annex_buckets *buckets, int64_t now_ms)
{
	for (int i = 0; i < 2 && !annex_list_is_empty(&buckets->oldest_first); i++) {
		struct keyed_bucket *k =
		    annex_container_of(buckets->oldest_first.next, struct keyed_bucket, by_touch);

		if (now_ms - k->bucket.filled_ms < LINGER_MS ||
		    level(&k->bucket, buckets->rate, buckets->burst, now_ms) < buckets->burst)
			return;
		forget(buckets, k);
	}
}

static struct keyed_bucket *
touch(struct annex_buckets *buckets, const char *key, int64_t now_ms)
{
	struct keyed_bucket *k;
	size_t size;

	drop_full(buckets, now_ms);
	k = annex_map_get_str(buckets->map, key);
	if (k == NULL) {
		if (annex_map_count(buckets->map) >= buckets->max)
			forget(buckets,
			    annex_container_of(
				buckets->oldest_first.next, struct keyed_bucket, by_touch));
		size = strlen(key) + 1;
		k = mem_zalloc(sizeof(*k) + size);
		memcpy(k->key, key, size);
		annex_map_set_str(buckets->map, key, k);
	} else {
		annex_list_remove(&k->by_touch);
	}
	annex_list_append(&buckets->oldest_first, &k->by_touch);
	return k;
}

bool
annex_buckets_take(struct annex_buckets *buckets, const char *key, double n, int64_t now_ms)
{
	struct keyed_bucket *k = touch(buckets, key, now_ms);

	return annex_bucket_take(&k->bucket, buckets->rate, buckets->burst, n, now_ms);
}

void
annex_buckets_empty(struct annex_buckets *buckets, const char *key, int64_t now_ms)
{
	struct keyed_bucket *k = touch(buckets, key, now_ms);

	annex_bucket_take(&k->bucket, buckets->rate, buckets->burst, 0, now_ms);
	k->bucket.tokens = 0;
}

size_t
annex_buckets_count(const struct annex_buckets *buckets)
{
	return annex_map_count(buckets->map);
}
