/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * text.c - a text that grows
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define FIRST 256

static void
grow(struct text *t, size_t more)
{
	size_t room = t->room == 0 ? FIRST : t->room;
	char *bytes;

	if (t->len + more < t->room)
		return;
	while (room <= t->len + more)
		room *= 2;
	bytes = annex_pool_alloc(t->pool, room);
	if (t->len > 0)
		memcpy(bytes, t->bytes, t->len);
	t->bytes = bytes;
	t->room = room;
}

void
text_add(struct text *t, const char *bytes, size_t len)
{
	grow(t, len);
	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
	t->bytes[t->len] = '\0';
}

void
text_puts(struct text *t, const char *text)
{
	text_add(t, text, strlen(text));
}

void
text_printf(struct text *t, const char *fmt, ...)
{
	va_list args, again;
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n > 0) {
		grow(t, (size_t)n);
		vsnprintf(t->bytes + t->len, (size_t)n + 1, fmt, again);
		t->len += (size_t)n;
	}
	va_end(again);
}

/* --- JSON ------------------------------------------------------------------ */

void
text_open(struct text *t)
{
	text_add(t, "{", 1);
}

void
text_close(struct text *t)
{
	text_add(t, "}", 1);
}

/* RFC 8259 §7: quotation mark, reverse solidus and the controls must be escaped. */
void
text_quote(struct text *t, const char *value)
{
	const char *run = value;

	text_add(t, "\"", 1);
	for (const char *c = value;; c++) {
		unsigned char byte = (unsigned char)*c;

		if (byte >= 0x20 && byte != '"' && byte != '\\')
			continue;
		text_add(t, run, (size_t)(c - run));
		run = c + 1;
		if (byte == '\0')
			break;
		if (byte == '"' || byte == '\\')
			text_add(t, (const char[]) { '\\', *c }, 2);
		else if (byte == '\n')
			text_add(t, "\\n", 2);
		else
			text_printf(t, "\\u%04x", byte);
	}
	text_add(t, "\"", 1);
}

void
text_name(struct text *t, const char *name)
{
	if (t->len > 0 && t->bytes[t->len - 1] != '{')
		text_add(t, ",", 1);
	text_add(t, "\"", 1);
	text_puts(t, name);
	text_add(t, "\":", 2);
}

void
text_member(struct text *t, const char *name, const char *value)
{
	if (value == NULL)
		return;
	text_name(t, name);
	text_quote(t, value);
}

void
text_number(struct text *t, const char *name, int64_t value)
{
	text_name(t, name);
	text_printf(t, "%" PRId64, value);
}

void
text_truth(struct text *t, const char *name, bool value)
{
	text_name(t, name);
	text_puts(t, value ? "true" : "false");
}

void
text_strings(struct text *t, const char *name, const char *const *values)
{
	if (values == NULL)
		return;
	text_name(t, name);
	text_add(t, "[", 1);
	for (const char *const *v = values; *v != NULL; v++) {
		if (v != values)
			text_add(t, ",", 1);
		text_quote(t, *v);
	}
	text_add(t, "]", 1);
}
