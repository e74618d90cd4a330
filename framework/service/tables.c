/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tables.c - the framework's own tables in a component's store
 *
 * Numbers from 1000 are the framework's; never reuse one.
 */
#include "service.pb-c.h"
#include "tables.h"

static const struct annex_key_part by_time[] = {
	{ "due_ms", ANNEX_KEY_U64 },
	{ "kind", ANNEX_KEY_TEXT },
	{ "key", ANNEX_KEY_BYTES },
	{ 0 },
};

static const struct annex_key_part by_name[] = {
	{ "kind", ANNEX_KEY_TEXT },
	{ "key", ANNEX_KEY_BYTES },
	{ 0 },
};

static const struct annex_key_part by_number[] = {
	{ "number", ANNEX_KEY_U64 },
	{ 0 },
};

const struct annex_table service_tables[] = {
	[TABLE_ALARM] = {
	    .number = 1000,
	    .name = "annex_alarm",
	    .key = by_time,
	    .record = &annex__service__alarm__descriptor,
	    .version = 1,
	},
	[TABLE_ALARM_DUE] = {
	    .number = 1001,
	    .name = "annex_alarm_due",
	    .key = by_name,
	    .record = &annex__service__alarm_due__descriptor,
	    .version = 1,
	},
	[TABLE_JOB] = {
	    .number = 1002,
	    .name = "annex_job",
	    .key = by_number,
	    .record = &annex__service__job__descriptor,
	    .version = 1,
	},
	{ 0 },
};
