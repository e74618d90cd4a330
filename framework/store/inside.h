/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * inside.h - what the files of the store share
 *
 * A row's key is its table's number, two bytes, and the packed parts; its
 * value is an envelope (record.c) around a protobuf record.  Table 0 is the
 * store's own: its keys go on with a byte that says what the row is.
 *
 *	0 FORMAT			Format
 *	0 TABLE number			Table: version, shape of the key
 *	0 SEQUENCE prefix		Sequence: the highest number given out
 *	0 ROOT group			Count: rows of a group, height of its tree, highest number,
 *					weight
 *	0 NODE group level block	Count: rows of a part of it (count.c)
 *
 * where prefix and group are packed keys with their table's number.
 */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include <pthread.h>

#include <annex/pool.h>

#include "base/buf.h"
#include "base/check.h"
#include "schemas/store/store.pb-c.h"

#include "io.h"
#include "store.h"

#define STORE_FORMAT 1
#define EXPORT_VERSION 1 /* of the lines of JSON (export.c) */
#define STORE_MAP_BYTES (sizeof(void *) > 4 ? 64ull << 30 : 1ull << 30)
#define STORE_RECORD_MAX ((size_t)4 << 20)

#define SYSTEM_STEM 3u /* bytes of a key before what it is about: table 0, the kind */
enum system_kind {
	SYSTEM_FORMAT = 1,
	SYSTEM_TABLE,
	SYSTEM_SEQUENCE,
	SYSTEM_ROOT,
	SYSTEM_NODE,
};

/* Space on the disk and within the quota (space.c); bytes all. */
struct space {
	uint64_t used;        /* up to the last page, as of the last commit */
	uint64_t free_inside; /* pages within that LMDB can use again */
	uint64_t allocated;   /* what the file holds on the disk */
	uint64_t ahead;       /* what shall be allocated behind the last page */
	uint64_t quota, map;
	uint64_t written;      /* in this transaction */
	uint64_t touched;      /* and the pages they may lie in */
	int64_t refused_at_us; /* when the disk last refused */
	bool fresh;            /* used is as of the last commit */
	bool disk_refuses;
	bool refused; /* growth, in this turn */
	bool quota_warned, disk_warned;
};

/* A copy under way (backup.c). */
struct backup {
	pthread_t thread;
	bool running;
	bool waiting;    /* for the turn to end */
	bool has_thread; /* to be joined */
	int fd, pipe[2];
	int status; /* LMDB's, or an errno; written by the thread before the pipe */
	struct watch watch;
	const struct store_io *io;
	MDB_env *env;
	struct log *log;
	struct annex_store *store;
	void (*done)(void *cookie, int status, const char *why);
	void *cookie;
};

/* Rows put softly (soft.c): by key, not on disk yet. */
struct soft {
	struct annex_pool *pool;
	struct annex_map *rows;
	size_t bytes; /* of all values; 0 = there are none */
};

/* Of a group of rows, or of a part of it (count.c). */
struct count {
	uint64_t rows;
	unsigned height; /* of a root, at least 1 */
	uint64_t last;   /* of a root: the highest number, 0 where none was given out */
	uint64_t weight; /* of a root: of all its rows */
};

/* The root that was asked for last (root.c). */
struct root {
	struct annex_key key; /* len 0: none */
	struct count count;
	bool changed; /* and not written yet */
};

/* What is on the disk, but not LMDB's yet (journal.c). */
struct journal {
	int fd;              /* -1: each turn is a commit of its own */
	struct buf log;      /* as the file has it; then the turn's frame */
	size_t frame;        /* where that begins */
	uint64_t frames;     /* before it */
	uint64_t checkpoint; /* the transaction that they are for */
	uint64_t salt;       /* of all that this process writes */
	bool is_full;        /* the turn's frame is too large */
};

struct store_counters {
	struct counter_slot *commits, *seconds, *refused, *used, *quota, *disk_free;
};

struct annex_store {
	uint32_t magic;
	const struct store_io *io;
	const struct clock *clock;
	struct log *log; /* may be NULL, as may the next two */
	struct counters *counters;
	struct reactor *reactor;
	struct store_counters counter;

	char *dir;
	bool read_only, volatile_sync;
	int lock_fd, fd; /* fd is LMDB's own, of data.mdb */
	MDB_env *env;
	size_t page_size;
	const struct annex_table **tables; /* sorted by number */
	size_t table_count;

	MDB_txn *txn;       /* stays from turn to turn while turns are in the journal alone */
	bool in_turn;       /* the turn uses it */
	MDB_cursor *walk;   /* for iterators and the tree of counts */
	uint64_t walk_mark; /* of the iterator that walk stands at; 0 = none */
	uint64_t next_mark;
	struct root root;
	bool dirty, failed, dead;
	size_t dirty_bytes;
	struct buf record;   /* under construction */
	struct buf sentence; /* the last failure, for who cannot read the log */

