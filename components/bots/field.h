/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * field.h - what reading a field and judging its values have in common
 */
#ifndef BOTS_FIELD_H
#define BOTS_FIELD_H

#include <annex/form.h>

#include "command.h"

#define VALUES_MOST 256

enum field_order { FIELD_UNORDERED, FIELD_BY_NUMBER, FIELD_BY_TIME, FIELD_BY_TEXT };

struct field_datatype {
	const char *name, *said; /* said: what it is to people */
	enum field_order order;  /* how a range of it is judged */
};

/* People see it, so it is cleaned; a number or a boolean is fine as well.  NULL: it is something else. */
const char *field_text(struct annex_pool *pool, const json_t *value);
/* NULL: it is none that people are asked for. */
const struct field_datatype *field_datatype(const char *name);
/* pattern.c: whether that is an extended regular expression that takes little, and whether all of text matches it. */
bool pattern_is_one(const char *pattern, struct annex_pool *pool);
bool pattern_matches(const char *pattern, const char *text, struct annex_pool *pool);

#endif /* BOTS_FIELD_H */
