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

static const char *
put_repeat(FILE *out, const char *text)
{
	char *end;
	unsigned long n = strtoul(text + strlen("{repeat "), &end, 10);
	const char *body = *end == ' ' ? end + 1 : end;
	size_t len = strcspn(body, "}");

	for (unsigned long i = 1; i <= n; i++)
		for (size_t k = 0; k < len; k++) {
			if (body[k] == '#')
				fprintf(out, "%lu", i);
			else
				fputc(body[k], out);
		}
	return body + len + (body[len] == '}');
}

static const char *
put_bytes(FILE *out, const char *text)
{
	char *end;

	text += strlen("{byte");
	while (*text == ' ') {
		fputc((int)strtoul(text, &end, 16), out);
		text = end;
	}
	return text + (*text == '}');
}

/* Where the macro at text ends, written to out; NULL where there is none. */
static const char *
put_macro(FILE *out, const char *text)
{
	if (strncmp(text, "{repeat ", strlen("{repeat ")) == 0)
		return put_repeat(out, text);
	if (strncmp(text, "{byte ", strlen("{byte ")) == 0)
		return put_bytes(out, text);
	return NULL;
}

char *
vars_expand(
    const struct vars *vars, const char *text, bool macros, size_t *len_r, const char **missing)
{
	char *made = NULL, *kept;
	FILE *out = open_memstream(&made, len_r);
	const char *after, *value;
	size_t n;

	*missing = NULL;
	while (*text != '\0' && *missing == NULL) {
		if (macros && (after = put_macro(out, text)) != NULL) {
			text = after;
		} else if ((n = vars_name(text)) > 0) {
			if ((value = vars_get(vars, text + 1, n)) == NULL)
				*missing = annex_strndup(vars->pool, text + 1, n);
			else
				fputs(value, out);
			text += n + 1;
		} else {
			text += text[0] == '$' && text[1] == '$';
			fputc(*text++, out);
		}
	}
	fclose(out);
	kept = *missing != NULL ? NULL : annex_memdup(vars->pool, made, *len_r + 1);
	free(made);
	return kept;
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
	expanded = vars_expand(vars, pattern, false, &len, &missing);
	return expanded != NULL && glob(expanded, value);
}
