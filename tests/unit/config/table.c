/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * table.c - a table with an option of each type, and settings that it reads
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

static const char *const tls_choices[] = { "no", "direct", NULL };

const struct annex_option table[] = {
	ANNEX_OPTION(struct settings, max_occupants, 1, 10000, "200", "Most occupants."),
	ANNEX_OPTION(struct settings, anything, 0, 0, "-7", "Any number."),
	ANNEX_OPTION_AS(
	    ANNEX_OPTION_TIME, struct settings, idle_ms, 1000, 3600000, "0", "Idle after."),
	ANNEX_OPTION_AS(
	    ANNEX_OPTION_TIME, struct settings, longest_ms, 1000, INT64_MAX, "2h", "Longest time."),
	ANNEX_OPTION_AS(
	    ANNEX_OPTION_SIZE, struct settings, avatar_bytes, 1, 65536, "8K", "Largest avatar."),
	ANNEX_OPTION(struct settings, open, 0, 0, "no", "Whether strangers may enter."),
	ANNEX_OPTION(struct settings, title, 2, 5, "", "A title."),
	ANNEX_OPTION_OF(struct settings, tls, tls_choices, "no", "Whether TLS is spoken."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID, struct settings, owner, 0, 0, "", "Who owns it."),
	ANNEX_OPTION(struct settings, words, 1, 3, "", "Words."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID_LIST, struct settings, admins, 0, 0, "", "Who rules."),
	{ 0 },
};

const char *
prepare(struct annex_pool *pool, const char *text)
{
	char *copy = annex_strdup(pool, text);

	for (char *c = copy; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return strchr(copy, '@') != NULL ? copy : NULL;
}

int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->pool = annex_pool_create(NULL, "test");
	f->errors.pool = f->pool;
	*state = f;
	return 0;
}

int
teardown(void **state)
{
	struct fixture *f = *state;

	annex_pool_destroy(&f->pool);
	free(f);
	return 0;
}

void
read_by(struct fixture *f, const struct annex_option *options, const char *text)
{
	static const char *const others[] = { "module", "servers", NULL };
	struct config_node *map =
	    config_read_text("a.yaml", text, strlen(text), f->pool, &f->errors);

	config_read_options(
	    map, "module muc", options, &f->settings, others, prepare, f->pool, &f->errors);
}

const char *
sentences(struct fixture *f)
{
	const char *all = "";

	for (const struct config_error *e = f->errors.first; e != NULL; e = e->next)
		all = annex_sprintf(f->pool, "%s%s\n", all, e->text);
	return all;
}
