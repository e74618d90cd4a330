/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * alloc.h - the heap, which never says no
 *
 * Each either succeeds or ends the process with one line saying how many
 * bytes were asked for.  Free with free().
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_resize(void *old, size_t size);
char *mem_strdup(const char *text);

/*
 * What is freed stays with the process, since it is needed again in a moment: the kernel would have
 * to clear each page anew.  mem_return gives back what is free by then.
 */
void mem_keep(void);
void mem_return(void);

/* For allocators of other shapes: say that size bytes were asked for, and end. */
_Noreturn void mem_exhausted(size_t size);

#endif /* BASE_ALLOC_H */
