/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_section.c - what a worker is told about itself, read back
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/section.h"

struct settings {
	int64_t max_occupants;
	const char *owner, *title;
	struct annex_strings words;
};

static const struct annex_option options[] = {
	ANNEX_OPTION(struct settings, max_occupants, 1, 10000, "200", "Most occupants."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID, struct settings, owner, 0, 0, "", "Who owns all."),
	ANNEX_OPTION(struct settings, title, 1, 20, NULL, "A title."),
	ANNEX_OPTION(struct settings, words, 0, 0, "x y", "Words."),
	{ 0 },
};

static const char good[] =
    "{\"domain\":\"rooms.example.org\",\"module\":\"muc\",\"module-path\":\"/m/muc.so\","
    "\"module-stamp\":\"1\",\"state-dir\":\"/s/rooms.example.org\",\"run-dir\":\"/r\","
    "\"server\":\"main\",\"log-level\":\"info\",\"admins\":[\"a@b\",\"c@d\"],"
    "\"local-domains\":[],\"contacts\":[\"mailto:a@b\"],\"store-quota\":1048576,"
    "\"rates\":{\"per-jid\":[100,500],\"per-domain\":[1000,5000]},"
    "\"presence\":{\"pace\":200,\"interval\":5000,\"ask-ttl\":7,\"tombstone\":8},\"stream\":{\"hosts\":["
    "{\"name\":\"::1\",\"port\":5347},{\"path\":\"/x.sock\"}],\"secret\":\"s\",\"tls\":true,"
    "\"tls-name\":null,\"tls-ca-file\":\"/ca.pem\",\"tls-ca-stamp\":\"1/2/3\",\"tls-pin\":null,"
    "\"max-stanza-size\":65536,\"max-queue\":4194304,\"keepalive\":30000},"
    "\"options\":{\"max-occupants\":\"500\",\"owner\":\"Me@Example.org\",\"title\":\"T\"}}";

static int
setup(void **state)
{
	*state = annex_pool_create(NULL, "test");
	return 0;
}

static int
teardown(void **state)
{
	struct annex_pool *pool = *state;

	annex_pool_destroy(&pool);
	return 0;
}

static void
test_a_section_reads_as_it_was_written(void **state)
{
	struct annex_pool *pool = *state;
	struct section s;
	const char *why;

	assert_int_equal(section_read(good, strlen(good), pool, &s, &why), 0);
	assert_null(why);
	assert_string_equal(s.domain, "rooms.example.org");
	assert_string_equal(s.module, "muc");
	assert_string_equal(s.module_path, "/m/muc.so");
	assert_string_equal(s.state_dir, "/s/rooms.example.org");
	assert_string_equal(s.run_dir, "/r");
	assert_string_equal(s.server, "main");
	assert_string_equal(s.log_level, "info");
	assert_string_equal(s.admins[1], "c@d");
	assert_null(s.admins[2]);
	assert_null(s.local_domains[0]);
	assert_string_equal(s.contacts[0], "mailto:a@b");
	assert_int_equal(s.store_quota_bytes, 1048576);
	assert_true(s.rate_per_jid == 100 && s.burst_per_jid == 500);
	assert_true(s.rate_per_domain == 1000 && s.burst_per_domain == 5000);
	assert_true(s.presence.pace == 200 && s.presence.interval_ms == 5000);
	assert_true(s.presence.ask_ttl_ms == 7 && s.presence.tombstone_ms == 8);
	assert_string_equal(s.stream.domain, "rooms.example.org");
	assert_string_equal(s.stream.secret, "s");
	assert_int_equal(s.stream.host_count, 2);
	assert_string_equal(s.stream.hosts[0].name, "::1");
	assert_int_equal(s.stream.hosts[0].port, 5347);
	assert_null(s.stream.hosts[0].path);
	assert_null(s.stream.hosts[1].name);
	assert_string_equal(s.stream.hosts[1].path, "/x.sock");
	assert_true(s.stream.tls);
	assert_null(s.stream.tls_name);
	assert_string_equal(s.stream.tls_ca_file, "/ca.pem");
	assert_string_equal(s.stream.tls_ca_stamp, "1/2/3");
	assert_null(s.stream.tls_pin);
	assert_int_equal(s.stream.limits.stanza_bytes, 65536);
	assert_int_equal(s.stream.keepalive_ms, 30000);
	assert_int_not_equal(s.stream.limits.depth, 0);
	assert_int_equal(s.stream.queue_hard_bytes, 4194304);
	assert_int_equal(s.stream.queue_high_bytes, 1048576);
	assert_int_equal(json_object_size(s.options), 3);
}

static void
test_options_come_by_the_module_s_table(void **state)
{
	struct annex_pool *pool = *state;
	struct settings settings;
	struct section s;
	const char *why;

	assert_int_equal(section_read(good, strlen(good), pool, &s, &why), 0);
	assert_int_equal(section_settings(&s, options, &settings, pool, &why), 0);
	assert_int_equal(settings.max_occupants, 500);
	assert_string_equal(settings.owner, "me@example.org");
	assert_string_equal(settings.title, "T");
	assert_int_equal(settings.words.count, 2);
	assert_int_equal(section_settings(&s, NULL, &settings, pool, &why), 0);
}

static void
test_an_option_that_does_not_fit_says_which(void **state)
{
	struct annex_pool *pool = *state;
	struct settings settings;
	struct section s;
	const char *why;

	assert_int_equal(section_read(good, strlen(good), pool, &s, &why), 0);
	json_object_set_new(s.options, "max-occupants", json_string("0"));
	assert_int_equal(section_settings(&s, options, &settings, pool, &why), ANNEX_EINVAL);
	assert_string_equal(
	    why, "max-occupants of module muc must be a whole number from 1 to 10000, not \"0\"");
	json_object_del(s.options, "max-occupants");
	json_object_del(s.options, "title");
	assert_int_equal(section_settings(&s, options, &settings, pool, &why), ANNEX_EINVAL);
	assert_string_equal(why, "title is missing of module muc");
}

/* Each member in turn is left out. */
static void
test_a_section_that_lacks_a_member_says_which(void **state)
{
	static const char *const needed[] = { "domain", "module", "module-path", "state-dir",
		"run-dir", "server", "log-level", "admins", "local-domains", "contacts",
		"store-quota", "options" };
	struct annex_pool *pool = *state;
	struct section s;
	const char *why;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		json_t *json = json_loads(good, 0, NULL);
		char *text;

		json_object_del(json, needed[i]);
		text = json_dumps(json, 0);
		assert_int_equal(section_read(text, strlen(text), pool, &s, &why), ANNEX_EINVAL);
		assert_non_null(strstr(why, annex_sprintf(pool, "\"%s\"", needed[i])));
		free(text);
		json_decref(json);
	}
}

static void
test_what_is_no_section_is_refused(void **state)
{
	struct annex_pool *pool = *state;
	struct section s;
	const char *why;

	assert_int_equal(section_read("{", 1, pool, &s, &why), ANNEX_EINVAL);
	assert_non_null(strstr(why, "the section is not JSON"));
	assert_int_equal(section_read("[]", 2, pool, &s, &why), ANNEX_EINVAL);
	assert_string_equal(why, "the section's \"domain\" is not a text");
	assert_int_equal(section_read("", 0, pool, &s, &why), ANNEX_EINVAL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_section_reads_as_it_was_written),
		TEST(test_options_come_by_the_module_s_table),
		TEST(test_an_option_that_does_not_fit_says_which),
		TEST(test_a_section_that_lacks_a_member_says_which),
		TEST(test_what_is_no_section_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
