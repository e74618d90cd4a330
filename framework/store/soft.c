/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * soft.c - changes that hold nothing back
 *
 * What people would not miss after a crash (a status text, when somebody was
 * last seen) need not make a turn wait for the disk.  A soft put replaces a
 * row that is there in memory alone: reads see it at once, and it is written
 * with the next turn that commits anyway, or within a minute.  Where a turn is
 * undone its soft puts go with it.
 */
#include "config.h"

#include <stdlib.h>

#include <annex/map.h>

#include "base/alloc.h"

#include "inside.h"

#define SOFT_MAX 10000
#define SOFT_MAX_BYTES (4u << 20)

struct soft_row {
	const struct annex_table *table;
	bool this_turn;
	size_t len;
	unsigned char value[]; /* sealed */
};

void
soft_open(struct annex_store *store)
{
	store->soft.pool = annex_pool_create(NULL, "soft rows");
	store->soft.rows = annex_map_create(store->soft.pool);
}

void
soft_close(struct annex_store *store)
{
	struct annex_map_iter it = { 0 };

	if (store->soft.rows == NULL)
		return;
	while (annex_map_next(store->soft.rows, &it))
		free(it.value);
	annex_pool_destroy(&store->soft.pool);
	store->soft = (struct soft) { 0 };
}

/* The row is written for good, or deleted. */
void
soft_forget(struct annex_store *store, const struct annex_key *key)
{
	struct soft_row *row;

	if (store->soft.bytes == 0)
		return;
	row = annex_map_remove(store->soft.rows, key->bytes, key->len);
	if (row != NULL)
		store->soft.bytes -= row->len;
	free(row);
}

/* What was put softly over the row on disk, if anything. */
void
soft_replace(const struct annex_store *store, const struct annex_key *key, MDB_val *value)
{
	struct soft_row *row;

	if (store->soft.bytes == 0)
		return;
	row = annex_map_get(store->soft.rows, key->bytes, key->len);
	if (row != NULL)
		*value = (MDB_val) { row->len, row->value };
}

static void
soft_keep(struct annex_store *store, const struct annex_key *key)
{
	struct soft_row *row = mem_alloc(sizeof(*row) + store->record.len);

	row->table = key->table;
	row->this_turn = true;
	row->len = store->record.len;
	memcpy(row->value, store->record.data, store->record.len);
	soft_forget(store, key);
	annex_map_set(store->soft.rows, key->bytes, key->len, row);
	store->soft.bytes += row->len;
	/* Too much to lose, or to keep: this turn commits after all. */
	if (store->soft.bytes > SOFT_MAX_BYTES || annex_map_count(store->soft.rows) > SOFT_MAX)
		store->dirty = true;
}

int
annex_put_soft(
    struct annex_store *store, const struct annex_key *key, const ProtobufCMessage *record)
{
	size_t len = protobuf_c_message_get_packed_size(record) + RECORD_OVERHEAD;
	int rc;

	CHECK(record->descriptor == key->table->record);
	if (len > STORE_RECORD_MAX)
		return ANNEX_ELIMIT;
	if (!annex_has(store, key))
		return store->failed ? ANNEX_ESTORE : ANNEX_ENOENT;
	if ((rc = space_admit(store, key, len)) < 0)
		return rc;
	record_seal(&store->record, key, record);
	soft_keep(store, key);
	return ANNEX_OK;
}

/* Into the transaction that is about to be committed. */
int
soft_write(struct annex_store *store)
{
	struct annex_map_iter it = { 0 };
	int rc;

	while (store->soft.bytes > 0 && annex_map_next(store->soft.rows, &it)) {
		const struct soft_row *row = it.value;
		MDB_val k = { it.len, (void *)(uintptr_t)it.key };
		MDB_val v = { row->len, (void *)(uintptr_t)row->value };

		if ((rc = store->io->put(store->io, store->txn, &k, &v, 0)) != 0)
			return store_fail(store, rc, "write");
		store_wrote(store, row->len);
	}
	return ANNEX_OK;
}

/* The turn is over: what it wrote is on disk, or what it put softly never was. */
void
soft_ended(struct annex_store *store, bool written, bool undone)
{
	struct annex_map_iter it = { 0 };

	if (store->soft.bytes == 0)
		return;
	while (annex_map_next(store->soft.rows, &it)) {
		struct soft_row *row = it.value;

		if (!written && !(undone && row->this_turn)) {
			row->this_turn = false;
			continue;
		}
		store->soft.bytes -= row->len;
		annex_map_remove(store->soft.rows, it.key, it.len);
		free(row);
	}
}

/* Once a minute: what is still soft makes a commit of its own. */
void
soft_tend(struct annex_store *store)
{
	if (store->soft.bytes > 0 && !store->dead && store_use(store) == ANNEX_OK)
		store->dirty = true;
}
