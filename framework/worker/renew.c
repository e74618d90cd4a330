/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * renew.c - the component's instance: created, destroyed, created anew from the store
 *
 * Memory is a cache of the store: where a turn was undone, the instance and
 * all that the services keep for it are made again from what is durable.
 */
#include "base/check.h"
#include "turn.h"

/* What a component holds is good until its destroy has returned, and ends here. */
static void
forget_instance(struct worker *w)
{
	w->inst.created = false;
	w->inst.state = NULL;
	timers_of_instance_reset(&w->inst);
	children_reset(&w->inst);
	sockets_reset(&w->inst);
	annex_pool_reset(w->inst.pool);
}

int
worker_create_instance(struct worker *w)
{
	const struct annex_module *m = &w->module.descriptor;
	int status = ANNEX_OK;

	w->inst.failed = false;
	w->inst.created = true;
	worker_phase(w, PAGE_CREATE);
	CHECK(instance_enter(&w->inst));
	alarms_init(&w->inst);
	jobs_init(&w->inst);
	if (m->create != NULL)
		status = m->create(&w->inst);
	instance_leave(&w->inst);
	worker_phase(w, PAGE_IDLE);
	if (status < 0 || w->inst.failed) {
		forget_instance(w);
		return status < 0 ? status : ANNEX_ESTORE;
	}
	return ANNEX_OK;
}

void
worker_destroy_instance(struct worker *w)
{
	const struct annex_module *m = &w->module.descriptor;

	if (!w->inst.created)
		return;
	w->inst.failed = false;
	if (m->destroy != NULL && instance_enter(&w->inst)) {
		m->destroy(&w->inst);
		w->inst.entered = false;
		annex_pool_reset(w->inst.scratch);
	}
	forget_instance(w);
}

/* This must hold, or there is nothing to go on with. */
static bool
finish_or_end(struct worker *w, const char *what)
{
	if (turn_finish(w))
		return true;
	turn_undo(w);
	worker_end(w, 1, "%s failed as well (%s)", what, w->inst.failed_why);
	return false;
}

static void
parts_reset(struct worker *w)
{
	instance_durable_reset(&w->inst);
	questions_reset(&w->inst);
	alarms_reset(&w->inst);
	jobs_reset(&w->inst);
	commands_reset(&w->inst);
	contacts_reset(&w->inst);
}

/* The instance anew from the store; false where the worker has ended. */
bool
instance_renew(struct worker *w)
{
	parts_reset(w);
	worker_destroy_instance(w);
	if (worker_create_instance(w) < 0) {
		turn_undo(w);
		worker_end(w, 1, "the component could not be created anew from the store");
		return false;
	}
	holds_reset(&w->inst);
	if (!finish_or_end(w, "creating the component anew"))
		return false;
	if (stream_is_up(w->inst.stream) && w->module.descriptor.link_up != NULL &&
	    instance_enter(&w->inst)) {
		w->module.descriptor.link_up(&w->inst);
		instance_leave(&w->inst);
	}
	if (!finish_or_end(w, "the component's link_up"))
		return false;
	if (w->says_goodbye)
		worker_say_goodbye(w);
	return finish_or_end(w, "the component's stop");
}
