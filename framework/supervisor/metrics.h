/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * metrics.h - the pages of all workers as Prometheus text
 *
 * Exposition format 0.0.4: all samples of one name stand together beneath
 * its HELP and TYPE, told apart by the label domain.
 */
#ifndef SUPERVISOR_METRICS_H
#define SUPERVISOR_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/page.h"

struct metrics_source {
	const char *domain;
	const struct page *page; /* NULL where no worker runs */
	bool up;
	uint64_t restarts, crashes;
	size_t quarantined;
	double heartbeat_age_s; /* below 0: unknown */
};

void metrics_render(
    struct buf *out, const char *version, const struct metrics_source *sources, size_t n);

/*
 * A slot's name where it is one we would show: copied, since the worker may
 * change it under our eyes.
 */
bool metrics_slot_name(const struct counter_slot *slot, char name[COUNTER_NAME_MAX]);

/* How many slots of a page are worth looking at, whatever it says. */
size_t metrics_slot_count(const struct counters *counters);

#endif /* SUPERVISOR_METRICS_H */
