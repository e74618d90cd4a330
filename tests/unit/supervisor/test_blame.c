/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_blame.c - which stanza crashed a worker, and how often
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "supervisor/blame.h"

struct bench {
	struct blame blame;
	struct page page;
};

static int
setup(void **state)
{
	*state = mem_zalloc(sizeof(struct bench));
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

static enum blame_verdict
crash(struct bench *b, enum page_phase phase, uint64_t hash)
{
	uint64_t found;

	atomic_store(&b->page.phase, phase);
	atomic_store(&b->page.stanza_hash, hash);
	return blame_page(&b->blame, &b->page, &found);
}

static void
test_a_second_crash_puts_a_stanza_in_quarantine(void **state)
{
	struct bench *b = *state;

	assert_int_equal(crash(b, PAGE_HANDLER, 5), BLAME_SUSPECT);
	assert_int_equal(crash(b, PAGE_HANDLER, 6), BLAME_SUSPECT);
	assert_int_equal(blame_quarantined(&b->blame), 0);
	assert_int_equal(crash(b, PAGE_HANDLER, 5), BLAME_QUARANTINED);
	assert_int_equal(blame_quarantined(&b->blame), 1);
	blame_tell(&b->blame, &b->page);
	assert_int_equal(b->page.quarantine_count, 1);
	assert_int_equal(b->page.quarantine[0], 5);
}

static void
test_only_a_handler_blames_a_stanza(void **state)
{
	static const enum page_phase phases[] = { PAGE_IDLE, PAGE_COMMIT, PAGE_CREATE,
		PAGE_STARTING };
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		for (int crashes = 0; crashes < 3; crashes++)
			assert_int_equal(crash(b, phases[i], 5), BLAME_NOBODY);
	assert_int_equal(b->blame.count, 0);
}

static void
test_a_handler_without_a_stanza_blames_nobody(void **state)
{
	struct bench *b = *state;

	assert_int_equal(crash(b, PAGE_HANDLER, 0), BLAME_NOBODY);
	assert_int_equal(crash(b, PAGE_HANDLER, 0), BLAME_NOBODY);
}

static void
test_the_newest_quarantined_are_told_where_there_are_too_many(void **state)
{
	struct bench *b = *state;

	for (uint64_t hash = 1; hash <= PAGE_QUARANTINE_MAX + 10; hash++) {
		crash(b, PAGE_HANDLER, hash);
		crash(b, PAGE_HANDLER, hash);
	}
	blame_tell(&b->blame, &b->page);
	assert_int_equal(b->page.quarantine_count, PAGE_QUARANTINE_MAX);
	for (size_t i = 0; i < PAGE_QUARANTINE_MAX; i++)
		assert_true(b->page.quarantine[i] > 10);
}

static void
test_many_suspects_do_not_push_out_who_is_in_quarantine(void **state)
{
	struct bench *b = *state;

	crash(b, PAGE_HANDLER, 1);
	crash(b, PAGE_HANDLER, 1);
	for (uint64_t hash = 2; hash < 3 * BLAME_MAX; hash++)
		assert_int_equal(crash(b, PAGE_HANDLER, hash), BLAME_SUSPECT);
	assert_int_equal(b->blame.count, BLAME_MAX);
	assert_int_equal(blame_quarantined(&b->blame), 1);
	assert_int_equal(crash(b, PAGE_HANDLER, 1), BLAME_QUARANTINED);
}

static void
test_a_full_quarantine_forgets_its_oldest(void **state)
{
	struct bench *b = *state;

	for (uint64_t hash = 1; hash <= BLAME_MAX + 1; hash++) {
		crash(b, PAGE_HANDLER, hash);
		crash(b, PAGE_HANDLER, hash);
	}
	assert_int_equal(b->blame.count, BLAME_MAX);
	assert_int_equal(b->blame.entry[BLAME_MAX - 1].hash, BLAME_MAX + 1);
	assert_int_equal(crash(b, PAGE_HANDLER, 1), BLAME_SUSPECT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_second_crash_puts_a_stanza_in_quarantine),
		CASE(test_only_a_handler_blames_a_stanza),
		CASE(test_a_handler_without_a_stanza_blames_nobody),
		CASE(test_the_newest_quarantined_are_told_where_there_are_too_many),
		CASE(test_many_suspects_do_not_push_out_who_is_in_quarantine),
		CASE(test_a_full_quarantine_forgets_its_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
