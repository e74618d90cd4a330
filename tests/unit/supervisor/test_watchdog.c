/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_watchdog.c - whether a worker is stuck
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "supervisor/watchdog.h"

struct bench {
	struct watchdog watchdog;
	struct page page;
};

static int
setup(void **state)
{
	struct bench *b = mem_zalloc(sizeof(*b));

	*state = b;
	watchdog_reset(&b->watchdog);
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

/* Look n times while nothing changes; the last verdict. */
static enum watchdog_verdict
look(struct bench *b, int n)
{
	enum watchdog_verdict verdict = WATCHDOG_FINE;

	while (n-- > 0)
		verdict = watchdog_look(&b->watchdog, &b->page, 30);
	return verdict;
}

static void
enter(struct bench *b, enum page_phase phase)
{
	atomic_store(&b->page.phase, phase);
	atomic_fetch_add(&b->page.phase_since_us, 1);
}

static void
test_a_handler_beyond_the_limit_is_stuck(void **state)
{
	struct bench *b = *state;

	enter(b, PAGE_HANDLER);
	assert_int_equal(look(b, 30), WATCHDOG_FINE);
	assert_int_equal(look(b, 1), WATCHDOG_STUCK);
	assert_int_equal(look(b, 1), WATCHDOG_STUCK);
}

static void
test_one_handler_after_the_other_is_not_stuck(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 20; i++) {
		enter(b, PAGE_HANDLER);
		assert_int_equal(look(b, 20), WATCHDOG_FINE);
	}
}

static void
test_an_idle_worker_is_fine_while_its_heart_beats(void **state)
{
	struct bench *b = *state;

	enter(b, PAGE_IDLE);
	for (int i = 0; i < 100; i++) {
		atomic_fetch_add(&b->page.heartbeat, 1);
		assert_int_equal(look(b, 1), WATCHDOG_FINE);
	}
	assert_int_equal(look(b, 30), WATCHDOG_STUCK);
}

static void
test_commits_and_starts_are_slow_once_and_never_stuck(void **state)
{
	static const enum page_phase phases[] = { PAGE_COMMIT, PAGE_CREATE, PAGE_STARTING };
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		enter(b, phases[i]);
		assert_int_equal(look(b, 30), WATCHDOG_FINE);
		assert_int_equal(look(b, 1), WATCHDOG_SLOW);
		for (int n = 0; n < 1000; n++)
			assert_int_equal(look(b, 1), WATCHDOG_FINE);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_handler_beyond_the_limit_is_stuck),
		CASE(test_one_handler_after_the_other_is_not_stuck),
		CASE(test_an_idle_worker_is_fine_while_its_heart_beats),
		CASE(test_commits_and_starts_are_slow_once_and_never_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
