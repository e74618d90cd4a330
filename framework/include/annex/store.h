/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * store.h - state that survives
 *
 * Each component has a store of its own: tables of protobuf records under
 * ordered keys.  All that a turn reads and writes is one transaction, begun
 * by the first access and committed at the turn's end; what the turn sends
 * leaves after that.  Where a put fails the whole turn is undone: the
 * instance is destroyed, created anew from the store, and the turn's stanzas
 * are tried again one by one.  So check results to stop early, never to clean
 * up: memory is a cache of the store.
 */
#ifndef ANNEX_STORE_H
#define ANNEX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_instance;
struct annex_pool;
struct annex_store;

/* The instance's store. */
struct annex_store *annex_store(struct annex_instance *inst);

/*
 * A table.  Its number is its name on disk: never reuse one.  1 to 999 are
 * the component's.  The key's parts say how keys are packed and exported:
 * text, a 64-bit number, or bytes; order is that of the parts, first to last.
 */
enum annex_key_type { ANNEX_KEY_TEXT = 1, ANNEX_KEY_U64, ANNEX_KEY_BYTES };

struct annex_key_part {
	const char *name; /* NULL ends the list */
	enum annex_key_type type;
};

struct annex_table {
	uint16_t number;  /* 0 ends a list of tables */
	const char *name; /* in exports and statistics */
	const struct annex_key_part *key;
	const ProtobufCMessageDescriptor *record;
	uint32_t version; /* of this table's meaning; starts at 1 */
	/* Bring rows of an older version up to date; called in a turn of its
	 * own at opening.  NULL: older rows can be read as they are. */
	int (*migrate)(struct annex_store *store, uint32_t from);
	/* The last part is a U64: keep counts, so that annex_rows, annex_row_index
	 * and annex_seek are O(log n). */
	bool counted;
	/* Of a counted table: how much a record adds to the weight of its group, the rows that
	 * share all parts of the key but the last (annex_weight).  It may depend on the record
	 * alone.  NULL: nothing is weighed. */
	uint64_t (*weigh)(const ProtobufCMessage *record);
	uintptr_t reserved[3];
};

/*
 * A key under construction: annex_key(table), then a part at a time.  A text or run of bytes above
 * 120 bytes (a zero among bytes counts double) is kept as a prefix and a BLAKE2b-128; two differing
 * ones still differ, and a record that must know the whole string holds it.  A key with fewer parts
 * than the table has is a prefix.
 */
#define ANNEX_KEY_MAX 511
struct annex_key {
	const struct annex_table *table;
	uint16_t parts;
	uint16_t len;
	unsigned char bytes[ANNEX_KEY_MAX];
};
struct annex_key annex_key(const struct annex_table *table);
struct annex_key *annex_key_text(struct annex_key *key, const char *text);
struct annex_key *annex_key_u64(struct annex_key *key, uint64_t number);
struct annex_key *annex_key_bytes(struct annex_key *key, const void *bytes, size_t len);

/* The number in part i (from 0) of a key. */
uint64_t annex_key_number(const struct annex_key *key, unsigned i);
/* The text in part i, NUL-terminated in pool; NULL where it was too long to be kept whole. */
const char *annex_key_string(const struct annex_key *key, unsigned i, struct annex_pool *pool);
/* The same for bytes. */
const void *
annex_key_blob(const struct annex_key *key, unsigned i, struct annex_pool *pool, size_t *len_r);

/*
 * ANNEX_OK and the record, decoded into the turn's scratch memory;
 * ANNEX_ENOENT; or ANNEX_ESTORE, and the turn will be undone.
 */
int annex_get(struct annex_store *store, const struct annex_key *key,
    ProtobufCMessage **record_r) ANNEX_MUST_CHECK;
/* Whether there is such a row; of a prefix, whether any row begins with it.  False as well where the store
 * fails, and the turn will be undone. */
bool annex_has(struct annex_store *store, const struct annex_key *key);

/*
 * ANNEX_EFULL where the disk or the quota refuses growth: nothing was
 * changed; answer resource-constraint.  ANNEX_ELIMIT: a record above 4 MiB.
 * ANNEX_ESTORE as above.
 */
