/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_journal.c - turns that LMDB does not have yet, and what becomes of them
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "storetest.h"

#define PAGE 4096 /* of the journal; the turns here take one each */

/* A turn that puts one row. */
static void
turn(struct storetest *t, const char *name, const char *text)
{
	struct annex_key key = text_key(name);

	put_text(t->store, &key, text);
	commit(t->store);
}

static void
assert_row(struct storetest *t, const char *name, const char *text)
{
	struct annex_key key = text_key(name);
	const char *found = get_text(t->store, &key);

	if (text == NULL)
		assert_null(found);
	else
		assert_string_equal(found, text);
}

/* Whatever closing would still do to LMDB's file fails. */
static void
die(struct storetest *t)
{
	t->fault.fail_at = t->fault.calls + 1;
	t->fault.error = EIO;
	store_close(&t->store);
	t->fault.fail_at = 0;
}

static void
die_and_open(struct storetest *t)
{
	die(t);
	if (storetest_open(t) < 0)
		fail_msg("%s", t->why);
}

static size_t
last_checkpoint(struct storetest *t)
{
	MDB_envinfo info;
	MDB_stat stat;

	assert_int_equal(t->env.io->info(t->env.io, t->store->env, &info, &stat), 0);
	return info.me_last_txnid;
}

static off_t
journal_size(struct storetest *t)
{
	struct stat st;

	assert_int_equal(stat(storetest_file(t, "journal"), &st), 0);
	return st.st_size;
}

