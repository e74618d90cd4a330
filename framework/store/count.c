/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * count.c - how many rows, and which is the n-th
 *
 * The rows of a counted table that share all parts but the last, a number,
 * are a group.  Over the numbers of a group lies a radix tree of fan-out
 * 256: block b of level l counts the rows whose number is b when shifted
 * right by 8 l bits.  Level 0 are the rows themselves.  The root counts all
 * and holds the tree's height h: all numbers are below 2^(8 h), and levels 1
 * to h - 1 are kept.  So a group of few rows costs one row of the store, and
 * a put into one of a million changes three.
 *
 * A height grows when a number needs it and shrinks only with the group's
 * last row.  Where numbers of the group are given out (sequence.c) the root also
 * knows the highest so far, and stays for it when the rows are gone.  A question
 * reads at most 255 counts a level and 255 keys.
 */
#include "config.h"

#include "inside.h"

#define COUNT_FAN 256u

struct arena {
	size_t used;
	_Alignas(16) unsigned char bytes[256];
};

static void *
arena_alloc(void *cookie, size_t size)
{
	struct arena *a = cookie;
	void *p = a->bytes + a->used;

	size = (size + 15) & ~(size_t)15;
	if (size > sizeof(a->bytes) - a->used)
		return NULL;
	a->used += size;
	return p;
}

static void
arena_free(void *cookie, void *p)
{
}

struct annex_key
count_node_key(const void *group, size_t len, unsigned level, uint64_t block)
{
	struct annex_key key = key_system(SYSTEM_NODE);

	key_append(&key, group, len);
	key_append_number(&key, level, 1);
	key_append_number(&key, block, 8);
	return key;
}

static uint64_t
block_of(uint64_t number, unsigned level)
{
	return level >= COUNT_HEIGHT_MAX ? 0 : number >> (COUNT_BITS * level);
}

static int
count_decode(
    struct annex_store *store, const struct annex_key *key, const MDB_val *v, struct count *count_r)
{
	struct arena arena = { 0 };
	ProtobufCAllocator allocator = { arena_alloc, arena_free, &arena };
	Annex__Store__Count *count;
	const unsigned char *bytes;
	const char *why;
	size_t len;

	bytes = record_open(key->bytes, key->len, v->mv_data, v->mv_size, &len, &why);
	if (bytes == NULL)
		return store_fail_row(store, key, why);
	count = annex__store__count__unpack(&allocator, len, bytes);
	if (count == NULL || count->height > COUNT_HEIGHT_MAX)
		return store_fail_row(store, key, "is no count");
	*count_r = (struct count) { count->rows, count->height, count->last, count->weight };
	return ANNEX_OK;
}

/* 0 rows where there is no such row. */
int
count_read(struct annex_store *store, const struct annex_key *key, struct count *count_r)
{
	MDB_val k = key_val(key), v;
	int rc = store->io->get(store->io, store->txn, &k, &v);

	*count_r = (struct count) { .height = 1 };
	if (rc == MDB_NOTFOUND)
		return ANNEX_OK;
	if (rc != 0)
		return store_fail(store, rc, "read a count");
	return count_decode(store, key, &v, count_r);
}

int
count_put(struct annex_store *store, const struct annex_key *key, const struct count *count)
{
	Annex__Store__Count record = ANNEX__STORE__COUNT__INIT;

	if (count->rows == 0 && count->last == 0)
		return system_delete(store, key);
	record.rows = count->rows;
	record.height = count->rows == 0 && count->height > 1 ? 1 : count->height;
	record.last = count->last;
	record.weight = count->weight;
	return system_put(store, key, &record.base);
}

static int
node_change(struct annex_store *store, const struct annex_key *key, int by)
{
	struct count count;
	int rc;

	if ((rc = count_read(store, key, &count)) < 0)
		return rc;
	if (by < 0 && count.rows == 0)
		return store_fail_row(store, key, "counts too few rows");
	count = (struct count) { .rows = count.rows + (uint64_t)by };
	return count_put(store, key, &count);
}

static struct annex_key
node_key(const struct annex_key *group, unsigned level, uint64_t block)
{
	return count_node_key(group->bytes, group->len, level, block);
}

/* Raise the tree until it takes the number: what was the root becomes a node. */
static int
grow(struct annex_store *store, const struct annex_key *group, uint64_t number, struct count *root)
{
	const struct count node = { .rows = root->rows };
	struct annex_key key;
	int rc;

	while (block_of(number, root->height) != 0) {
		key = node_key(group, root->height, 0);
		if (node.rows > 0 && (rc = count_put(store, &key, &node)) < 0)
			return rc;
		root->height++;
	}
	return ANNEX_OK;
}

/* Split a row's key into its group and its number. */
static uint64_t
group_of(const struct annex_key *key, struct annex_key *group_r)
{
	*group_r = *key;
	group_r->len -= 8;
	group_r->parts--;
	return number_read(key->bytes + group_r->len, 8);
}

