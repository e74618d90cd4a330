/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_table.c - rows against a model: a sorted array in memory
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storetest.h"

static void
a_record_comes_back_as_it_was(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("den");
	Test__Record record = TEST__RECORD__INIT;
	ProtobufCMessage *got;

	record.text = (char *)(uintptr_t) "a";
	record.has_number = true;
	record.number = UINT64_MAX;
	record.has_blob = true;
	record.blob = (ProtobufCBinaryData) { 3, (uint8_t *)"\0\1\2" };
	assert_int_equal(annex_get(t->store, &key, &got), ANNEX_ENOENT);
	assert_int_equal(annex_put(t->store, &key, &record.base), ANNEX_OK);
	commit(t->store);
	storetest_reopen(t);
	assert_int_equal(annex_get(t->store, &key, &got), ANNEX_OK);
	assert_string_equal(((Test__Record *)got)->text, "a");
	assert_true(((Test__Record *)got)->number == UINT64_MAX);
	assert_memory_equal(((Test__Record *)got)->blob.data, "\0\1\2", 3);
	assert_false(((Test__Record *)got)->has_signed_);
}

static void
an_aborted_turn_leaves_nothing(void **state)
{
	struct storetest *t = *state;
	struct annex_key a = text_key("a"), b = text_key("b");

	put_text(t->store, &a, "old");
	commit(t->store);
	put_text(t->store, &a, "new");
	put_text(t->store, &b, "new");
	assert_true(store_in_transaction(t->store));
	assert_true(store_is_dirty(t->store));
	assert_true(store_dirty_bytes(t->store) > 0);
	store_abort(t->store);
	assert_false(store_in_transaction(t->store));
	assert_string_equal(get_text(t->store, &a), "old");
	assert_false(annex_has(t->store, &b));
	assert_false(store_is_dirty(t->store));
}

static void
a_turn_that_wrote_nothing_is_not_committed(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("a");
	unsigned long before = t->fault.commits;

	assert_false(annex_has(t->store, &key));
	assert_true(store_in_transaction(t->store));
	commit(t->store);
	assert_false(store_in_transaction(t->store));
	assert_int_equal(t->fault.commits, before);
}

static void
a_record_above_the_limit_is_refused_and_the_turn_goes_on(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("a");
	char *text = malloc(STORE_RECORD_MAX + 1);

	memset(text, 'x', STORE_RECORD_MAX);
	text[STORE_RECORD_MAX] = '\0';
	assert_int_equal(try_put_text(t->store, &key, text), ANNEX_ELIMIT);
	assert_false(store_has_failed(t->store));
	text[STORE_RECORD_MAX - 64] = '\0';
	put_text(t->store, &key, text);
	commit(t->store);
	assert_int_equal(strlen(get_text(t->store, &key)), STORE_RECORD_MAX - 64);
	free(text);
}

static void
a_prefix_finds_whole_parts_only(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = counted_key("de", 1), prefix = annex_key(COUNTED);
	struct annex_iter it;

	put_text(t->store, &key, "de");
	key = counted_key("den", 1);
	put_text(t->store, &key, "den");
	key = counted_key("den\001", 1);
	put_text(t->store, &key, "den1");
	annex_key_text(&prefix, "den");
	it = annex_iter(&prefix);
	assert_int_equal(annex_next(t->store, &it), ANNEX_AGAIN);
	assert_string_equal(((Test__Record *)it.record)->text, "den");
	assert_int_equal(annex_next(t->store, &it), ANNEX_OK);
	assert_int_equal(annex_next(t->store, &it), ANNEX_OK);
	prefix = annex_key(COUNTED);
	annex_key_text(&prefix, "d");
	assert_false(annex_has(t->store, &prefix));
	prefix = annex_key(COUNTED);
	annex_key_text(&prefix, "de");
	assert_true(annex_has(t->store, &prefix));
}

