/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * instance.c - calling a component, and what it may ask about itself
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "instance.h"
#include "output.h"
#include "store/store.h"

struct durable {
	struct annex_link link;
	void (*fn)(struct annex_instance *inst, void *cookie);
	void *cookie;
};

bool
instance_enter(struct annex_instance *inst)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK(!inst->entered);
	if (inst->failed || !inst->created)
		return false;
	inst->entered = true;
	return true;
}

void
instance_leave(struct annex_instance *inst)
{
	CHECK(inst->entered);
	inst->entered = false;
	inst->flow = NULL;
	if (inst->store != NULL && store_has_failed(inst->store))
		instance_fail(inst, "the store failed");
	annex_pool_reset(inst->scratch);
}

void
instance_fail(struct annex_instance *inst, const char *why)
{
	if (inst->failed)
		return;
	inst->failed = true;
	snprintf(inst->failed_why, sizeof(inst->failed_why), "%s", why);
}

void
annex_fail_turn(struct annex_instance *inst, const char *why)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	instance_fail(inst, why);
}

/* --- When durable ------------------------------------------------------- */

void
annex_when_durable(struct annex_instance *inst,
    void (*fn)(struct annex_instance *inst, void *cookie), void *cookie)
{
	struct durable *d = mem_zalloc(sizeof(*d));

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	d->fn = fn;
	d->cookie = cookie;
	annex_list_append(&inst->durable_asked, &d->link);
}

void
instance_durable_ready(struct annex_instance *inst)
{
	annex_list_splice(&inst->durable_due, &inst->durable_asked);
}

static void
durable_free(struct annex_link *list)
{
	ANNEX_LIST_EACH (list, l) {
		annex_list_remove(l);
		free(annex_container_of(l, struct durable, link));
	}
}

/* The turn that asked has failed. */
void
instance_durable_drop(struct annex_instance *inst)
{
	durable_free(&inst->durable_asked);
}

void
instance_durable_reset(struct annex_instance *inst)
{
	durable_free(&inst->durable_asked);
	durable_free(&inst->durable_due);
}

bool
instance_durable_waiting(const struct annex_instance *inst)
{
	return !annex_list_is_empty(&inst->durable_due);
}

void
instance_durable_run(struct annex_instance *inst)
{
	struct annex_link due = ANNEX_LIST_INIT(due);

	annex_list_splice(&due, &inst->durable_due);
	ANNEX_LIST_EACH (&due, l) {
		struct durable *d = annex_container_of(l, struct durable, link);

		if (instance_enter(inst)) {
			d->fn(inst, d->cookie);
			instance_leave(inst);
		}
		annex_list_remove(l);
		free(d);
	}
}

/* --- What a component may ask -------------------------------------------- */

void *
annex_state(const struct annex_instance *inst)
{
	return inst->state;
}

void
annex_set_state(struct annex_instance *inst, void *state)
{
	inst->state = state;
}

const void *
annex_settings(const struct annex_instance *inst)
{
	return inst->settings;
}

const char *
annex_domain(const struct annex_instance *inst)
{
	return inst->jid->full;
}

struct annex_pool *
annex_pool(struct annex_instance *inst)
{
	return inst->pool;
}

struct annex_pool *
annex_scratch(struct annex_instance *inst)
{
	return inst->scratch;
}

struct annex_store *
annex_store(struct annex_instance *inst)
{
	return inst->store;
}

int64_t
annex_now_ms(const struct annex_instance *inst)
{
	return clock_ms(inst->clock);
}

int64_t
annex_wall_ms(const struct annex_instance *inst)
{
	return clock_wall_ms(inst->clock);
}

void
annex_random(struct annex_instance *inst, void *bytes, size_t n)
{
	inst->random->fill(inst->random, bytes, n);
}

const char *
annex_random_id(struct annex_instance *inst)
{
	char id[17];

	random_id(inst->random, id);
	return annex_strdup(inst->scratch, id);
}

bool
annex_is_up(const struct annex_instance *inst)
{
	return stream_is_up(inst->stream);
}

uint64_t
annex_link_number(const struct annex_instance *inst)
{
	return annex_is_up(inst) ? inst->link : 0;
}

void
annex_stopped(struct annex_instance *inst)
{
	inst->host->stopped(inst->host);
}

void
annex_log(struct annex_instance *inst, enum annex_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vwrite(inst->log, level, fmt, args);
	va_end(args);
}

struct annex_counter *
annex_counter(struct annex_instance *inst, const char *name, const char *help)
{
	return (struct annex_counter *)counters_get(inst->counters, COUNTER_COUNT, name, help);
}

struct annex_counter *
annex_gauge(struct annex_instance *inst, const char *name, const char *help)
{
	return (struct annex_counter *)counters_get(inst->counters, COUNTER_GAUGE, name, help);
}
