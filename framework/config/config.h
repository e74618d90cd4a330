/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * config.h - the configuration file: YAML outside, tables inside
 *
 * The file is read with libyaml's events into a tree in which every scalar
 * keeps its text and its file:line:column.  What a scalar means, its option
 * table says: there is no guessing of types.  Duplicate keys, anchors, tags
 * and unknown names are errors, the last with the nearest known name.
 *
 * All mistakes are collected, each one line:
 *
 *	annex.yaml:17:5: unknown option "max-ocupants" of module muc; did you mean "max-occupants"?
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/option.h>
#include <annex/pool.h>

#define CONFIG_FILE_MAX (1024 * 1024) /* bytes of the file */
#define CONFIG_DEPTH_MAX 16           /* levels of lists and maps */
#define CONFIG_ERRORS_MAX 100         /* sentences kept; the others are counted */

/* CONFIG_BROKEN was complained of already: nobody looks into it. */
enum config_kind { CONFIG_SCALAR, CONFIG_LIST, CONFIG_MAP, CONFIG_BROKEN };

struct config_node {
	enum config_kind kind;
	const char *file;
	unsigned line, column; /* from 1 */
	const char *text;      /* of a scalar; "" where nothing stands */
	bool quoted;           /* '...' or "..." */
	const char *key;       /* under which it stands in a map, or NULL */
	unsigned key_line, key_column;
	struct config_node *next;  /* sibling */
	struct config_node *first; /* child */
	struct config_node *last;
	bool known; /* somebody asked for it */
};

struct config_error {
	struct config_error *next;
	const char *text; /* "FILE:LINE:COL: sentence", or with "warning: " before it */
	unsigned line, column;
	bool warning;
};

/* In the order of the file.  Control characters in them are escaped. */
struct config_errors {
	struct annex_pool *pool;
	struct config_error *first;
	unsigned count; /* errors, warnings not counted */
	unsigned kept;  /* members of the list */
};

/*
 * The file as a tree, or NULL where it cannot be read as one.  What was wrong in a tree (a
 * duplicate, an alias) is an error, and left out or CONFIG_BROKEN.
 */
struct config_node *
config_read_file(const char *path, struct annex_pool *pool, struct config_errors *errors);
struct config_node *config_read_text(const char *name, const char *text, size_t len,
    struct annex_pool *pool, struct config_errors *errors);

struct config_node *config_child(struct config_node *map, const char *key);

/* About what stands at node; _key: about the key it stands under. */
void config_error_at(struct config_errors *errors, const struct config_node *node, const char *fmt,
    ...) ANNEX_PRINTF(3, 4);
void config_error_at_key(struct config_errors *errors, const struct config_node *node,
    const char *fmt, ...) ANNEX_PRINTF(3, 4);
void config_warn_at(struct config_errors *errors, const struct config_node *node, const char *fmt,
    ...) ANNEX_PRINTF(3, 4);
void config_warn_at_key(struct config_errors *errors, const struct config_node *node,
    const char *fmt, ...) ANNEX_PRINTF(3, 4);

/* A place that is no node: line and column from 1, or 0 for the whole file. */
void config_error_in(struct config_errors *errors, const char *file, unsigned line, unsigned column,
    const char *fmt, ...) ANNEX_PRINTF(5, 6);

/* A text between quotes for a message, cut where it is long. */
const char *config_quote(struct annex_pool *pool, const char *text);

/* "; did you mean "x"?", or "" where none of n names is near. */
const char *
config_hint(struct annex_pool *pool, const char *name, const char *const *names, size_t n);

/*
 * Read a map into settings by its table: presets first, then what is there.  what names the place
 * for messages ("module muc", "server main").  Keys listed in others (NULL-ended,
 * may be NULL) are somebody else's.  map NULL: presets alone, and nothing is missed.  Strings are
 * in pool.  prepare_jid is handed in, since config knows nothing of XMPP: it returns the prepared
 * JID or NULL.  A wrong value leaves the preset, a missing required one leaves zero.
 */
typedef const char *config_jid_fn(struct annex_pool *pool, const char *text);
void config_read_options(struct config_node *map, const char *what,
    const struct annex_option *options, void *settings, const char *const *others,
    config_jid_fn *prepare_jid, struct annex_pool *pool, struct config_errors *errors);

/* How an option is spelled: max_occupants is "max-occupants", idle_ms "idle". */
const char *config_option_name(const struct annex_option *option, struct annex_pool *pool);
/* The one that is spelled so, or NULL. */
const struct annex_option *
config_option_find(const struct annex_option *options, const char *name, struct annex_pool *pool);

/* What it may be: "a whole number from 1 to 10000", "yes or no", "no or direct". */
const char *config_option_range(const struct annex_option *option, struct annex_pool *pool);

/*
 * The value in settings as it would be written in the file, normalised.  A list is its items with
 * blanks between; one that is empty or holds a blank, a quote or a backslash stands in double
 * quotes, in which a backslash protects the next character.
 */
const char *config_option_value(
    const struct annex_option *option, const void *settings, struct annex_pool *pool);

/* One option's text into settings: 0, or negative with *why, which goes behind the option's name:
 * "must be a whole number from 1 to 10000, not "0"". */
int config_option_set(const struct annex_option *option, void *settings, const char *text,
    config_jid_fn *prepare_jid, struct annex_pool *pool, const char **why) ANNEX_MUST_CHECK;

#endif /* CONFIG_CONFIG_H */
