/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_check.c - the configuration, as a check reads it for us
 */
#include "bench.h"

struct outcome {
	bool done;
	struct configuration *configuration;
	struct buf sentences;
};

static void
checked(void *cookie, struct configuration *configuration, const struct buf *sentences)
{
	struct outcome *o = cookie;

	o->done = true;
	o->configuration = configuration;
	buf_append(&o->sentences, buf_text(sentences), sentences->len);
}

static void
run_check(struct bench *b, struct outcome *o)
{
	*o = (struct outcome) { .done = false };
	check_start(b->setup.reactor, b->setup.timers, b->setup.program, b->file, checked, o);
	AWAIT(b, o->done);
}

static void
outcome_finish(struct outcome *o)
{
	configuration_free(&o->configuration);
	buf_finish(&o->sentences);
}

static void
test_a_configuration_is_its_sections_in_order(void **state)
{
	struct bench *b = *state;
	const struct check_section *s;
	struct outcome o;

	bench_configure(b,
	    joined(b, section(b, "a.test", "h1", "b1", "serve", ""),
		section(b, "b.test", "h2", "b2", "mute", "")));
	run_check(b, &o);
	assert_non_null(o.configuration);
	assert_int_equal(o.configuration->count, 2);
	assert_string_equal(o.configuration->run_dir, b->dir);
	assert_null(o.configuration->metrics);
	assert_string_equal(o.configuration->log_level, "debug");
	assert_string_equal(o.configuration->first->domain, "a.test");
	s = configuration_find(o.configuration, "b.test");
	assert_non_null(s);
	assert_string_equal(s->hash, "h2");
	assert_string_equal(s->boot_hash, "b2");
	assert_string_equal(json_string_value(json_object_get(s->section, "do")), "mute");
	assert_null(configuration_find(o.configuration, "c.test"));
	outcome_finish(&o);
}

static void
test_what_is_not_believed_is_a_failed_check(void **state)
{
	static const char global[] = "{\"global\": {\"run-dir\": \"/r\"}}\n";
	static const struct {
		const char *output, *sentence;
	} cases[] = {
		{ "", "it ended without a result" },
		{ "{\"global\": {\"run-dir\": \"/r\"}}\n", "it ended without a result" },
		{ "{\"ok\": true}\n", "it ended without a result" },
		{ "nonsense\n{\"ok\": true}\n", "a line is no JSON object" },
		{ "{\"global\": {}}\n{\"ok\": true}\n", "it told no run-dir" },
		{ "G{\"domain\": \"a\", \"hash\": \"1\"}\n{\"ok\": true}\n",
		    "a section is not whole" },
		{ "G{\"domain\": 7, \"hash\": \"1\", \"boot-hash\": \"1\", \"section\": {}}\n",
		    "a section is not whole" },
		{ "G{\"domain\": \"a\", \"hash\": \"1\", \"boot-hash\": \"1\", \"section\": {}}\n"
		  "{\"domain\": \"a\", \"hash\": \"1\", \"boot-hash\": \"1\", \"section\": {}}\n",
		    "it told a domain twice" },
		{ "G{\"ok\": true}\ndie 9\n", "exit status 9" },
		{ "! annex.yaml:1:1: a mistake\nG{\"ok\": true}\n", "annex.yaml:1:1: a mistake" },
	};
	struct bench *b = *state;
	struct outcome o;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *g = strchr(cases[i].output, 'G');

		bench_write(b,
		    g == NULL ? cases[i].output
			      : annex_sprintf(b->pool, "%.*s%s%s", (int)(g - cases[i].output),
				    cases[i].output, global, g + 1));
		run_check(b, &o);
		assert_null(o.configuration);
		if (strstr(buf_text(&o.sentences), cases[i].sentence) == NULL)
			fail_msg("%zu said %s", i, buf_text(&o.sentences));
		outcome_finish(&o);
	}
}

static void
test_a_check_has_thirty_seconds(void **state)
{
	struct bench *b = *state;
	struct outcome o = { .done = false };

	bench_write(b, "hang\n");
	check_start(b->setup.reactor, b->setup.timers, b->setup.program, b->file, checked, &o);
	bench_pass(b, 29);
	assert_false(o.done);
	bench_pass(b, 1);
	AWAIT(b, o.done);
	assert_null(o.configuration);
	assert_non_null(strstr(buf_text(&o.sentences), "it took more than 30 seconds"));
	outcome_finish(&o);
}

static void
test_a_cancelled_check_says_nothing(void **state)
{
	struct bench *b = *state;
	struct outcome o = { .done = false };
	struct check *check;

	bench_write(b, "hang\n");
	check =
	    check_start(b->setup.reactor, b->setup.timers, b->setup.program, b->file, checked, &o);
	loop_run_once(b->loop, 0);
	check_cancel(&check);
	assert_null(check);
	bench_pass(b, 40);
	assert_false(o.done);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_configuration_is_its_sections_in_order),
		CASE(test_what_is_not_believed_is_a_failed_check),
		CASE(test_a_check_has_thirty_seconds),
		CASE(test_a_cancelled_check_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