static void
rows_may_be_deleted_and_put_while_walking(void **state)
{
	struct storetest *t = *state;
	struct annex_key all = annex_key(BY_NUMBER), key;
	struct annex_iter it;
	unsigned seen = 0;

	for (unsigned i = 1; i <= 500; i++) {
		key = number_key(i * 2);
		put_text(t->store, &key, "x");
	}
	it = annex_iter(&all);
	while (annex_next(t->store, &it) == ANNEX_AGAIN) {
		assert_int_equal(annex_key_number(&it.key, 0), 2 * ++seen);
		assert_int_equal(annex_delete(t->store, &it.key), ANNEX_OK);
		key = number_key(2 * seen - 1);
		put_text(t->store, &key, "behind");
		if (seen % 100 == 0)
			commit(t->store);
	}
	assert_int_equal(seen, 500);
	it = annex_iter_backwards(&all);
	for (seen = 500; annex_next(t->store, &it) == ANNEX_AGAIN; seen--)
		assert_int_equal(annex_key_number(&it.key, 0), 2 * seen - 1);
	assert_int_equal(seen, 0);
}

static void
two_walks_do_not_disturb_each_other(void **state)
{
	struct storetest *t = *state;
	struct annex_key all = annex_key(BY_NUMBER), key;
	struct annex_iter up = annex_iter(&all), down = annex_iter_backwards(&all);

	for (unsigned i = 0; i < 100; i++) {
		key = number_key(i);
		put_text(t->store, &key, "x");
	}
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(annex_next(t->store, &up), ANNEX_AGAIN);
		assert_int_equal(annex_key_number(&up.key, 0), i);
		assert_int_equal(annex_next(t->store, &down), ANNEX_AGAIN);
		assert_int_equal(annex_key_number(&down.key, 0), 99 - i);
	}
	assert_int_equal(annex_next(t->store, &up), ANNEX_OK);
	assert_int_equal(annex_next(t->store, &down), ANNEX_OK);
}

static void
a_walk_starts_where_it_is_told(void **state)
{
	struct storetest *t = *state;
	struct annex_key all = annex_key(BY_NUMBER), key;
	struct annex_iter it;

	for (unsigned i = 10; i <= 30; i += 10) {
		key = number_key(i);
		put_text(t->store, &key, "x");
	}
	key = number_key(15);
	it = annex_iter_from(&all, &key);
	assert_int_equal(annex_next(t->store, &it), ANNEX_AGAIN);
	assert_int_equal(annex_key_number(&it.key, 0), 20);
	it = annex_iter_from(&all, &key);
	it.backwards = true;
	assert_int_equal(annex_next(t->store, &it), ANNEX_AGAIN);
	assert_int_equal(annex_key_number(&it.key, 0), 10);
	key = number_key(20);
	it = annex_iter_from(&all, &key);
	it.backwards = it.keys_only = true;
	assert_int_equal(annex_next(t->store, &it), ANNEX_AGAIN);
	assert_int_equal(annex_key_number(&it.key, 0), 20);
	assert_null(it.record);
}

static void
a_sequence_is_never_given_out_twice(void **state)
{
	struct storetest *t = *state;
	struct annex_key prefix = annex_key(COUNTED), key;
	uint64_t number;

	annex_key_text(&prefix, "den");
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
		assert_int_equal(number, i);
		key = counted_key("den", number);
		put_text(t->store, &key, "x");
	}
	assert_int_equal(annex_delete_some(t->store, &prefix, 100), 5);
	commit(t->store);
	storetest_reopen(t);
	assert_int_equal(annex_sequence_last(t->store, &prefix, &number), ANNEX_OK);
	assert_int_equal(number, 5);
	assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
	assert_int_equal(number, 6);
	key = counted_key("den", 100);
	put_text(t->store, &key, "x");
	assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
	assert_int_equal(number, 101);
	assert_int_equal(annex_sequence_forget(t->store, &prefix), ANNEX_OK);
	annex_delete(t->store, &key);
	assert_int_equal(annex_sequence_last(t->store, &prefix, &number), ANNEX_OK);
	assert_int_equal(number, 0);
	assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
	assert_int_equal(number, 1);
	key = counted_key("den", UINT64_MAX);
	put_text(t->store, &key, "x");
	assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_ELIMIT);
}

