/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * filter.c - nodes of certain types, or of all others (XEP-0462), as a source of pages
 *
 * Nodes are counted by type, so totals and indexes are sums and differences of counts.
 * Those of several types are merged as they are walked; those of all other types are what is left of
 * the list of all, and where a long run of it is left out, counts tell where it ends.
 */
#include <string.h>

#include <annex/disco.h>

#include "pubsub.h"

#define TYPES_MAX 20
#define RUN_MAX 5 /* rows that are passed one by one */

struct filter {
	struct pubsub *p;
	struct annex_key type[TYPES_MAX]; /* prefixes */
	size_t count;
	bool excludes;
};

/* --- The form (§3.2) -------------------------------------------------------------------------- */

static void
type_add(struct filter *f, const char *type)
{
	struct annex_key key = key_text(TABLE_TYPES, type);

	for (size_t i = 0; i < f->count; i++)
		if (f->type[i].len == key.len && memcmp(f->type[i].bytes, key.bytes, key.len) == 0)
			return;
	f->type[f->count++] = key;
}

/* An empty value is a type, too, that of nodes without one; so it is read here. */
static int
types_add(struct filter *f, const struct annex_element *field)
{
	ANNEX_CHILDREN (field, value) {
		if (!annex_is(value, ANNEX_NS_FORM, "value"))
			continue;
		if (f->count == TYPES_MAX)
			return ANNEX_EINVAL;
		type_add(f, annex_text(value));
	}
	return ANNEX_OK;
}

/* Either these, or all but these. */
static int
form_read(struct filter *f, const struct annex_element *x)
{
	size_t fields = 0;

	ANNEX_CHILDREN (x, field) {
		const char *var = annex_attr(field, "var");

		if (var == NULL ||
		    (strcmp(var, "included-types") != 0 && strcmp(var, "excluded-types") != 0))
			continue;
		f->excludes = strcmp(var, "excluded-types") == 0;
		if (fields++ > 0 || types_add(f, field) < 0)
			return ANNEX_EINVAL;
	}
	return fields == 1 ? ANNEX_OK : ANNEX_EINVAL;
}

/* --- Counting --------------------------------------------------------------------------------- */

/* Wanted nodes whose number is below number. */
static int
rank_of_number(const struct filter *f, uint64_t number, uint64_t *rank_r)
{
	struct annex_key key = key_number(TABLE_LISTED, number);
	uint64_t all, sum = 0, n;
	int r;

	if ((r = annex_row_index(f->p->store, &key, &all)) < 0)
		return r;
	for (size_t i = 0; i < f->count; i++, sum += n) {
		key = f->type[i];
		if ((r = annex_row_index(f->p->store, annex_key_u64(&key, number), &n)) < 0)
			return r;
	}
	*rank_r = f->excludes ? all - sum : sum;
	return ANNEX_OK;
}

static int
filter_count(void *cookie, uint64_t *count_r)
{
	return rank_of_number(cookie, UINT64_MAX, count_r);
}

static int
filter_index(void *cookie, const char *id, uint64_t *index_r)
{
	const struct filter *f = cookie;

	return rank_of_number(f, listed_number(f->p, id), index_r);
}

/* The lowest number up to which more than rank are wanted: that of the wanted node at this index.
 * UINT64_MAX where there are not so many. */
static int
number_at(const struct filter *f, uint64_t rank, uint64_t *number_r)
{
	struct annex_key all = key_of(TABLE_LISTED);
	uint64_t low = 1, high, n;
	int r;

	if ((r = annex_sequence_last(f->p->store, &all, &high)) < 0)
		return r;
	if ((r = rank_of_number(f, UINT64_MAX, &n)) < 0)
		return r;
	*number_r = UINT64_MAX;
	if (rank >= n)
		return ANNEX_OK;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if ((r = rank_of_number(f, middle + 1, &n)) < 0)
			return r;
		if (n > rank)
			high = middle;
		else
			low = middle + 1;
	}
	*number_r = low;
	return ANNEX_OK;
}

/* --- Walking ----------------------------------------------------------------------------------- */

static bool
is_excluded(const struct filter *f, uint64_t number)
{
	for (size_t i = 0; i < f->count; i++) {
		struct annex_key key = f->type[i];

		if (annex_has(f->p->store, annex_key_u64(&key, number)))
			return true;
	}
	return false;
}

