/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * counter.h - numbers an operator can watch
 *
 * What is counted here appears in `annexctl status` and, with the prefix
 * annex_ and the label domain, in /metrics.  Names are Prometheus style:
 * lowercase, underscores, the unit last, "_total" for what only grows.
 */
#ifndef ANNEX_COUNTER_H
#define ANNEX_COUNTER_H

#include <stdint.h>

#pragma GCC visibility push(default)

struct annex_instance;
struct annex_counter;

/*
 * Find or register a number that only grows, or one that goes up and down; name and help, one
 * sentence, are copied.  Good as long as the worker runs, whatever resets there are.  Never NULL:
 * of what comes when all 191 places are taken only the number of updates is seen, as "overflow".
 */
struct annex_counter *
annex_counter(struct annex_instance *inst, const char *name, const char *help);
struct annex_counter *annex_gauge(struct annex_instance *inst, const char *name, const char *help);

/* Seen at once, outside of the turn: an undone turn takes nothing back. */
void annex_count(struct annex_counter *counter, int64_t by);
void annex_gauge_set(struct annex_counter *gauge, int64_t value);

#pragma GCC visibility pop

#endif /* ANNEX_COUNTER_H */
