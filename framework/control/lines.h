/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * lines.h - lines out of a stream of bytes, however it was cut
 *
 * A line ends with a newline; a carriage return before it is dropped and an
 * empty line is skipped, so that people may type.  The end of a line that
 * is longer than LINES_MAX is never looked for: the stream is of no use then.
 */
#ifndef CONTROL_LINES_H
#define CONTROL_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define LINES_MAX ((size_t)1 << 20)

struct lines {
	struct buf bytes;
	size_t at;      /* start of what was not handed out yet */
	size_t scanned; /* no newline before this */
};

/* A struct lines of zeroes is a valid empty one. */
void lines_finish(struct lines *lines);
void lines_feed(struct lines *lines, const void *bytes, size_t n);

/* The next line, NUL-terminated in place; good until the next call of either. */
bool lines_next(struct lines *lines, char **line_r, size_t *len_r);

/* Call it when lines_next has no more: the unfinished line exceeds LINES_MAX. */
bool lines_is_overlong(const struct lines *lines);

/* Bytes fed and not handed out. */
size_t lines_waiting(const struct lines *lines);

#endif /* CONTROL_LINES_H */
