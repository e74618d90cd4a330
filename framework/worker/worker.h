/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * worker.h - one component: its stream, its store, its turns
 *
 * Everything hangs off struct worker, and all that is not its own business (clock,
 * randomness, descriptors, the link, the store's I/O, the log) is handed in,
 * so that a test can run one in its own process with a clock it turns by
 * hand.
 *
 * A turn is one iteration of the loop, whatever woke it:
 *
 *	callbacks of descriptors     parse, queue stanzas; children, control
 *	annexp_worker_turn()         timers, stanzas, commit, output, one write
 *
 *	turn.c       its rules; renew.c and replay.c where it failed
 *	route.c      the way of one stanza; refuse.c of one that is not let in
 *	program.c    the command line and the loop around it
 *	worker.c     the link, the end, the heartbeat; create.c how it is put together
 *	section.c    what annexd told us; apply.c takes it up, parent.c is the line to annexd
 *	module.c     the shared object
 *	requests.c   annexctl
 *	check.c      and check_*.c: annex-worker --check, which runs no component
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/component.h>
#include <annex/limit.h>
#include <annex/list.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/page.h"
#include "base/reactor.h"
#include "base/timer.h"
#include "control/control.h"
#include "module.h"
#include "section.h"
#include "service/instance.h"
#include "service/trace.h"
#include "store/store.h"
#include "stream/stream.h"

struct worker_env {
	struct clock *clock;
	struct random *random;
	struct reactor *reactor;         /* NULL: no sockets, no children, no control */
	struct transport_maker *maker;   /* NULL: sockets on the reactor */
	const struct store_io *store_io; /* NULL: LMDB's own */
	bool volatile_sync;              /* no fsync: tests alone */
	bool alone;     /* no spawner, no restrictions, no control socket: in-process tests */
	int spawner_fd; /* then: the socket to somebody who plays the spawner; 0: nobody does */
	log_sink_fn *log_sink; /* NULL: standard error */
	void *log_cookie;
	int64_t beat_ms; /* between two heartbeats; 0: a second.  Who turns the clock waits less */
	struct page *page; /* NULL: a private one */
	int parent_fd;     /* socketpair to annexd, or -1 */
};

/* A request of annexctl that is answered once the turn is durable. */
struct pending_answer {
	struct annex_link link;
	struct control_request *request;
	json_t *result;
};

struct worker {
	struct annex_instance inst;
	struct instance_host host;
	struct stream_user stream_user;
	struct worker_env env;
	struct module module;
	struct section section;
	struct annex_pool *pool;          /* as long as the worker */
	struct annex_pool *settings_pool; /* the component's settings, until they change */
	struct annex_pool *retired;       /* what a reload replaced, until this turn's end */

	struct timers timers;
	struct log *log;
	struct page *page;
	bool owns_page;
	struct timer heartbeat, tend;
	unsigned beats;

	/* This turn */
	struct annex_link handled; /* events of this turn, kept for a replay */
	struct annex_link retry;   /* "unavailable"s that failed and are tried again */
	struct timer retry_timer;
	unsigned retries;          /* in a row */
	struct annex_link answers; /* struct pending_answer */
	bool wants_turn;
	bool commit_failed; /* as the turn's store has forgotten by then */
	bool says_goodbye;  /* draining, and not all of it is durable */
	bool wants_close;   /* of the link, when this turn has ended */
	bool is_parting;    /* the component has said goodbye, contacts are next */
	bool has_parted;    /* ... and that is durable */
	bool in_step;       /* the turn is one alarm's or job's own */

	int64_t reset_ms[4]; /* when the last turns failed */
	unsigned resets;

	struct annex_pool *rates_pool;
	struct annex_buckets *jid_rate, *domain_rate;
	struct annex_bucket refusal_rate;

	struct control_server *control;
	struct trace trace;
	struct annex_link tracers;
	struct watch parent_watch;
	struct buf parent_in;
	bool told_attached;

	enum { WORKER_RUNNING, WORKER_DRAINING, WORKER_CLOSING, WORKER_ENDED } state;
	struct timer stop_deadline;
	int exit_status;
	bool drained;           /* closing after goodbyes: annexd is told */
	bool breaks_durability; /* the fault switch of the tests */

	struct worker_counts {
		struct counter_slot *in, *skipped, *dropped, *limited, *refused, *resets, *failed,
		    *quarantined, *handler_time, *unasked;
	} counts;
};

#pragma GCC visibility push(default)

/*
 * Section → module → store → control socket → restrictions → create.  NULL with a sentence in why
 * (whose size is why_size) where something does not work out.
 */
struct worker *annexp_worker_create(const struct worker_env *env, const char *section,
    size_t section_len, char *why, size_t why_size);
void annexp_worker_start(struct worker *worker); /* the link */
void annexp_worker_destroy(struct worker **worker);

/* The turn.  True where another is wanted at once. */
bool annexp_worker_turn(struct worker *worker);

/* Microseconds until something is due; -1: nothing is. */
int64_t annexp_worker_wait_us(const struct worker *worker);

/* SIGTERM: quiet.  drain: say goodbye first. */
void annexp_worker_stop(struct worker *worker);
void annexp_worker_drain(struct worker *worker);
bool annexp_worker_has_ended(const struct worker *worker);
int annexp_worker_exit_status(const struct worker *worker);

#pragma GCC visibility pop

/* The rest is for the files of this folder. */

/* worker.c: what the link and the component call; once a second and once a minute from now on. */
void worker_init(struct worker *worker);
void worker_beat(struct worker *worker);
/* The component's stop. */
void worker_say_goodbye(struct worker *worker);
/* It has nothing more to do, or cannot go on. */
void worker_end(struct worker *worker, int exit_status, const char *fmt, ...) ANNEX_PRINTF(3, 4);

/* renew.c: the component's create and destroy, as a turn calls them. */
int worker_create_instance(struct worker *worker);
void worker_destroy_instance(struct worker *worker);

/* turn.c */
void turn_init(struct worker *worker);
void turn_discard(struct worker *worker); /* events that are left, at the end */
void turn_renew(struct worker *worker);   /* end it, go on with an instance created anew */

/* route.c: one event, inside instance_enter/leave of its own. */
void route_event(struct worker *worker, struct xml_event *event, bool again);
void
route_refuse_event(struct worker *worker, struct xml_event *event, enum annex_condition condition);
bool route_is_unavailable(const struct xml_event *event);
bool route_is_available(
    const struct xml_event *event); /* somebody comes, or changes how they are shown */

/* hash.c: what a stanza is, but for its id and resources (0 is never returned). */
uint64_t stanza_hash(const struct annex_stanza *stanza);

/* requests.c: annexctl's commands. */
int requests_listen(struct worker *worker, const char **why);
void requests_close(struct worker *worker);
void requests_turn_done(struct worker *worker);
void requests_turn_failed(struct worker *worker);

/* parent.c: annexd's end of the socketpair. */
void parent_listen(struct worker *worker);
void parent_close(struct worker *worker);
void parent_tell(struct worker *worker, const char *key, bool value);

/* apply.c: section, which is in pool, becomes the worker's; negative with *why, and nothing changed. */
int worker_apply(struct worker *worker, struct annex_pool *pool, const struct section *section,
    const char **why);
void rates_apply(struct worker *worker);
/* A new section: ANNEX_OK, or negative with *why, and then nothing changed. */
int worker_reload(struct worker *worker, const char *json, size_t len, const char **why);

/* restrict.c: no new privileges, and writing only below these directories. */
void restrict_process(struct log *log, const char *const *writable);

#endif /* WORKER_WORKER_H */
