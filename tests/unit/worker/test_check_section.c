/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_check_section.c - a good configuration is a section for each component, with hashes
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/io.h"
#include "checked.h"

static void
test_a_good_file_gives_sections_and_no_word(void **state)
{
	struct fixture *f = *state;
	char *save = NULL, *line;
	json_t *json, *section;

	check_text(f,
	    TOP "metrics: localhost:9100\nlog-level: debug\n"
		"contacts: ['mailto:me@example.org']\n" SERVER "    software: prosody\n"
		"components:\n"
		"  Rooms.Example.ORG:\n"
		"    module: muc\n"
		"    secret-file: good.secret\n"
		"    admins: [Admin@Example.ORG/x]\n"
		"    max-stanza-size: 64k\n"
		"    muc:\n"
		"      max-occupants: 500\n"
		"      idle: 120s\n"
		"      owner: Me@Example.org/Home\n"
		"      words: [a, b c]\n"
		"  echo.example.org:\n"
		"    module: modules/echo.so\n"
		"    log-level: error\n"
		"    contacts: https://example.org/help\n"
		"    secret: tooth brush\n");
	assert_string_equal(f->err, "");
	assert_int_equal(f->status, 0);

	line = strtok_r(f->out, "\n", &save);
	json = json_loads(line, 0, NULL);
	section = json_object_get(json, "global");
	assert_string_equal(json_string_value(json_object_get(section, "state-dir")), "state");
	assert_string_equal(json_string_value(json_object_get(section, "run-dir")), "run");
	assert_string_equal(
	    json_string_value(json_object_get(section, "metrics")), "127.0.0.1:9100");
	assert_string_equal(json_string_value(json_object_get(section, "log-level")), "debug");
	json_decref(json);

	line = strtok_r(NULL, "\n", &save);
	json = json_loads(line, 0, NULL);
	assert_string_equal(
	    json_string_value(json_object_get(json, "domain")), "rooms.example.org");
	assert_int_equal(strlen(json_string_value(json_object_get(json, "hash"))), 64);
	assert_int_equal(strlen(json_string_value(json_object_get(json, "boot-hash"))), 64);
	section = json_object_get(json, "section");
	json_object_del(section, "module-stamp");
	line = json_dumps(section, JSON_COMPACT);
	assert_string_equal(line,
	    "{\"domain\":\"rooms.example.org\",\"module\":\"muc\",\"module-path\":\"modules/muc.so\","
	    "\"state-dir\":\"state/rooms.example.org\",\"run-dir\":\"run\",\"server\":\"main\","
	    "\"log-level\":\"debug\",\"admins\":[\"admin@example.org\"],"
	    "\"local-domains\":[\"example.org\"],\"contacts\":[\"mailto:me@example.org\"],"
	    "\"store-quota\":0,\"rates\":{\"per-jid\":[100,500],\"per-domain\":[1000,5000]},"
	    "\"presence\":{\"pace\":200,\"interval\":5000,\"ask-ttl\":1209600000,"
	    "\"tombstone\":7776000000},"
	    "\"stream\":{\"hosts\":[{\"name\":\"127.0.0.1\",\"port\":5347}],"
	    "\"secret\":\"correct horse\",\"tls\":false,\"tls-name\":null,\"tls-ca-file\":null,"
	    "\"tls-ca-stamp\":null,\"tls-pin\":null,\"max-stanza-size\":65536,\"max-queue\":67108864,"
	    "\"keepalive\":60000},"
	    "\"options\":{\"max-occupants\":\"500\",\"idle\":\"2m\","
	    "\"owner\":\"me@example.org/Home\",\"title\":\"\",\"words\":\"a \\\"b c\\\"\"}}");
	free(line);
	json_decref(json);

	line = strtok_r(NULL, "\n", &save);
	json = json_loads(line, 0, NULL);
	section = json_object_get(json, "section");
	assert_string_equal(json_string_value(json_object_get(section, "log-level")), "error");
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(section, "contacts"), 0)),
	    "https://example.org/help");
	assert_int_equal(json_object_size(json_object_get(section, "options")), 0);
	json_decref(json);

	assert_string_equal(strtok_r(NULL, "\n", &save), "{\"ok\":true}");
	assert_null(strtok_r(NULL, "\n", &save));
}

