/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * component.c - one configured component and the worker that runs it
 *
 * Whatever happens to a worker ends in component_ended, from where the
 * state says what comes next; asking for a stop only changes the state and
 * sends words and signals.  The channel's end means nothing by itself: the
 * process decides.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

#include "component_inside.h"
#include "memory.h"

#define STOP_DEADLINE_MS 20000
#define DRAIN_DEADLINE_MS 300000
#define ABORT_DEADLINE_MS 5000

static const char *const state_texts[] = {
	[COMPONENT_DOWN] = "down",
	[COMPONENT_WAITING] = "waiting",
	[COMPONENT_STARTING] = "starting",
	[COMPONENT_RUNNING] = "running",
	[COMPONENT_STOPPING] = "stopping",
	[COMPONENT_DRAINING] = "draining",
};

const char *
component_state_text(const struct component *component)
{
	return state_texts[component->state];
}

bool
component_has_process(const struct component *component)
{
	return component->process.pid > 0;
}

bool
component_is_attached(const struct component *component)
{
	return component->page != NULL && component->state == COMPONENT_RUNNING &&
	    atomic_load(&component->page->attached) != 0;
}

double
component_heartbeat_age_s(const struct component *component)
{
	if (component->page == NULL)
		return -1;
	return (double)(component->host->clock->mono_us - component->heartbeat_seen_us) / 1e6;
}

void
component_set_state(struct component *component, enum component_state state)
{
	component->state = state;
	component->host->changed(component->host, component);
}

void
component_tell(struct annex_link *waiters, const char *failure)
{
	/* Whoever waits anew in answer waits for the next outcome. */
	struct annex_link now = ANNEX_LIST_INIT(now);

	annex_list_splice(&now, waiters);
	while (!annex_list_is_empty(&now)) {
		struct component_waiter *waiter =
		    annex_container_of(now.next, struct component_waiter, link);

		annex_list_remove(&waiter->link);
		waiter->done(waiter, failure);
	}
}

void
component_reloaded(struct component *component, const char *failed)
{
	if (!component->reloading)
		return;
	component->reloading = false;
	component->host->reloaded(component->host, component, failed);
}

void
component_wait_ready(struct component *component, struct component_waiter *waiter)
{
	annex_list_append(&component->ready_waiters, &waiter->link);
}

void
component_wait_down(struct component *component, struct component_waiter *waiter)
{
	annex_list_append(&component->down_waiters, &waiter->link);
}

/* --- Starting ------------------------------------------------------------- */

static void
restart_due(struct timer *timer)
{
	component_start(annex_container_of(timer, struct component, restart));
}

void
component_wait_to_restart(struct component *component, int64_t healthy_ms)
{
	struct component_host *host = component->host;
	int64_t ms = backoff_next_ms(&component->backoff, healthy_ms, host->random);

	timer_start(host->timers, &component->restart, ms, restart_due);
	log_write(host->log, ANNEX_LOG_INFO, "%s: starts again in %d.%d s", component->domain,
	    (int)(ms / 1000), (int)(ms % 1000 / 100));
	component_set_state(component, COMPONENT_WAITING);
}

void
component_start(struct component *component)
{
	struct component_host *host = component->host;

	CHECK_OBJECT(component, COMPONENT_MAGIC);
	if (component_has_process(component))
		return;
	timer_stop(host->timers, &component->restart);
	component->starts++;
	component->start_again = component->killed = false;
	component->started_us = component->heartbeat_seen_us = host->clock->mono_us;
	component->ready_us = 0;
	watchdog_reset(&component->watchdog);
	rate_reset(&component->rate_in);
	rate_reset(&component->rate_out);
	if (component_launch(component) < 0) {
		snprintf(component->last_end, sizeof(component->last_end),
		    "could not be started: %s", strerror(errno));
		log_write(host->log, ANNEX_LOG_ERROR, "%s: worker %s", component->domain,
		    component->last_end);
		component_tell(&component->ready_waiters, component->last_end);
		component_wait_to_restart(component, 0);
		return;
	}
	log_write(host->log, ANNEX_LOG_INFO, "%s: worker started (pid %d)", component->domain,
	    (int)component->process.pid);
	component_set_state(component, COMPONENT_STARTING);
}

/* --- Ending --------------------------------------------------------------- */

static void
kill_due(struct timer *timer)
{
	struct component *component = annex_container_of(timer, struct component, kill);

	log_write(component->host->log, ANNEX_LOG_WARNING,
	    "%s: killed, because its worker did not end in time (it was %s)", component->domain,
	    blame_phase_text(atomic_load(&component->page->phase)));
	component_kill(component);
}

void
component_kill(struct component *component)
{
	component->killed = true;
	process_signal(&component->process, SIGKILL);
}

static void
component_ask_to_end(struct component *component, bool drain)
{
	struct timers *timers = component->host->timers;

	timer_stop(timers, &component->restart);
	if (!component_has_process(component)) {
		component_set_state(component, COMPONENT_DOWN);
		component_tell(&component->down_waiters, NULL);
		return;
	}
	if (drain) {
		component_say(component, json_pack("{s:b}", "drain", 1));
		timer_start(timers, &component->kill, DRAIN_DEADLINE_MS, kill_due);
		component_set_state(component, COMPONENT_DRAINING);
		return;
	}
	/* A word and a signal: whichever the worker notices first. */
	component_say(component, json_pack("{s:b}", "stop", 1));
	process_signal(&component->process, SIGTERM);
	timer_start(timers, &component->kill, STOP_DEADLINE_MS, kill_due);
	component_set_state(component, COMPONENT_STOPPING);
}

