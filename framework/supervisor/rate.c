/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * rate.c - how fast a counter grows, over the last ten seconds or so
 */
#include <string.h>

#include "metrics.h"
#include "rate.h"

void
rate_reset(struct rate *rate)
{
	*rate = (struct rate) { .at = 0 };
}

void
rate_see(struct rate *rate, int64_t value)
{
	int64_t oldest = rate->seen[rate->count < RATE_SECONDS ? 0 : rate->at];

	if (rate->count > 0)
		rate->per_s = (double)(value - oldest) / rate->count;
	rate->seen[rate->at] = value;
	rate->at = (rate->at + 1) % RATE_SECONDS;
	if (rate->count < RATE_SECONDS)
		rate->count++;
}

int64_t
rate_counter(const struct counters *counters, const char *name)
{
	for (size_t i = 0; i < metrics_slot_count(counters); i++)
		if (strncmp(counters->slot[i].name, name, COUNTER_NAME_MAX) == 0)
			return __atomic_load_n(&counters->slot[i].value, __ATOMIC_RELAXED);
	return 0;
}
