/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_backup.c - a copy taken while the store works, and put back
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storetest.h"

struct outcome {
	int calls, status;
	char why[128];
};

static void
note(void *cookie, int status, const char *why)
{
	struct outcome *o = cookie;

	o->calls++;
	o->status = status;
	snprintf(o->why, sizeof(o->why), "%s", why != NULL ? why : "");
}

static int
setup(void **state)
{
	struct storetest *t = calloc(1, sizeof(*t));

	storetest_init(t);
	t->env.reactor = poll_reactor_create();
	assert_int_equal(storetest_open(t), ANNEX_OK);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct storetest *t = *state;
	struct reactor *reactor = t->env.reactor;

	storetest_finish(t);
	poll_reactor_destroy(&reactor);
	free(t);
	return 0;
}

static void
fill(struct storetest *t, unsigned from, unsigned n)
{
	struct annex_key key;

	for (unsigned i = from; i < from + n; i++) {
		key = counted_key(i % 2 == 0 ? "even" : "odd", i);
		put_text(t->store, &key, "some text that a row may well hold");
	}
	commit(t->store);
}

static char *
picture(struct storetest *t, const char *dir)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int wrong = store_export(dir, storetest_lists, out, t->pool, &t->why);

	if (wrong != 0)
		fail_msg("export of %s: %d, %s", dir, wrong, t->why);
	fclose(out);
	return text;
}

static int
verify(struct storetest *t, const char *dir)
{
	FILE *nowhere = fopen("/dev/null", "w");
	int wrong = store_verify(dir, storetest_lists, nowhere, t->pool, &t->why);

	fclose(nowhere);
	return wrong;
}

static int
open_target(struct storetest *t)
{
	int fd = open(storetest_file(t, "backup"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* The copy is what was committed when it began, whatever is written meanwhile. */
static void
a_backup_is_a_moment_of_a_working_store(void **state)
{
	struct storetest *t = *state;
	struct outcome o = { 0 };
	int fd = open_target(t), more = 0;
	char *before, *restored;

	fill(t, 0, 5000);
	store_close(&t->store);
	before = picture(t, t->dir);
	storetest_reopen(t);
	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_OK);
	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_EEXIST);
	/* The copy may begin at any of these commits, but never lies between two. */
	while (o.calls == 0) {
		struct annex_key key = number_key((uint64_t)more++ % 50);

		put_text(t->store, &key, "meanwhile");
		commit(t->store);
		assert_true(poll_reactor_run(t->env.reactor, 0) >= 0);
	}
	assert_int_equal(o.status, ANNEX_OK);
	assert_int_equal(o.calls, 1);
	close(fd);
	assert_int_equal(verify(t, storetest_file(t, "backup")), 0);
	store_close(&t->store);

	fd = open(storetest_file(t, "backup"), O_RDONLY);
	if (store_restore(t->dir, fd, t->pool, &t->why) < 0)
		fail_msg("%s", t->why);
	close(fd);
	assert_int_equal(verify(t, t->dir), 0);
	storetest_reopen(t);
	for (uint64_t i = 0; i < 50; i++) {
		struct annex_key key = number_key(i);

		assert_int_equal(annex_delete(t->store, &key), ANNEX_OK);
	}
	commit(t->store);
	store_close(&t->store);
	restored = picture(t, t->dir);
	assert_string_equal(restored, before);
	free(before);
	free(restored);
}

/* What others acknowledged before is in it, and nothing is half in it. */
static void
a_backup_asked_for_in_a_turn_that_wrote_begins_at_its_end(void **state)
{
	struct storetest *t = *state;
	struct outcome o = { 0 };
	struct annex_key before = text_key("before"), in_turn = text_key("in turn");
	int fd = open_target(t);

	put_text(t->store, &before, "x");
	commit(t->store);
	put_text(t->store, &in_turn, "x");
	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_OK);
	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_EEXIST);
	commit(t->store);
	while (o.calls == 0)
		assert_true(poll_reactor_run(t->env.reactor, 100) >= 0);
	assert_int_equal(o.status, ANNEX_OK);
	store_close(&t->store);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(store_restore(t->dir, fd, t->pool, &t->why), ANNEX_OK);
	close(fd);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_string_equal(get_text(t->store, &before), "x");
	assert_string_equal(get_text(t->store, &in_turn), "x");
}

static void
a_backup_without_a_reactor_is_done_at_once(void **state)
{
	struct storetest *t = *state;
	struct reactor *reactor = t->env.reactor;
	struct outcome o = { 0 };
	int fd = open_target(t);
	struct stat st;

	t->env.reactor = NULL;
	storetest_reopen(t);
	t->env.reactor = reactor;
	fill(t, 0, 100);
	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_OK);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, ANNEX_OK);
	/* It is compact: none of what lies ahead in the store's own file. */
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size < 1 << 20);
	close(fd);
}

