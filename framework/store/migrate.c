/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * migrate.c - a store and a program of different age
 *
 * A program reads any older store and refuses a newer one, as a whole (the
 * format) and table by table (their versions).  The shape of a table's key
 * never changes: rows could not be found any more.  Each table is brought up
 * to date in a turn of its own that also writes the new version, so that a
 * crash leaves it before or behind, never between.
 */
#include "config.h"

#include <string.h>

#include "inside.h"

static struct annex_key
table_row_key(uint16_t number)
{
	struct annex_key key = key_system(SYSTEM_TABLE);

	key_append_number(&key, number, 2);
	return key;
}

int
migrate_table_put(struct annex_store *store, const struct annex_table *table, uint32_t version)
{
	Annex__Store__Table row = ANNEX__STORE__TABLE__INIT;
	struct annex_key key = table_row_key(table->number);
	char shape[32];

	key_table_shape(table, shape);
	row.name = (char *)(uintptr_t)table->name;
	row.version = version;
	row.key = shape;
	row.counted = table->counted;
	row.weighed = table->weigh != NULL;
	return system_put(store, &key, &row.base);
}

static int
failed(struct annex_store *store, struct annex_pool *pool, const char **why)
{
	return store_why(why, pool, ANNEX_ESTORE, "%s", buf_text(&store->sentence));
}

static int
check_table(const struct annex_store *store, const struct annex_table *table,
    const Annex__Store__Table *row, struct annex_pool *pool, const char **why)
{
	char shape[32];

	if (row->version > table->version)
		return store_why(why, pool, ANNEX_EINVAL,
		    "the table %s in %s is of version %u, this program knows %u: "
		    "it was written by a newer one",
		    table->name, store->dir, row->version, table->version);
	key_table_shape(table, shape);
	if (strcmp(row->key, shape) != 0)
		return store_why(why, pool, ANNEX_EINVAL,
		    "the table %s in %s has keys of the shape \"%s\", this program wants \"%s\": "
		    "number %u was used for something else",
		    table->name, store->dir, row->key, shape, table->number);
	return ANNEX_OK;
}

/* In a turn of its own: counts, which rows that change rely upon, then rows, then the version. */
static int
bring_up(struct annex_store *store, const struct annex_table *table, const Annex__Store__Table *row,
    struct annex_pool *pool, const char **why)
{
	uint32_t from = row->version;
	bool was_counted = row->counted, was_weighed = row->weighed;
	int rc = ANNEX_OK;

	if (table->counted && (!was_counted || (table->weigh != NULL && !was_weighed)))
		rc = count_rebuild(store, table);
	if (!table->counted && was_counted)
		rc = count_forget(store, table);
	if (rc >= 0 && from < table->version && table->migrate != NULL)
		rc = table->migrate(store, from);
	if (rc >= 0)
		rc = migrate_table_put(store, table, table->version);
	if (rc >= 0)
		rc = store_commit(store);
	if (rc >= 0) {
		store_says(store, ANNEX_LOG_NOTICE, "table %s brought from version %u to %u",
		    table->name, from, table->version);
		return ANNEX_OK;
	}
	store_abort(store);
	return store_why(why, pool, rc,
	    "the table %s in %s could not be brought from version %u to %u (%s)", table->name,
	    store->dir, from, table->version,
	    rc == ANNEX_ESTORE && store->sentence.len > 0 ? buf_text(&store->sentence)
							  : annex_status_text(rc));
}

static int
migrate_table(struct annex_store *store, const struct annex_table *table, enum open_mode mode,
    struct annex_pool *pool, const char **why)
{
	struct annex_key key = table_row_key(table->number);
	ProtobufCMessage *record;
	Annex__Store__Table *row;
	int rc;

	if (store_use(store) < 0)
		return failed(store, pool, why);
	rc = system_get(store, &key, &annex__store__table__descriptor, &record);
	if (rc == ANNEX_ENOENT) {
		if (mode == OPEN_COPY)
			return ANNEX_OK;
		return migrate_table_put(store, table, table->version) < 0
		    ? failed(store, pool, why)
		    : ANNEX_OK;
	}
	if (rc < 0)
		return failed(store, pool, why);
	row = (Annex__Store__Table *)record;
	if ((rc = check_table(store, table, row, pool, why)) < 0 || mode == OPEN_COPY)
		return rc;
	if (row->version == table->version && !row->counted == !table->counted &&
	    !row->weighed == (table->weigh == NULL))
		return ANNEX_OK;
	return bring_up(store, table, row, pool, why);
}

static int
write_format(struct annex_store *store)
{
	Annex__Store__Format row = ANNEX__STORE__FORMAT__INIT;
	struct annex_key key = key_system(SYSTEM_FORMAT);

	row.format = STORE_FORMAT;
	row.created_by = (char *)(uintptr_t)PACKAGE_STRING;
	return system_put(store, &key, &row.base);
}

/*
 * The format's row keeps its key and its envelope for ever, so that any
 * program can tell that it is too old.
 */
static int
check_format(struct annex_store *store, struct annex_pool *pool, const char **why)
{
	struct annex_key key = key_system(SYSTEM_FORMAT);
	ProtobufCMessage *record;
	uint32_t format;
	int rc = system_get(store, &key, &annex__store__format__descriptor, &record);

	if (rc == ANNEX_ENOENT)
		return store_why(why, pool, ANNEX_EINVAL,
		    "%s holds an LMDB database that is no store of Annex", store->dir);
	if (rc < 0)
		return failed(store, pool, why);
	format = ((Annex__Store__Format *)record)->format;
	if (format > STORE_FORMAT)
		return store_why(why, pool, ANNEX_EINVAL,
		    "the store in %s is of format %u, this program knows %u: "
		    "it was written by a newer one",
		    store->dir, format, STORE_FORMAT);
	return ANNEX_OK;
}

int
migrate_all(
    struct annex_store *store, enum open_mode mode, struct annex_pool *pool, const char **why)
{
	MDB_envinfo info;
	MDB_stat stat;
	int rc = store->io->info(store->io, store->env, &info, &stat);

	if (rc != 0)
		store_fail(store, rc, "look at itself");
	if (rc != 0 || store_use(store) < 0)
		return failed(store, pool, why);
	if (stat.ms_entries > 0 || mode == OPEN_COPY)
		rc = check_format(store, pool, why);
	else if (store->space.disk_refuses)
		rc = store_why(why, pool, ANNEX_EFULL,
		    "no space left on the disk of %s: a new store needs %llu MiB", store->dir,
		    (unsigned long long)(store->space.ahead >> 20));
	else if (write_format(store) < 0)
		rc = failed(store, pool, why);
	for (size_t i = 0; rc >= 0 && i < store->table_count; i++)
		rc = migrate_table(store, store->tables[i], mode, pool, why);
	if (rc < 0) {
		store_abort(store);
		return rc;
	}
	return store_commit(store) < 0 ? failed(store, pool, why) : ANNEX_OK;
}
