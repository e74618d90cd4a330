/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * errors.c - what is wrong with a configuration, in the order of the file
 *
 * Sections are read in an order of their own (servers before components,
 * modules last), but people fix a file from its top, so each sentence is put
 * where its line belongs.  What stands in them may come from anybody: control
 * characters are escaped, and a long value is cut.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "config.h"

#define SHOWN_MAX 60 /* bytes of a value in a message */

const char *
config_quote(struct annex_pool *pool, const char *text)
{
	size_t len = strlen(text), cut = utf8_cut(text, len, SHOWN_MAX);

	return annex_sprintf(pool, "\"%.*s%s\"", (int)cut, text, cut < len ? "..." : "");
}

const char *
config_hint(struct annex_pool *pool, const char *name, const char *const *names, size_t n)
{
	const char *near = nearest(name, names, n);

	return near != NULL ? annex_sprintf(pool, "; did you mean \"%s\"?", near) : "";
}

/* One line, whatever is in it. */
static const char *
escape(struct annex_pool *pool, const char *text)
{
	struct buf out = { 0 };
	const char *copy;

	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			buf_printf(&out, "\\x%02x", (unsigned char)*text);
		else
			buf_putc(&out, *text);
	copy = annex_strndup(pool, buf_text(&out), out.len);
	buf_finish(&out);
	return copy;
}

static bool
is_after(const struct config_error *a, const struct config_error *b)
{
	return a->line != b->line ? a->line > b->line : a->column > b->column;
}

static void
insert(struct config_errors *errors, struct config_error *error)
{
	struct config_error **at = &errors->first;

	while (*at != NULL && !is_after(*at, error))
		at = &(*at)->next;
	error->next = *at;
	*at = error;
	errors->kept++;
}

struct place {
	const char *file;
	unsigned line, column;
};

static void add(struct config_errors *errors, bool warning, struct place place, const char *fmt,
    va_list args) ANNEX_PRINTF(4, 0);

static void
add(struct config_errors *errors, bool warning, struct place place, const char *fmt, va_list args)
{
	const char *where, *sentence;
	struct config_error *error;

	if (!warning)
		errors->count++;
	if (errors->kept >= CONFIG_ERRORS_MAX)
		return;
	error = annex_new(errors->pool, struct config_error);
	sentence = annex_vsprintf(errors->pool, fmt, args);
	where = place.line == 0
	    ? place.file
	    : annex_sprintf(errors->pool, "%s:%u:%u", place.file, place.line, place.column);
	error->text = escape(errors->pool,
	    annex_sprintf(errors->pool, "%s: %s%s", where, warning ? "warning: " : "", sentence));
	error->line = place.line;
	error->column = place.column;
	error->warning = warning;
	insert(errors, error);
}

static struct place
value_place(const struct config_node *node)
{
	return (struct place) { node->file, node->line, node->column };
}

static struct place
key_place(const struct config_node *node)
{
	if (node->key == NULL)
		return value_place(node);
	return (struct place) { node->file, node->key_line, node->key_column };
}

void
config_error_at(struct config_errors *errors, const struct config_node *node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(errors, false, value_place(node), fmt, args);
	va_end(args);
}

void
config_error_at_key(
    struct config_errors *errors, const struct config_node *node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(errors, false, key_place(node), fmt, args);
	va_end(args);
}

void
config_warn_at(struct config_errors *errors, const struct config_node *node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(errors, true, value_place(node), fmt, args);
	va_end(args);
}

void
config_warn_at_key(
    struct config_errors *errors, const struct config_node *node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(errors, true, key_place(node), fmt, args);
	va_end(args);
}

void
config_error_in(struct config_errors *errors, const char *file, unsigned line, unsigned column,
    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(errors, false, (struct place) { file, line, column }, fmt, args);
	va_end(args);
}
