/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * io.c - the one file that calls LMDB
 *
 * Nothing is decided here.  What may not be used is not in the table: named
 * databases, DUPSORT, nested transactions.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/check.h"

#include "io.h"

/* The dbi of the unnamed database stays good when its transaction is gone. */
static int
open_database(MDB_env *env, unsigned flags)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc;

	if ((rc = mdb_txn_begin(env, NULL, flags & MDB_RDONLY, &txn)) != 0)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &dbi);
	CHECK(rc != 0 || dbi == STORE_DBI);
	mdb_txn_abort(txn);
	return rc;
}

static int
lmdb_open(const struct store_io *io, const char *path, unsigned flags, uint64_t map_bytes,
    MDB_env **env_r)
{
	MDB_env *env;
	int rc;

	if ((rc = mdb_env_create(&env)) != 0)
		return rc;
	if ((rc = mdb_env_set_mapsize(env, (size_t)map_bytes)) != 0 ||
	    (rc = mdb_env_open(env, path, flags, 0600)) != 0 ||
	    (rc = open_database(env, flags)) != 0) {
		mdb_env_close(env);
		return rc;
	}
	*env_r = env;
	return 0;
}

static void
lmdb_close(const struct store_io *io, MDB_env *env)
{
	mdb_env_close(env);
}

static int
lmdb_descriptor(const struct store_io *io, MDB_env *env, int *fd_r)
{
	return mdb_env_get_fd(env, fd_r);
}

static int
lmdb_info(const struct store_io *io, MDB_env *env, MDB_envinfo *info_r, MDB_stat *stat_r)
{
	int rc = mdb_env_info(env, info_r);

	return rc != 0 ? rc : mdb_env_stat(env, stat_r);
}

static int
lmdb_reader_check(const struct store_io *io, MDB_env *env, int *dead_r)
{
	return mdb_reader_check(env, dead_r);
}

static int
lmdb_copy(const struct store_io *io, MDB_env *env, int fd)
{
	return mdb_env_copyfd2(env, fd, MDB_CP_COMPACT);
}

static int
lmdb_begin(const struct store_io *io, MDB_env *env, unsigned flags, MDB_txn **txn_r)
{
	return mdb_txn_begin(env, NULL, flags, txn_r);
}

static int
lmdb_commit(const struct store_io *io, MDB_txn *txn)
{
	return mdb_txn_commit(txn);
}

static void
lmdb_abort(const struct store_io *io, MDB_txn *txn)
{
	mdb_txn_abort(txn);
}

static size_t
lmdb_txn_id(const struct store_io *io, MDB_txn *txn)
{
	return mdb_txn_id(txn);
}

static int
lmdb_get(const struct store_io *io, MDB_txn *txn, MDB_val *key, MDB_val *value)
{
	return mdb_get(txn, STORE_DBI, key, value);
}

static int
lmdb_put(const struct store_io *io, MDB_txn *txn, MDB_val *key, MDB_val *value, unsigned flags)
{
	return mdb_put(txn, STORE_DBI, key, value, flags);
}

static int
lmdb_del(const struct store_io *io, MDB_txn *txn, MDB_val *key)
{
	return mdb_del(txn, STORE_DBI, key, NULL);
}

static int
lmdb_cursor_open(const struct store_io *io, MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor_r)
{
	return mdb_cursor_open(txn, dbi, cursor_r);
}

static void
lmdb_cursor_close(const struct store_io *io, MDB_cursor *cursor)
{
	mdb_cursor_close(cursor);
}

static int
lmdb_cursor_get(
    const struct store_io *io, MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op)
{
	return mdb_cursor_get(cursor, key, value, op);
}

static int
lmdb_allocate(const struct store_io *io, int fd, off_t from, off_t len, bool sparse)
{
	struct stat st;

	if (!sparse)
		return posix_fallocate(fd, from, len);
	if (fstat(fd, &st) < 0)
		return errno;
	if (st.st_size >= from + len)
		return 0;
	return ftruncate(fd, from + len) < 0 ? errno : 0;
}

static int
lmdb_sync(const struct store_io *io, int fd)
{
	return fsync(fd) < 0 ? errno : 0;
}

static int
lmdb_append(const struct store_io *io, int fd, const void *bytes, size_t len, off_t at, bool sync)
{
	const char *from = bytes;

	while (len > 0) {
		ssize_t n = pwrite(fd, from, len, at);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			from += n;
			at += n;
			len -= (size_t)n;
		}
	}
	return sync && fdatasync(fd) < 0 ? errno : 0;
}

static int
lmdb_disk_free(const struct store_io *io, const char *path, uint64_t *bytes_r)
{
	struct statvfs vfs;

	if (statvfs(path, &vfs) < 0)
		return errno;
	*bytes_r = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return 0;
}

const struct store_io store_io_lmdb = {
	.open = lmdb_open,
	.close = lmdb_close,
	.descriptor = lmdb_descriptor,
	.info = lmdb_info,
	.reader_check = lmdb_reader_check,
	.copy = lmdb_copy,
	.begin = lmdb_begin,
	.commit = lmdb_commit,
	.abort = lmdb_abort,
	.txn_id = lmdb_txn_id,
	.get = lmdb_get,
	.put = lmdb_put,
	.del = lmdb_del,
	.cursor_open = lmdb_cursor_open,
	.cursor_close = lmdb_cursor_close,
	.cursor_get = lmdb_cursor_get,
	.allocate = lmdb_allocate,
	.sync = lmdb_sync,
	.append = lmdb_append,
	.disk_free = lmdb_disk_free,
};

const struct store_io *
annexp_store_io(void)
{
	return &store_io_lmdb;
}
