/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_migrate.c - tables of another age
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storetest.h"

static const struct annex_key_part parts[] = {
	{ "group", ANNEX_KEY_TEXT },
	{ "seq", ANNEX_KEY_U64 },
	{ 0 },
};
static const struct annex_key_part other_parts[] = {
	{ "seq", ANNEX_KEY_U64 },
	{ "group", ANNEX_KEY_TEXT },
	{ 0 },
};

/* Every row gets the version it came from in front; the 20th may fail. */
static int
migrate_rows(
    struct annex_store *store, uint32_t from, unsigned most, const struct annex_table *table)
{
	struct annex_key all = annex_key(table);
	struct annex_iter it = annex_iter(&all);
	char text[64];
	int rc;

	for (unsigned n = 0; (rc = annex_next(store, &it)) == ANNEX_AGAIN; n++) {
		Test__Record *record = (Test__Record *)it.record;

		if (n == most)
			return ANNEX_EINVAL;
		snprintf(text, sizeof(text), "%u:%s", from, record->text);
		record->text = text;
		if ((rc = annex_put(store, &it.key, &record->base)) < 0)
			return rc;
	}
	return rc;
}

static int migrate_all_rows(struct annex_store *store, uint32_t from);
static int migrate_twenty(struct annex_store *store, uint32_t from);
static int migrate_weighed(struct annex_store *store, uint32_t from);

#define TABLE(...)                                                             \
	{                                                                      \
		{ 9, "aging", parts, &test__record__descriptor, __VA_ARGS__ }, \
		{                                                              \
			0                                                      \
		}                                                              \
	}
static const struct annex_table first[2] = TABLE(1);
static const struct annex_table second[2] = TABLE(2, migrate_all_rows);
static const struct annex_table failing[2] = TABLE(2, migrate_twenty);
static const struct annex_table silent[2] = TABLE(3);
static const struct annex_table counted[2] = TABLE(1, .counted = true);
static const struct annex_table weighed[2] = TABLE(1, .counted = true, .weigh = storetest_weigh);
static const struct annex_table weighed_later[2] =
    TABLE(2, migrate_weighed, .counted = true, .weigh = storetest_weigh);
static const struct annex_table reshaped[2] = {
	{ 9, "aging", other_parts, &test__record__descriptor, 2 },
	{ 0 },
};

static int
migrate_all_rows(struct annex_store *store, uint32_t from)
{
	return migrate_rows(store, from, UINT32_MAX, second);
}

static int
migrate_weighed(struct annex_store *store, uint32_t from)
{
	return migrate_rows(store, from, UINT32_MAX, weighed_later);
}

static int
migrate_twenty(struct annex_store *store, uint32_t from)
{
	return migrate_rows(store, from, 20, failing);
}

static struct annex_key
row(const struct annex_table *table, uint64_t seq)
{
	struct annex_key key = annex_key(table);

	return *annex_key_u64(annex_key_text(&key, "den"), seq);
}

static int
open_with(struct storetest *t, const struct annex_table *table)
{
	const struct annex_table *lists[] = { table, NULL };
	int rc;

	store_close(&t->store);
	t->lists = lists;
	rc = storetest_open(t);
	t->lists = storetest_lists;
	return rc;
}

static int
setup(void **state)
{
	struct storetest *t = calloc(1, sizeof(*t));
	struct annex_key key;

	storetest_init(t);
	assert_int_equal(open_with(t, first), ANNEX_OK);
	for (unsigned i = 0; i < 300; i++) {
		key = row(first, i);
		put_text(t->store, &key, "x");
	}
	commit(t->store);
	*state = t;
	return 0;
}

static void
older_rows_are_brought_up_once(void **state)
{
	struct storetest *t = *state;
	struct annex_key key;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(open_with(t, second), ANNEX_OK);
		key = row(second, 299);
		assert_string_equal(get_text(t->store, &key), "1:x");
	}
}

