/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * match.c - trees compared
 *
 * Children are compared in order; "..." may stand for any run of them, found
 * by trying.  The first difference is kept for the report.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>

#include "match.h"

struct matching {
	struct vars *vars;
	const char *why;
};

static bool element_matches(
    struct matching *m, const struct annex_element *want, const struct annex_element *got);

static bool ANNEX_PRINTF(3, 4)
    differs(struct matching *m, const struct annex_element *at, const char *fmt, ...)
{
	va_list args;
	char *text;

	if (m->why != NULL)
		return false;
	va_start(args, fmt);
	text = annex_vsprintf(m->vars->pool, fmt, args);
	va_end(args);
	m->why = annex_sprintf(m->vars->pool, "<%s>: %s", at->name, text);
	return false;
}

static const char *
label(const struct annex_attr *a)
{
	return a->ns != NULL && strcmp(a->ns, ANNEX_NS_XML) == 0 ? "xml:" : "";
}

/* Messages and presence get an id where the component gives none: it is free, too. */
static bool
is_free_id(const struct annex_element *want, const struct annex_attr *got)
{
	return want->parent == NULL && strcmp(want->name, "iq") != 0 && got->ns == NULL &&
	    strcmp(got->name, "id") == 0;
}

static bool
attributes_match(
    struct matching *m, const struct annex_element *want, const struct annex_element *got)
{
	const char *value;

	for (const struct annex_attr *a = want->attrs; a != NULL; a = a->next) {
		value =
		    a->ns == NULL ? annex_attr(got, a->name) : annex_attr_ns(got, a->ns, a->name);
		if (value == NULL)
			return differs(m, want, "no attribute %s%s", label(a), a->name);
		if (!vars_match(m->vars, a->value, value))
			return differs(m, want, "%s%s is \"%s\", not \"%s\"", label(a), a->name,
			    value, a->value);
	}
	for (const struct annex_attr *a = got->attrs; a != NULL; a = a->next) {
		value =
		    a->ns == NULL ? annex_attr(want, a->name) : annex_attr_ns(want, a->ns, a->name);
		if (value == NULL && !is_free_id(want, a))
			return differs(
			    m, want, "%s%s=\"%s\" was not expected", label(a), a->name, a->value);
	}
	return true;
}

/* --- Children ------------------------------------------------------------- */

/* A child as it is compared: an element, or neighbouring runs of text as one. */
struct item {
	const struct annex_element *el;
	const char *text;
	bool dots;
};

struct items {
	struct item *at;
	size_t count;
};

static const char *
trimmed(struct annex_pool *pool, const char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	return annex_strndup(pool, text, len);
}

/* White space matters only where there is nothing but text. */
static struct items
items_of(struct annex_pool *pool, const struct annex_element *el, bool expected)
{
	bool mixed = annex_child(el, NULL, NULL) != NULL;
	struct items items = { 0 };
	size_t n = 1;

	for (const struct annex_element *c = el->first; c != NULL; c = c->next)
		n++;
	items.at = annex_new_array(pool, struct item, n);
	for (const struct annex_element *c = el->first; c != NULL; c = c->next) {
		struct item *item = &items.at[items.count];
		const char *text = c->name != NULL ? NULL
		    : mixed                        ? trimmed(pool, c->text)
						   : c->text;

		if (text != NULL && text[0] == '\0')
			continue;
		if (text != NULL && items.count > 0 && item[-1].text != NULL) {
			item[-1].text = annex_sprintf(pool, "%s%s", item[-1].text, text);
			continue;
		}
		*item = (struct item) { .el = text == NULL ? c : NULL, .text = text };
		items.count++;
	}
	for (size_t i = 0; expected && i < items.count; i++)
		if (items.at[i].text != NULL && strcmp(trimmed(pool, items.at[i].text), "...") == 0)
			items.at[i].dots = true;
	return items;
}

static bool
item_matches(struct matching *m, const struct annex_element *in, const struct item *want,
    const struct item *got)
{
	if (want->text != NULL && got->text != NULL)
		return vars_match(m->vars, want->text, got->text) ||
		    differs(m, in, "the text is \"%s\", not \"%s\"", got->text, want->text);
	if (want->el != NULL && got->el != NULL)
		return element_matches(m, want->el, got->el);
	if (want->el != NULL)
		return differs(m, in, "a text where <%s> was expected", want->el->name);
	return differs(m, in, "<%s> where a text was expected", got->el->name);
}

static bool
items_match(struct matching *m, const struct annex_element *in, struct items want, struct items got)
{
	size_t bound = m->vars->count;

	if (want.count == 0 && got.count == 0)
		return true;
	if (want.count == 0)
		return got.at->el != NULL
		    ? differs(m, in, "<%s> was not expected", got.at->el->name)
		    : differs(m, in, "the text \"%s\" was not expected", got.at->text);
	if (want.at->dots) {
		struct items rest = { want.at + 1, want.count - 1 };

		for (size_t skip = 0; skip <= got.count; skip++) {
			struct items tail = { got.at + skip, got.count - skip };

			m->vars->count = bound;
			if (items_match(m, in, rest, tail))
				return true;
		}
		return false;
	}
	if (got.count == 0)
		return want.at->el != NULL ? differs(m, in, "no <%s>", want.at->el->name)
					   : differs(m, in, "no text \"%s\"", want.at->text);
	if (!item_matches(m, in, want.at, got.at))
		return false;
	return items_match(m, in, (struct items) { want.at + 1, want.count - 1 },
	    (struct items) { got.at + 1, got.count - 1 });
}

static bool
element_matches(
    struct matching *m, const struct annex_element *want, const struct annex_element *got)
{
	struct annex_pool *pool = m->vars->pool;

	if (strcmp(want->name, got->name) != 0)
		return differs(m, want, "it is <%s>", got->name);
	if (strcmp(want->ns, got->ns) != 0)
		return differs(m, want, "its namespace is \"%s\", not \"%s\"", got->ns, want->ns);
	return attributes_match(m, want, got) &&
	    items_match(m, want, items_of(pool, want, true), items_of(pool, got, false));
}

bool
match_tree(struct vars *vars, const struct annex_element *want, const struct annex_element *got,
    const char **why)
{
	struct matching m = { .vars = vars };
	size_t bound = vars->count;

	if (element_matches(&m, want, got))
		return true;
	vars->count = bound;
	if (why != NULL)
		*why = m.why;
	return false;
}
