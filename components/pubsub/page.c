/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * page.c - rows of the store as sources of pages (XEP-0059)
 *
 * Items are in the order they were published, newest first, or in the one that is
 * asked for (XEP-0413), and are named by their ItemIDs; subscriptions and
 * affiliations come in the order they were made, named by their numbers.  All these tables
 * are counted, so that a total, an index and a page by index cost no walk.
 *
 * Owners are not shown subscriptions that are pending among the others (XEP-0060
 * §8.8.1): those are counted in a table of their own, and what is counted here is the
 * difference.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/disco.h>

#include "pubsub.h"

/* --- Names ------------------------------------------------------------------------------ */

static struct annex_key
row_key(const struct rows *rows, uint64_t number)
{
	struct annex_key key = rows->prefix;

	return *annex_key_u64(&key, number);
}

static uint64_t
high_of(const struct rows *rows)
{
	return rows->high == 0 ? UINT64_MAX : rows->high;
}

static bool
is_within(const struct rows *rows, uint64_t number)
{
	return number > rows->low && number < high_of(rows);
}

static uint64_t
number_at(const struct rows *rows, const struct annex_iter *it)
{
	return annex_key_number(&it->key, rows->prefix.parts);
}

static uint64_t
shelf_of(const struct rows *rows)
{
	return annex_key_number(&rows->prefix, 0);
}

static Pubsub__Item *
item_of_id(const struct rows *rows, const char *id, uint64_t *number_r)
{
	return item_on_shelf(rows->p, shelf_of(rows), id, number_r);
}

const char *
number_text(struct annex_instance *inst, uint64_t number)
{
	return annex_sprintf(annex_scratch(inst), "%llu", (unsigned long long)number);
}

uint64_t
row_number(const char *id)
{
	char *end;
	uint64_t number = strtoull(id, &end, 10);

	return id[0] >= '1' && id[0] <= '9' && *end == '\0' ? number : 0;
}

bool
rows_are_of(const struct rows *rows, int table)
{
	return rows->prefix.table == &pubsub_tables[table];
}

/* The item that is named by its place. */
static Pubsub__Item *
item_of_place(const struct rows *rows, const char *id)
{
	struct annex_key key = key_numbers(TABLE_ITEMS, shelf_of(rows), row_number(id));
	ProtobufCMessage *record;

	return annex_get(rows->p->store, &key, &record) == ANNEX_OK ? (Pubsub__Item *)record : NULL;
}

static uint64_t
place_of_item(const struct rows *rows, const char *id)
{
	const Pubsub__Item *item;
	uint64_t number = row_number(id);

	item = rows->by_place ? item_of_place(rows, id) : item_of_id(rows, id, &number);
	if (item == NULL)
		return 0;
	return rows_are_of(rows, TABLE_ITEMS) ? number : item->created;
}

uint64_t
row_place(const struct rows *rows, const char *id)
{
	struct annex_key key;
	uint64_t number;

	if (rows_are_of(rows, TABLE_ITEMS) || rows_are_of(rows, TABLE_CREATED))
		return place_of_item(rows, id);
	number = row_number(id);
	key = row_key(rows, number);
	return number > 0 && annex_has(rows->p->store, &key) ? number : 0;
}

Pubsub__Item *
row_item(const struct rows *rows, const char *id)
{
	return rows->by_place ? item_of_place(rows, id) : item_of_id(rows, id, NULL);
}

/* --- Rows ------------------------------------------------------------------------------- */

static void *
item_for_disco(const struct rows *rows, const char *id)
{
	struct annex_disco_item *item =
	    annex_new(annex_scratch(rows->p->inst), struct annex_disco_item);

	item->jid = annex_domain(rows->p->inst);
	item->name = id;
	return item;
}

static bool
row_take(const struct rows *rows, const struct annex_iter *it, annex_take_fn *take, void *taker)
{
	uint64_t number = number_at(rows, it);
	void *item = it->record;
	const char *id = NULL;

	if (rows_are_of(rows, TABLE_ITEMS)) {
		id = ((Pubsub__Item *)it->record)->id;
	} else if (rows_are_of(rows, TABLE_CREATED)) {
		id = ((Pubsub__Created *)it->record)->id;
		if ((item = item_of_id(rows, id, &number)) == NULL)
			return true;
	} else if (rows_are_of(rows, TABLE_WORDS) &&
	    (item = item_of_place(rows, number_text(rows->p->inst, number))) == NULL) {
		return true; /* it has gone, and the index will follow */
	}
	if (id == NULL || rows->by_place)
		id = number_text(rows->p->inst, number);
	return take(taker, id, rows->for_disco ? item_for_disco(rows, id) : item);
}

static bool
is_left_out(const struct rows *rows, const struct annex_iter *it)
{
	return rows->pending_count > 0 &&
	    ((Pubsub__Subscription *)it->record)->state == STATE_PENDING;
}

static int
walk_on(const struct rows *rows, struct annex_iter *it, annex_take_fn *take, void *taker)
{
	int r;

	while ((r = annex_next(rows->p->store, it)) == ANNEX_AGAIN)
		if (!is_within(rows, number_at(rows, it)) ||
		    (!is_left_out(rows, it) && !row_take(rows, it, take, taker)))
			return ANNEX_OK;
	return r < 0 ? r : ANNEX_OK;
}

