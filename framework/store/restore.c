/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * restore.c - put a backup in the place of a store
 *
 * The copy is whole, verified and on disk before it takes the name; what was
 * there before stays beside it as data.mdb.old, so that a restore can be
 * taken back by hand.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#include "inside.h"

static int
copy_all(int from, int to)
{
	char bytes[65536];
	ssize_t n;

	while ((n = io_read_all(from, bytes, sizeof(bytes))) > 0) {
		if (io_write_all(to, bytes, (size_t)n) < 0)
			return ANNEX_EIO;
	}
	return n < 0 || fsync(to) < 0 ? ANNEX_EIO : ANNEX_OK;
}

static int
copy_to(const char *path, int from, struct annex_pool *pool, const char **why)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), rc;

	rc = to < 0 ? ANNEX_EIO : copy_all(from, to);
	if (rc < 0)
		store_why(why, pool, errno == ENOSPC ? ANNEX_EFULL : ANNEX_EIO,
		    "cannot copy the backup to %s: %s", path, strerror(errno));
	io_close(&to);
	return rc;
}

int
store_judge_backup(const char *path, struct annex_pool *pool, const char **why)
{
	const char *complaint;
	bool is_empty;
	int rc = file_judge(path, &is_empty, &complaint, pool, why);

	if (rc >= 0 && (is_empty || complaint != NULL))
		return store_why(why, pool, ANNEX_EINVAL, "the backup %s",
		    complaint != NULL ? complaint : "is empty");
	return rc;
}

/* Its structure, checksums and order; tables are not known here and need not be. */
static int
verify(const char *path, struct annex_pool *pool, const char **why)
{
	const struct annex_table *const none[] = { NULL };
	FILE *nowhere = fopen("/dev/null", "w");
	int rc;

	if (nowhere == NULL)
		return store_why(why, pool, ANNEX_EIO, "/dev/null: %s", strerror(errno));
	rc = store_verify(path, none, nowhere, pool, why);
	fclose(nowhere);
	if (rc > 0)
		return store_why(why, pool, ANNEX_EINVAL,
		    "the backup is damaged: verify finds %d things wrong with it", rc);
	return rc;
}

/*
 * The journal goes first: its turns might count for the copy, whose transactions
 * have low numbers.  One that could not be done again stays beside the data it belongs to.
 */
static int
journal_away(const char *dir, struct annex_pool *pool)
{
	char *journal = annex_sprintf(pool, "%s/journal", dir);
	char *old = annex_sprintf(pool, "%s/journal.old", dir);

	unlink(old);
	if ((journal_is_left(dir, pool) ? rename(journal, old) : unlink(journal)) < 0 &&
	    errno != ENOENT)
		return errno;
	return file_sync_names(&store_io_lmdb, dir);
}

/* A second name for the data first, so that at no moment there is none. */
static int
exchange(const char *dir, const char *new, struct annex_pool *pool, const char **why)
{
	char *data = annex_sprintf(pool, "%s/data.mdb", dir);
	char *old = annex_sprintf(pool, "%s/data.mdb.old", dir);
	int rc = 0;

	unlink(old);
	if (link(data, old) < 0 && errno != ENOENT)
		rc = errno;
	if (rc == 0 && (rc = journal_away(dir, pool)) == 0 && rename(new, data) < 0)
		rc = errno;
	if (rc == 0)
		rc = file_sync_way(&store_io_lmdb, dir, pool);
	if (rc != 0)
		return store_why(why, pool, ANNEX_EIO, "cannot put the backup in place in %s: %s",
		    dir, strerror(rc));
	unlink(annex_sprintf(pool, "%s/lock.mdb", dir));
	return ANNEX_OK;
}

/* What is kept as data.mdb.old shall be whole; but it may be damaged, which is why somebody restores. */
static void
settle(const char *dir, struct annex_pool *pool)
{
	const struct store_options options = { .dir = dir };
	struct clock clock;
	const struct store_env env = { .io = &store_io_lmdb, .clock = &clock };
	const char *why;

	clock_init_system(&clock);
	if (journal_is_left(dir, pool))
		store_settle(&env, &options, pool, &why);
}

int
store_restore(const char *dir, int backup_fd, struct annex_pool *pool, const char **why)
{
	char *new = annex_sprintf(pool, "%s/data.mdb.new", dir);
	int lock, rc;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return store_why(
		    why, pool, ANNEX_EIO, "cannot make the directory %s: %s", dir, strerror(errno));
	settle(dir, pool);
	if ((rc = lock_take(dir, false, &lock, pool, why)) < 0)
		return rc;
	if ((rc = copy_to(new, backup_fd, pool, why)) >= 0 &&
	    (rc = store_judge_backup(new, pool, why)) >= 0 && (rc = verify(new, pool, why)) >= 0)
		rc = exchange(dir, new, pool, why);
	unlink(new);
	io_close(&lock);
	return rc;
}
