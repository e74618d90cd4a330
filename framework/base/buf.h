/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * buf.h - a growing run of bytes with a sticky error
 *
 * Append as much as you like and look at the error once, at the end.  The
 * bytes are always followed by a NUL that does not count.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <annex/status.h>

struct buf {
	char *data; /* NULL while nothing was ever appended */
	size_t len;
	size_t room; /* allocated, NUL included */
	size_t max;  /* longest len allowed; 0 = no limit */
	int error;   /* ANNEX_OK, or ANNEX_ELIMIT once something did not fit */
};

/* A struct buf of zeroes is a valid empty buffer. */
void buf_finish(struct buf *b);               /* free the bytes; b is empty again */
void buf_clear(struct buf *b);                /* len 0, error gone, memory kept */
void buf_reserve(struct buf *b, size_t more); /* room for more bytes and the NUL */
void buf_grow(struct buf *b, size_t more);    /* slow path of buf_append */
void buf_printf(struct buf *b, const char *fmt, ...) ANNEX_PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list args) ANNEX_PRINTF(2, 0);
void buf_consume(struct buf *b, size_t n); /* drop the first n bytes */
const char *buf_text(const struct buf *b); /* never NULL */

static inline void
buf_append(struct buf *b, const void *bytes, size_t n)
{
	if (__builtin_expect(b->room - b->len <= n, 0)) {
		buf_grow(b, n);
		if (b->error < 0)
			return;
	}
	if (n > 0)
		memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

static inline void
buf_puts(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text));
}

static inline void
buf_putc(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}

#endif /* BASE_BUF_H */