static int
rows_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	const struct rows *rows = cookie;
	bool down = rows->newest_first != backwards;
	uint64_t low = rows->low, high = high_of(rows), number;
	struct annex_key key;
	struct annex_iter it;

	if (from != NULL) {
		if ((number = row_place(rows, from)) == 0)
			return ANNEX_ENOENT;
		low = number > low ? number : low;
		high = number < high ? number : high;
	}
	key = row_key(rows, down ? high - 1 : low + 1);
	it = annex_iter_from(&rows->prefix, &key);
	it.backwards = down;
	return walk_on(rows, &it, take, taker);
}

/* --- Counts ------------------------------------------------------------------------------ */

static struct annex_key
pending_key(const struct rows *rows)
{
	return key_number(TABLE_PENDING, annex_key_number(&rows->prefix, 0));
}

/* How many are before a number, whether or not there is such a row. */
static int
rank_of_number(const struct rows *rows, uint64_t number, uint64_t *rank_r)
{
	struct annex_key key = row_key(rows, number);
	uint64_t left_out;
	int r;

	if ((r = annex_row_index(rows->p->store, &key, rank_r)) < 0 || rows->pending_count == 0)
		return r;
	key = pending_key(rows);
	r = annex_row_index(rows->p->store, annex_key_u64(&key, number), &left_out);
	*rank_r -= left_out;
	return r;
}

/* How many are before the first that is within bounds. */
static int
rank_of_first(const struct rows *rows, uint64_t *rank_r)
{
	*rank_r = 0;
	return rows->low == 0 ? ANNEX_OK : rank_of_number(rows, rows->low + 1, rank_r);
}

static int
rows_count(void *cookie, uint64_t *count_r)
{
	const struct rows *rows = cookie;
	uint64_t first, end;
	int r;

	r = rows->high == 0 ? annex_rows(rows->p->store, &rows->prefix, &end)
			    : rank_of_number(rows, rows->high, &end);
	if (r < 0 || (r = rank_of_first(rows, &first)) < 0)
		return r;
	if (rows->high == 0)
		end -= rows->pending_count;
	*count_r = end > first ? end - first : 0;
	return ANNEX_OK;
}

static int
rows_index(void *cookie, const char *id, uint64_t *index_r)
{
	const struct rows *rows = cookie;
	uint64_t total, first;
	int r;

	if ((r = rank_of_number(rows, row_place(rows, id), index_r)) < 0 ||
	    (r = rank_of_first(rows, &first)) < 0)
		return r;
	*index_r -= first;
	if (!rows->newest_first)
		return ANNEX_OK;
	r = rows_count(cookie, &total);
	*index_r = total - 1 - *index_r;
	return r;
}

static int
rank_at(const struct rows *rows, uint64_t place, uint64_t *rank_r)
{
	struct annex_iter it;
	int r;

	if ((r = annex_seek(rows->p->store, &rows->prefix, place, &it)) < 0)
		return r;
	it.keys_only = true;
	*rank_r = UINT64_MAX;
	if ((r = annex_next(rows->p->store, &it)) != ANNEX_AGAIN)
		return r;
	return rank_of_number(rows, number_at(rows, &it), rank_r);
}

/* The first place before which so many are that are not left out: by bisection, since no
 * more than all that are left out can be before it. */
static int
place_of_rank(const struct rows *rows, uint64_t rank, uint64_t *place_r)
{
	uint64_t low = rank, high = rank + rows->pending_count, at;
	int r;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if ((r = rank_at(rows, middle, &at)) < 0)
			return r;
		if (at < rank)
			low = middle + 1;
		else
			high = middle;
	}
	*place_r = low;
	return ANNEX_OK;
}

static int
rows_seek(void *cookie, uint64_t index, annex_take_fn *take, void *taker)
{
	const struct rows *rows = cookie;
	uint64_t total, first, place;
	struct annex_iter it;
	int r;

	if ((r = rows_count(cookie, &total)) < 0 || index >= total ||
	    (r = rank_of_first(rows, &first)) < 0)
		return r;
	index = first + (rows->newest_first ? total - 1 - index : index);
	if ((r = place_of_rank(rows, index, &place)) < 0 ||
	    (r = annex_seek(rows->p->store, &rows->prefix, place, &it)) < 0)
		return r;
	it.backwards = rows->newest_first;
	return walk_on(rows, &it, take, taker);
}

struct annex_source
rows_source(struct rows *rows)
{
	struct annex_key pending;

	if (rows->without_pending) {
		pending = pending_key(rows);
		if (annex_rows(rows->p->store, &pending, &rows->pending_count) < 0)
			rows->pending_count = 0;
	}
	return (struct annex_source) { .cookie = rows,
		.walk = rows_walk,
		.seek = rows_seek,
		.count = rows_count,
		.index_of = rows_index };
}

/* --- Answers ------------------------------------------------------------------------------- */

#define BYTES_MAX ((size_t)192 << 10)

void
page_fit(struct annex_page_result *found, const struct annex_page *page,
    size_t (*size_of)(const void *item))
{
	bool from_the_end = page->before != NULL;
	size_t bytes = 0, n = 0;

	for (; n < found->count; n++) {
		bytes += size_of(found->item[from_the_end ? found->count - 1 - n : n]);
		if (bytes > BYTES_MAX && n > 0)
			break;
	}
	if (n == found->count)
		return;
	if (from_the_end) {
		found->item += found->count - n;
		found->id += found->count - n;
		found->index += found->count - n;
	}
	found->count = n;
	found->complete = false;
}

enum fault
page_fault(int status)
{
	if (status == ANNEX_ENOENT)
		return FAULT_ITEM_NOT_FOUND;
	return status == ANNEX_ELIMIT ? FAULT_UNSUPPORTED_PAGE : FAULT_FULL;
}