static void
test_servers_take_every_kind_of_address(void **state)
{
	struct fixture *f = *state;
	char pin[200] = "AB";
	const char *hosts;

	for (int i = 1; i < 32; i++)
		strcat(pin, ":cD");
	check_text(f,
	    annex_sprintf(f->pool,
		TOP
		"servers:\n  main:\n"
		"    host: [xmpp.example.org, 192.0.2.1:5275, '[2001:db8::1]', '[::1]:99', "
		"2001:db8::2, unix:xmpp.sock, 'unix:/run/xmpp.sock']\n"
		"    port: 8888\n    tls: direct\n    tls-name: xmpp.example.org\n"
		"    tls-ca-file: good.secret\n    tls-pin: %s\n    local-domains: example.org\n"
		"    software: other\ncomponents:\n" MUC,
		pin));
	assert_string_equal(f->err, "");
	hosts = strstr(f->out, "\"hosts\":");
	assert_non_null(hosts);
	assert_memory_equal(hosts,
	    "\"hosts\":[{\"name\":\"xmpp.example.org\",\"port\":8888},"
	    "{\"name\":\"192.0.2.1\",\"port\":5275},{\"name\":\"2001:db8::1\",\"port\":8888},"
	    "{\"name\":\"::1\",\"port\":99},{\"name\":\"2001:db8::2\",\"port\":8888},"
	    "{\"path\":\"xmpp.sock\"},{\"path\":\"/run/xmpp.sock\"}],",
	    200);
	assert_non_null(strstr(f->out,
	    "\"tls\":true,\"tls-name\":\"xmpp.example.org\","
	    "\"tls-ca-file\":\"good.secret\",\"tls-ca-stamp\":\""));
	assert_non_null(strstr(f->out, "\"tls-pin\":\"abcdcdcd"));
}

/* Line n of what was printed, by one of its members. */
static const char *
member(struct fixture *f, int n, const char *name)
{
	char *copy = annex_strdup(f->pool, f->out), *save = NULL,
	     *line = strtok_r(copy, "\n", &save);
	const char *text;
	json_t *json;

	while (n-- > 0)
		line = strtok_r(NULL, "\n", &save);
	json = json_loads(line, 0, NULL);
	text = annex_strdup(f->pool, json_string_value(json_object_get(json, name)));
	json_decref(json);
	return text;
}

static void
test_hashes_change_with_what_they_are_over(void **state)
{
	struct fixture *f = *state;
	const char *hash, *boot, *other;

	check_text(f, HEAD MUC "  e.example.org: {module: echo, secret: correct horse}\n");
	hash = member(f, 1, "hash");
	boot = member(f, 1, "boot-hash");
	other = member(f, 2, "hash");
	assert_string_not_equal(hash, other);

	/* Another spelling of the same is the same. */
	check_text(f,
	    "# a comment\n" HEAD MUC "    muc: {max-occupants: 200, idle: 300s}\n"
	    "    server: main\n    e: 1\n");
	check_text(f,
	    "# a comment\n" HEAD MUC "    muc: {max-occupants: 200, idle: 300s}\n"
	    "    server: main\n  e.example.org: {module: echo, secret: 'correct horse'}\n");
	assert_string_equal(member(f, 1, "hash"), hash);
	assert_string_equal(member(f, 2, "hash"), other);

	/* An option changes the hash of its own section alone, and no process. */
	check_text(f,
	    HEAD MUC "    muc: {max-occupants: 201}\n"
		     "  e.example.org: {module: echo, secret: correct horse}\n");
	assert_string_not_equal(member(f, 1, "hash"), hash);
	assert_string_equal(member(f, 1, "boot-hash"), boot);
	assert_string_equal(member(f, 2, "hash"), other);

	/* A new module file needs a new process. */
	put(f, "modules/muc.so", "new", 0600);
	check_text(f, HEAD MUC "  e.example.org: {module: echo, secret: correct horse}\n");
	assert_string_not_equal(member(f, 1, "hash"), hash);
	assert_string_not_equal(member(f, 1, "boot-hash"), boot);
	assert_string_equal(member(f, 2, "hash"), other);
}

