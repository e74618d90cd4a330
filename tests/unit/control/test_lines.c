/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_lines.c - lines out of a stream of bytes, however it was cut
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "control/lines.h"

static void
expect_line(struct lines *lines, const char *want)
{
	char *line;
	size_t len;

	assert_true(lines_next(lines, &line, &len));
	assert_int_equal(len, strlen(want));
	assert_string_equal(line, want);
}

static void
expect_no_line(struct lines *lines)
{
	char *line;
	size_t len;

	assert_false(lines_next(lines, &line, &len));
}

static void
test_lines_come_out_however_the_bytes_were_cut(void **state)
{
	static const char text[] = "one\ntwo\r\n\n\r\nthree\nrest";

	for (size_t chunk = 1; chunk < sizeof(text); chunk++) {
		struct lines lines = { 0 };
		struct buf got = { 0 };
		char *line;
		size_t len;

		for (size_t at = 0; at < sizeof(text) - 1; at += chunk) {
			size_t left = sizeof(text) - 1 - at;

			lines_feed(&lines, text + at, left < chunk ? left : chunk);
			while (lines_next(&lines, &line, &len)) {
				assert_int_equal(strlen(line), len);
				buf_puts(&got, line);
				buf_putc(&got, '|');
			}
		}
		assert_string_equal(buf_text(&got), "one|two|three|");
		assert_int_equal(lines_waiting(&lines), 4);
		assert_false(lines_is_overlong(&lines));
		buf_finish(&got);
		lines_finish(&lines);
	}
}

static void
test_a_line_of_the_limit_passes_and_one_byte_more_does_not(void **state)
{
	struct lines lines = { 0 };
	char *text = mem_alloc(LINES_MAX + 2), *line;
	size_t len;

	memset(text, 'x', LINES_MAX + 1);
	text[LINES_MAX] = '\n';
	lines_feed(&lines, text, LINES_MAX + 1);
	assert_true(lines_next(&lines, &line, &len));
	assert_int_equal(len, LINES_MAX);
	assert_false(lines_is_overlong(&lines));

	text[LINES_MAX] = 'x';
	text[LINES_MAX + 1] = '\n';
	lines_feed(&lines, text, LINES_MAX + 2);
	expect_no_line(&lines);
	assert_true(lines_is_overlong(&lines));
	lines_finish(&lines);
	free(text);
}

static void
test_an_unfinished_line_beyond_the_limit_is_overlong(void **state)
{
	struct lines lines = { 0 };
	char chunk[4096];

	memset(chunk, 'x', sizeof(chunk));
	for (size_t fed = 0; fed <= LINES_MAX; fed += sizeof(chunk)) {
		assert_false(lines_is_overlong(&lines));
		lines_feed(&lines, chunk, sizeof(chunk));
		expect_no_line(&lines);
	}
	assert_true(lines_is_overlong(&lines));
	lines_finish(&lines);
}

static void
test_the_memory_of_a_long_line_is_given_back(void **state)
{
	struct lines lines = { 0 };
	char *text = mem_alloc(LINES_MAX), *line;
	size_t len;

	memset(text, 'x', LINES_MAX - 1);
	text[LINES_MAX - 1] = '\n';
	lines_feed(&lines, text, LINES_MAX);
	assert_true(lines_next(&lines, &line, &len));
	lines_feed(&lines, "next\n", 5);
	expect_line(&lines, "next");
	assert_true(lines.bytes.room < LINES_MAX / 2);
	lines_finish(&lines);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_come_out_however_the_bytes_were_cut),
		cmocka_unit_test(test_a_line_of_the_limit_passes_and_one_byte_more_does_not),
		cmocka_unit_test(test_an_unfinished_line_beyond_the_limit_is_overlong),
		cmocka_unit_test(test_the_memory_of_a_long_line_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
