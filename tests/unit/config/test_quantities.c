/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_quantities.c - numbers, times and sizes as people write them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/quantities.h"

struct row {
	const char *text;
	int status;
	int64_t value;
};

static void
check_rows(const struct row *rows, size_t n, int (*read)(const char *text, int64_t *value_r))
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = -77;

		if (read(rows[i].text, &value) != rows[i].status ||
		    (rows[i].status == ANNEX_OK && value != rows[i].value))
			fail_msg("\"%s\" gave %lld", rows[i].text, (long long)value);
	}
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void
test_integers_are_decimal_and_whole(void **state)
{
	static const struct row rows[] = {
		{ "0", ANNEX_OK, 0 },
		{ "007", ANNEX_OK, 7 },
		{ "-12", ANNEX_OK, -12 },
		{ "9223372036854775807", ANNEX_OK, INT64_MAX },
		{ "-9223372036854775808", ANNEX_OK, INT64_MIN },
		{ "9223372036854775808", ANNEX_ELIMIT, 0 },
		{ "-9223372036854775809", ANNEX_ELIMIT, 0 },
		{ "99999999999999999999999", ANNEX_ELIMIT, 0 },
		{ "", ANNEX_EINVAL, 0 },
		{ "-", ANNEX_EINVAL, 0 },
		{ "+1", ANNEX_EINVAL, 0 },
		{ " 1", ANNEX_EINVAL, 0 },
		{ "1 ", ANNEX_EINVAL, 0 },
		{ "1.5", ANNEX_EINVAL, 0 },
		{ "0x10", ANNEX_EINVAL, 0 },
		{ "99999999999999999999999x", ANNEX_EINVAL, 0 },
		{ "ten", ANNEX_EINVAL, 0 },
	};

	check_rows(rows, COUNT(rows), quantity_read_int);
}

static void
test_times_have_units(void **state)
{
	static const struct row rows[] = {
		{ "500ms", ANNEX_OK, 500 },
		{ "30s", ANNEX_OK, 30000 },
		{ "5m", ANNEX_OK, 300000 },
		{ "12h", ANNEX_OK, 43200000 },
		{ "7d", ANNEX_OK, 604800000 },
		{ "4w", ANNEX_OK, 2419200000 },
		{ "0", ANNEX_OK, 0 },
		{ "0s", ANNEX_OK, 0 },
		{ "-1s", ANNEX_OK, -1000 },
		{ "30", ANNEX_EINVAL, 0 },
		{ "s", ANNEX_EINVAL, 0 },
		{ "5M", ANNEX_EINVAL, 0 },
		{ "5 m", ANNEX_EINVAL, 0 },
		{ "1h30m", ANNEX_EINVAL, 0 },
		{ "5-3s", ANNEX_EINVAL, 0 },
		{ "3y", ANNEX_EINVAL, 0 },
		{ "9223372036854775807w", ANNEX_ELIMIT, 0 },
		{ "99999999999999999999s", ANNEX_ELIMIT, 0 },
	};

	check_rows(rows, COUNT(rows), quantity_read_time);
}

static void
test_sizes_are_powers_of_1024(void **state)
{
	static const struct row rows[] = {
		{ "4096", ANNEX_OK, 4096 },
		{ "64K", ANNEX_OK, 65536 },
		{ "64k", ANNEX_OK, 65536 },
		{ "64KB", ANNEX_OK, 65536 },
		{ "64KiB", ANNEX_OK, 65536 },
		{ "10B", ANNEX_OK, 10 },
		{ "256M", ANNEX_OK, 268435456 },
		{ "2G", ANNEX_OK, INT64_C(2147483648) },
		{ "1T", ANNEX_OK, INT64_C(1099511627776) },
		{ "", ANNEX_EINVAL, 0 },
		{ "K", ANNEX_EINVAL, 0 },
		{ "5iB", ANNEX_EINVAL, 0 },
		{ "5Q", ANNEX_EINVAL, 0 },
		{ "1.5G", ANNEX_EINVAL, 0 },
		{ "9223372036854775807K", ANNEX_ELIMIT, 0 },
	};

	check_rows(rows, COUNT(rows), quantity_read_size);
}

static void
test_truths_are_words(void **state)
{
	bool value = false;

	assert_int_equal(quantity_read_bool("yes", &value), 0);
	assert_true(value);
	assert_int_equal(quantity_read_bool("Off", &value), 0);
	assert_false(value);
	assert_int_equal(quantity_read_bool("TRUE", &value), 0);
	assert_true(value);
	assert_int_equal(quantity_read_bool("y", &value), ANNEX_EINVAL);
	assert_int_equal(quantity_read_bool("1", &value), ANNEX_EINVAL);
	assert_int_equal(quantity_read_bool("", &value), ANNEX_EINVAL);
}

static void
test_what_is_written_reads_back(void **state)
{
	static const int64_t values[] = { 0, 1, 999, 1000, 1024, 1025, 60000, 90000, 3600000,
		86400000, 604800000, 1048576, INT64_C(1) << 40, -5, -60000, INT64_MAX, INT64_MIN };
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	int64_t value;

	for (size_t i = 0; i < COUNT(values); i++) {
		assert_int_equal(
		    quantity_read_time(quantity_write_time(pool, values[i]), &value), 0);
		assert_true(value == values[i]);
		assert_int_equal(
		    quantity_read_size(quantity_write_size(pool, values[i]), &value), 0);
		assert_true(value == values[i]);
	}
	assert_string_equal(quantity_write_time(pool, 90000), "90s");
	assert_string_equal(quantity_write_time(pool, 1500), "1500ms");
	assert_string_equal(quantity_write_time(pool, 1209600000), "2w");
	assert_string_equal(quantity_write_size(pool, 65536), "64K");
	assert_string_equal(quantity_write_size(pool, 1000), "1000");
	annex_pool_destroy(&pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_are_decimal_and_whole),
		cmocka_unit_test(test_times_have_units),
		cmocka_unit_test(test_sizes_are_powers_of_1024),
		cmocka_unit_test(test_truths_are_words),
		cmocka_unit_test(test_what_is_written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
