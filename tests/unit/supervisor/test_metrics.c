/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_metrics.c - the pages of all workers as Prometheus text
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "supervisor/metrics.h"

struct bench {
	struct page *page[3];
	struct metrics_source source[3];
	struct buf out;
};

static int
setup(void **state)
{
	static const char *const domains[] = { "a.test", "b.test", "c.test" };
	struct bench *b = mem_zalloc(sizeof(*b));

	*state = b;
	for (size_t i = 0; i < 3; i++) {
		b->page[i] = mem_zalloc(sizeof(struct page));
		b->source[i] = (struct metrics_source) {
			.domain = domains[i],
			.page = b->page[i],
			.up = true,
			.heartbeat_age_s = 0.5,
		};
	}
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < 3; i++)
		free(b->page[i]);
	buf_finish(&b->out);
	free(b);
	return 0;
}

static struct counter_slot *
count(struct bench *b, size_t i, const char *name, int64_t value)
{
	struct counter_slot *slot =
	    counters_get(&b->page[i]->counters, COUNTER_COUNT, name, "Helps.");

	slot->value = value;
	return slot;
}

static const char *
render(struct bench *b)
{
	buf_clear(&b->out);
	metrics_render(&b->out, "1.2.3", b->source, 3);
	return buf_text(&b->out);
}

static size_t
times(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part)) != NULL) {
		n++;
		text += strlen(part);
	}
	return n;
}

/* Exposition format 0.0.4: a sample's line is NAME{LABELS} NUMBER. */
static void
assert_well_formed(const char *text)
{
	const char *end;

	for (; *text != '\0'; text = end + 1) {
		char name[80];
		double value;

		end = strchr(text, '\n');
		assert_non_null(end);
		if (text[0] == '#')
			continue;
		assert_int_equal(sscanf(text, "annex_%79[a-z0-9_]{%*[^}]} %lf", name, &value), 2);
	}
}

static void
test_samples_of_one_name_stand_together(void **state)
{
	struct bench *b = *state;
	const char *text;

	count(b, 0, "stanzas_in_total", 1);
	count(b, 1, "other_total", 9);
	count(b, 1, "stanzas_in_total", 2);
	count(b, 2, "stanzas_in_total", 3);
	text = render(b);
	assert_non_null(strstr(text,
	    "# HELP annex_stanzas_in_total Helps.\n"
	    "# TYPE annex_stanzas_in_total counter\n"
	    "annex_stanzas_in_total{domain=\"a.test\"} 1\n"
	    "annex_stanzas_in_total{domain=\"b.test\"} 2\n"
	    "annex_stanzas_in_total{domain=\"c.test\"} 3\n"));
	assert_int_equal(times(text, "# TYPE annex_stanzas_in_total"), 1);
	assert_int_equal(times(text, "annex_other_total{"), 1);
	assert_well_formed(text);
}

