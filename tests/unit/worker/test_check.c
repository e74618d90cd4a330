/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_check.c - every mistake of a configuration is one sentence at its place
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "checked.h"

/* What stands below HEAD, and all that is said of it. */
static void
test_every_mistake_of_a_component_is_a_sentence(void **state)
{
	static const char *const rows[][2] = {
		{ MUC "    muc:\n      max-ocupants: 5\n",
		    "a.yaml:12:7: unknown option \"max-ocupants\" of module muc; did you mean "
		    "\"max-occupants\"?\n" },
		{ MUC "    secretfile: x\n",
		    "a.yaml:11:5: unknown option \"secretfile\" of rooms.example.org; did you mean "
		    "\"secret-file\"?\n" },
		{ MUC "    mcu:\n      max-occupants: 5\n",
		    "a.yaml:11:5: unknown option \"mcu\" of rooms.example.org; did you mean "
		    "\"muc\"?\n" },
		{ MUC "    muc:\n      max-occupants: none\n      idle: 2h\n",
		    "a.yaml:12:22: max-occupants of module muc must be a whole number from 1 to "
		    "10000, not \"none\"\n"
		    "a.yaml:13:13: idle of module muc must be a time with its unit (ms, s, m, h, d "
		    "or w) from 0 to 1h, not \"2h\"\n" },
		{ MUC "    muc: [1]\n",
		    "a.yaml:11:10: module muc must be a map of options, not a list\n" },
		{ MUC "    muc:\n      max-occupants: 13\n",
		    "a.yaml:11:5: module muc: max-occupants may be anything, but not 13\n" },
		{ MUC "    secret: correct horse\n",
		    "a.yaml:11:5: \"secret\" stands here a second "
		    "time; the first is in line 10\n" },
		{ MUC "  ROOMS.example.org:\n    module: echo\n    secret: correct horse\n",
		    "a.yaml:11:3: the domain rooms.example.org stands here a second time; the first "
		    "is in line 8\n" },
		{ "  rooms.example.org:\n    module: muc\n",
		    "a.yaml:8:3: rooms.example.org has neither secret nor secret-file\n" },
		{ MUC "    secret-file: good.secret\n",
		    "a.yaml:11:5: rooms.example.org has both secret and secret-file; one of them is "
		    "enough\n" },
		{ "  rooms.example.org:\n    module: muc\n    secret: ''\n",
		    "a.yaml:10:13: rooms.example.org: the secret is empty\n" },
		{ MUC "    server: mian\n",
		    "a.yaml:11:13: rooms.example.org: unknown server "
		    "\"mian\"; did you mean \"main\"?\n" },
		{ "  rooms.example.org:\n    secret: correct horse\n",
		    "a.yaml:8:3: rooms.example.org has no module; it must be a text of 1 to 4095 "
		    "bytes\n" },
		{ "  rooms.example.org:\n    module: mucc\n    secret: correct horse\n    mucc: "
		  "{x: y}\n",
		    "a.yaml:9:13: no module \"mucc\": there is no mucc.so in modules; did you mean "
		    "\"muc\"?\n" },
		{ "  rooms.example.org:\n    module: ./muc2.so\n    secret: correct horse\n",
		    "a.yaml:9:13: muc2.so: No such file or directory\n" },
		{ "  rooms.example.org:\n    module: old\n    secret: correct horse\n",
		    "a.yaml:9:13: modules/old.so: built for ABI 9.0, this Annex has 1.0: build it "
		    "again\n" },
		{ "  rooms.example.org:\n    module: needy\n    secret: correct horse\n",
		    "a.yaml:8:3: module needy has no title; it must be a text of 1 to 20 bytes\n" },
		{ MUC "    admins: [example.org, 'me@example.org', 'a b@example.org']\n",
		    "a.yaml:11:14: admins of rooms.example.org has \"example.org\", which is not a "
		    "JID such as user@example.org\n"
		    "a.yaml:11:45: admins of rooms.example.org has \"a b@example.org\", which is "
		    "not a JID such as user@example.org\n" },
		{ MUC "    contacts: [me@example.org]\n",
		    "a.yaml:11:16: contacts of rooms.example.org has \"me@example.org\", which is "
		    "not a URI; did you mean \"mailto:me@example.org\"?\n" },
		{ MUC "    contacts: [help]\n",
		    "a.yaml:11:16: contacts of rooms.example.org has "
		    "\"help\", which is not a URI\n" },
		{ MUC "    max-stanza-size: 1K\n",
		    "a.yaml:11:22: max-stanza-size of rooms.example.org must be a size in bytes, K, "
		    "M, G or T from 10000 to 16M, not \"1K\"\n" },
		{ MUC "    log-level: verbose\n",
		    "a.yaml:11:16: log-level of rooms.example.org must be error, warning, notice, "
		    "info or debug, not \"verbose\"\n" },
		{ "  'rooms/../..':\n    module: muc\n    secret: correct horse\n",
		    "a.yaml:8:3: \"rooms/../..\" is not a domain\n" },
		{ "  me@example.org:\n    module: muc\n    secret: correct horse\n",
		    "a.yaml:8:3: \"me@example.org\" is not a domain\n" },
		{ "  ..:\n    module: muc\n    secret: correct horse\n",
		    "a.yaml:8:3: \"..\" is not a domain\n" },
		{ "  rooms.example.org: muc\n",
		    "a.yaml:8:22: rooms.example.org must be a map of options, not a text\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *own;
		struct fixture *f;

		setup(&own);
		f = own;
		check_text(f, annex_sprintf(f->pool, "%s%s", HEAD, rows[i][0]));
		assert_string_equal(f->err, rows[i][1]);
		assert_int_equal(f->status, 1);
		assert_string_equal(f->out, "");
		teardown(&own);
	}
}

static void
test_every_mistake_above_is_a_sentence(void **state)
{
	static const char *const rows[][2] = {
		{ "stat-dir: x\n" HEAD MUC,
		    "a.yaml:1:1: unknown option \"stat-dir\" of the "
		    "configuration; did you mean \"state-dir\"?\n" },
		{ "component: x\n" HEAD MUC,
		    "a.yaml:1:1: unknown option \"component\" of the "
		    "configuration; did you mean \"components\"?\n" },
		{ TOP "components:\n" MUC, "a.yaml:1:1: the configuration has no servers\n" },
		{ TOP "servers:\ncomponents:\n" MUC,
		    "a.yaml:3:1: servers must be a map of at least one server\n" },
		{ TOP "servers: [main]\ncomponents:\n" MUC,
		    "a.yaml:3:1: servers must be a map of at least one server\n" },
		{ TOP SERVER, "a.yaml:1:1: the configuration has no components\n" },
		{ TOP SERVER "components: {}\n",
		    "a.yaml:7:1: components must be a map of at least one component\n" },
		{ "[a]\n", "a.yaml:1:1: the configuration must be a map of options, not a list\n" },
		{ "", "a.yaml:1:1: nothing is in this file\n" },
		{ TOP "servers:\n  main: {local-domains: example.org}\ncomponents:\n" MUC,
		    "a.yaml:4:3: server main has no host; it must be a list of 1 to 16 texts\n" },
		{ TOP "servers:\n  main:\n    local-domains: [example.org, 'a b']\n    host: "
		      "[\"a b\", '[1.2.3.4]', 1.2.3, 'x:0', 'x:70000', 'x:', '[::1]x', '', "
		      "'unix:']\ncomponents:\n" MUC,
		    "a.yaml:5:34: local-domains of server main has \"a b\", which is not a domain\n"
		    "a.yaml:6:12: host of server main: \"a b\" is not a host name, an IPv4 address, "
		    "an [IPv6] address or unix:/path\n"
		    "a.yaml:6:19: host of server main: \"[1.2.3.4]\" is not a host name, an IPv4 "
		    "address, an [IPv6] address or unix:/path\n"
		    "a.yaml:6:32: host of server main: \"1.2.3\" is not a host name, an IPv4 "
		    "address, an [IPv6] address or unix:/path\n"
		    "a.yaml:6:39: host of server main: \"x:0\" has no port from 1 to 65535 behind "
		    "its colon\n"
		    "a.yaml:6:46: host of server main: \"x:70000\" has no port from 1 to 65535 "
		    "behind its colon\n"
		    "a.yaml:6:57: host of server main: \"x:\" has no port from 1 to 65535 behind its "
		    "colon\n"
		    "a.yaml:6:63: host of server main: \"[::1]x\" is not a host name, an IPv4 "
		    "address, an [IPv6] address or unix:/path\n"
		    "a.yaml:6:73: host of server main: \"\" is not a host name, an IPv4 address, an "
		    "[IPv6] address or unix:/path\n"
		    "a.yaml:6:77: host of server main: \"unix:\" names no socket\n" },
		{ TOP SERVER "    port: 0\ncomponents:\n" MUC,
		    "a.yaml:7:11: port of server main must be a whole number from 1 to 65535, not "
		    "\"0\"\n" },
		{ TOP SERVER "    tls: yes\ncomponents:\n" MUC,
		    "a.yaml:7:10: tls of server main must be no or direct, not \"yes\"\n" },
		{ TOP SERVER "    tls: direct\n    tls-ca-file: none.pem\n    tls-pin: "
			     "0123456789012345678901234567890123456789012345678901234567890123x\n"
			     "components:\n" MUC,
		    "a.yaml:8:18: tls-ca-file of server main: none.pem cannot be read: No such file "
		    "or directory\n"
		    "a.yaml:9:14: tls-pin of server main must be 64 hexadecimal digits\n" },
		{ TOP
		    "servers:\n  one: {host: localhost, local-domains: a.b}\n"
		    "  two: {host: localhost, local-domains: a.b}\ncomponents:\n" MUC
		    "    server: two\n  echo.example.org: {module: echo, secret: correct horse}\n",
		    "a.yaml:11:3: echo.example.org names no server, and there are several: one, "
		    "two\n" },
		{ "metrics: 0.0.0.0:9100\n" HEAD MUC,
		    "a.yaml:1:10: metrics: \"0.0.0.0:9100\" is not a loopback address; write "
		    "127.0.0.1:9100 or [::1]:9100\n" },
		{ "metrics: unix:/x\n" HEAD MUC,
		    "a.yaml:1:10: metrics: \"unix:/x\" is not a loopback address; write "
		    "127.0.0.1:9100 or [::1]:9100\n" },
		{ "metrics: localhost\n" HEAD MUC,
		    "a.yaml:1:10: metrics: \"localhost\" has no port; write host:port\n" },
		{ "contacts: me@example.org\n" HEAD MUC,
		    "a.yaml:1:11: contacts of the configuration has \"me@example.org\", which is "
		    "not a URI; did you mean \"mailto:me@example.org\"?\n" },
		{ "state-dir: a.yaml\nrun-dir: run\n" SERVER "components:\n" MUC,
		    "a.yaml:1:12: state-dir a.yaml is not a directory\n" },
		{ "state-dir: no/where\nrun-dir: no/where\n" SERVER "components:\n" MUC,
		    "a.yaml:1:12: state-dir no/where does not exist and cannot be made by user "
		    "UID: No such file or directory\n"
		    "a.yaml:2:10: run-dir no/where does not exist and cannot be made by user UID: "
		    "No such file or directory\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *own;
		struct fixture *f;
		const char *expected, *uid;

		setup(&own);
		f = own;
		expected = rows[i][1];
		while ((uid = strstr(expected, "UID")) != NULL)
			expected = annex_sprintf(f->pool, "%.*s%u%s", (int)(uid - expected),
			    expected, (unsigned)geteuid(), uid + 3);
		check_text(f, rows[i][0]);
		assert_string_equal(f->err, expected);
		assert_int_equal(f->status, 1);
		assert_string_equal(f->out, "");
		teardown(&own);
	}
}

static void
test_warnings_fail_nothing(void **state)
{
	static const char *const rows[][2] = {
		{ TOP "servers:\n  main: {host: xmpp.example.org, local-domains: example.org}\n"
		      "components:\n" MUC,
		    "a.yaml:4:16: warning: server main: what is said with \"xmpp.example.org\" can be "
		    "read on the way, as tls is \"no\"\n" },
		{ TOP SERVER "    tls-name: x\ncomponents:\n" MUC,
		    "a.yaml:7:15: warning: tls-name of server main changes nothing, as tls is "
		    "\"no\"\n" },
		{ TOP "servers:\n  main:\n    host: 127.0.0.1\ncomponents:\n" MUC,
		    "a.yaml:4:3: warning: server main has no local-domains, so nobody counts as "
		    "local\n" },
		{ TOP SERVER "    port: 5275\ncomponents:\n  rooms.example.net:\n    module: muc\n"
			     "    secret: correct horse\n",
		    "a.yaml:9:3: warning: rooms.example.net is under none of the local-domains of "
		    "server main; Openfire takes components only under its own domain\n" },
		{ TOP SERVER "    port: 5275\ncomponents:\n" MUC
			     "  e.example.org: {module: echo, secret: correct horse}\n",
		    "" },
		{ HEAD MUC "  e.example.org: {module: echo, secret: correct horse}\n",
		    "a.yaml:4:3: warning: several components use server main: if it is ejabberd, its "
		    "listener needs \"global_routes: false\" (say what it is with \"software\", and "
		    "this is not said again)\n" },
		{ TOP SERVER "    software: ejabberd\ncomponents:\n" MUC
			     "  e.example.org: {module: echo, secret: correct horse}\n",
		    "" },
		{ HEAD "  rooms.example.org: {module: muc, secret: short}\n",
		    "a.yaml:8:44: warning: rooms.example.org: the secret is shorter than 8 "
		    "characters\n" },
		{ TOP "servers:\n  one: {host: localhost, local-domains: a.b}\n"
		      "  two: {host: localhost, local-domains: a.b}\ncomponents:\n" MUC
		      "    server: two\n",
		    "a.yaml:4:3: warning: no component uses server one\n" },
		{ "module-dirs: [modules, nowhere]\n" HEAD MUC,
		    "a.yaml:1:24: warning: module-dirs: nowhere cannot be listed: No such file or "
		    "directory\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *own;
		struct fixture *f;

		setup(&own);
		f = own;
		check_text(f, rows[i][0]);
		assert_string_equal(f->err, rows[i][1]);
		assert_int_equal(f->status, 0);
		assert_non_null(strstr(f->out, "{\"ok\":true}\n"));
		teardown(&own);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_mistake_of_a_component_is_a_sentence),
		cmocka_unit_test(test_every_mistake_above_is_a_sentence),
		cmocka_unit_test(test_warnings_fail_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