	struct annex_pool *scratch, *own_scratch;
	struct space space;
	struct soft soft;
	struct journal journal;
	struct backup backup;
	uint64_t commits;
	double commit_us_last;
};
#define STORE_MAGIC 0x57a8e0d1u

/* transaction.c */
int store_use(struct annex_store *store) ANNEX_MUST_CHECK; /* begin where there is none */
int store_fail(struct annex_store *store, int rc, const char *doing);
int store_fail_row(struct annex_store *store, const struct annex_key *key, const char *why);
void store_says(struct annex_store *store, enum annex_log_level level, const char *fmt, ...)
    ANNEX_PRINTF(3, 4);
int store_walk(struct annex_store *store) ANNEX_MUST_CHECK; /* walk is open */
void store_wrote(struct annex_store *store, size_t bytes);
/* Put or delete as LMDB does, with its status, and note it for the journal; value NULL: delete. */
int store_change(struct annex_store *store, MDB_val *key, MDB_val *value, unsigned flags);
/* What is in the journal alone becomes LMDB's; not in a turn that has written.  A failure undoes the turn. */
int store_checkpoint(struct annex_store *store);
const char *store_rc_text(int rc);

/* key.c */
struct key_part {
	enum annex_key_type type;
	const unsigned char *at; /* the packed part */
	size_t len;
	bool whole; /* not cut */
	uint64_t number;
};
/* Take one part apart; its packed length, or ANNEX_EINVAL. */
int key_part_read(
    struct key_part *part_r, enum annex_key_type type, const unsigned char *at, size_t len);
/* Text or bytes of a whole part, unpacked, NUL behind. */
unsigned char *key_part_value(const struct key_part *part, struct annex_pool *pool, size_t *len_r);
int key_read(struct annex_key *key_r, const struct annex_table *table, const unsigned char *bytes,
    size_t len);
unsigned key_table_parts(const struct annex_table *table);
size_t key_table_max(const struct annex_table *table);
void key_table_shape(const struct annex_table *table, char *shape_r /* of 32 */);
struct annex_key key_system(enum system_kind kind);
void key_append(struct annex_key *key, const void *bytes, size_t n);
void key_append_number(struct annex_key *key, uint64_t number, unsigned bytes);
bool key_is_before(const struct annex_key *a, const struct annex_key *b);
/* The least key behind all that begin with this; false where there is none. */
bool key_after(struct annex_key *key_r, const struct annex_key *prefix);
void key_describe(const struct annex_key *key, struct buf *out); /* for people */

static inline MDB_val
key_val(const struct annex_key *key)
{
	return (MDB_val) { key->len, (void *)(uintptr_t)key->bytes };
}

static inline bool
key_starts_with(const MDB_val *val, const struct annex_key *prefix)
{
	return val->mv_size >= prefix->len && memcmp(val->mv_data, prefix->bytes, prefix->len) == 0;
}

static inline uint64_t
number_read(const unsigned char *at, unsigned bytes)
{
	uint64_t number = 0;

	while (bytes-- > 0)
		number = number << 8 | *at++;
	return number;
}

/* record.c */
void record_seal(struct buf *out, const struct annex_key *key, const ProtobufCMessage *record);
void record_seal_bytes(struct buf *out, const struct annex_key *key, const void *bytes, size_t len);
/* The protobuf bytes within; NULL and why they cannot be had. */
const unsigned char *record_open(const void *key, size_t key_len, const void *value, size_t len,
    size_t *len_r, const char **why);
ProtobufCMessage *record_decode(const ProtobufCMessageDescriptor *type, const unsigned char *bytes,
    size_t len, struct annex_pool *pool);
#define RECORD_OVERHEAD 5

/* system.c: rows of table 0 */
int system_get(struct annex_store *store, const struct annex_key *key,
    const ProtobufCMessageDescriptor *type, ProtobufCMessage **record_r);
int
system_put(struct annex_store *store, const struct annex_key *key, const ProtobufCMessage *record);
int system_delete(struct annex_store *store, const struct annex_key *key);
const ProtobufCMessageDescriptor *system_type(unsigned char kind);

/* table.c */
const struct annex_table *store_table(const struct annex_store *store, uint16_t number);
/* Put the walk on the first row not before key, or the last before it. */
int walk_to(struct annex_store *store, const struct annex_key *key, bool before, MDB_val *key_r,
    MDB_val *value_r);
int walk_on(struct annex_store *store, bool backwards, MDB_val *key_r, MDB_val *value_r);
/* What a record adds to its group; 0 where the table is not weighed. */
static inline int64_t
weight_of(const struct annex_table *table, const ProtobufCMessage *record)
{
	return table->weigh == NULL ? 0 : (int64_t)table->weigh(record);
}
int walk_raw(struct annex_store *store, bool first, struct annex_key *key_r, MDB_val *value_r);

