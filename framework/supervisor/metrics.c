/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * metrics.c - the pages of all workers as Prometheus text
 *
 * Pages are read while workers write them, and a worker gone mad may have
 * written anything: names are copied and checked, counts bounded, indexes
 * compared.  A name that two workers use for different types is shown for
 * those who agree with the first.
 */
#include <inttypes.h>
#include <string.h>

#include <annex/map.h>
#include <annex/pool.h>

#include "base/utf8.h"

#include "metrics.h"

#define HISTOGRAMS (sizeof(((struct counters *)0)->histogram) / sizeof(struct counter_histogram))

static const char *const type_names[] = {
	[COUNTER_COUNT] = "counter",
	[COUNTER_GAUGE] = "gauge",
	[COUNTER_HISTOGRAM] = "histogram",
};

/* What annexd itself says of each worker. */
struct own_metric {
	const char *name, *type, *help;
	bool (*value)(const struct metrics_source *source, double *value_r);
};

static bool
value_up(const struct metrics_source *source, double *value_r)
{
	*value_r = source->up;
	return true;
}

static bool
value_attached(const struct metrics_source *source, double *value_r)
{
	*value_r = source->up && source->page != NULL && atomic_load(&source->page->attached) != 0;
	return true;
}

static bool
value_restarts(const struct metrics_source *source, double *value_r)
{
	*value_r = (double)source->restarts;
	return true;
}

static bool
value_crashes(const struct metrics_source *source, double *value_r)
{
	*value_r = (double)source->crashes;
	return true;
}

static bool
value_heartbeat_age(const struct metrics_source *source, double *value_r)
{
	*value_r = source->heartbeat_age_s;
	return source->up && source->heartbeat_age_s >= 0;
}

static bool
value_quarantined(const struct metrics_source *source, double *value_r)
{
	*value_r = (double)source->quarantined;
	return true;
}

static bool
value_rss_anon(const struct metrics_source *source, double *value_r)
{
	if (!source->up || source->page == NULL)
		return false;
	*value_r = (double)atomic_load(&source->page->rss_anon);
	return *value_r > 0;
}

static const struct own_metric own_metrics[] = {
	{ "worker_up", "gauge", "Whether the worker runs and is ready.", value_up },
	{ "worker_attached", "gauge", "Whether the server accepted the component.",
	    value_attached },
	{ "worker_restarts_total", "counter", "Starts of the worker after its first.",
	    value_restarts },
	{ "worker_crashes_total", "counter", "Abnormal ends of the worker.", value_crashes },
	{ "worker_heartbeat_age_seconds", "gauge", "Time since the worker's loop was seen to turn.",
	    value_heartbeat_age },
	{ "worker_quarantined_stanzas", "gauge", "Stanzas refused because they crashed the worker.",
	    value_quarantined },
	{ "worker_rss_anon_bytes", "gauge", "Anonymous resident memory of the worker.",
	    value_rss_anon },
};

#define OWN_METRICS (sizeof(own_metrics) / sizeof(own_metrics[0]))

