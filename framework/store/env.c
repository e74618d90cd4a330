/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * env.c - open and close
 *
 * The order matters: the lock before anything is looked at, the file before
 * LMDB maps it, space before anything is written, the format before any row
 * is believed.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"

#include "inside.h"

/* More than LMDB needs for the readers there can be: backups, and free-page counts. */
#define LOCK_FILE_BYTES 8192
#define TREE_KEY_EXTRA 4 /* a node's key is so much longer than its rows' */

int
store_why(const char **why, struct annex_pool *pool, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	*why = annex_vsprintf(pool, fmt, args);
	va_end(args);
	return status;
}

static int
compare_tables(const void *a, const void *b)
{
	return (int)(*(const struct annex_table *const *)a)->number -
	    (int)(*(const struct annex_table *const *)b)->number;
}

/* A table that could not work is refused before there is a store of it. */
static int
check_table(const struct annex_table *table, struct annex_pool *pool, const char **why)
{
	unsigned parts;

	if (table->name == NULL || table->key == NULL || table->record == NULL)
		return store_why(why, pool, ANNEX_EINVAL,
		    "the table of number %u lacks a name, a key or a record", table->number);
	parts = key_table_parts(table);
	if (key_table_max(table) + (table->counted ? TREE_KEY_EXTRA : 0) > ANNEX_KEY_MAX)
		return store_why(why, pool, ANNEX_EINVAL,
		    "keys of the table %s may become %zu bytes long, the store takes %d",
		    table->name, key_table_max(table),
		    ANNEX_KEY_MAX - (table->counted ? TREE_KEY_EXTRA : 0));
	if (table->counted && (parts == 0 || table->key[parts - 1].type != ANNEX_KEY_U64))
		return store_why(why, pool, ANNEX_EINVAL,
		    "the table %s is counted, but its key does not end with a number", table->name);
	if (table->weigh != NULL && !table->counted)
		return store_why(why, pool, ANNEX_EINVAL,
		    "the table %s is weighed, but not counted", table->name);
	return ANNEX_OK;
}

static int
collect_tables(struct annex_store *store, const struct annex_table *const *lists,
    struct annex_pool *pool, const char **why)
{
	const struct annex_table *table;
	size_t n = 0;
	int rc;

	for (size_t i = 0; lists != NULL && lists[i] != NULL; i++)
		for (table = lists[i]; table->number != 0; table++)
			n++;
	store->tables = mem_zalloc((n + 1) * sizeof(const struct annex_table *));
	for (size_t i = 0; lists != NULL && lists[i] != NULL; i++)
		for (table = lists[i]; table->number != 0; table++) {
			if ((rc = check_table(table, pool, why)) < 0)
				return rc;
			store->tables[store->table_count++] = table;
		}
	qsort(store->tables, n, sizeof(const struct annex_table *), compare_tables);
	for (size_t i = 1; i < n; i++) {
		if (store->tables[i]->number == store->tables[i - 1]->number)
			return store_why(why, pool, ANNEX_EINVAL,
			    "the tables %s and %s have the same number, %u",
			    store->tables[i - 1]->name, store->tables[i]->name,
			    store->tables[i]->number);
	}
	return ANNEX_OK;
}

static int
make_dir(struct annex_store *store, struct annex_pool *pool, const char **why)
{
	struct stat st;

	if (mkdir(store->dir, 0700) == 0)
		return ANNEX_OK;
	if (errno == ENOSPC || errno == EDQUOT)
		return store_why(
		    why, pool, ANNEX_EFULL, "no space left on the disk to make %s", store->dir);
	if (errno != EEXIST)
		return store_why(why, pool, ANNEX_EIO, "cannot make the directory %s: %s",
		    store->dir, strerror(errno));
	if (stat(store->dir, &st) == 0 && !S_ISDIR(st.st_mode))
		return store_why(why, pool, ANNEX_EIO, "%s is not a directory", store->dir);
	return ANNEX_OK;
}

/*
 * LMDB makes its lock file sparse and writes to it through a map: on a full
 * disk that is a SIGBUS, so it is made here, whole.
 */
static int
make_lock_file(struct annex_store *store, struct annex_pool *pool, const char **why)
{
	char *path = annex_sprintf(pool, "%s/lock.mdb", store->dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), rc;

	if (fd < 0)
		return store_why(
		    why, pool, ANNEX_EIO, "cannot write %s: %s", path, strerror(errno));
	rc = store->io->allocate(store->io, fd, 0, LOCK_FILE_BYTES, false);
	io_close(&fd);
	if (rc == ENOSPC || rc == EDQUOT)
		return store_why(why, pool, ANNEX_EFULL,
		    "no space left on the disk of %s to open the store", store->dir);
	if (rc != 0)
		return store_why(why, pool, ANNEX_EIO, "cannot write %s: %s", path, strerror(rc));
	return ANNEX_OK;
}

