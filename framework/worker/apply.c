/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * apply.c - a section taken up, at the start and at a reload
 *
 * What the component may point to of the section before stays until the turn has ended.
 */
#include "config.h"

#include <string.h>

#include "modules.h"
#include "service/output.h"
#include "worker.h"

#define ADDED_BYTES (16u << 10) /* what a component may add to the largest stanza that came in */

static const struct log_level_name {
	const char *name;
	enum annex_log_level level;
} log_levels[] = {
	{ "error", ANNEX_LOG_ERROR },
	{ "warning", ANNEX_LOG_WARNING },
	{ "notice", ANNEX_LOG_NOTICE },
	{ "info", ANNEX_LOG_INFO },
	{ "debug", ANNEX_LOG_DEBUG },
};

static void
apply_log_level(struct worker *w)
{
	for (size_t i = 0; i < sizeof(log_levels) / sizeof(*log_levels); i++)
		if (w->section.log_level != NULL &&
		    strcmp(w->section.log_level, log_levels[i].name) == 0)
			log_set_level(w->log, log_levels[i].level);
}

static bool
is_settings_change(const struct section *a, const struct section *b)
{
	return !json_equal(a->options, b->options);
}

static void
pool_retire(void *pool)
{
	struct annex_pool *old = pool;

	annex_pool_destroy(&old);
}

/* The component may still point into it: it goes when the turn has ended. */
static void
retire(struct worker *w, struct annex_pool *old)
{
	if (old == NULL)
		return;
	if (w->retired == NULL)
		w->retired = annex_pool_create(w->pool, "retired");
	annex_pool_on_destroy(w->retired, pool_retire, old);
}

/* Settings are read by the module's table, into a pool of their own: those that did not change
 * stay where they are, since the component is not told. */
static int
apply_settings(
    struct worker *w, struct annex_pool *pool, const struct section *section, const char **why)
{
	const struct annex_module *m = &w->module.descriptor;
	struct annex_pool *own = annex_pool_create(w->pool, "settings");
	void *settings = annex_pool_zalloc(own, m->settings_size + 1);

	if ((m->options != NULL && section_settings(section, m->options, settings, own, why) < 0) ||
	    (m->check != NULL && m->check(settings, own, why) < 0)) {
		*why = annex_strdup(pool, *why);
		annex_pool_destroy(&own);
		return ANNEX_EINVAL;
	}
	retire(w, w->settings_pool);
	w->settings_pool = own;
	w->inst.settings = settings;
	return ANNEX_OK;
}

/* The component keeps its domain's text: it is read once. */
static int
apply_domain(
    struct worker *w, struct annex_pool *pool, const struct section *section, const char **why)
{
	const struct annex_jid *jid;

	if (w->inst.jid != NULL)
		return ANNEX_OK;
	jid = annex_jid(w->pool, section->domain);
	if (jid == NULL || jid->local != NULL || jid->resource != NULL) {
		*why = annex_sprintf(pool, "\"%s\" is not a domain", section->domain);
		return ANNEX_EINVAL;
	}
	w->inst.jid = jid;
	return ANNEX_OK;
}

int
worker_apply(
    struct worker *w, struct annex_pool *pool, const struct section *section, const char **why)
{
	if (apply_domain(w, pool, section, why) < 0 ||
	    ((w->inst.settings == NULL || is_settings_change(section, &w->section)) &&
		apply_settings(w, pool, section, why) < 0))
		return ANNEX_EINVAL;
	w->inst.admins = section->admins;
	w->inst.local_domains = section->local_domains;
	w->inst.run_dir = section->run_dir;
	w->inst.program_dir = modules_programs(pool, w->module.descriptor.name);
	w->inst.contact_uris = section->contacts;
	w->inst.section_pool = pool;
	w->section = *section;
	apply_log_level(w);
	return ANNEX_OK;
}

void
rates_apply(struct worker *w)
{
	const struct section *s = &w->section;

	annex_pool_destroy(&w->rates_pool);
	w->rates_pool = annex_pool_create(w->pool, "rates");
	output_set_max(w->inst.output, s->stream.limits.stanza_bytes + ADDED_BYTES);
	contacts_configure(&w->inst, &s->presence);
	w->jid_rate = annex_buckets_create(w->rates_pool, s->rate_per_jid, s->burst_per_jid, 65536);
	w->domain_rate =
	    annex_buckets_create(w->rates_pool, s->rate_per_domain, s->burst_per_domain, 4096);
}

/* The component takes up its new options, in this turn. */
static void
reload_component(struct worker *w)
{
	const struct annex_module *m = &w->module.descriptor;
	int status = ANNEX_ERESTART;

	if (m->reload != NULL && instance_enter(&w->inst)) {
		status = m->reload(&w->inst);
		instance_leave(&w->inst);
	}
	if (status < 0)
		turn_renew(w);
}

int
worker_reload(struct worker *w, const char *json, size_t len, const char **why)
{
	struct annex_pool *pool = annex_pool_create(w->pool, "section"),
			  *old = w->inst.section_pool;
	struct section section;
	bool settings_changed;

	if (section_read(json, len, pool, &section, why) < 0)
		goto refuse;
	if (strcmp(section.domain, w->section.domain) != 0 ||
	    strcmp(section.module_path, w->section.module_path) != 0) {
		*why = "a new domain or module needs a new worker";
		goto refuse;
	}
	settings_changed = is_settings_change(&section, &w->section);
	if (worker_apply(w, pool, &section, why) < 0)
		goto refuse;
	stream_reconfigure(w->inst.stream, &w->section.stream);
	rates_apply(w);
	store_set_quota(w->inst.store, (uint64_t)w->section.store_quota_bytes);
	if (settings_changed)
		reload_component(w);
	retire(w, old);
	log_write(w->log, ANNEX_LOG_NOTICE, "reloaded");
	return ANNEX_OK;

refuse:
	*why = annex_strdup(w->inst.scratch, *why);
	annex_pool_destroy(&pool);
	return ANNEX_EINVAL;
}
