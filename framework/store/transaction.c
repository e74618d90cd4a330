/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * transaction.c - the one transaction of a turn, and how it fails
 *
 * The first access begins it, or goes on with the one that turns in the
 * journal have left open (journal.c).  A failure marks the turn: from then on
 * every access answers ANNEX_ESTORE without asking LMDB, and the commit becomes
 * an abort, so nothing is ever half done.  What says that the file or the disk
 * can no longer be trusted marks the store as dead as well; above all a
 * failed fsync is never tried again, since the kernel may have dropped the
 * pages and then report success.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "inside.h"

void
store_says(struct annex_store *store, enum annex_log_level level, const char *fmt, ...)
{
	va_list args;

	if (store->log == NULL)
		return;
	va_start(args, fmt);
	log_vwrite(store->log, level, fmt, args);
	va_end(args);
}

const char *
store_rc_text(int rc)
{
	switch (rc) {
	case ENOSPC:
	case EDQUOT:
		return "no space left on the disk";
	case MDB_MAP_FULL:
		return "the store has reached the size of its map";
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_CURSOR_FULL:
		return "the data file is damaged";
	case MDB_PANIC:
		return "an earlier write failed half-way";
	default:
		return mdb_strerror(rc);
	}
}

static bool
is_deadly(int rc)
{
	static const int deadly[] = { EIO, EROFS, EBADF, MDB_PANIC, MDB_CORRUPTED,
		MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH, MDB_CURSOR_FULL };

	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		if (rc == deadly[i])
			return true;
	}
	return false;
}

int
store_fail(struct annex_store *store, int rc, const char *doing)
{
	store->failed = true;
	if (is_deadly(rc))
		store->dead = true;
	buf_clear(&store->sentence);
	buf_printf(&store->sentence, "store in %s failed to %s (%s)", store->dir, doing,
	    store_rc_text(rc));
	store_says(store, ANNEX_LOG_ERROR, "%s%s", buf_text(&store->sentence),
	    store->dead ? ": it must be closed" : ": the turn is undone");
	return ANNEX_ESTORE;
}

/* A row that cannot be believed. */
int
store_fail_row(struct annex_store *store, const struct annex_key *key, const char *why)
{
	store->failed = store->dead = true;
	buf_clear(&store->sentence);
	buf_printf(&store->sentence, "store in %s is damaged: the row ", store->dir);
	key_describe(key, &store->sentence);
	buf_printf(&store->sentence, " %s", why);
	store_says(store, ANNEX_LOG_ERROR, "%s; restore a backup", buf_text(&store->sentence));
	return ANNEX_ESTORE;
}

/* Turns that are in the journal alone are done again when the next one begins. */
static void
transaction_abort(struct annex_store *store)
{
	if (store->txn != NULL)
		store->io->abort(store->io, store->txn);
	store->txn = NULL;
	space_transaction_ended(store, false);
	journal_turn_undone(store);
}

/* What is in the journal alone is in it from the start. */
static int
transaction_begin(struct annex_store *store)
{
	int rc =
	    store->io->begin(store->io, store->env, store->read_only ? MDB_RDONLY : 0, &store->txn);

	if (rc != 0) {
		store->txn = NULL;
		return rc;
	}
	if (store->read_only || (rc = journal_redo(store)) == 0)
		return 0;
	transaction_abort(store);
	return rc;
}

int
store_use(struct annex_store *store)
{
	int rc;

	CHECK_OBJECT(store, STORE_MAGIC);
	if (store->failed || store->dead) {
		store->failed = true;
		return ANNEX_ESTORE;
	}
	if (store->txn == NULL && (rc = transaction_begin(store)) != 0)
		return store_fail(store, rc, "begin a transaction");
	store->in_turn = true;
	return ANNEX_OK;
}

static void
walk_close(struct annex_store *store)
{
	if (store->walk != NULL)
		store->io->cursor_close(store->io, store->walk);
	store->walk = NULL;
	store->walk_mark = 0;
}

int
store_walk(struct annex_store *store)
{
	int rc;

	store->walk_mark = 0;
	if (store->walk != NULL)
		return ANNEX_OK;
	rc = store->io->cursor_open(store->io, store->txn, STORE_DBI, &store->walk);
	if (rc != 0) {
		store->walk = NULL;
		return store_fail(store, rc, "open a cursor");
	}
	return ANNEX_OK;
}

/*
 * After each put and delete.  The cursor is closed, not trusted to follow:
 * that is the corner of LMDB where releases have fixed most.
 */
