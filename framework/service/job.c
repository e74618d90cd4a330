/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * job.c - long work in small turns
 *
 * A job is a row; the oldest that may run does one step in an idle turn,
 * and its new state is part of that turn.  A step that gives up, and one
 * whose turn fails, is tried again after a minute; after five tries the job
 * is dropped, loudly.  Meanwhile the next one runs.
 *
 * How often a turn failed cannot be written in it, so that is kept in
 * memory; a restart counts anew.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <annex/job.h>
#include <annex/list.h>
#include <annex/map.h>
#include <annex/pool.h>

#include "base/alloc.h"
#include "base/check.h"
#include "instance.h"
#include "service.pb-c.h"
#include "tables.h"

#define STEP_ROWS 500
#define RETRY_MS 60000
#define TRIES 5
#define FULL_MS 1000 /* the step's own state did not fit on the disk */

/* A job whose turn failed. */
struct trouble {
	unsigned failures;
	int64_t not_before_ms;
};

struct jobs {
	struct annex_instance *inst;
	struct timer wake;
	bool ready;       /* there may be one to run */
	bool has_in_hand; /* a step was done this turn: */
	uint64_t in_hand;
	struct annex_pool *pool;
	struct annex_map *unknown; /* kinds that were logged */
	struct annex_map *trouble; /* number -> struct trouble */
};

void
jobs_init(struct annex_instance *inst)
{
	struct jobs *j;

	if (inst->jobs != NULL) {
		jobs_reset(inst);
		return;
	}
	j = mem_zalloc(sizeof(*j));
	j->inst = inst;
	j->pool = annex_pool_create(NULL, "jobs");
	j->unknown = annex_map_create(j->pool);
	j->trouble = annex_map_create(j->pool);
	j->ready = true;
	inst->jobs = j;
}

static const struct annex_job *
kind_find(const struct annex_instance *inst, const char *kind)
{
	const struct annex_job *lists[] = { service_jobs, inst->module->jobs };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (const struct annex_job *j = lists[i]; j != NULL && j->kind != NULL; j++)
			if (strcmp(j->kind, kind) == 0)
				return j;
	return NULL;
}

static int
job_put(struct annex_instance *inst, uint64_t number, Annex__Service__Job *job)
{
	struct annex_key key = annex_key(&job_table);

	annex_key_u64(&key, number);
	return annex_put(inst->store, &key, &job->base);
}

static int
job_delete(struct jobs *j, uint64_t number)
{
	struct annex_key key = annex_key(&job_table);

	free(annex_map_remove(j->trouble, &number, sizeof(number)));
	annex_key_u64(&key, number);
	return annex_delete(j->inst->store, &key);
}

int
annex_job_start(struct annex_instance *inst, const char *kind, const void *state, size_t len)
{
	Annex__Service__Job job = ANNEX__SERVICE__JOB__INIT;
	struct annex_key all = annex_key(&job_table);
	uint64_t number;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (kind_find(inst, kind) == NULL || len > sizeof(((struct annex_job_state *)0)->bytes)) {
		annex_log(inst, ANNEX_LOG_BUG,
		    "%s started a job of a kind it does not declare, or with too much state: %s",
		    inst->module->name, kind);
		return ANNEX_EINVAL;
	}
	if ((r = annex_sequence(inst->store, &all, &number)) < 0)
		return r;
	job.kind = (char *)kind;
	job.state = (ProtobufCBinaryData) { .len = len, .data = (uint8_t *)state };
	if ((r = job_put(inst, number, &job)) < 0)
		return r;
	inst->jobs->ready = true;
	inst->host->wake(inst->host);
	return ANNEX_OK;
}

bool
jobs_have_work(const struct annex_instance *inst)
{
	return inst->jobs->ready;
}

/* --- Finding one --------------------------------------------------------- */

static void
jobs_woken(struct timer *timer)
{
	struct jobs *j = annex_container_of(timer, struct jobs, wake);

	j->ready = true;
	j->inst->host->wake(j->inst->host);
}

static int64_t
not_before(struct jobs *j, uint64_t number, const Annex__Service__Job *job)
{
	const struct trouble *t = annex_map_get(j->trouble, &number, sizeof(number));

	return t != NULL && t->not_before_ms > job->not_before_ms ? t->not_before_ms
								  : job->not_before_ms;
}

/* The oldest that may run now; ANNEX_ENOENT, and *wait_r says when one may (INT64_MAX: none). */
static int
job_find(struct jobs *j, uint64_t *number_r, Annex__Service__Job **job_r, int64_t *wait_r)
{
	struct annex_key all = annex_key(&job_table);
	struct annex_iter it = annex_iter(&all);
	int64_t now_ms = clock_wall_ms(j->inst->clock), at;
	int r;

	*wait_r = INT64_MAX;
	while ((r = annex_next(j->inst->store, &it)) == ANNEX_AGAIN) {
		*number_r = annex_key_number(&it.key, 0);
		*job_r = (Annex__Service__Job *)it.record;
		if (kind_find(j->inst, (*job_r)->kind) == NULL) {
			if (annex_map_set_str(j->unknown, (*job_r)->kind, j) == NULL)
				log_write(j->inst->log, ANNEX_LOG_WARNING,
				    "kept jobs of a kind that this module does not know: %s",
				    (*job_r)->kind);
			continue;
		}
		at = not_before(j, *number_r, *job_r);
		/* A clock set back must not put a retry off for years. */
		if (at <= now_ms || at > now_ms + 2 * RETRY_MS)
			return ANNEX_OK;
		if (at - now_ms < *wait_r)
			*wait_r = at - now_ms;
	}
	return r < 0 ? r : ANNEX_ENOENT;
}

