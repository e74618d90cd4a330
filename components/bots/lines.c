/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * lines.c - bytes as they come from a program, into lines
 */
#include <string.h>

#include "carrier.h"

static void
line_ends(struct consumer *c, const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	c->lines++;
	if (len > 0)
		consumer_line(c, line, len);
}

static void
too_long(struct consumer *c)
{
	c->skipping = true;
	c->partial.len = 0;
	c->lines++;
	consumer_wrong(c, "too-large", NULL, "line %llu is longer than %lld bytes",
	    (unsigned long long)c->lines, (long long)c->bot->bots->set->max_line_bytes);
}

/* What is left of a line waits for the rest of it. */
static void
keep(struct consumer *c, const char *bytes, size_t len)
{
	if (c->skipping)
		return;
	if (c->partial.len + len > (size_t)c->bot->bots->set->max_line_bytes)
		too_long(c);
	else
		text_add(&c->partial, bytes, len);
}

void
consumer_read(struct consumer *c, const char *bytes, size_t len)
{
	const char *end;

	for (; (end = memchr(bytes, '\n', len)) != NULL; bytes = end + 1) {
		size_t n = (size_t)(end - bytes);

		len -= n + 1;
		if (c->partial.len == 0 && !c->skipping &&
		    n <= (size_t)c->bot->bots->set->max_line_bytes) {
			line_ends(c, bytes, n);
			continue;
		}
		keep(c, bytes, n);
		if (!c->skipping)
			line_ends(c, c->partial.bytes, c->partial.len);
		c->skipping = false;
		c->partial.len = 0;
	}
	keep(c, bytes, len);
	if (c->attached)
		dispatch(c->bot);
}