static void
flip(struct storetest *t, off_t at)
{
	int fd = open(storetest_file(t, "journal"), O_RDWR);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void
turns_that_lmdb_does_not_have_survive(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("gone"), prefix = annex_key(COUNTED);
	uint64_t number, rows;
	size_t before;

	turn(t, "gone", "x");
	before = last_checkpoint(t);
	turn(t, "a", "1");
	turn(t, "a", "2");
	annex_key_text(&prefix, "den");
	assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
	put_text(t->store, annex_key_u64(&prefix, number), "counted");
	assert_int_equal(annex_delete(t->store, &key), ANNEX_OK);
	commit(t->store);
	assert_int_equal(last_checkpoint(t), before);
	die_and_open(t);
	assert_true(last_checkpoint(t) > before);
	assert_row(t, "a", "2");
	assert_row(t, "gone", NULL);
	prefix = annex_key(COUNTED);
	annex_key_text(&prefix, "den");
	assert_int_equal(annex_rows(t->store, &prefix, &rows), ANNEX_OK);
	assert_int_equal(rows, 1);
	assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
	assert_int_equal(number, 2);
}

static void
a_turn_is_synced(void **state)
{
	struct storetest *t = *state;

	store_close(&t->store);
	t->options.volatile_sync = false;
	assert_int_equal(storetest_open(t), ANNEX_OK);
	turn(t, "a", "x");
	assert_true(t->fault.synced);
}

static void
a_turn_that_is_undone_takes_none_along(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("undone");

	turn(t, "before", "x");
	put_text(t->store, &key, "x");
	store_abort(t->store);
	assert_row(t, "before", "x");
	assert_row(t, "undone", NULL);
	commit(t->store);
	turn(t, "after", "x");
	/* One that the disk refuses. */
	put_text(t->store, &key, "x");
	t->fault.fail_at = t->fault.calls + 1;
	t->fault.error = ENOSPC;
	assert_int_equal(store_commit(t->store), ANNEX_ESTORE);
	assert_string_equal(t->fault.failed, "append");
	die_and_open(t);
	assert_row(t, "before", "x");
	assert_row(t, "undone", NULL);
	assert_row(t, "after", "x");
}

static void
what_lmdb_has_is_not_done_again(void **state)
{
	struct storetest *t = *state;
	char *bytes = malloc(PAGE);
	int fd;

	turn(t, "a", "old");
	fd = open(storetest_file(t, "journal"), O_RDONLY);
	assert_int_equal(pread(fd, bytes, PAGE, 0), PAGE);
	close(fd);
	store_tend(t->store);
	commit(t->store);
	turn(t, "a", "new");
	store_close(&t->store);
	assert_int_equal(journal_size(t), 0);
	fd = open(storetest_file(t, "journal"), O_WRONLY);
	assert_int_equal(pwrite(fd, bytes, PAGE, 0), PAGE);
	close(fd);
	free(bytes);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_row(t, "a", "new");
}

static void
a_turn_that_was_half_written_never_was(void **state)
{
	struct storetest *t = *state;

	turn(t, "a", "x");
	turn(t, "b", "x");
	die(t);
	flip(t, PAGE + 53);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_row(t, "a", "x");
	assert_row(t, "b", NULL);
}

static void
a_turn_that_the_disk_lost_is_told(void **state)
{
	struct storetest *t = *state;

	turn(t, "a", "x");
	turn(t, "b", "x");
	turn(t, "c", "x");
	die(t);
	flip(t, PAGE + 53);
	assert_int_equal(storetest_open(t), ANNEX_EINVAL);
	assert_non_null(strstr(t->why, "/journal holds cannot be done again"));
	/* It stays as it is, for who can help. */
	flip(t, PAGE + 53);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_row(t, "b", "x");
	assert_row(t, "c", "x");
}

/* A file that somebody sends may look like a frame, but its sender does not know the salt. */
static void
a_frame_of_another_does_not_count(void **state)
{
	struct storetest *t = *state;
	unsigned char frame[PAGE];
	crypto_generichash_state sum;
	int fd;

	turn(t, "a", "1");
	turn(t, "a", "2");
	turn(t, "a", "3");
	die(t);
	fd = open(storetest_file(t, "journal"), O_RDWR);
	assert_int_equal(pread(fd, frame, PAGE, 2 * PAGE), PAGE);
	frame[4] ^= 1;
	crypto_generichash_init(&sum, NULL, 0, 16);
	crypto_generichash_update(&sum, frame, 32);
	crypto_generichash_update(&sum, frame + 48, (size_t)number_read(frame + 28, 4));
	crypto_generichash_final(&sum, frame + 32, 16);
	assert_int_equal(pwrite(fd, frame, PAGE, 2 * PAGE), PAGE);
	close(fd);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_row(t, "a", "2");
}

static void
a_full_journal_is_a_checkpoint(void **state)
{
	struct storetest *t = *state;
	size_t before = last_checkpoint(t);
	char *text = malloc(100001), name[8];
	unsigned turns = 20;

	memset(text, 'x', 100000);
	text[100000] = '\0';
	for (unsigned i = 0; i < turns; i++) {
		snprintf(name, sizeof(name), "%u", i);
		turn(t, name, text);
	}
	/* Five fit in; the sixth is LMDB's with them. */
	assert_in_range(last_checkpoint(t) - before, 3, 5);
	die_and_open(t);
	for (unsigned i = 0; i < turns; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_row(t, name, text);
	}
	free(text);
}

static void
who_reads_a_store_that_was_killed_sees_it_all(void **state)
{
	struct storetest *t = *state;
	char *text;

	turn(t, "a", "acknowledged");
	die(t);
	assert_true(journal_size(t) > 0);
	text = storetest_picture(t);
	assert_non_null(strstr(text, "acknowledged"));
	free(text);
	assert_int_equal(journal_size(t), 0);
}

static void
a_restore_leaves_nothing_of_what_was_there(void **state)
{
	struct storetest *t = *state;
	char *backup = storetest_file(t, "backup"), *data = storetest_file(t, "data.mdb");
	int fd;

	turn(t, "a", "backed up");
	store_close(&t->store);
	assert_int_equal(link(data, backup), 0);
	assert_int_equal(rename(data, storetest_file(t, "away")), 0);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	turn(t, "a", "later");
	die(t);
	fd = open(backup, O_RDONLY);
	if (store_restore(t->dir, fd, t->pool, &t->why) < 0)
		fail_msg("%s", t->why);
	close(fd);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_row(t, "a", "backed up");
	/* And what was there is whole. */
	store_close(&t->store);
	assert_int_equal(rename(storetest_file(t, "data.mdb.old"), data), 0);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_row(t, "a", "later");
}

static void
a_journal_of_other_data_is_dropped(void **state)
{
	struct storetest *t = *state;

	turn(t, "a", "x");
	die(t);
	assert_int_equal(unlink(storetest_file(t, "data.mdb")), 0);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_row(t, "a", NULL);
}

static void
without_a_journal_each_turn_is_a_commit(void **state)
{
	struct storetest *t = *state;
	size_t before;

	store_close(&t->store);
	t->fault.fail_at = t->fault.calls + 4;
	t->fault.error = ENOSPC;
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_string_equal(t->fault.failed, "allocate");
	before = last_checkpoint(t);
	turn(t, "a", "x");
	assert_int_equal(last_checkpoint(t), before + 1);
	die_and_open(t);
	assert_row(t, "a", "x");
}

static void
backed_up(void *cookie, int status, const char *why)
{
	*(int *)cookie = status;
}

static void
a_backup_has_what_was_acknowledged(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("meanwhile");
	char *text;
	int fd = open(storetest_file(t, "copy"), O_RDWR | O_CREAT, 0600), status = ANNEX_AGAIN;

	turn(t, "a", "acknowledged");
	assert_false(annex_has(t->store, &key));
	assert_int_equal(store_backup(t->store, fd, backed_up, &status), ANNEX_OK);
	assert_int_equal(status, ANNEX_OK);
	close(fd);
	die(t);
	assert_int_equal(rename(storetest_file(t, "copy"), storetest_file(t, "data.mdb")), 0);
	assert_int_equal(unlink(storetest_file(t, "journal")), 0);
	text = storetest_picture(t);
	assert_non_null(strstr(text, "acknowledged"));
	free(text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, storetest_setup, storetest_teardown)
	const struct CMUnitTest tests[] = {
		TEST(turns_that_lmdb_does_not_have_survive),
		TEST(a_turn_is_synced),
		TEST(a_turn_that_is_undone_takes_none_along),
		TEST(what_lmdb_has_is_not_done_again),
		TEST(a_turn_that_was_half_written_never_was),
		TEST(a_turn_that_the_disk_lost_is_told),
		TEST(a_frame_of_another_does_not_count),
		TEST(a_full_journal_is_a_checkpoint),
		TEST(who_reads_a_store_that_was_killed_sees_it_all),
		TEST(a_restore_leaves_nothing_of_what_was_there),
		TEST(a_journal_of_other_data_is_dropped),
		TEST(without_a_journal_each_turn_is_a_commit),
		TEST(a_backup_has_what_was_acknowledged),
	};
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
