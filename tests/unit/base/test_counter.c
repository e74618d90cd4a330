/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_counter.c - numbers an operator can watch
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/counter.h"

static int
setup(void **state)
{
	*state = test_calloc(1, sizeof(struct counters));
	return 0;
}

static int
teardown(void **state)
{
	test_free(*state);
	return 0;
}

static void
a_name_keeps_its_slot(void **state)
{
	struct counters *c = *state;
	struct counter_slot *in = counters_get(c, COUNTER_COUNT, "in_total", "Came in.");

	assert_ptr_not_equal(counters_get(c, COUNTER_GAUGE, "rooms", "Rooms now."), in);
	assert_ptr_equal(counters_get(c, COUNTER_COUNT, "in_total", "Came in."), in);
	assert_int_equal(c->count, 2);
	assert_string_equal(in->name, "in_total");
	assert_string_equal(in->help, "Came in.");
}

static void
counting_adds_and_setting_sets(void **state)
{
	struct counters *c = *state;
	struct counter_slot *in = counters_get(c, COUNTER_COUNT, "in_total", "");
	struct counter_slot *rooms = counters_get(c, COUNTER_GAUGE, "rooms", "");

	annex_count((struct annex_counter *)in, 3);
	annex_count((struct annex_counter *)in, 4);
	annex_gauge_set((struct annex_counter *)rooms, 9);
	annex_gauge_set((struct annex_counter *)rooms, 5);
	assert_int_equal(in->value, 7);
	assert_int_equal(rooms->value, 5);
}

static void
long_names_and_helps_are_cut(void **state)
{
	struct counters *c = *state;
	char text[200];
	struct counter_slot *slot;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	slot = counters_get(c, COUNTER_COUNT, text, text);
	assert_int_equal(strlen(slot->name), COUNTER_NAME_MAX - 1);
	assert_int_equal(strlen(slot->help), COUNTER_HELP_MAX - 1);
	assert_ptr_equal(counters_get(c, COUNTER_COUNT, text, text), slot);
}

static void
where_the_page_is_full_the_overflow_slot_serves(void **state)
{
	struct counters *c = *state;
	struct counter_slot *slot = NULL;
	char name[16];

	for (int i = 0; i < COUNTER_SLOTS - 1; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		slot = counters_get(c, COUNTER_COUNT, name, "");
		assert_string_equal(slot->name, name);
	}
	slot = counters_get(c, COUNTER_COUNT, "late", "");
	assert_string_equal(slot->name, "overflow");
	assert_ptr_equal(slot, &c->slot[COUNTER_SLOTS - 1]);
	annex_count((struct annex_counter *)slot, 1);
	assert_ptr_equal(counters_get(c, COUNTER_GAUGE, "later", ""), slot);
	assert_int_equal(slot->value, 1);
	assert_string_equal(counters_get(c, COUNTER_COUNT, "n5", "")->name, "n5");
}

static void
an_observation_falls_into_its_bucket(void **state)
{
	static const struct {
		int64_t us;
		int bucket;
	} cases[] = {
		{ -1, 0 },
		{ 0, 0 },
		{ 16, 0 },
		{ 17, 1 },
		{ 32, 1 },
		{ 33, 2 },
		{ (int64_t)16 << 17, 17 },
		{ ((int64_t)16 << 17) + 1, 18 },
		{ INT64_MAX / 2, 18 },
	};
	struct counters *c = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct counter_slot *slot = counters_get(c, COUNTER_HISTOGRAM, "fsync", "");
		struct counter_histogram *h = &c->histogram[slot->histogram];

		memset(h, 0, sizeof(*h));
		counters_observe_us(c, slot, cases[i].us);
		assert_int_equal(h->bucket[cases[i].bucket], 1);
		assert_int_equal(h->sum_us, cases[i].us);
		assert_int_equal(slot->value, i + 1);
	}
}

static void
a_histogram_too_many_overflows_and_harms_nobody(void **state)
{
	struct counters *c = *state;
	struct counter_slot *slot = NULL;
	char name[16];

	for (int i = 0; i < 17; i++) {
		snprintf(name, sizeof(name), "h%d", i);
		slot = counters_get(c, COUNTER_HISTOGRAM, name, "");
		counters_observe_us(c, slot, 100);
	}
	assert_string_equal(slot->name, "overflow");
	assert_int_equal(slot->value, 1);
	assert_int_equal(c->histogram[0].sum_us, 100);
	assert_int_equal(c->histogram_count, 16);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_name_keeps_its_slot),
		T(counting_adds_and_setting_sets),
		T(long_names_and_helps_are_cut),
		T(where_the_page_is_full_the_overflow_slot_serves),
		T(an_observation_falls_into_its_bucket),
		T(a_histogram_too_many_overflows_and_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
