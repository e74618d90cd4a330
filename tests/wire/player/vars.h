/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * vars.h - what $names stand for, and what {words} become
 */
#ifndef WIRE_VARS_H
#define WIRE_VARS_H

#include <stdbool.h>
#include <stddef.h>

struct annex_pool;

#define VARS_MAX 256

struct vars {
	struct annex_pool *pool;
	size_t count; /* cut back to forget what was bound since */
	struct var {
		const char *name, *value;
	} at[VARS_MAX];
};

const char *vars_get(const struct vars *vars, const char *name, size_t len);
void vars_set(struct vars *vars, const char *name, size_t len, const char *value);

/* Length of the name behind '$' in text, 0 where it is no variable. */
size_t vars_name(const char *text);

/*
 * The text with $names replaced, and {repeat N TEXT} and {byte XX ...} with what they stand
 * for; '#' in TEXT is the running number.  NULL where a name is unbound, which
 * is then in *missing.
 */
char *vars_expand(
    const struct vars *vars, const char *text, bool macros, size_t *len, const char **missing);

/*
 * Compare a value with a pattern: "*" anywhere stands for any text, "$name"
 * alone binds or compares, elsewhere it is replaced.
 */
bool vars_match(struct vars *vars, const char *pattern, const char *value);

#endif /* WIRE_VARS_H */
