/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * lines.c - lines out of a stream of bytes, however it was cut
 *
 * Bytes already searched for a newline are not searched again, so a line
 * that arrives one byte at a time costs no more than one that comes whole.
 */
#include <string.h>

#include "lines.h"

/* What a connection that sent a long line once may keep afterwards. */
#define KEEP_ROOM ((size_t)64 << 10)

void
lines_finish(struct lines *lines)
{
	buf_finish(&lines->bytes);
	lines->at = lines->scanned = 0;
}

size_t
lines_waiting(const struct lines *lines)
{
	return lines->bytes.len - lines->at;
}

void
lines_feed(struct lines *lines, const void *bytes, size_t n)
{
	if (lines->at > 0) {
		buf_consume(&lines->bytes, lines->at);
		lines->scanned -= lines->at;
		lines->at = 0;
		if (lines->bytes.len == 0 && lines->bytes.room > KEEP_ROOM)
			buf_finish(&lines->bytes);
	}
	buf_append(&lines->bytes, bytes, n);
}

bool
lines_next(struct lines *lines, char **line_r, size_t *len_r)
{
	struct buf *b = &lines->bytes;

	while (lines->scanned < b->len) {
		char *line = b->data + lines->at, *end;
		size_t len;

		end = memchr(b->data + lines->scanned, '\n', b->len - lines->scanned);
		if (end == NULL) {
			lines->scanned = b->len;
			return false;
		}
		len = (size_t)(end - line);
		if (len > LINES_MAX)
			return false;
		lines->at = lines->scanned = (size_t)(end - b->data) + 1;
		if (len > 0 && line[len - 1] == '\r')
			len--;
		if (len == 0)
			continue;
		line[len] = '\0';
		*line_r = line;
		*len_r = len;
		return true;
	}
	return false;
}

bool
lines_is_overlong(const struct lines *lines)
{
	return lines_waiting(lines) > LINES_MAX;
}