int annex_put(struct annex_store *store, const struct annex_key *key,
    const ProtobufCMessage *record) ANNEX_MUST_CHECK;

/*
 * Replace a row that is there, without holding anything back: reads see it at once, but the turn's
 * output does not wait for it.  It is on disk with the next turn that writes, or within a minute; a
 * crash before that brings the old row back.  For what nobody would miss: a status, when somebody
 * was last seen.  ANNEX_ENOENT where there is no row.  Not of a weighed table.
 */
int annex_put_soft(struct annex_store *store, const struct annex_key *key,
    const ProtobufCMessage *record) ANNEX_MUST_CHECK;

/* ANNEX_OK whether or not it was there; ANNEX_ESTORE as above. */
int annex_delete(struct annex_store *store, const struct annex_key *key);

/*
 * Walk the rows whose keys begin with prefix.  The iterator finds its place
 * again by key, so rows may be put and deleted meanwhile.
 *
 *	struct annex_iter it = annex_iter(&prefix);
 *	while ((r = annex_next(store, &it)) == ANNEX_AGAIN)
 *		use(it.key, it.record);
 *	if (r < 0) ...
 *
 * ANNEX_OK is the end; negative is ANNEX_ESTORE.
 */
struct annex_iter {
	struct annex_key prefix;
	struct annex_key key;     /* where it stands */
	ProtobufCMessage *record; /* in scratch memory */
	bool backwards, started;
	bool keys_only; /* record stays NULL */
	uint64_t mark;  /* private: whether the store's cursor still stands here */
};
struct annex_iter annex_iter(const struct annex_key *prefix);
struct annex_iter annex_iter_backwards(const struct annex_key *prefix);
/*
 * From the first row not before key, which begins with prefix.  Set backwards
 * in what is returned to go the other way, from the last row not behind it.
 */
struct annex_iter annex_iter_from(const struct annex_key *prefix, const struct annex_key *key);
int annex_next(struct annex_store *store, struct annex_iter *it);

/*
 * Next unused number under prefix (whose next part is a U64), from 1: one more
 * than the highest that was ever given out or stands in a row.  The store
 * remembers it when the rows are gone; annex_sequence_forget ends that, for
 * prefixes that never come back.  ANNEX_OK; ANNEX_EFULL or ANNEX_ESTORE as annex_put.
 */
int annex_sequence(
    struct annex_store *store, const struct annex_key *prefix, uint64_t *number_r) ANNEX_MUST_CHECK;
/* The highest number so far; 0 where there was none. */
int annex_sequence_last(
    struct annex_store *store, const struct annex_key *prefix, uint64_t *number_r) ANNEX_MUST_CHECK;
int annex_sequence_forget(struct annex_store *store, const struct annex_key *prefix);

/* Of counted tables: rows under prefix; how many are before key, from 0; an iterator at the
 * index-th row, from 0, which finds nothing where there are not so many.  ANNEX_OK or ANNEX_ESTORE. */
int annex_rows(
    struct annex_store *store, const struct annex_key *prefix, uint64_t *count_r) ANNEX_MUST_CHECK;
int annex_row_index(
    struct annex_store *store, const struct annex_key *key, uint64_t *index_r) ANNEX_MUST_CHECK;
int annex_seek(struct annex_store *store, const struct annex_key *prefix, uint64_t index,
    struct annex_iter *it_r) ANNEX_MUST_CHECK;

/* Of any table: rows whose keys begin with prefix, looked at one by one up to most of them.  Fewer where the
 * store fails, and the turn will be undone. */
size_t annex_rows_upto(struct annex_store *store, const struct annex_key *prefix, size_t most);

/* Of weighed tables: the sum over the group that prefix names whole.  ANNEX_OK or ANNEX_ESTORE. */
int annex_weight(
    struct annex_store *store, const struct annex_key *prefix, uint64_t *weight_r) ANNEX_MUST_CHECK;

/* Delete at most most rows under prefix; how many went, or negative.  For jobs (job.h). */
int annex_delete_some(struct annex_store *store, const struct annex_key *prefix, size_t most);

#pragma GCC visibility pop

#endif /* ANNEX_STORE_H */
