/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fanout.h - one body, many recipients, expanded as the socket drains
 */
#ifndef STREAM_FANOUT_H
#define STREAM_FANOUT_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/element.h>
#include <annex/status.h>

#include "base/buf.h"

struct fanout;

struct fanout *fanout_create(void); /* one reference */
struct fanout *fanout_ref(struct fanout *fanout);
void fanout_unref(struct fanout **fanout);

/* Serialise stanza without its "to" as a new variant; its number, or negative as xml_write. */
int fanout_variant(struct fanout *fanout, const struct annex_element *stanza) ANNEX_MUST_CHECK;

/* to is copied (escaped when written); tail is serialised now and may be NULL. */
int fanout_add(struct fanout *fanout, int variant, const char *to,
    const struct annex_element *tail) ANNEX_MUST_CHECK;

size_t fanout_recipients(const struct fanout *fanout);
size_t fanout_memory(const struct fanout
	*fanout); /* bytes held: under 64 a recipient beside the bodies and the JIDs */

/* Append the stanza for the recipient at *place and move it on: *place is an opaque position, 0 at
 * first; false when there are no more. */
bool fanout_expand(const struct fanout *fanout, size_t *place, struct buf *out);

#endif /* STREAM_FANOUT_H */
