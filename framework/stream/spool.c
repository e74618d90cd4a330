/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * spool.c - records in a row, in as few allocations as possible
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "spool.h"

#define CHUNK_SMALL ((size_t)1024 - sizeof(struct spool_chunk))
#define CHUNK_USUAL (SPOOL_CHUNK - sizeof(struct spool_chunk))
#define CHUNK_THRIFTY (SPOOL_CHUNK / 4 - sizeof(struct spool_chunk))

void
spool_init(struct spool *spool, size_t *held, bool thrifty)
{
	memset(spool, 0, sizeof(*spool));
	spool->held = held;
	spool->thrifty = thrifty;
}

static void
chunk_free(struct spool *spool, struct spool_chunk *chunk)
{
	if (chunk->count > 0)
		*spool->held -= sizeof(*chunk) + chunk->size;
	free(chunk);
}

void
spool_finish(struct spool *spool)
{
	struct spool_chunk *chunk;

	while ((chunk = spool->head) != NULL) {
		spool->head = chunk->next;
		chunk_free(spool, chunk);
	}
	free(spool->spare);
	spool->spare = NULL;
	spool->tail = NULL;
	spool->records = 0;
	spool->unwritten = 0;
}

static size_t
chunk_size_for(const struct spool *spool, size_t len)
{
	size_t need = len + sizeof(struct spool_mark);
	size_t size = spool->thrifty ? CHUNK_THRIFTY : CHUNK_USUAL;

	if (spool->thrifty && spool->tail == NULL)
		size = CHUNK_SMALL;
	else if (spool->thrifty && spool->tail->size < size / 2)
		size = (size_t)spool->tail->size * 2;
	if (size < need)
		size = need;
	return (size + 7) & ~(size_t)7;
}

/* What is taken and given back all the time is not asked of the allocator each time. */
static struct spool_chunk *
chunk_alloc(struct spool *spool, size_t size)
{
	struct spool_chunk *chunk = spool->spare;

	if (chunk == NULL || chunk->size != size)
		return mem_alloc(sizeof(*chunk) + size);
	spool->spare = NULL;
	return chunk;
}

struct spool_chunk *
spool_grow(struct spool *spool, size_t len)
{
	size_t size = chunk_size_for(spool, len);
	struct spool_chunk *chunk;

	CHECK(len < SPOOL_RECORD_MAX);
	chunk = chunk_alloc(spool, size);
	memset(chunk, 0, sizeof(*chunk));
	chunk->size = (uint32_t)size;
	if (spool->tail != NULL && spool->tail->count == 0) { /* kept, and too small now */
		chunk_free(spool, spool->tail);
		spool->head = spool->tail = NULL;
	}
	if (spool->tail == NULL)
		spool->head = chunk;
	else
		spool->tail->next = chunk;
	spool->tail = chunk;
	return chunk;
}

void
spool_append(struct spool *spool, unsigned class, uint32_t when_s, const void *bytes, size_t len)
{
	char *at = spool_place(spool, class, when_s, len);

	if (len > 0)
		memcpy(at, bytes, len);
}

static size_t
mark_len(const struct spool_mark *mark)
{
	return mark->what & (SPOOL_RECORD_MAX - 1);
}

bool
spool_first(const struct spool *spool, struct spool_record *record_r)
{
	struct spool_chunk *chunk = spool->head;
	const struct spool_mark *mark;

	if (spool->records == 0)
		return false;
	mark = chunk_mark(chunk, chunk->first);
	record_r->bytes = chunk->bytes + chunk->start;
	record_r->len = mark_len(mark);
	record_r->class = mark->what >> 28;
	record_r->when_s = mark->when_s;
	return true;
}

/* The last chunk stays for the next record, unless it is an odd size, and one before it as a spare;
 * they are not accounted until then. */
