/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_clock.c - time and randomness
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static void
the_system_clock_tells_both_times(void **state)
{
	struct clock clock;
	int64_t mono;

	clock_init_system(&clock);
	assert_true(clock.mono_us > 0);
	assert_true(clock_wall_ms(&clock) / 1000 >= (int64_t)time(NULL) - 2);
	assert_true(clock_wall_ms(&clock) / 1000 <= (int64_t)time(NULL));
	mono = clock.mono_us;
	clock.mono_us = clock.wall_us = -1;
	clock.read(&clock);
	assert_true(clock.mono_us >= mono);
}

static void
a_seed_repeats_itself_and_another_does_not(void **state)
{
	struct random a, b, c;
	char x[17], y[17], z[17];

	random_init_seeded(&a, 42);
	random_init_seeded(&b, 42);
	random_init_seeded(&c, 43);
	for (int i = 0; i < 100; i++) {
		random_id(&a, x);
		random_id(&b, y);
		random_id(&c, z);
		assert_string_equal(x, y);
		assert_string_not_equal(x, z);
		assert_int_equal(random_below(&a, 1000), random_below(&b, 1000));
		random_below(&c, 1000);
	}
}

static void
the_seeded_source_is_the_published_one(void **state)
{
	/* Computed with the reference xoshiro256** from the state 1, 2, 3, 4. */
	const uint64_t want[] = { 11520, 0, 1509978240, 1215971899390074240 };
	struct random random;
	uint64_t got;

	random_init_seeded(&random, 0);
	for (uint64_t i = 0; i < 4; i++)
		random.state[i] = i + 1;
	for (int i = 0; i < 4; i++) {
		random.fill(&random, &got, sizeof(got));
		assert_true(got == want[i]);
	}
}

static void
no_byte_is_written_beyond_what_was_asked(void **state)
{
	struct random random;
	unsigned char bytes[32];

	random_init_seeded(&random, 9);
	for (size_t n = 0; n < 24; n++) {
		memset(bytes, 0xa5, sizeof(bytes));
		random.fill(&random, bytes, n);
		for (size_t i = n; i < sizeof(bytes); i++)
			assert_int_equal(bytes[i], 0xa5);
	}
}

static void
numbers_below_a_bound_are_even(void **state)
{
	struct random random;
	unsigned count[7] = { 0 };

	random_init_seeded(&random, 1);
	for (int i = 0; i < 70000; i++)
		count[random_below(&random, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(count[i], 9500, 10500);
	assert_int_equal(random_below(&random, 1), 0);
	/* A bound that a plain remainder would bend by a third. */
	count[0] = 0;
	for (int i = 0; i < 30000; i++)
		count[0] += random_below(&random, 3221225472u) < 1073741824u;
	assert_in_range(count[0], 9500, 10500);
}

static void
ids_are_sixteen_letters_of_base32_and_differ(void **state)
{
	struct random random;
	char ids[200][17];

	random_init_system(&random);
	for (int i = 0; i < 200; i++) {
		random_id(&random, ids[i]);
		assert_int_equal(strlen(ids[i]), 16);
		assert_int_equal(strspn(ids[i], "abcdefghijklmnopqrstuvwxyz234567"), 16);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	}
}

static void
the_salt_of_a_process_is_one(void **state)
{
	assert_int_not_equal(random_salt(), 0);
	assert_int_equal(random_salt(), random_salt());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_system_clock_tells_both_times),
		cmocka_unit_test(a_seed_repeats_itself_and_another_does_not),
		cmocka_unit_test(the_seeded_source_is_the_published_one),
		cmocka_unit_test(no_byte_is_written_beyond_what_was_asked),
		cmocka_unit_test(numbers_below_a_bound_are_even),
		cmocka_unit_test(ids_are_sixteen_letters_of_base32_and_differ),
		cmocka_unit_test(the_salt_of_a_process_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