bool
metrics_slot_name(const struct counter_slot *slot, char name[COUNTER_NAME_MAX])
{
	memcpy(name, slot->name, COUNTER_NAME_MAX);
	if (memchr(name, '\0', COUNTER_NAME_MAX) == NULL || name[0] < 'a' || name[0] > 'z')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

size_t
metrics_slot_count(const struct counters *counters)
{
	uint32_t n = __atomic_load_n(&counters->count, __ATOMIC_RELAXED);

	return n < COUNTER_SLOTS ? n : COUNTER_SLOTS;
}

/* Text within quotes or in HELP: backslash, newline, and for labels the quote are escaped. */
static void
put_escaped(struct buf *out, const char *text, size_t len, bool label)
{
	for (const char *c = text; c < text + len; c++) {
		if (*c == '\\' || (label && *c == '"'))
			buf_putc(out, '\\');
		if (*c == '\n')
			buf_puts(out, "\\n");
		else
			buf_putc(out, *c);
	}
}

static void
put_label(struct buf *out, const char *domain)
{
	buf_puts(out, "domain=\"");
	put_escaped(out, domain, strlen(domain), true);
	buf_putc(out, '"');
}

static void
put_head(struct buf *out, const char *name, const char *type, const char *help, size_t help_len)
{
	if (help_len > 0 && utf8_is_valid(help, help_len)) {
		buf_printf(out, "# HELP annex_%s ", name);
		put_escaped(out, help, help_len, false);
		buf_putc(out, '\n');
	}
	buf_printf(out, "# TYPE annex_%s %s\n", name, type);
}

static void
put_own(struct buf *out, const struct own_metric *metric, const struct metrics_source *sources,
    size_t n)
{
	double value;

	put_head(out, metric->name, metric->type, metric->help, strlen(metric->help));
	for (size_t i = 0; i < n; i++) {
		if (!metric->value(&sources[i], &value))
			continue;
		buf_printf(out, "annex_%s{", metric->name);
		put_label(out, sources[i].domain);
		buf_printf(out, "} %.15g\n", value);
	}
}

static void
put_histogram(struct buf *out, const char *name, const char *domain,
    const struct counter_histogram *histogram)
{
	int64_t below = 0;

	for (size_t i = 0; i < COUNTER_BUCKETS; i++) {
		below += __atomic_load_n(&histogram->bucket[i], __ATOMIC_RELAXED);
		buf_printf(out, "annex_%s_bucket{", name);
		put_label(out, domain);
		if (i < COUNTER_BUCKETS - 1)
			buf_printf(out, ",le=\"%.6f\"} ", (double)(16u << i) / 1e6);
		else
			buf_puts(out, ",le=\"+Inf\"} ");
		buf_printf(out, "%" PRId64 "\n", below);
	}
	buf_printf(out, "annex_%s_sum{", name);
	put_label(out, domain);
	buf_printf(
	    out, "} %.6f\n", (double)__atomic_load_n(&histogram->sum_us, __ATOMIC_RELAXED) / 1e6);
	buf_printf(out, "annex_%s_count{", name);
	put_label(out, domain);
	/* As many as the buckets say, even if one came between reading the two. */
	buf_printf(out, "} %" PRId64 "\n", below);
}

static void
put_sample(struct buf *out, const char *name, const struct metrics_source *source,
    const struct counter_slot *slot, uint32_t type)
{
	if (type == COUNTER_HISTOGRAM) {
		uint32_t h = __atomic_load_n(&slot->histogram, __ATOMIC_RELAXED);

		if (h < HISTOGRAMS)
			put_histogram(
			    out, name, source->domain, &source->page->counters.histogram[h]);
		return;
	}
	buf_printf(out, "annex_%s{", name);
	put_label(out, source->domain);
	buf_printf(out, "} %" PRId64 "\n", __atomic_load_n(&slot->value, __ATOMIC_RELAXED));
}

/* The slot of that name and type in a page; likely_i is where the neighbours have it. */
static const struct counter_slot *
find_slot(const struct page *page, const char *name, uint32_t type, size_t likely_i)
{
	size_t n = metrics_slot_count(&page->counters);

	for (size_t tried = 0; tried <= n; tried++) {
		size_t i = tried == 0 ? likely_i : tried - 1;
		const struct counter_slot *slot = &page->counters.slot[i];

		if (i < n && __atomic_load_n(&slot->type, __ATOMIC_RELAXED) == type &&
		    strncmp(slot->name, name, COUNTER_NAME_MAX) == 0)
			return slot;
	}
	return NULL;
}

/* All samples of the name that slot i of the first source has, from there on. */
static void
put_family(struct buf *out, const struct metrics_source *sources, size_t n, size_t i,
    const char *name, uint32_t type)
{
	const struct counter_slot *slot = &sources[0].page->counters.slot[i];
	char help[COUNTER_HELP_MAX];

	memcpy(help, slot->help, sizeof(help));
	put_head(out, name, type_names[type], help, strnlen(help, sizeof(help)));
	put_sample(out, name, &sources[0], slot, type);
	for (size_t s = 1; s < n; s++) {
		slot = sources[s].page != NULL ? find_slot(sources[s].page, name, type, i) : NULL;
		if (slot != NULL)
			put_sample(out, name, &sources[s], slot, type);
	}
}

static void
put_pages(struct buf *out, struct annex_map *seen, const struct metrics_source *sources, size_t n)
{
	char name[COUNTER_NAME_MAX];

	for (size_t s = 0; s < n; s++) {
		const struct page *page = sources[s].page;

		for (size_t i = 0; page != NULL && i < metrics_slot_count(&page->counters); i++) {
			const struct counter_slot *slot = &page->counters.slot[i];
			uint32_t type = __atomic_load_n(&slot->type, __ATOMIC_RELAXED);

			if (type < COUNTER_COUNT || type > COUNTER_HISTOGRAM ||
			    !metrics_slot_name(slot, name) || annex_map_get_str(seen, name) != NULL)
				continue;
			annex_map_set_str(seen, name, seen);
			put_family(out, sources + s, n - s, i, name, type);
		}
	}
}

void
metrics_render(struct buf *out, const char *version, const struct metrics_source *sources, size_t n)
{
	struct annex_pool *pool = annex_pool_create(NULL, "metrics");
	struct annex_map *seen = annex_map_create(pool);
	static const char help[] = "Which Annex this is.";

	put_head(out, "build_info", "gauge", help, sizeof(help) - 1);
	buf_puts(out, "annex_build_info{version=\"");
	put_escaped(out, version, strlen(version), true);
	buf_puts(out, "\"} 1\n");
	annex_map_set_str(seen, "build_info", seen);
	for (size_t i = 0; i < OWN_METRICS; i++) {
		put_own(out, &own_metrics[i], sources, n);
		annex_map_set_str(seen, own_metrics[i].name, seen);
	}
	put_pages(out, seen, sources, n);
	annex_pool_destroy(&pool);
}