static void
a_target_that_cannot_be_written_is_told(void **state)
{
	struct storetest *t = *state;
	struct outcome o = { 0 };
	int fd = open("/dev/full", O_WRONLY);

	fill(t, 0, 100);
	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_OK);
	while (o.calls == 0)
		assert_true(poll_reactor_run(t->env.reactor, 1000) >= 0);
	assert_int_equal(o.status, ANNEX_EFULL);
	assert_non_null(strstr(o.why, "no space left"));
	assert_false(store_is_dead(t->store));
	fill(t, 100, 10);
	close(fd);
}

static bool threads_are_quick; /* what they do is done before whoever starts them goes on */

int __real_pthread_create(
    pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);

static void *
nothing(void *arg)
{
	return arg;
}

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	if (!threads_are_quick)
		return __real_pthread_create(thread, attr, fn, arg);
	fn(arg);
	return __real_pthread_create(thread, attr, nothing, NULL);
}

static void
a_copy_that_fails_at_once_is_told_as_well(void **state)
{
	struct storetest *t = *state;
	struct outcome o = { 0 };
	int fd = open("/dev/full", O_WRONLY);

	fill(t, 0, 100);
	threads_are_quick = true;
	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_OK);
	threads_are_quick = false;
	while (o.calls == 0)
		assert_true(poll_reactor_run(t->env.reactor, 1000) >= 0);
	assert_int_equal(o.status, ANNEX_EFULL);
	close(fd);
}

static void
closing_does_not_wait_for_a_backup(void **state)
{
	struct storetest *t = *state;
	struct outcome o = { 0 };
	int fd = open_target(t);

	fill(t, 0, 20000);
	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_OK);
	store_close(&t->store);
	assert_int_equal(o.calls, 1);
	/* Whole or not at all: half a copy is never called good. */
	if (o.status == ANNEX_OK)
		assert_int_equal(verify(t, storetest_file(t, "backup")), 0);
	else
		assert_int_equal(o.status, ANNEX_EIO);
	close(fd);
}

static void
a_damaged_backup_is_not_restored(void **state)
{
	struct storetest *t = *state;
	struct outcome o = { 0 };
	int fd = open_target(t);
	char *before, *after, byte;

	fill(t, 0, 1000);
	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_OK);
	while (o.calls == 0)
		assert_true(poll_reactor_run(t->env.reactor, 1000) >= 0);
	store_close(&t->store);
	before = picture(t, t->dir);
	assert_int_equal(pread(fd, &byte, 1, 3 * 4096 - 10), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 3 * 4096 - 10), 1);
	lseek(fd, 0, SEEK_SET);
	assert_true(store_restore(t->dir, fd, t->pool, &t->why) < 0);
	assert_non_null(strstr(t->why, "damaged"));
	close(fd);
	after = picture(t, t->dir);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

static void
what_is_no_backup_is_told_as_that(void **state)
{
	static const struct {
		const char *bytes, *sentence;
	} cases[] = {
		{ "", "the backup is empty" },
		{ "short", "the backup is too short to be a data file" },
	};
	struct storetest *t = *state;
	char *before, *after;

	fill(t, 0, 10);
	store_close(&t->store);
	before = picture(t, t->dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = open_target(t);

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, cases[i].bytes, strlen(cases[i].bytes), 0),
		    (ssize_t)strlen(cases[i].bytes));
		assert_int_equal(store_restore(t->dir, fd, t->pool, &t->why), ANNEX_EINVAL);
		assert_string_equal(t->why, cases[i].sentence);
		close(fd);
	}
	after = picture(t, t->dir);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

static void
what_was_there_stays_beside_a_restored_store(void **state)
{
	struct storetest *t = *state;
	struct outcome o = { 0 };
	int fd = open_target(t);
	struct annex_key all = annex_key(COUNTED);
	char *before, *old;

	assert_int_equal(store_backup(t->store, fd, note, &o), ANNEX_OK);
	while (o.calls == 0)
		assert_true(poll_reactor_run(t->env.reactor, 1000) >= 0);
	fill(t, 0, 10);
	assert_true(store_restore(t->dir, fd, t->pool, &t->why) < 0);
	assert_non_null(strstr(t->why, "already in use"));
	store_close(&t->store);
	before = picture(t, t->dir);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(store_restore(t->dir, fd, t->pool, &t->why), ANNEX_OK);
	close(fd);
	old = picture(t, storetest_file(t, "data.mdb.old"));
	assert_string_equal(old, before);
	storetest_reopen(t);
	assert_false(annex_has(t->store, &all));
	free(before);
	free(old);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_backup_is_a_moment_of_a_working_store),
		TEST(a_backup_asked_for_in_a_turn_that_wrote_begins_at_its_end),
		TEST(a_backup_without_a_reactor_is_done_at_once),
		TEST(a_target_that_cannot_be_written_is_told),
		TEST(a_copy_that_fails_at_once_is_told_as_well),
		TEST(closing_does_not_wait_for_a_backup),
		TEST(a_damaged_backup_is_not_restored),
		TEST(what_is_no_backup_is_told_as_that),
		TEST(what_was_there_stays_beside_a_restored_store),
	};
	return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
