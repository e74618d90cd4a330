/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * transfer.c - a store as lines of JSON, out and in
 *
 *	{"annex-store":1,"by":"annex 0.1.0","tables":{"rooms":{"number":1,"version":2}}}
 *	{"table":"rooms","key":{"name":"den"},"record":{"title":"The den"}}
 *	{"table":"history","key":{"name":"den"},"sequence":17}
 *	{"number":7,"key":"AAdkZW4A","record":"CgNkZW4="}
 *	{"damaged":"the row ..."}
 *
 * The third line is the highest number given out under a prefix; the fourth
 * a row of a table that the exporting program did not know; the last stands
 * for a row that could not be believed, and is passed over by an import.
 * Counts are not exported: the import counts anew.
 *
 * An import keeps the tables' versions of the header, so rows of an older
 * version are migrated when the store is opened to work.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "json.h"

#define TRANSFER_VERSION 1
#define IMPORT_TURN_BYTES ((size_t)1 << 20)

/* --- Export ---------------------------------------------------------------- */

struct export
{
	struct annex_store *store;
	FILE *out;
	int wrong;
	bool first;
	json_t *tables; /* of the header */
};

static void
write_line(struct export *e, json_t *line)
{
	json_dumpf(line, e->out, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putc('\n', e->out);
	json_decref(line);
}

static void
write_damaged(struct export *e, const struct annex_key *key, const char *why)
{
	struct buf row = { 0 };

	buf_puts(&row, "the row ");
	key_describe(key, &row);
	buf_printf(&row, " %s", why);
	write_line(e, json_pack("{ss}", "damaged", buf_text(&row)));
	buf_finish(&row);
	e->wrong++;
}

/* Table rows come first of all: they make the header. */
static void
add_table(struct export *e, const struct annex_key *key, const ProtobufCMessage *record)
{
	const Annex__Store__Table *row = (const Annex__Store__Table *)record;

	json_object_set_new(e->tables, row->name,
	    json_pack("{si si}", "number", (int)number_read(key->bytes + 3, 2), "version",
		(int)row->version));
}

static void
write_header(struct export *e)
{
	if (e->tables == NULL)
		return;
	write_line(e,
	    json_pack("{si ss so}", "annex-store", TRANSFER_VERSION, "by", PACKAGE_STRING, "tables",
		e->tables));
	e->tables = NULL;
}

/* The prefix that a sequence counts under, as a key of its table. */
static bool
prefix_of(const struct export *e, const struct annex_key *raw, struct annex_key *prefix_r)
{
	const struct annex_table *table =
	    raw->len >= 5 ? store_table(e->store, (uint16_t)number_read(raw->bytes + 3, 2)) : NULL;
	struct key_part part;
	size_t at = 5;
	int n;

	if (table == NULL)
		return false;
	*prefix_r = annex_key(table);
	while (at < raw->len) {
		if (table->key[prefix_r->parts].name == NULL)
			return false;
		n = key_part_read(
		    &part, table->key[prefix_r->parts].type, raw->bytes + at, raw->len - at);
		if (n < 0)
			return false;
		key_append(prefix_r, raw->bytes + at, (size_t)n);
		prefix_r->parts++;
		at += (size_t)n;
	}
	return true;
}

static void
write_raw(struct export *e, const struct annex_key *key, const unsigned char *bytes, size_t len)
{
	write_line(e,
	    json_pack("{si so so}", "number", (int)number_read(key->bytes, 2), "key",
		json_of_bytes(key->bytes, key->len), "record", json_of_bytes(bytes, len)));
}

/* Counts are counted anew by an import; the highest number is what they would not know. */
static void
export_sequence(struct export *e, const struct annex_key *key, uint64_t last)
{
	Annex__Store__Sequence record = ANNEX__STORE__SEQUENCE__INIT;
	struct annex_key prefix, raw = key_system(SYSTEM_SEQUENCE);
	unsigned char bytes[16];

	if (prefix_of(e, key, &prefix)) {
		write_line(e,
		    json_pack("{ss so so}", "table", prefix.table->name, "key",
			json_of_key(&prefix, e->store->own_scratch), "sequence",
			json_of_u64(last)));
		return;
	}
	record.last = last;
	key_append(&raw, key->bytes + SYSTEM_STEM, key->len - SYSTEM_STEM);
	write_raw(e, &raw, bytes, annex__store__sequence__pack(&record, bytes));
}

static void
export_system(struct export *e, const struct annex_key *key, const unsigned char *bytes, size_t len)
{
	unsigned char kind = key->len > 2 ? key->bytes[2] : 0;
	const ProtobufCMessageDescriptor *type = system_type(kind);
	struct annex_pool *pool = e->store->own_scratch;
	ProtobufCMessage *record = type != NULL ? record_decode(type, bytes, len, pool) : NULL;

	if (record == NULL) {
		write_damaged(e, key, "cannot be decoded");
		return;
	}
	if (kind == SYSTEM_TABLE && e->tables != NULL && key->len == 5)
		add_table(e, key, record);
	if (kind > SYSTEM_TABLE)
		write_header(e);
	if (kind == SYSTEM_SEQUENCE)
		export_sequence(e, key, ((Annex__Store__Sequence *)record)->last);
	else if (kind == SYSTEM_ROOT && ((Annex__Store__Count *)record)->last > 0)
		export_sequence(e, key, ((Annex__Store__Count *)record)->last);
}

static void
export_row(struct export *e, const struct annex_key *raw, const MDB_val *v)
{
	const struct annex_table *table =
	    store_table(e->store, (uint16_t)number_read(raw->bytes, 2));
	struct annex_pool *pool = e->store->own_scratch;
	struct annex_key key;
	const unsigned char *bytes;
	ProtobufCMessage *record;
	const char *why;
	size_t len;

	bytes = record_open(raw->bytes, raw->len, v->mv_data, v->mv_size, &len, &why);
	if (number_read(raw->bytes, 2) != 0)
		write_header(e);
	if (bytes == NULL) {
		write_damaged(e, raw, why);
	} else if (number_read(raw->bytes, 2) == 0) {
		export_system(e, raw, bytes, len);
	} else if (table == NULL) {
		write_raw(e, raw, bytes, len);
	} else if (key_read(&key, table, raw->bytes, raw->len) < 0 ||
	    (record = record_decode(table->record, bytes, len, pool)) == NULL) {
		write_damaged(e, raw, "cannot be decoded");
	} else {
		write_line(e,
		    json_pack("{ss so so}", "table", table->name, "key", json_of_key(&key, pool),
			"record", json_of_record(record)));
	}
	annex_pool_reset(pool);
}

static int
export_store(struct annex_store *store, FILE *out)
{
	struct export e = { .store = store, .out = out, .tables = json_object() };
	struct annex_key key, last = { 0 };
	bool first = true;
	MDB_val v;
	int rc = store_use(store);

	while (rc >= 0 && (rc = walk_raw(store, first, &key, &v)) == ANNEX_AGAIN) {
		if (!first && !key_is_before(&last, &key))
			rc = store_fail(store, MDB_CORRUPTED, "walk its rows");
		else
			export_row(&e, &key, &v);
		last = key;
		first = false;
	}
	write_header(&e);
	if (rc < 0) {
		write_line(&e, json_pack("{ss}", "damaged", buf_text(&store->sentence)));
		e.wrong++;
	}
	return e.wrong;
}

static void
export_crashed(FILE *out, int sig)
{
	fprintf(out,
	    "{\"damaged\":\"reading the rest was not possible: the tree of pages is damaged\"}\n");
}

int
store_export(const char *dir, const struct annex_table *const *tables, FILE *out,
    struct annex_pool *pool, const char **why)
{
	return apart_run(dir, tables, export_store, export_crashed, out, pool, why);
}

/* --- Import ---------------------------------------------------------------- */

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
	if (json_integer_value(version) > TRANSFER_VERSION)
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
