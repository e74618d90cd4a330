/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check.c - is every row what was written, and every count right?
 *
 * All rows are walked in order.  Of each the checksum, the shape of the key
 * and the record are checked, and the trees of counts are counted again: for
 * every level the block that the walk is in is kept with its rows so far,
 * and held against the store when the walk leaves it.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "apart.h"

#define SAID_MAX 200

struct tally {
	struct annex_key group; /* len 0: none yet */
	uint64_t rows, weight;
	unsigned height;
	uint64_t block[COUNT_HEIGHT_MAX], in_block[COUNT_HEIGHT_MAX];
};

struct check {
	struct annex_store *store;
	FILE *out;
	int wrong;
	struct tally tally;
	uint64_t counts_there, counts_met; /* rows of kind ROOT and NODE */
	const struct annex_table *table;
	uint16_t number;
	uint64_t rows, table_rows;
};

static void
complain(struct check *c, const struct annex_key *key, const char *what)
{
	struct buf row = { 0 };

	if (++c->wrong <= SAID_MAX) {
		key_describe(key, &row);
		fprintf(c->out, "the row %s %s\n", buf_text(&row), what);
		buf_finish(&row);
	} else if (c->wrong == SAID_MAX + 1) {
		fprintf(c->out, "and more\n");
	}
	/* Reading a bad row marked the store; here that is what we came for. */
	c->store->failed = c->store->dead = false;
}

static void
check_count(struct check *c, const struct annex_key *key, uint64_t rows, uint64_t weight)
{
	char text[96];
	struct count says;

	if (count_read(c->store, key, &says) < 0) {
		complain(c, key, "cannot be read");
		return;
	}
	if (says.rows > 0)
		c->counts_met++;
	if (says.rows == rows && says.weight == weight)
		return;
	if (says.rows != rows)
		snprintf(text, sizeof(text), "counts %" PRIu64 " where there are %" PRIu64,
		    says.rows, rows);
	else
		snprintf(text, sizeof(text), "weighs %" PRIu64 " where its rows weigh %" PRIu64,
		    says.weight, weight);
	complain(c, key, text);
}

static void
leave_block(struct check *c, unsigned level)
{
	struct tally *t = &c->tally;
	struct annex_key key;

	if (t->in_block[level] == 0)
		return;
	key = count_node_key(t->group.bytes, t->group.len, level, t->block[level]);
	check_count(c, &key, t->in_block[level], 0);
	t->in_block[level] = 0;
}

static void
leave_group(struct check *c)
{
	struct tally *t = &c->tally;
	struct annex_key root;

	if (t->group.len == 0)
		return;
	for (unsigned level = 1; level < t->height; level++)
		leave_block(c, level);
	root = count_root_key(t->group.bytes, t->group.len);
	check_count(c, &root, t->rows, t->weight);
	memset(t, 0, sizeof(*t));
}

static void
enter_group(struct check *c, const struct annex_key *group)
{
	struct tally *t = &c->tally;
	struct count root;

	memset(t, 0, sizeof(*t));
	t->group = *group;
	t->height = 1;
	if (count_group(c->store, group, &root) < 0)
		complain(c, group, "begins rows whose count cannot be read");
	else
		t->height = root.height;
}

static void
check_counted_row(struct check *c, const struct annex_key *key, int64_t weight)
{
	struct annex_key group = *key;
	struct tally *t = &c->tally;
	uint64_t number;

	group.len -= 8;
	group.parts--;
	number = number_read(key->bytes + group.len, 8);
	if (t->group.len != group.len || memcmp(t->group.bytes, group.bytes, group.len) != 0) {
		leave_group(c);
		enter_group(c, &group);
	}
	t->rows++;
	t->weight += (uint64_t)weight;
	if (t->height < COUNT_HEIGHT_MAX && number >> (COUNT_BITS * t->height) != 0)
		complain(c, key, "lies outside the tree of its counts");
	for (unsigned level = 1; level < t->height; level++) {
		if (t->block[level] != number >> (COUNT_BITS * level))
			leave_block(c, level);
		t->block[level] = number >> (COUNT_BITS * level);
		t->in_block[level]++;
	}
}

static void
check_system_row(
    struct check *c, const struct annex_key *key, const unsigned char *bytes, size_t len)
{
	unsigned char kind = key->len > 2 ? key->bytes[2] : 0;
	const ProtobufCMessageDescriptor *type = system_type(kind);
	const struct annex_table *table;
	ProtobufCMessage *record;

	if (type == NULL) {
		complain(c, key, "is of a kind that is not known");
		return;
	}
	if ((record = record_decode(type, bytes, len, c->store->scratch)) == NULL)
		complain(c, key, "cannot be decoded");
	if ((kind != SYSTEM_ROOT && kind != SYSTEM_NODE) ||
	    (record != NULL && ((Annex__Store__Count *)record)->rows == 0))
		return;
	table =
	    key->len >= 5 ? store_table(c->store, (uint16_t)number_read(key->bytes + 3, 2)) : NULL;
	if (table != NULL && table->counted)
		c->counts_there++;
}

