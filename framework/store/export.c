/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * export.c - a store as lines of JSON
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
 */
#include "config.h"

#include <stdio.h>

#include "apart.h"
#include "json.h"

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
	    json_pack("{si ss so}", "annex-store", EXPORT_VERSION, "by", PACKAGE_STRING, "tables",
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
