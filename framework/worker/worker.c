/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * worker.c - the life of one component
 *
 *	create  section, module, store, control socket, restrictions, instance
 *	start   the link
 *	drain   the component says goodbye, then the stream is closed
 *	stop    quiet: the stream is closed and nobody is told anything
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/io.h"
#include "base/utf8.h"
#include "check.h"
#include "service/output.h"
#include "service/spawner.h"
#include "worker.h"

#define DRAIN_DEADLINE_MS 240000 /* annexd waits a minute longer */
#define HEARTBEAT_MS 1000
#define MEASURE_BEATS 5 /* a leak should be seen while it can be watched */
#define TEND_MS 60000

/* --- The link ---------------------------------------------------------------- */

/* Why the link is not there, for `annexctl status`. */
static void
show_trouble(struct worker *w)
{
	const char *trouble =
	    stream_is_up(w->inst.stream) ? NULL : stream_last_trouble(w->inst.stream);
	size_t n = trouble == NULL ? 0 : strlen(trouble);

	n = n == 0 ? 0 : utf8_cut(trouble, n, sizeof(w->page->status) - 1);
	memcpy(w->page->status, n > 0 ? trouble : "", n);
	memset(w->page->status + n, 0, sizeof(w->page->status) - n);
}

static void
tell_attached(struct worker *w, bool attached)
{
	atomic_store(&w->page->attached, attached);
	parent_tell(w, "attached", attached);
}

static void
link_up(struct stream_user *user)
{
	struct worker *w = annex_container_of(user, struct worker, stream_user);

	show_trouble(w);
	tell_attached(w, true);
	while (w->inst.link == 0)
		w->inst.random->fill(w->inst.random, &w->inst.link, sizeof(w->inst.link));
	contacts_link_up(&w->inst);
	if (w->module.descriptor.link_up != NULL && instance_enter(&w->inst)) {
		w->module.descriptor.link_up(&w->inst);
		instance_leave(&w->inst);
	}
}

static void
link_down(struct stream_user *user, const char *why)
{
	struct worker *w = annex_container_of(user, struct worker, stream_user);

	tell_attached(w, false);
	w->inst.link = 0;
	questions_link_down(&w->inst);
	contacts_link_down(&w->inst);
	if (w->module.descriptor.link_down != NULL && instance_enter(&w->inst)) {
		w->module.descriptor.link_down(&w->inst);
		instance_leave(&w->inst);
	}
}

static void
link_closed(struct stream_user *user)
{
	struct worker *w = annex_container_of(user, struct worker, stream_user);

	if (w->drained)
		parent_tell(w, "drained", true);
	worker_end(w, 0, "stopped");
}

/* --- The end ------------------------------------------------------------------- */

/* At the end of this turn: what it says, goodbyes among it, must be in the queues before. */
static void
close_link(struct worker *w)
{
	w->drained = w->says_goodbye;
	w->state = WORKER_CLOSING;
	timer_stop(&w->timers, &w->stop_deadline);
	holds_reset(&w->inst);
	w->wants_close = w->wants_turn = true;
}

static void
drain_late(struct timer *timer)
{
	struct worker *w = annex_container_of(timer, struct worker, stop_deadline);

	log_write(w->log, ANNEX_LOG_WARNING, "the component did not finish saying goodbye in %d s",
	    DRAIN_DEADLINE_MS / 1000);
	w->says_goodbye = false;
	close_link(w);
}

/* Behind the component's own goodbyes, the contacts' presence. */
static void
part_from_contacts(struct worker *w)
{
	w->is_parting = true;
	if (!contacts_say_goodbye(&w->inst))
		close_link(w);
}

static void
host_stopped(struct instance_host *host)
{
	struct worker *w = annex_container_of(host, struct worker, host);

	if (w->state == WORKER_DRAINING)
		part_from_contacts(w);
}

