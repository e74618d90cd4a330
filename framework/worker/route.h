/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * route.h - what letting a stanza in and refusing it share
 */
#ifndef WORKER_ROUTE_H
#define WORKER_ROUTE_H

#include <string.h>

#include "turn.h"

/* What stands at the top of the stream. */
enum shape { SHAPE_UNKNOWN, SHAPE_MESSAGE, SHAPE_PRESENCE, SHAPE_QUESTION, SHAPE_ANSWER, SHAPE_IQ };

static inline bool
is_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && a[0] == b[0] && strcmp(a, b) == 0);
}

static inline bool
is_iq(enum shape shape)
{
	return shape == SHAPE_QUESTION || shape == SHAPE_IQ;
}

/* An answer may go to messages and IQs; a presence error would make ejabberd forget who is in. */
static inline bool
may_be_refused(const struct annex_stanza *s, enum shape shape)
{
	if (is_iq(shape))
		return true;
	return shape == SHAPE_MESSAGE && s->kind == ANNEX_MESSAGE;
}

/* Somebody comes, or changes how they are shown. */
static inline bool
is_available(const struct annex_stanza *s)
{
	return s->kind == ANNEX_PRESENCE && s->type == NULL;
}

/* hash: of the stanza in hand, which is to blame where the worker ends now; 0: none. */
static inline void
route_phase(struct worker *w, enum page_phase phase, uint64_t hash)
{
	atomic_store_explicit(&w->page->stanza_hash, hash, memory_order_relaxed);
	worker_phase(w, phase);
}

/* Nobody is answered; it is counted and logged. */
void route_drop(struct worker *w, const struct annex_element *el, const char *why);

/* hash: the stanza's, or 0: nothing of the component is to see it. */
void route_refuse_with(struct worker *w, const struct annex_stanza *s, enum shape shape,
    const struct annex_error *error, uint64_t hash);
void route_refuse(struct worker *w, const struct annex_stanza *s, enum shape shape,
    enum annex_condition condition, const char *text);

/* It was skipped while it was parsed. */
void route_skipped(
    struct worker *w, struct annex_stanza *s, enum shape shape, enum xml_skip skip, uint64_t hash);

#endif /* WORKER_ROUTE_H */
