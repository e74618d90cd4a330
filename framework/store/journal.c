/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * journal.c - turns on the disk before they are in the tree
 *
 * What a turn changes lies all over the tree: LMDB writes a page for each leaf and what is
 * above it, here and there in the file, and syncs twice.  So a turn comes to the disk as one run
 * of bytes in a file beside the data, synced once.  LMDB's transaction stays open and takes the
 * turns that follow; it is committed, which is a checkpoint, where the journal is full or
 * the transaction large, where space is short, once a minute, and at the end.  Then the
 * journal begins anew.
 *
 *	frame	magic 4, salt 8, checkpoint 8, number 8, length 4, sum 16; changes
 *	change	length of the key 2, of the value 4 (all ones: the row went); key; value
 *
 * A frame fills pages of its own, so that what was acknowledged is never written again.  It counts
 * where its sum is right and it was made for the transaction that LMDB would begin next:
 * what LMDB has committed is never done twice.  The first that does not count is
 * the end, a turn that nobody was told of; unless one behind it counts, for that was written
 * when this one had been synced, and the disk has lost it.
 *
 * Pages behind the last frame have what was written before, bytes of users' among it.  The salt is
 * drawn at each start, so that nobody can write a frame into theirs.
 *
 * Aborting a turn takes those before it along that are in the journal alone.  They
 * are kept in memory, and done again when the next transaction begins.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/io.h"

#include "inside.h"

#define JOURNAL_BYTES ((size_t)512 << 10)
#define JOURNAL_PAGE ((size_t)4096)
#define FRAME_MAGIC 0x414e584au /* "ANXJ" */
#define FRAME_SUM 16u
#define FRAME_SALT_AT 4u
#define FRAME_CHECKPOINT_AT 12u
#define FRAME_NUMBER_AT 20u
#define FRAME_LEN_AT 28u
#define FRAME_BEFORE_SUM 32u
#define FRAME_HEAD (FRAME_BEFORE_SUM + FRAME_SUM)
#define CHANGE_HEAD 6u
#define GONE UINT32_MAX

/* --- Frames ------------------------------------------------------------------------------- */

static void
number_write(unsigned char *at, uint64_t number, unsigned bytes)
{
	while (bytes-- > 0) {
		at[bytes] = (unsigned char)number;
		number >>= 8;
	}
}

static size_t
whole_pages(size_t len)
{
	return (len + JOURNAL_PAGE - 1) / JOURNAL_PAGE * JOURNAL_PAGE;
}

/* Over the frame but the sum itself; a disk may lie, but is no enemy. */
static void
frame_sum(const unsigned char *frame, size_t len, unsigned char sum_r[FRAME_SUM])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, FRAME_SUM);
	crypto_generichash_update(&state, frame, FRAME_BEFORE_SUM);
	crypto_generichash_update(&state, frame + FRAME_HEAD, len - FRAME_HEAD);
	crypto_generichash_final(&state, sum_r, FRAME_SUM);
}

static void
frame_close(unsigned char *frame, size_t len, const struct journal *j)
{
	number_write(frame, FRAME_MAGIC, 4);
	number_write(frame + FRAME_SALT_AT, j->salt, 8);
	number_write(frame + FRAME_CHECKPOINT_AT, j->checkpoint, 8);
	number_write(frame + FRAME_NUMBER_AT, j->frames + 1, 8);
	number_write(frame + FRAME_LEN_AT, len - FRAME_HEAD, 4);
	frame_sum(frame, len, frame + FRAME_BEFORE_SUM);
}

/* A file that is read: what its frames must say to count. */
struct journal_file {
	const unsigned char *bytes;
	size_t len;
	uint64_t salt, checkpoint;
};

/* The length of the frame that is there, if it counts; or 0. */
static size_t
frame_len(const struct journal_file *file, size_t at, uint64_t number)
{
	const unsigned char *frame = file->bytes + at;
	unsigned char sum[FRAME_SUM];
	size_t room = file->len - at, len;

	if (room < FRAME_HEAD || number_read(frame, 4) != FRAME_MAGIC ||
	    number_read(frame + FRAME_SALT_AT, 8) != file->salt ||
	    number_read(frame + FRAME_CHECKPOINT_AT, 8) != file->checkpoint ||
	    number_read(frame + FRAME_NUMBER_AT, 8) != number ||
	    (len = FRAME_HEAD + (size_t)number_read(frame + FRAME_LEN_AT, 4)) > room)
		return 0;
	frame_sum(frame, len, sum);
	return memcmp(sum, frame + FRAME_BEFORE_SUM, FRAME_SUM) == 0 ? len : 0;
}

