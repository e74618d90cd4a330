/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_spool.c - records in a row, in as few allocations as possible
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "stream/spool.h"

static void
records_come_out_as_they_went_in(void **state)
{
	struct spool_record record;
	struct spool spool;
	size_t held = 0;

	spool_init(&spool, &held, false);
	assert_false(spool_first(&spool, &record));
	spool_append(&spool, 3, 77, "one", 3);
	spool_append(&spool, 5, 78, "", 0);
	assert_true(spool_first(&spool, &record));
	assert_int_equal(record.class, 3);
	assert_int_equal(record.when_s, 77);
	assert_int_equal(record.len, 3);
	assert_memory_equal(record.bytes, "one", 3);
	spool_drop_first(&spool);
	assert_true(spool_first(&spool, &record));
	assert_int_equal(record.len, 0);
	assert_int_equal(record.class, 5);
	spool_drop_first(&spool);
	assert_false(spool_first(&spool, &record));
	assert_int_equal(spool.unwritten, 0);
	assert_int_equal(held, 0);
	spool_append(&spool, 1, 0, "three", 5);
	assert_true(held > 0);
	spool_finish(&spool);
	assert_int_equal(held, 0);
}

static void
small_records_lie_together_and_leave_in_one_piece(void **state)
{
	const char *bytes;
	struct spool_record record;
	struct spool spool;
	size_t held = 0;

	spool_init(&spool, &held, false);
	spool_append(&spool, 0, 0, "one", 3);
	spool_append(&spool, 0, 0, "two", 3);
	assert_int_equal(spool_front(&spool, &bytes), 6);
	assert_memory_equal(bytes, "onetwo", 6);
	spool_written(&spool, 4);
	assert_true(spool_pass(&spool, &record));
	assert_memory_equal(record.bytes, "one", 3);
	spool_drop_first(&spool);
	assert_false(spool_pass(&spool, &record));
	assert_true(spool_is_midway(&spool));
	assert_int_equal(spool_front(&spool, &bytes), 2);
	assert_memory_equal(bytes, "wo", 2);
	/* Read again from the first that is not whole. */
	assert_true(spool_first(&spool, &record));
	assert_memory_equal(record.bytes, "two", 3);
	assert_int_equal(spool.unwritten, 2);
	spool_finish(&spool);
}

static void
a_hundred_thousand_small_records_cost_little_more_than_their_bytes(void **state)
{
	struct spool_record record;
	struct spool spool;
	size_t held = 0, n = 100000;
	char bytes[240];

	memset(bytes, 'x', sizeof(bytes));
	spool_init(&spool, &held, true);
	for (size_t i = 0; i < n; i++)
		spool_append(&spool, 1, 0, bytes, sizeof(bytes));
	assert_true(held < n * (sizeof(bytes) + 8) + n * 2 + 65536);
	for (size_t i = 0; i < n; i++) {
		assert_true(spool_first(&spool, &record));
		spool_drop_first(&spool);
	}
	spool_finish(&spool);
	assert_int_equal(held, 0);
}

static void
a_thrifty_spool_of_one_small_record_is_small(void **state)
{
	struct spool spool;
	size_t held = 0;

	spool_init(&spool, &held, true);
	spool_append(&spool, 1, 0, "<presence/>", 11);
	assert_true(held <= 1024);
	spool_finish(&spool);
}

static void
a_record_larger_than_a_chunk_fits_behind_a_kept_empty_one(void **state)
{
	struct spool_record record;
	struct spool spool;
	size_t held = 0, len = 300000;
	char *big = mem_zalloc(len);

	spool_init(&spool, &held, false);
	spool_append(&spool, 1, 0, "small", 5);
	spool_drop_first(&spool);
	memset(big, 'b', len);
	spool_append(&spool, 2, 0, big, len);
	spool_append(&spool, 1, 0, "small", 5);
	assert_true(spool_first(&spool, &record));
	assert_int_equal(record.len, len);
	assert_memory_equal(record.bytes, big, len);
	spool_drop_first(&spool);
	assert_true(spool_first(&spool, &record));
	assert_memory_equal(record.bytes, "small", 5);
	spool_drop_first(&spool);
	assert_int_equal(spool.records, 0);
	spool_finish(&spool);
	assert_int_equal(held, 0);
	free(big);
}

/* Some records of one length in a row, which go on counting where in stands; how many bytes. */
static size_t
append_row(struct spool *spool, size_t in)
{
	size_t len = (size_t)(rand() % 500), n = (size_t)(rand() % 50);
	struct spool_row row;
	struct spool_mark *mark;
	char *here;

	spool_row_begin(&row, spool, (unsigned)len % 8, (uint32_t)len);
	here = row.at;
	mark = row.mark;
	for (size_t i = 0; i < n; i++) {
		char *at = spool_row_place(&row, &here, &mark, len);

		for (size_t j = 0; j < len; j++)
			at[j] = (char)(in + i * len + j);
	}
	row.at = here;
	row.mark = mark;
	spool_row_end(&row);
	return n * len;
}

/* Against a model: random appends, rows, writes and drops. */
static void
whatever_is_done_to_it_the_bytes_are_the_same(void **state)
{
	struct spool_record record;
	struct spool spool;
	size_t held = 0, in = 0, out = 0;
	char bytes[500];

	srand(7);
	spool_init(&spool, &held, false);
	for (int i = 0; i < 200000; i++) {
		if (rand() % 2 == 0) {
			size_t len = (size_t)(rand() % (int)sizeof(bytes));

			for (size_t j = 0; j < len; j++)
				bytes[j] = (char)(in + j);
			spool_append(&spool, (unsigned)len % 8, (uint32_t)len, bytes, len);
			in += len;
		} else if (rand() % 30 == 0) {
			in += append_row(&spool, in);
		} else if (rand() % 3 != 0) {
			const char *front;
			size_t n = spool_front(&spool, &front);

			spool_written(&spool, n > 0 ? (size_t)rand() % (n + 1) : 0);
		}
		while (spool_pass(&spool, &record)) {
			assert_int_equal(record.class, record.len % 8);
			assert_int_equal(record.when_s, record.len);
			for (size_t j = 0; j < record.len; j++)
				assert_int_equal(record.bytes[j], (char)(out + j));
			out += record.len;
			spool_drop_first(&spool);
		}
	}
	assert_true(out > 1000000);
	spool_finish(&spool);
	assert_int_equal(held, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_out_as_they_went_in),
		cmocka_unit_test(small_records_lie_together_and_leave_in_one_piece),
		cmocka_unit_test(
		    a_hundred_thousand_small_records_cost_little_more_than_their_bytes),
		cmocka_unit_test(a_thrifty_spool_of_one_small_record_is_small),
		cmocka_unit_test(a_record_larger_than_a_chunk_fits_behind_a_kept_empty_one),
		cmocka_unit_test(whatever_is_done_to_it_the_bytes_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
