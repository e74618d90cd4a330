/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * supervisor.c - all components, and who asks after them
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

#include "supervisor.h"

#define TICK_MS 1000

static void
finish_if_all_ended(struct supervisor *s)
{
	ANNEX_LIST_EACH (&s->components, l)
		if (component_has_process(annex_container_of(l, struct component, link)))
			return;
	if (!s->finished)
		s->setup.finished(s->setup.cookie, 0);
	s->finished = true;
}

static void
component_changed(struct component_host *host, struct component *component)
{
	struct supervisor *s = annex_container_of(host, struct supervisor, host);

	tell_status(s);
	tell_ready_if_so(s);
	if (s->stopping)
		finish_if_all_ended(s);
}

static void
component_reloaded(struct component_host *host, struct component *component, const char *failed)
{
	reload_answered(annex_container_of(host, struct supervisor, host), component, failed);
}

static void
component_gone(struct component_host *host, struct component *component)
{
	struct supervisor *s = annex_container_of(host, struct supervisor, host);

	component_destroy(&component);
	tell_status(s);
	if (s->stopping)
		finish_if_all_ended(s);
}

static void
tick(struct timer *timer)
{
	struct supervisor *s = annex_container_of(timer, struct supervisor, tick);

	timer_start(s->setup.timers, &s->tick, TICK_MS, tick);
	ANNEX_LIST_EACH (&s->components, l)
		component_tick(annex_container_of(l, struct component, link));
	if (s->old_control != NULL && !control_is_busy(s->old_control))
		control_close(&s->old_control);
	tell_status(s);
}

struct supervisor *
supervisor_create(const struct supervisor_setup *setup)
{
	struct supervisor *s = mem_zalloc(sizeof(*s));

	s->magic = SUPERVISOR_MAGIC;
	s->setup = *setup;
	s->host = (struct component_host) {
		.reactor = setup->reactor,
		.timers = setup->timers,
		.clock = setup->clock,
		.random = setup->random,
		.log = setup->log,
		.program = setup->program,
		.stuck_s = setup->stuck_s,
		.changed = component_changed,
		.reloaded = component_reloaded,
		.gone = component_gone,
	};
	annex_list_init(&s->components);
	annex_list_init(&s->next_requests);
	return s;
}

static void
first_check_done(void *cookie, struct configuration *configuration, const struct buf *sentences)
{
	struct supervisor *s = cookie;

	s->check = NULL;
	reload_take(s, configuration, sentences);
	if (s->started && s->reload_again)
		supervisor_reload(s, NULL);
}

void
supervisor_start(struct supervisor *s)
{
	CHECK_OBJECT(s, SUPERVISOR_MAGIC);
	s->started_us = s->setup.clock->mono_us;
	tell_alive_start(s);
	timer_start(s->setup.timers, &s->tick, TICK_MS, tick);
	s->check = check_start(s->setup.reactor, s->setup.timers, s->setup.program, s->setup.file,
	    first_check_done, s);
}

struct component *
supervisor_find(struct supervisor *s, const char *domain)
{
	ANNEX_LIST_EACH (&s->components, l) {
		struct component *c = annex_container_of(l, struct component, link);

		if (strcmp(c->domain, domain) == 0)
			return c;
	}
	return NULL;
}

static void
supervisor_stop(struct supervisor *s)
{
	bool again = s->stopping;

	CHECK_OBJECT(s, SUPERVISOR_MAGIC);
	s->stopping = true;
	if (!again) {
		log_write(s->setup.log, ANNEX_LOG_NOTICE, "stopping");
		tell(s, "STOPPING=1");
		reload_abandon(s);
	}
	ANNEX_LIST_EACH (&s->components, l) {
		struct component *c = annex_container_of(l, struct component, link);

		/* Who asks twice is in a hurry; workers are made to be killed. */
		if (again)
			component_kill(c);
		else
			component_stop(c);
	}
	tell_status(s);
	finish_if_all_ended(s);
}

void
supervisor_signal(struct supervisor *s, int signal)
{
	if (signal == SIGHUP)
		supervisor_reload(s, NULL);
	else
		supervisor_stop(s);
}

void
supervisor_destroy(struct supervisor **sp)
{
	struct supervisor *s = *sp;

	if (s == NULL)
		return;
	CHECK_OBJECT(s, SUPERVISOR_MAGIC);
	*sp = NULL;
	s->stopping = true;
	reload_abandon(s);
	ANNEX_LIST_EACH (&s->components, l) {
		struct component *c = annex_container_of(l, struct component, link);

		component_destroy(&c);
	}
	control_close(&s->old_control);
	control_close(&s->control);
	http_close(&s->http);
	timer_stop(s->setup.timers, &s->tick);
	timer_stop(s->setup.timers, &s->ready_patience);
	timer_stop(s->setup.timers, &s->alive);
	free(s->run_dir);
	free(s->metrics);
	s->magic = 0;
	free(s);
}