static void
chunk_is_empty(struct spool *spool, struct spool_chunk *chunk)
{
	if (chunk->next == NULL && !spool->thrifty && chunk->size <= CHUNK_USUAL) {
		*spool->held -= sizeof(*chunk) + chunk->size;
		chunk->used = chunk->start = chunk->written = 0;
		chunk->first = chunk->count = chunk->watched = 0;
		return;
	}
	spool->head = chunk->next;
	if (spool->head == NULL)
		spool->tail = NULL;
	if (spool->spare == NULL && !spool->thrifty && chunk->size == CHUNK_USUAL) {
		*spool->held -= sizeof(*chunk) + chunk->size;
		spool->spare = chunk;
		return;
	}
	chunk_free(spool, chunk);
}

void
spool_drop_first(struct spool *spool)
{
	struct spool_chunk *chunk = spool->head;
	uint32_t end;

	CHECK(spool->records > 0);
	end = chunk->start + mark_len(chunk_mark(chunk, chunk->first));
	if (chunk->written < end) {
		spool->unwritten -= end - chunk->written;
		chunk->written = end;
	}
	chunk->start = end;
	chunk->first++;
	spool->records--;
	if (chunk->first == chunk->count)
		chunk_is_empty(spool, chunk);
}

size_t
spool_front(const struct spool *spool, const char **bytes_r)
{
	const struct spool_chunk *chunk = spool->head;

	while (chunk != NULL && chunk->written == chunk->used)
		chunk = chunk->next;
	if (chunk == NULL)
		return 0;
	*bytes_r = chunk->bytes + chunk->written;
	return chunk->used - chunk->written;
}

void
spool_written(struct spool *spool, size_t n)
{
	struct spool_chunk *chunk = spool->head;

	while (chunk != NULL && chunk->written == chunk->used)
		chunk = chunk->next;
	CHECK(n == 0 || (chunk != NULL && n <= chunk->used - chunk->written));
	if (n == 0)
		return;
	chunk->written += (uint32_t)n;
	spool->unwritten -= n;
}

bool
spool_pass(const struct spool *spool, struct spool_record *record_r)
{
	if (!spool_first(spool, record_r))
		return false;
	return spool->head->start + record_r->len <= spool->head->written;
}

size_t
spool_pass_chunk(struct spool *spool)
{
	struct spool_chunk *chunk = spool->head;
	size_t n;

	if (chunk == NULL || chunk->written < chunk->used || chunk->watched > 0)
		return 0;
	n = chunk->count - chunk->first;
	if (n == 0)
		return 0;
	spool->records -= n;
	chunk_is_empty(spool, chunk);
	return n;
}

bool
spool_is_midway(const struct spool *spool)
{
	const struct spool_chunk *chunk = spool->head;

	return spool->records > 0 && chunk->written > chunk->start;
}

/* --- Rows ------------------------------------------------------------------ */

static void
row_enter(struct spool_row *row, struct spool_chunk *chunk)
{
	row->begin = row->at = chunk->bytes + chunk->used;
	row->marks = row->mark = chunk_mark(chunk, chunk->count) + 1;
}

void
spool_row_begin(struct spool_row *row, struct spool *spool, unsigned class, uint32_t when_s)
{
	*row = (struct spool_row) { .spool = spool, .class = class, .when_s = when_s };
	if (spool->tail != NULL)
		row_enter(row, spool->tail);
}

void
spool_row_end(struct spool_row *row)
{
	size_t n = (size_t)(row->marks - row->mark);
	size_t bytes = (size_t)(row->at - row->begin);
	struct spool *spool = row->spool;
	struct spool_chunk *chunk = spool->tail;

	if (n == 0)
		return;
	if (chunk->count == 0)
		*spool->held += sizeof(*chunk) + chunk->size;
	chunk->count += (uint32_t)n;
	chunk->used += (uint32_t)bytes;
	if ((spool->watched >> row->class & 1u) != 0)
		chunk->watched += (uint32_t)n;
	spool->records += n;
	spool->unwritten += bytes;
}

void
spool_row_turn(struct spool_row *row, size_t len)
{
	spool_row_end(row);
	row_enter(row, spool_grow(row->spool, len));
}
