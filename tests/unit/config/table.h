/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * table.h - a table with an option of each type, and settings that it reads
 */
#ifndef TEST_CONFIG_TABLE_H
#define TEST_CONFIG_TABLE_H

#include "config/config.h"

struct settings {
	int64_t max_occupants, anything;
	int64_t idle_ms, longest_ms;
	int64_t avatar_bytes;
	bool open;
	const char *title, *tls, *owner;
	struct annex_strings words, admins;
};

extern const struct annex_option table[];

/* Stands in for the preparation of JIDs: lower case, and an @ must be there. */
config_jid_fn prepare;

struct fixture {
	struct annex_pool *pool;
	struct config_errors errors;
	struct settings settings;
};

int setup(void **state);
int teardown(void **state);

/* Read text as module muc, which also has module and servers. */
void read_by(struct fixture *f, const struct annex_option *options, const char *text);

/* What was wrong, a line each. */
const char *sentences(struct fixture *f);

#endif /* TEST_CONFIG_TABLE_H */
