/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * table.c - rows whose columns stand beneath each other
 */
#include <string.h>

#include "base/utf8.h"

#include "table.h"

struct row {
	struct row *next;
	const char **cells;
	const char *note; /* instead of cells */
};

struct table {
	struct ctl *ctl;
	size_t columns;
	size_t *width; /* in characters */
	struct row *first, **last;
};

static size_t
width_of(const char *text)
{
	const char *at = text, *end = text + strlen(text);
	size_t n = 0;

	for (; at < end; n++)
		utf8_next(&at, end);
	return n;
}

struct table *
table_create(struct ctl *ctl, size_t columns)
{
	struct table *table = annex_new(ctl->pool, struct table);

	table->ctl = ctl;
	table->columns = columns;
	table->width = annex_new_array(ctl->pool, size_t, columns);
	table->last = &table->first;
	return table;
}

static struct row *
table_add(struct table *table)
{
	struct row *row = annex_new(table->ctl->pool, struct row);

	*table->last = row;
	table->last = &row->next;
	return row;
}

void
table_row(struct table *table, const char *const *cells)
{
	struct row *row = table_add(table);

	row->cells = annex_new_array(table->ctl->pool, const char *, table->columns);
	for (size_t i = 0; i < table->columns; i++) {
		size_t width;

		row->cells[i] = cells[i] != NULL ? annex_strdup(table->ctl->pool, cells[i]) : "";
		width = width_of(row->cells[i]);
		if (width > table->width[i])
			table->width[i] = width;
	}
}

void
table_note(struct table *table, const char *text)
{
	table_add(table)->note = annex_strdup(table->ctl->pool, text);
}

static void
print_cells(const struct table *table, const char *const *cells)
{
	struct ctl *ctl = table->ctl;
	size_t used = table->columns;

	while (used > 0 && cells[used - 1][0] == '\0')
		used--;
	for (size_t i = 0; i < used; i++) {
		ctl_print_text(ctl, cells[i], strlen(cells[i]));
		if (i + 1 < used)
			fprintf(
			    ctl->out, "%*s", (int)(table->width[i] - width_of(cells[i])) + 2, "");
	}
	putc('\n', ctl->out);
}

void
table_print(const struct table *table)
{
	for (const struct row *row = table->first; row != NULL; row = row->next) {
		if (row->note == NULL) {
			print_cells(table, row->cells);
			continue;
		}
		fputs("    ", table->ctl->out);
		ctl_print_text(table->ctl, row->note, strlen(row->note));
		putc('\n', table->ctl->out);
	}
}

const char *
text_bytes(struct annex_pool *pool, double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	for (; bytes >= 1024 && unit < 4; unit++)
		bytes /= 1024;
	return annex_sprintf(
	    pool, unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

const char *
text_seconds(struct annex_pool *pool, json_int_t seconds)
{
	long long s = seconds > 0 ? seconds : 0;

	if (s < 60)
		return annex_sprintf(pool, "%llds", s);
	if (s < 3600)
		return annex_sprintf(pool, "%lldm %llds", s / 60, s % 60);
	if (s < 86400)
		return annex_sprintf(pool, "%lldh %lldm", s / 3600, s % 3600 / 60);
	return annex_sprintf(pool, "%lldd %lldh", s / 86400, s % 86400 / 3600);
}

const char *
text_rate(struct annex_pool *pool, double per_s)
{
	return annex_sprintf(pool, per_s >= 100 ? "%.0f" : "%.1f", per_s);
}
