/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * space.c - growth is refused before it can fail
 *
 * A full disk that LMDB meets undoes a turn, and one that has no page left
 * cannot even delete.  So the file is allocated 64 MiB beyond its last page
 * (less where the quota is small), and a put that may grow the store is
 * refused when that allocation fails, or above 90 % of the quota.  Two kinds
 * of put go on until half of what lies ahead, or half of the quota's last
 * tenth, is gone: those that replace a row by one of about its size, and
 * those of the framework's tables; a tombstone and the job that follows it
 * must not be refused because there is so much to clear away.  Deletes always
 * go on.
 *
 * Pages that LMDB freed count as space that is there, unless a backup keeps
 * them pinned; they are counted only once it matters, for that reads the
 * whole list of them.
 */
#include "config.h"

#include <errno.h>

#include "inside.h"

#define SPACE_AHEAD ((uint64_t)64 << 20)
#define SPACE_STEP ((uint64_t)16 << 20)
#define SPACE_RETRY_US 1000000
#define SPACE_SMALL_GROWTH 256
#define DISK_LOW ((uint64_t)1 << 30)
#define FRAMEWORK_TABLES 1000

static void
gauge_set(struct counter_slot *slot, uint64_t value)
{
	if (slot != NULL)
		slot->value = (int64_t)value;
}

/* Sum of the pages in LMDB's list of free ones; each entry's first word is its count. */
static int
free_pages(struct annex_store *store, MDB_txn *txn, uint64_t *pages_r)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	size_t n, id, last = 0;
	int rc;

	*pages_r = 0;
	if ((rc = store->io->cursor_open(store->io, txn, STORE_FREE_DBI, &cursor)) != 0)
		return rc;
	while ((rc = store->io->cursor_get(store->io, cursor, &k, &v, MDB_NEXT)) == 0) {
		if (v.mv_size < sizeof(n) || k.mv_size != sizeof(id))
			break;
		memcpy(&n, v.mv_data, sizeof(n));
		memcpy(&id, k.mv_data, sizeof(id));
		/* Keys are transactions and ascend, unless the list is damaged. */
		if (id <= last)
			break;
		last = id;
		*pages_r += n;
	}
	store->io->cursor_close(store->io, cursor);
	return rc == MDB_NOTFOUND ? 0 : rc != 0 ? rc : MDB_CORRUPTED;
}

/* As of the last commit. */
int
space_free_inside(struct annex_store *store, uint64_t *bytes_r)
{
	uint64_t pages = 0;
	MDB_txn *txn;
	int rc = store->io->begin(store->io, store->env, MDB_RDONLY, &txn);

	if (rc == 0) {
		rc = free_pages(store, txn, &pages);
		store->io->abort(store->io, txn);
	}
	*bytes_r = pages * store->page_size;
	return rc != 0 ? store_fail(store, rc, "count its free pages") : ANNEX_OK;
}

static uint64_t
quota_share(const struct space *space, unsigned percent)
{
	return space->quota / 100 * percent;
}

/* Have the file reach so far; false where the disk says no. */
static int
space_extend(struct annex_store *store, uint64_t target)
{
	struct space *space = &store->space;
	int rc;

	target = (target + SPACE_STEP - 1) / SPACE_STEP * SPACE_STEP;
	rc = store->io->allocate(store->io, store->fd, (off_t)space->allocated,
	    (off_t)(target - space->allocated), store->volatile_sync);
	if (rc == 0) {
		if (space->disk_refuses)
			store_says(store, ANNEX_LOG_NOTICE,
			    "store has room again: the disk is no longer full");
		space->allocated = target;
		space->disk_refuses = false;
		return ANNEX_OK;
	}
	if (rc != ENOSPC && rc != EDQUOT && rc != EFBIG)
		return store_fail(store, rc, "allocate space");
	if (!space->disk_refuses)
		store_says(store, ANNEX_LOG_ERROR,
		    "store cannot grow (no space left on the disk of %s): "
		    "new data is refused, deletes go on",
		    store->dir);
	space->disk_refuses = true;
	space->fresh = false;
	space->refused_at_us = store->clock->mono_us;
	return ANNEX_OK;
}

/*
 * Most that this transaction's writes may take: each touches two pages, but none
 * twice, and pages that split are half full at least.
 */
static uint64_t
in_transaction(const struct space *space)
{
	uint64_t touched = space->touched < space->used ? space->touched : space->used;

	return touched + 2 * space->written;
}

static int
space_reach(struct annex_store *store, bool again)
{
	struct space *space = &store->space;
	uint64_t target = space->used + in_transaction(space) + space->ahead;

	if (space->allocated >= target)
		return ANNEX_OK;
	if (space->disk_refuses && !again &&
	    store->clock->mono_us - space->refused_at_us < SPACE_RETRY_US)
		return ANNEX_OK;
	return space_extend(store, target);
}

static void
warn_of_quota(struct annex_store *store)
{
	struct space *space = &store->space;
	uint64_t used = space->used - space->free_inside;
	bool high = used > quota_share(space, 80);

	if (high && !space->quota_warned)
		store_says(store, ANNEX_LOG_WARNING,
		    "store uses %llu %% of its quota of %llu MiB; above 90 %% new data is refused",
		    (unsigned long long)(used * 100 / space->quota),
		    (unsigned long long)(space->quota >> 20));
	space->quota_warned = high;
}

