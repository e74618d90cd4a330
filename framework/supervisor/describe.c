/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * describe.c - a component as `annexctl status` shows it
 *
 * Read from the page alone, so a stuck worker is described as well as any.
 */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#include "component.h"
#include "metrics.h"

static json_t *
describe_slot(const struct page *page, const struct counter_slot *slot)
{
	const struct counters *counters = &page->counters;
	size_t histograms = sizeof(counters->histogram) / sizeof(counters->histogram[0]);
	uint32_t h = __atomic_load_n(&slot->histogram, __ATOMIC_RELAXED);
	json_int_t value = __atomic_load_n(&slot->value, __ATOMIC_RELAXED);

	if (__atomic_load_n(&slot->type, __ATOMIC_RELAXED) != COUNTER_HISTOGRAM)
		return json_integer(value);
	if (h >= histograms)
		return NULL;
	return json_pack("{s:I, s:I}", "count", value, "sum_us",
	    (json_int_t)__atomic_load_n(&counters->histogram[h].sum_us, __ATOMIC_RELAXED));
}

static json_t *
describe_counters(const struct page *page)
{
	json_t *all = json_object(), *value;
	char name[COUNTER_NAME_MAX];

	for (size_t i = 0; i < metrics_slot_count(&page->counters); i++) {
		const struct counter_slot *slot = &page->counters.slot[i];

		if (metrics_slot_name(slot, name) && (value = describe_slot(page, slot)) != NULL)
			json_object_set_new(all, name, value);
	}
	return all;
}

/* What the worker says of itself, if it is text. */
static json_t *
describe_status(const struct page *page)
{
	char text[sizeof(page->status)];
	size_t len;

	memcpy(text, page->status, sizeof(text));
	len = strnlen(text, sizeof(text));
	return utf8_is_xml(text, len) ? json_stringn(text, len) : json_string("");
}

static json_t *
describe_quarantine(const struct blame *blame)
{
	json_t *list = json_array();
	char text[20];

	for (size_t i = 0; i < blame->count; i++) {
		if (blame->entry[i].crashes < 2)
			continue;
		snprintf(text, sizeof(text), "%016llx", (unsigned long long)blame->entry[i].hash);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static void
describe_worker(const struct component *c, json_t *all)
{
	const struct page *page = c->page;
	int64_t now = c->host->clock->mono_us;

	json_object_set_new(all, "pid", json_integer(c->process.pid));
	json_object_set_new(all, "up_seconds", json_integer((now - c->started_us) / 1000000));
	json_object_set_new(all, "phase", json_string(blame_phase_text(atomic_load(&page->phase))));
	json_object_set_new(all, "heartbeat_age_seconds", json_real(component_heartbeat_age_s(c)));
	json_object_set_new(all, "stuck", json_boolean(timer_is_running(&c->kill)));
	json_object_set_new(
	    all, "rss_anon_bytes", json_integer((json_int_t)atomic_load(&page->rss_anon)));
	json_object_set_new(all, "status", describe_status(page));
	json_object_set_new(all, "rates",
	    json_pack("{s:f, s:f}", "in", c->rate_in.per_s, "out", c->rate_out.per_s));
	json_object_set_new(all, "counters", describe_counters(page));
}

json_t *
component_describe(const struct component *c)
{
	json_t *all = json_object();

	json_object_set_new(all, "domain", json_string(c->domain));
	json_object_set_new(all, "module", json_incref(json_object_get(c->section, "module")));
	json_object_set_new(all, "state", json_string(component_state_text(c)));
	json_object_set_new(all, "attached", json_boolean(component_is_attached(c)));
	json_object_set_new(
	    all, "restarts", json_integer(c->starts > 0 ? (json_int_t)c->starts - 1 : 0));
	json_object_set_new(all, "crashes", json_integer((json_int_t)c->crashes));
	if (c->last_end[0] != '\0')
		json_object_set_new(all, "last_end", json_string(c->last_end));
	json_object_set_new(all, "quarantine", describe_quarantine(&c->blame));
	if (c->page != NULL)
		describe_worker(c, all);
	return all;
}
