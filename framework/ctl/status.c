/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * status.c - how things stand, for people and for monitoring
 *
 * The exit status is what monitoring looks at: 2 where users notice (a
 * worker is down, stuck, or has no server), 1 where somebody should look
 * before they do, 0 else.
 */
#include <string.h>

#include "ctl.h"
#include "table.h"

#define YOUNG_S 60       /* a worker that has just started may still be connecting */
#define STORE_WARNING 80 /* percent of its quota */

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static double
number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static int
store_percent(const json_t *counters)
{
	double quota = number_of(counters, "store_quota_bytes");

	return quota > 0 ? (int)(100 * number_of(counters, "store_used_bytes") / quota) : 0;
}

/* How bad it is for one component. */
static int
judge(const json_t *component)
{
	const char *state = text_of(component, "state");
	bool young = number_of(component, "up_seconds") < YOUNG_S;

	if (strcmp(state, "waiting") == 0 || json_is_true(json_object_get(component, "stuck")))
		return CTL_BAD;
	if (strcmp(state, "starting") == 0)
		return young ? CTL_WARNING : CTL_BAD;
	if (strcmp(state, "running") != 0)
		return CTL_WARNING;
	if (!json_is_true(json_object_get(component, "attached")))
		return young ? CTL_WARNING : CTL_BAD;
	if (json_array_size(json_object_get(component, "quarantine")) > 0 ||
	    store_percent(json_object_get(component, "counters")) >= STORE_WARNING)
		return CTL_WARNING;
	return CTL_FINE;
}

static const char *
state_of(const json_t *component)
{
	const char *state = text_of(component, "state");

	if (json_is_true(json_object_get(component, "stuck")))
		return "stuck";
	if (strcmp(state, "running") != 0)
		return state;
	return json_is_true(json_object_get(component, "attached")) ? "attached" : "not attached";
}

static const char *
store_of(struct ctl *ctl, const json_t *counters)
{
	double used = number_of(counters, "store_used_bytes");

	if (json_object_get(counters, "store_used_bytes") == NULL)
		return "-";
	if (number_of(counters, "store_quota_bytes") <= 0)
		return text_bytes(ctl->pool, used);
	return annex_sprintf(
	    ctl->pool, "%s %d%%", text_bytes(ctl->pool, used), store_percent(counters));
}

static void
add_component(struct ctl *ctl, struct table *table, const json_t *component)
{
	const json_t *rates = json_object_get(component, "rates");
	const json_t *counters = json_object_get(component, "counters");
	bool runs = rates != NULL;
	double rss = number_of(component, "rss_anon_bytes");
	const char *const cells[] = {
		text_of(component, "domain"),
		state_of(component),
		runs ? text_seconds(ctl->pool, (json_int_t)number_of(component, "up_seconds"))
		     : "-",
		runs ? text_rate(ctl->pool, number_of(rates, "in")) : "-",
		runs ? text_rate(ctl->pool, number_of(rates, "out")) : "-",
		store_of(ctl, counters),
		rss > 0 ? text_bytes(ctl->pool, rss) : "-",
		annex_sprintf(ctl->pool, "%.0f", number_of(component, "restarts")),
	};

	table_row(table, cells);
}

/* What the columns have no room for, where there is something to say. */
static void
add_notes(struct ctl *ctl, struct table *table, const json_t *component)
{
	const json_t *quarantine = json_object_get(component, "quarantine"), *hash;
	const char *status = text_of(component, "status"), *last = text_of(component, "last_end");
	size_t i;

	if (status[0] != '\0')
		table_note(table, status);
	if (last[0] != '\0' && strcmp(last, "ended as asked") != 0 && judge(component) != CTL_FINE)
		table_note(table, annex_sprintf(ctl->pool, "its last worker %s", last));
	json_array_foreach(quarantine, i, hash) table_note(
	    table, annex_sprintf(ctl->pool, "in quarantine: stanza %s", json_string_value(hash)));
}

static void
show(struct ctl *ctl, const json_t *status)
{
	static const char *const head[] = { "COMPONENT", "STATE", "UP", "IN/S", "OUT/S", "STORE",
		"MEMORY", "RESTARTS" };
	struct table *table = table_create(ctl, sizeof(head) / sizeof(head[0]));
	const json_t *component;
	size_t i;

	fprintf(ctl->out, "annexd %s, pid %.0f, up %s: %s\n", text_of(status, "version"),
	    number_of(status, "pid"),
	    text_seconds(ctl->pool, (json_int_t)number_of(status, "up_seconds")),
	    text_of(status, "summary"));
	table_row(table, head);
	json_array_foreach(json_object_get(status, "components"), i, component)
	{
		add_component(ctl, table, component);
		add_notes(ctl, table, component);
	}
	if (i > 0)
		table_print(table);
}

int
status_command(struct ctl *ctl, const char *domain, char **words, int count)
{
	int worst = CTL_FINE, bad;
	const json_t *component;
	json_t *status;
	size_t i;

	if (count > 0)
		return ctl_complain(ctl, CTL_BAD, "status takes no \"%s\"", words[0]);
	status = ctl_ask(ctl, "annexd", "status", NULL, -1, 10000, &worst);
	if (status == NULL)
		return CTL_BAD;
	if (ctl->json)
		ctl_print_json(ctl, status);
	else
		show(ctl, status);
	json_array_foreach(json_object_get(status, "components"), i, component)
	{
		if ((bad = judge(component)) > worst)
			worst = bad;
	}
	json_decref(status);
	return worst;
}
