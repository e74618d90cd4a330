/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * idle.h - pools between two stanzas
 *
 * A pool that has carried a stanza is emptied and kept for one to come.
 * What was not needed for a while goes back to the heap bit by bit, so that
 * a burst is not paid for ever.
 */
#ifndef XML_IDLE_H
#define XML_IDLE_H

#include <stddef.h>

#include "base/pool.h"

struct idle_pools {
	size_t count, low;         /* low: fewest since the last trim */
	struct annex_pool **pools; /* NULL until the first goes back */
};

#define IDLE_POOLS 1280 /* a turn's input full of small stanzas */

void idle_pools_begin(struct idle_pools *idle); /* room for the first */
void idle_pools_trim(struct idle_pools *idle); /* half of what was not needed since the last time */
void idle_pools_finish(struct idle_pools *idle);

/* These two are in the way of every stanza. */

static inline struct annex_pool *
idle_pools_get(struct idle_pools *idle)
{
	if (idle->count == 0)
		return annex_pool_create(NULL, "stanza");
	if (--idle->count < idle->low)
		idle->low = idle->count;
	return idle->pools[idle->count];
}

static inline void
idle_pools_put(struct idle_pools *idle, struct annex_pool *pool)
{
	if (idle->count == IDLE_POOLS) {
		annex_pool_destroy(&pool);
		return;
	}
	annex_pool_reset(pool);
	if (idle->pools == NULL)
		idle_pools_begin(idle);
	idle->pools[idle->count++] = pool;
}

#endif /* XML_IDLE_H */
