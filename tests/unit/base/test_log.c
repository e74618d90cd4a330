/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_log.c - one line per event, whatever the values hold
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

struct heard {
	struct clock clock;
	struct log *log;
	char line[8192];
	enum annex_log_level level;
	int lines;
};

static void
hear(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
	struct heard *h = cookie;

	assert_true(len > 0 && len < sizeof(h->line) && line[len - 1] == '\n');
	assert_null(memchr(line, '\n', len - 1));
	memcpy(h->line, line, len - 1);
	h->line[len - 1] = '\0';
	h->level = level;
	h->lines++;
	errno = EDOM; /* a sink may do what it likes to it */
}

static int
setup(void **state)
{
	static const struct heard empty;
	struct heard *h = test_malloc(sizeof(*h));

	*h = empty;
	h->log = log_create("rooms.example.org", &h->clock, hear, h);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct heard *h = *state;

	log_destroy(&h->log);
	assert_null(h->log);
	log_destroy(&h->log);
	test_free(h);
	return 0;
}

static void
a_line_is_a_priority_and_pairs(void **state)
{
	struct heard *h = *state;

	log_write(h->log, ANNEX_LOG_WARNING, "link lost (%s)", "closed by peer");
	assert_string_equal(
	    h->line, "<4>level=warning from=rooms.example.org msg=\"link lost (closed by peer)\"");
	assert_int_equal(h->level, ANNEX_LOG_WARNING);
}

static void
every_level_has_its_priority_and_name(void **state)
{
	static const struct {
		enum annex_log_level level;
		const char *start;
	} levels[] = {
		{ ANNEX_LOG_BUG, "<2>level=bug " },
		{ ANNEX_LOG_ERROR, "<3>level=error " },
		{ ANNEX_LOG_WARNING, "<4>level=warning " },
		{ ANNEX_LOG_NOTICE, "<5>level=notice " },
		{ ANNEX_LOG_INFO, "<6>level=info " },
		{ ANNEX_LOG_REMOTE, "<6>level=info " },
		{ ANNEX_LOG_DEBUG, "<7>level=debug " },
	};
	struct heard *h = *state;

	log_set_level(h->log, ANNEX_LOG_DEBUG);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		log_write(h->log, levels[i].level, "x");
		assert_memory_equal(h->line, levels[i].start, strlen(levels[i].start));
	}
	assert_int_equal(log_complaints(h->log), 3);
}

static void
what_is_below_the_level_is_not_written(void **state)
{
	struct heard *h = *state;

	assert_int_equal(log_level(h->log), ANNEX_LOG_INFO);
	log_write(h->log, ANNEX_LOG_DEBUG, "x");
	assert_int_equal(h->lines, 0);
	log_set_level(h->log, ANNEX_LOG_WARNING);
	log_write(h->log, ANNEX_LOG_INFO, "x");
	log_write(h->log, ANNEX_LOG_REMOTE, "x");
	assert_int_equal(h->lines, 0);
	log_write(h->log, ANNEX_LOG_ERROR, "x");
	assert_int_equal(h->lines, 1);
}

static void
values_cannot_break_out(void **state)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{ "plain", "plain" }, { "a\"b", "a\\\"b" }, { "a\\b", "a\\\\b" },
		{ "a\nlevel=bug", "a\\x0alevel=bug" },
		{ "\x1b[31m\r\t\x7f", "\\x1b[31m\\x0d\\x09\\x7f" },
		{ "caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80" },
		{ "\xff\xc3(", "\\xff\\xc3(" }, { "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xc2\x9b"
		  "31m",
		    "\\xc2\\x9b"
		    "31m" }, /* C1: one-byte ESC [ */
		{ "\xe2\x80\xae"
		  "evil",
		    "\\xe2\\x80\\xae"
		    "evil" },                          /* right-to-left override */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" }, /* line separator */
	};
	struct heard *h = *state;
	char want[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		log_write(h->log, ANNEX_LOG_INFO, "%s", cases[i].value);
		snprintf(want, sizeof(want), "<6>level=info from=rooms.example.org msg=\"%s\"",
		    cases[i].want);
		assert_string_equal(h->line, want);
	}
}

