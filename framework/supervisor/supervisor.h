/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * supervisor.h - all components, and who asks after them
 *
 * The supervisor reads the configuration through a check, keeps one
 * component per section, and answers signals, annexctl, Prometheus and the
 * service manager.  It never waits: every question that takes time (a check,
 * a restart, a drain) is answered when it is done.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include <annex/list.h>
#include <annex/pool.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reactor.h"
#include "base/timer.h"
#include "control/control.h"

#include "check.h"
#include "component.h"
#include "http.h"

struct supervisor_setup {
	struct reactor *reactor;
	struct timers *timers;
	struct clock *clock;
	struct random *random;
	struct log *log;
	const char *program;       /* annex-worker */
	const char *file;          /* the configuration */
	const char *notify_socket; /* of the service manager, or NULL */
	int64_t watchdog_us;       /* it wants a sign of life that often; 0 = never */
	unsigned stuck_s;          /* a handler that takes longer is killed */
	/* The start failed (1), or everything has stopped (0): leave the loop. */
	void (*finished)(void *cookie, int status);
	/* What the first check has to say, a line each: for standard error. */
	void (*sentences)(void *cookie, const char *text, size_t len);
	void *cookie;
};

/* A reload under way: what it did so far. */
struct reload {
	struct supervisor *supervisor;
	struct annex_link requests; /* of annexctl, that wait for its end */
	json_t *result;             /* {"unchanged": [domains], ...} */
	unsigned pending;           /* workers that have not answered their section */
	struct timer patience;
};

struct supervisor {
	uint32_t magic;
#define SUPERVISOR_MAGIC 0x5a9e12d7u
	struct supervisor_setup setup;
	struct component_host host;
	struct annex_link components;
	struct check *check;
	char *run_dir, *metrics; /* as configured now */
	struct control_server *control,
	    *old_control; /* the old one until its requests are answered */
	struct http_server *http;
	struct timer tick, ready_patience, alive;
	int64_t started_us;
	bool started; /* the first configuration was taken */
	bool told_ready;
	bool stopping, finished;
	struct reload *reload;           /* under way, or NULL */
	struct annex_link next_requests; /* for the reload after it */
	bool reload_again;
	char told_status[200];
};

struct supervisor *supervisor_create(const struct supervisor_setup *setup);
void supervisor_destroy(struct supervisor **supervisor); /* kills what still runs */

void supervisor_start(struct supervisor *supervisor); /* with the first check */
void supervisor_signal(struct supervisor *supervisor, int signal);
void supervisor_reload(struct supervisor *supervisor, struct control_request *request_or_null);

struct component *supervisor_find(struct supervisor *supervisor, const char *domain);

/* commands.c: what annexctl may ask. */
void supervisor_command(
    void *cookie, struct control_request *request, const char *command, json_t *args);

/* The rest is between the files of this folder. */

/* reload.c */
void reload_take(struct supervisor *supervisor, struct configuration *configuration,
    const struct buf *sentences);
void
reload_answered(struct supervisor *supervisor, struct component *component, const char *failed);
void reload_abandon(struct supervisor *supervisor); /* it will not be finished: say so */

/* place.c: the control socket and the metrics port, moved where a configuration says. */
int place_prepare(struct supervisor *supervisor, const struct configuration *configuration,
    struct annex_pool *pool, const char **why);

/* tell.c: the service manager. */
void tell(struct supervisor *supervisor, const char *fmt, ...) ANNEX_PRINTF(2, 3);
void tell_status(struct supervisor *supervisor); /* where it changed */
void tell_reloading(struct supervisor *supervisor);
void tell_ready_if_so(struct supervisor *supervisor);
void tell_alive_start(struct supervisor *supervisor);

#endif /* SUPERVISOR_SUPERVISOR_H */