int
count_change(struct annex_store *store, const struct annex_key *key, int by, int64_t weight)
{
	struct annex_key group, node;
	uint64_t number = group_of(key, &group);
	struct count root;
	int rc;

	if ((rc = count_group(store, &group, &root)) < 0)
		return rc;
	node = count_root_key(group.bytes, group.len);
	if (by < 0 && root.rows == 0)
		return store_fail_row(store, &node, "counts too few rows");
	if (weight < 0 && root.weight < -(uint64_t)weight)
		return store_fail_row(store, &node, "weighs too little");
	if (by > 0 && (rc = grow(store, &group, number, &root)) < 0)
		return rc;
	for (unsigned level = 1; by != 0 && level < root.height; level++) {
		node = node_key(&group, level, block_of(number, level));
		if ((rc = node_change(store, &node, by)) < 0)
			return rc;
	}
	if (by > 0 && root.last > 0 && root.last < number)
		root.last = number;
	root.rows += (uint64_t)by;
	root.weight += (uint64_t)weight;
	count_group_put(store, &group, &root);
	return ANNEX_OK;
}

/*
 * Walk the counts of a level from block first, of at most 256: stop before
 * block end, or where the counts so far would pass most.  What was passed is
 * added to *passed; *block_r is where it stopped.  ANNEX_AGAIN: at a block,
 * ANNEX_OK: there are no more.
 */
static int
pass_nodes(struct annex_store *store, const struct annex_key *group, unsigned level, uint64_t first,
    uint64_t end, uint64_t most, uint64_t *passed, uint64_t *block_r)
{
	struct annex_key key = node_key(group, level, first), at = key;
	size_t stem = key.len - 8u;
	struct count count;
	MDB_val k, v;
	int rc = walk_to(store, &key, false, &k, &v);

	for (; rc == ANNEX_OK; rc = walk_on(store, false, &k, &v)) {
		if (k.mv_size != key.len || memcmp(k.mv_data, key.bytes, stem) != 0)
			return ANNEX_OK;
		*block_r = number_read((const unsigned char *)k.mv_data + stem, 8);
		if (*block_r >= end)
			return ANNEX_OK;
		memcpy(at.bytes, k.mv_data, key.len);
		if ((rc = count_decode(store, &at, &v, &count)) < 0)
			return rc;
		if (count.rows > most - *passed)
			return ANNEX_AGAIN;
		*passed += count.rows;
	}
	return rc == ANNEX_ENOENT ? ANNEX_OK : rc;
}

/* The same for the rows themselves, to the number last at most. */
static int
pass_rows(struct annex_store *store, const struct annex_key *group, uint64_t first, uint64_t last,
    uint64_t most, uint64_t *passed, uint64_t *number_r)
{
	struct annex_key from = *group;
	struct annex_iter it;
	int rc;

	key_append_number(&from, first, 8);
	from.parts++;
	it = annex_iter_from(group, &from);
	it.keys_only = true;
	while ((rc = annex_next(store, &it)) == ANNEX_AGAIN) {
		*number_r = number_read(it.key.bytes + group->len, 8);
		if (*number_r > last)
			return ANNEX_OK;
		if (*passed == most)
			return ANNEX_AGAIN;
		++*passed;
	}
	return rc;
}

static void
check_counted(const struct annex_key *key, unsigned missing)
{
	CHECK(key->table->counted && key->parts + missing == key_table_parts(key->table));
}

/* A prefix above the groups: the sum over their roots. */
static int
rows_of_groups(struct annex_store *store, const struct annex_key *prefix, uint64_t *count_r)
{
	struct annex_key stem = count_root_key(prefix->bytes, prefix->len), at = stem;
	struct count count;
	MDB_val k, v;
	int rc = root_write(store);

	if (rc == ANNEX_OK)
		rc = walk_to(store, &stem, false, &k, &v);
	while (rc == ANNEX_OK && key_starts_with(&k, &stem)) {
		at.len = 0;
		key_append(&at, k.mv_data, k.mv_size);
		if ((rc = count_decode(store, &at, &v, &count)) < 0)
			return rc;
		*count_r += count.rows;
		rc = walk_on(store, false, &k, &v);
	}
	return rc == ANNEX_ESTORE ? rc : ANNEX_OK;
}

int
annex_rows(struct annex_store *store, const struct annex_key *prefix, uint64_t *count_r)
{
	unsigned parts = key_table_parts(prefix->table);
	struct count root;
	int rc;

	CHECK(prefix->table->counted);
	*count_r = 0;
	if ((rc = store_use(store)) < 0)
		return rc;
	if (prefix->parts + 1u == parts) {
		rc = count_group(store, prefix, &root);
		*count_r = root.rows;
		return rc;
	}
	if (prefix->parts < parts)
		return rows_of_groups(store, prefix, count_r);
	*count_r = annex_has(store, prefix) ? 1 : 0;
	return store->failed ? ANNEX_ESTORE : ANNEX_OK;
}

