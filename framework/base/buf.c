/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * buf.c - a growing run of bytes with a sticky error
 *
 * room never exceeds max + 1, so the fast path of buf_append needs no second
 * comparison; after an error it is drawn in to what is used, so that every
 * later append comes here and is refused as well.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "buf.h"
#include "check.h"

#define BUF_FIRST 64

void
buf_finish(struct buf *b)
{
	free(b->data);
	*b = (struct buf) { .max = b->max };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->error = ANNEX_OK;
	if (b->data != NULL)
		b->data[0] = '\0';
}

static void
refuse(struct buf *b, int error)
{
	if (b->error == ANNEX_OK)
		b->error = error;
	if (b->room > 0)
		b->room = b->len + 1;
}

void
buf_grow(struct buf *b, size_t more)
{
	size_t most = b->max > 0 ? b->max : SIZE_MAX / 2;
	size_t room;

	if (b->error < 0 || b->len > most || more > most - b->len) {
		refuse(b, ANNEX_ELIMIT);
		return;
	}
	if (b->room - b->len > more)
		return;
	room = b->room < BUF_FIRST ? BUF_FIRST : b->room * 2;
	if (room < b->len + more + 1)
		room = b->len + more + 1;
	if (room > most + 1)
		room = most + 1;
	b->data = mem_resize(b->data, room);
	b->room = room;
	b->data[b->len] = '\0';
}

void
buf_reserve(struct buf *b, size_t more)
{
	if (b->room - b->len <= more)
		buf_grow(b, more);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_vprintf(b, fmt, args);
	va_end(args);
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(b->data != NULL ? b->data + b->len : NULL,
	    b->data != NULL ? b->room - b->len : 0, fmt, args);
	CHECK(n >= 0);
	if (b->room - b->len > (size_t)n) {
		b->len += (size_t)n;
	} else {
		buf_grow(b, (size_t)n);
		if (b->error == ANNEX_OK) {
			vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
		} else if (b->data != NULL) {
			b->data[b->len] = '\0';
		}
	}
	va_end(again);
}

void
buf_consume(struct buf *b, size_t n)
{
	CHECK(n <= b->len);
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}

const char *
buf_text(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}
