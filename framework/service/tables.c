/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tables.c - the framework's own tables in a component's store, its alarms and jobs
 *
 * Numbers from 1000 are the framework's; never reuse one.
 */
#include <annex/timer.h>

#include "contact.h"

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

static const struct annex_key_part by_contact[] = {
	{ "me", ANNEX_KEY_TEXT },
	{ "contact", ANNEX_KEY_TEXT },
	{ 0 },
};

static const struct annex_key_part by_view[] = {
	{ "me", ANNEX_KEY_TEXT },
	{ "kind", ANNEX_KEY_U64 },
	{ "whose", ANNEX_KEY_TEXT },
	{ "resource", ANNEX_KEY_TEXT },
	{ 0 },
};

static const struct annex_key_part by_sha1[] = {
	{ "sha1", ANNEX_KEY_TEXT },
	{ 0 },
};

static const struct annex_key_part by_me[] = {
	{ "me", ANNEX_KEY_TEXT },
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
	[TABLE_CONTACT] = {
	    .number = 1003,
	    .name = "annex_contact",
	    .key = by_contact,
	    .record = &annex__service__contact__descriptor,
	    .version = 1,
	},
	[TABLE_VIEW] = {
	    .number = 1004,
	    .name = "annex_view",
	    .key = by_view,
	    .record = &annex__service__view__descriptor,
	    .version = 1,
	},
	[TABLE_SELF] = {
	    .number = 1005,
	    .name = "annex_self",
	    .key = by_me,
	    .record = &annex__service__self__descriptor,
	    .version = 1,
	},
	[TABLE_ROUTED] = {
	    .number = 1006,
	    .name = "annex_routed",
	    .key = by_number,
	    .record = &annex__service__routed__descriptor,
	    .version = 1,
	},
	[TABLE_AVATAR] = {
	    .number = 1007,
	    .name = "annex_avatar",
	    .key = by_sha1,
	    .record = &annex__service__avatar__descriptor,
	    .version = 1,
	},
	[TABLE_AVATAR_USE] = {
	    .number = 1008,
	    .name = "annex_avatar_use",
	    .key = by_sha1,
	    .record = &annex__service__avatar_use__descriptor,
	    .version = 1,
	},
	{ 0 },
};

const struct annex_alarm service_alarms[] = {
	{ "annex-view", view_expired, { 0 } },
	{ 0 },
};

const struct annex_job service_jobs[] = {
	{ "annex-contacts", contacts_remove_some, { 0 } },
	{ 0 },
};
