/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * timer.h - later: timers in memory, and alarms that survive restarts
 */
#ifndef ANNEX_TIMER_H
#define ANNEX_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)

struct annex_instance;
struct annex_timer;

/* --- In memory: gone with the instance ------------------------------- */

typedef void annex_timer_fn(struct annex_instance *inst, void *cookie);

/* A timer that is not running yet; it lives as long as the instance, or until freed. */
struct annex_timer *annex_timer(struct annex_instance *inst, annex_timer_fn *fn, void *cookie);
void
annex_timer_start(struct annex_timer *timer, int64_t after_ms); /* once; restarts one that runs */
void annex_timer_stop(struct annex_timer *timer);
bool annex_timer_is_running(const struct annex_timer *timer);
void annex_timer_free(struct annex_timer **timer);

/* --- In the store: surviving restarts -------------------------------- */

/*
 * An alarm rings at a time of day, once, and again after a restart where that fell into the time
 * Annex was down.  Kinds are declared in the descriptor; an alarm is (kind, key), at most one of
 * each, set and cleared as part of the turn.  It is gone when fn's turn has committed; where that
 * fails it rings again.
 */
struct annex_alarm {
	const char *kind; /* NULL ends the table; its name in the store */
	void (*fn)(
	    struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms);
	uintptr_t reserved[2];
};

/*
 * Set, in the place of one of the same key; due_wall_ms: UTC since 1970, what is past rings at
 * once.  Clear, whether or not there is one.  ANNEX_OK; ANNEX_EINVAL for a kind that is not
 * declared or a key above 8 KiB; ANNEX_EFULL or ANNEX_ESTORE as annex_put.
 */
int annex_alarm_set(struct annex_instance *inst, const char *kind, const void *key, size_t key_len,
    int64_t due_wall_ms);
int
annex_alarm_clear(struct annex_instance *inst, const char *kind, const void *key, size_t key_len);

#pragma GCC visibility pop

#endif /* ANNEX_TIMER_H */
