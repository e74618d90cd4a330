/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * instance.h - what an instance is made of, for the framework's eyes
 *
 * The worker owns the instance and drives its turns; the parts of service/
 * each hang one private struct here and keep all their state in it.
 *
 * Calling the component.  Every call into it is wrapped:
 *
 *	if (instance_enter(inst)) {
 *		timer->fn(inst, timer->cookie);
 *		instance_leave(inst);
 *	}
 *
 * enter refuses (false) once the turn has failed or the instance is gone; leave empties the
 * scratch pool.  Nothing of the component may be called outside such a pair, and
 * pairs never nest.
 *
 * Resetting.  When a turn fails the worker calls instance_reset: each part forgets what
 * belonged to the old life (questions, timers in memory, fences, held IQs answered "wait") in
 * its NAME_reset function.  What is in the store stays.
 */
#ifndef SERVICE_INSTANCE_H
#define SERVICE_INSTANCE_H

#include <annex/component.h>
#include <annex/flow.h>
#include <annex/iq.h>
#include <annex/job.h>
#include <annex/list.h>
#include <annex/store.h>
#include <annex/timer.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "base/page.h"
#include "base/reactor.h"
#include "base/timer.h"
#include "stream/stream.h"

struct alarms;
struct commands;
struct contacts;
struct holds;
struct jobs;
struct output;
struct questions;
struct spawner;
struct trace;

/* What the worker does for the parts. */
struct instance_host {
	/* Another turn is wanted at once, though nothing woke the loop (work is left). */
	void (*wake)(struct instance_host *host);
	/* A stop that returned ANNEX_AGAIN has finished. */
	void (*stopped)(struct instance_host *host);
	/* Goodbye was said to all contacts, or cannot be said. */
	void (*parted)(struct instance_host *host);
};

struct annex_instance {
	uint32_t magic;
#define INSTANCE_MAGIC 0x494e5354u
	const struct annex_module *module;
	const struct annex_jid *jid;      /* the domain */
	const char *const *admins;        /* NULL-ended, bare */
	const char *const *local_domains; /* NULL-ended */
	const char *const *contact_uris;  /* NULL-ended, XEP-0157 */
	const char *run_dir;              /* where its sockets are */
	const char *program_dir;          /* where programs are that came with the module */

	struct annex_pool *pool;         /* from create to destroy */
	struct annex_pool *scratch;      /* until the callback returns */
	struct annex_pool *section_pool; /* settings and the lists above */
	void *settings;
	void *state; /* the component's */

	struct clock *clock;
	struct timers *timers;
	struct random *random;
	struct log *log;
	struct counters *counters;
	struct reactor *reactor;
	struct annex_store *store;
	struct stream *stream;
	struct page *page;
	struct instance_host *host;
	struct trace *trace; /* NULL: nobody is watching; trace.h */

	bool created;  /* between create and destroy */
	bool entered;  /* inside a callback */
	uint64_t link; /* annex_link_number */
	bool failed;   /* this turn will be undone */
	char failed_why[160];
	struct annex_link durable_asked, durable_due; /* annex_when_durable */
	int64_t started_ms;                           /* wall clock: of this process */

	struct flow *flow;     /* annex_use_flow: until the callback returns; NULL is flow 0 */
	struct output *output; /* this turn's; output.h */
	struct questions *questions;          /* iq.c */
	struct holds *holds;                  /* hold.c */
	struct alarms *alarms;                /* alarm.c */
	struct jobs *jobs;                    /* job.c */
	struct commands *commands;            /* command.c: sessions */
	struct contacts *contacts;            /* contact.h */
	struct annex_link timer_list;         /* timer.c */
	struct spawner *spawner;              /* spawn.c; NULL where none was started */
	struct annex_link listeners, watches; /* socket.c */
};

bool instance_enter(struct annex_instance *inst);
void instance_leave(struct annex_instance *inst);

/* The turn has failed: nothing more of it is done, and it will be undone. */
void instance_fail(struct annex_instance *inst, const char *why);

/* Functions given to annex_when_durable: the turn that asked is durable, or has failed. */
void instance_durable_ready(struct annex_instance *inst);
void instance_durable_drop(struct annex_instance *inst);
/* The instance goes, and with it what the cookies point to. */
void instance_durable_reset(struct annex_instance *inst);
bool instance_durable_waiting(const struct annex_instance *inst);
void instance_durable_run(struct annex_instance *inst); /* in a turn of its own */

/* --- The parts (each init once, reset at a reset, finish once) ---------- */

void questions_init(struct annex_instance *inst);
void questions_reset(struct annex_instance *inst); /* forgotten, callbacks not called */
void questions_finish(struct annex_instance *inst);
/* All fail with ANNEX_EOFFLINE: each by the timers, so that ten thousand do not make one long
 * turn. */
void questions_link_down(struct annex_instance *inst);
/* An IQ result or error came in: true where somebody asked for it (fn was called).  Outside
 * enter and leave. */
bool questions_answer(struct annex_instance *inst, const struct annex_stanza *answer);

