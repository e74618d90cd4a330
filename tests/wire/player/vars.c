/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * vars.c - what $names stand for, and what {words} become
 */
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>

#include "vars.h"

const char *
vars_get(const struct vars *vars, const char *name, size_t len)
{
	for (size_t i = 0; i < vars->count; i++)
		if (strlen(vars->at[i].name) == len && memcmp(vars->at[i].name, name, len) == 0)
			return vars->at[i].value;
	return NULL;
}

void
vars_set(struct vars *vars, const char *name, size_t len, const char *value)
{
	if (vars->count == VARS_MAX)
		errx(2, "more than %d variables", VARS_MAX);
	vars->at[vars->count].name = annex_strndup(vars->pool, name, len);
	vars->at[vars->count++].value = annex_strdup(vars->pool, value);
}

size_t
vars_name(const char *text)
{
	size_t n = 1;

	if (text[0] != '$' || !islower((unsigned char)text[1]))
		return 0;
	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n - 1;
}

/* --- Macros --------------------------------------------------------------- */

/* A text that grows in the pool. */
struct made {
	struct annex_pool *pool;
	char *text;
	size_t len, room;
};

static void
make_room(struct made *m, size_t n)
{
	char *old = m->text;

	if (m->len + n < m->room)
		return;
	m->room = 2 * (m->len + n) + 64;
	m->text = annex_pool_alloc(m->pool, m->room);
	if (m->len > 0)
		memcpy(m->text, old, m->len);
}

static void
put(struct made *m, const char *bytes, size_t n)
{
	make_room(m, n);
	memcpy(m->text + m->len, bytes, n);
	m->len += n;
	m->text[m->len] = '\0';
}

/* Each copy is of all that is there: megabytes are asked for. */
static void
put_times(struct made *m, const char *bytes, size_t n, size_t times)
{
	char *first;

	make_room(m, n * times);
	first = m->text + m->len;
	put(m, bytes, n);
	for (size_t have = n, left = n * times - n, more; left > 0; have += more, left -= more) {
		more = left < have ? left : have;
		put(m, first, more);
	}
}

static const char *
put_repeat(struct made *m, const char *text)
{
	char *end, number[24];
	unsigned long n = strtoul(text + strlen("{repeat "), &end, 10);
	const char *body = *end == ' ' ? end + 1 : end;
	size_t len = strcspn(body, "}"), before = strcspn(body, "#}");

	if (before == len && len > 0 && n > 0)
		put_times(m, body, len, n);
	for (unsigned long i = 1; before < len && i <= n; i++)
		for (size_t k = 0; k < len; k++) {
			if (body[k] == '#')
				put(m, number, (size_t)snprintf(number, sizeof(number), "%lu", i));
			else
				put(m, body + k, 1);
		}
	return body + len + (body[len] == '}');
}

static const char *
put_bytes(struct made *m, const char *text)
{
	char *end, byte;

	text += strlen("{byte");
	while (*text == ' ') {
		byte = (char)strtoul(text, &end, 16);
		put(m, &byte, 1);
		text = end;
	}
	return text + (*text == '}');
}

/* Where the macro at text ends, its meaning put; NULL where there is none. */
static const char *
put_macro(struct made *m, const char *text)
{
	if (strncmp(text, "{repeat ", strlen("{repeat ")) == 0)
		return put_repeat(m, text);
	if (strncmp(text, "{byte ", strlen("{byte ")) == 0)
		return put_bytes(m, text);
	return NULL;
}

char *
vars_expand(
    const struct vars *vars, const char *text, bool macros, size_t *len_r, const char **missing)
{
	struct made m = { .pool = vars->pool };
	const char *after, *value;
	size_t n;

	*missing = NULL;
	put(&m, text, n = strcspn(text, "{$"));
	for (text += n; *text != '\0'; text += n) {
		if (macros && (after = put_macro(&m, text)) != NULL) {
			n = (size_t)(after - text);
		} else if ((n = vars_name(text)) > 0) {
			if ((value = vars_get(vars, text + 1, n)) == NULL) {
				*missing = annex_strndup(vars->pool, text + 1, n);
				return NULL;
			}
			put(&m, value, strlen(value));
			n++;
		} else {
			text += text[0] == '$' && text[1] == '$';
			n = 1 + strcspn(text + 1, "{$");
			put(&m, text, n);
		}
	}
	*len_r = m.len;
	return m.text;
}

/* --- Patterns ------------------------------------------------------------- */

static bool
glob(const char *pattern, const char *value)
{
	const char *star = NULL, *back = NULL;

	while (*value != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			back = value;
		} else if (*pattern == *value) {
			pattern++;
			value++;
		} else if (star != NULL) {
			pattern = star + 1;
			value = ++back;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

bool
vars_match(struct vars *vars, const char *pattern, const char *value)
{
	size_t n = vars_name(pattern), len;
	const char *missing;
	char *expanded;

	if (n > 0 && pattern[n + 1] == '\0' && vars_get(vars, pattern + 1, n) == NULL) {
		vars_set(vars, pattern + 1, n, value);
		return true;
	}
	if (strchr(pattern, '$') == NULL)
		return glob(pattern, value);
	expanded = vars_expand(vars, pattern, false, &len, &missing);
	return expanded != NULL && glob(expanded, value);
}
