/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * timer.c - a component's timers in memory
 *
 * They hang on the instance's list, so that a reset finds them all.  A
 * callback may free its own timer: nothing is touched after it.
 */
#include <stdlib.h>

#include <annex/list.h>
#include <annex/timer.h>

#include "base/alloc.h"
#include "base/check.h"
#include "instance.h"

struct annex_timer {
	struct annex_link link;
	struct timer timer;
	struct annex_instance *inst;
	annex_timer_fn *fn;
	void *cookie;
};

struct annex_timer *
annex_timer(struct annex_instance *inst, annex_timer_fn *fn, void *cookie)
{
	struct annex_timer *t = mem_zalloc(sizeof(*t));

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK(fn != NULL);
	t->inst = inst;
	t->fn = fn;
	t->cookie = cookie;
	annex_list_append(&inst->timer_list, &t->link);
	return t;
}

static void
ring(struct timer *timer)
{
	struct annex_timer *t = annex_container_of(timer, struct annex_timer, timer);
	struct annex_instance *inst = t->inst;

	if (!instance_enter(inst))
		return;
	t->fn(inst, t->cookie);
	instance_leave(inst);
}

void
annex_timer_start(struct annex_timer *t, int64_t after_ms)
{
	timer_start(t->inst->timers, &t->timer, after_ms, ring);
}

void
annex_timer_stop(struct annex_timer *t)
{
	timer_stop(t->inst->timers, &t->timer);
}

bool
annex_timer_is_running(const struct annex_timer *t)
{
	return timer_is_running(&t->timer);
}

void
annex_timer_free(struct annex_timer **tp)
{
	struct annex_timer *t = *tp;

	if (t == NULL)
		return;
	*tp = NULL;
	timer_stop(t->inst->timers, &t->timer);
	annex_list_remove(&t->link);
	free(t);
}

void
timers_of_instance_reset(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->timer_list, l) {
		struct annex_timer *t = annex_container_of(l, struct annex_timer, link);

		annex_timer_free(&t);
	}
}
