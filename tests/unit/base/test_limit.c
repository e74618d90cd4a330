/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_limit.c - token buckets
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <annex/limit.h>
#include <annex/pool.h>

static void
a_new_bucket_is_full_and_then_empty(void **state)
{
	for (int64_t now = 0; now < 3; now++) {
		struct annex_bucket b = { 0 };

		for (int i = 0; i < 5; i++)
			assert_true(annex_bucket_take(&b, 1, 5, 1, now));
		assert_false(annex_bucket_take(&b, 1, 5, 1, now));
	}
}

static void
it_regains_rate_tokens_a_second_and_no_more_than_burst(void **state)
{
	struct annex_bucket b = { 0 };

	assert_true(annex_bucket_take(&b, 2, 10, 10, 1000));
	assert_false(annex_bucket_take(&b, 2, 10, 1, 1499));
	assert_true(annex_bucket_take(&b, 2, 10, 1, 1500));
	assert_true(annex_bucket_take(&b, 2, 10, 4, 3500));
	assert_false(annex_bucket_take(&b, 2, 10, 1, 3500));
	assert_true(annex_bucket_take(&b, 2, 10, 10, 1000000));
	assert_false(annex_bucket_take(&b, 2, 10, 1, 1000000));
}

static void
many_small_steps_regain_as_much_as_a_long_one(void **state)
{
	struct annex_bucket b = { 0 };
	int taken = 0;

	assert_true(annex_bucket_take(&b, 100, 10, 10, 1));
	for (int64_t now = 2; now <= 10001; now++)
		taken += annex_bucket_take(&b, 100, 10, 1, now);
	assert_in_range(taken, 999, 1000);
}

static void
a_refusal_takes_nothing(void **state)
{
	struct annex_bucket b = { 0 };

	assert_true(annex_bucket_take(&b, 1, 5, 2, 1000));
	for (int i = 0; i < 10; i++)
		assert_false(annex_bucket_take(&b, 1, 5, 4, 1000));
	assert_true(annex_bucket_take(&b, 1, 5, 3, 1000));
	/* More than it ever holds is never there. */
	assert_false(annex_bucket_take(&b, 1, 5, 6, 100000));
}

static void
a_clock_that_steps_back_neither_gives_nor_takes(void **state)
{
	struct annex_bucket b = { 0 };

	assert_true(annex_bucket_take(&b, 1, 5, 4, 10000));
	assert_true(annex_bucket_take(&b, 1, 5, 1, 5000));
	assert_false(annex_bucket_take(&b, 1, 5, 1, 5000));
	assert_false(annex_bucket_take(&b, 1, 5, 1, 10999));
	assert_true(annex_bucket_take(&b, 1, 5, 1, 11000));
}

static void
a_changed_burst_applies_at_once(void **state)
{
	struct annex_bucket b = { 0 };

	assert_true(annex_bucket_take(&b, 1, 100, 1, 1000));
	assert_false(annex_bucket_take(&b, 1, 3, 4, 1000));
	assert_true(annex_bucket_take(&b, 1, 3, 3, 1000));
}

static void
each_key_has_its_own_bucket(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_buckets *buckets = annex_buckets_create(pool, 1, 2, 100);

	assert_true(annex_buckets_take(buckets, "a@x", 2, 1000));
	assert_false(annex_buckets_take(buckets, "a@x", 1, 1000));
	assert_true(annex_buckets_take(buckets, "b@x", 2, 1000));
	assert_false(annex_buckets_take(buckets, "b@x", 1, 1000));
	assert_true(annex_buckets_take(buckets, "a@x", 1, 2000));
	annex_pool_destroy(&pool);
}

static void
one_that_is_emptied_regains_from_then_on(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_buckets *buckets = annex_buckets_create(pool, 1, 3, 10);

	assert_true(annex_buckets_take(buckets, "a", 1, 1000));
	annex_buckets_empty(buckets, "a", 1000);
	assert_false(annex_buckets_take(buckets, "a", 1, 1500));
	annex_buckets_empty(buckets, "a", 1500);
	assert_false(annex_buckets_take(buckets, "a", 1, 2400));
	assert_true(annex_buckets_take(buckets, "a", 1, 2500));
	annex_buckets_empty(buckets, "b", 2500);
	assert_false(annex_buckets_take(buckets, "b", 1, 2500));
	annex_pool_destroy(&pool);
}

static void
beyond_the_limit_the_one_untouched_longest_is_forgotten(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_buckets *buckets = annex_buckets_create(pool, 0.001, 1, 3);

	assert_true(annex_buckets_take(buckets, "a", 1, 1000));
	assert_true(annex_buckets_take(buckets, "b", 1, 1001));
	assert_true(annex_buckets_take(buckets, "c", 1, 1002));
	assert_false(annex_buckets_take(buckets, "a", 1, 1003));
	assert_true(annex_buckets_take(buckets, "d", 1, 1004)); /* b goes */
	assert_false(annex_buckets_take(buckets, "a", 1, 1005));
	assert_false(annex_buckets_take(buckets, "c", 1, 1006));
	assert_false(annex_buckets_take(buckets, "d", 1, 1007));
	assert_true(annex_buckets_take(buckets, "b", 1, 1008));
	annex_pool_destroy(&pool);
}

static void
those_full_again_are_forgotten(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_buckets *buckets = annex_buckets_create(pool, 1, 10, 1000);
	char key[32];

	assert_true(annex_buckets_take(buckets, "large", 10, 1000));
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "user%d@x", i);
		assert_true(annex_buckets_take(buckets, key, 1, 9000));
	}
	assert_int_equal(annex_buckets_count(buckets), 101);
	/* The first is full at 11000, the others are at 10000: two go each time. */
	assert_false(annex_buckets_take(buckets, "user99@x", 10, 9500));
	assert_int_equal(annex_buckets_count(buckets), 101);
	for (int i = 0; i < 60; i++)
		annex_buckets_take(buckets, "last", 0, 11000);
	assert_int_equal(annex_buckets_count(buckets), 1);
	annex_pool_destroy(&pool);
}

static void
a_crowd_of_strangers_stays_within_the_limit(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_buckets *buckets = annex_buckets_create(pool, 1, 5, 100);
	size_t before = annex_pool_bytes(pool);
	char key[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "user%d@x", i);
		assert_true(annex_buckets_take(buckets, key, 5, 1000 + i / 100));
	}
	assert_int_equal(annex_pool_bytes(pool), before);
	assert_int_equal(annex_buckets_count(buckets), 100);
	annex_pool_destroy(&pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_bucket_is_full_and_then_empty),
		cmocka_unit_test(it_regains_rate_tokens_a_second_and_no_more_than_burst),
		cmocka_unit_test(many_small_steps_regain_as_much_as_a_long_one),
		cmocka_unit_test(a_refusal_takes_nothing),
		cmocka_unit_test(a_clock_that_steps_back_neither_gives_nor_takes),
		cmocka_unit_test(a_changed_burst_applies_at_once),
		cmocka_unit_test(each_key_has_its_own_bucket),
		cmocka_unit_test(one_that_is_emptied_regains_from_then_on),
		cmocka_unit_test(beyond_the_limit_the_one_untouched_longest_is_forgotten),
		cmocka_unit_test(those_full_again_are_forgotten),
		cmocka_unit_test(a_crowd_of_strangers_stays_within_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
