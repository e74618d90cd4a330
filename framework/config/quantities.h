/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * quantities.h - numbers, times and sizes as people write them
 *
 * Each reader takes the whole text or refuses it: ANNEX_EINVAL where it is
 * none, ANNEX_ELIMIT where it does not fit an int64_t.  Each writer gives the
 * shortest text that reads back as the same value.
 */
#ifndef CONFIG_QUANTITIES_H
#define CONFIG_QUANTITIES_H

#include <stdbool.h>
#include <stdint.h>

#include <annex/pool.h>

int quantity_read_bool(const char *text, bool *value_r) ANNEX_MUST_CHECK;
int quantity_read_int(const char *text, int64_t *value_r) ANNEX_MUST_CHECK;

/* ms, s, m, h, d, w; in milliseconds.  A unit is needed, but for 0. */
int quantity_read_time(const char *text, int64_t *ms_r) ANNEX_MUST_CHECK;

/* K, M, G, T are powers of 1,024; a B, or iB, may follow.  In bytes. */
int quantity_read_size(const char *text, int64_t *bytes_r) ANNEX_MUST_CHECK;

const char *quantity_write_time(struct annex_pool *pool, int64_t ms);
const char *quantity_write_size(struct annex_pool *pool, int64_t bytes);

#endif /* CONFIG_QUANTITIES_H */
