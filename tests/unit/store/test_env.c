/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_env.c - opening: every refusal is a sentence
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storetest.h"

static int
setup(void **state)
{
	struct storetest *t = calloc(1, sizeof(*t));

	storetest_init(t);
	*state = t;
	return 0;
}

static void
open_good(struct storetest *t)
{
	if (storetest_open(t) < 0)
		fail_msg("%s", t->why);
}

static void
assert_refused(struct storetest *t, const char *because)
{
	assert_true(storetest_open(t) < 0);
	assert_null(t->store);
	if (strstr(t->why, because) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", t->why, because);
}

static void
files_are_the_owners_alone(void **state)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "LOCK", "journal" };
	struct storetest *t = *state;
	struct stat st;

	rmdir(t->dir);
	open_good(t);
	assert_int_equal(stat(t->dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(stat(storetest_file(t, names[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void
no_descriptor_is_left_to_programs_that_are_started(void **state)
{
	struct storetest *t = *state;
	char path[64], target[256];
	unsigned seen = 0;
	ssize_t n;

	open_good(t);
	for (int fd = 3; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if ((n = readlink(path, target, sizeof(target) - 1)) < 0)
			continue;
		target[n] = '\0';
		if (strncmp(target, t->dir, strlen(t->dir)) != 0)
			continue;
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		seen++;
	}
	assert_true(seen >= 3);
}

static void
a_second_process_is_told_who_has_it(void **state)
{
	struct storetest *t = *state;
	int ready[2], done[2], status;
	char byte, number[32];
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	if ((pid = fork()) == 0) {
		status = storetest_open(t) < 0;
		if (write(ready[1], "", 1) != 1 || read(done[0], &byte, 1) != 1)
			status = 2;
		_exit(status);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_refused(t, "already in use by process");
	snprintf(number, sizeof(number), "%ld", (long)pid);
	assert_non_null(strstr(t->why, number));
	assert_int_equal(write(done[1], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	open_good(t);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(done[i]);
	}
}

static void
a_place_that_cannot_be_written_is_named(void **state)
{
	struct storetest *t = *state;

	t->options.dir = "/proc/no-such-place";
	assert_refused(t, "cannot make the directory /proc/no-such-place");
	t->options.dir = storetest_file(t, "file");
	fclose(fopen(t->options.dir, "w"));
	assert_refused(t, "is not a directory");
}

static void
a_full_disk_is_told_at_opening(void **state)
{
	struct storetest *t = *state;

	t->options.volatile_sync = false;
	t->options.quota_bytes = 10 << 20;
	t->fault.no_space = true;
	assert_refused(t, "no space left on the disk");
	t->fault.no_space = false;
	t->fault.error = ENOSPC;
	t->fault.fail_at = t->fault.calls + 2;
	assert_refused(t, "no space left on the disk");
	assert_string_equal(t->fault.failed, "open");
	open_good(t);
}

static void
a_store_that_is_there_opens_on_a_full_disk(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("a");

	t->options.volatile_sync = false;
	t->options.quota_bytes = 10 << 20;
	open_good(t);
	put_text(t->store, &key, "there");
	commit(t->store);
	store_close(&t->store);
	/* The lock file is made first; what is allocated ahead comes later. */
	t->fault.fail_at = t->fault.calls + 6;
	t->fault.error = ENOSPC;
	open_good(t);
	assert_string_equal(t->fault.failed, "allocate");
	assert_true(t->store->space.disk_refuses);
	assert_string_equal(get_text(t->store, &key), "there");
	assert_int_equal(annex_delete(t->store, &key), ANNEX_OK);
	commit(t->store);
}

static void
set_format(struct storetest *t, uint32_t format)
{
	Annex__Store__Format row = ANNEX__STORE__FORMAT__INIT;
	struct annex_key key = key_system(SYSTEM_FORMAT);

	open_good(t);
	row.format = format;
	assert_int_equal(store_use(t->store), ANNEX_OK);
	assert_int_equal(system_put(t->store, &key, &row.base), ANNEX_OK);
	commit(t->store);
	store_close(&t->store);
}

static void
a_newer_format_is_refused(void **state)
{
	struct storetest *t = *state;

	set_format(t, STORE_FORMAT + 1);
	assert_refused(t, "is of format 2, this program knows 1");
}

static void
a_database_of_somebody_else_is_refused(void **state)
{
	struct storetest *t = *state;
	MDB_val k = { 3, (void *)(uintptr_t) "abc" }, v = k;
	MDB_env *env;
	MDB_txn *txn;

	assert_int_equal(store_io_lmdb.open(&store_io_lmdb, t->dir, 0, 1 << 20, &env), 0);
	assert_int_equal(store_io_lmdb.begin(&store_io_lmdb, env, 0, &txn), 0);
	assert_int_equal(store_io_lmdb.put(&store_io_lmdb, txn, &k, &v, 0), 0);
	assert_int_equal(store_io_lmdb.commit(&store_io_lmdb, txn), 0);
	store_io_lmdb.close(&store_io_lmdb, env);
	assert_refused(t, "no store of Annex");
}

static void
a_reader_of_copies_wants_a_copy(void **state)
{
	struct storetest *t = *state;

	t->options.read_only = true;
	assert_refused(t, "there is no store in");
}

/* A process that ends in the middle of reading, as LMDB has it: its place stays taken. */
static void
die_reading(struct storetest *t)
{
	MDB_env *env;
	MDB_txn *txn;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (mdb_env_create(&env) != 0 || mdb_env_open(env, t->dir, MDB_RDONLY, 0600) != 0 ||
		    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
places_of_dead_readers_are_freed(void **state)
{
	struct storetest *t = *state;
	int dead;

	open_good(t);
	die_reading(t);
	assert_int_equal(mdb_reader_check(t->store->env, &dead), 0);
	assert_int_equal(dead, 1);
	die_reading(t);
	store_tend(t->store);
	assert_int_equal(mdb_reader_check(t->store->env, &dead), 0);
	assert_int_equal(dead, 0);
}

/* --- Damage ----------------------------------------------------------------- */

static void
write_at(const char *path, off_t at, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
	close(fd);
}

static void
make_rows(struct storetest *t)
{
	struct annex_key key;

	open_good(t);
	for (unsigned i = 0; i < 300; i++) {
		key = counted_key("den", i);
		put_text(
		    t->store, &key, "a row that takes some room on its page, to have many pages");
		if (i % 100 == 99)
			commit(t->store);
	}
	store_close(&t->store);
}

static void
a_file_of_rubbish_is_refused(void **state)
{
	struct storetest *t = *state;
	char rubbish[20000];

	memset(rubbish, 'x', sizeof(rubbish));
	fclose(fopen(storetest_file(t, "data.mdb"), "w"));
	write_at(storetest_file(t, "data.mdb"), 0, rubbish, 100);
	assert_refused(t, "too short");
	write_at(storetest_file(t, "data.mdb"), 0, rubbish, sizeof(rubbish));
	assert_refused(t, "restore a backup");
}

static void
a_cut_file_is_refused(void **state)
{
	struct storetest *t = *state;
	struct stat st;
	uint64_t used;

	make_rows(t);
	open_good(t);
	used = t->store->space.used;
	store_close(&t->store);
	assert_int_equal(stat(storetest_file(t, "data.mdb"), &st), 0);
	assert_true(used <= (uint64_t)st.st_size);
	assert_int_equal(truncate(storetest_file(t, "data.mdb"), (off_t)used - 1), 0);
	assert_refused(t, "it was cut");
	assert_int_equal(truncate(storetest_file(t, "data.mdb"), 4096), 0);
	assert_refused(t, "too short");
	/* A crash between making the file and writing it leaves this. */
	assert_int_equal(truncate(storetest_file(t, "data.mdb"), 0), 0);
	open_good(t);
}

/* In a process of its own: open, read everything, verify; 0 unless something crashed. */
static int
survives(struct storetest *t)
{
	struct annex_key all = annex_key(COUNTED);
	struct annex_iter it = annex_iter(&all);
	FILE *nowhere;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		nowhere = fopen("/dev/null", "w");
		if (storetest_open(t) < 0)
			_exit(t->why[0] != '\0' ? 0 : 1);
		store_close(&t->store);
		status = store_verify(t->dir, storetest_lists, nowhere, t->pool, &t->why);
		if (status != 0)
			_exit(0);
		/* Verify found it sound: then it must be usable. */
		if (storetest_open(t) < 0)
			_exit(1);
		while (annex_next(t->store, &it) == ANNEX_AGAIN)
			continue;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
flipped_bits_of_the_first_pages_never_crash(void **state)
{
	struct storetest *t = *state;
	struct random random;
	unsigned char page[8192], was;
	int fd;

	make_rows(t);
	fd = open(storetest_file(t, "data.mdb"), O_RDONLY);
	assert_int_equal(read(fd, page, sizeof(page)), sizeof(page));
	close(fd);
	random_init_seeded(&random, 4);
	for (unsigned i = 0; i < 150; i++) {
		/* The header and the meta of either page; beyond is nothing. */
		size_t at = 4096 * random_below(&random, 2) + random_below(&random, 160);

		was = page[at];
		page[at] ^= (unsigned char)(1 << random_below(&random, 8));
		write_at(storetest_file(t, "data.mdb"), 0, page, sizeof(page));
		if (survives(t) != 0)
			fail_msg("byte %zu: %02x for %02x ended it", at, page[at], was);
		page[at] = was;
	}
	write_at(storetest_file(t, "data.mdb"), 0, page, sizeof(page));
	open_good(t);
}

/* LMDB writes new roots under an old number where writing the meta page has failed. */
static void
a_failed_write_of_a_meta_page_leaves_a_sound_store(void **state)
{
	const size_t last_page_at = 136, txn_at = 144, root_at = 128;
	struct storetest *t = *state;
	uint64_t txn[2], root;
	unsigned char page[8192], *old;
	int fd;

	make_rows(t);
	fd = open(storetest_file(t, "data.mdb"), O_RDONLY);
	assert_int_equal(read(fd, page, sizeof(page)), sizeof(page));
	close(fd);
	for (int i = 0; i < 2; i++)
		memcpy(&txn[i], page + 4096 * i + txn_at, sizeof(txn[i]));
	assert_int_not_equal(txn[0], txn[1]);
	old = page + (txn[0] < txn[1] ? 0 : 4096);
	memcpy(&root, old + last_page_at, sizeof(root));
	root += 7;
	memcpy(old + root_at, &root, sizeof(root));
	write_at(storetest_file(t, "data.mdb"), 0, page, sizeof(page));
	open_good(t);
	store_close(&t->store);
	assert_int_equal(survives(t), 0);
}

/* --- Tables that cannot be ----------------------------------------------------- */

static const struct annex_key_part four_texts[] = {
	{ "a", ANNEX_KEY_TEXT },
	{ "b", ANNEX_KEY_TEXT },
	{ "c", ANNEX_KEY_TEXT },
	{ "d", ANNEX_KEY_TEXT },
	{ 0 },
};

static void
a_table_that_cannot_work_is_refused(void **state)
{
	const struct annex_table too_long[] = {
		{ 7, "greedy", four_texts, &test__record__descriptor, 1 },
		{ 0 },
	};
	const struct annex_table uncounted[] = {
		{ 7, "odd", four_texts + 3, &test__record__descriptor, 1, .counted = true },
		{ 0 },
	};
	const struct annex_table light[] = {
		{ 7, "light", four_texts + 3, &test__record__descriptor, 1,
		    .weigh = storetest_weigh },
		{ 0 },
	};
	const struct annex_table twin[] = {
		{ 2, "twin", four_texts + 3, &test__record__descriptor, 1 },
		{ 0 },
	};
	const struct annex_table *lists[3] = { too_long, NULL, NULL };
	struct storetest *t = *state;

	t->lists = lists;
	assert_refused(t, "keys of the table greedy may become");
	lists[0] = uncounted;
	assert_refused(t, "does not end with a number");
	lists[0] = light;
	assert_refused(t, "is weighed, but not counted");
	lists[0] = storetest_tables;
	lists[1] = twin;
	assert_refused(t, "have the same number, 2");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, storetest_teardown)
	const struct CMUnitTest tests[] = {
		TEST(files_are_the_owners_alone),
		TEST(no_descriptor_is_left_to_programs_that_are_started),
		TEST(a_second_process_is_told_who_has_it),
		TEST(a_place_that_cannot_be_written_is_named),
		TEST(a_full_disk_is_told_at_opening),
		TEST(a_store_that_is_there_opens_on_a_full_disk),
		TEST(a_newer_format_is_refused),
		TEST(a_database_of_somebody_else_is_refused),
		TEST(a_reader_of_copies_wants_a_copy),
		TEST(places_of_dead_readers_are_freed),
		TEST(a_file_of_rubbish_is_refused),
		TEST(a_cut_file_is_refused),
		TEST(flipped_bits_of_the_first_pages_never_crash),
		TEST(a_failed_write_of_a_meta_page_leaves_a_sound_store),
		TEST(a_table_that_cannot_work_is_refused),
	};
	return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