static void
a_long_line_is_cut_between_characters_and_closed(void **state)
{
	struct heard *h = *state;
	char text[6000];

	for (size_t shift = 0; shift < 8; shift++) {
		memset(text, 'x', sizeof(text));
		for (size_t i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x98\x80", 4);
		text[sizeof(text) - 1] = '\0';
		log_write(h->log, ANNEX_LOG_INFO, "%s", text);
		assert_in_range(strlen(h->line), 2030, 2047);
		assert_true(utf8_is_valid(h->line, strlen(h->line)));
		assert_string_equal(h->line + strlen(h->line) - 4, "\xe2\x80\xa6\"");
	}
	/* Escapes grow; none of them may be cut in two either. */
	for (size_t n = 1; n < 3000; n += 7) {
		memset(text, '\x01', n);
		text[n] = '\0';
		log_write(h->log, ANNEX_LOG_INFO, "%s", text);
		assert_true(strlen(h->line) < 2048);
		assert_int_equal(h->line[strlen(h->line) - 1], '"');
	}
}

static void
a_message_that_just_fits_is_not_cut(void **state)
{
	struct heard *h = *state;
	char text[2100];

	for (size_t n = 1900; n < 2100; n++) {
		size_t frame = strlen("<6>level=info from=rooms.example.org msg=\"\"");

		memset(text, 'x', n);
		text[n] = '\0';
		log_write(h->log, ANNEX_LOG_INFO, "%s", text);
		assert_true(strlen(h->line) <= 2047);
		if (strstr(h->line, "\xe2\x80\xa6") == NULL)
			assert_int_equal(strlen(h->line), frame + n);
		else
			assert_true(frame + n > 2047 - 4);
	}
}

static void
pairs_follow_the_message(void **state)
{
	struct heard *h = *state;
	const char *const pairs[] = { "why", "closed by peer", "host", "::1", "none", NULL, "empty",
		"", "odd", "a=b", NULL };

	log_pairs(h->log, ANNEX_LOG_NOTICE, pairs, "link lost");
	assert_string_equal(h->line,
	    "<5>level=notice from=rooms.example.org msg=\"link lost\""
	    " why=\"closed by peer\" host=::1 empty=\"\" odd=\"a=b\"");
}

static void
a_hostile_name_of_the_instance_is_escaped_too(void **state)
{
	struct heard *h = *state;
	struct log *log = log_create("a b\n", &h->clock, hear, h);

	log_write(log, ANNEX_LOG_INFO, "x");
	assert_string_equal(h->line, "<6>level=info from=\"a b\\x0a\" msg=\"x\"");
	log_destroy(&log);
	log = log_create(NULL, &h->clock, hear, h);
	log_write(log, ANNEX_LOG_INFO, "x");
	assert_string_equal(h->line, "<6>level=info msg=\"x\"");
	log_destroy(&log);
}

static void
what_a_remote_repeats_is_limited_and_counted(void **state)
{
	struct heard *h = *state;

	h->clock.mono_us = 1000000;
	for (int i = 0; i < 105; i++)
		log_write(h->log, ANNEX_LOG_REMOTE, "join to %d refused", i);
	assert_int_equal(h->lines, 5);

	/* Another event has a budget of its own, and our own news has no limit. */
	log_write(h->log, ANNEX_LOG_REMOTE, "other");
	assert_int_equal(h->lines, 6);
	for (int i = 0; i < 50; i++)
		log_write(h->log, ANNEX_LOG_INFO, "join to %d refused", i);
	assert_int_equal(h->lines, 56);

	h->clock.mono_us += 9999000;
	log_write(h->log, ANNEX_LOG_REMOTE, "join to %d refused", 1);
	assert_int_equal(h->lines, 56);
	h->clock.mono_us += 1000;
	log_write(h->log, ANNEX_LOG_REMOTE, "join to %d refused", 2);
	assert_int_equal(h->lines, 57);
	assert_string_equal(h->line,
	    "<6>level=info from=rooms.example.org left-out=101 "
	    "msg=\"join to 2 refused\"");
	h->clock.mono_us += 10000000;
	log_write(h->log, ANNEX_LOG_REMOTE, "join to %d refused", 3);
	assert_string_equal(
	    h->line, "<6>level=info from=rooms.example.org msg=\"join to 3 refused\"");
}

static void
errno_survives_and_can_be_said(void **state)
{
	struct heard *h = *state;

	errno = ENOENT;
	log_write(h->log, ANNEX_LOG_ERROR, "cannot open: %m");
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(h->line, "cannot open: No such file or directory"));
	log_write(h->log, ANNEX_LOG_REMOTE, "%m");
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(h->line, "No such file or directory"));
}

static void
without_a_sink_lines_go_to_standard_error(void **state)
{
	struct heard *h = *state;
	struct log *log = log_create("den", &h->clock, NULL, NULL);
	char said[128];
	int fd[2], old = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(fd), 0);
	dup2(fd[1], STDERR_FILENO);
	log_write(log, ANNEX_LOG_INFO, "here");
	dup2(old, STDERR_FILENO);
	close(old);
	close(fd[1]);
	n = read(fd[0], said, sizeof(said) - 1);
	close(fd[0]);
	assert_true(n > 0);
	said[n] = '\0';
	assert_string_equal(said, "<6>level=info from=den msg=\"here\"\n");
	log_destroy(&log);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_line_is_a_priority_and_pairs),
		T(every_level_has_its_priority_and_name),
		T(what_is_below_the_level_is_not_written),
		T(values_cannot_break_out),
		T(a_long_line_is_cut_between_characters_and_closed),
		T(a_message_that_just_fits_is_not_cut),
		T(pairs_follow_the_message),
		T(a_hostile_name_of_the_instance_is_escaped_too),
		T(what_a_remote_repeats_is_limited_and_counted),
		T(errno_survives_and_can_be_said),
		T(without_a_sink_lines_go_to_standard_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
