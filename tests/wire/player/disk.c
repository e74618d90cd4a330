/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disk.c - the store's I/O, watched and made to fail
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

/* What lies behind the last page when the disk is full: more than is ever allocated ahead. */
#define FULL_BYTES ((uint64_t)256 << 20)

static struct disk *
disk_of(const struct store_io *io)
{
	return (struct disk *)(uintptr_t)io;
}

/* 0, or what this call fails with. */
static int
trouble(const struct store_io *io)
{
	struct disk *d = disk_of(io);

	if (!d->armed || ++d->calls != d->fail_at)
		return 0;
	d->failed = true;
	return d->fail_with;
}

bool
disk_is_dirty(const struct disk *disk)
{
	return disk->changes > disk->safe;
}

static int
disk_open(const struct store_io *io, const char *path, unsigned flags, uint64_t map_bytes,
    MDB_env **env_r)
{
	struct disk *d = disk_of(io);
	int rc = d->real->open(d->real, path, flags, map_bytes, env_r);

	if (rc == 0)
		d->env = *env_r;
	return rc;
}

static void
disk_close(const struct store_io *io, MDB_env *env)
{
	struct disk *d = disk_of(io);

	if (env == d->env)
		d->env = NULL;
	d->real->close(d->real, env);
}

static int
disk_descriptor(const struct store_io *io, MDB_env *env, int *fd_r)
{
	return disk_of(io)->real->descriptor(disk_of(io)->real, env, fd_r);
}

static int
disk_info(const struct store_io *io, MDB_env *env, MDB_envinfo *info_r, MDB_stat *stat_r)
{
	struct disk *d = disk_of(io);
	int rc = trouble(io);

	if (rc == 0 && (rc = d->real->info(d->real, env, info_r, stat_r)) == 0 && d->full)
		info_r->me_last_pgno += FULL_BYTES / stat_r->ms_psize;
	return rc;
}

static int
disk_reader_check(const struct store_io *io, MDB_env *env, int *dead_r)
{
	return disk_of(io)->real->reader_check(disk_of(io)->real, env, dead_r);
}

static int
disk_copy(const struct store_io *io, MDB_env *env, int fd)
{
	return disk_of(io)->real->copy(disk_of(io)->real, env, fd);
}

static int
disk_begin(const struct store_io *io, MDB_env *env, unsigned flags, MDB_txn **txn_r)
{
	struct disk *d = disk_of(io);
	int rc = trouble(io);

	if (rc == 0 && (rc = d->real->begin(d->real, env, flags, txn_r)) == 0 &&
	    (flags & MDB_RDONLY) == 0)
		d->txn = *txn_r;
	return rc;
}

static void
ended(struct disk *d, const MDB_txn *txn)
{
	if (txn != d->txn)
		return;
	d->txn = NULL;
	d->changes = 0;
}

static int
disk_commit(const struct store_io *io, MDB_txn *txn)
{
	struct disk *d = disk_of(io);
	bool wrote = txn == d->txn && disk_is_dirty(d);
	int rc = trouble(io);

	if (wrote && d->bad_commits > 0) {
		d->bad_commits--;
		rc = ENOMEM;
	}
	if (rc != 0)
		d->real->abort(d->real, txn);
	else if ((rc = d->real->commit(d->real, txn)) == 0 && txn == d->txn) {
		d->commits += wrote;
		d->safe = 0;
	}
	ended(d, txn);
	return rc;
}

static size_t
disk_txn_id(const struct store_io *io, MDB_txn *txn)
{
	return disk_of(io)->real->txn_id(disk_of(io)->real, txn);
}

static void
disk_abort(const struct store_io *io, MDB_txn *txn)
{
	struct disk *d = disk_of(io);

	ended(d, txn);
	d->real->abort(d->real, txn);
}

static int
disk_get(const struct store_io *io, MDB_txn *txn, MDB_val *key, MDB_val *value)
{
	int rc = trouble(io);

	return rc != 0 ? rc : disk_of(io)->real->get(disk_of(io)->real, txn, key, value);
}

static int
disk_put(const struct store_io *io, MDB_txn *txn, MDB_val *key, MDB_val *value, unsigned flags)
{
	struct disk *d = disk_of(io);
	int rc = trouble(io);

	if (rc == 0 && (rc = d->real->put(d->real, txn, key, value, flags)) == 0)
		d->changes++;
	return rc;
}