static void
the_number_of_a_deleted_row_is_not_given_to_another_beside_those_that_stay(void **state)
{
	struct storetest *t = *state;
	struct annex_key prefix = annex_key(COUNTED), key;
	uint64_t number;

	annex_key_text(&prefix, "den");
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
		key = counted_key("den", number);
		put_text(t->store, &key, "x");
	}
	assert_int_equal(annex_delete(t->store, &key), ANNEX_OK);
	commit(t->store);
	assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
	assert_int_equal(number, 4);
}

/* A row under the next number: what is asked of LMDB for each. */
static void
the_counts_of_a_group_are_read_and_written_once_in_a_row(void **state)
{
	struct storetest *t = *state;
	struct annex_key prefix = annex_key(COUNTED), key;
	uint64_t number, rows;

	annex_key_text(&prefix, "den");
	for (unsigned i = 1; i <= 3; i++) {
		unsigned long calls;

		assert_int_equal(store_use(t->store), ANNEX_OK);
		calls = t->fault.calls;
		assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
		key = counted_key("den", number);
		put_text(t->store, &key, "x");
		assert_int_equal(annex_rows(t->store, &prefix, &rows), ANNEX_OK);
		assert_int_equal(rows, i);
		commit(t->store);
		/* The counts; the row; the counts again; the commit.  At first as well whether the row
		 * of before is there, and how much room there is. */
		assert_int_equal(t->fault.calls - calls, i == 1 ? 6 : 4);
	}
	storetest_reopen(t);
	assert_int_equal(annex_rows(t->store, &prefix, &rows), ANNEX_OK);
	assert_int_equal(rows, 3);
}

