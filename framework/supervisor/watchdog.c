/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * watchdog.c - whether a worker is stuck, from what its page shows
 */
#include "watchdog.h"

void
watchdog_reset(struct watchdog *watchdog)
{
	*watchdog = (struct watchdog) { .phase = PAGE_STARTING };
}

enum watchdog_verdict
watchdog_look(struct watchdog *watchdog, const struct page *page, unsigned limit_s)
{
	uint32_t phase = atomic_load(&page->phase);
	uint64_t heartbeat = atomic_load(&page->heartbeat);
	int64_t since = atomic_load(&page->phase_since_us);

	if (phase != watchdog->phase || heartbeat != watchdog->heartbeat ||
	    since != watchdog->phase_since_us) {
		watchdog->phase = phase;
		watchdog->heartbeat = heartbeat;
		watchdog->phase_since_us = since;
		watchdog->same = 0;
		return WATCHDOG_FINE;
	}
	watchdog->same++;
	if (phase == PAGE_IDLE || phase == PAGE_HANDLER)
		return watchdog->same >= limit_s ? WATCHDOG_STUCK : WATCHDOG_FINE;
	return watchdog->same == limit_s ? WATCHDOG_SLOW : WATCHDOG_FINE;
}