static void
check_table_row(
    struct check *c, const struct annex_key *raw, const unsigned char *bytes, size_t len)
{
	struct annex_key key;
	ProtobufCMessage *record;

	if (key_read(&key, c->table, raw->bytes, raw->len) < 0) {
		complain(c, raw, "has a key that is none of its table");
		return;
	}
	record = record_decode(c->table->record, bytes, len, c->store->scratch);
	if (record == NULL)
		complain(c, &key, "cannot be decoded");
	if (c->table->counted)
		check_counted_row(c, &key, record == NULL ? 0 : weight_of(c->table, record));
}

static void
leave_table(struct check *c)
{
	leave_group(c);
	if (c->table != NULL)
		fprintf(c->out, "%s: %" PRIu64 " rows\n", c->table->name, c->table_rows);
	else if (c->number != 0)
		fprintf(c->out,
		    "table number %u, which this program does not know: %" PRIu64 " rows\n",
		    c->number, c->table_rows);
}

static void
check_row(struct check *c, const struct annex_key *raw, const MDB_val *v)
{
	uint16_t number = raw->len < 2 ? 0 : (uint16_t)number_read(raw->bytes, 2);
	const unsigned char *bytes;
	const char *why;
	size_t len;

	if (number != c->number) {
		leave_table(c);
		c->number = number;
		c->table = store_table(c->store, number);
		c->table_rows = 0;
	}
	c->rows++;
	c->table_rows++;
	bytes = record_open(raw->bytes, raw->len, v->mv_data, v->mv_size, &len, &why);
	if (bytes == NULL)
		complain(c, raw, why);
	else if (number == 0)
		check_system_row(c, raw, bytes, len);
	else if (c->table != NULL)
		check_table_row(c, raw, bytes, len);
	annex_pool_reset(c->store->own_scratch);
}

/* A damaged tree may lead in circles; keys that ascend do not. */
static void
check_rows(struct check *c)
{
	struct annex_key key, last = { 0 };
	MDB_val v;
	int rc;

	while ((rc = walk_raw(c->store, c->rows == 0, &key, &v)) == ANNEX_AGAIN) {
		if (c->rows > 0 && !key_is_before(&last, &key)) {
			complain(c, &key, "is out of order: the tree of pages is damaged");
			return;
		}
		last = key;
		check_row(c, &key, &v);
	}
	leave_table(c);
	if (rc == ANNEX_OK)
		return;
	c->wrong++;
	fprintf(c->out, "%s\n", buf_text(&c->store->sentence));
}

static void
check_totals(struct check *c)
{
	uint64_t free_bytes, pages;
	MDB_envinfo info;
	MDB_stat stat;

	if (c->counts_there != c->counts_met) {
		c->wrong++;
		fprintf(c->out, "%" PRIu64 " counts are there, %" PRIu64 " belong to rows\n",
		    c->counts_there, c->counts_met);
	}
	if (c->store->io->info(c->store->io, c->store->env, &info, &stat) != 0)
		return;
	if (stat.ms_entries != c->rows) {
		c->wrong++;
		fprintf(c->out, "%" PRIu64 " rows were found where there shall be %zu\n", c->rows,
		    stat.ms_entries);
	}
	if (space_free_inside(c->store, &free_bytes) < 0) {
		c->wrong++;
		fprintf(c->out, "%s\n", buf_text(&c->store->sentence));
		return;
	}
	pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
	if (pages + free_bytes / c->store->page_size + 1 > info.me_last_pgno) {
		c->wrong++;
		fprintf(
		    c->out, "pages are in use and free at once: every write may destroy rows\n");
	}
}

static int
check_store(struct annex_store *store, FILE *out)
{
	struct check c = { .store = store, .out = out };

	if (store_use(store) < 0) {
		fprintf(out, "%s\n", buf_text(&store->sentence));
		return 1;
	}
	check_rows(&c);
	check_totals(&c);
	if (c.wrong == 0)
		fprintf(out, "nothing is wrong\n");
	else
		fprintf(out, "%d things are wrong\n", c.wrong);
	return c.wrong;
}

static void
check_crashed(FILE *out, int sig)
{
	fprintf(out, "reading the rest was not possible (%s): the tree of pages is damaged\n",
	    sig != 0 ? strsignal(sig) : "the reader ended");
}

int
store_verify(const char *dir, const struct annex_table *const *tables, FILE *out,
    struct annex_pool *pool, const char **why)
{
	return apart_run(dir, tables, check_store, check_crashed, out, pool, why);
}
