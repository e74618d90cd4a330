/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * narrow.c - which part of an archive is asked for (XEP-0313 §4.1)
 *
 * Times become bounds on the numbers of lines, by bisection, and ids are
 * numbers in disguise; so neither costs a walk.
 */
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "query.h"

/* --- Bounds --------------------------------------------------------------------- */

static int
bound_read(const struct query *q, const char *id, uint64_t *number_r)
{
	if (id == NULL)
		return ANNEX_OK;
	*number_r = stanza_id_read(q->room, id);
	return archive_line(q->room, *number_r) == NULL ? ANNEX_ENOENT : ANNEX_OK;
}

static int
line_at(const struct query *q, uint64_t index, uint64_t *number_r, int64_t *stamp_r)
{
	struct annex_key prefix = muc_key(TABLE_LINES, q->room->id);
	struct annex_iter it;
	int r;

	if ((r = annex_seek(q->m->store, &prefix, index, &it)) < 0 ||
	    (r = annex_next(q->m->store, &it)) < 0)
		return r;
	if (r != ANNEX_AGAIN)
		return ANNEX_ENOENT;
	*number_r = annex_key_number(&it.key, 1);
	*stamp_r = ((Muc__Line *)it.record)->stamp_ms;
	return ANNEX_OK;
}

/* The first line that is not before stamp_ms; UINT64_MAX where all are. */
static int
first_since(const struct query *q, int64_t stamp_ms, uint64_t *number_r)
{
	struct annex_key prefix = muc_key(TABLE_LINES, q->room->id);
	uint64_t low = 0, high, number;
	int64_t stamp;
	int r;

	*number_r = UINT64_MAX;
	if ((r = annex_rows(q->m->store, &prefix, &high)) < 0)
		return r;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if ((r = line_at(q, middle, &number, &stamp)) < 0)
			return r;
		if (stamp < stamp_ms) {
			low = middle + 1;
		} else {
			high = middle;
			*number_r = number;
		}
	}
	return ANNEX_OK;
}

static int
times_read(struct query *q, const struct annex_mam_query *asked)
{
	uint64_t number;
	int r;

	if (asked->start_ms != INT64_MIN) {
		if ((r = first_since(q, asked->start_ms, &number)) < 0)
			return r;
		if (number - 1 > q->after)
			q->after = number - 1;
	}
	if (asked->end_ms != INT64_MAX) {
		if ((r = first_since(q, asked->end_ms + 1, &number)) < 0)
			return r;
		if (number < q->before)
			q->before = number;
	}
	return ANNEX_OK;
}

int
query_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* §4.1.4: all of them, or item-not-found. */
static int
ids_read(struct query *q, const struct annex_strings *ids)
{
	uint64_t *number = annex_new_array(q->pool, uint64_t, ids->count + 1);
	size_t n = 0;

	for (size_t i = 0; i < ids->count; i++) {
		number[i] = stanza_id_read(q->room, ids->value[i]);
		if (archive_line(q->room, number[i]) == NULL)
			return ANNEX_ENOENT;
	}
	if (ids->count > 0)
		qsort(number, ids->count, sizeof(*number), query_compare);
	for (size_t i = 0; i < ids->count; i++)
		if (n == 0 || number[i] != number[n - 1])
			number[n++] = number[i];
	q->ids = number;
	q->id_count = n;
	return ANNEX_OK;
}

int
query_narrow(struct query *q, const struct annex_element *query, const char **why)
{
	struct annex_mam_query asked;
	int r;

	if ((r = annex_mam_read(&asked, query, false, q->pool, why)) < 0)
		return r;
	q->query_id = asked.query_id;
	q->flip = asked.flip;
	q->with = asked.with;
	q->before = UINT64_MAX;
	if ((r = bound_read(q, asked.after_id, &q->after)) < 0 ||
	    (r = bound_read(q, asked.before_id, &q->before)) < 0 ||
	    (r = times_read(q, &asked)) < 0 || (r = ids_read(q, &asked.ids)) < 0)
		return r;
	q->narrowed = q->after != 0 || q->before != UINT64_MAX;
	return ANNEX_OK;
}
