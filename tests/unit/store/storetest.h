/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * storetest.h - a store to try things on
 *
 * A directory of its own, in memory where the machine has such a place; a
 * clock that stands; tables; and a store_io that fails when it is told to.
 */
#ifndef STORETEST_H
#define STORETEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <annex/pool.h>

#include "store/inside.h"
#include "tests/unit/store/test_record.pb-c.h"

/* Tables that most tests share. */
extern const struct annex_table storetest_tables[];
extern const struct annex_table *const storetest_lists[];
#define BY_TEXT (&storetest_tables[0])   /* text */
#define BY_NUMBER (&storetest_tables[1]) /* number */
#define COUNTED (&storetest_tables[2])   /* text, number; counted, weighed */
#define BY_BYTES (&storetest_tables[3])  /* bytes, text */
#define FRAMEWORK (&storetest_tables[4]) /* number; one of the framework's */

/* The number and the length of the text. */
uint64_t storetest_weigh(const ProtobufCMessage *record);

/*
 * Calls are numbered from 1.  Call fail_at returns error, as the real one
 * would after undoing itself.
 */
struct fault_io {
	struct store_io io; /* first */
	unsigned long calls, fail_at;
	int error;
	const char *failed;                 /* the name of what failed */
	bool no_space;                      /* allocate returns ENOSPC */
	bool synced;                        /* what was appended last */
	unsigned long commits, allocations; /* commits: of LMDB or to the journal */
};
void fault_io_init(struct fault_io *fault);

struct storetest {
	char dir[128];
	struct clock clock;
	int64_t now_us;
	struct fault_io fault;
	struct store_options options;
	struct store_env env;
	struct annex_pool *pool;
	const struct annex_table *const *lists;
	struct annex_store *store;
	const char *why;
};

void storetest_init(struct storetest *t);
int storetest_open(struct storetest *t); /* status; why is in t->why */
void storetest_reopen(struct storetest *t);
void storetest_finish(struct storetest *t);                  /* removes the directory */
char *storetest_file(struct storetest *t, const char *name); /* in the pool */
char *storetest_picture(struct storetest *t); /* all there is, as an export; free() it */

/* For cmocka: *state is one that is open. */
int storetest_setup(void **state);
int storetest_teardown(void **state);

void put_text(struct annex_store *store, const struct annex_key *key, const char *text);
int try_put_text(struct annex_store *store, const struct annex_key *key, const char *text);
/* NULL where there is none. */
const char *get_text(struct annex_store *store, const struct annex_key *key);
struct annex_key text_key(const char *text);
struct annex_key number_key(uint64_t number);
struct annex_key counted_key(const char *group, uint64_t number);
void commit(struct annex_store *store);

#endif /* STORETEST_H */