/* One change; its length, 0 where it is none. */
static size_t
change_read(const unsigned char *at, size_t room, MDB_val *key_r, MDB_val *value_r)
{
	size_t key_len, value_len;

	if (room < CHANGE_HEAD)
		return 0;
	key_len = (size_t)number_read(at, 2);
	value_len = (size_t)number_read(at + 2, 4);
	*key_r = (MDB_val) { key_len, (void *)(uintptr_t)(at + CHANGE_HEAD) };
	*value_r = (MDB_val) { value_len, (void *)(uintptr_t)(at + CHANGE_HEAD + key_len) };
	if (value_len == GONE) {
		value_len = 0;
		value_r->mv_data = NULL;
	}
	if (key_len == 0 || room - CHANGE_HEAD < key_len ||
	    room - CHANGE_HEAD - key_len < value_len)
		return 0;
	return CHANGE_HEAD + key_len + value_len;
}

static int
change_do(struct annex_store *store, MDB_val *key, MDB_val *value)
{
	int rc = value->mv_data == NULL ? store->io->del(store->io, store->txn, key)
					: store->io->put(store->io, store->txn, key, value, 0);

	space_wrote(store, key->mv_size + (value->mv_data == NULL ? 0 : value->mv_size));
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
frame_do(struct annex_store *store, const unsigned char *frame, size_t len)
{
	MDB_val key, value;
	int rc;

	for (size_t at = FRAME_HEAD, n; at < len; at += n) {
		if ((n = change_read(frame + at, len - at, &key, &value)) == 0)
			return MDB_CORRUPTED;
		if ((rc = change_do(store, &key, &value)) != 0)
			return rc;
	}
	return 0;
}

/* --- The turn that is under way -------------------------------------------------------------- */

void
journal_note(struct annex_store *store, const MDB_val *key, const MDB_val *value)
{
	struct journal *j = &store->journal;
	unsigned char head[CHANGE_HEAD];
	size_t more = key->mv_size + (value == NULL ? 0 : value->mv_size);

	if (j->fd < 0 || j->is_full)
		return;
	if (j->log.len == j->frame) {
		buf_reserve(&j->log, FRAME_HEAD);
		j->log.len += FRAME_HEAD;
	}
	if (whole_pages(j->log.len + CHANGE_HEAD + more) > JOURNAL_BYTES) {
		j->is_full = true;
		return;
	}
	number_write(head, key->mv_size, 2);
	number_write(head + 2, value == NULL ? GONE : value->mv_size, 4);
	buf_append(&j->log, head, sizeof(head));
	buf_append(&j->log, key->mv_data, key->mv_size);
	if (value != NULL)
		buf_append(&j->log, value->mv_data, value->mv_size);
}

void
journal_turn_undone(struct annex_store *store)
{
	store->journal.log.len = store->journal.frame;
	store->journal.is_full = false;
}

/* A new store's file may not be on the disk before its first commit. */
bool
journal_takes_turn(const struct annex_store *store)
{
	const struct journal *j = &store->journal;

	return j->fd >= 0 && j->log.len > j->frame && !j->is_full && j->checkpoint > 1 &&
	    !space_is_short(store);
}

/*
 * Some of a turn that failed may be on the disk, or all.  Somebody is told that it was not done, so
 * the next start must not find it: it is zeros, or cut off where the disk takes not even these.
 */
static int
frame_undo(struct annex_store *store, int rc)
{
	static const unsigned char nothing[JOURNAL_PAGE];
	struct journal *j = &store->journal;
	bool sync = !store->volatile_sync;
	off_t at = (off_t)j->frame;

	if (store->io->append(store->io, j->fd, nothing, sizeof(nothing), at, sync) == 0)
		return rc;
	if (ftruncate(j->fd, at) < 0 || (sync && store->io->sync(store->io, j->fd) != 0))
		return EIO;
	return rc;
}

/* The turn to the disk: 0, or why not, as an errno. */
int
journal_append(struct annex_store *store)
{
	struct journal *j = &store->journal;
	size_t len = j->log.len - j->frame, whole = whole_pages(len);
	unsigned char *frame;
	int rc;

	buf_reserve(&j->log, whole - len);
	frame = (unsigned char *)j->log.data + j->frame;
	memset(frame + len, 0, whole - len);
	frame_close(frame, len, j);
	rc = store->io->append(
	    store->io, j->fd, frame, whole, (off_t)j->frame, !store->volatile_sync);
	if (rc != 0)
		return frame_undo(store, rc);
	j->frames++;
	j->frame += whole;
	j->log.len = j->frame;
	return 0;
}

bool
journal_has_turns(const struct annex_store *store)
{
	return store->journal.frames > 0;
}

/* LMDB has it all. */
void
journal_begin_anew(struct annex_store *store)
{
	struct journal *j = &store->journal;

	j->frames = 0;
	j->frame = j->log.len = 0;
	j->is_full = false;
}

/* --- Doing turns again -------------------------------------------------------------------- */

/* Into the transaction that has begun, which has none of them: 0, or LMDB's why. */
int
journal_redo(struct annex_store *store)
{
	struct journal *j = &store->journal;
	const unsigned char *log = (const unsigned char *)j->log.data;
	size_t at = 0, len;
	int rc = 0;

	j->checkpoint = store->io->txn_id(store->io, store->txn);
	for (uint64_t n = 1; rc == 0 && n <= j->frames; n++, at += whole_pages(len)) {
		len = FRAME_HEAD + (size_t)number_read(log + at + FRAME_LEN_AT, 4);
		rc = frame_do(store, log + at, len);
	}
	return rc;
}

/* Is there one that counts behind this place? */
static bool
is_there_more(const struct journal_file *file, size_t at, uint64_t number)
{
	for (at += JOURNAL_PAGE; at + FRAME_HEAD < file->len; at += JOURNAL_PAGE) {
		uint64_t said = number_read(file->bytes + at + FRAME_NUMBER_AT, 8);

		if (said > number && frame_len(file, at, said) > 0)
			return true;
	}
	return false;
}

/* What the file holds, into the transaction that has begun; 0, or LMDB's why. */
static int
file_do(struct annex_store *store, const struct buf *bytes, uint64_t *frames_r)
{
	struct journal_file file = { (const unsigned char *)bytes->data, bytes->len,
		.checkpoint = store->io->txn_id(store->io, store->txn) };
	size_t at = 0, len;
	int rc = 0;

	*frames_r = 0;
	if (file.len < FRAME_HEAD)
		return 0;
	/* Whatever became of the first frame, this was written by us. */
	file.salt = number_read(file.bytes + FRAME_SALT_AT, 8);
	while (rc == 0 && at < file.len && (len = frame_len(&file, at, *frames_r + 1)) > 0) {
		rc = frame_do(store, file.bytes + at, len);
		at += whole_pages(len);
		++*frames_r;
	}
	return rc == 0 && is_there_more(&file, at, *frames_r + 1) ? MDB_CORRUPTED : rc;
}

/* A worker that was killed left turns in the file: LMDB gets them. */
static int
file_take_over(struct annex_store *store, const struct buf *file)
{
	uint64_t frames;
	int rc = store->io->begin(store->io, store->env, 0, &store->txn);

	if (rc == 0)
		rc = file_do(store, file, &frames);
	if (rc == 0 && frames > 0)
		rc = store->io->commit(store->io, store->txn);
	else if (store->txn != NULL)
		store->io->abort(store->io, store->txn);
	store->txn = NULL;
	space_transaction_ended(store, rc == 0);
	return rc;
}

/* --- The file ------------------------------------------------------------------------------ */

static char *
journal_path(const char *dir, struct annex_pool *pool)
{
	return annex_sprintf(pool, "%s/journal", dir);
}

static bool
has_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

/* One that was closed in order is empty, and what is beside no data is nobody's. */
bool
journal_is_left(const char *dir, struct annex_pool *pool)
{
	return has_bytes(journal_path(dir, pool)) &&
	    has_bytes(annex_sprintf(pool, "%s/data.mdb", dir));
}

/* The file, its room, and its name on the disk; without it each turn is a commit of its own. */
static void
file_make(struct annex_store *store, const char *path)
{
	struct journal *j = &store->journal;
	int rc = 0;

	randombytes_buf(&j->salt, sizeof(j->salt));
	j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0)
		rc = errno;
	else
		rc = store->io->allocate(
		    store->io, j->fd, 0, (off_t)JOURNAL_BYTES, store->volatile_sync);
	if (rc == 0 && !store->volatile_sync && (rc = store->io->sync(store->io, j->fd)) == 0)
		rc = file_sync_names(store->io, store->dir);
	if (rc == 0)
		return;
	store_says(store, ANNEX_LOG_WARNING,
	    "store in %s works without a journal, which is slower (%s)", store->dir,
	    store_rc_text(rc));
	io_close(&j->fd);
}

int
journal_open(struct annex_store *store, bool is_new, struct annex_pool *pool, const char **why)
{
	char *path = journal_path(store->dir, pool);
	struct buf file = { 0 };
	int rc = 0;

	if (is_new) {
		unlink(path); /* of one that was moved away */
	} else if (journal_is_left(store->dir, pool)) {
		if (io_read_file(path, JOURNAL_BYTES, &file) < 0)
			return store_why(
			    why, pool, ANNEX_EIO, "cannot read %s: %s", path, strerror(errno));
		rc = file_take_over(store, &file);
		buf_finish(&file);
	}
	if (rc != 0)
		return store_why(why, pool, rc == ENOSPC ? ANNEX_EFULL : ANNEX_EINVAL,
		    "what %s holds cannot be done again (%s)", path, store_rc_text(rc));
	file_make(store, path);
	return ANNEX_OK;
}

void
journal_close(struct annex_store *store)
{
	struct journal *j = &store->journal;

	if (j->frames == 0 && j->fd >= 0 && ftruncate(j->fd, 0) < 0)
		store_says(store, ANNEX_LOG_WARNING, "the journal of the store stays (%s)",
		    strerror(errno));
	io_close(&j->fd);
	buf_finish(&j->log);
}
