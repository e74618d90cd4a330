/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * backoff.h - how long to wait before a worker is started again
 *
 * 0.2 s after the first end, twice as long after each further one, 30 s at
 * most, a quarter more or less by chance so that workers which fell together
 * do not rise together.  A minute of health makes it start over.
 */
#ifndef SUPERVISOR_BACKOFF_H
#define SUPERVISOR_BACKOFF_H

#include <stdint.h>

#include "base/clock.h"

#define BACKOFF_LEAST_MS 200
#define BACKOFF_MOST_MS 30000
#define BACKOFF_HEALTHY_MS 60000

struct backoff {
	unsigned ends; /* without a minute of health between them */
};

/* It ended after having been well for healthy_ms; how many ms to wait. */
int64_t backoff_next_ms(struct backoff *backoff, int64_t healthy_ms, struct random *random);

#endif /* SUPERVISOR_BACKOFF_H */
