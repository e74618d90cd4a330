/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_backoff.c - how long to wait before a worker is started again
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/backoff.h"

static void
test_delays_double_from_a_fifth_of_a_second_to_half_a_minute(void **state)
{
	static const int64_t middle[] = { 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000 };
	struct random random;

	random_init_seeded(&random, 7);
	for (int round = 0; round < 200; round++) {
		struct backoff backoff = { 0 };

		for (size_t i = 0; i < 20; i++) {
			int64_t m = middle[i < 8 ? i : 8];
			int64_t ms = backoff_next_ms(&backoff, 0, &random);

			assert_in_range(ms, BACKOFF_LEAST_MS, BACKOFF_MOST_MS);
			assert_in_range(ms, m - m / 4, m + m / 4);
		}
	}
}

static void
test_workers_that_fall_together_do_not_rise_together(void **state)
{
	struct backoff a = { 5 }, b = { 5 };
	struct random random;

	random_init_seeded(&random, 7);
	assert_int_not_equal(backoff_next_ms(&a, 0, &random), backoff_next_ms(&b, 0, &random));
}

static void
test_a_minute_of_health_starts_over_and_less_does_not(void **state)
{
	struct backoff backoff = { 8 };
	struct random random;

	random_init_seeded(&random, 7);
	assert_true(backoff_next_ms(&backoff, 59999, &random) > 20000);
	assert_true(backoff_next_ms(&backoff, 60000, &random) <= 250);
	assert_int_equal(backoff.ends, 1);
}

static void
test_years_of_crashes_do_not_overflow(void **state)
{
	struct backoff backoff = { 4000000000u };
	struct random random;

	random_init_seeded(&random, 7);
	assert_in_range(backoff_next_ms(&backoff, 0, &random), BACKOFF_LEAST_MS, BACKOFF_MOST_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delays_double_from_a_fifth_of_a_second_to_half_a_minute),
		cmocka_unit_test(test_workers_that_fall_together_do_not_rise_together),
		cmocka_unit_test(test_a_minute_of_health_starts_over_and_less_does_not),
		cmocka_unit_test(test_years_of_crashes_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