void
component_stop(struct component *component)
{
	component->start_again = false;
	if (component->state != COMPONENT_STOPPING && component->state != COMPONENT_DOWN)
		component_ask_to_end(component, false);
}

void
component_drain(struct component *component)
{
	component->start_again = false;
	if (component->state == COMPONENT_STOPPING || component->state == COMPONENT_DRAINING)
		return;
	component_ask_to_end(component, true);
}

void
component_restart(struct component *component)
{
	blame_forget(&component->blame);
	component->backoff.ends = 0;
	if (!component_has_process(component)) {
		component_start(component);
		return;
	}
	if (component->state != COMPONENT_STOPPING)
		component_ask_to_end(component, false);
	component->start_again = true;
}

void
component_remove(struct component *component)
{
	component->removed = true;
	component_stop(component);
	if (!component_has_process(component))
		component->host->gone(component->host, component);
}

/* --- Watching ------------------------------------------------------------- */

static void
component_measure(struct component *component)
{
	const struct counters *counters = &component->page->counters;

	rate_see(&component->rate_in, rate_counter(counters, "stanzas_in_total"));
	rate_see(&component->rate_out, rate_counter(counters, "stanzas_out_total"));
}

void
component_tick(struct component *component)
{
	struct component_host *host = component->host;
	enum watchdog_verdict verdict;

	if (component->page != NULL)
		component_measure(component);
	/* Who was told to stop has a deadline of its own; a goodbye is paced and takes its time. */
	if (component->page == NULL || component->state == COMPONENT_STOPPING)
		return;
	verdict = watchdog_look(&component->watchdog, component->page, host->stuck_s);
	if (component->watchdog.same == 0)
		component->heartbeat_seen_us = host->clock->mono_us;
	if (verdict == WATCHDOG_SLOW)
		log_write(host->log, ANNEX_LOG_WARNING,
		    "%s: has been busy %s for %u s; it is left alone", component->domain,
		    blame_phase_text(component->watchdog.phase), component->watchdog.same);
	if (verdict != WATCHDOG_STUCK || component->killed || timer_is_running(&component->kill))
		return;
	log_write(host->log, ANNEX_LOG_ERROR,
	    "%s: worker is stuck %s for %u s (stanza %016llx), aborting it", component->domain,
	    blame_phase_text(component->watchdog.phase), component->watchdog.same,
	    (unsigned long long)atomic_load(&component->page->stanza_hash));
	process_signal(&component->process, SIGABRT);
	timer_start(host->timers, &component->kill, ABORT_DEADLINE_MS, kill_due);
}

/* --- Being configured ------------------------------------------------------ */

static void
component_take(struct component *component, const struct check_section *section)
{
	free(component->hash);
	free(component->boot_hash);
	json_decref(component->section);
	component->hash = mem_strdup(section->hash);
	component->boot_hash = mem_strdup(section->boot_hash);
	component->section = json_incref(section->section);
}

enum component_update
component_update(struct component *component, const struct check_section *section)
{
	bool same = strcmp(component->hash, section->hash) == 0;
	bool same_boot = strcmp(component->boot_hash, section->boot_hash) == 0;
	bool back = component->removed;

	component->removed = false;
	component_take(component, section);
	if (!same_boot || back) {
		component_restart(component);
		return UPDATE_RESTARTED;
	}
	switch (component->state) {
	case COMPONENT_DOWN:
	case COMPONENT_DRAINING:
		component_restart(component);
		return UPDATE_STARTED;
	case COMPONENT_STARTING:
	case COMPONENT_RUNNING:
		if (same)
			return UPDATE_SAME;
		component->reloading = true;
		component_say(component, json_pack("{s:O}", "section", component->section));
		return UPDATE_OFFERED;
	case COMPONENT_WAITING:
		if (same)
			return UPDATE_SAME;
		component_restart(component);
		return UPDATE_RESTARTED;
	case COMPONENT_STOPPING:
	default:
		component->start_again = true;
		return same ? UPDATE_SAME : UPDATE_RESTARTED;
	}
}

struct component *
component_create(struct component_host *host, const struct check_section *section)
{
	struct component *component = mem_zalloc(sizeof(*component));

	component->magic = COMPONENT_MAGIC;
	component->host = host;
	component->domain = mem_strdup(section->domain);
	component->channel.watch.fd = -1;
	component->channel.passed_fd = -1;
	annex_list_init(&component->link);
	annex_list_init(&component->ready_waiters);
	annex_list_init(&component->down_waiters);
	component_take(component, section);
	return component;
}

void
component_destroy(struct component **componentp)
{
	struct component *component = *componentp;

	if (component == NULL)
		return;
	CHECK_OBJECT(component, COMPONENT_MAGIC);
	*componentp = NULL;
	component_tell(&component->ready_waiters, "is no longer wanted");
	component_tell(&component->down_waiters, NULL);
	process_destroy(&component->process);
	channel_finish(&component->channel);
	memory_destroy(&component->page);
	timer_stop(component->host->timers, &component->restart);
	timer_stop(component->host->timers, &component->kill);
	annex_list_remove(&component->link);
	json_decref(component->section);
	free(component->hash);
	free(component->boot_hash);
	free(component->domain);
	component->magic = 0;
	free(component);
}
