/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * soft.c - changes that hold nothing back
 *
 * What people would not miss after a crash (a status text, when somebody was
 * last seen) need not make a turn wait for the disk.  A soft put replaces a
 * row that is there in memory alone: reads see it at once, and it is written
 * with the next turn that commits anyway, or within a minute.  Where a turn is
 * undone its soft puts go with it, and what earlier turns put softly is seen
 * again, also where this one had replaced or deleted it.
 */
#include "config.h"

#include <stdlib.h>

#include <annex/map.h>

#include "base/alloc.h"

#include "inside.h"

#define SOFT_MAX 10000
#define SOFT_MAX_BYTES (4u << 20)

struct soft_row {
	size_t len;
	unsigned char value[]; /* sealed */
};

struct soft_slot {
	struct soft_row *now;    /* NULL: this turn wrote it for good, or deleted it */
	struct soft_row *before; /* where this turn changed it: what it found, or NULL */
	bool changed;            /* in this turn */
};

void
soft_open(struct annex_store *store)
{
	store->soft.pool = annex_pool_create(NULL, "soft rows");
	store->soft.rows = annex_map_create(store->soft.pool);
}

static void
row_free(struct annex_store *store, struct soft_row **row)
{
	if (*row != NULL)
		store->soft.bytes -= (*row)->len;
	free(*row);
	*row = NULL;
}

void
soft_close(struct annex_store *store)
{
	struct annex_map_iter it = { 0 };

	if (store->soft.rows == NULL)
		return;
	while (annex_map_next(store->soft.rows, &it)) {
		struct soft_slot *slot = it.value;

		row_free(store, &slot->now);
		row_free(store, &slot->before);
		free(slot);
	}
	annex_pool_destroy(&store->soft.pool);
	store->soft = (struct soft) { 0 };
}

/* The first change of a turn keeps what it found, for the turn may be undone. */
static void
slot_change(struct annex_store *store, struct soft_slot *slot)
{
	if (slot->changed) {
		row_free(store, &slot->now);
		return;
	}
	slot->before = slot->now;
	slot->now = NULL;
	slot->changed = true;
}

/* The row is written for good, or deleted, unless the turn is undone. */
void
soft_forget(struct annex_store *store, const struct annex_key *key)
{
	struct soft_slot *slot;

	if (store->soft.bytes == 0)
		return;
	slot = annex_map_get(store->soft.rows, key->bytes, key->len);
	if (slot != NULL)
		slot_change(store, slot);
}

/* What was put softly over the row on disk, if anything. */
void
soft_replace(const struct annex_store *store, const struct annex_key *key, MDB_val *value)
{
	struct soft_slot *slot;

	if (store->soft.bytes == 0)
		return;
	slot = annex_map_get(store->soft.rows, key->bytes, key->len);
	if (slot != NULL && slot->now != NULL)
		*value = (MDB_val) { slot->now->len, slot->now->value };
}

static struct soft_slot *
slot_get(struct annex_store *store, const struct annex_key *key)
{
	struct soft_slot *slot = annex_map_get(store->soft.rows, key->bytes, key->len);

	if (slot == NULL) {
		slot = mem_zalloc(sizeof(*slot));
		annex_map_set(store->soft.rows, key->bytes, key->len, slot);
	}
	return slot;
}

static void
soft_keep(struct annex_store *store, const struct annex_key *key)
{
	struct soft_slot *slot = slot_get(store, key);

	slot_change(store, slot);
	slot->now = mem_alloc(sizeof(*slot->now) + store->record.len);
	slot->now->len = store->record.len;
	memcpy(slot->now->value, store->record.data, store->record.len);
	store->soft.bytes += slot->now->len;
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

	CHECK(record->descriptor == key->table->record && key->table->weigh == NULL);
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
		const struct soft_slot *slot = it.value;
		MDB_val k = { it.len, (void *)(uintptr_t)it.key }, v;

		if (slot->now == NULL)
			continue;
		v = (MDB_val) { slot->now->len, slot->now->value };
		if ((rc = store_change(store, &k, &v, 0)) != 0)
			return store_fail(store, rc, "write");
		store_wrote(store, slot->now->len);
	}
	return ANNEX_OK;
}

/* The turn is over: what is soft is on disk with the rest, or stays, or is as it was before. */
static void
slot_ended(struct annex_store *store, struct soft_slot *slot, bool written, bool undone)
{
	if (undone && slot->changed) {
		row_free(store, &slot->now);
		slot->now = slot->before;
		slot->before = NULL;
	}
	row_free(store, &slot->before);
	if (written)
		row_free(store, &slot->now);
	slot->changed = false;
}

void
soft_ended(struct annex_store *store, bool written, bool undone)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_count(store->soft.rows) > 0 && annex_map_next(store->soft.rows, &it)) {
		struct soft_slot *slot = it.value;

		slot_ended(store, slot, written, undone);
		if (slot->now != NULL)
			continue;
		annex_map_remove(store->soft.rows, it.key, it.len);
		free(slot);
	}
}

/* Once a minute: what is still soft makes a commit of its own. */
void
soft_tend(struct annex_store *store)
{
	if (store->soft.bytes > 0 && !store->dead && store_use(store) == ANNEX_OK)
		store->dirty = true;
}