/* The wanted node next to number, on the way: from the counts. */
static int
jump(const struct filter *f, uint64_t number, bool backwards, uint64_t *next_r)
{
	uint64_t rank;
	int r = rank_of_number(f, number, &rank);

	*next_r = UINT64_MAX;
	if (r < 0 || (backwards && rank == 0))
		return r;
	return number_at(f, backwards ? rank - 1 : rank, next_r);
}

static struct annex_iter
iter_at(const struct annex_key *prefix, uint64_t number, bool backwards)
{
	struct annex_key key = *prefix;
	struct annex_iter it = annex_iter_from(prefix, annex_key_u64(&key, number));

	it.backwards = backwards;
	return it;
}

static int
walk_others(const struct filter *f, uint64_t from, bool backwards, annex_take_fn *take, void *taker)
{
	const struct annex_key all = key_of(TABLE_LISTED);
	struct annex_iter it = iter_at(&all, from, backwards);
	size_t run = 0;
	int r;

	while ((r = annex_next(f->p->store, &it)) == ANNEX_AGAIN) {
		const Pubsub__Listed *record = (Pubsub__Listed *)it.record;
		uint64_t number = annex_key_number(&it.key, 0);

		if (!is_excluded(f, number)) {
			run = 0;
			if (!listed_take(f->p, record, take, taker))
				return ANNEX_OK;
		} else if (++run == RUN_MAX) {
			run = 0;
			if ((r = jump(f, number, backwards, &number)) < 0 || number == UINT64_MAX)
				return r;
			it = iter_at(&all, number, backwards);
		}
	}
	return r < 0 ? r : ANNEX_OK;
}

/* The nearest of those that each type has next. */
static struct annex_iter *
nearest(struct annex_iter *its, size_t count, bool backwards)
{
	struct annex_iter *best = NULL;

	for (size_t i = 0; i < count; i++) {
		uint64_t number;

		if (its[i].record == NULL)
			continue;
		number = annex_key_number(&its[i].key, 1);
		if (best == NULL || (number < annex_key_number(&best->key, 1)) != backwards)
			best = &its[i];
	}
	return best;
}

static int
walk_these(const struct filter *f, uint64_t from, bool backwards, annex_take_fn *take, void *taker)
{
	struct annex_iter its[TYPES_MAX], *next;
	int r;

	for (size_t i = 0; i < f->count; i++) {
		its[i] = iter_at(&f->type[i], from, backwards);
		if ((r = annex_next(f->p->store, &its[i])) < 0)
			return r;
	}
	while ((next = nearest(its, f->count, backwards)) != NULL) {
		if (!listed_take(f->p, (Pubsub__Listed *)next->record, take, taker))
			return ANNEX_OK;
		if ((r = annex_next(f->p->store, next)) < 0)
			return r;
	}
	return ANNEX_OK;
}

static int
walk_from(const struct filter *f, uint64_t from, bool backwards, annex_take_fn *take, void *taker)
{
	return f->excludes ? walk_others(f, from, backwards, take, taker)
			   : walk_these(f, from, backwards, take, taker);
}

static int
filter_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	const struct filter *f = cookie;
	uint64_t number;

	if (from == NULL)
		return walk_from(f, backwards ? UINT64_MAX : 0, backwards, take, taker);
	if ((number = listed_number(f->p, from)) == 0)
		return ANNEX_ENOENT;
	return walk_from(f, backwards ? number - 1 : number + 1, backwards, take, taker);
}

static int
filter_seek(void *cookie, uint64_t index, annex_take_fn *take, void *taker)
{
	const struct filter *f = cookie;
	uint64_t number;
	int r;

	if ((r = number_at(f, index, &number)) < 0 || number == UINT64_MAX)
		return r;
	return walk_from(f, number, false, take, taker);
}

int
filter_source(struct pubsub *p, const struct annex_element *filter, struct annex_source *source_r)
{
	struct annex_pool *pool = annex_scratch(p->inst);
	const struct annex_element *x = annex_form_find(filter, NS_FILTER);
	struct filter *f = annex_new(pool, struct filter);

	f->p = p;
	if (x == NULL || form_read(f, x) < 0)
		return ANNEX_EINVAL;
	*source_r = (struct annex_source) { .cookie = f,
		.walk = filter_walk,
		.seek = filter_seek,
		.count = filter_count,
		.index_of = filter_index };
	return ANNEX_OK;
}
