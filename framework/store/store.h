/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * store.h - one LMDB environment, its transactions and its files
 *
 * The worker opens the store, begins nothing itself (the first access
 * does), and ends each turn with store_commit or store_abort.  LMDB is
 * called through struct store_io alone, which is where tests inject faults.
 *
 *	STATE/DOMAIN/data.mdb	the environment
 *	STATE/DOMAIN/journal	turns that are not in it yet; empty when the store is closed
 *	STATE/DOMAIN/LOCK	flock'ed by the worker, so that there is one
 *
 * When the power goes, or the process is killed, each turn whose store_commit said ANNEX_OK is there
 * with the next store_open, in order, and none that it refused; of the one that was being committed
 * all or nothing.  So is a restore or not.  An import may be there in part.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdio.h>

#include <annex/store.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "base/reactor.h"

struct store_io; /* io.h: LMDB's functions, one member each */
extern const struct store_io store_io_lmdb;

struct store_options {
	const char *dir;      /* STATE/DOMAIN; made where missing, mode 0700 */
	uint64_t map_bytes;   /* 0 = 64 GiB */
	uint64_t quota_bytes; /* 0 = the map; growth is refused above 90 % of it */
	bool read_only;       /* of a copy: verify and export */
	bool volatile_sync;   /* tests alone: no fsync */
};

struct store_env {
	const struct store_io *io;
	const struct clock *clock;
	struct log *log;
	struct counters *counters; /* may be NULL */
	struct reactor *reactor;   /* for backup; may be NULL */
};

/*
 * Open, take the lock, check the format, migrate tables.  On failure *why
 * is one sentence (in pool): not writable, disk full, damaged, already in
 * use by process N, of a newer format.
 */
int store_open(struct annex_store **store_r, const struct store_env *env,
    const struct store_options *options,
    const struct annex_table *const *tables /* NULL-ended list of lists */, struct annex_pool *pool,
    const char **why) ANNEX_MUST_CHECK;
void store_close(struct annex_store **store);

/* Another quota from now on, as in store_options; what is stored above it stays. */
void store_set_quota(struct annex_store *store, uint64_t bytes);

/* Where annex_get puts records; the worker empties it after each callback. */
void store_set_scratch(struct annex_store *store, struct annex_pool *scratch);

bool store_in_transaction(const struct annex_store *store);
bool store_is_dirty(const struct annex_store *store);      /* written to in this turn */
size_t store_dirty_bytes(const struct annex_store *store); /* about; for the bound of 4 MiB */

bool store_has_refused(const struct annex_store *store); /* growth, in this turn: ANNEX_EFULL */

/* A call failed in this turn: the turn must be aborted. */
bool store_has_failed(const struct annex_store *store);
/* The environment is beyond use (I/O error, MDB_PANIC, MDB_CORRUPTED): the worker must end. */
bool store_is_dead(const struct annex_store *store);

/* End the turn's transaction, if there is one.  ANNEX_OK or ANNEX_ESTORE, and then all is undone. */
int store_commit(struct annex_store *store) ANNEX_MUST_CHECK;
void store_abort(struct annex_store *store);

/* Once a minute: free dead readers' slots, keep space allocated ahead, warn of quota and disk. */
void store_tend(struct annex_store *store);

struct store_stat {
	uint64_t rows, bytes_used, bytes_free_inside, bytes_map, bytes_quota;
	uint64_t disk_free;
	unsigned depth;
	uint64_t commits;
	double commit_us_last;
	struct store_table_stat {
		const char *name;
		uint64_t rows;
	} * table;
	size_t table_count;
};
int store_stat(
    struct annex_store *store, bool by_table, struct annex_pool *pool, struct store_stat *stat_r);

/*
 * Copy, compacted, to fd in a thread; done is called from the reactor.  The
 * descriptor is the caller's to close, in done or after.  One at a time: ANNEX_EEXIST.
 */
int store_backup(struct annex_store *store, int fd,
    void (*done)(void *cookie, int status, const char *why), void *cookie);

/*
 * Offline, on a directory whose store is not open (or is a copy): each says on out
 * what it found, returns the number of things wrong, or negative with *why.
 */
int store_verify(const char *dir, const struct annex_table *const *tables, FILE *out,
    struct annex_pool *pool, const char **why);
int store_export(const char *dir, const struct annex_table *const *tables, FILE *out,
    struct annex_pool *pool, const char **why); /* JSON Lines */
int store_import(const char *dir, const struct annex_table *const *tables, FILE *in,
    struct annex_pool *pool, const char **why); /* into an empty store */
int store_restore(const char *dir, int backup_fd, struct annex_pool *pool, const char **why);
/* Whether the file may be a store at all, told from its first pages. */
int store_judge_backup(const char *path, struct annex_pool *pool, const char **why);

#endif /* STORE_STORE_H */
