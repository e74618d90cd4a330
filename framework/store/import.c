/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * import.c - a store made from lines of JSON
 *
 * export.c has the lines.  The tables' versions are those of the header, so
 * rows of an older version are migrated when the store is opened to work.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

#define IMPORT_TURN_BYTES ((size_t)1 << 20)

struct import {
	struct annex_store *store;
	struct annex_pool *pool; /* of one line */
	const char *why;
	unsigned long line;
	json_t *tables;
};

static const struct annex_table *
table_by_name(struct import *in, const json_t *name)
{
	for (size_t i = 0; json_is_string(name) && i < in->store->table_count; i++)
		if (strcmp(in->store->tables[i]->name, json_string_value(name)) == 0)
			return in->store->tables[i];
	in->why = annex_sprintf(in->pool, "there is no table \"%s\" here",
	    json_is_string(name) ? json_string_value(name) : "");
	return NULL;
}

static int
import_header(struct import *in, const json_t *line)
{
	json_t *version = json_object_get(line, "annex-store"), *table;
	const char *name;

	in->why = "is not an export of a store: its first line says otherwise";
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return ANNEX_EINVAL;
	in->why = "was exported by a newer program";
	if (json_integer_value(version) > EXPORT_VERSION)
		return ANNEX_EINVAL;
	in->tables = json_incref(json_object_get(line, "tables"));
	for (size_t i = 0; i < in->store->table_count; i++) {
		name = in->store->tables[i]->name;
		table = json_object_get(json_object_get(in->tables, name), "version");
		if (json_integer_value(table) <= in->store->tables[i]->version)
			continue;
		in->why = annex_sprintf(in->pool,
		    "has the table %s in version %lld, this program knows %u", name,
		    (long long)json_integer_value(table), in->store->tables[i]->version);
		return ANNEX_EINVAL;
	}
	return ANNEX_OK;
}

static int
import_sequence(struct import *in, const struct annex_key *prefix, const json_t *value)
{
	uint64_t last;

	in->why = "the sequence is not a number";
	if (!json_to_u64(value, &last))
		return ANNEX_EINVAL;
	in->why = "a sequence is of numbers";
	if (prefix->table->key[prefix->parts].type != ANNEX_KEY_U64)
		return ANNEX_EINVAL;
	return sequence_raise(in->store, prefix, last);
}

static int
import_raw(struct import *in, const json_t *line)
{
	struct annex_key key = { 0 };
	size_t key_len, len;
	unsigned char *key_bytes, *bytes;
	MDB_val k, v;
	int rc;

	key_bytes = json_to_bytes(json_object_get(line, "key"), &key_len, in->pool, &in->why);
	bytes = json_to_bytes(json_object_get(line, "record"), &len, in->pool, &in->why);
	if (key_bytes == NULL || bytes == NULL)
		return ANNEX_EINVAL;
	in->why = "the key cannot be one";
	if (key_len < 3 || key_len > ANNEX_KEY_MAX || len > STORE_RECORD_MAX ||
	    store_table(in->store, (uint16_t)number_read(key_bytes, 2)) != NULL ||
	    (number_read(key_bytes, 2) == 0 && key_bytes[2] != SYSTEM_SEQUENCE))
		return ANNEX_EINVAL;
	if (store_use(in->store) < 0)
		return ANNEX_ESTORE;
	key_append(&key, key_bytes, key_len);
	record_seal_bytes(&in->store->record, &key, bytes, len);
	k = key_val(&key);
	v = (MDB_val) { in->store->record.len, in->store->record.data };
	if ((rc = store_change(in->store, &k, &v, 0)) != 0)
		return store_fail(in->store, rc, "write");
	store_wrote(in->store, key_len + len);
	return ANNEX_OK;
}

static int
import_row(struct import *in, const json_t *line)
{
	const json_t *sequence = json_object_get(line, "sequence");
	const struct annex_table *table;
	ProtobufCMessage *record;
	struct annex_key key;

	if (json_object_get(line, "damaged") != NULL)
		return ANNEX_OK;
	if (json_object_get(line, "number") != NULL)
		return import_raw(in, line);
	if ((table = table_by_name(in, json_object_get(line, "table"))) == NULL ||
	    json_to_key(json_object_get(line, "key"), table, &key, in->pool, &in->why) < 0)
		return ANNEX_EINVAL;
	if (sequence != NULL)
		return import_sequence(in, &key, sequence);
	in->why = "the key lacks a part";
	if (key.parts != key_table_parts(table))
		return ANNEX_EINVAL;
	record = json_to_record(json_object_get(line, "record"), table->record, in->pool, &in->why);
	if (record == NULL)
		return ANNEX_EINVAL;
	in->why = "the record is too large";
	return annex_put(in->store, &key, record);
}