static void
test_a_histogram_is_cumulative_and_in_seconds(void **state)
{
	struct bench *b = *state;
	struct counters *c = &b->page[1]->counters;
	struct counter_slot *slot =
	    counters_get(c, COUNTER_HISTOGRAM, "commit_seconds", "Commits.");
	const char *text;

	counters_observe_us(c, slot, 10);
	counters_observe_us(c, slot, 20);
	counters_observe_us(c, slot, 100000000);
	text = render(b);
	assert_non_null(strstr(text, "# TYPE annex_commit_seconds histogram\n"));
	assert_non_null(
	    strstr(text, "annex_commit_seconds_bucket{domain=\"b.test\",le=\"0.000016\"} 1\n"));
	assert_non_null(
	    strstr(text, "annex_commit_seconds_bucket{domain=\"b.test\",le=\"0.000032\"} 2\n"));
	assert_non_null(
	    strstr(text, "annex_commit_seconds_bucket{domain=\"b.test\",le=\"2.097152\"} 2\n"));
	assert_non_null(
	    strstr(text, "annex_commit_seconds_bucket{domain=\"b.test\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(text, "annex_commit_seconds_sum{domain=\"b.test\"} 100.000030\n"));
	assert_non_null(strstr(text, "annex_commit_seconds_count{domain=\"b.test\"} 3\n"));
	assert_well_formed(text);
}

static void
test_workers_that_are_down_are_told_as_down(void **state)
{
	struct bench *b = *state;
	const char *text;

	b->source[1] = (struct metrics_source) {
		.domain = "b.test",
		.restarts = 4,
		.crashes = 3,
		.quarantined = 2,
		.heartbeat_age_s = -1,
	};
	text = render(b);
	assert_non_null(strstr(text, "annex_worker_up{domain=\"a.test\"} 1\n"));
	assert_non_null(strstr(text, "annex_worker_up{domain=\"b.test\"} 0\n"));
	assert_non_null(strstr(text, "annex_worker_restarts_total{domain=\"b.test\"} 4\n"));
	assert_non_null(strstr(text, "annex_worker_crashes_total{domain=\"b.test\"} 3\n"));
	assert_non_null(strstr(text, "annex_worker_quarantined_stanzas{domain=\"b.test\"} 2\n"));
	assert_non_null(
	    strstr(text, "annex_worker_heartbeat_age_seconds{domain=\"a.test\"} 0.5\n"));
	assert_null(strstr(text, "annex_worker_heartbeat_age_seconds{domain=\"b.test\"}"));
	assert_non_null(strstr(text, "annex_build_info{version=\"1.2.3\"} 1\n"));
	assert_well_formed(text);
}

static void
test_labels_and_helps_are_escaped(void **state)
{
	struct bench *b = *state;
	const char *text;

	b->source[0].domain = "a\"b\\c\nd";
	strcpy(count(b, 0, "x_total", 1)->help, "back\\slash\nline");
	text = render(b);
	assert_non_null(strstr(text, "annex_x_total{domain=\"a\\\"b\\\\c\\nd\"} 1\n"));
	assert_non_null(strstr(text, "# HELP annex_x_total back\\\\slash\\nline\n"));
}

static void
test_a_worker_cannot_pose_as_annexd_or_change_a_type(void **state)
{
	struct bench *b = *state;
	const char *text;

	count(b, 0, "worker_up", 77);
	count(b, 0, "x_total", 1);
	counters_get(&b->page[1]->counters, COUNTER_GAUGE, "x_total", "X.")->value = 2;
	text = render(b);
	assert_null(strstr(text, " 77\n"));
	assert_int_equal(times(text, "# TYPE annex_x_total"), 1);
	assert_null(strstr(text, "annex_x_total{domain=\"b.test\"}"));
}

static void
test_a_page_gone_mad_does_no_harm(void **state)
{
	struct bench *b = *state;
	struct counters *c = &b->page[0]->counters;
	struct random random;
	const char *text;

	count(b, 1, "good_total", 5);
	random_init_seeded(&random, 3);
	for (int round = 0; round < 50; round++) {
		random.fill(&random, c, sizeof(*c));
		if (round % 2 == 0) {
			memcpy(c->slot[0].name, "wild_seconds", 13);
			c->slot[0].type = COUNTER_HISTOGRAM;
			memset(c->slot[1].name, 'x', sizeof(c->slot[1].name));
			c->slot[1].type = COUNTER_COUNT;
		}
		text = render(b);
		assert_non_null(strstr(text, "annex_good_total{domain=\"b.test\"} 5\n"));
		assert_null(strstr(text, "xxxxxxxx"));
		assert_well_formed(text);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_samples_of_one_name_stand_together),
		CASE(test_a_histogram_is_cumulative_and_in_seconds),
		CASE(test_workers_that_are_down_are_told_as_down),
		CASE(test_labels_and_helps_are_escaped),
		CASE(test_a_worker_cannot_pose_as_annexd_or_change_a_type),
		CASE(test_a_page_gone_mad_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