/* --- One step ------------------------------------------------------------ */

static int
job_failed(struct jobs *j, uint64_t number, Annex__Service__Job *job, int status)
{
	if (++job->failures > TRIES) {
		log_write(j->inst->log, ANNEX_LOG_ERROR,
		    "gave up a job after %d tries (%s): kind=%s number=%" PRIu64, TRIES + 1,
		    annex_status_text(status), job->kind, number);
		return job_delete(j, number);
	}
	log_write(j->inst->log, ANNEX_LOG_WARNING,
	    "a step of a job failed (%s) and is tried again in a minute: kind=%s number=%" PRIu64,
	    annex_status_text(status), job->kind, number);
	job->not_before_ms = clock_wall_ms(j->inst->clock) + RETRY_MS;
	return job_put(j->inst, number, job);
}

static int
job_step(struct jobs *j, uint64_t number, Annex__Service__Job *job)
{
	struct annex_instance *inst = j->inst;
	struct annex_job_state state = { .len = 0 };
	int r;

	if (job->state.len <= sizeof(state.bytes))
		state.len = job->state.len;
	if (state.len > 0)
		memcpy(state.bytes, job->state.data, state.len);
	r = kind_find(inst, job->kind)->step(inst, &state, STEP_ROWS);
	if (inst->failed || r == ANNEX_ESTORE)
		return r;
	if (r == ANNEX_OK)
		return job_delete(j, number);
	job->state = (ProtobufCBinaryData) { .len = state.len, .data = state.bytes };
	if (r < 0)
		return job_failed(j, number, job, r);
	job->failures = 0;
	job->not_before_ms = 0;
	return job_put(inst, number, job);
}

/* One that failed with its turn too often is dropped before it can do so again. */
static int
job_run(struct jobs *j, uint64_t number, Annex__Service__Job *job)
{
	const struct trouble *t = annex_map_get(j->trouble, &number, sizeof(number));

	if (t != NULL && t->failures > TRIES) {
		log_write(j->inst->log, ANNEX_LOG_ERROR,
		    "gave up a job whose turns failed %u times: kind=%s number=%" PRIu64,
		    t->failures, job->kind, number);
		return job_delete(j, number);
	}
	j->in_hand = number;
	j->has_in_hand = true;
	return job_step(j, number, job);
}

static void
jobs_rest(struct jobs *j, int64_t wait_ms)
{
	j->ready = false;
	if (wait_ms < INT64_MAX)
		timer_start(j->inst->timers, &j->wake, wait_ms, jobs_woken);
}

void
jobs_step(struct annex_instance *inst)
{
	struct jobs *j = inst->jobs;
	Annex__Service__Job *job;
	uint64_t number;
	int64_t wait_ms;
	int r;

	if (!instance_enter(inst))
		return;
	if ((r = job_find(j, &number, &job, &wait_ms)) >= 0)
		r = job_run(j, number, job);
	else if (r == ANNEX_ENOENT)
		jobs_rest(j, wait_ms);
	if (r == ANNEX_EFULL)
		jobs_rest(j, FULL_MS);
	else if (r < 0 && r != ANNEX_ENOENT)
		instance_fail(inst, "a job could not be written");
	instance_leave(inst);
}

/* --- The end of a turn, and of a life ------------------------------------ */

void
jobs_turn_done(struct annex_instance *inst)
{
	struct jobs *j = inst->jobs;

	if (j->has_in_hand)
		free(annex_map_remove(j->trouble, &j->in_hand, sizeof(j->in_hand)));
	j->has_in_hand = false;
}

void
jobs_turn_failed(struct annex_instance *inst)
{
	struct jobs *j = inst->jobs;
	struct trouble *t;

	if (!j->has_in_hand)
		return;
	t = annex_map_get(j->trouble, &j->in_hand, sizeof(j->in_hand));
	if (t == NULL) {
		t = mem_zalloc(sizeof(*t));
		annex_map_set(j->trouble, &j->in_hand, sizeof(j->in_hand), t);
	}
	t->failures++;
	t->not_before_ms = clock_wall_ms(inst->clock) + RETRY_MS;
	j->has_in_hand = false;
}

void
jobs_reset(struct annex_instance *inst)
{
	inst->jobs->ready = true;
}

void
jobs_finish(struct annex_instance *inst)
{
	struct jobs *j = inst->jobs;
	struct annex_map_iter it = { 0 };

	if (j == NULL)
		return;
	while (annex_map_next(j->trouble, &it))
		free(it.value);
	timer_stop(inst->timers, &j->wake);
	annex_pool_destroy(&j->pool);
	free(j);
	inst->jobs = NULL;
}
