/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_rate.c - how fast a counter grows
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "supervisor/rate.h"

static void
assert_rate(const struct rate *rate, double want)
{
	assert_true(rate->per_s > want - 1e-9 && rate->per_s < want + 1e-9);
}

static void
test_a_rate_is_that_of_the_last_ten_seconds(void **state)
{
	struct rate rate;
	int64_t value = 1000;

	rate_reset(&rate);
	rate_see(&rate, value);
	assert_rate(&rate, 0);
	for (int i = 0; i < 30; i++)
		rate_see(&rate, value += 5);
	assert_rate(&rate, 5);
	for (int i = 0; i < 5; i++)
		rate_see(&rate, value);
	assert_rate(&rate, 2.5);
	for (int i = 0; i < 5; i++)
		rate_see(&rate, value);
	assert_rate(&rate, 0);
}

static void
test_the_first_seconds_count_by_themselves(void **state)
{
	struct rate rate;

	rate_reset(&rate);
	rate_see(&rate, 0);
	rate_see(&rate, 7);
	assert_rate(&rate, 7);
	rate_see(&rate, 7);
	assert_rate(&rate, 3.5);
}

static void
test_a_counter_is_found_by_name_or_is_nothing(void **state)
{
	struct counters *counters = mem_zalloc(sizeof(*counters));

	counters_get(counters, COUNTER_COUNT, "a_total", "A.")->value = 3;
	counters_get(counters, COUNTER_COUNT, "b_total", "B.")->value = 4;
	assert_int_equal(rate_counter(counters, "b_total"), 4);
	assert_int_equal(rate_counter(counters, "c_total"), 0);
	counters->count = UINT32_MAX;
	assert_int_equal(rate_counter(counters, "c_total"), 0);
	free(counters);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_rate_is_that_of_the_last_ten_seconds),
		cmocka_unit_test(test_the_first_seconds_count_by_themselves),
		cmocka_unit_test(test_a_counter_is_found_by_name_or_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
