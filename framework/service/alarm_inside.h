/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * alarm_inside.h - what the files about alarms share
 *
 * alarm.c rings, alarm_rows.c has the rows, alarm_postponed.c those that failed.
 */
#ifndef SERVICE_ALARM_INSIDE_H
#define SERVICE_ALARM_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include <annex/map.h>
#include <annex/pool.h>

#include "base/buf.h"
#include "base/timer.h"

/* An alarm whose turn failed. */
struct postponed {
	unsigned failures;
	int64_t until_ms; /* as annex_now_ms: the time of day may be set back */
	bool is_over;     /* it rang, was cleared or set anew in this turn */
};

struct alarms {
	struct annex_instance *inst;
	struct timer timer;
	int64_t next_ms;   /* nothing rings before; 0 = not known */
	int64_t scan_ms;   /* rows before are of unknown kinds */
	int64_t looked_ms; /* the time of day when next_ms was found */
	struct annex_pool *pool;
	struct annex_map *unknown;   /* kinds that were logged */
	struct annex_map *postponed; /* kind, NUL, key */
	struct buf rung;             /* the first alarm rung this turn, kind NUL key */
	unsigned rung_count;
	unsigned alone; /* so many ring in a turn of their own */
	bool wants_turn, in_own_turn;
};

int alarm_rows_delete(struct annex_instance *inst, const char *kind, const void *key, size_t len);
int alarm_rows_put(
    struct annex_instance *inst, const char *kind, const void *key, size_t len, int64_t due_ms);

/* The alarm that was rung first in this turn, alone in it, rings later. */
void postponed_add(struct alarms *a);
/* NULL: it is not, or no longer once this turn is durable. */
struct postponed *postponed_find(struct alarms *a, const char *kind, const void *key, size_t len);
/* It rang, was cleared or set anew in this turn. */
void postponed_end(struct alarms *a, const char *kind, const void *key, size_t len);
/* The turn is durable: forget what is over.  It is undone: nothing was. */
void postponed_settle(struct alarms *a, bool durable);
void postponed_finish(struct alarms *a);

#endif /* SERVICE_ALARM_INSIDE_H */
