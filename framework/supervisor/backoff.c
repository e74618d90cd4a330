/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * backoff.c - how long to wait before a worker is started again
 */
#include "backoff.h"

int64_t
backoff_next_ms(struct backoff *backoff, int64_t healthy_ms, struct random *random)
{
	int64_t ms = BACKOFF_LEAST_MS;

	if (healthy_ms >= BACKOFF_HEALTHY_MS)
		backoff->ends = 0;
	for (unsigned i = 0; i < backoff->ends && ms < BACKOFF_MOST_MS; i++)
		ms *= 2;
	backoff->ends++;
	if (ms > BACKOFF_MOST_MS)
		ms = BACKOFF_MOST_MS;
	ms += (int64_t)random_below(random, (uint32_t)(ms / 2) + 1) - ms / 4;
	if (ms < BACKOFF_LEAST_MS)
		return BACKOFF_LEAST_MS;
	return ms < BACKOFF_MOST_MS ? ms : BACKOFF_MOST_MS;
}