static void
host_parted(struct instance_host *host)
{
	struct worker *w = annex_container_of(host, struct worker, host);

	if (w->state == WORKER_DRAINING)
		close_link(w);
}

static void
host_wake(struct instance_host *host)
{
	annex_container_of(host, struct worker, host)->wants_turn = true;
}

void
annexp_worker_stop(struct worker *w)
{
	w->says_goodbye = false;
	if (w->state == WORKER_RUNNING || w->state == WORKER_DRAINING)
		close_link(w);
}

/* Once more where the turn is undone: nobody has heard it then. */
void
worker_say_goodbye(struct worker *w)
{
	int status = ANNEX_OK;

	w->says_goodbye = true;
	w->wants_close = false;
	w->state = WORKER_DRAINING;
	if (!timer_is_running(&w->stop_deadline))
		timer_start(&w->timers, &w->stop_deadline, DRAIN_DEADLINE_MS, drain_late);
	if (!w->has_parted && w->module.descriptor.stop != NULL && instance_enter(&w->inst)) {
		status = w->module.descriptor.stop(&w->inst);
		instance_leave(&w->inst);
	}
	if (status != ANNEX_AGAIN && w->state == WORKER_DRAINING)
		part_from_contacts(w);
}

void
annexp_worker_drain(struct worker *w)
{
	if (w->state != WORKER_RUNNING)
		return;
	log_write(w->log, ANNEX_LOG_NOTICE, "draining");
	worker_say_goodbye(w);
}

bool
annexp_worker_has_ended(const struct worker *w)
{
	return w->state == WORKER_ENDED;
}

int
annexp_worker_exit_status(const struct worker *w)
{
	return w->exit_status;
}

/* --- Once a second, once a minute ------------------------------------------------ */

/* RssAnon of /proc/self/status, in bytes; 0 where it cannot be read. */
static uint64_t
rss_anon(void)
{
	struct buf text = { 0 };
	unsigned long kib = 0;
	const char *line;

	if (io_read_file("/proc/self/status", 1 << 16, &text) == ANNEX_OK &&
	    (line = strstr(buf_text(&text), "RssAnon:")) != NULL)
		kib = strtoul(line + strlen("RssAnon:"), NULL, 10);
	buf_finish(&text);
	return (uint64_t)kib * 1024;
}

static void
beat(struct timer *timer)
{
	struct worker *w = annex_container_of(timer, struct worker, heartbeat);

	show_trouble(w);
	atomic_fetch_add_explicit(&w->page->heartbeat, 1, memory_order_relaxed);
	if (w->beats++ % MEASURE_BEATS == 0)
		atomic_store(&w->page->rss_anon, rss_anon());
	timer_start(&w->timers, timer, w->env.beat_ms > 0 ? w->env.beat_ms : HEARTBEAT_MS, beat);
}

static void
tend(struct timer *timer)
{
	struct worker *w = annex_container_of(timer, struct worker, tend);

	store_tend(w->inst.store);
	mem_return(); /* what a peak took */
	timer_start(&w->timers, timer, TEND_MS, tend);
}

/* --- Creation ------------------------------------------------------------------------- */

static void
counts_init(struct worker *w)
{
	struct counters *c = &w->page->counters;

#define COUNT(name, help) counters_get(c, COUNTER_COUNT, name, help)
	w->counts.in = COUNT("stanzas_in_total", "Stanzas that came in.");
	w->counts.skipped =
	    COUNT("stanzas_skipped_total", "Stanzas above a limit or malformed, skipped.");
	w->counts.dropped = COUNT("stanzas_dropped_total", "Stanzas that nobody wanted.");
	w->counts.limited = COUNT("stanzas_limited_total", "Stanzas refused by rate limits.");
	w->counts.refused =
	    COUNT("stanzas_rejected_total", "Stanzas answered with an error by Annex.");
	w->counts.resets = COUNT("turns_undone_total", "Turns that failed and were undone.");
	w->counts.failed = COUNT(
	    "stanzas_failed_total", "Stanzas that failed alone, too, and were refused or put off.");
	w->counts.quarantined = COUNT(
	    "stanzas_quarantined_total", "Stanzas refused since they crashed the component twice.");
	w->counts.unasked = COUNT("answers_unasked_total", "IQ results that nobody asked for.");
#undef COUNT
}

