/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * watchdog.h - whether a worker is stuck, from what its page shows
 *
 * Looked at once a second.  Time is counted in looks that saw no change, not
 * read from clocks: a machine that was suspended, or an annexd that was not
 * scheduled, must not make a healthy worker look stuck.  A stanza's handler
 * that does not return and a loop that no longer turns are stuck; a commit
 * waits for the disk, and a create or a start may have a store to walk.
 */
#ifndef SUPERVISOR_WATCHDOG_H
#define SUPERVISOR_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/page.h"

struct watchdog {
	uint32_t phase;
	uint64_t heartbeat;
	int64_t phase_since_us;
	unsigned same; /* looks without a change */
};

enum watchdog_verdict {
	WATCHDOG_FINE,
	WATCHDOG_SLOW, /* longer than the limit where that is allowed; told once */
	WATCHDOG_STUCK,
};

void watchdog_reset(struct watchdog *watchdog);
enum watchdog_verdict
watchdog_look(struct watchdog *watchdog, const struct page *page, unsigned limit_s);

#endif /* SUPERVISOR_WATCHDOG_H */