/* LMDB leaves one of its descriptors open in programs that are started later. */
static void
close_on_exec(struct annex_store *store)
{
	char *dir = realpath(store->dir, NULL), target[PATH_MAX];
	size_t dir_len = dir != NULL ? strlen(dir) : 0;
	DIR *list = opendir("/proc/self/fd");
	struct dirent *entry;
	ssize_t n;
	bool good = io_set_cloexec(store->fd) >= 0;

	while (list != NULL && dir != NULL && (entry = readdir(list)) != NULL) {
		n = readlinkat(dirfd(list), entry->d_name, target, sizeof(target) - 1);
		if (n > (ssize_t)dir_len && memcmp(target, dir, dir_len) == 0 &&
		    target[dir_len] == '/')
			good = io_set_cloexec((int)strtol(entry->d_name, NULL, 10)) >= 0 && good;
	}
	if (list != NULL)
		closedir(list);
	if (!good)
		store_says(store, ANNEX_LOG_WARNING,
		    "cannot keep the store's descriptors from programs that are started (%s)",
		    strerror(errno));
	free(dir);
}

static int
open_refused(struct annex_store *store, int rc, struct annex_pool *pool, const char **why)
{
	switch (rc) {
	case ENOSPC:
	case EDQUOT:
		return store_why(why, pool, ANNEX_EFULL,
		    "no space left on the disk of %s to open the store", store->dir);
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
		return store_why(why, pool, ANNEX_EINVAL,
		    "the data file in %s is damaged (%s); restore a backup", store->dir,
		    mdb_strerror(rc));
	case ENOMEM:
		return store_why(why, pool, ANNEX_EIO,
		    "the store in %s cannot be mapped: is the address space limited?", store->dir);
	default:
		return store_why(why, pool, ANNEX_EIO, "the store in %s cannot be opened (%s)",
		    store->dir, mdb_strerror(rc));
	}
}

static int
open_env(struct annex_store *store, uint64_t map_bytes, bool is_file, struct annex_pool *pool,
    const char **why)
{
	unsigned flags = MDB_NOTLS;
	MDB_envinfo info;
	MDB_stat stat_db;
	int rc;

	if (store->read_only)
		flags |= MDB_RDONLY | MDB_NOLOCK;
	if (store->volatile_sync)
		flags |= MDB_NOSYNC;
	if (is_file)
		flags |= MDB_NOSUBDIR;
	rc = store->io->open(store->io, store->dir, flags, map_bytes, &store->env);
	if (rc != 0) {
		store->env = NULL;
		return open_refused(store, rc, pool, why);
	}
	if ((rc = store->io->descriptor(store->io, store->env, &store->fd)) != 0 ||
	    (rc = store->io->info(store->io, store->env, &info, &stat_db)) != 0)
		return open_refused(store, rc, pool, why);
	store->page_size = stat_db.ms_psize;
	close_on_exec(store);
	return ANNEX_OK;
}

/*
 * The way to a new file is on the disk before anything is in it, for no sync of a turn's brings that
 * there.  What an earlier start left half made is made anew.
 */
static int
open_new(struct annex_store *store, uint64_t map_bytes, const char *data, struct annex_pool *pool,
    const char **why)
{
	int rc;

	if (truncate(data, 0) < 0 && errno != ENOENT)
		return store_why(
		    why, pool, ANNEX_EIO, "cannot write %s: %s", data, strerror(errno));
	if ((rc = open_env(store, map_bytes, false, pool, why)) < 0 || store->volatile_sync)
		return rc;
	if ((rc = store->io->sync(store->io, store->fd)) == 0)
		rc = file_sync_way(store->io, store->dir, pool);
	return rc != 0 ? open_refused(store, rc, pool, why) : ANNEX_OK;
}

/* Everything up to the mapped file. */
static int
open_files(struct annex_store *store, uint64_t map_bytes, struct annex_pool *pool, const char **why)
{
	struct stat st;
	bool is_new, is_file;
	const char *data;
	int rc;

	if (!store->read_only && (rc = make_dir(store, pool, why)) < 0)
		return rc;
	if (stat(store->dir, &st) < 0)
		return store_why(
		    why, pool, ANNEX_EIO, "cannot read %s: %s", store->dir, strerror(errno));
	is_file = S_ISREG(st.st_mode);
	if (!is_file &&
	    (rc = lock_take(store->dir, store->read_only, &store->lock_fd, pool, why)) < 0)
		return rc;
	data = is_file ? store->dir : annex_sprintf(pool, "%s/data.mdb", store->dir);
	if ((rc = file_check(data, &is_new, pool, why)) < 0)
		return rc;
	if (is_new && store->read_only)
		return store_why(why, pool, ANNEX_ENOENT, "there is no store in %s", store->dir);
	if (!store->read_only && (rc = make_lock_file(store, pool, why)) < 0)
		return rc;
	rc = is_new ? open_new(store, map_bytes, data, pool, why)
		    : open_env(store, map_bytes, is_file, pool, why);
	if (rc < 0 || store->read_only || is_file)
		return rc;
	return journal_open(store, is_new, pool, why);
}

