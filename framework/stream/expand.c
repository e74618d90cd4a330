/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * expand.c - a fan-out's next stanzas, written where they are to stand
 *
 * A place is a run and an offset in its slab.  Mostly neighbours get the same
 * body, and nobody has children of their own: then a stanza is three copies,
 * two of them of a fixed number of bytes, which are faster than a few; what is
 * too much is written over by what follows.
 */
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "body.h"
#include "expand.h"

#define HEAD BODY_SLACK

/* A body, cut where a recipient goes. */
struct cut {
	unsigned variant;
	const struct body *body; /* NULL: nobody is told */
	size_t head, rest;       /* bytes before and behind */
	bool roomy;              /* both fixed copies stay within the stanza */
};

static void
cut_make(const struct fanout *fanout, const struct run *run, unsigned variant, struct cut *cut)
{
	const struct body *body = variant < run->variants ? fanout->variants[variant] : NULL;

	*cut = (struct cut) { variant, body, 0, 0, false };
	if (body == NULL)
		return;
	cut->head = body->to_at;
	cut->rest = body->len - body->to_at;
	cut->roomy = cut->head <= HEAD && body->len >= HEAD && cut->rest >= SLAB_SLACK;
}

static inline char *
put(char *at, const char *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

/* One stanza; from: the recipient's bytes, behind its head. */
static size_t
stanza_move(
    const struct cut *cut, const struct recipient *to, const char *from, struct spool_row *row)
{
	size_t len = cut->head + to->to_len + to->tail_len + cut->rest;
	const struct body *body = cut->body;
	char *at = spool_row_place(row, &row->at, &row->mark, len);

	at = put(at, body->text, cut->head);
	at = put(at, from, to->to_len);
	if (to->tail_len == 0) {
		put(at, body->text + cut->head, cut->rest);
		return len;
	}
	at = put(at, body->text + cut->head, body->tail_at - cut->head);
	at = put(at, from + to->to_len, to->tail_len);
	put(at, body->text + body->tail_at, body->len - body->tail_at);
	return len;
}

static inline uint32_t
run_end(const struct run *run)
{
	return run->to < run->slab->used ? run->to : run->slab->used;
}

/* Go to the next recipient from place on; its run, or NULL when there are no more. */
static inline const struct run *
place_run(const struct fanout *fanout, struct fanout_place *place)
{
	for (; place->run < fanout->run_count; place->run++, place->at = 0) {
		const struct run *run = &fanout->runs[place->run];

		if (place->at < run->from)
			place->at = run->from;
		if (place->at < run_end(run))
			return run;
	}
	return NULL;
}

/* The next variant for who gets all of them; past them when that was the last. */
static bool
each_next(const struct fanout *fanout, const struct run *run, struct fanout_place *place,
    const struct recipient *to, struct cut *cut)
{
	while (place->variant < fanout->variant_count) {
		cut_make(fanout, run, place->variant++, cut);
		if (cut->body != NULL)
			return true;
	}
	place->at += recipient_len(to);
	place->variant = 0;
	return false;
}

/*
 * The inner loop: neighbours who get one body and have nothing of their own.  From *at on, up to who
 * is different, or room.
 */
static size_t
alike_move(
    const struct cut *cut, const char **at, const char *end, struct spool_row *row, size_t room)
{
	const char *text = cut->body->text, *from = *at;
	const size_t head = cut->head, rest = cut->rest;
	struct spool_mark *mark = row->mark;
	char *here = row->at;
	struct recipient to;
	size_t moved = 0;

	for (; from < end && moved < room; from += sizeof(to) + to.to_len) {
		size_t len;
		char *out;

		memcpy(&to, from, sizeof(to));
		if (to.variant != cut->variant || to.tail_len > 0 || to.to_len > SLAB_SLACK)
			break;
		len = head + to.to_len + rest;
		out = spool_row_place(row, &here, &mark, len);
		memcpy(out, text, HEAD);
		memcpy(out + head, from + sizeof(to), SLAB_SLACK);
		memcpy(out + head + to.to_len, text + head, rest);
		moved += len;
	}
	row->at = here;
	row->mark = mark;
	*at = from;
	return moved;
}

/* Of a run, up to room or the first recipient who gets all variants. */
static size_t
singles_move(const struct fanout *fanout, const struct run *run, struct fanout_place *place,
    struct spool_row *row, size_t room)
{
	const char *at = run->slab->bytes + place->at, *end = run->slab->bytes + run_end(run);
	struct cut cut = { .variant = EACH };
	struct recipient to;
	size_t moved = 0;

	while (at < end && moved < room) {
		memcpy(&to, at, sizeof(to));
		if (to.variant == EACH)
			break;
		if (to.variant != cut.variant)
			cut_make(fanout, run, to.variant, &cut);
		if (cut.roomy && to.tail_len == 0 && to.to_len <= SLAB_SLACK) {
			moved += alike_move(&cut, &at, end, row, room - moved);
			continue;
		}
		if (cut.body != NULL)
			moved += stanza_move(&cut, &to, at + sizeof(to), row);
		at += recipient_len(&to);
	}
	place->at = (uint32_t)(at - run->slab->bytes);
	return moved;
}

/* To one who gets all variants, up to room. */
static size_t
each_move(const struct fanout *fanout, const struct run *run, struct fanout_place *place,
    struct spool_row *row, size_t room)
{
	const char *from = run->slab->bytes + place->at;
	struct recipient to;
	size_t moved = 0;
	struct cut cut;

	memcpy(&to, from, sizeof(to));
	if (to.variant != EACH)
		return 0;
	while (moved < room && each_next(fanout, run, place, &to, &cut))
		moved += stanza_move(&cut, &to, from + sizeof(to), row);
	return moved;
}

size_t
fanout_move(const struct fanout *fanout, struct fanout_place *place, struct spool *wire,
    unsigned class, uint32_t when_s, size_t room, size_t *stanzas)
{
	size_t moved = 0, before = wire->records;
	const struct run *run;
	struct spool_row row;

	spool_row_begin(&row, wire, class, when_s);
	while (moved < room && (run = place_run(fanout, place)) != NULL) {
		if (place->variant == 0)
			moved += singles_move(fanout, run, place, &row, room - moved);
		if (moved < room && place->at < run_end(run))
			moved += each_move(fanout, run, place, &row, room - moved);
	}
	spool_row_end(&row);
	*stanzas += wire->records - before;
	return moved;
}

bool
fanout_expand(const struct fanout *fanout, struct fanout_place *place, struct buf *out)
{
	size_t held = 0, stanzas = 0;
	struct spool_record record;
	struct spool one;

	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	spool_init(&one, &held, true);
	fanout_move(fanout, place, &one, 0, 0, 1, &stanzas);
	if (spool_first(&one, &record))
		buf_append(out, record.bytes, record.len);
	spool_finish(&one);
	return stanzas > 0;
}