int
annex_weight(struct annex_store *store, const struct annex_key *prefix, uint64_t *weight_r)
{
	struct count root;
	int rc;

	check_counted(prefix, 1);
	CHECK(prefix->table->weigh != NULL);
	*weight_r = 0;
	if ((rc = store_use(store)) < 0 || (rc = count_group(store, prefix, &root)) < 0)
		return rc;
	*weight_r = root.weight;
	return ANNEX_OK;
}

int
annex_row_index(struct annex_store *store, const struct annex_key *key, uint64_t *index_r)
{
	struct annex_key group;
	uint64_t number = group_of(key, &group), at, ignored;
	struct count root;
	int rc;

	check_counted(key, 0);
	*index_r = 0;
	if ((rc = store_use(store)) < 0 || (rc = count_group(store, &group, &root)) < 0)
		return rc;
	if (block_of(number, root.height) != 0) {
		*index_r = root.rows;
		return ANNEX_OK;
	}
	for (unsigned level = root.height - 1; level > 0; level--) {
		at = block_of(number, level);
		rc = pass_nodes(
		    store, &group, level, at - at % COUNT_FAN, at, UINT64_MAX, index_r, &ignored);
		if (rc < 0)
			return rc;
	}
	if (number % COUNT_FAN == 0)
		return ANNEX_OK;
	return pass_rows(
	    store, &group, number - number % COUNT_FAN, number - 1, UINT64_MAX, index_r, &ignored);
}

/* The number of the index-th row, which there is. */
static int
seek_number(struct annex_store *store, const struct annex_key *group, unsigned height,
    uint64_t index, uint64_t *number_r)
{
	struct annex_key root = count_root_key(group->bytes, group->len);
	uint64_t passed = 0, block = 0, first;
	int rc;

	for (unsigned level = height; level-- > 0;) {
		first = block * COUNT_FAN;
		rc = level > 0
		    ? pass_nodes(store, group, level, first, UINT64_MAX, index, &passed, &block)
		    : pass_rows(store, group, first, UINT64_MAX, index, &passed, number_r);
		if (rc < 0)
			return rc;
		if (rc != ANNEX_AGAIN)
			return store_fail_row(store, &root, "counts more rows than there are");
	}
	return ANNEX_OK;
}

int
annex_seek(struct annex_store *store, const struct annex_key *prefix, uint64_t index,
    struct annex_iter *it_r)
{
	struct annex_key key = *prefix;
	uint64_t number = UINT64_MAX;
	struct count root;
	int rc;

	check_counted(prefix, 1);
	if ((rc = store_use(store)) < 0 || (rc = count_group(store, prefix, &root)) < 0)
		return rc;
	if (index < root.rows && (rc = seek_number(store, prefix, root.height, index, &number)) < 0)
		return rc;
	annex_key_u64(&key, number);
	*it_r = annex_iter_from(prefix, &key);
	it_r->started = index >= root.rows;
	return ANNEX_OK;
}

/* A root goes, but what was given out must not be given out again. */
static int
root_leave(struct annex_store *store, const struct annex_key *key, const MDB_val *v)
{
	struct count root;
	int rc = count_decode(store, key, v, &root);

	if (rc < 0 || root.last == 0)
		return rc;
	return sequence_leave(store, key->bytes + SYSTEM_STEM, key->len - SYSTEM_STEM, root.last);
}

/* Delete all counts of a table. */
int
count_forget(struct annex_store *store, const struct annex_table *table)
{
	static const enum system_kind kinds[] = { SYSTEM_ROOT, SYSTEM_NODE };
	struct annex_key stem, at;
	MDB_val k, v;
	int rc;

	if ((rc = root_write(store)) < 0)
		return rc;
	root_drop(store);
	for (unsigned i = 0; i < 2; i++) {
		stem = at = key_system(kinds[i]);
		key_append_number(&stem, table->number, 2);
		while ((rc = walk_to(store, &stem, false, &k, &v)) == ANNEX_OK &&
		    key_starts_with(&k, &stem)) {
			at.len = 0;
			key_append(&at, k.mv_data, k.mv_size);
			if ((kinds[i] == SYSTEM_ROOT && (rc = root_leave(store, &at, &v)) < 0) ||
			    (rc = system_delete(store, &at)) < 0)
				return rc;
		}
		if (rc < 0 && rc != ANNEX_ENOENT)
			return rc;
	}
	return ANNEX_OK;
}

/* Count anew: of a table that was not counted, or not weighed, before. */
int
count_rebuild(struct annex_store *store, const struct annex_table *table)
{
	struct annex_key all = annex_key(table);
	struct annex_iter it = annex_iter(&all);
	int rc;

	if ((rc = count_forget(store, table)) < 0)
		return rc;
	it.keys_only = table->weigh == NULL;
	while ((rc = annex_next(store, &it)) == ANNEX_AGAIN) {
		if ((rc = count_change(store, &it.key, 1, weight_of(table, it.record))) < 0)
			return rc;
	}
	return rc;
}
