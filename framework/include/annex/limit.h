/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * limit.h - token buckets
 *
 * A bucket holds up to burst tokens and regains rate of them per second.
 * struct annex_bucket is small and may be embedded anywhere; a set of
 * buckets keyed by string forgets those that are full again.
 */
#ifndef ANNEX_LIMIT_H
#define ANNEX_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)

struct annex_pool;

struct annex_bucket {
	double tokens;
	int64_t filled_ms; /* when tokens was right; 0 = never used: full */
};

/* Take n tokens at now_ms if there are as many; false and none taken if not. */
bool
annex_bucket_take(struct annex_bucket *bucket, double rate, double burst, double n, int64_t now_ms);

struct annex_buckets;

/* At most max buckets: beyond it the one untouched longest is forgotten. */
struct annex_buckets *
annex_buckets_create(struct annex_pool *pool, double rate, double burst, size_t max);
bool annex_buckets_take(struct annex_buckets *buckets, const char *key, double n, int64_t now_ms);
/* It is empty: whoever goes on taking has to wait from then on. */
void annex_buckets_empty(struct annex_buckets *buckets, const char *key, int64_t now_ms);

/* How many are kept: those touched lately and not yet full again. */
size_t annex_buckets_count(const struct annex_buckets *buckets);

#pragma GCC visibility pop

#endif /* ANNEX_LIMIT_H */
