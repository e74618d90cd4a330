/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * page.c - items and subscriptions as sources of pages (XEP-0059)
 *
 * Items come newest first, and an item is named by its ItemID; subscriptions
 * come in the order they were made, and are named by their number.  Both tables are counted, so
 * that a total, an index and a page by index cost no walk.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/disco.h>

#include "pubsub.h"

/* --- Rows of a counted table under a number ------------------------------------------- */

static struct annex_key
rows_prefix(const struct rows *rows)
{
	return key_number(rows->table, rows->number);
}

static uint64_t
rows_total(const struct rows *rows)
{
	struct annex_key prefix = rows_prefix(rows);
	uint64_t n = 0;

	return annex_rows(rows->p->store, &prefix, &n) < 0 ? 0 : n;
}

/* The number of the row that an id names; 0 where there is none. */
static uint64_t
row_named(const struct rows *rows, const char *id)
{
	struct annex_key key;
	ProtobufCMessage *record;
	uint64_t number;
	char *end;

	if (rows->table == TABLE_ITEMS) {
		key = key_number_text(TABLE_ITEM_IDS, rows->number, id);
		return annex_get(rows->p->store, &key, &record) == ANNEX_OK
		    ? ((Pubsub__ItemId *)record)->number
		    : 0;
	}
	number = strtoull(id, &end, 10);
	key = key_numbers(rows->table, rows->number, number);
	return *end == '\0' && number > 0 && annex_has(rows->p->store, &key) ? number : 0;
}

static const char *
row_id(const struct rows *rows, const struct annex_iter *it)
{
	if (rows->table == TABLE_ITEMS)
		return ((Pubsub__Item *)it->record)->id;
	return annex_sprintf(annex_scratch(rows->p->inst), "%llu",
	    (unsigned long long)annex_key_number(&it->key, 1));
}

static void *
row_item(const struct rows *rows, const struct annex_iter *it)
{
	struct annex_pool *pool = annex_scratch(rows->p->inst);
	struct annex_disco_item *item;

	if (!rows->for_disco)
		return it->record;
	item = annex_new(pool, struct annex_disco_item);
	item->jid = annex_domain(rows->p->inst);
	item->name = ((Pubsub__Item *)it->record)->id;
	return item;
}

static int
walk_on(const struct rows *rows, struct annex_iter *it, annex_take_fn *take, void *taker)
{
	int r;

	while ((r = annex_next(rows->p->store, it)) == ANNEX_AGAIN)
		if (!take(taker, row_id(rows, it), row_item(rows, it)))
			return ANNEX_OK;
	return r < 0 ? r : ANNEX_OK;
}

static int
rows_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	const struct rows *rows = cookie;
	struct annex_key prefix = rows_prefix(rows), key = prefix;
	bool down = rows->newest_first != backwards;
	struct annex_iter it = down ? annex_iter_backwards(&prefix) : annex_iter(&prefix);
	uint64_t number;

	if (from != NULL) {
		if ((number = row_named(rows, from)) == 0)
			return ANNEX_ENOENT;
		annex_key_u64(&key, down ? number - 1 : number + 1);
		it = annex_iter_from(&prefix, &key);
		it.backwards = down;
	}
	return walk_on(rows, &it, take, taker);
}

static int
rows_seek(void *cookie, uint64_t index, annex_take_fn *take, void *taker)
{
	const struct rows *rows = cookie;
	struct annex_key prefix = rows_prefix(rows);
	uint64_t total = rows_total(rows);
	struct annex_iter it;
	int r;

	if (index >= total)
		return ANNEX_OK;
	r = annex_seek(
	    rows->p->store, &prefix, rows->newest_first ? total - 1 - index : index, &it);
	if (r < 0)
		return r;
	it.backwards = rows->newest_first;
	return walk_on(rows, &it, take, taker);
}

static int
rows_count(void *cookie, uint64_t *count_r)
{
	*count_r = rows_total(cookie);
	return ANNEX_OK;
}

static int
rows_index(void *cookie, const char *id, uint64_t *index_r)
{
	const struct rows *rows = cookie;
	struct annex_key key = key_numbers(rows->table, rows->number, row_named(rows, id));
	int r;

	if ((r = annex_row_index(rows->p->store, &key, index_r)) < 0)
		return r;
	if (rows->newest_first)
		*index_r = rows_total(rows) - 1 - *index_r;
	return ANNEX_OK;
}

struct annex_source
rows_source(struct rows *rows)
{
	return (struct annex_source) { .cookie = rows,
		.walk = rows_walk,
		.seek = rows_seek,
		.count = rows_count,
		.index_of = rows_index };
}

enum fault
page_fault(int status)
{
	if (status == ANNEX_ENOENT)
		return FAULT_ITEM_NOT_FOUND;
	return status == ANNEX_ELIMIT ? FAULT_UNSUPPORTED_PAGE : FAULT_FULL;
}