/* sequence.c: last, or a higher one, was given out under a prefix */
int sequence_raise(struct annex_store *store, const struct annex_key *prefix, uint64_t last);
/* The root of a packed group goes, and no longer knows. */
int sequence_leave(struct annex_store *store, const void *group, size_t len, uint64_t last);

/* count.c */
int count_read(struct annex_store *store, const struct annex_key *key, struct count *count_r);
/* A row came (1), went (-1) or was replaced (0), and with it so much weight. */
int count_change(struct annex_store *store, const struct annex_key *key, int by, int64_t weight);
int count_put(struct annex_store *store, const struct annex_key *key, const struct count *count);
int count_rebuild(struct annex_store *store, const struct annex_table *table);
int count_forget(struct annex_store *store, const struct annex_table *table);
struct annex_key count_node_key(const void *group, size_t len, unsigned level, uint64_t block);
#define COUNT_BITS 8
#define COUNT_HEIGHT_MAX 8

/* root.c: the group's root; to put one it was got before */
struct annex_key count_root_key(const void *group, size_t len);
int count_group(struct annex_store *store, const struct annex_key *group, struct count *count_r);
void count_group_put(
    struct annex_store *store, const struct annex_key *group, const struct count *count);
int root_write(struct annex_store *store) ANNEX_MUST_CHECK;
void root_drop(struct annex_store *store);

/* space.c */
int space_open(struct annex_store *store);
int space_admit(struct annex_store *store, const struct annex_key *key, size_t bytes);
void space_wrote(struct annex_store *store, size_t bytes);
void space_turn_ended(struct annex_store *store);
void space_transaction_ended(struct annex_store *store, bool committed);
/* Whether each turn should be a commit, that it be known what is there. */
bool space_is_short(const struct annex_store *store);
void space_tend(struct annex_store *store);
int space_free_inside(struct annex_store *store, uint64_t *bytes_r);

/* soft.c */
void soft_open(struct annex_store *store);
void soft_close(struct annex_store *store);
void soft_forget(struct annex_store *store, const struct annex_key *key);
void soft_replace(const struct annex_store *store, const struct annex_key *key, MDB_val *value);
int soft_write(struct annex_store *store) ANNEX_MUST_CHECK;
void soft_ended(struct annex_store *store, bool written, bool undone);
void soft_tend(struct annex_store *store);

/* journal.c */
int journal_open(struct annex_store *store, bool is_new, struct annex_pool *pool, const char **why);
void journal_close(struct annex_store *store);
bool journal_is_left(const char *dir, struct annex_pool *pool); /* by a store that was killed */
void journal_note(struct annex_store *store, const MDB_val *key, const MDB_val *value);
bool journal_takes_turn(const struct annex_store *store);
int journal_append(struct annex_store *store);
void journal_turn_undone(struct annex_store *store);
bool journal_has_turns(const struct annex_store *store);
int journal_redo(struct annex_store *store);
void journal_begin_anew(struct annex_store *store);

/* lock.c */
int lock_take(const char *dir, bool may_fail, int *fd_r, struct annex_pool *pool, const char **why);

/* file.c: look at the file before LMDB maps it.  file_judge: what is wrong with it ("is ..."), or
 * NULL. */
int file_judge(const char *path, bool *is_new_r, const char **complaint_r, struct annex_pool *pool,
    const char **why);
int file_check(const char *path, bool *is_new_r, struct annex_pool *pool, const char **why);
/* To the disk: what a directory lists; and that it is there itself.  0 or an errno. */
int file_sync_names(const struct store_io *io, const char *dir);
int file_sync_way(const struct store_io *io, const char *dir, struct annex_pool *pool);

/* env.c */
enum open_mode {
	OPEN_WORK,   /* the worker: migrate */
	OPEN_COPY,   /* read-only: verify, export */
	OPEN_IMPORT, /* write, but leave versions alone */
	OPEN_SETTLE, /* write what is in the journal, no more */
};
/* Put a sentence in *why; returns status. */
int store_why(const char **why, struct annex_pool *pool, int status, const char *fmt, ...)
    ANNEX_PRINTF(4, 5);
int store_open_mode(struct annex_store **store_r, const struct store_env *env,
    const struct store_options *options, const struct annex_table *const *tables,
    enum open_mode mode, struct annex_pool *pool, const char **why) ANNEX_MUST_CHECK;

/* A store that was killed becomes one that was closed; read-only copies cannot do that themselves. */
int store_settle(const struct store_env *env, const struct store_options *options,
    struct annex_pool *pool, const char **why);

/* migrate.c */
int migrate_all(
    struct annex_store *store, enum open_mode mode, struct annex_pool *pool, const char **why);
int migrate_table_put(struct annex_store *store, const struct annex_table *table, uint32_t version);

/* backup.c */
void backup_abandon(struct annex_store *store);
void backup_turn_ended(struct annex_store *store);

#endif /* STORE_INSIDE_H */
