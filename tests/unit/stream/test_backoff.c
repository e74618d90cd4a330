/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_backoff.c - how long to wait before the next try
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/backoff.h"

#define START_MS INT64_C(1000000)

/* Up to a quarter less than most. */
static void
assert_wait(int64_t wait_ms, int64_t most_ms)
{
	assert_in_range(wait_ms, most_ms - most_ms / 4, most_ms);
}

static void
a_server_that_is_away_is_asked_ever_less_often_up_to_0_8_s(void **state)
{
	static const int64_t most[] = { 100, 200, 400, 800, 800, 800 };
	struct backoff backoff = { 0 };
	struct random random;
	int64_t now_ms = START_MS;

	random_init_seeded(&random, 1);
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		int64_t wait_ms = backoff_next_ms(&backoff, BACKOFF_AWAY, now_ms, &random);

		assert_wait(wait_ms, most[i]);
		now_ms += wait_ms;
	}
}

static void
after_five_minutes_away_it_is_asked_every_5_s(void **state)
{
	struct backoff backoff = { 0 };
	struct random random;
	int64_t now_ms = START_MS;

	random_init_seeded(&random, 1);
	while (now_ms < START_MS + 5 * 60 * 1000)
		now_ms += backoff_next_ms(&backoff, BACKOFF_AWAY, now_ms, &random);
	assert_wait(backoff_next_ms(&backoff, BACKOFF_AWAY, now_ms, &random), 5000);
	assert_wait(backoff_next_ms(&backoff, BACKOFF_AWAY, now_ms + 86400000, &random), 5000);
}

static void
a_server_that_says_no_is_asked_up_to_every_30_s(void **state)
{
	static const int64_t most[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
	struct backoff backoff = { 0 };
	struct random random;

	random_init_seeded(&random, 1);
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++)
		assert_wait(backoff_next_ms(&backoff, BACKOFF_REFUSED, START_MS, &random), most[i]);
}

static void
a_short_session_is_no_reason_to_start_afresh(void **state)
{
	struct backoff backoff = { 0 };
	struct random random;

	random_init_seeded(&random, 1);
	backoff_next_ms(&backoff, BACKOFF_REFUSED, START_MS, &random);
	backoff_up(&backoff, START_MS + 1000);
	assert_wait(
	    backoff_next_ms(&backoff, BACKOFF_REFUSED, START_MS + 1000 + 29999, &random), 2000);
}

static void
a_stable_session_is(void **state)
{
	struct backoff backoff = { 0 };
	struct random random;

	random_init_seeded(&random, 1);
	for (int i = 0; i < 5; i++)
		backoff_next_ms(&backoff, BACKOFF_AWAY, START_MS, &random);
	backoff_up(&backoff, START_MS + 1000);
	assert_wait(backoff_next_ms(&backoff, BACKOFF_AWAY, START_MS + 1000 + 30000, &random), 100);
	/* The session is over: the next failure goes on from here. */
	assert_wait(backoff_next_ms(&backoff, BACKOFF_AWAY, START_MS + 1000 + 70000, &random), 200);
}

static void
waits_differ_by_chance(void **state)
{
	struct random random;
	unsigned different = 0;
	int64_t last_ms = 0;

	random_init_seeded(&random, 1);
	for (int i = 0; i < 20; i++) {
		struct backoff backoff = { 0 };
		int64_t wait_ms = backoff_next_ms(&backoff, BACKOFF_REFUSED, START_MS, &random);

		different += wait_ms != last_ms;
		last_ms = wait_ms;
	}
	assert_true(different > 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_is_away_is_asked_ever_less_often_up_to_0_8_s),
		cmocka_unit_test(after_five_minutes_away_it_is_asked_every_5_s),
		cmocka_unit_test(a_server_that_says_no_is_asked_up_to_every_30_s),
		cmocka_unit_test(a_short_session_is_no_reason_to_start_afresh),
		cmocka_unit_test(a_stable_session_is),
		cmocka_unit_test(waits_differ_by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
