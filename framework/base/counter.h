/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * counter.h - numbers an operator can watch
 *
 * Counters live in slots of a memory page that annexd maps too, so it can
 * answer /metrics while a worker is stuck.  A name is registered once and
 * keeps its slot; the page holds the names, so the reader needs no table.
 * Only the worker writes; readers may see a value one update old.
 */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include <stddef.h>
#include <stdint.h>

#include <annex/counter.h>

#define COUNTER_NAME_MAX 48
#define COUNTER_HELP_MAX 80
#define COUNTER_SLOTS 192

enum counter_type { COUNTER_NONE, COUNTER_COUNT, COUNTER_GAUGE, COUNTER_HISTOGRAM };

/* Histogram bounds in microseconds: 2^i * 16, i = 0..17, then infinity. */
#define COUNTER_BUCKETS 19

struct counter_slot {
	char name[COUNTER_NAME_MAX]; /* "stanzas_in_total" */
	char help[COUNTER_HELP_MAX]; /* one sentence */
	uint32_t type;
	uint32_t histogram; /* index into histograms[], for COUNTER_HISTOGRAM */
	int64_t value;      /* count or gauge; of a histogram its count */
};

struct counter_histogram {
	int64_t bucket[COUNTER_BUCKETS];
	int64_t sum_us;
};

struct counters {
	uint32_t count, histogram_count;
	struct counter_slot slot[COUNTER_SLOTS];
	struct counter_histogram histogram[16];
};

/* Find or register.  Where the page is full the last slot, "overflow", serves. */
struct counter_slot *
counters_get(struct counters *counters, enum counter_type type, const char *name, const char *help);
void counters_observe_us(struct counters *counters, struct counter_slot *slot, int64_t us);

#endif /* BASE_COUNTER_H */
