/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_datetime.c - dates on the wire (XEP-0082)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include <annex/datetime.h>
#include <annex/pool.h>

#include "tree.h"
#include "xmpp/calendar.h"

static const struct {
	const char *text;
	int64_t wall_ms;
	const char *canonical; /* NULL: as text */
} moments[] = {
	{ "1970-01-01T00:00:00Z", 0, NULL },
	{ "1969-12-31T23:59:59.999Z", -1, NULL },
	{ "1969-07-21T02:56:15Z", -14159025000, NULL },
	{ "1969-07-20T21:56:15-05:00", -14159025000, "1969-07-21T02:56:15Z" },
	{ "2000-02-29T12:00:00Z", 951825600000, NULL },
	{ "2026-11-21T09:30:00.123Z", 1795253400123, NULL },
	{ "2026-11-21T09:30:00.1Z", 1795253400100, "2026-11-21T09:30:00.100Z" },
	{ "2026-11-21T09:30:00.1239999999999999999999999Z", 1795253400123,
	    "2026-11-21T09:30:00.123Z" },
	{ "2026-11-21T09:30:00.000Z", 1795253400000, "2026-11-21T09:30:00Z" },
	{ "2026-11-21T15:15:00+05:45", 1795253400000, "2026-11-21T09:30:00Z" },
	{ "2026-11-21T09:30:00-00:00", 1795253400000, "2026-11-21T09:30:00Z" },
	{ "2026-11-21T23:30:00+14:00", 1795253400000, "2026-11-21T09:30:00Z" },
	{ "0001-01-01T00:00:00Z", -62135596800000, NULL },
	{ "9999-12-31T23:59:59.999Z", 253402300799999, NULL },
	{ "2016-12-31T23:59:60Z", 1483228799999, "2016-12-31T23:59:59.999Z" },
	{ "2016-12-31T23:59:60.5Z", 1483228799999, "2016-12-31T23:59:59.999Z" },
	{ "2016-12-31T15:59:60-08:00", 1483228799999, "2016-12-31T23:59:59.999Z" },
	{ "2017-01-01T05:29:60+05:30", 1483228799999, "2016-12-31T23:59:59.999Z" },
};

static void
test_moments_are_read(void **state)
{
	int64_t wall_ms;

	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		assert_int_equal(annex_datetime_read(moments[i].text, &wall_ms), ANNEX_OK);
		if (wall_ms != moments[i].wall_ms)
			fail_msg("%s: %lld", moments[i].text, (long long)wall_ms);
	}
}

static void
test_moments_are_written_in_utc(void **state)
{
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++)
		assert_string_equal(annex_datetime(*state, moments[i].wall_ms),
		    moments[i].canonical == NULL ? moments[i].text : moments[i].canonical);
}

static void
test_moments_outside_the_years_are_held_at_the_ends(void **state)
{
	assert_string_equal(annex_datetime(*state, INT64_MIN), "0001-01-01T00:00:00Z");
	assert_string_equal(annex_datetime(*state, INT64_MAX), "9999-12-31T23:59:59.999Z");
}

static void
test_nonsense_is_refused(void **state)
{
	static const char *const texts[] = { "", "now", "2026", "2026-11-21", "2026-11-21T09:30:00",
		"2026-11-21 09:30:00Z", "2026-11-21t09:30:00z", "20261121T09:30:00Z",
		"2026-11-21T09:30Z", "2026-11-21T09:30:00.Z", "2026-11-21T09:30:00,5Z",
		"2026-11-21T09:30:00ZZ", "2026-11-21T09:30:00Z ", " 2026-11-21T09:30:00Z",
		"2026-00-21T09:30:00Z", "2026-13-21T09:30:00Z", "2026-11-00T09:30:00Z",
		"2026-11-31T09:30:00Z", "2026-02-29T09:30:00Z", "1900-02-29T09:30:00Z",
		"2000-02-30T09:30:00Z", "2026-11-21T24:00:00Z", "2026-11-21T09:60:00Z",
		"2026-11-21T09:30:61Z", "2026-11-21T09:30:60Z", "2016-12-31T23:59:60+01:00",
		"2026-11-21T09:30:00+0100", "2026-11-21T09:30:00+1:00", "2026-11-21T09:30:00+01",
		"2026-11-21T09:30:00+01:60", "2026-11-21T09:30:00+14:01",
		"2026-11-21T09:30:00+99:00", "2026-11-21T09:30:00+01:00Z", "2026-11-21T09:30:00UTC",
		"0000-01-01T00:00:00Z", "-2026-11-21T09:30:00Z", "12026-11-21T09:30:00Z",
		"+026-11-21T09:30:00Z", "2026-+1-21T09:30:00Z", "2026-11- 1T09:30:00Z",
		"0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
		"2026-11-21T09:30:00\342\210\22201:00" };
	int64_t wall_ms;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (annex_datetime_read(texts[i], &wall_ms) != ANNEX_EINVAL)
			fail_msg("%s", texts[i]);
}

/* libc's calendar, from the first day to the last, in steps that meet every day of a month. */
static void
test_the_calendar_is_that_of_libc(void **state)
{
	for (int64_t s = -62135596800; s <= 253402300799; s += 5 * 86400 - 1) {
		time_t t = (time_t)s;
		struct tm tm;
		char text[80];
		int64_t wall_ms;

		assert_non_null(gmtime_r(&t, &tm));
		snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		assert_string_equal(annex_datetime(*state, s * 1000), text);
		assert_int_equal(annex_datetime_read(text, &wall_ms), ANNEX_OK);
		assert_true(wall_ms == s * 1000);
		annex_pool_reset(*state);
	}
}

static void
test_dates_and_times_alone(void **state)
{
	assert_true(calendar_is_date("1776-07-04"));
	assert_false(calendar_is_date("1776-07-04Z"));
	assert_false(calendar_is_date("1776-7-4"));
	assert_false(calendar_is_date("1776-02-30"));
	assert_true(calendar_is_time("16:00:00"));
	assert_true(calendar_is_time("16:00:00.25Z"));
	assert_true(calendar_is_time("16:00:00-07:00"));
	assert_false(calendar_is_time("16:00"));
	assert_false(calendar_is_time("16:00:00 "));
	assert_false(calendar_is_time("24:00:00"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments_are_read),
		cmocka_unit_test(test_moments_are_written_in_utc),
		cmocka_unit_test(test_moments_outside_the_years_are_held_at_the_ends),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_the_calendar_is_that_of_libc),
		cmocka_unit_test(test_dates_and_times_alone),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
