/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * spool.h - records in a row, in as few allocations as possible
 *
 * A record is the bytes of one stanza and its class.  A spool keeps them in
 * chunks: the bytes grow up from a chunk's start, one after the other, so
 * that many records leave in one write; the marks that say where they end
 * grow down from its end.  A small stanza costs 8 bytes beside its own.
 *
 * What was written stays until its record is written whole, so a spool can
 * be read again from the first record that is not.
 */
#ifndef STREAM_SPOOL_H
#define STREAM_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_CHUNK ((size_t)256 * 1024) /* one write takes one: fewer of them cost less */
#define SPOOL_RECORD_MAX ((size_t)256 * 1024 * 1024)

struct spool_mark {
	uint32_t what;   /* the length, and the class in the four highest bits */
	uint32_t when_s; /* seconds on the owner's own scale */
};

struct spool_chunk {
	struct spool_chunk *next;
	uint32_t size;         /* bytes for records and marks */
	uint32_t used;         /* by records, from the start */
	uint32_t start;        /* of the first record left */
	uint32_t written;      /* at least start: how far the bytes have gone */
	uint32_t first, count; /* marks: the first one left, and the number ever made */
	uint32_t watched;      /* of these, how many the owner wants to see go */
	char bytes[];
};

struct spool {
	struct spool_chunk *head, *tail;
	struct spool_chunk *spare; /* an empty one, not accounted; where thrifty there is none */
	size_t records;            /* left */
	size_t unwritten;          /* bytes */
	size_t *held;              /* account of the memory of this and other spools */
	bool thrifty;              /* begin with small chunks; many spools stay small */
	unsigned watched;          /* mask of classes that spool_pass_chunk leaves to spool_pass */
};

/* A record as it stands in the spool. */
struct spool_record {
	const char *bytes;
	size_t len;
	unsigned class;
	uint32_t when_s;
};

void spool_init(struct spool *spool, size_t *held, bool thrifty);
void spool_finish(struct spool *spool);

void
spool_append(struct spool *spool, unsigned class, uint32_t when_s, const void *bytes, size_t len);

/* The first record; false where there is none. */
bool spool_first(const struct spool *spool, struct spool_record *record_r);
void spool_drop_first(struct spool *spool);

/* Bytes to be written next, as many as lie together; 0 where all is written. */
size_t spool_front(const struct spool *spool, const char **bytes_r);

/* n of these bytes were written.  Take the records that are whole with spool_pass. */
void spool_written(struct spool *spool, size_t n);

/* The first record, if all of it was written; then spool_drop_first it. */
bool spool_pass(const struct spool *spool, struct spool_record *record_r);

/* Where the first chunk was written whole and holds nothing to be watched: drop all of it at once,
 * and say how many records that were. */
size_t spool_pass_chunk(struct spool *spool);

/* Is the first record written in part? */
bool spool_is_midway(const struct spool *spool);

/* --- For who appends in a hot loop ------------------------------------------- */

struct spool_chunk *spool_grow(struct spool *spool, size_t len);

/* Marks are counted from the chunk's end: mark 0 is the last eight bytes. */
static inline struct spool_mark *
chunk_mark(struct spool_chunk *chunk, uint32_t i)
{
	return (struct spool_mark *)(void *)(chunk->bytes + chunk->size) - 1 - i;
}

static inline bool
chunk_has_room(const struct spool_chunk *chunk, size_t len)
{
	size_t marks = ((size_t)chunk->count + 1) * sizeof(struct spool_mark);

	return chunk->used + len + marks <= chunk->size;
}

static inline struct spool_mark
mark_make(size_t len, unsigned class, uint32_t when_s)
{
	return (struct spool_mark) { (uint32_t)len | (uint32_t) class << 28, when_s };
}

/* As spool_append, to be filled with len bytes by the caller before anything else is done here. */
static inline char *
spool_place(struct spool *spool, unsigned class, uint32_t when_s, size_t len)
{
	struct spool_chunk *chunk = spool->tail;
	char *at;

	if (__builtin_expect(chunk == NULL || !chunk_has_room(chunk, len), 0))
		chunk = spool_grow(spool, len);
	if (chunk->count == 0)
		*spool->held += sizeof(*chunk) + chunk->size;
	*chunk_mark(chunk, chunk->count++) = mark_make(len, class, when_s);
	at = chunk->bytes + chunk->used;
	chunk->used += (uint32_t)len;
	chunk->watched += spool->watched >> class & 1u;
	spool->records++;
	spool->unwritten += len;
	return at;
}

/*
 * A row of records of one class: spool_place for many, which tells the spool at its end.  Between
 * begin and end nothing else is done to the spool.  at and mark are the row's in a loop's own
 * variables, so that they stay in registers; put them back before the end.
 */
struct spool_row {
	struct spool *spool;
	unsigned class;
	uint32_t when_s;
	char *begin, *at;                /* of the row in this chunk; of the next record */
	struct spool_mark *marks, *mark; /* before the row's first; the last one made */
};

void spool_row_begin(struct spool_row *row, struct spool *spool, unsigned class, uint32_t when_s);
void spool_row_turn(struct spool_row *row, size_t len); /* to a new chunk */
void spool_row_end(struct spool_row *row);

static inline char *
spool_row_place(struct spool_row *row, char **at, struct spool_mark **mark, size_t len)
{
	char *here;

	if (__builtin_expect((char *)*mark - *at < (ptrdiff_t)(len + sizeof(**mark)), 0)) {
		row->at = *at;
		row->mark = *mark;
		spool_row_turn(row, len);
		*at = row->at;
		*mark = row->mark;
	}
	here = *at;
	*at += len;
	*--*mark = mark_make(len, row->class, row->when_s);
	return here;
}

#endif /* STREAM_SPOOL_H */
