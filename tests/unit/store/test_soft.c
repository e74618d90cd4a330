/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_soft.c - changes that hold nothing back
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "storetest.h"

/* A store with a row "den" that says "old". */
static int
setup(void **state)
{
	struct storetest *t = calloc(1, sizeof(*t));
	struct annex_key key = text_key("den");

	storetest_init(t);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	put_text(t->store, &key, "old");
	commit(t->store);
	*state = t;
	return 0;
}

static int
put_soft(struct storetest *t, const char *name, const char *text)
{
	struct annex_key key = text_key(name);
	Test__Record record = TEST__RECORD__INIT;

	record.text = (char *)(uintptr_t)text;
	return annex_put_soft(t->store, &key, &record.base);
}

static void
assert_den(struct storetest *t, const char *text)
{
	struct annex_key key = text_key("den");
	struct annex_key all = annex_key(BY_TEXT);
	struct annex_iter it = annex_iter(&all);

	assert_string_equal(get_text(t->store, &key), text);
	assert_int_equal(annex_next(t->store, &it), ANNEX_AGAIN);
	assert_string_equal(((Test__Record *)it.record)->text, text);
}

static void
it_is_seen_at_once_and_makes_no_commit(void **state)
{
	struct storetest *t = *state;
	unsigned long commits = t->fault.commits;

	assert_int_equal(put_soft(t, "den", "soft"), ANNEX_OK);
	assert_den(t, "soft");
	assert_false(store_is_dirty(t->store));
	commit(t->store);
	assert_int_equal(t->fault.commits, commits);
	assert_den(t, "soft");
}

static void
it_is_on_disk_with_the_next_turn_that_writes(void **state)
{
	struct storetest *t = *state;
	struct annex_key other = text_key("other");

	assert_int_equal(put_soft(t, "den", "soft"), ANNEX_OK);
	commit(t->store);
	put_text(t->store, &other, "x");
	commit(t->store);
	t->fault.fail_at = t->fault.calls + 1; /* whatever closing would still write */
	t->fault.error = EIO;
	store_close(&t->store);
	t->fault.fail_at = 0;
	assert_int_equal(storetest_open(t), ANNEX_OK);
	assert_den(t, "soft");
}

static void
it_is_on_disk_within_a_minute(void **state)
{
	struct storetest *t = *state;
	unsigned long commits;

	store_tend(t->store); /* what is in the journal alone */
	commits = t->fault.commits;
	assert_int_equal(put_soft(t, "den", "soft"), ANNEX_OK);
	commit(t->store);
	store_tend(t->store);
	assert_true(store_is_dirty(t->store));
	commit(t->store);
	assert_int_equal(t->fault.commits, commits + 1);
	store_tend(t->store);
	assert_false(store_is_dirty(t->store));
}

static void
a_clean_close_keeps_it(void **state)
{
	struct storetest *t = *state;

	assert_int_equal(put_soft(t, "den", "soft"), ANNEX_OK);
	commit(t->store);
	storetest_reopen(t);
	assert_den(t, "soft");
}

static void
a_turn_that_is_undone_takes_its_own_along_but_not_earlier_ones(void **state)
{
	struct storetest *t = *state;

	assert_int_equal(put_soft(t, "den", "undone"), ANNEX_OK);
	store_abort(t->store);
	assert_den(t, "old");
	assert_int_equal(put_soft(t, "den", "kept"), ANNEX_OK);
	commit(t->store);
	store_abort(t->store);
	assert_den(t, "kept");
}

static void
what_an_earlier_turn_put_is_back_when_one_that_replaced_it_is_undone(void **state)
{
	struct storetest *t = *state;
	struct annex_key den = text_key("den");

	assert_int_equal(put_soft(t, "den", "earlier"), ANNEX_OK);
	commit(t->store);

	assert_int_equal(put_soft(t, "den", "later"), ANNEX_OK);
	assert_int_equal(put_soft(t, "den", "later still"), ANNEX_OK);
	store_abort(t->store);
	assert_den(t, "earlier");
	put_text(t->store, &den, "for good");
	assert_den(t, "for good");
	store_abort(t->store);
	assert_den(t, "earlier");
	assert_int_equal(annex_delete(t->store, &den), ANNEX_OK);
	assert_false(annex_has(t->store, &den));
	store_abort(t->store);
	assert_den(t, "earlier");

	put_text(t->store, &den, "for good");
	assert_int_equal(put_soft(t, "den", "on top"), ANNEX_OK);
	assert_den(t, "on top");
	commit(t->store);
	storetest_reopen(t);
	assert_den(t, "on top");
}

static void
a_commit_that_fails_takes_it_along(void **state)
{
	struct storetest *t = *state;
	struct annex_key other = text_key("other");

	assert_int_equal(put_soft(t, "den", "soft"), ANNEX_OK);
	put_text(t->store, &other, "x");
	t->fault.fail_at = t->fault.calls + 1;
	t->fault.error = ENOSPC;
	assert_int_equal(store_commit(t->store), ANNEX_ESTORE);
	t->fault.fail_at = 0;
	assert_den(t, "old");
}

static void
a_row_written_for_good_or_deleted_is_soft_no_more(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("den");

	assert_int_equal(put_soft(t, "den", "soft"), ANNEX_OK);
	put_text(t->store, &key, "hard");
	commit(t->store);
	assert_den(t, "hard");
	assert_int_equal(put_soft(t, "den", "soft"), ANNEX_OK);
	assert_int_equal(annex_delete(t->store, &key), ANNEX_OK);
	commit(t->store);
	assert_null(get_text(t->store, &key));
}

static void
there_must_be_a_row(void **state)
{
	assert_int_equal(put_soft(*state, "nobody", "soft"), ANNEX_ENOENT);
}

static void
too_much_of_it_makes_a_commit(void **state)
{
	struct storetest *t = *state;
	char name[16];

	for (int i = 0; i <= 10000; i++) {
		struct annex_key key;

		snprintf(name, sizeof(name), "%d", i);
		key = text_key(name);
		put_text(t->store, &key, "old");
	}
	commit(t->store);
	for (int i = 0; i <= 10000; i++) {
		assert_false(store_is_dirty(t->store));
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(put_soft(t, name, "soft"), ANNEX_OK);
	}
	assert_true(store_is_dirty(t->store));
	commit(t->store);
	assert_int_equal(put_soft(t, "1", "again"), ANNEX_OK);
	assert_false(store_is_dirty(t->store));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, storetest_teardown)
	const struct CMUnitTest tests[] = {
		T(it_is_seen_at_once_and_makes_no_commit),
		T(it_is_on_disk_with_the_next_turn_that_writes),
		T(it_is_on_disk_within_a_minute),
		T(a_clean_close_keeps_it),
		T(a_turn_that_is_undone_takes_its_own_along_but_not_earlier_ones),
		T(what_an_earlier_turn_put_is_back_when_one_that_replaced_it_is_undone),
		T(a_commit_that_fails_takes_it_along),
		T(a_row_written_for_good_or_deleted_is_soft_no_more),
		T(there_must_be_a_row),
		T(too_much_of_it_makes_a_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
