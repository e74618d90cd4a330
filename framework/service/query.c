/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * query.c - questions whose answer takes many turns
 *
 * Those that are held stand in a line: the first looks at a slice and goes to the
 * end.  One timer rings for all of them, so however many they are a turn has one slice.  Who is
 * not waited for any more (the hold has run out of time) is not looked for either.
 */
#include <string.h>

#include <annex/list.h>
#include <annex/pool.h>
#include <annex/query.h>
#include <annex/timer.h>

#include "base/check.h"
#include "instance.h"

struct annex_queries {
	struct annex_instance *inst;
	const struct annex_query_kind *kind;
	struct annex_link held; /* in the order in which they are served */
	struct annex_timer *timer;
};

struct held {
	struct annex_link link;
	struct annex_pool *pool;
	const char *by; /* bare JID */
	annex_hold_t hold;
	void *query;
};

static void
held_end(struct held *h)
{
	struct annex_pool *pool = h->pool;

	annex_list_remove(&h->link);
	annex_pool_destroy(&pool);
}

/* One slice of the query in front. */
static void
look_on(struct annex_instance *inst, void *cookie)
{
	struct annex_queries *queries = cookie;
	const struct annex_query_kind *kind = queries->kind;
	struct held *h = annex_container_of(queries->held.next, struct held, link);
	struct annex_stanza *result = annex_release(inst, h->hold);
	struct annex_error error;
	int r = result == NULL ? ANNEX_ENOENT : kind->look(inst, h->query);

	if (r == ANNEX_AGAIN) {
		annex_list_remove(&h->link);
		annex_list_append(&queries->held, &h->link);
	} else {
		if (r >= 0)
			r = kind->answer(inst, h->query, result);
		if (r < 0) {
			error = kind->refusal(h->query, r);
			annex_refuse_held(inst, h->hold, &error);
		}
		held_end(h);
	}
	if (!annex_list_is_empty(&queries->held))
		annex_timer_start(queries->timer, queries->kind->rest_ms);
}

struct annex_queries *
annex_queries(struct annex_instance *inst, const struct annex_query_kind *kind)
{
	struct annex_queries *queries = annex_new(annex_pool(inst), struct annex_queries);

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	queries->inst = inst;
	queries->kind = kind;
	annex_list_init(&queries->held);
	queries->timer = annex_timer(inst, look_on, queries);
	return queries;
}

static bool
has_room(const struct annex_queries *queries, const char *bare)
{
	size_t all = 0, theirs = 0;

	ANNEX_LIST_EACH (&queries->held, l) {
		all++;
		theirs += strcmp(annex_container_of(l, struct held, link)->by, bare) == 0;
	}
	return all < queries->kind->most && theirs < queries->kind->most_each;
}

static enum annex_verdict
refuse(struct annex_queries *queries, const struct annex_stanza *in, annex_hold_t hold,
    const void *query, int status)
{
	const struct annex_error error = queries->kind->refusal(query, status);

	if (hold == 0)
		return annex_refuse_with(queries->inst, in, &error);
	annex_refuse_held(queries->inst, hold, &error);
	return ANNEX_DONE;
}

/* It goes on: the pool is taken where the IQ could be held. */
static enum annex_verdict
keep(struct annex_queries *queries, const struct annex_stanza *in, annex_hold_t hold,
    struct annex_pool **pool, void *query)
{
	enum annex_verdict verdict = ANNEX_DONE;
	struct held *h;

	if (!has_room(queries, in->from->bare))
		return refuse(queries, in, hold, query, ANNEX_ELIMIT);
	if (hold == 0)
		verdict = annex_hold(queries->inst, in, &hold);
	if (hold == 0)
		return verdict;
	h = annex_new(*pool, struct held);
	h->pool = *pool;
	h->by = annex_strdup(*pool, in->from->bare);
	h->hold = hold;
	h->query = query;
	*pool = NULL;
	annex_list_append(&queries->held, &h->link);
	if (!annex_timer_is_running(queries->timer))
		annex_timer_start(queries->timer, queries->kind->rest_ms);
	return verdict;
}

enum annex_verdict
annex_query(struct annex_queries *queries, const struct annex_stanza *in, annex_hold_t hold,
    struct annex_pool **pool, void *query)
{
	struct annex_instance *inst = queries->inst;
	enum annex_verdict verdict = ANNEX_DONE;
	struct annex_stanza *result;
	int r = queries->kind->look(inst, query);

	if (r == ANNEX_AGAIN) {
		verdict = keep(queries, in, hold, pool, query);
	} else {
		result = hold == 0 ? annex_reply(inst, in) : annex_release(inst, hold);
		if (r >= 0 && result != NULL)
			r = queries->kind->answer(inst, query, result);
		if (r < 0)
			verdict = refuse(queries, in, hold, query, r);
	}
	annex_pool_destroy(pool);
	return verdict;
}