static void
delete_some_stops_at_its_bound_and_at_the_prefix(void **state)
{
	struct storetest *t = *state;
	struct annex_key prefix = annex_key(COUNTED), key;
	uint64_t rows;

	for (unsigned i = 0; i < 30; i++) {
		key = counted_key(i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c", i);
		put_text(t->store, &key, "x");
	}
	annex_key_text(&prefix, "b");
	assert_int_equal(annex_delete_some(t->store, &prefix, 7), 7);
	assert_int_equal(annex_delete_some(t->store, &prefix, 7), 3);
	assert_int_equal(annex_delete_some(t->store, &prefix, 7), 0);
	prefix = annex_key(COUNTED);
	assert_int_equal(annex_rows(t->store, &prefix, &rows), ANNEX_OK);
	assert_int_equal(rows, 20);
}

static void
rows_are_counted_up_to_a_bound_and_within_the_prefix(void **state)
{
	struct storetest *t = *state;
	struct annex_key prefix = annex_key(BY_TEXT), key;
	static const char *const names[] = { "a", "ab", "b" };

	assert_int_equal(annex_rows_upto(t->store, &prefix, 10), 0);
	for (size_t i = 0; i < 3; i++) {
		key = text_key(names[i]);
		put_text(t->store, &key, "x");
	}
	assert_int_equal(annex_rows_upto(t->store, &prefix, 10), 3);
	assert_int_equal(annex_rows_upto(t->store, &prefix, 3), 3);
	assert_int_equal(annex_rows_upto(t->store, &prefix, 2), 2);
	assert_int_equal(annex_rows_upto(t->store, &prefix, 0), 0);
	key = text_key("a");
	assert_int_equal(annex_rows_upto(t->store, &key, 10), 1);
}

/* The model. */

#define GROUPS 3
#define MODEL_MAX 4000

struct model {
	uint64_t number[GROUPS][MODEL_MAX];
	unsigned version[GROUPS][MODEL_MAX];
	size_t count[GROUPS];
};

static const char *const group_names[GROUPS] = { "a", "ab", "b" };

static uint32_t
draw(struct random *random, uint32_t bound)
{
	return random_below(random, bound);
}

/* Numbers that crowd in places and lie apart in others. */
static uint64_t
draw_number(struct random *random)
{
	switch (draw(random, 5)) {
	case 0:
		return draw(random, 300);
	case 1:
		return 65536 - 300 + draw(random, 600);
	case 2:
		return ((uint64_t)1 << (8 * draw(random, 8))) + draw(random, 4) - 2;
	case 3:
		return UINT64_MAX - draw(random, 600);
	default:
		return (uint64_t)draw(random, 1u << 20) << draw(random, 44);
	}
}

static size_t
model_find(const struct model *m, unsigned group, uint64_t number)
{
	size_t low = 0, high = m->count[group];

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (m->number[group][middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
model_has(const struct model *m, unsigned group, size_t at, uint64_t number)
{
	return at < m->count[group] && m->number[group][at] == number;
}

static void
model_put(struct model *m, unsigned group, uint64_t number, unsigned version)
{
	size_t at = model_find(m, group, number), tail = m->count[group] - at;

	if (!model_has(m, group, at, number)) {
		memmove(&m->number[group][at + 1], &m->number[group][at], tail * sizeof(uint64_t));
		memmove(
		    &m->version[group][at + 1], &m->version[group][at], tail * sizeof(unsigned));
		m->count[group]++;
	}
	m->number[group][at] = number;
	m->version[group][at] = version;
}

static void
model_delete(struct model *m, unsigned group, uint64_t number)
{
	size_t at = model_find(m, group, number), tail;

	if (!model_has(m, group, at, number))
		return;
	tail = --m->count[group] - at;
	memmove(&m->number[group][at], &m->number[group][at + 1], tail * sizeof(uint64_t));
	memmove(&m->version[group][at], &m->version[group][at + 1], tail * sizeof(unsigned));
}

static void
model_compare_walk(
    struct annex_store *store, const struct model *m, unsigned group, uint64_t from, bool backwards)
{
	struct annex_key prefix = annex_key(COUNTED), key = counted_key(group_names[group], from);
	struct annex_iter it;
	size_t at = model_find(m, group, from);
	Test__Record *record;
	long left, steps = 0;

	annex_key_text(&prefix, group_names[group]);
	it = annex_iter_from(&prefix, &key);
	it.backwards = backwards;
	if (backwards && !model_has(m, group, at, from))
		at--;
	left = backwards ? (long)at + 1 : (long)(m->count[group] - at);
	while (steps < 60 && annex_next(store, &it) == ANNEX_AGAIN) {
		assert_true(steps < left);
		record = (Test__Record *)it.record;
		assert_true(annex_key_number(&it.key, 1) == m->number[group][at]);
		assert_int_equal(record->number, m->version[group][at]);
		backwards ? at-- : at++;
		steps++;
	}
	assert_true(steps == left || steps == 60);
}

static void
model_compare_counts(
    struct annex_store *store, const struct model *m, unsigned group, struct random *random)
{
	struct annex_key prefix = annex_key(COUNTED), key;
	struct annex_iter it;
	uint64_t rows, number = draw_number(random), index, weight, weighs = 0;

	annex_key_text(&prefix, group_names[group]);
	assert_int_equal(annex_rows(store, &prefix, &rows), ANNEX_OK);
	assert_int_equal(rows, m->count[group]);
	for (size_t i = 0; i < m->count[group]; i++)
		weighs += m->version[group][i];
	assert_int_equal(annex_weight(store, &prefix, &weight), ANNEX_OK);
	assert_int_equal(weight, weighs);
	key = counted_key(group_names[group], number);
	assert_int_equal(annex_row_index(store, &key, &index), ANNEX_OK);
	assert_int_equal(index, model_find(m, group, number));
	index = draw(random, (uint32_t)m->count[group] + 2);
	assert_int_equal(annex_seek(store, &prefix, index, &it), ANNEX_OK);
	if (index >= m->count[group]) {
		assert_int_equal(annex_next(store, &it), ANNEX_OK);
		return;
	}
	assert_int_equal(annex_next(store, &it), ANNEX_AGAIN);
	assert_true(annex_key_number(&it.key, 1) == m->number[group][index]);
}

static void
model_step(struct storetest *t, struct model *m, struct random *random, unsigned step)
{
	unsigned group = draw(random, GROUPS);
	uint64_t number = draw_number(random);
	struct annex_key key = counted_key(group_names[group], number);
	Test__Record record = TEST__RECORD__INIT;
	bool deleting = draw(random, 100) < (step / 3000 % 2 == 0 ? 30 : 70);

	if (deleting && m->count[group] > 0 && draw(random, 2) == 0) {
		number = m->number[group][draw(random, (uint32_t)m->count[group])];
		key = counted_key(group_names[group], number);
	}
	if (deleting) {
		assert_int_equal(annex_delete(t->store, &key), ANNEX_OK);
		model_delete(m, group, number);
		return;
	}
	record.has_number = true;
	record.number = step;
	assert_int_equal(annex_put(t->store, &key, &record.base), ANNEX_OK);
	model_put(m, group, number, step);
}

static void
model_run(struct storetest *t, uint64_t seed, unsigned steps)
{
	struct model *now = calloc(1, sizeof(*now)), *committed = calloc(1, sizeof(*committed));
	struct random random;

	random_init_seeded(&random, seed);
	for (unsigned step = 1; step <= steps; step++) {
		model_step(t, now, &random, step);
		if (step % 50 == 0) {
			unsigned group = draw(&random, GROUPS);

			model_compare_counts(t->store, now, group, &random);
			model_compare_walk(
			    t->store, now, group, draw_number(&random), draw(&random, 2) == 0);
		}
		switch (draw(&random, 200)) {
		case 0:
			store_abort(t->store);
			*now = *committed;
			break;
		case 1:
			storetest_reopen(t);
			*now = *committed;
			break;
		case 2:
		case 3:
		case 4:
		case 5:
			commit(t->store);
			*committed = *now;
			break;
		}
	}
	free(now);
	free(committed);
}

static void
the_store_does_what_a_sorted_array_does(void **state)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct storetest t;

		storetest_init(&t);
		assert_int_equal(storetest_open(&t), ANNEX_OK);
		model_run(&t, seed, 9000);
		storetest_finish(&t);
	}
}

static void
emptied_counts_leave_no_rows_behind(void **state)
{
	struct storetest *t = *state;
	struct annex_key prefix = annex_key(COUNTED), key;
	struct store_stat before, after;
	struct random random;

	assert_int_equal(store_stat(t->store, false, t->pool, &before), ANNEX_OK);
	random_init_seeded(&random, 9);
	annex_key_text(&prefix, "den");
	for (unsigned i = 0; i < 1000; i++) {
		key = counted_key("den", draw_number(&random));
		put_text(t->store, &key, "x");
	}
	commit(t->store);
	while (annex_delete_some(t->store, &prefix, 100) > 0)
		commit(t->store);
	commit(t->store);
	assert_int_equal(store_stat(t->store, true, t->pool, &after), ANNEX_OK);
	assert_int_equal(after.rows, before.rows);
	assert_int_equal(after.table_count, 5);
	assert_int_equal(after.table[2].rows, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, storetest_setup, storetest_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_record_comes_back_as_it_was),
		TEST(an_aborted_turn_leaves_nothing),
		TEST(a_turn_that_wrote_nothing_is_not_committed),
		TEST(a_record_above_the_limit_is_refused_and_the_turn_goes_on),
		TEST(a_prefix_finds_whole_parts_only),
		TEST(rows_may_be_deleted_and_put_while_walking),
		TEST(two_walks_do_not_disturb_each_other),
		TEST(a_walk_starts_where_it_is_told),
		TEST(a_sequence_is_never_given_out_twice),
		TEST(the_number_of_a_deleted_row_is_not_given_to_another_beside_those_that_stay),
		TEST(the_counts_of_a_group_are_read_and_written_once_in_a_row),
		TEST(delete_some_stops_at_its_bound_and_at_the_prefix),
		TEST(rows_are_counted_up_to_a_bound_and_within_the_prefix),
		TEST(emptied_counts_leave_no_rows_behind),
		cmocka_unit_test(the_store_does_what_a_sorted_array_does),
	};
	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