static int
disk_del(const struct store_io *io, MDB_txn *txn, MDB_val *key)
{
	struct disk *d = disk_of(io);
	int rc = trouble(io);

	if (rc == 0 && (rc = d->real->del(d->real, txn, key)) == 0)
		d->changes++;
	return rc;
}

static int
disk_cursor_open(const struct store_io *io, MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor_r)
{
	int rc = trouble(io);

	return rc != 0 ? rc : disk_of(io)->real->cursor_open(disk_of(io)->real, txn, dbi, cursor_r);
}

static void
disk_cursor_close(const struct store_io *io, MDB_cursor *cursor)
{
	disk_of(io)->real->cursor_close(disk_of(io)->real, cursor);
}

static int
disk_cursor_get(
    const struct store_io *io, MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op)
{
	int rc = trouble(io);

	return rc != 0 ? rc
		       : disk_of(io)->real->cursor_get(disk_of(io)->real, cursor, key, value, op);
}

static int
disk_allocate(const struct store_io *io, int fd, off_t from, off_t len, bool sparse)
{
	struct disk *d = disk_of(io);
	struct stat st;

	/* What the file has already can be had again. */
	if (d->full && (fstat(fd, &st) < 0 || from + len > st.st_size))
		return ENOSPC;
	return d->real->allocate(d->real, fd, from, len, true);
}

static int
disk_sync(const struct store_io *io, int fd)
{
	int rc = trouble(io);

	return rc != 0 ? rc : disk_of(io)->real->sync(disk_of(io)->real, fd);
}

/* A turn is committed here; the transaction goes on.  Zeros take back one that failed. */
static int
disk_append(const struct store_io *io, int fd, const void *bytes, size_t len, off_t at, bool sync)
{
	bool is_turn = *(const char *)bytes != '\0';
	struct disk *d = disk_of(io);
	int rc = trouble(io);

	if (is_turn && d->bad_commits > 0) {
		d->bad_commits--;
		rc = ENOMEM;
	}
	if (rc == 0 && (rc = d->real->append(d->real, fd, bytes, len, at, sync)) == 0 && is_turn) {
		d->safe = d->changes;
		d->commits++;
	}
	return rc;
}

static int
disk_disk_free(const struct store_io *io, const char *path, uint64_t *bytes_r)
{
	*bytes_r = disk_of(io)->full ? 0 : (uint64_t)100 << 30;
	return 0;
}

void
disk_init(struct disk *disk)
{
	*disk = (struct disk) {
		.io = {
			.open = disk_open,
			.close = disk_close,
			.descriptor = disk_descriptor,
			.info = disk_info,
			.reader_check = disk_reader_check,
			.copy = disk_copy,
			.begin = disk_begin,
			.commit = disk_commit,
			.abort = disk_abort,
			.txn_id = disk_txn_id,
			.get = disk_get,
			.put = disk_put,
			.del = disk_del,
			.cursor_open = disk_cursor_open,
			.cursor_close = disk_cursor_close,
			.cursor_get = disk_cursor_get,
			.allocate = disk_allocate,
			.sync = disk_sync,
			.append = disk_append,
			.disk_free = disk_disk_free,
		},
		.real = annexp_store_io(),
	};
}

/* Descriptors below dir that the store had open beside LMDB's. */
static void
close_below(const char *dir)
{
	DIR *fds = opendir("/proc/self/fd");
	struct dirent *entry;
	char link[64], target[4096];
	ssize_t n;

	while (fds != NULL && (entry = readdir(fds)) != NULL) {
		snprintf(link, sizeof(link), "/proc/self/fd/%.20s", entry->d_name);
		if ((n = readlink(link, target, sizeof(target) - 1)) <= 0)
			continue;
		target[n] = '\0';
		if (strncmp(target, dir, strlen(dir)) == 0)
			close(atoi(entry->d_name));
	}
	if (fds != NULL)
		closedir(fds);
}

void
disk_kill(struct disk *disk, const char *dir)
{
	if (disk->txn != NULL)
		disk->real->abort(disk->real, disk->txn);
	ended(disk, disk->txn);
	if (disk->env != NULL)
		disk->real->close(disk->real, disk->env);
	disk->env = NULL;
	close_below(dir);
}
