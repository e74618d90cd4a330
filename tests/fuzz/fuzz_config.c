/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * Any bytes as a configuration file, read by a table with an option of each
 * type.  Whatever comes: a tree or a mistake, every sentence one line that
 * begins with the file's name, and each value that is read is written so that
 * it reads again as the same.
 */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings {
	bool open;
	int64_t count, idle_ms, room_bytes;
	const char *title, *tls, *owner;
	struct annex_strings words, admins;
};

static const char *const tls_choices[] = { "no", "direct", NULL };

static const struct annex_option table[] = {
	ANNEX_OPTION(struct settings, open, 0, 0, "no", "A truth."),
	ANNEX_OPTION(struct settings, count, -5, 10000, "200", "A number."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct settings, idle_ms, 0, 0, "5m", "A time."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct settings, room_bytes, 1, 1 << 30, "0", "A size."),
	ANNEX_OPTION(struct settings, title, 1, 50, "", "A text."),
	ANNEX_OPTION_OF(struct settings, tls, tls_choices, "no", "A choice."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID, struct settings, owner, 0, 0, "", "A JID."),
	ANNEX_OPTION(struct settings, words, 0, 5, "a b", "A list."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID_LIST, struct settings, admins, 0, 0, "", "JIDs."),
	{ 0 },
};

/* Like a JID enough: something on both sides of an @. */
static const char *
prepare(struct annex_pool *pool, const char *text)
{
	const char *at = strchr(text, '@');

	return at != NULL && at != text && at[1] != '\0' ? text : NULL;
}

static void
check_sentences(const struct config_errors *errors)
{
	unsigned n = 0;

	for (const struct config_error *e = errors->first; e != NULL; e = e->next, n++) {
		CHECK(strncmp(e->text, "a.yaml:", 7) == 0);
		CHECK(strpbrk(e->text, "\r\n\t\033") == NULL);
		CHECK(e->next == NULL || e->line <= e->next->line);
	}
	CHECK(n == errors->kept && n <= CONFIG_ERRORS_MAX);
}

static void
check_tree(const struct config_node *node, unsigned depth)
{
	CHECK(depth <= CONFIG_DEPTH_MAX);
	CHECK(node->line > 0 && node->column > 0 && node->text != NULL);
	for (const struct config_node *child = node->first; child != NULL; child = child->next) {
		CHECK((node->kind == CONFIG_MAP) == (child->key != NULL));
		check_tree(child, depth + 1);
	}
}

static void
check_values(const struct settings *settings, struct annex_pool *pool)
{
	struct settings again = { 0 };
	const char *why;

	for (const struct annex_option *o = table; o->name != NULL; o++) {
		const char *text = config_option_value(o, settings, pool);

		CHECK(config_option_set(o, &again, text, prepare, pool, &why) == 0);
		CHECK(strcmp(config_option_value(o, &again, pool), text) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const others[] = { "servers", NULL };
	struct annex_pool *pool = annex_pool_create(NULL, "fuzz");
	struct config_errors errors = { .pool = pool };
	struct settings settings = { 0 };
	struct config_node *root =
	    config_read_text("a.yaml", (const char *)data, size, pool, &errors);

	CHECK(root != NULL || errors.count > 0);
	if (root != NULL) {
		check_tree(root, 0);
		config_read_options(
		    root, "the file", table, &settings, others, prepare, pool, &errors);
		check_values(&settings, pool);
	}
	check_sentences(&errors);
	annex_pool_destroy(&pool);
	return 0;
}