static void
test_one_component_alone_is_judged_alone(void **state)
{
	struct fixture *f = *state;

	f->env.only = "rooms.example.org";
	check_text(f, HEAD MUC "  e.example.org: {module: nothing, secret-file: nowhere}\n");
	assert_string_equal(f->err, "");
	assert_string_equal(member(f, 1, "domain"), "rooms.example.org");
	assert_non_null(strstr(f->out, "}\n{\"ok\":true}\n"));
	f->env.only = "romms.example.org";
	check_text(f, HEAD MUC);
	assert_string_equal(f->err,
	    "a.yaml:7:1: there is no component \"romms.example.org\" here; did "
	    "you mean \"rooms.example.org\"?\n");
}

/* The text with every a as b. */
static const char *
replaced(struct fixture *f, const char *text, const char *a, const char *b)
{
	const char *at = strstr(text, a);

	if (at == NULL)
		return text;
	return annex_sprintf(
	    f->pool, "%.*s%s%s", (int)(at - text), text, b, replaced(f, at + strlen(a), a, b));
}

/* With its comments, and with what they propose. */
static void
test_the_example_has_no_mistake(void **state)
{
	struct fixture *f = *state;
	const char *srcdir = getenv("srcdir"), *text;
	struct buf file = { 0 };

	assert_int_equal(io_read_file(annex_sprintf(f->pool, "%s/contrib/annex.yaml",
					  srcdir != NULL ? srcdir : SRCDIR),
			     65536, &file),
	    0);
	text = replaced(f, buf_text(&file), "/var/lib/annex", "state");
	text = replaced(f, text, "/run/annex", "run");
	text = replaced(f, text, "/etc/annex/echo.secret", "good.secret");
	check_text(f, text);
	assert_string_equal(f->err, "");
	assert_int_equal(f->status, 0);

	text = replaced(f, text, "#secret:", "# secret:");
	text = replaced(f, text, "/usr/local/lib/annex", "modules");
	text = replaced(f, text, "/etc/annex/ca.pem", "good.secret");
	for (const char *const *c = (const char *const[]) { "metrics", "log", "contacts",
		 "module-dirs", "tls", "server", "rate", "burst", "max", "store", "echo", NULL };
	     *c != NULL; c++)
		text = replaced(f, text, annex_sprintf(f->pool, "#%s", *c), *c);
	check_text(f, text);
	assert_string_equal(f->err, "");
	assert_int_equal(f->status, 0);
	assert_non_null(strstr(f->out, "\"store-quota\":10737418240"));
	buf_finish(&file);
}

static void
test_modules_are_listed_with_their_options(void **state)
{
	struct fixture *f = *state;
	const char *start;
	size_t len;
	FILE *out;

	put(f, "modules/README", "", 0600);
	unlink(in_dir(f, "modules/needy.so"));
	out = open_memstream(&f->out, &len);
	assert_int_equal(check_modules_in(&f->env, out, true), 1);
	fclose(out);
	without_dir(f, f->out);
	assert_non_null(strstr(f->out,
	    "muc          1.2.3    rooms\n"
	    "    max-occupants: a whole number from 1 to 10000; 200 if left "
	    "out\n        Most occupants.\n"));
	assert_non_null(
	    strstr(f->out, "old          ?        modules/old.so: built for ABI 9.0, "));
	assert_null(strstr(f->out, "README"));
	start = f->out;
	assert_memory_equal(start, "echo ", 5);
	free(f->out);

	unlink(in_dir(f, "modules/old.so"));
	out = open_memstream(&f->out, &len);
	assert_int_equal(check_modules_in(&f->env, out, false), 0);
	fclose(out);
	assert_null(strstr(f->out, "max-occupants"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_good_file_gives_sections_and_no_word),
		TEST(test_servers_take_every_kind_of_address),
		TEST(test_hashes_change_with_what_they_are_over),
		TEST(test_one_component_alone_is_judged_alone),
		TEST(test_the_example_has_no_mistake),
		TEST(test_modules_are_listed_with_their_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
