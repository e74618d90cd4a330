/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * backoff.h - how long to wait before the next try
 *
 * A server that is away is asked often, so that we are back within a second
 * of its return; one that says no is asked ever more seldom.  Only a session
 * that held for a while makes us forget what was: else a server that lets us
 * in and throws us out again would be asked ten times a second for ever.
 */
#ifndef STREAM_BACKOFF_H
#define STREAM_BACKOFF_H

#include <stdint.h>

#include "base/clock.h"

enum backoff_class {
	BACKOFF_AWAY,    /* refused or closed: 0.1 to 0.8 s for five minutes, then 5 s */
	BACKOFF_REFUSED, /* it said no: 1 s, doubling up to 30 s */
};

/* All zero is a fresh one. */
struct backoff {
	int64_t trouble_since_ms; /* 0: none */
	int64_t up_since_ms;      /* 0: not up */
	unsigned away, refused;   /* waits of either class since then */
};

#define BACKOFF_STABLE_MS 30000

void backoff_up(struct backoff *backoff, int64_t now_ms);

/* Something went wrong: how long to wait, in milliseconds, up to a quarter less by chance. */
int64_t backoff_next_ms(
    struct backoff *backoff, enum backoff_class class, int64_t now_ms, struct random *random);

#endif /* STREAM_BACKOFF_H */
