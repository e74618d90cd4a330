/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * rsm.h - result set management (XEP-0059) over any ordered source
 *
 * A source is anything with an order: an array, a table of the store.  It
 * says how to walk from a place forwards or backwards; paging, counting and
 * the <set/> come from here.
 */
#ifndef ANNEX_RSM_H
#define ANNEX_RSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/element.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_pool;

#define ANNEX_NS_RSM "http://jabber.org/protocol/rsm"

/* What was asked.  Without a <set/> present is false and max the given default. */
struct annex_page {
	bool present;
	size_t max;         /* never above the limit given to annex_page_read */
	const char *after;  /* id, or NULL */
	const char *before; /* id; "" means the last page; NULL: not asked */
	bool by_index;
	uint64_t index;
};

/* ANNEX_EINVAL where the <set/> is malformed: answer bad-request. */
int annex_page_read(struct annex_page *page_r, const struct annex_element *query, size_t preset,
    size_t limit) ANNEX_MUST_CHECK;

/*
 * A source walks its items.  walk calls take for each item from the place
 * on, until take returns false; it returns ANNEX_OK, ANNEX_ENOENT where
 * from names no item (answer item-not-found), or another failure.
 *	from NULL: from the first (backwards: the last).
 *	from an id: from the item behind it (backwards: before it).
 * count and index_of may be NULL where they would cost too much: then the
 * answer has no count or index.  seek: as walk, from the index on; NULL
 * where that is not to be had.  ids are copied, items are not.
 */
typedef bool annex_take_fn(void *cookie, const char *id, void *item);

struct annex_source {
	void *cookie;
	int (*walk)(
	    void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker);
	int (*seek)(void *cookie, uint64_t index, annex_take_fn *take, void *taker);
	int (*count)(void *cookie, uint64_t *count_r);
	int (*index_of)(void *cookie, const char *id, uint64_t *index_r);
};

struct annex_page_result {
	void **item; /* in order, first to last, whichever way it was walked */
	const char **id;
	size_t count;
	bool complete; /* nothing beyond this page in the direction asked */
	bool has_total, has_index;
	uint64_t total, index;
};

/*
 * Fetch the page asked for: of what is behind after and before before, the
 * first max, or the last where before is given.  ANNEX_ENOENT: answer
 * item-not-found (XEP-0059 §2.4).  ANNEX_ELIMIT: the source knows no pages
 * by index, answer feature-not-implemented (§2.6).
 */
int annex_page_fetch(const struct annex_source *source, const struct annex_page *page,
    struct annex_pool *pool, struct annex_page_result *result_r) ANNEX_MUST_CHECK;

/*
 * The items of the page stand in parent, one child for each: take away as many as do not fit into
 * most bytes; of a page that was asked for backwards those in front, else those behind.
 */
void annex_page_trim(struct annex_page_result *result, const struct annex_page *page,
    struct annex_element *parent, size_t most);

/* Append the answering <set/>. */
void annex_page_add(struct annex_element *parent, const struct annex_page_result *result);

/* A source over an array in memory, in its order; borrowed as long as the source is used. */
struct annex_array {
	void *const *item;
	size_t count;
	const char *(*id_of)(const void *item);
};
struct annex_source annex_array_source(const struct annex_array *array);

#pragma GCC visibility pop

#endif /* ANNEX_RSM_H */
