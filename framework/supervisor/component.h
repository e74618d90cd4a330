/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * component.h - one configured component and the worker that runs it
 *
 *	          start            ready
 *	 DOWN ───────────▶ STARTING ─────▶ RUNNING
 *	  ▲  ▲                │ end          │ end, unasked
 *	  │  │ end, asked     ▼              ▼
 *	  │  └── STOPPING ◀─ stop, restart  WAITING ──(back-off)──▶ STARTING
 *	  └───── DRAINING ◀─ drain
 *
 * A component belongs to the supervisor, which is told through the host
 * what happens.  The worker's process, its end of the socketpair (a channel
 * of JSON Lines) and its page belong to the component and are new at each start.
 *
 *	> {"section": {...}}                first of all, and when it changed
 *	> {"stop": true}  {"drain": true}
 *	< {"ready": true}  {"attached": BOOL}  {"drained": true}
 *	< {"reloaded": true}  {"failed": "sentence"}      answering a section
 */
#ifndef SUPERVISOR_COMPONENT_H
#define SUPERVISOR_COMPONENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <annex/list.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/page.h"
#include "base/reactor.h"
#include "base/timer.h"
#include "control/channel.h"

#include "backoff.h"
#include "blame.h"
#include "check.h"
#include "process.h"
#include "rate.h"
#include "watchdog.h"

struct component;

struct component_host {
	struct reactor *reactor;
	struct timers *timers;
	struct clock *clock;
	struct random *random;
	struct log *log;
	const char *program; /* annex-worker */
	unsigned stuck_s;    /* a handler that takes longer is killed */
	/* Its state, or whether it is attached, changed. */
	void (*changed)(struct component_host *host, struct component *component);
	/* It answered a new section: failed is its sentence, or NULL. */
	void (*reloaded)(
	    struct component_host *host, struct component *component, const char *failed);
	/* It was removed and its worker has ended: destroy it. */
	void (*gone)(struct component_host *host, struct component *component);
};

enum component_state {
	COMPONENT_DOWN,
	COMPONENT_WAITING,
	COMPONENT_STARTING,
	COMPONENT_RUNNING,
	COMPONENT_STOPPING,
	COMPONENT_DRAINING,
};

/* Somebody who waits for the next outcome: embed it. */
struct component_waiter {
	struct annex_link link;
	/* Off the list already; failure is NULL or a sentence. */
	void (*done)(struct component_waiter *waiter, const char *failure);
};

struct component {
	uint32_t magic;
#define COMPONENT_MAGIC 0x7ad5c0e1u
	struct annex_link link; /* the supervisor's */
	struct component_host *host;
	char *domain;
	char *hash, *boot_hash;
	json_t *section;

	enum component_state state;
	bool start_again; /* after an end that was asked for */
	bool removed;     /* no longer configured: gone after its end */
	bool reloading;   /* a section was sent and not answered */
	bool killed;      /* by us, at a deadline */

	struct process process;
	struct channel channel;
	struct page *page; /* NULL while none runs */
	struct watchdog watchdog;
	struct backoff backoff;
	struct blame blame;
	struct timer restart, kill;
	struct annex_link ready_waiters, down_waiters;

	int64_t started_us, ready_us; /* monotonic; 0 = not */
	int64_t heartbeat_seen_us;
	uint64_t starts, crashes;
	struct rate rate_in, rate_out; /* stanzas */
	char last_end[200];            /* a sentence, "" before the first */
};

struct component *
component_create(struct component_host *host, const struct check_section *section);
void component_destroy(struct component **component); /* kills what still runs */

void component_start(struct component *component);
void component_stop(struct component *component);    /* quietly; it stays down */
void component_restart(struct component *component); /* quietly; quarantine forgotten */
void component_drain(struct component *component);   /* says goodbye; it stays down */
void component_remove(struct component *component);  /* stop; host->gone follows, maybe at once */
void component_kill(struct component *component);    /* now */

enum component_update {
	UPDATE_SAME,      /* nothing changed */
	UPDATE_OFFERED,   /* the running worker was sent the section; host->reloaded follows */
	UPDATE_RESTARTED, /* it takes a new worker */
	UPDATE_STARTED,   /* it was down */
};
enum component_update
component_update(struct component *component, const struct check_section *section);

/* Once a second. */
void component_tick(struct component *component);

/* Told when the worker is ready, or ended before it was. */
void component_wait_ready(struct component *component, struct component_waiter *waiter);
/* Told when the worker has ended. */
void component_wait_down(struct component *component, struct component_waiter *waiter);

bool component_has_process(const struct component *component);
bool component_is_attached(const struct component *component);
double component_heartbeat_age_s(const struct component *component); /* below 0: none */
const char *component_state_text(const struct component *component);

/* As `annexctl status` shows it; the caller's to decref. */
json_t *component_describe(const struct component *component);

#endif /* SUPERVISOR_COMPONENT_H */
