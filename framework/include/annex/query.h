/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * query.h - questions whose answer takes many turns
 *
 * Who published what in an archive of a million items, which of a hundred thousand
 * rooms have a word in their name: that is found by looking at each.  Do so a slice at a time.
 * What is not done with its first slice goes on in turns of its own, the IQ being held
 * meanwhile (iq.h); queries that are held take turns, one slice in each, so that fifty cost the
 * others no more than one does.
 */
#ifndef ANNEX_QUERY_H
#define ANNEX_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include <annex/iq.h>
#include <annex/stanza.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_instance;
struct annex_pool;
struct annex_queries;

/*
 * How queries of one kind are done.  query is what annex_query was given.  A callback finds again
 * by key what may have gone since the last (a room, a node), and answers ANNEX_ENOENT where it has.
 */
struct annex_query_kind {
	/* Look at a slice, of a millisecond or two: ANNEX_AGAIN where there is more, ANNEX_OK when all has been
	 * looked at, negative where that cannot be. */
	int (*look)(struct annex_instance *inst, void *query);
	/* Fill the result and send it, and before it what goes before it; negative where that cannot be, and then
	 * the result was not sent. */
	int (*answer)(struct annex_instance *inst, void *query, struct annex_stanza *result);
	/* What a query is refused with that failed so; ANNEX_ELIMIT: too many are held.  What the error points to
	 * is in query or lasts as long as the process. */
	struct annex_error (*refusal)(const void *query, int status);
	size_t most;      /* that are held at a time; */
	size_t most_each; /* those of one bare JID */
	int64_t rest_ms;  /* between two slices; 0: the next turn has the next */
	uintptr_t reserved[2];
};

/* An instance's queries of a kind; they live as long as it. */
struct annex_queries *
annex_queries(struct annex_instance *inst, const struct annex_query_kind *kind);

/*
 * Answer an IQ by a query: the first slice is looked at now.  Whatever becomes of it the IQ has its
 * one answer: return the verdict.  hold: where the IQ is held already, or 0.  query is in *pool, a
 * child of the instance's, with all that it points to: the stanza is gone by the next slice.  The
 * pool is destroyed when the query is answered, when nobody waits for it any more, or with the
 * instance; it is taken, and *pool NULL then.
 */
enum annex_verdict annex_query(struct annex_queries *queries, const struct annex_stanza *in,
    annex_hold_t hold, struct annex_pool **pool, void *query);

#pragma GCC visibility pop

#endif /* ANNEX_QUERY_H */
