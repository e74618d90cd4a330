/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * rate.h - how fast a counter grows, over the last ten seconds or so
 */
#ifndef SUPERVISOR_RATE_H
#define SUPERVISOR_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"

#define RATE_SECONDS 10

struct rate {
	int64_t seen[RATE_SECONDS]; /* one a second, a ring */
	unsigned at, count;
	double per_s;
};

void rate_reset(struct rate *rate);
void rate_see(struct rate *rate, int64_t value); /* once a second */

/* The value of a counter of that name in a page, or 0. */
int64_t rate_counter(const struct counters *counters, const char *name);

#endif /* SUPERVISOR_RATE_H */
