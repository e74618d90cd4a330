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
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <annex/pool.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/io.h"

#include "component.h"
#include "memory.h"

#define STOP_DEADLINE_MS 20000
#define DRAIN_DEADLINE_MS 300000
#define ABORT_DEADLINE_MS 5000

static void component_ended(struct process *process, int status);

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

static void
component_set_state(struct component *component, enum component_state state)
{
	component->state = state;
	component->host->changed(component->host, component);
}

static void
tell_waiters(struct annex_link *waiters, const char *failure)
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

static void
component_reloaded(struct component *component, const char *failed)
{
	if (!component->reloading)
		return;
	component->reloading = false;
	component->host->reloaded(component->host, component, failed);
}

/* What the worker says. */

static void
heard_ready(struct component *component, json_t *value)
{
	if (component->state != COMPONENT_STARTING)
		return;
	component->ready_us = component->host->clock->mono_us;
	component_set_state(component, COMPONENT_RUNNING);
	tell_waiters(&component->ready_waiters, NULL);
}

static void
heard_attached(struct component *component, json_t *value)
{
	component->host->changed(component->host, component);
}

static void
heard_reloaded(struct component *component, json_t *value)
{
	component_reloaded(component, NULL);
}

static void
heard_failed(struct component *component, json_t *value)
{
	const char *why = json_string_value(value);

	/* It goes on as it was, so the next reload must offer the section again. */
	component->hash[0] = '\0';
	component_reloaded(component, why != NULL ? why : "refused without a reason");
}

static void
heard_drained(struct component *component, json_t *value)
{
	log_write(component->host->log, ANNEX_LOG_INFO, "%s: said goodbye to everybody",
	    component->domain);
}

static const struct {
	const char *key;
	void (*heard)(struct component *component, json_t *value);
} words[] = {
	{ "ready", heard_ready },
	{ "attached", heard_attached },
	{ "reloaded", heard_reloaded },
	{ "failed", heard_failed },
	{ "drained", heard_drained },
};

static void
component_line(struct channel *channel, char *line, size_t len)
{
	struct component *component = annex_container_of(channel, struct component, channel);
	json_t *root = json_loadb(line, len, 0, NULL), *value;
	bool known = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((value = json_object_get(root, words[i].key)) == NULL)
			continue;
		known = true;
		words[i].heard(component, value);
	}
	if (!known)
		log_write(component->host->log, ANNEX_LOG_REMOTE,
		    "%s: the worker said what is not understood: %.100s", component->domain, line);
	json_decref(root);
}

static void
component_channel_ended(struct channel *channel, const char *why)
{
	channel_finish(channel);
}

static int
say(struct component *component, json_t *message)
{
	int r = channel_send(&component->channel, message);

	json_decref(message);
	return r;
}

/* Starting. */

static int
launch(struct component *component, int theirs, int page_fd)
{
	struct component_host *host = component->host;
	const char *const argv[] = { host->program, "--worker", NULL };
	struct process_plan plan = {
		.path = host->program,
		.argv = argv,
		.fds = { -1, STDERR_FILENO, STDERR_FILENO, theirs, page_fd },
		.fd_count = 5,
	};

	return process_start(&component->process, host->reactor, &plan, component_ended);
}

/* The process with its socketpair and page; ANNEX_EIO with errno and nothing left behind. */
static int
component_launch(struct component *component)
{
	int pair[2] = { -1, -1 }, page_fd = -1, r;

	memory_destroy(&component->page); /* of the last one: shown until now */
	if ((r = memory_create(&component->page, &page_fd)) < 0)
		return r;
	blame_tell(&component->blame, component->page);
	r = ANNEX_EIO;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0)
		r = launch(component, pair[1], page_fd);
	io_close(&page_fd);
	io_close(&pair[1]);
	if (r < 0) {
		memory_destroy(&component->page);
		io_close(&pair[0]);
		return r;
	}
	channel_init(&component->channel, component->host->reactor, pair[0], component_line,
	    component_channel_ended);
	say(component, json_pack("{s:O}", "section", component->section));
	return ANNEX_OK;
}

static void
restart_due(struct timer *timer)
{
	component_start(annex_container_of(timer, struct component, restart));
}

static void
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
		tell_waiters(&component->ready_waiters, component->last_end);
		component_wait_to_restart(component, 0);
		return;
	}
	log_write(host->log, ANNEX_LOG_INFO, "%s: worker started (pid %d)", component->domain,
	    (int)component->process.pid);
	component_set_state(component, COMPONENT_STARTING);
}

/* Ending. */

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
		tell_waiters(&component->down_waiters, NULL);
		return;
	}
	if (drain) {
		say(component, json_pack("{s:b}", "drain", 1));
		timer_start(timers, &component->kill, DRAIN_DEADLINE_MS, kill_due);
		component_set_state(component, COMPONENT_DRAINING);
		return;
	}
	/* A word and a signal: whichever the worker notices first. */
	say(component, json_pack("{s:b}", "stop", 1));
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

static bool
component_is_ending(const struct component *component)
{
	return component->state == COMPONENT_STOPPING || component->state == COMPONENT_DRAINING;
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
	tell_waiters(&component->down_waiters, NULL);
	if (component->start_again)
		component_start(component);
	else
		tell_waiters(&component->ready_waiters, "was stopped meanwhile");
}

static void
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
		tell_waiters(&component->ready_waiters, component->last_end);
	}
	annex_pool_destroy(&pool);
	memory_destroy(&component->page);
	component_reloaded(component, "its worker ended meanwhile");
	component_go_on(component, healthy_ms);
}

/* Watching. */

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

/* Being configured. */

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
		say(component, json_pack("{s:O}", "section", component->section));
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
	tell_waiters(&component->ready_waiters, "is no longer wanted");
	tell_waiters(&component->down_waiters, NULL);
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
