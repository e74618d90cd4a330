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

static inline size_t
stanza_len(const struct cut *cut, const struct recipient *to)
{
	return cut->head + to->to_len + to->tail_len + cut->rest;
}

static inline char *
put(char *at, const char *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

/* from: the recipient's bytes, behind its head. */
static inline void
stanza_put(char *at, const struct cut *cut, const struct recipient *to, const char *from)
{
	const struct body *body = cut->body;
	const char *rest = body->text + cut->head;

	if (__builtin_expect(cut->roomy && to->to_len <= SLAB_SLACK, 1)) {
		memcpy(at, body->text, HEAD);
		at += cut->head;
		memcpy(at, from, SLAB_SLACK);
		at += to->to_len;
	} else {
		at = put(at, body->text, cut->head);
		at = put(at, from, to->to_len);
	}
	if (__builtin_expect(to->tail_len > 0, 0)) {
		at = put(at, rest, body->tail_at - cut->head);
		at = put(at, from + to->to_len, to->tail_len);
		rest = body->text + body->tail_at;
	}
	memcpy(at, rest, (size_t)(body->text + body->len - rest));
}

/* Go to the next recipient from place on; its run, or NULL when there are no more. */
static inline const struct run *
place_run(const struct fanout *fanout, struct fanout_place *place)
{
	for (; place->run < fanout->run_count; place->run++, place->at = 0) {
		const struct run *run = &fanout->runs[place->run];

		if (place->at < run->from)
			place->at = run->from;
		if (place->at < run->to)
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

/* Of a run, up to room or the first recipient who gets all variants. */
static size_t
singles_move(const struct fanout *fanout, const struct run *run, struct fanout_place *place,
    struct spool_row *row, size_t room)
{
	const char *at = run->slab->bytes + place->at, *end = run->slab->bytes + run->to;
	struct cut cut = { .variant = EACH };
	struct recipient to;
	size_t moved = 0;

	for (; at < end && moved < room; at += recipient_len(&to)) {
		size_t len;

		memcpy(&to, at, sizeof(to));
		if (to.variant == EACH)
			break;
		if (to.variant != cut.variant)
			cut_make(fanout, run, to.variant, &cut);
		if (cut.body == NULL)
			continue;
		len = stanza_len(&cut, &to);
		stanza_put(spool_row_place(row, len), &cut, &to, at + sizeof(to));
		moved += len;
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
	while (moved < room && each_next(fanout, run, place, &to, &cut)) {
		size_t len = stanza_len(&cut, &to);

		stanza_put(spool_row_place(row, len), &cut, &to, from + sizeof(to));
		moved += len;
	}
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
		if (moved < room && place->at < run->to)
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