static void
page_take(struct worker *w, struct page *page)
{
	w->owns_page = page == NULL;
	w->page = page != NULL ? page : mem_zalloc(sizeof(*page));
	w->page->magic = PAGE_MAGIC;
	w->page->size = sizeof(*page);
	atomic_store(&w->page->phase, PAGE_STARTING);
}

static int
open_store(struct worker *w, const char **why)
{
	const struct store_env env = {
		.io = w->env.store_io != NULL ? w->env.store_io : &store_io_lmdb,
		.clock = w->env.clock,
		.log = w->log,
		.counters = &w->page->counters,
		.reactor = w->env.reactor,
	};
	const struct store_options options = {
		.dir = w->section.state_dir,
		.quota_bytes = (uint64_t)w->section.store_quota_bytes,
		.volatile_sync = w->env.volatile_sync,
	};
	static const struct annex_table none[1];
	const struct annex_table *const tables[] = {
		w->module.descriptor.tables != NULL ? w->module.descriptor.tables : none,
		service_tables, NULL
	};
	int status = store_open(&w->inst.store, &env, &options, tables, w->pool, why);

	if (status == ANNEX_OK)
		store_set_scratch(w->inst.store, w->inst.scratch);
	return status;
}

static void
instance_init(struct worker *w)
{
	struct annex_instance *inst = &w->inst;

	inst->magic = INSTANCE_MAGIC;
	inst->module = &w->module.descriptor;
	inst->pool = annex_pool_create(w->pool, "instance");
	inst->scratch = annex_pool_create(w->pool, "scratch");
	inst->clock = w->env.clock;
	inst->timers = &w->timers;
	inst->random = w->env.random;
	inst->log = w->log;
	inst->counters = &w->page->counters;
	inst->reactor = w->env.reactor;
	inst->page = w->page;
	inst->host = &w->host;
	inst->started_ms = clock_wall_ms(w->env.clock);
	annex_list_init(&inst->durable_asked);
	annex_list_init(&inst->durable_due);
	annex_list_init(&inst->timer_list);
	sockets_init(inst);
}

static void
parts_init(struct worker *w)
{
	struct annex_instance *inst = &w->inst;
	const struct stream_env env = {
		.clock = w->env.clock,
		.timers = &w->timers,
		.random = w->env.random,
		.log = w->log,
		.counters = &w->page->counters,
		.reactor = w->env.reactor,
		.maker = w->env.maker,
	};

	w->stream_user =
	    (struct stream_user) { .up = link_up, .down = link_down, .closed = link_closed };
	inst->stream = stream_create(&w->section.stream, &env, &w->stream_user);
	inst->output = output_create(inst);
	questions_init(inst);
	holds_init(inst);
	commands_init(inst);
	contacts_init(inst);
	turn_init(w);
	rates_apply(w);
}

static int
fail(struct worker *w, const char **why, const char *sentence)
{
	*why = annex_strdup(w->pool, sentence);
	return ANNEX_EINVAL;
}

/* The first turn: the component's create and what it wrote. */
static int
first_turn(struct worker *w, const char **why)
{
	if (worker_create_instance(w) < 0) {
		store_abort(w->inst.store);
		return fail(w, why, "the component could not be created; see above");
	}
	if (store_commit(w->inst.store) < 0)
		return fail(w, why, "what the component wrote at its start could not be committed");
	holds_turn_done(&w->inst);
	output_splice(&w->inst);
	fences_splice(&w->inst);
	children_turn_done(&w->inst);
	sockets_turn_done(&w->inst);
	instance_durable_ready(&w->inst);
	return ANNEX_OK;
}