static void
register_counters(struct annex_store *store)
{
	struct counters *c = store->counters;

	if (c == NULL)
		return;
	store->counter = (struct store_counters) {
		.commits = counters_get(
		    c, COUNTER_COUNT, "store_commits_total", "Transactions brought to the disk."),
		.seconds = counters_get(c, COUNTER_HISTOGRAM, "store_commit_seconds",
		    "How long bringing one to the disk took."),
		.refused = counters_get(c, COUNTER_COUNT, "store_refused_total",
		    "Writes refused because the disk or the quota is full."),
		.used = counters_get(
		    c, COUNTER_GAUGE, "store_used_bytes", "Bytes of the store in use."),
		.quota =
		    counters_get(c, COUNTER_GAUGE, "store_quota_bytes", "Bytes the store may use."),
		.disk_free = counters_get(
		    c, COUNTER_GAUGE, "store_disk_free_bytes", "Bytes free on the store's disk."),
	};
}

static struct annex_store *
store_create(const struct store_env *env, const struct store_options *options)
{
	struct annex_store *store = mem_zalloc(sizeof(*store));
	uint64_t map_bytes = options->map_bytes != 0 ? options->map_bytes : STORE_MAP_BYTES;
	size_t dir_len;

	store->magic = STORE_MAGIC;
	store->io = env->io;
	store->clock = env->clock;
	store->log = env->log;
	store->counters = env->counters;
	store->reactor = env->reactor;
	store->dir = mem_strdup(options->dir);
	for (dir_len = strlen(store->dir); dir_len > 1 && store->dir[dir_len - 1] == '/';)
		store->dir[--dir_len] = '\0';
	store->read_only = options->read_only;
	store->volatile_sync = options->volatile_sync;
	store->lock_fd = store->fd = store->journal.fd = -1;
	store->own_scratch = annex_pool_create(NULL, "store");
	soft_open(store);
	store->scratch = store->own_scratch;
	store->space.map = map_bytes;
	store->space.quota = options->quota_bytes != 0 && options->quota_bytes < map_bytes
	    ? options->quota_bytes
	    : map_bytes;
	register_counters(store);
	return store;
}

int
store_open_mode(struct annex_store **store_r, const struct store_env *env,
    const struct store_options *options, const struct annex_table *const *tables,
    enum open_mode mode, struct annex_pool *pool, const char **why)
{
	struct annex_store *store;
	uint64_t map_bytes = options->map_bytes != 0 ? options->map_bytes : STORE_MAP_BYTES;
	int rc;

	*store_r = NULL;
	*why = "";
	if (options->read_only && journal_is_left(options->dir, pool) &&
	    (rc = store_settle(env, options, pool, why)) < 0)
		return rc;
	store = store_create(env, options);
	if ((rc = collect_tables(store, tables, pool, why)) < 0 ||
	    (rc = open_files(store, map_bytes, pool, why)) < 0)
		goto close;
	if (mode == OPEN_SETTLE)
		goto opened;
	if ((rc = space_open(store)) < 0) {
		store_why(why, pool, rc, "%s", buf_text(&store->sentence));
		goto close;
	}
	if ((rc = migrate_all(store, mode, pool, why)) < 0)
		goto close;
opened:
	*store_r = store;
	return ANNEX_OK;

close:
	store_close(&store);
	return rc;
}

int
store_settle(const struct store_env *env, const struct store_options *options,
    struct annex_pool *pool, const char **why)
{
	const struct annex_table *const none[] = { NULL };
	struct store_options writing = *options;
	struct annex_store *store;
	int rc;

	writing.read_only = false;
	rc = store_open_mode(&store, env, &writing, none, OPEN_SETTLE, pool, why);
	store_close(&store);
	return rc;
}

int
store_open(struct annex_store **store_r, const struct store_env *env,
    const struct store_options *options, const struct annex_table *const *tables,
    struct annex_pool *pool, const char **why)
{
	return store_open_mode(
	    store_r, env, options, tables, options->read_only ? OPEN_COPY : OPEN_WORK, pool, why);
}

void
store_close(struct annex_store **store_r)
{
	struct annex_store *store = *store_r;

	if (store == NULL)
		return;
	*store_r = NULL;
	CHECK_OBJECT(store, STORE_MAGIC);
	if (store->env != NULL) {
		store_abort(store);
		soft_tend(store);
		if (store_commit(store) < 0)
			store_says(store, ANNEX_LOG_WARNING, "what was put softly is lost");
		backup_abandon(store);
		if (store_checkpoint(store) < 0)
			store_says(
			    store, ANNEX_LOG_WARNING, "the journal stays for the next start");
		store_abort(store);
		journal_close(store);
		store->io->close(store->io, store->env);
	}
	io_close(&store->lock_fd);
	annex_pool_destroy(&store->own_scratch);
	soft_close(store);
	buf_finish(&store->record);
	buf_finish(&store->sentence);
	free(store->tables);
	free(store->dir);
	store->magic = 0;
	free(store);
}
