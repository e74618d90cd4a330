/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_map.c - hash maps, held against a sorted reference
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <annex/map.h>
#include <annex/pool.h>

#include "base/clock.h"

#define KEYS 1500

/* Keys of all lengths, some binary, the first one empty. */
struct key {
	unsigned char bytes[40];
	size_t len;
};

static int
compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int r = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);

	return r != 0 ? r : (x->len > y->len) - (x->len < y->len);
}

static size_t
make_keys(struct key *keys, struct random *random)
{
	size_t n = 1;

	for (size_t i = 0; i < KEYS; i++) {
		keys[i] = (struct key) { .len = i == 0 ? 0 : 1 + random_below(random, 39) };
		random->fill(random, keys[i].bytes, keys[i].len);
		/* Prefixes of each other, differing in length alone. */
		if (i % 3 == 0)
			memset(keys[i].bytes, 0, keys[i].len);
	}
	qsort(keys, KEYS, sizeof(keys[0]), compare);
	for (size_t i = 1; i < KEYS; i++)
		if (compare(&keys[n - 1], &keys[i]) != 0)
			keys[n++] = keys[i];
	return n;
}

static void
check_walk(const struct annex_map *map, const struct key *keys, void *const *values, size_t n)
{
	struct annex_map_iter it = { 0 };
	size_t seen = 0, there = 0;

	while (annex_map_next(map, &it)) {
		struct key want = { .len = it.len };
		const struct key *found;

		memcpy(want.bytes, it.key, it.len);
		found = bsearch(&want, keys, n, sizeof(want), compare);
		assert_non_null(found);
		assert_ptr_equal(values[found - keys], it.value);
		assert_int_equal(((const char *)it.key)[it.len], '\0');
		seen++;
	}
	for (size_t i = 0; i < n; i++)
		there += values[i] != NULL;
	assert_int_equal(seen, there);
	assert_int_equal(annex_map_count(map), there);
}

static void
it_holds_what_a_sorted_table_holds(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_map *map = annex_map_create(pool);
	struct key *keys = annex_new_array(pool, struct key, KEYS);
	void **values = annex_new_array(pool, void *, KEYS);
	struct random random;
	size_t n;

	random_init_seeded(&random, 7);
	n = make_keys(keys, &random);
	assert_true(n > KEYS / 2);
	for (int step = 0; step < 60000; step++) {
		/* Fill in one stretch, empty in the next, so that it grows and shrinks. */
		uint32_t liking = step / 5000 % 2 == 0 ? 7 : 2;
		size_t i = random_below(&random, (uint32_t)n);
		void *value = (char *)pool + step + 1;

		if (random_below(&random, 10) < liking) {
			assert_ptr_equal(
			    annex_map_set(map, keys[i].bytes, keys[i].len, value), values[i]);
			values[i] = value;
		} else {
			assert_ptr_equal(
			    annex_map_remove(map, keys[i].bytes, keys[i].len), values[i]);
			values[i] = NULL;
		}
		i = random_below(&random, (uint32_t)n);
		assert_ptr_equal(annex_map_get(map, keys[i].bytes, keys[i].len), values[i]);
		if (step % 997 == 0)
			check_walk(map, keys, values, n);
	}
	for (size_t i = 0; i < n; i++)
		assert_ptr_equal(annex_map_remove(map, keys[i].bytes, keys[i].len), values[i]);
	memset(values, 0, n * sizeof(values[0]));
	check_walk(map, keys, values, n);
	annex_pool_destroy(&pool);
}

static void
an_empty_map_has_nothing(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_map *map = annex_map_create(pool);
	struct annex_map_iter it = { 0 };

	assert_null(annex_map_get_str(map, "den"));
	assert_null(annex_map_remove_str(map, "den"));
	assert_false(annex_map_next(map, &it));
	assert_int_equal(annex_map_count(map), 0);
	annex_pool_destroy(&pool);
}

