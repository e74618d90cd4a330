/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * body.h - a stanza written once, but for whom it is to
 *
 * The text has two seams: where the address goes into ` to=''`, and where children of one
 * recipient's own go.  It never changes, so any number of fan-outs may hold it, and
 * it lives until the last of them has drained and its owner has let go.
 */
#ifndef STREAM_BODY_H
#define STREAM_BODY_H

#include <stddef.h>
#include <stdint.h>

#include <annex/element.h>

#include "base/buf.h"
#include "base/pool.h"

/* Allocated behind a text, so that it may be copied in steps of a fixed size. */
#define BODY_SLACK ((size_t)16)

struct body {
	struct pool_hook hook; /* of the pool that owns it, if one does */
	uint32_t magic;
#define BODY_MAGIC 0xb0d17e57u
	uint32_t references;
	uint32_t queued; /* how many that are in line hold it: its memory is accounted once */
	unsigned class;  /* of stream.h */
	uint32_t to_at, tail_at, len;
	char text[];
};

/*
 * Serialise stanza without its "to".  One reference: pool's, given back when the pool goes (or by
 * body_drop), or, where pool is NULL, the caller's.  Negative as xml_write.
 */
int body_create(struct annex_pool *pool, const struct annex_element *stanza, unsigned class,
    size_t max_bytes, struct body **body_r) ANNEX_MUST_CHECK;
struct body *body_ref(struct body *body);
void body_unref(struct body **body);
void body_drop(struct body **body); /* the owner's reference, before the pool goes */

/* Append the whole stanza to one.  Negative as xml_write. */
int body_write(const struct body *body, const char *to, struct buf *out) ANNEX_MUST_CHECK;

/* Put in line: the memory this adds to what is queued; and back. */
size_t body_hold(struct body *body);
size_t body_release(struct body *body);

#endif /* STREAM_BODY_H */
