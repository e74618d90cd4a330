/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * alloc.c - the heap, which never says no
 *
 * Memory is never a reason to fail: limits that somebody else can reach are
 * checked before, so running out here means that the machine is full or a
 * size was computed wrongly, and nobody up the stack could mend either.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"

#define KEPT_BYTES (16 << 20) /* free at the heap's end: more than some turns take between them */
#define APART_BYTES (4 << 20) /* what is larger goes back at once */

void
mem_exhausted(size_t size)
{
	char line[96];
	int n;

	/* No stdio stream: it might want memory itself. */
	n = snprintf(
	    line, sizeof(line), "<2>level=bug msg=\"out of memory (%zu bytes asked for)\"\n", size);
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(1);
	abort();
}

void *
mem_alloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		mem_exhausted(size);
	return p;
}

void *
mem_zalloc(size_t size)
{
	void *p = calloc(1, size > 0 ? size : 1);

	if (p == NULL)
		mem_exhausted(size);
	return p;
}

void *
mem_resize(void *old, size_t size)
{
	void *p = realloc(old, size > 0 ? size : 1);

	if (p == NULL)
		mem_exhausted(size);
	return p;
}

char *
mem_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mem_alloc(size), text, size);
}

void
mem_keep(void)
{
#ifdef __GLIBC__
	/* To set one stops the other from following what is freed. */
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, APART_BYTES);
#endif
}

void
mem_return(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