/* Bring the numbers up to the last commit. */
static int
space_refresh(struct annex_store *store)
{
	struct space *space = &store->space;
	MDB_envinfo info;
	MDB_stat stat;
	int rc;

	if (space->fresh)
		return ANNEX_OK;
	if ((rc = store->io->info(store->io, store->env, &info, &stat)) != 0)
		return store_fail(store, rc, "look at itself");
	space->used = ((uint64_t)info.me_last_pgno + 1) * store->page_size;
	space->free_inside = 0;
	if ((space->disk_refuses || space->used > quota_share(space, 80)) &&
	    (rc = space_free_inside(store, &space->free_inside)) < 0)
		return rc;
	space->fresh = true;
	gauge_set(store->counter.used, space->used - space->free_inside);
	warn_of_quota(store);
	return ANNEX_OK;
}

/* May the store grow by what this transaction wrote and so many bytes more? */
static bool
has_room(const struct annex_store *store, uint64_t bytes, bool small)
{
	const struct space *space = &store->space;
	uint64_t reusable = store->backup.running ? 0 : space->free_inside;
	uint64_t written = in_transaction(space) + 2 * (bytes + store->page_size);
	uint64_t used = space->used - reusable + written;

	if (used > quota_share(space, small ? 95 : 90))
		return false;
	if (!space->disk_refuses)
		return true;
	/* A large record needs pages in a row, which the free ones may not be. */
	if (bytes > store->page_size / 2 && space->allocated < space->used + written)
		return false;
	return space->allocated + reusable >=
	    space->used + written + space->ahead / (small ? 2 : 1);
}

/* Does this put replace a row by one that is hardly larger? */
static bool
is_replacement(struct annex_store *store, const struct annex_key *key, size_t bytes)
{
	MDB_val k = key_val(key), v;

	return store->io->get(store->io, store->txn, &k, &v) == 0 &&
	    bytes <= v.mv_size + SPACE_SMALL_GROWTH;
}

int
space_admit(struct annex_store *store, const struct annex_key *key, size_t bytes)
{
	struct space *space = &store->space;
	int rc;

	CHECK(!store->read_only);
	if ((rc = space_refresh(store)) < 0 || (rc = space_reach(store, false)) < 0)
		return rc;
	if (space->disk_refuses && !space->fresh && (rc = space_refresh(store)) < 0)
		return rc;
	if (has_room(store, bytes, false))
		return ANNEX_OK;
	if ((key->table == NULL || key->table->number >= FRAMEWORK_TABLES ||
		is_replacement(store, key, bytes)) &&
	    has_room(store, bytes, true))
		return ANNEX_OK;
	if (store->counter.refused != NULL)
		store->counter.refused->value++;
	space->refused = true;
	return ANNEX_EFULL;
}

void
space_wrote(struct annex_store *store, size_t bytes)
{
	store->space.touched += 2 * store->page_size;
	store->space.written += bytes;
}

void
space_turn_ended(struct annex_store *store)
{
	store->space.refused = false;
}

void
space_transaction_ended(struct annex_store *store, bool committed)
{
	store->space.touched = store->space.written = 0;
	if (committed)
		store->space.fresh = false;
}

/* What one transaction takes is an estimate, so it must stay small beside what lies ahead. */
bool
space_is_short(const struct annex_store *store)
{
	const struct space *space = &store->space;

	return space->disk_refuses || space->used > quota_share(space, 80) ||
	    in_transaction(space) > space->ahead / 4;
}

static void
look_at_disk(struct annex_store *store)
{
	struct space *space = &store->space;
	uint64_t disk_free;
	bool low;

	if (store->io->disk_free(store->io, store->dir, &disk_free) != 0)
		return;
	gauge_set(store->counter.disk_free, disk_free);
	low = disk_free < DISK_LOW && !store->volatile_sync;
	if (low && !space->disk_warned)
		store_says(store, ANNEX_LOG_WARNING, "disk of %s has only %llu MiB left",
		    store->dir, (unsigned long long)(disk_free >> 20));
	space->disk_warned = low;
}

static void
quota_apply(struct annex_store *store)
{
	struct space *space = &store->space;

	space->ahead = space->quota / 10 < SPACE_AHEAD ? space->quota / 10 : SPACE_AHEAD;
	gauge_set(store->counter.quota, space->quota);
}

void
store_set_quota(struct annex_store *store, uint64_t bytes)
{
	struct space *space = &store->space;

	CHECK_OBJECT(store, STORE_MAGIC);
	space->quota = bytes != 0 && bytes < space->map ? bytes : space->map;
	space->quota_warned = space->fresh = false;
	quota_apply(store);
}

int
space_open(struct annex_store *store)
{
	int rc;

	quota_apply(store);
	if (store->read_only)
		return ANNEX_OK;
	look_at_disk(store);
	if ((rc = space_refresh(store)) < 0)
		return rc;
	return space_reach(store, true);
}

void
space_tend(struct annex_store *store)
{
	store->space.fresh = false;
	if (space_refresh(store) < 0 || space_reach(store, true) < 0)
		return;
	look_at_disk(store);
}
