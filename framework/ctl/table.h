/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * table.h - rows whose columns stand beneath each other
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include "ctl.h"

struct table;

struct table *table_create(struct ctl *ctl, size_t columns);
void table_row(struct table *table, const char *const *cells); /* copied; NULL is "" */
void table_note(struct table *table, const char *text);        /* a line of its own beneath it */
void table_print(const struct table *table);

/* In pool: "1.2 GiB", "3d 4h", "12.1". */
const char *text_bytes(struct annex_pool *pool, double bytes);
const char *text_seconds(struct annex_pool *pool, json_int_t seconds);
const char *text_rate(struct annex_pool *pool, double per_s);

#endif /* CTL_TABLE_H */
