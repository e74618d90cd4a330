/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * stat.c - how large, how full, how fast; and what is due once a minute
 */
#include "config.h"

#include "inside.h"

/* Dead readers pin pages; ours end with their transaction, so there are none unless we have a bug. */
void
store_tend(struct annex_store *store)
{
	int dead = 0, rc;

	CHECK_OBJECT(store, STORE_MAGIC);
	if (store->dead || store->read_only)
		return;
	if ((rc = store->io->reader_check(store->io, store->env, &dead)) != 0)
		store_fail(store, rc, "check its readers");
	else if (dead > 0)
		store_says(
		    store, ANNEX_LOG_WARNING, "store freed the places of %d dead readers", dead);
	store_checkpoint(store);
	space_tend(store); /* whatever became of it */
	soft_tend(store);
}

static int
table_rows(struct annex_store *store, const struct annex_table *table, uint64_t *rows_r)
{
	struct annex_key all = annex_key(table);
	struct annex_iter it = annex_iter(&all);
	int rc;

	if (table->counted)
		return annex_rows(store, &all, rows_r);
	it.keys_only = true;
	*rows_r = 0;
	while ((rc = annex_next(store, &it)) == ANNEX_AGAIN)
		++*rows_r;
	return rc;
}

static int
stat_tables(struct annex_store *store, struct annex_pool *pool, struct store_stat *stat_r)
{
	int rc;

	stat_r->table = annex_pool_array(pool, store->table_count + 1, sizeof(*stat_r->table));
	stat_r->table_count = store->table_count;
	for (size_t i = 0; i < store->table_count; i++) {
		stat_r->table[i].name = store->tables[i]->name;
		rc = table_rows(store, store->tables[i], &stat_r->table[i].rows);
		if (rc < 0)
			return rc;
	}
	return ANNEX_OK;
}

int
store_stat(
    struct annex_store *store, bool by_table, struct annex_pool *pool, struct store_stat *stat_r)
{
	MDB_envinfo info;
	MDB_stat stat;
	uint64_t used;
	int rc;

	CHECK_OBJECT(store, STORE_MAGIC);
	*stat_r = (struct store_stat) { 0 };
	if ((rc = store_checkpoint(store)) < 0)
		return rc;
	if ((rc = store->io->info(store->io, store->env, &info, &stat)) != 0)
		return store_fail(store, rc, "look at itself");
	if ((rc = space_free_inside(store, &stat_r->bytes_free_inside)) < 0)
		return rc;
	used = ((uint64_t)info.me_last_pgno + 1) * store->page_size;
	stat_r->rows = stat.ms_entries;
	stat_r->bytes_used = used - stat_r->bytes_free_inside;
	stat_r->bytes_map = info.me_mapsize;
	stat_r->bytes_quota = store->space.quota;
	stat_r->depth = stat.ms_depth;
	stat_r->commits = store->commits;
	stat_r->commit_us_last = store->commit_us_last;
	if (store->io->disk_free(store->io, store->dir, &stat_r->disk_free) != 0)
		stat_r->disk_free = 0;
	return by_table ? stat_tables(store, pool, stat_r) : ANNEX_OK;
}
