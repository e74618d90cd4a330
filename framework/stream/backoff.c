/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * backoff.c - how long to wait before the next try
 */
#include <string.h>

#include "backoff.h"

#define AWAY_MOST_MS 800
#define AWAY_PATIENCE_MS ((int64_t)5 * 60 * 1000)
#define AWAY_LATER_MS 5000
#define REFUSED_MOST_MS 30000

/* first, doubled n times, at most most. */
static int64_t
doubled(int64_t first, unsigned n, int64_t most)
{
	while (n-- > 0 && first < most)
		first *= 2;
	return first < most ? first : most;
}

void
backoff_up(struct backoff *backoff, int64_t now_ms)
{
	backoff->up_since_ms = now_ms;
}

/* The link was up until now: was that long enough to start afresh? */
static void
backoff_down(struct backoff *backoff, int64_t now_ms)
{
	if (backoff->up_since_ms != 0 && now_ms - backoff->up_since_ms >= BACKOFF_STABLE_MS)
		memset(backoff, 0, sizeof(*backoff));
	backoff->up_since_ms = 0;
	if (backoff->trouble_since_ms == 0)
		backoff->trouble_since_ms = now_ms;
}

int64_t
backoff_next_ms(
    struct backoff *backoff, enum backoff_class class, int64_t now_ms, struct random *random)
{
	int64_t wait_ms;

	backoff_down(backoff, now_ms);
	if (class == BACKOFF_REFUSED)
		wait_ms = doubled(1000, backoff->refused++, REFUSED_MOST_MS);
	else if (now_ms - backoff->trouble_since_ms >= AWAY_PATIENCE_MS)
		wait_ms = AWAY_LATER_MS;
	else
		wait_ms = doubled(100, backoff->away++, AWAY_MOST_MS);
	return wait_ms - random_below(random, (uint32_t)(wait_ms / 4) + 1);
}
