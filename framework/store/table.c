/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * table.c - rows: get, put, delete, walk
 */
#include "config.h"

#include "inside.h"

const struct annex_table *
store_table(const struct annex_store *store, uint16_t number)
{
	size_t low = 0, high = store->table_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (store->tables[middle]->number == number)
			return store->tables[middle];
		if (store->tables[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool
key_is_whole(const struct annex_key *key)
{
	return key->table->key[key->parts].name == NULL;
}

/* Tables that were not declared have no version on disk, so no row either. */
static void
check_key(const struct annex_store *store, const struct annex_key *key)
{
	CHECK(store_table(store, key->table->number) == key->table);
}

int
walk_to(struct annex_store *store, const struct annex_key *key, bool before, MDB_val *key_r,
    MDB_val *value_r)
{
	int rc = MDB_NOTFOUND;

	if (store_walk(store) < 0)
		return ANNEX_ESTORE;
	if (key != NULL) {
		*key_r = key_val(key);
		rc = store->io->cursor_get(store->io, store->walk, key_r, value_r, MDB_SET_RANGE);
	}
	if (before && (rc == 0 || rc == MDB_NOTFOUND))
		rc = store->io->cursor_get(
		    store->io, store->walk, key_r, value_r, rc == 0 ? MDB_PREV : MDB_LAST);
	if (rc == MDB_NOTFOUND)
		return ANNEX_ENOENT;
	return rc != 0 ? store_fail(store, rc, "find a row") : ANNEX_OK;
}

int
walk_on(struct annex_store *store, bool backwards, MDB_val *key_r, MDB_val *value_r)
{
	int rc = store->io->cursor_get(
	    store->io, store->walk, key_r, value_r, backwards ? MDB_PREV : MDB_NEXT);

	if (rc == MDB_NOTFOUND)
		return ANNEX_ENOENT;
	return rc != 0 ? store_fail(store, rc, "find a row") : ANNEX_OK;
}

/* All rows of all tables, as they stand: ANNEX_AGAIN with each, ANNEX_OK at the end. */
int
walk_raw(struct annex_store *store, bool first, struct annex_key *key_r, MDB_val *value_r)
{
	MDB_val k;
	int rc = first ? root_write(store) : ANNEX_OK;

	if (rc == ANNEX_OK && store->walk == NULL)
		rc = store_walk(store);
	if (rc < 0)
		return rc;
	rc = store->io->cursor_get(
	    store->io, store->walk, &k, value_r, first ? MDB_FIRST : MDB_NEXT);
	if (rc == MDB_NOTFOUND)
		return ANNEX_OK;
	if (rc == 0 && (k.mv_size > ANNEX_KEY_MAX || k.mv_size < 2))
		rc = MDB_CORRUPTED;
	if (rc != 0)
		return store_fail(store, rc, "walk its rows");
	*key_r = (struct annex_key) { 0 };
	key_append(key_r, k.mv_data, k.mv_size);
	return ANNEX_AGAIN;
}

static int
row_decode(struct annex_store *store, const struct annex_key *key, const MDB_val *on_disk,
    ProtobufCMessage **record_r)
{
	MDB_val v = *on_disk;
	const unsigned char *bytes;
	const char *why;
	size_t len;

	soft_replace(store, key, &v);
	bytes = record_open(key->bytes, key->len, v.mv_data, v.mv_size, &len, &why);
	if (bytes == NULL)
		return store_fail_row(store, key, why);
	*record_r = record_decode(key->table->record, bytes, len, store->scratch);
	return *record_r == NULL ? store_fail_row(store, key, "cannot be decoded") : ANNEX_OK;
}

int
annex_get(struct annex_store *store, const struct annex_key *key, ProtobufCMessage **record_r)
{
	MDB_val k = key_val(key), v;
	int rc;

	if ((rc = store_use(store)) < 0)
		return rc;
	check_key(store, key);
	CHECK(key_is_whole(key));
	rc = store->io->get(store->io, store->txn, &k, &v);
	if (rc == MDB_NOTFOUND)
		return ANNEX_ENOENT;
	if (rc != 0)
		return store_fail(store, rc, "read");
	return row_decode(store, key, &v, record_r);
}

bool
annex_has(struct annex_store *store, const struct annex_key *key)
{
	MDB_val k = key_val(key), v;
	int rc;

	if (store_use(store) < 0)
		return false;
	check_key(store, key);
	if (!key_is_whole(key))
		return walk_to(store, key, false, &k, &v) == ANNEX_OK && key_starts_with(&k, key);
	rc = store->io->get(store->io, store->txn, &k, &v);
	if (rc != 0 && rc != MDB_NOTFOUND)
		store_fail(store, rc, "read");
	return rc == 0;
}

/* What the row on disk weighs. */
static int
row_weigh(
    struct annex_store *store, const struct annex_key *key, const MDB_val *v, int64_t *weight_r)
{
	ProtobufCMessage *record;
	int rc = row_decode(store, key, v, &record);

	*weight_r = rc < 0 ? 0 : weight_of(key->table, record);
	return rc;
}

/* Counted tables must know whether the row is new, weighed ones what it replaces. */
static int
put_counted(struct annex_store *store, const struct annex_key *key, int64_t weight)
{
	MDB_val k = key_val(key), v = { store->record.len, store->record.data };
	int rc = store_change(store, &k, &v, MDB_NOOVERWRITE);
	bool is_new = rc == 0;
	int64_t before = 0;

	if (rc == MDB_KEYEXIST) {
		if (key->table->weigh != NULL && row_weigh(store, key, &v, &before) < 0)
			return ANNEX_ESTORE;
		v = (MDB_val) { store->record.len, store->record.data };
		rc = store_change(store, &k, &v, 0);
	}
	if (rc != 0)
		return store_fail(store, rc, "write");
	store_wrote(store, k.mv_size + store->record.len);
	return is_new || weight != before ? count_change(store, key, is_new, weight - before)
					  : ANNEX_OK;
}

int
annex_put(struct annex_store *store, const struct annex_key *key, const ProtobufCMessage *record)
{
	size_t len = protobuf_c_message_get_packed_size(record) + RECORD_OVERHEAD;
	MDB_val k = key_val(key), v;
	int rc;

	CHECK(record->descriptor == key->table->record && key_is_whole(key));
	if (len > STORE_RECORD_MAX)
		return ANNEX_ELIMIT;
	if ((rc = store_use(store)) < 0)
		return rc;
	check_key(store, key);
	if ((rc = space_admit(store, key, len)) < 0)
		return rc;
	record_seal(&store->record, key, record);
	soft_forget(store, key);
	if (key->table->counted)
		return put_counted(store, key, weight_of(key->table, record));
	v = (MDB_val) { store->record.len, store->record.data };
	if ((rc = store_change(store, &k, &v, 0)) != 0)
		return store_fail(store, rc, "write");
	store_wrote(store, k.mv_size + store->record.len);
	return ANNEX_OK;
}

/* 1 where a row went. */
static int
row_delete(struct annex_store *store, const struct annex_key *key)
{
	MDB_val k = key_val(key), v;
	int64_t weight = 0;
	int rc = 0;

	if (key->table->weigh != NULL &&
	    (rc = store->io->get(store->io, store->txn, &k, &v)) == 0 &&
	    row_weigh(store, key, &v, &weight) < 0)
		return ANNEX_ESTORE;
	if (rc == 0)
		rc = store_change(store, &k, NULL, 0);
	soft_forget(store, key);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return store_fail(store, rc, "delete");
	store_wrote(store, k.mv_size);
	if (key->table->counted && (rc = count_change(store, key, -1, -weight)) < 0)
		return rc;
	return 1;
}

int
annex_delete(struct annex_store *store, const struct annex_key *key)
{
	int rc;

	if ((rc = store_use(store)) < 0)
		return rc;
	check_key(store, key);
	CHECK(key_is_whole(key));
	rc = row_delete(store, key);
	return rc < 0 ? rc : ANNEX_OK;
}

int
annex_delete_some(struct annex_store *store, const struct annex_key *prefix, size_t most)
{
	struct annex_key key;
	MDB_val k, v;
	size_t n;
	int rc;

	if ((rc = store_use(store)) < 0)
		return rc;
	check_key(store, prefix);
	for (n = 0; n < most && n < INT32_MAX; n++) {
		rc = walk_to(store, prefix, false, &k, &v);
		if (rc == ANNEX_ENOENT || (rc == ANNEX_OK && !key_starts_with(&k, prefix)))
			break;
		if (rc < 0)
			return rc;
		if (key_read(&key, prefix->table, k.mv_data, k.mv_size) < 0)
			return store_fail_row(store, prefix, "is followed by a key that is none");
		if ((rc = row_delete(store, &key)) < 0)
			return rc;
	}
	return (int)n;
}

struct annex_iter
annex_iter(const struct annex_key *prefix)
{
	return annex_iter_from(prefix, prefix);
}

struct annex_iter
annex_iter_backwards(const struct annex_key *prefix)
{
	struct annex_iter it = annex_iter_from(prefix, prefix);

	it.backwards = true;
	return it;
}

struct annex_iter
annex_iter_from(const struct annex_key *prefix, const struct annex_key *key)
{
	MDB_val k = key_val(key);
	struct annex_iter it;

	CHECK(key_starts_with(&k, prefix));
	it.prefix = *prefix;
	it.key = *key;
	it.record = NULL;
	it.backwards = it.started = it.keys_only = false;
	it.mark = 0;
	return it;
}

/* The next row's place, found by the key of the row before. */
static int
iter_find(struct annex_store *store, struct annex_iter *it, MDB_val *k, MDB_val *v)
{
	struct annex_key after;
	bool there;
	int rc;

	if (it->backwards && it->started)
		return walk_to(store, &it->key, true, k, v);
	if (it->backwards) {
		there = key_after(&after, &it->key);
		return walk_to(store, there ? &after : NULL, true, k, v);
	}
	rc = walk_to(store, &it->key, false, k, v);
	if (rc < 0 || !it->started || k->mv_size != it->key.len ||
	    memcmp(k->mv_data, it->key.bytes, it->key.len) != 0)
		return rc;
	return walk_on(store, false, k, v);
}

/* One step: the walk still stands where this iterator left it, or is sent there. */
static int
iter_step(struct annex_store *store, struct annex_iter *it, MDB_val *k, MDB_val *v)
{
	if (it->mark == 0 || it->mark != store->walk_mark)
		return iter_find(store, it, k, v);
	return walk_on(store, it->backwards, k, v);
}

int
annex_next(struct annex_store *store, struct annex_iter *it)
{
	MDB_val k, v;
	int rc;

	if ((rc = store_use(store)) < 0)
		return rc;
	check_key(store, &it->prefix);
	rc = iter_step(store, it, &k, &v);
	if (rc < 0 && rc != ANNEX_ENOENT)
		return rc;
	it->mark = store->walk_mark = 0;
	it->record = NULL;
	if (rc == ANNEX_ENOENT || !key_starts_with(&k, &it->prefix))
		return ANNEX_OK;
	if (key_read(&it->key, it->prefix.table, k.mv_data, k.mv_size) < 0)
		return store_fail_row(store, &it->prefix, "is followed by a key that is none");
	it->started = true;
	if (!it->keys_only && (rc = row_decode(store, &it->key, &v, &it->record)) < 0)
		return rc;
	it->mark = store->walk_mark = ++store->next_mark;
	return ANNEX_AGAIN;
}

size_t
annex_rows_upto(struct annex_store *store, const struct annex_key *prefix, size_t most)
{
	struct annex_iter it = annex_iter(prefix);
	size_t n = 0;

	it.keys_only = true;
	while (n < most && annex_next(store, &it) == ANNEX_AGAIN)
		n++;
	return n;
}
