/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * component_end.c - a worker has ended: how, through whom, and what comes next
 */
#include <stdio.h>
#include <sys/wait.h>

#include <annex/pool.h>

#include "component_inside.h"
#include "memory.h"

/* "crashed", and by which stanza: the loud part. */
static void
component_blame(struct component *component, const char *end)
{
	struct log *log = component->host->log;
	uint64_t hash;
	unsigned phase = atomic_load(&component->page->phase);
	enum blame_verdict verdict = blame_page(&component->blame, component->page, &hash);

	component->crashes++;
	snprintf(component->last_end, sizeof(component->last_end), "crashed %s: %s",
	    blame_phase_text(phase), end);
	log_write(log, ANNEX_LOG_ERROR, "%s: worker %s", component->domain, component->last_end);
	if (verdict == BLAME_SUSPECT)
		log_write(log, ANNEX_LOG_WARNING,
		    "%s: stanza %016llx is suspected; if it crashes the worker again it will be "
		    "refused",
		    component->domain, (unsigned long long)hash);
	else if (verdict == BLAME_QUARANTINED)
		log_write(log, ANNEX_LOG_ERROR,
		    "%s: stanza %016llx crashed the worker again and is in quarantine: it is "
		    "refused from now on, until the component is restarted by hand or gets "
		    "another module",
		    component->domain, (unsigned long long)hash);
}

/* An end nobody asked for. */
static void
component_explain_end(struct component *component, int status, struct annex_pool *pool)
{
	const char *end = process_end_text(status, pool);
	struct log *log = component->host->log;

	if (WIFSIGNALED(status) || WEXITSTATUS(status) > 2 ||
	    atomic_load(&component->page->phase) == PAGE_HANDLER) {
		component_blame(component, end);
		return;
	}
	snprintf(component->last_end, sizeof(component->last_end), "ended by itself: %s%s", end,
	    WEXITSTATUS(status) == 2 ? " (it cannot start; its log says why)" : "");
	log_write(log, WEXITSTATUS(status) == 0 ? ANNEX_LOG_NOTICE : ANNEX_LOG_ERROR,
	    "%s: worker %s", component->domain, component->last_end);
}

/* What comes after an end. */
static void
component_go_on(struct component *component, int64_t healthy_ms)
{
	if (component->removed) {
		component->host->gone(component->host, component);
		return;
	}
	if (!component_is_ending(component)) {
		component_wait_to_restart(component, healthy_ms);
		return;
	}
	component_set_state(component, COMPONENT_DOWN);
	component_tell(&component->down_waiters, NULL);
	if (component->start_again)
		component_start(component);
	else
		component_tell(&component->ready_waiters, "was stopped meanwhile");
}

void
component_ended(struct process *process, int status)
{
	struct component *component = annex_container_of(process, struct component, process);
	struct component_host *host = component->host;
	struct annex_pool *pool = annex_pool_create(NULL, "end of a worker");
	int64_t healthy_ms =
	    component->ready_us > 0 ? (host->clock->mono_us - component->ready_us) / 1000 : 0;

	timer_stop(host->timers, &component->kill);
	channel_finish(&component->channel);
	if (component_is_ending(component)) {
		snprintf(component->last_end, sizeof(component->last_end), "%s",
		    component->killed ? "was killed, because it did not end in time"
				      : "ended as asked");
		log_write(host->log, ANNEX_LOG_INFO, "%s: worker %s (%s)", component->domain,
		    component->last_end, process_end_text(status, pool));
	} else {
		component_explain_end(component, status, pool);
		component_tell(&component->ready_waiters, component->last_end);
	}
	annex_pool_destroy(&pool);
	memory_destroy(&component->page);
	component_reloaded(component, "its worker ended meanwhile");
	component_go_on(component, healthy_ms);
}
