/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_space.c - full: growth is refused, deletes go on, nothing breaks
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "storetest.h"

#define QUOTA ((uint64_t)8 << 20)

static char filler[2000];

static int
setup(void **state)
{
	struct storetest *t = calloc(1, sizeof(*t));

	memset(filler, 'f', sizeof(filler) - 1);
	storetest_init(t);
	t->options.quota_bytes = QUOTA;
	t->env.counters = calloc(1, sizeof(*t->env.counters));
	assert_int_equal(storetest_open(t), ANNEX_OK);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct storetest *t = *state;

	storetest_finish(t);
	free(t->env.counters);
	free(t);
	return 0;
}

/*
 * Put rows from a number on, ten a turn, until one is refused that is the
 * first of its turn (what a turn takes is known only when it is over); its number.
 */
static unsigned
fill(struct storetest *t, unsigned from)
{
	struct annex_key key;
	bool dirty;
	int rc;

	for (unsigned i = from;; i++) {
		do {
			key = number_key(i);
			dirty = store_is_dirty(t->store);
			rc = try_put_text(t->store, &key, filler);
			assert_false(store_has_failed(t->store));
			if (rc < 0 || i % 10 == 0)
				commit(t->store);
		} while (rc == ANNEX_EFULL && dirty);
		if (rc == ANNEX_EFULL)
			return i;
		assert_int_equal(rc, ANNEX_OK);
	}
}

static unsigned
delete_all(struct storetest *t)
{
	struct annex_key all = annex_key(BY_NUMBER);
	unsigned n = 0;
	int rc;

	while ((rc = annex_delete_some(t->store, &all, 20)) > 0) {
		n += (unsigned)rc;
		commit(t->store);
	}
	assert_int_equal(rc, 0);
	return n;
}

