/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * nearest.c - did you mean
 *
 * Optimal string alignment (a Levenshtein matrix that knows swaps of
 * neighbours), counted in half edits because a wrong case is half of one.
 */
#include <ctype.h>
#include <string.h>

#include "nearest.h"

#define LONGEST 64

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned
change_cost(char a, char b)
{
	if (a == b)
		return 0;
	return tolower((unsigned char)a) == tolower((unsigned char)b) ? 1 : 2;
}

/* In half edits. */
static unsigned
distance(const char *a, size_t an, const char *b, size_t bn)
{
	unsigned rows[3][LONGEST + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2], *spare;

	for (size_t j = 0; j <= bn; j++)
		last[j] = (unsigned)j * 2;
	for (size_t i = 1; i <= an; i++) {
		now[0] = (unsigned)i * 2;
		for (size_t j = 1; j <= bn; j++) {
			now[j] = least(least(last[j] + 2, now[j - 1] + 2),
			    last[j - 1] + change_cost(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 2);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[bn];
}

const char *
nearest(const char *name, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t len = strlen(name);
	unsigned d, most = least((unsigned)(len < LONGEST ? len : LONGEST) * 2 / 3, 6);

	if (len > LONGEST)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(candidates[i]);

		if (other > LONGEST)
			continue;
		d = distance(name, len, candidates[i], other);
		if (d < most || (d == most && best == NULL)) {
			best = candidates[i];
			most = d;
		}
	}
	return best;
}