static int
isolate(struct worker *w, const char **why)
{
	const char *writable[] = { w->section.state_dir, w->section.run_dir, NULL };

	if (w->env.alone) {
		if (w->env.spawner_fd > 0)
			spawner_attach(&w->inst, w->env.spawner_fd, 0);
		return ANNEX_OK;
	}
	if (requests_listen(w, why) < 0)
		return ANNEX_EINVAL;
	spawner_start(&w->inst);
	restrict_process(w->log, writable);
	return ANNEX_OK;
}

static int
create(struct worker *w, const char *json, size_t len, const char **why)
{
	struct annex_pool *pool = annex_pool_create(w->pool, "section");
	struct section section;

	if (section_read(json, len, pool, &section, why) < 0)
		return ANNEX_EINVAL;
	w->log = log_create(section.domain, w->env.clock, w->env.log_sink, w->env.log_cookie);
	if (module_load(section.module_path, w->pool, &w->module, why) < 0)
		return ANNEX_EINVAL;
	instance_init(w);
	if (worker_apply(w, pool, &section, why) < 0)
		return ANNEX_EINVAL;
	if (open_store(w, why) < 0)
		return ANNEX_ESTORE;
	if (isolate(w, why) < 0)
		return ANNEX_EINVAL;
	parts_init(w);
	return first_turn(w, why);
}

struct worker *
annexp_worker_create(const struct worker_env *env, const char *section, size_t section_len,
    char *why, size_t why_size)
{
	struct worker *w = mem_zalloc(sizeof(*w));
	const char *sentence = "unknown";

	w->env = *env;
	w->pool = annex_pool_create(NULL, "worker");
	w->host = (struct instance_host) {
		.wake = host_wake, .stopped = host_stopped, .parted = host_parted
	};
	timers_init(&w->timers, env->clock);
	annex_list_init(&w->answers);
	annex_list_init(&w->tracers);
	annex_list_init(&w->handled);
	annex_list_init(&w->retry);
	page_take(w, env->page);
	counts_init(w);
#ifdef ANNEX_FAULT_SWITCH
	w->breaks_durability = getenv("ANNEX_FAULT") != NULL &&
	    strcmp(getenv("ANNEX_FAULT"), "send-before-commit") == 0;
#endif
	if (create(w, section, section_len, &sentence) < 0) {
		snprintf(why, why_size, "%s", sentence);
		annexp_worker_destroy(&w);
		return NULL;
	}
	beat(&w->heartbeat);
	tend(&w->tend);
	return w;
}

void
annexp_worker_start(struct worker *w)
{
	if (w->env.parent_fd >= 0)
		parent_listen(w);
	log_write(w->log, ANNEX_LOG_NOTICE, "started (module %s)", w->module.descriptor.name);
	stream_start(w->inst.stream);
}

/* In reverse; every part may be missing where create failed. */
void
annexp_worker_destroy(struct worker **wp)
{
	struct worker *w = *wp;

	if (w == NULL)
		return;
	*wp = NULL;
	if (w->inst.output != NULL) {
		worker_destroy_instance(w);
		turn_discard(w);
		requests_turn_failed(w);
		instance_durable_reset(&w->inst);
		jobs_finish(&w->inst);
		alarms_finish(&w->inst);
		contacts_finish(&w->inst);
		commands_finish(&w->inst);
		holds_finish(&w->inst);
		questions_finish(&w->inst);
		output_destroy(&w->inst.output);
		stream_destroy(&w->inst.stream);
	}
	requests_close(w);
	spawner_stop(&w->inst);
	parent_close(w);
	if (w->inst.store != NULL)
		store_close(&w->inst.store);
	log_destroy(&w->log);
	timers_finish(&w->timers);
	if (w->owns_page)
		free(w->page);
	annex_pool_destroy(&w->pool);
	free(w);
}
