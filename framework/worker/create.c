/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * create.c - a worker is put together, and taken apart in reverse
 *
 *	section, module, store, control socket, restrictions, instance
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "service/output.h"
#include "service/spawner.h"
#include "worker.h"

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
	worker_init(w);
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
	worker_beat(w);
	return w;
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
