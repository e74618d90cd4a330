/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * text.h - a text that grows, and JSON written into it
 *
 * Events are flat and many: they are written as they are said, without a
 * tree of values in between.
 */
#ifndef BOTS_TEXT_H
#define BOTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/pool.h>

struct text {
	struct annex_pool *pool;
	char *bytes; /* NUL-terminated where there are any */
	size_t len, room;
};

void text_add(struct text *t, const char *bytes, size_t len);
void text_puts(struct text *t, const char *text);
void text_printf(struct text *t, const char *fmt, ...) ANNEX_PRINTF(2, 3);

/* An object: members separate themselves.  NULL text writes no member. */
void text_open(struct text *t);
void text_close(struct text *t);
void text_member(struct text *t, const char *name, const char *value);
void text_number(struct text *t, const char *name, int64_t value);
void text_truth(struct text *t, const char *name, bool value);
/* The name alone; the value, written by the caller, follows. */
void text_name(struct text *t, const char *name);
/* A NULL-ended list; NULL writes no member. */
void text_strings(struct text *t, const char *name, const char *const *values);
void text_quote(struct text *t, const char *value);

#endif /* BOTS_TEXT_H */
