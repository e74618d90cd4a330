/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * idle.c - pools between two stanzas
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "idle.h"

void
idle_pools_begin(struct idle_pools *idle)
{
	idle->pools = mem_alloc(IDLE_POOLS * sizeof(*idle->pools));
}

void
idle_pools_trim(struct idle_pools *idle)
{
	for (size_t n = idle->low / 2; n > 0; n--)
		annex_pool_destroy(&idle->pools[--idle->count]);
	idle->low = idle->count;
}

void
idle_pools_finish(struct idle_pools *idle)
{
	while (idle->count > 0)
		annex_pool_destroy(&idle->pools[--idle->count]);
	free(idle->pools);
}
