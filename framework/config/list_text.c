/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * list_text.c - a list as one text: blanks between, quotes where needed
 */
#include <string.h>

#include "list_text.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next item at *at into item; false at the end.  An open quote ends with the text. */
static bool
next_item(const char **at, struct buf *item)
{
	const char *c = *at;

	buf_clear(item);
	while (is_blank(*c))
		c++;
	if (*c == '\0')
		return false;
	if (*c == '"') {
		for (c++; *c != '\0' && *c != '"'; c++) {
			c += *c == '\\' && c[1] != '\0';
			buf_putc(item, *c);
		}
		c += *c == '"';
	} else {
		while (*c != '\0' && !is_blank(*c))
			buf_putc(item, *c++);
	}
	*at = c;
	return true;
}

struct annex_strings
list_text_split(struct annex_pool *pool, const char *text)
{
	struct annex_strings list = { 0 };
	struct buf item = { 0 };
	const char *at = text, **items;

	while (next_item(&at, &item))
		list.count++;
	items = annex_new_array(pool, const char *, list.count + 1);
	at = text;
	for (size_t i = 0; next_item(&at, &item); i++)
		items[i] = annex_strndup(pool, buf_text(&item), item.len);
	buf_finish(&item);
	list.value = items;
	return list;
}

static bool
needs_quotes(const char *item)
{
	return *item == '\0' || strpbrk(item, " \t\r\n\"\\") != NULL;
}

void
list_text_add(struct buf *out, const char *item)
{
	if (out->len > 0)
		buf_putc(out, ' ');
	if (!needs_quotes(item)) {
		buf_puts(out, item);
		return;
	}
	buf_putc(out, '"');
	for (; *item != '\0'; item++) {
		if (*item == '"' || *item == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *item);
	}
	buf_putc(out, '"');
}
