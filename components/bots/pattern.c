/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pattern.c - regular expressions of programs, matched with what people say (XEP-0122 §3.2.4)
 *
 * They are POSIX's extended ones.  A few characters of them can take all the memory there is,
 * as a compiler writes out what is repeated, and all the time, as what refers to an
 * earlier match does.  Neither is taken: one bot is not to end all others.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"

#define PATTERN_BYTES 256
#define WRITTEN_MOST 1000 /* characters, where all that is repeated is written out */
#define TEXT_BYTES 1024   /* that one is matched with */
#define TOO_MUCH (WRITTEN_MOST + 1)

/* Behind the bracket expression that begins at c. */
static const char *
behind_bracket(const char *c)
{
	c += c[1] == '^' ? 2 : 1;
	c += *c == ']';
	while (*c != '\0' && *c != ']')
		c++;
	return *c == '\0' ? c : c + 1;
}

/* How often {2}, {2,} and {1,2} write out what stands before. */
static size_t
bound(const char **at)
{
	char *end;
	size_t least = strtoul(*at + 1, &end, 10), most = 0;

	if (*end == ',')
		most = strtoul(end + 1, &end, 10);
	*at = *end == '}' ? end + 1 : end;
	if (least > most)
		most = least;
	return most == 0 ? 1 : most < TOO_MUCH ? most : TOO_MUCH;
}

/* The same of all that repeats; 0: here is nothing that does. */
static size_t
repeats(const char **at)
{
	const char *c = *at;

	if (*c == '{' && (c[1] == ',' || (c[1] >= '0' && c[1] <= '9')))
		return bound(at);
	if (*c == '\0' || strchr("*?+", *c) == NULL)
		return 0;
	++*at;
	return *c == '+' ? 2 : 1;
}

/* The size of what stands up to the end or the parenthesis that closes it; or TOO_MUCH. */
static size_t
written_out(const char **at)
{
	size_t all = 0, one = 0, n;

	while (all < TOO_MUCH && **at != '\0' && **at != ')') {
		const char *c = *at;

		if ((n = repeats(at)) > 0) {
			all += one * (n - 1);
			one *= n;
			continue;
		}
		one = 1;
		if (*c == '(') {
			++*at;
			one += written_out(at);
			*at += **at == ')';
		} else if (*c == '\\' && c[1] >= '0' && c[1] <= '9') {
			one = TOO_MUCH; /* refers to a match, which no extended one does */
		} else {
			*at = *c == '['                  ? behind_bracket(c)
			    : *c == '\\' && c[1] != '\0' ? c + 2
							 : c + 1;
		}
		all += one;
	}
	return all < TOO_MUCH ? all : TOO_MUCH;
}

static int
compile(const char *pattern, regex_t *regex, struct annex_pool *pool)
{
	const char *at = pattern;

	if (strlen(pattern) > PATTERN_BYTES || written_out(&at) == TOO_MUCH || *at != '\0')
		return REG_ESPACE;
	return regcomp(regex, annex_sprintf(pool, "^(%s)$", pattern), REG_EXTENDED | REG_NOSUB);
}

bool
pattern_is_one(const char *pattern, struct annex_pool *pool)
{
	regex_t regex;
	bool is_one = compile(pattern, &regex, pool) == 0;

	if (is_one)
		regfree(&regex);
	return is_one;
}

bool
pattern_matches(const char *pattern, const char *text, struct annex_pool *pool)
{
	regex_t regex;
	bool fits;

	if (strlen(text) > TEXT_BYTES || compile(pattern, &regex, pool) != 0)
		return false;
	fits = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return fits;
}
