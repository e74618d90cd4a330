/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fanout.h - bodies for recipients, expanded as the socket drains
 */
#ifndef STREAM_FANOUT_H
#define STREAM_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/element.h>
#include <annex/status.h>

#include "base/buf.h"

struct audience;
struct body;
struct fanout;

/* How far it has been expanded; all zero at first. */
struct fanout_place {
	uint32_t run, at; /* a recipient */
	uint32_t variant; /* the next one, where they get all */
};

struct fanout *fanout_create(void); /* one reference */
struct fanout *fanout_ref(struct fanout *fanout);
void fanout_unref(struct fanout **fanout);

/* Add body as a new variant (a reference of its own); NULL: a variant that nobody gets.  Its number,
 * or negative. */
int fanout_body(struct fanout *fanout, struct body *body) ANNEX_MUST_CHECK;

/* The same, serialised now for this fan-out alone; negative as xml_write. */
int fanout_variant(struct fanout *fanout, const struct annex_element *stanza, unsigned class,
    size_t max_bytes) ANNEX_MUST_CHECK;

/* to is copied (escaped when written); tail is serialised now and may be NULL. */
int fanout_add(struct fanout *fanout, int variant, const char *to,
    const struct annex_element *tail) ANNEX_MUST_CHECK;

/* A recipient of all variants there will be, in their order. */
int fanout_add_each(struct fanout *fanout, const char *to) ANNEX_MUST_CHECK;

/* All of audience as it is now, but those in except (NULL-ended, or NULL): who is in group n gets
 * variant n, which must be there, or nothing. */
void fanout_audience(struct fanout *fanout, struct audience *audience, const char *const *except);

size_t fanout_stanzas(const struct fanout *fanout);
unsigned fanout_class(const struct fanout *fanout); /* of its last variant */

/* Put in line: the memory this adds to what is queued; and back.  What is shared with others that are
 * in line counts once. */
size_t fanout_hold(struct fanout *fanout);
size_t fanout_release(struct fanout *fanout);

/* Append the stanza at *place and move on; false when there are no more. */
bool fanout_expand(const struct fanout *fanout, struct fanout_place *place, struct buf *out);

#endif /* STREAM_FANOUT_H */
