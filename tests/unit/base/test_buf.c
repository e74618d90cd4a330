/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_buf.c - a growing run of bytes with a sticky error
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"

static void
a_zeroed_buffer_is_empty_text(void **state)
{
	struct buf b = { 0 };

	assert_string_equal(buf_text(&b), "");
	buf_append(&b, "", 0);
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(b.len, 0);
	buf_finish(&b);
	assert_null(b.data);
	buf_finish(&b);
}

static void
what_is_appended_stands_in_order_and_ends_with_a_nul(void **state)
{
	struct buf b = { 0 };
	char want[40000];
	size_t n = 0;

	for (int i = 0; i < 3000; i++) {
		n += (size_t)sprintf(want + n, "%d,", i);
		if (i % 2 == 0) {
			buf_printf(&b, "%d", i);
			buf_putc(&b, ',');
		} else {
			char text[16];

			sprintf(text, "%d,", i);
			buf_puts(&b, text);
		}
		assert_int_equal(b.data[b.len], '\0');
		assert_true(b.len < b.room);
	}
	assert_int_equal(b.len, n);
	assert_string_equal(buf_text(&b), want);
	assert_int_equal(b.error, ANNEX_OK);
	buf_finish(&b);
}

static void
the_limit_is_reached_and_not_passed(void **state)
{
	for (size_t max = 1; max < 200; max++) {
		struct buf b = { .max = max };

		for (size_t i = 0; i < max; i++)
			buf_putc(&b, 'x');
		assert_int_equal(b.error, ANNEX_OK);
		assert_int_equal(b.len, max);
		assert_true(b.room <= max + 1);
		buf_putc(&b, 'x');
		assert_int_equal(b.error, ANNEX_ELIMIT);
		assert_int_equal(b.len, max);
		buf_finish(&b);
	}
}

static void
after_an_error_nothing_more_is_appended(void **state)
{
	struct buf b = { .max = 100 };

	buf_puts(&b, "begin");
	buf_append(&b, "", 0);
	buf_reserve(&b, 1000);
	assert_int_equal(b.error, ANNEX_ELIMIT);
	buf_putc(&b, 'x');
	buf_printf(&b, "%s", "y");
	buf_puts(&b, "zzz");
	assert_string_equal(buf_text(&b), "begin");
	assert_int_equal(b.error, ANNEX_ELIMIT);

	buf_clear(&b);
	assert_int_equal(b.error, ANNEX_OK);
	buf_puts(&b, "a new start, longer than what there was");
	assert_string_equal(buf_text(&b), "a new start, longer than what there was");
	assert_int_equal(b.error, ANNEX_OK);
	buf_finish(&b);
	assert_int_equal(b.max, 100);
}

static void
printing_across_the_limit_leaves_what_was_there(void **state)
{
	struct buf b = { .max = 10 };

	buf_puts(&b, "12345");
	buf_printf(&b, "%s", "678901");
	assert_int_equal(b.error, ANNEX_ELIMIT);
	assert_string_equal(buf_text(&b), "12345");
	buf_finish(&b);
	buf_printf(&b, "%s", "1234567890");
	assert_int_equal(b.error, ANNEX_OK);
	assert_string_equal(buf_text(&b), "1234567890");
	buf_finish(&b);
}

static void
an_impossible_size_is_an_error_not_an_overflow(void **state)
{
	struct buf b = { 0 };

	buf_puts(&b, "x");
	buf_reserve(&b, SIZE_MAX - 1);
	assert_int_equal(b.error, ANNEX_ELIMIT);
	assert_string_equal(buf_text(&b), "x");
	buf_finish(&b);
}

static void
reserved_room_takes_appends_without_moving(void **state)
{
	struct buf b = { 0 };
	char *data;

	buf_reserve(&b, 5000);
	data = b.data;
	for (int i = 0; i < 5000; i++)
		buf_putc(&b, 'x');
	assert_ptr_equal(b.data, data);
	buf_finish(&b);
}

static void
consuming_drops_the_front(void **state)
{
	struct buf b = { 0 };

	buf_consume(&b, 0);
	buf_puts(&b, "one two");
	buf_consume(&b, 4);
	assert_string_equal(buf_text(&b), "two");
	buf_consume(&b, 3);
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(b.len, 0);
	buf_finish(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zeroed_buffer_is_empty_text),
		cmocka_unit_test(what_is_appended_stands_in_order_and_ends_with_a_nul),
		cmocka_unit_test(the_limit_is_reached_and_not_passed),
		cmocka_unit_test(after_an_error_nothing_more_is_appended),
		cmocka_unit_test(printing_across_the_limit_leaves_what_was_there),
		cmocka_unit_test(an_impossible_size_is_an_error_not_an_overflow),
		cmocka_unit_test(reserved_room_takes_appends_without_moving),
		cmocka_unit_test(consuming_drops_the_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