static int64_t
counter(struct storetest *t, const char *name)
{
	for (unsigned i = 0; i < t->env.counters->count; i++)
		if (strcmp(t->env.counters->slot[i].name, name) == 0)
			return t->env.counters->slot[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static void
above_the_quota_growth_is_refused_and_deletes_make_room(void **state)
{
	struct storetest *t = *state;
	unsigned refused = fill(t, 0);
	struct store_stat stat;

	assert_int_equal(store_stat(t->store, false, t->pool, &stat), ANNEX_OK);
	assert_true(stat.bytes_used > QUOTA * 85 / 100 && stat.bytes_used <= QUOTA * 91 / 100);
	assert_true(refused > QUOTA / 2000 / 3);
	assert_int_equal(delete_all(t), refused);
	assert_true(fill(t, 0) >= refused * 9 / 10);
	/* Many rounds, and the file never passes the quota. */
	for (int i = 0; i < 3; i++) {
		delete_all(t);
		fill(t, 0);
	}
	assert_int_equal(store_stat(t->store, false, t->pool, &stat), ANNEX_OK);
	assert_true(stat.bytes_used + stat.bytes_free_inside <= QUOTA);
}

static void
one_large_turn_does_not_pass_the_quota(void **state)
{
	struct storetest *t = *state;
	struct store_stat stat;
	struct annex_key key;
	unsigned i = 0;
	int rc;

	do {
		key = number_key(i++);
		rc = try_put_text(t->store, &key, filler);
	} while (rc == ANNEX_OK && i < 100000);
	assert_int_equal(rc, ANNEX_EFULL);
	commit(t->store);
	assert_int_equal(store_stat(t->store, false, t->pool, &stat), ANNEX_OK);
	/* What a turn will take is estimated before LMDB splits its pages. */
	assert_true(stat.bytes_used <= QUOTA * 93 / 100);
}

static void
another_quota_holds_at_once(void **state)
{
	struct storetest *t = *state;
	unsigned refused = fill(t, 0), later;

	store_set_quota(t->store, 2 * QUOTA);
	later = fill(t, refused);
	assert_true(later > refused + refused / 2);
	store_set_quota(t->store, QUOTA);
	assert_int_equal(fill(t, later), later);
	assert_int_equal(counter(t, "store_quota_bytes"), QUOTA);
	store_set_quota(t->store, 0);
	assert_true(counter(t, "store_quota_bytes") > (int64_t)(2 * QUOTA));
}

static void
a_refused_put_changes_nothing_and_is_counted(void **state)
{
	struct storetest *t = *state;
	unsigned refused = fill(t, 0);
	struct annex_key key = number_key(refused), other = text_key("another");
	int64_t before = counter(t, "store_refused_total");

	assert_int_equal(try_put_text(t->store, &other, filler), ANNEX_EFULL);
	assert_false(store_is_dirty(t->store));
	assert_false(annex_has(t->store, &key));
	assert_int_equal(counter(t, "store_refused_total"), before + 1);
}

static void
replacing_a_row_goes_on_in_a_full_store(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = number_key(0);

	fill(t, 0);
	put_text(t->store, &key, "a tombstone");
	commit(t->store);
	assert_string_equal(get_text(t->store, &key), "a tombstone");
}

static void
the_frameworks_rows_go_on_in_a_full_store(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = annex_key(FRAMEWORK);

	fill(t, 0);
	annex_key_u64(&key, 1);
	put_text(t->store, &key, "a job that deletes");
	commit(t->store);
	/* But not without end. */
	for (unsigned i = 2; i < 10000; i++) {
		int rc;

		key = annex_key(FRAMEWORK);
		annex_key_u64(&key, i);
		if ((rc = try_put_text(t->store, &key, filler)) == ANNEX_EFULL)
			return;
		assert_int_equal(rc, ANNEX_OK);
		if (i % 10 == 0)
			commit(t->store);
	}
	fail_msg("the framework may fill the store");
}

/* With a quota that is far, and room allocated for some MiB. */
static void
open_on_disk(struct storetest *t)
{
	t->options.volatile_sync = false;
	t->options.quota_bytes = 100 << 20;
	storetest_reopen(t);
}

/* A disk that says no: the turn's clock decides when it is asked again. */
static void
on_a_full_disk_growth_is_refused_and_deletes_go_on(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("late");
	unsigned refused;

	open_on_disk(t);
	t->fault.no_space = true;
	refused = fill(t, 0);
	assert_true(refused > 100);
	assert_int_equal(try_put_text(t->store, &key, filler), ANNEX_EFULL);
	assert_int_equal(delete_all(t), refused);
	/* What was deleted can be used again, though the disk is still full. */
	assert_true(fill(t, 0) >= refused / 2);
	t->fault.no_space = false;
	store_tend(t->store);
	for (unsigned i = 0; i < 1000; i++) {
		key = number_key(refused + i);
		put_text(t->store, &key, filler);
	}
	commit(t->store);
}

static void
a_full_disk_is_not_asked_at_every_put(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("late");
	unsigned long asked;

	open_on_disk(t);
	t->fault.no_space = true;
	fill(t, 0);
	asked = t->fault.allocations;
	for (int i = 0; i < 100; i++)
		assert_int_equal(try_put_text(t->store, &key, filler), ANNEX_EFULL);
	assert_int_equal(t->fault.allocations, asked);
	t->clock.mono_us += 1000000;
	t->fault.no_space = false;
	put_text(t->store, &key, filler);
	assert_int_equal(t->fault.allocations, asked + 1);
}

static void
the_file_is_allocated_ahead_of_its_last_page(void **state)
{
	struct storetest *t = *state;
	struct stat st;

	t->options.volatile_sync = false;
	t->options.quota_bytes = 0;
	storetest_reopen(t);
	assert_int_equal(stat(storetest_file(t, "data.mdb"), &st), 0);
	assert_true(st.st_blocks * 512 >= 64 << 20);
	assert_true(st.st_size >= (off_t)(t->store->space.used + (64 << 20)));
}

static void
commits_are_counted_and_timed(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("a");
	int64_t before = counter(t, "store_commits_total");
	struct store_stat stat;

	put_text(t->store, &key, "x");
	commit(t->store);
	assert_true(annex_has(t->store, &key));
	commit(t->store);
	assert_int_equal(counter(t, "store_commits_total"), before + 1);
	assert_int_equal(counter(t, "store_commit_seconds"), before + 1);
	assert_int_equal(counter(t, "store_quota_bytes"), QUOTA);
	store_tend(t->store);
	assert_true(counter(t, "store_used_bytes") > 0);
	assert_true(counter(t, "store_disk_free_bytes") > 0);
	assert_int_equal(store_stat(t->store, true, t->pool, &stat), ANNEX_OK);
	assert_true(stat.commit_us_last == 100);
	assert_int_equal(stat.bytes_quota, QUOTA);
	assert_string_equal(stat.table[0].name, "by_text");
	assert_int_equal(stat.table[0].rows, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(above_the_quota_growth_is_refused_and_deletes_make_room),
		TEST(one_large_turn_does_not_pass_the_quota),
		TEST(another_quota_holds_at_once),
		TEST(a_refused_put_changes_nothing_and_is_counted),
		TEST(replacing_a_row_goes_on_in_a_full_store),
		TEST(the_frameworks_rows_go_on_in_a_full_store),
		TEST(on_a_full_disk_growth_is_refused_and_deletes_go_on),
		TEST(a_full_disk_is_not_asked_at_every_put),
		TEST(the_file_is_allocated_ahead_of_its_last_page),
		TEST(commits_are_counted_and_timed),
	};
	return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