static int
import_line(struct import *in, const char *text, size_t len)
{
	json_error_t error;
	json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	int rc;

	in->line++;
	if (!json_is_object(line)) {
		in->why = line == NULL ? annex_strdup(in->pool, error.text) : "is not an object";
		json_decref(line);
		return ANNEX_EINVAL;
	}
	rc = in->line == 1 ? import_header(in, line) : import_row(in, line);
	json_decref(line);
	if (rc == ANNEX_EFULL)
		in->why = "the disk or the quota is full";
	if (rc == ANNEX_ESTORE)
		in->why = buf_text(&in->store->sentence);
	if (rc >= 0 && store_dirty_bytes(in->store) > IMPORT_TURN_BYTES)
		rc = store_commit(in->store);
	return rc;
}

/* The versions that the rows have, which may be older than ours. */
static int
import_versions(struct import *in)
{
	const struct annex_table *table;
	json_int_t version;
	int rc;

	for (size_t i = 0; i < in->store->table_count; i++) {
		table = in->store->tables[i];
		version = json_integer_value(
		    json_object_get(json_object_get(in->tables, table->name), "version"));
		if (version < 1 || version == table->version)
			continue;
		if (store_use(in->store) < 0 ||
		    (rc = migrate_table_put(in->store, table, (uint32_t)version)) < 0)
			return ANNEX_ESTORE;
	}
	return store_commit(in->store);
}

static int
import_lines(struct import *in, FILE *from, struct annex_pool *pool, const char **why)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t len;
	int rc = ANNEX_OK;

	while (rc >= 0 && (len = getline(&text, &room, from)) >= 0) {
		rc = import_line(in, text, (size_t)len);
		if (rc < 0)
			store_why(why, pool, rc, "line %lu: %s", in->line, in->why);
		annex_pool_reset(in->pool);
	}
	free(text);
	if (rc < 0)
		return rc;
	if (ferror(from))
		return store_why(
		    why, pool, ANNEX_EIO, "cannot read the export: %s", strerror(errno));
	if (in->line == 0)
		return store_why(why, pool, ANNEX_EINVAL, "the export is empty");
	if (import_versions(in) < 0)
		return store_why(why, pool, ANNEX_ESTORE, "%s", buf_text(&in->store->sentence));
	return ANNEX_OK;
}

/* Are there rows of any table? */
static int
check_empty(struct annex_store *store, struct annex_pool *pool, const char **why)
{
	struct annex_key first = { .len = 2, .bytes = { 0, 1 } };
	MDB_val k, v;
	int rc = store_use(store);

	if (rc == ANNEX_OK)
		rc = walk_to(store, &first, false, &k, &v);
	store_abort(store);
	if (rc == ANNEX_OK)
		return store_why(why, pool, ANNEX_EEXIST,
		    "the store in %s is not empty: move it away first", store->dir);
	if (rc != ANNEX_ENOENT)
		return store_why(why, pool, rc, "%s", buf_text(&store->sentence));
	return ANNEX_OK;
}

/* What a failed import leaves was made by it. */
static void
remove_store(const char *dir, struct annex_pool *pool)
{
	unlink(annex_sprintf(pool, "%s/journal", dir));
	unlink(annex_sprintf(pool, "%s/data.mdb", dir));
	unlink(annex_sprintf(pool, "%s/lock.mdb", dir));
}

int
store_import(const char *dir, const struct annex_table *const *tables, FILE *from,
    struct annex_pool *pool, const char **why)
{
	struct store_options options = { .dir = dir };
	struct clock clock;
	struct store_env env = { .io = &store_io_lmdb, .clock = &clock };
	struct import in = { 0 };
	int rc;

	clock_init_system(&clock);
	rc = store_open_mode(&in.store, &env, &options, tables, OPEN_IMPORT, pool, why);
	if (rc < 0)
		return rc;
	if ((rc = check_empty(in.store, pool, why)) >= 0) {
		in.pool = annex_pool_create(pool, "import");
		rc = import_lines(&in, from, pool, why);
		annex_pool_destroy(&in.pool);
		json_decref(in.tables);
		store_close(&in.store);
		if (rc < 0)
			remove_store(dir, pool);
	}
	store_close(&in.store);
	return rc;
}
