/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * path.c - what matters of a stanza, in one line
 *
 *	path      = step *( "/" step ) [ "/" "@" name ]  |  "@" name  |  "."
 *	step      = ( name | "*" ) *predicate
 *	predicate = "[" [ "not(" ] path [ ")" ] [ ( "=" | "!=" ) "'" value "'" ] "]"
 *
 * Names are without prefix; "@xmlns" is an element's namespace, "." its text.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <annex/pool.h>

#include "match.h"

struct path {
	struct vars *vars;
	const char *at;
	const char *wrong;
};

/* A value test, or none. */
struct test {
	bool any, negated;
	const char *value;
};

static bool path_holds(struct path *p, const char *path, const struct annex_element *in,
    bool is_root, const struct test *test);

static size_t
name_length(const char *text)
{
	size_t n = 0;

	/* A position would be taken for a child that is never there. */
	if (isdigit((unsigned char)text[0]))
		return 0;
	while (isalnum((unsigned char)text[n]) || (text[n] != '\0' && strchr("-_:", text[n])))
		n++;
	return n;
}

/* The end of a bracket that opens before text, quotes and nesting considered. */
static const char *
closing(const char *text, char open, char close)
{
	unsigned depth = 1;

	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '"') {
			const char *end = strchr(text + 1, *text);

			if (end == NULL)
				return NULL;
			text = end;
		} else if (*text == open) {
			depth++;
		} else if (*text == close && --depth == 0) {
			return text;
		}
	}
	return NULL;
}

/* The first "=" outside of brackets and quotes, or NULL. */
static const char *
comparison(const char *text)
{
	unsigned depth = 0;

	for (; *text != '\0'; text++) {
		const char *end = *text == '\'' || *text == '"' ? strchr(text + 1, *text) : NULL;

		if (end != NULL)
			text = end;
		else if (*text == '[')
			depth++;
		else if (*text == ']')
			depth--;
		else if (*text == '=' && depth == 0)
			return text;
	}
	return NULL;
}

/* path=value taken apart. */
static bool
split_test(struct path *p, const char *text, const char **path, struct test *test)
{
	const char *is = comparison(text), *value;
	size_t len;

	*test = (struct test) { .any = true };
	*path = text;
	if (is == NULL)
		return true;
	test->any = false;
	test->negated = is > text && is[-1] == '!';
	*path = annex_strndup(p->vars->pool, text, (size_t)(is - text) - test->negated);
	value = is + 1;
	len = strlen(value);
	if (len < 2 || (value[0] != '\'' && value[0] != '"') || value[len - 1] != value[0]) {
		p->wrong = annex_sprintf(
		    p->vars->pool, "a value in quotes is expected behind '=': %s", value);
		return false;
	}
	test->value = annex_strndup(p->vars->pool, value + 1, len - 2);
	return true;
}

static bool
predicate_holds(struct path *p, const char *text, const struct annex_element *el)
{
	const char *path, *end;
	size_t bound = p->vars->count;
	struct test test;
	bool holds;

	if (strncmp(text, "not(", 4) == 0) {
		if ((end = closing(text + 4, '(', ')')) == NULL || end[1] != '\0') {
			p->wrong = "not( without )";
			return false;
		}
		text = annex_strndup(p->vars->pool, text + 4, (size_t)(end - text) - 4);
		holds = predicate_holds(p, text, el);
		p->vars->count = bound;
		return !holds;
	}
	return split_test(p, text, &path, &test) && path_holds(p, path, el, false, &test);
}

static bool
value_holds(struct path *p, const char *value, const struct test *test)
{
	if (value == NULL)
		return false;
	return test->any || vars_match(p->vars, test->value, value) != test->negated;
}

static bool
attribute_holds(
    struct path *p, const char *name, const struct annex_element *el, const struct test *test)
{
	if (name_length(name) == 0 || name[name_length(name)] != '\0') {
		p->wrong = annex_sprintf(p->vars->pool, "not an attribute: @%s", name);
		return false;
	}
	if (strcmp(name, "xmlns") == 0)
		return value_holds(p, el->ns, test);
	if (strncmp(name, "xml:", 4) == 0)
		return value_holds(p, annex_attr_ns(el, ANNEX_NS_XML, name + 4), test);
	return value_holds(p, annex_attr(el, name), test);
}

/* The predicates at rest hold for el; *after is what follows them. */
static bool
predicates_hold(
    struct path *p, const char *rest, const struct annex_element *el, const char **after)
{
	const char *end;
	bool holds = true;

	while (*rest == '[') {
		if ((end = closing(rest + 1, '[', ']')) == NULL) {
			p->wrong = "[ without ]";
			return false;
		}
		if (holds)
			holds = predicate_holds(p,
			    annex_strndup(p->vars->pool, rest + 1, (size_t)(end - rest) - 1), el);
		rest = end + 1;
	}
	*after = rest;
	return holds;
}

static bool
candidate_holds(
    struct path *p, const char *step, const struct annex_element *el, const struct test *test)
{
	size_t n = *step == '*' ? 1 : name_length(step), bound = p->vars->count;
	const char *after;
	bool holds;

	if (n == 0) {
		p->wrong = annex_sprintf(p->vars->pool, "a name is expected: %s", step);
		return false;
	}
	if (*step != '*' && (strlen(el->name) != n || memcmp(el->name, step, n) != 0))
		return false;
	holds = predicates_hold(p, step + n, el, &after);
	if (holds && *after == '/')
		holds = path_holds(p, after + 1, el, false, test);
	else if (holds && *after != '\0')
		p->wrong = annex_sprintf(p->vars->pool, "this is no path: %s", after);
	else if (holds && !test->any)
		holds = value_holds(p, annex_text_all(el, p->vars->pool), test);
	if (!holds)
		p->vars->count = bound;
	return holds && p->wrong == NULL;
}

static bool
path_holds(struct path *p, const char *path, const struct annex_element *in, bool is_root,
    const struct test *test)
{
	if (path[0] == '@')
		return attribute_holds(p, path + 1, in, test);
	if (strcmp(path, ".") == 0)
		return value_holds(p, annex_text_all(in, p->vars->pool), test);
	if (is_root)
		return candidate_holds(p, path, in, test);
	ANNEX_CHILDREN (in, child)
		if (candidate_holds(p, path, child, test))
			return true;
	return false;
}

bool
match_path(struct vars *vars, const char *text, const struct annex_element *got)
{
	struct path p = { .vars = vars };
	size_t bound = vars->count;
	const char *path;
	struct test test;

	if (split_test(&p, text, &path, &test) && path_holds(&p, path, got, true, &test) &&
	    p.wrong == NULL)
		return true;
	vars->count = bound;
	return false;
}

/* Enough to catch slips: brackets, quotes, and a name to begin with. */
const char *
path_check(struct annex_pool *pool, const char *text)
{
	const char *at = text, *end = NULL;

	if (*text != '*' && name_length(text) == 0)
		return "this is neither a stanza nor a path to one";
	for (; *at != '\0'; at++) {
		if (*at == '[' && (end = closing(at + 1, '[', ']')) == NULL)
			return "[ without ]";
		if (*at == '[')
			at = end;
		else if (*at == ']')
			return "] without [";
		else if (isspace((unsigned char)*at))
			return annex_sprintf(pool, "white space in a path, before \"%s\"", at + 1);
	}
	return NULL;
}