/* annex_fence of this turn: behind the turn's output, or nowhere.  They are part of questions:
 * reset forgets them, and from questions_finish on the stream must not call them any more. */
void fences_splice(struct annex_instance *inst);
void fences_drop(struct annex_instance *inst);

void holds_init(struct annex_instance *inst);
void holds_reset(struct annex_instance *inst); /* each is answered resource-constraint, wait */
void holds_finish(struct annex_instance *inst);
/* Called by annex_send for each answer to a held IQ: the hold ends with this turn (or not,
 * where it fails). False where it has been answered already. */
bool holds_answered(struct annex_instance *inst, annex_hold_t hold);
/* Whether the IQ in hand was taken by annex_hold in this turn. */
bool holds_took(const struct annex_instance *inst, const struct annex_stanza *in);
void holds_turn_done(struct annex_instance *inst);
void holds_turn_failed(struct annex_instance *inst); /* before holds_reset */

void timers_of_instance_reset(struct annex_instance *inst); /* annex_timer: all freed */

/* Once, or again where the instance is created anew; the store is read in the next turn of
 * timers. */
void alarms_init(struct annex_instance *inst);
void alarms_reset(struct annex_instance *inst);
void alarms_finish(struct annex_instance *inst);
bool alarms_want_turn(const struct annex_instance *inst);
/* Ring one, in a turn in which nothing else is done: after one in which alarms failed. */
void alarms_step(struct annex_instance *inst);
void alarms_turn_done(struct annex_instance *inst);
void alarms_turn_failed(struct annex_instance *inst);

void jobs_init(struct annex_instance *inst);
void jobs_reset(struct annex_instance *inst);
void jobs_finish(struct annex_instance *inst);
bool jobs_have_work(const struct annex_instance *inst);
/* One step of the oldest; a turn of its own, outside enter and leave. */
void jobs_step(struct annex_instance *inst);
void jobs_turn_done(struct annex_instance *inst);
void jobs_turn_failed(struct annex_instance *inst);

/*
 * Children (spawner.h has the process that starts them).  What was spawned, written and killed
 * in a turn happens when it is done.  reset stops what runs; their events are not told.  Both
 * do nothing where inst->spawner is NULL.
 */
void children_turn_done(struct annex_instance *inst);
void children_reset(struct annex_instance *inst);

/* Sockets: what peers were told in a turn leaves when it is done; a reset closes all. */
void sockets_init(struct annex_instance *inst);
void sockets_turn_done(struct annex_instance *inst);
void sockets_reset(struct annex_instance *inst);

void commands_init(struct annex_instance *inst);
void commands_reset(struct annex_instance *inst);
void commands_finish(struct annex_instance *inst);

/* Who is online stays over a reset: it is nothing that a turn could undo. */
struct contacts_settings {
	int64_t pace;        /* contacts a second */
	int64_t interval_ms; /* between two changes that one contact is shown */
	int64_t ask_ttl_ms;
	int64_t tombstone_ms;
};
void contacts_configure(struct annex_instance *inst, const struct contacts_settings *settings);
void contacts_init(struct annex_instance *inst);
void contacts_reset(struct annex_instance *inst);
void contacts_finish(struct annex_instance *inst);
void contacts_turn_done(struct annex_instance *inst);
void contacts_link_up(struct annex_instance *inst);
void contacts_link_down(struct annex_instance *inst);
/* False where there is nobody to say it to; else the host's parted follows. */
bool contacts_say_goodbye(struct annex_instance *inst);

/* The framework's own alarms and jobs, as of a module: looked at first. */
extern const struct annex_alarm service_alarms[];
extern const struct annex_job service_jobs[];

/* The framework's own store tables (numbers from 1000), 0-ended. */
extern const struct annex_table service_tables[];

/*
 * Routes for what every component answers: disco, commands, ping, version, time, last
 * activity; tried after the component's own.  Disco is answered for any address, the rest for
 * the domain alone.
 */
/* What servers say to every component, before its own routes. */
extern const struct annex_route service_first_routes[];
extern const struct annex_route service_routes[];

/* Run a declared command for annexctl, between enter and leave.  args: {"field": "value",
 * "multi": ["a", "b"]}, or NULL.  Tell it when the turn is durable: *result_r {"say": [...],
 * "columns": [...], "labels": [...], "rows": [[...]]}, the caller's; or negative with a sentence in
 * *why_r, good until the next call.  *fd: a file that came along, or -1; it is -1 where the command
 * took it.  Where neither result nor sentence is set the command is held, and answered by
 * *held_r: command_on_answer. */
struct json_t;
struct held_run;
int commands_run(struct annex_instance *inst, const char *node, struct json_t *args, int *fd,
    struct json_t **result_r, struct held_run **held_r, const char **why_r);
/* Called once, in a turn or at its undoing: a result (the callee's), or NULL and a sentence. */
typedef void held_answer_fn(void *cookie, struct json_t *result, const char *why);
void command_on_answer(struct held_run *held, held_answer_fn *answer, void *cookie);
struct json_t *commands_list(struct annex_instance *inst); /* for help: node, name, help, fields */

#endif /* SERVICE_INSTANCE_H */