static void
it_keeps_copies_of_its_keys(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_map *map = annex_map_create(pool);
	char key[] = "den";

	annex_map_set_str(map, key, pool);
	key[0] = 'x';
	assert_ptr_equal(annex_map_get_str(map, "den"), pool);
	assert_null(annex_map_get_str(map, key));
	annex_pool_destroy(&pool);
}

static void
it_borrows_keys_where_that_is_asked_for(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_map *map = annex_map_borrowing(pool);
	struct annex_map_iter it = { 0 };
	char first[] = "den", second[] = "den", many[100][12];

	annex_map_set_str(map, first, pool);
	assert_true(annex_map_next(map, &it));
	assert_ptr_equal(it.key, first);
	assert_ptr_equal(annex_map_set_str(map, second, map), pool);
	first[0] = 'x'; /* it is not looked at any more */
	for (int i = 0; i < 100; i++) {
		snprintf(many[i], sizeof(many[i]), "%d", i);
		annex_map_set_str(map, many[i], &many[i]);
	}
	for (int i = 0; i < 100; i++)
		assert_ptr_equal(annex_map_remove_str(map, many[i]), &many[i]);
	assert_ptr_equal(annex_map_remove_str(map, "den"), map);
	assert_int_equal(annex_map_count(map), 0);
	annex_map_set_str(map, second, pool); /* left to the pool */
	annex_pool_destroy(&pool);
}

static void
the_entry_stood_on_may_be_removed(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_map *map = annex_map_create(pool);
	int seen[1000] = { 0 };

	for (int i = 0; i < 1000; i++)
		annex_map_set(map, &i, sizeof(i), &seen[i]);
	for (struct annex_map_iter it = { 0 }; annex_map_next(map, &it);) {
		++*(int *)it.value;
		if ((int *)it.value - seen < 900)
			assert_ptr_equal(annex_map_remove(map, it.key, it.len), it.value);
	}
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(seen[i], 1);
		assert_ptr_equal(annex_map_get(map, &i, sizeof(i)), i < 900 ? NULL : &seen[i]);
	}
	assert_int_equal(annex_map_count(map), 100);
	annex_pool_destroy(&pool);
}

static void
a_walk_is_the_same_in_every_run(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_map *one = annex_map_create(pool), *two = annex_map_create(pool);
	struct annex_map_iter a = { 0 }, b = { 0 };

	for (int i = 0; i < 100; i++) {
		annex_map_set(one, &i, sizeof(i), pool);
		annex_map_set(two, &i, sizeof(i), pool);
	}
	for (int i = 0; i < 100; i++) {
		assert_true(annex_map_next(one, &a) && annex_map_next(two, &b));
		assert_memory_equal(a.key, b.key, sizeof(i));
	}
	annex_pool_destroy(&pool);
}

static void
a_key_that_comes_and_goes_takes_no_more_room(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_map *map = annex_map_create(pool);
	struct annex_map_iter it = { 0 };

	annex_map_set_str(map, "stays", pool);
	for (int i = 0; i < 100000; i++) {
		annex_map_set(map, &i, sizeof(i), pool);
		annex_map_remove(map, &i, sizeof(i));
	}
	annex_map_set_str(map, "last", pool);
	while (annex_map_next(map, &it))
		;
	assert_true(it.slot <= 16);
	annex_pool_destroy(&pool);
}

static void
destroying_early_is_fine_and_once_is_enough(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_map *map = annex_map_create(pool);

	annex_map_set_str(map, "den", pool);
	annex_map_destroy(&map);
	assert_null(map);
	annex_map_destroy(&map);
	annex_pool_destroy(&pool); /* runs the map's clean-up again */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_holds_what_a_sorted_table_holds),
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(it_keeps_copies_of_its_keys),
		cmocka_unit_test(it_borrows_keys_where_that_is_asked_for),
		cmocka_unit_test(the_entry_stood_on_may_be_removed),
		cmocka_unit_test(a_walk_is_the_same_in_every_run),
		cmocka_unit_test(a_key_that_comes_and_goes_takes_no_more_room),
		cmocka_unit_test(destroying_early_is_fine_and_once_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
