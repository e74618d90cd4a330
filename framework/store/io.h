/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * io.h - LMDB and the disk, as the store sees them
 *
 * Every call that can meet a full or a broken disk goes through this table,
 * so a test can put its own in front: a struct that begins with a struct
 * store_io, finds itself by the first argument, and fails the call it likes.
 * Each returns 0, a positive errno, or a negative MDB_ number, as LMDB does.
 *
 * A call that fails must leave behind what the real one would: commit and
 * abort end the transaction whatever they return.
 */
#ifndef STORE_IO_H
#define STORE_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lmdb.h>

/* The one database of an environment, and the list of its free pages. */
#define STORE_DBI 1
#define STORE_FREE_DBI 0

struct store_io {
	/* flags are LMDB's; the database is open afterwards. */
	int (*open)(const struct store_io *io, const char *path, unsigned flags, uint64_t map_bytes,
	    MDB_env **env_r);
	void (*close)(const struct store_io *io, MDB_env *env);
	int (*descriptor)(const struct store_io *io, MDB_env *env, int *fd_r);
	int (*info)(const struct store_io *io, MDB_env *env, MDB_envinfo *info_r, MDB_stat *stat_r);
	int (*reader_check)(const struct store_io *io, MDB_env *env, int *dead_r);
	int (*copy)(const struct store_io *io, MDB_env *env, int fd);

	int (*begin)(const struct store_io *io, MDB_env *env, unsigned flags, MDB_txn **txn_r);
	int (*commit)(const struct store_io *io, MDB_txn *txn);
	void (*abort)(const struct store_io *io, MDB_txn *txn);
	/* Of one that writes: the last that was committed, and one more. */
	size_t (*txn_id)(const struct store_io *io, MDB_txn *txn);

	int (*get)(const struct store_io *io, MDB_txn *txn, MDB_val *key, MDB_val *value);
	int (*put)(
	    const struct store_io *io, MDB_txn *txn, MDB_val *key, MDB_val *value, unsigned flags);
	int (*del)(const struct store_io *io, MDB_txn *txn, MDB_val *key);

	int (*cursor_open)(
	    const struct store_io *io, MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor_r);
	void (*cursor_close)(const struct store_io *io, MDB_cursor *cursor);
	int (*cursor_get)(const struct store_io *io, MDB_cursor *cursor, MDB_val *key,
	    MDB_val *value, MDB_cursor_op op);

	/* Have the file hold this range; sparse: only its length. */
	int (*allocate)(const struct store_io *io, int fd, off_t from, off_t len, bool sparse);
	int (*sync)(const struct store_io *io, int fd);
	/* To this place of the journal and, where sync is true, to the disk. */
	int (*append)(
	    const struct store_io *io, int fd, const void *bytes, size_t len, off_t at, bool sync);
	int (*disk_free)(const struct store_io *io, const char *path, uint64_t *bytes_r);
};

extern const struct store_io store_io_lmdb;

/* The same, for who puts something in front of it from outside libannex.so. */
__attribute__((visibility("default"))) const struct store_io *annexp_store_io(void);

#endif /* STORE_IO_H */
