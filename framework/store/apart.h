/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * apart.h - reading a file that may be damaged, in a process of its own
 */
#ifndef STORE_APART_H
#define STORE_APART_H

#include <stdio.h>

#include "inside.h"

/* Reads store, which is open read-only, and writes to out; how many things are wrong. */
typedef int apart_fn(struct annex_store *store, FILE *out);

/*
 * Open dir as a copy and run fn.  What ends the other process is one more
 * thing wrong, told to out by crashed.  Negative, with *why, where the store
 * cannot be opened.
 */
int apart_run(const char *dir, const struct annex_table *const *tables, apart_fn *fn,
    void (*crashed)(FILE *out, int sig), FILE *out, struct annex_pool *pool, const char **why);

#endif /* STORE_APART_H */
