/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storetest.h"

static const struct annex_key_part text_parts[] = { { "name", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part number_parts[] = { { "id", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part counted_parts[] = {
	{ "group", ANNEX_KEY_TEXT },
	{ "seq", ANNEX_KEY_U64 },
	{ 0 },
};
static const struct annex_key_part bytes_parts[] = {
	{ "hash", ANNEX_KEY_BYTES },
	{ "name", ANNEX_KEY_TEXT },
	{ 0 },
};

uint64_t
storetest_weigh(const ProtobufCMessage *record)
{
	const Test__Record *r = (const Test__Record *)record;

	return r->number + (r->text == NULL ? 0 : strlen(r->text));
}

const struct annex_table storetest_tables[] = {
	{ 1, "by_text", text_parts, &test__record__descriptor, 1 },
	{ 2, "by_number", number_parts, &test__record__descriptor, 1 },
	{ 3, "counted", counted_parts, &test__record__descriptor, 1, .counted = true,
	    .weigh = storetest_weigh },
	{ 4, "by_bytes", bytes_parts, &test__record__descriptor, 1 },
	{ 1001, "framework", number_parts, &test__record__descriptor, 1 },
	{ 0 },
};
const struct annex_table *const storetest_lists[] = { storetest_tables, NULL };

/* Does this call fail? */
static bool
fails(const struct store_io *io, const char *name)
{
	struct fault_io *f = (struct fault_io *)(uintptr_t)io;

	if (++f->calls != f->fail_at)
		return false;
	f->failed = name;
	return true;
}

#define FAULT(io) ((struct fault_io *)(uintptr_t)(io))
#define REAL (&store_io_lmdb)
#define FAIL_OR(io, name, call) (fails(io, name) ? FAULT(io)->error : (call))

static int
f_open(const struct store_io *io, const char *path, unsigned flags, uint64_t map, MDB_env **env_r)
{
	return FAIL_OR(io, "open", REAL->open(io, path, flags, map, env_r));
}

static int
f_info(const struct store_io *io, MDB_env *env, MDB_envinfo *info_r, MDB_stat *stat_r)
{
	return FAIL_OR(io, "info", REAL->info(io, env, info_r, stat_r));
}

static int
f_reader_check(const struct store_io *io, MDB_env *env, int *dead_r)
{
	return FAIL_OR(io, "reader_check", REAL->reader_check(io, env, dead_r));
}

static int
f_begin(const struct store_io *io, MDB_env *env, unsigned flags, MDB_txn **txn_r)
{
	return FAIL_OR(io, "begin", REAL->begin(io, env, flags, txn_r));
}

static int
f_commit(const struct store_io *io, MDB_txn *txn)
{
	FAULT(io)->commits++;
	if (!fails(io, "commit"))
		return REAL->commit(io, txn);
	REAL->abort(io, txn);
	return FAULT(io)->error;
}

static int
f_get(const struct store_io *io, MDB_txn *txn, MDB_val *key, MDB_val *value)
{
	return FAIL_OR(io, "get", REAL->get(io, txn, key, value));
}

static int
f_put(const struct store_io *io, MDB_txn *txn, MDB_val *key, MDB_val *value, unsigned flags)
{
	return FAIL_OR(io, "put", REAL->put(io, txn, key, value, flags));
}

static int
f_del(const struct store_io *io, MDB_txn *txn, MDB_val *key)
{
	return FAIL_OR(io, "del", REAL->del(io, txn, key));
}

static int
f_cursor_open(const struct store_io *io, MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor_r)
{
	return FAIL_OR(io, "cursor_open", REAL->cursor_open(io, txn, dbi, cursor_r));
}

static int
f_cursor_get(
    const struct store_io *io, MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op)
{
	return FAIL_OR(io, "cursor_get", REAL->cursor_get(io, cursor, key, value, op));
}

static int
f_append(const struct store_io *io, int fd, const void *bytes, size_t len, off_t at, bool sync)
{
	FAULT(io)->commits++;
	FAULT(io)->synced = sync;
	return FAIL_OR(io, "append", REAL->append(io, fd, bytes, len, at, sync));
}

static int
f_allocate(const struct store_io *io, int fd, off_t from, off_t len, bool sparse)
{
	FAULT(io)->allocations++;
	if (FAULT(io)->no_space)
		return ENOSPC;
	return FAIL_OR(io, "allocate", REAL->allocate(io, fd, from, len, sparse));
}

void
fault_io_init(struct fault_io *fault)
{
	memset(fault, 0, sizeof(*fault));
	fault->io = store_io_lmdb;
	fault->io.open = f_open;
	fault->io.info = f_info;
	fault->io.reader_check = f_reader_check;
	fault->io.begin = f_begin;
	fault->io.commit = f_commit;
	fault->io.get = f_get;
	fault->io.put = f_put;
	fault->io.del = f_del;
	fault->io.cursor_open = f_cursor_open;
	fault->io.cursor_get = f_cursor_get;
	fault->io.append = f_append;
	fault->io.allocate = f_allocate;
	fault->error = EIO;
}

/* Every look at it takes 0.1 ms. */
static void
clock_tick(struct clock *clock)
{
	int64_t *now_us = clock->cookie;

	*now_us += 100;
	clock->mono_us = *now_us;
}

void
storetest_init(struct storetest *t)
{
	const char *base = getenv("TMPDIR");

	memset(t, 0, sizeof(*t));
	if (base == NULL)
		base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(t->dir, sizeof(t->dir), "%s/annex-store-XXXXXX", base);
	assert_non_null(mkdtemp(t->dir));
	t->pool = annex_pool_create(NULL, "storetest");
	t->clock.read = clock_tick;
	t->clock.cookie = &t->now_us;
	fault_io_init(&t->fault);
	t->options = (struct store_options) { .dir = t->dir, .volatile_sync = true };
	t->env = (struct store_env) { .io = &t->fault.io, .clock = &t->clock };
	t->lists = storetest_lists;
}

int
storetest_open(struct storetest *t)
{
	return store_open(&t->store, &t->env, &t->options, t->lists, t->pool, &t->why);
}

void
storetest_reopen(struct storetest *t)
{
	store_close(&t->store);
	if (storetest_open(t) < 0)
		fail_msg("reopen: %s", t->why);
}

char *
storetest_file(struct storetest *t, const char *name)
{
	return annex_sprintf(t->pool, "%s/%s", t->dir, name);
}

void
storetest_finish(struct storetest *t)
{
	struct dirent *entry;
	DIR *dir;

	store_close(&t->store);
	dir = opendir(t->dir);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		unlink(storetest_file(t, entry->d_name));
	closedir(dir);
	rmdir(t->dir);
	annex_pool_destroy(&t->pool);
}

int
try_put_text(struct annex_store *store, const struct annex_key *key, const char *text)
{
	Test__Record record = TEST__RECORD__INIT;

	record.text = (char *)(uintptr_t)text;
	return annex_put(store, key, &record.base);
}

void
put_text(struct annex_store *store, const struct annex_key *key, const char *text)
{
	assert_int_equal(try_put_text(store, key, text), ANNEX_OK);
}

const char *
get_text(struct annex_store *store, const struct annex_key *key)
{
	ProtobufCMessage *record;

	if (annex_get(store, key, &record) != ANNEX_OK)
		return NULL;
	return ((Test__Record *)record)->text;
}

struct annex_key
text_key(const char *text)
{
	struct annex_key key = annex_key(BY_TEXT);

	return *annex_key_text(&key, text);
}

struct annex_key
number_key(uint64_t number)
{
	struct annex_key key = annex_key(BY_NUMBER);

	return *annex_key_u64(&key, number);
}

struct annex_key
counted_key(const char *group, uint64_t number)
{
	struct annex_key key = annex_key(COUNTED);

	return *annex_key_u64(annex_key_text(&key, group), number);
}

void
commit(struct annex_store *store)
{
	assert_int_equal(store_commit(store), ANNEX_OK);
}

char *
storetest_picture(struct storetest *t)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(store_export(t->dir, storetest_lists, out, t->pool, &t->why), 0);
	fclose(out);
	return text;
}

int
storetest_setup(void **state)
{
	struct storetest *t = calloc(1, sizeof(*t));

	storetest_init(t);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	*state = t;
	return 0;
}

int
storetest_teardown(void **state)
{
	storetest_finish(*state);
	free(*state);
	return 0;
}