static void
a_migration_that_fails_changes_nothing(void **state)
{
	struct storetest *t = *state;
	struct annex_key key;

	assert_true(open_with(t, failing) < 0);
	assert_non_null(strstr(t->why, "could not be brought from version 1 to 2"));
	assert_int_equal(open_with(t, first), ANNEX_OK);
	key = row(first, 0);
	assert_string_equal(get_text(t->store, &key), "x");
}

static void
a_version_may_rise_without_a_migration(void **state)
{
	struct storetest *t = *state;

	assert_int_equal(open_with(t, silent), ANNEX_OK);
	assert_true(open_with(t, second) < 0);
	assert_non_null(strstr(t->why, "is of version 3, this program knows 2"));
}

static void
the_shape_of_a_key_cannot_change(void **state)
{
	struct storetest *t = *state;

	assert_true(open_with(t, reshaped) < 0);
	assert_non_null(strstr(t->why, "\"tu\""));
	assert_non_null(strstr(t->why, "\"ut\""));
}

static void
a_table_that_becomes_counted_is_counted(void **state)
{
	struct storetest *t = *state;
	struct annex_key prefix = annex_key(counted), key = row(counted, 200);
	uint64_t n;

	assert_int_equal(open_with(t, counted), ANNEX_OK);
	annex_key_text(&prefix, "den");
	assert_int_equal(annex_rows(t->store, &prefix, &n), ANNEX_OK);
	assert_int_equal(n, 300);
	assert_int_equal(annex_row_index(t->store, &key, &n), ANNEX_OK);
	assert_int_equal(n, 200);
	/* And back: rows are put that are not counted, then all again. */
	assert_int_equal(open_with(t, first), ANNEX_OK);
	key = row(first, 1000);
	put_text(t->store, &key, "x");
	commit(t->store);
	assert_int_equal(open_with(t, counted), ANNEX_OK);
	assert_int_equal(annex_rows(t->store, &prefix, &n), ANNEX_OK);
	assert_int_equal(n, 301);
}

static void
a_table_that_becomes_weighed_is_weighed(void **state)
{
	static const struct annex_table *const tables[] = { counted, weighed, first,
		weighed_later };
	struct storetest *t = *state;
	struct annex_key prefix;
	struct annex_iter it;
	uint64_t weighs, n;

	for (unsigned i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		assert_int_equal(open_with(t, tables[i]), ANNEX_OK);
		if (tables[i]->weigh == NULL)
			continue;
		prefix = annex_key(tables[i]);
		annex_key_text(&prefix, "den");
		weighs = 0;
		it = annex_iter(&prefix);
		while (annex_next(t->store, &it) == ANNEX_AGAIN)
			weighs += storetest_weigh(it.record);
		assert_true(weighs > 0);
		assert_int_equal(annex_weight(t->store, &prefix, &n), ANNEX_OK);
		assert_int_equal(n, weighs);
	}
}

static void
a_number_is_not_given_out_again_when_a_table_is_counted_or_no_longer(void **state)
{
	struct storetest *t = *state;
	struct annex_key prefix = annex_key(first);
	uint64_t n;

	annex_key_text(&prefix, "gone");
	for (unsigned i = 0; i < 3; i++) {
		const struct annex_table *table = i % 2 == 0 ? counted : first;

		assert_int_equal(open_with(t, table), ANNEX_OK);
		prefix.table = table;
		assert_int_equal(annex_sequence(t->store, &prefix, &n), ANNEX_OK);
		assert_int_equal(n, i + 1);
		commit(t->store);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, storetest_teardown)
	const struct CMUnitTest tests[] = {
		TEST(older_rows_are_brought_up_once),
		TEST(a_migration_that_fails_changes_nothing),
		TEST(a_version_may_rise_without_a_migration),
		TEST(the_shape_of_a_key_cannot_change),
		TEST(a_table_that_becomes_counted_is_counted),
		TEST(a_table_that_becomes_weighed_is_weighed),
		TEST(a_number_is_not_given_out_again_when_a_table_is_counted_or_no_longer),
	};
	return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