void
store_wrote(struct annex_store *store, size_t bytes)
{
	walk_close(store);
	store->dirty = true;
	store->dirty_bytes += bytes + 512;
	space_wrote(store, bytes);
}

int
store_change(struct annex_store *store, MDB_val *key, MDB_val *value, unsigned flags)
{
	MDB_val put = value == NULL ? (MDB_val) { 0 } : *value; /* LMDB tells what it found */
	int rc = value == NULL ? store->io->del(store->io, store->txn, key)
			       : store->io->put(store->io, store->txn, key, value, flags);

	if (rc == 0)
		journal_note(store, key, value == NULL ? NULL : &put);
	return rc;
}

static void
turn_ended(struct annex_store *store)
{
	root_drop(store);
	space_turn_ended(store);
	store->dirty = store->failed = store->in_turn = false;
	store->dirty_bytes = 0;
	if (store->own_scratch != NULL)
		annex_pool_reset(store->own_scratch);
	backup_turn_ended(store);
}

/* The time now, without turning the turn's clock. */
static int64_t
now_us(const struct annex_store *store)
{
	struct clock now = *store->clock;

	now.read(&now);
	return now.mono_us;
}

static void
commit_done(struct annex_store *store, int64_t began_us)
{
	int64_t took_us = now_us(store) - began_us;

	store->commits++;
	store->commit_us_last = (double)took_us;
	if (store->counters == NULL)
		return;
	store->counter.commits->value++;
	counters_observe_us(store->counters, store->counter.seconds, took_us);
}

/* All that the transaction holds to LMDB: 0, or why not. */
static int
transaction_commit(struct annex_store *store)
{
	int rc = store->io->commit(store->io, store->txn);

	store->txn = NULL;
	space_transaction_ended(store, rc == 0);
	if (rc == 0)
		journal_begin_anew(store);
	return rc;
}

/* Nothing of it is kept. */
static void
turn_left(struct annex_store *store)
{
	bool has_written = store->dirty || store->failed;

	walk_close(store);
	if (has_written || !journal_has_turns(store))
		transaction_abort(store);
	turn_ended(store);
}

int
store_commit(struct annex_store *store)
{
	int64_t began_us;
	int rc;

	CHECK_OBJECT(store, STORE_MAGIC);
	if (store->failed) {
		store_abort(store);
		return ANNEX_ESTORE;
	}
	if (!store->in_turn)
		return ANNEX_OK;
	if (!store->dirty) {
		turn_left(store);
		soft_ended(store, false, false);
		return ANNEX_OK;
	}
	if (root_write(store) < 0 || soft_write(store) < 0) {
		store_abort(store);
		return ANNEX_ESTORE;
	}
	walk_close(store);
	began_us = now_us(store);
	rc = journal_takes_turn(store) ? journal_append(store) : transaction_commit(store);
	if (rc != 0) {
		store_fail(store, rc, "commit");
		transaction_abort(store);
	} else {
		commit_done(store, began_us);
	}
	soft_ended(store, rc == 0, rc != 0);
	turn_ended(store);
	return rc == 0 ? ANNEX_OK : ANNEX_ESTORE;
}

int
store_checkpoint(struct annex_store *store)
{
	bool in_turn = store->in_turn;
	int rc;

	if (store->dirty || !journal_has_turns(store))
		return ANNEX_OK;
	if (store_use(store) < 0)
		return ANNEX_ESTORE;
	walk_close(store);
	rc = transaction_commit(store);
	store->in_turn = in_turn;
	return rc != 0 ? store_fail(store, rc, "commit") : ANNEX_OK;
}

void
store_abort(struct annex_store *store)
{
	CHECK_OBJECT(store, STORE_MAGIC);
	soft_ended(store, false, true);
	turn_left(store);
}

bool
store_in_transaction(const struct annex_store *store)
{
	return store->in_turn;
}

bool
store_is_dirty(const struct annex_store *store)
{
	return store->dirty;
}

size_t
store_dirty_bytes(const struct annex_store *store)
{
	return store->dirty_bytes;
}

bool
store_has_refused(const struct annex_store *store)
{
	return store->space.refused;
}

bool
store_has_failed(const struct annex_store *store)
{
	return store->failed;
}

bool
store_is_dead(const struct annex_store *store)
{
	return store->dead;
}

void
store_set_scratch(struct annex_store *store, struct annex_pool *scratch)
{
	store->scratch = scratch != NULL ? scratch : store->own_scratch;
}
