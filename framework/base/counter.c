/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * counter.c - numbers an operator can watch
 *
 * The page is shared with a reader in another process: a slot is filled
 * before the count that makes it visible is raised, and every number is
 * stored in one piece.
 */
#include <string.h>

#include "check.h"
#include "counter.h"

#define ADD(place, by) __atomic_store_n(&(place), (place) + (by), __ATOMIC_RELAXED)

static void
copy_cut(char *to, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		len = size - 1;
	memcpy(to, text, len);
	memset(to + len, 0, size - len);
}

static struct counter_slot *
fill(struct counters *counters, enum counter_type type, const char *name, const char *help)
{
	struct counter_slot *slot = &counters->slot[counters->count];

	copy_cut(slot->name, sizeof(slot->name), name);
	copy_cut(slot->help, sizeof(slot->help), help);
	slot->type = type;
	slot->value = 0;
	if (type == COUNTER_HISTOGRAM)
		slot->histogram = counters->histogram_count++;
	__atomic_store_n(&counters->count, counters->count + 1, __ATOMIC_RELEASE);
	return slot;
}

struct counter_slot *
counters_get(struct counters *counters, enum counter_type type, const char *name, const char *help)
{
	uint32_t histograms = sizeof(counters->histogram) / sizeof(counters->histogram[0]);

	for (uint32_t i = 0; i < counters->count; i++)
		if (strncmp(counters->slot[i].name, name, COUNTER_NAME_MAX - 1) == 0 &&
		    counters->slot[i].type == (uint32_t)type)
			return &counters->slot[i];
	if (counters->count < COUNTER_SLOTS - 1 &&
	    (type != COUNTER_HISTOGRAM || counters->histogram_count < histograms))
		return fill(counters, type, name, help);

	/* Never visible through count: a reader looks at its type. */
	struct counter_slot *last = &counters->slot[COUNTER_SLOTS - 1];

	copy_cut(last->name, sizeof(last->name), "overflow");
	copy_cut(last->help, sizeof(last->help), "Updates of counters that found no slot.");
	__atomic_store_n(&last->type, COUNTER_COUNT, __ATOMIC_RELEASE);
	return last;
}

void
counters_observe_us(struct counters *counters, struct counter_slot *slot, int64_t us)
{
	struct counter_histogram *h;
	int i = 0;

	if (slot->type == COUNTER_HISTOGRAM) {
		h = &counters->histogram[slot->histogram];
		while (i < COUNTER_BUCKETS - 1 && us > (int64_t)16 << i)
			i++;
		ADD(h->bucket[i], 1);
		ADD(h->sum_us, us);
	}
	ADD(slot->value, 1);
}

/* struct annex_counter is a counter_slot to everybody outside. */
void
annex_count(struct annex_counter *counter, int64_t by)
{
	struct counter_slot *slot = (struct counter_slot *)counter;

	ADD(slot->value, by);
}

void
annex_gauge_set(struct annex_counter *gauge, int64_t value)
{
	struct counter_slot *slot = (struct counter_slot *)gauge;

	__atomic_store_n(&slot->value, value, __ATOMIC_RELAXED);
}
