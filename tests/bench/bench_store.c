/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench_store.c - what durability costs, and what group commit gives back
 *
 *	bench_store [DIRECTORY]		on the disk to be measured; "." without
 *
 * The baseline of commits is a loop that commits every put; the figure beside
 * it is the same puts, so many a turn.  The pages are taken from a group of a
 * million rows: count, index of a row in the middle, and the fifty behind it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "store/inside.h"
#include "store/store.h"

#define BODY 240
#define MILLION 1000000u
#define PAGE 50

static const struct annex_key_part row_parts[] = {
	{ "group", ANNEX_KEY_TEXT },
	{ "seq", ANNEX_KEY_U64 },
	{ 0 },
};
/* Of the framework's own records the one with a text in it. */
static const struct annex_table plain_tables[] = {
	{ 1, "plain", row_parts, &annex__store__format__descriptor, 1 },
	{ 2, "counted", row_parts, &annex__store__format__descriptor, 1, .counted = true },
	{ 0 },
};
#define PLAIN (&plain_tables[0])
#define COUNTED (&plain_tables[1])

struct bench {
	struct annex_store *store;
	struct annex_pool *scratch;
	uint64_t seq;
	char dir[512], body[BODY + 1];
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
bench_open(struct bench *b, const struct store_env *env, bool volatile_sync)
{
	const struct annex_table *const tables[] = { plain_tables, NULL };
	const struct store_options options = { .dir = b->dir, .volatile_sync = volatile_sync };
	struct annex_pool *pool = annex_pool_create(NULL, "open");
	const char *why;

	if (store_open(&b->store, env, &options, tables, pool, &why) < 0) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	store_set_scratch(b->store, b->scratch);
	annex_pool_destroy(&pool);
}

static void
bench_remove(struct bench *b)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "LOCK", "journal" };
	char path[640];

	store_close(&b->store);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", b->dir, names[i]);
		unlink(path);
	}
	rmdir(b->dir);
}

static void
put_row(struct bench *b, const struct annex_table *table, const char *group, uint64_t seq)
{
	Annex__Store__Format record = ANNEX__STORE__FORMAT__INIT;
	struct annex_key key = annex_key(table);

	record.created_by = b->body;
	annex_key_u64(annex_key_text(&key, group), seq);
	CHECK(annex_put(b->store, &key, &record.base) == ANNEX_OK);
}

/* Puts a second, into 200 groups, so many a turn. */
static double
measure_puts(struct bench *b, const struct annex_table *table, unsigned puts, unsigned per_turn)
{
	double began = now();
	char group[32];

	for (unsigned i = 0; i < puts; i++) {
		snprintf(group, sizeof(group), "group-%u", i % 200);
		put_row(b, table, group, b->seq++);
		if ((i + 1) % per_turn == 0)
			CHECK(store_commit(b->store) == ANNEX_OK);
	}
	CHECK(store_commit(b->store) == ANNEX_OK);
	return puts / (now() - began);
}

static void
bench_commits(struct bench *b)
{
	static const unsigned per_turn[] = { 16, 128, 1024 };
	double alone = measure_puts(b, PLAIN, 3000, 1), together;

	printf("puts, each committed                %10.0f /s   (baseline; commit %.0f us)\n",
	    alone, 1e6 / alone);
	for (size_t i = 0; i < sizeof(per_turn) / sizeof(per_turn[0]); i++) {
		together = measure_puts(b, PLAIN, 3000 * (unsigned)(4 << i), per_turn[i]);
		printf("puts, %4u a turn                   %10.0f /s   %6.1f x\n", per_turn[i],
		    together, together / alone);
	}
	together = measure_puts(b, COUNTED, 48000, 1024);
	printf("puts, 1024 a turn, counted          %10.0f /s   %6.1f x\n", together,
	    together / alone);
}

static void
take_page(struct bench *b, const struct annex_key *prefix, uint64_t index)
{
	struct annex_iter it;
	uint64_t rows, again;
	unsigned n = 0;

	CHECK(annex_rows(b->store, prefix, &rows) == ANNEX_OK && rows == MILLION);
	CHECK(annex_seek(b->store, prefix, index, &it) == ANNEX_OK);
	while (n < PAGE && annex_next(b->store, &it) == ANNEX_AGAIN)
		if (n++ == 0)
			CHECK(annex_row_index(b->store, &it.key, &again) == ANNEX_OK &&
			    again == index);
	CHECK(n == PAGE);
	store_abort(b->store);
	annex_pool_reset(b->scratch);
}

static void
bench_pages(struct bench *b)
{
	struct annex_key prefix = annex_key(COUNTED), gets;
	ProtobufCMessage *record;
	double began = now(), page, get;

	annex_key_text(&prefix, "million");
	for (unsigned i = 0; i < MILLION; i++) {
		put_row(b, COUNTED, "million", i + 1);
		if (i % 10000 == 9999)
			CHECK(store_commit(b->store) == ANNEX_OK);
	}
	printf("filling a counted million, no fsync %10.0f /s\n", MILLION / (now() - began));
	began = now();
	for (unsigned i = 0; i < 1000; i++)
		take_page(b, &prefix, (uint64_t)i * 7919 * 131 % (MILLION - PAGE));
	page = (now() - began) / 1000;
	began = now();
	for (unsigned i = 0; i < 50000; i++) {
		gets = prefix;
		annex_key_u64(&gets, (uint64_t)i * 7919 % MILLION + 1);
		CHECK(annex_get(b->store, &gets, &record) == ANNEX_OK);
		if (i % 50 == 49)
			annex_pool_reset(b->scratch);
	}
	get = (now() - began) / 1000;
	store_abort(b->store);
	printf("50 of a million, count and index    %10.0f us  (50 gets by key: %.0f us)\n",
	    page * 1e6, get * 1e6);
}

int
main(int argc, char **argv)
{
	struct bench b = { .store = NULL };
	struct clock clock;
	struct store_env env = { .io = &store_io_lmdb, .clock = &clock };

	snprintf(b.dir, sizeof(b.dir), "%s/annex-bench-XXXXXX", argc > 1 ? argv[1] : ".");
	if (mkdtemp(b.dir) == NULL) {
		perror(b.dir);
		return 1;
	}
	clock_init_system(&clock);
	memset(b.body, 'b', BODY);
	b.scratch = annex_pool_create(NULL, "scratch");
	bench_open(&b, &env, false);
	bench_commits(&b);
	store_close(&b.store);
	bench_open(&b, &env, true);
	bench_pages(&b);
	bench_remove(&b);
	annex_pool_destroy(&b.scratch);
	return 0;
}
