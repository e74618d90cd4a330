/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_check.c - every mistake of a configuration is one sentence at its place
 *
 * Each test has a directory of its own with real files in it; the modules'
 * files are empty, and a loader of ours says what is in them.  The directory
 * is cut out of what is printed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/io.h"
#include "worker/check.h"

struct muc_settings {
	int64_t max_occupants, idle_ms;
	const char *owner, *title;
	struct annex_strings words;
};

static const struct annex_option muc_options[] = {
	ANNEX_OPTION(struct muc_settings, max_occupants, 1, 10000, "200", "Most occupants."),
	ANNEX_OPTION_AS(
	    ANNEX_OPTION_TIME, struct muc_settings, idle_ms, 0, 3600000, "5m", "Idle after."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID, struct muc_settings, owner, 0, 0, "", "Who owns all."),
	ANNEX_OPTION(struct muc_settings, title, 0, 0, "", "A title."),
	ANNEX_OPTION(struct muc_settings, words, 0, 0, "", "Words."),
	{ 0 },
};

static int
muc_check(const void *settings, struct annex_pool *pool, const char **why)
{
	const struct muc_settings *s = settings;

	if (s->max_occupants != 13)
		return ANNEX_OK;
	*why = annex_sprintf(pool, "max-occupants may be anything, but not %d", 13);
	return ANNEX_EINVAL;
}

static const struct annex_option needy_options[] = {
	ANNEX_OPTION(struct muc_settings, title, 1, 20, NULL, "A title."),
	{ 0 },
};

static const struct annex_module muc = {
	ANNEX_MODULE_ABI,
	.name = "muc",
	.version = "1.2.3",
	.summary = "rooms",
	.options = muc_options,
	.settings_size = sizeof(struct muc_settings),
	.check = muc_check,
};

static const struct annex_module echo = { ANNEX_MODULE_ABI, .name = "echo", .summary = "echoes" };

static const struct annex_module needy = {
	ANNEX_MODULE_ABI,
	.name = "needy",
	.options = needy_options,
	.settings_size = sizeof(struct muc_settings),
};

static int
load(const char *path, struct annex_pool *pool, struct module *module_r, const char **why)
{
	static const struct annex_module *const all[] = { &muc, &echo, &needy };
	const char *file = strrchr(path, '/') + 1;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strncmp(file, all[i]->name, strlen(all[i]->name)) == 0) {
			*module_r = (struct module) { .path = path, .descriptor = *all[i] };
			return ANNEX_OK;
		}
	*why =
	    annex_sprintf(pool, "%s: built for ABI 9.0, this Annex has 1.0: build it again", path);
	return ANNEX_EINVAL;
}

static int
statfs_roomy(const char *path, struct statfs *st)
{
	*st = (struct statfs) { .f_type = EXT4_SUPER_MAGIC, .f_bsize = 4096, .f_bavail = 1 << 20 };
	return 0;
}

static int
statfs_tmpfs_full(const char *path, struct statfs *st)
{
	*st = (struct statfs) { .f_type = TMPFS_MAGIC, .f_bsize = 4096, .f_bavail = 25600 };
	return 0;
}

static int
statfs_nfs(const char *path, struct statfs *st)
{
	if (strstr(path, "state") != NULL) {
		errno = ENOENT;
		return -1;
	}
	*st = (struct statfs) { .f_type = NFS_SUPER_MAGIC, .f_bsize = 4096, .f_bavail = 1 << 20 };
	return 0;
}

struct fixture {
	char dir[64];
	struct annex_pool *pool;
	struct check_env env;
	const char *dirs[2];
	bool humble; /* root judges as somebody else, since root may do everything */
	char *out, *err;
	int status;
};

#define NOBODY 65534

static const char *
in_dir(struct fixture *f, const char *name)
{
	return annex_sprintf(f->pool, "%s/%s", f->dir, name);
}

static void
put(struct fixture *f, const char *name, const char *text, mode_t mode)
{
	int fd = open(in_dir(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->pool = annex_pool_create(NULL, "test");
	strcpy(f->dir, "/tmp/annex-test-check.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(mkdir(in_dir(f, "state"), 0700), 0);
	assert_int_equal(mkdir(in_dir(f, "run"), 0700), 0);
	assert_int_equal(mkdir(in_dir(f, "modules"), 0700), 0);
	put(f, "modules/muc.so", "", 0600);
	put(f, "modules/echo.so", "", 0600);
	put(f, "modules/needy.so", "", 0600);
	put(f, "modules/old.so", "", 0600);
	put(f, "good.secret", "\t correct horse \r\n", 0600);
	f->dirs[0] = in_dir(f, "modules");
	f->env = (struct check_env) {
		.module_dirs = f->dirs,
		.load = load,
		.statfs = statfs_roomy,
	};
	*state = f;
	return 0;
}

static void
remove_all(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (dir != NULL) {
		chmod(path, 0700);
		while ((entry = readdir(dir)) != NULL) {
			char inner[400];

			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
				continue;
			snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
			remove_all(inner);
		}
		closedir(dir);
	}
	remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	remove_all(f->dir);
	free(f->out);
	free(f->err);
	annex_pool_destroy(&f->pool);
	free(f);
	return 0;
}

/* Text without the directory's name and its slash. */
static char *
without_dir(struct fixture *f, char *text)
{
	const char *prefix = in_dir(f, "");
	size_t n = strlen(prefix);
	char *at = text;

	while ((at = strstr(at, prefix)) != NULL)
		memmove(at, at + n, strlen(at + n) + 1);
	return text;
}

static void
check_mode(struct fixture *f, const char *text, mode_t mode)
{
	size_t out_len, err_len;
	FILE *out, *err;

	put(f, "a.yaml", text, mode);
	free(f->out);
	free(f->err);
	out = open_memstream(&f->out, &out_len);
	err = open_memstream(&f->err, &err_len);
	if (f->humble && getuid() == 0) {
		assert_int_equal(chown(in_dir(f, "a.yaml"), NOBODY, NOBODY), 0);
		assert_int_equal(chmod(f->dir, 0755) | chmod(in_dir(f, "modules"), 0755), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	f->status = check_configuration_in(&f->env, in_dir(f, "a.yaml"), out, err);
	if (f->humble && getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	fclose(out);
	fclose(err);
	without_dir(f, f->out);
	without_dir(f, f->err);
}

static void
check_text(struct fixture *f, const char *text)
{
	check_mode(f, text, 0600);
}

#define TOP "state-dir: state\nrun-dir: run\n"
#define SERVER "servers:\n  main:\n    host: 127.0.0.1\n    local-domains: [example.org]\n"
#define HEAD TOP SERVER "components:\n"
#define MUC "  rooms.example.org:\n    module: muc\n    secret: correct horse\n"

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
test_a_directory_that_cannot_be_written_is_told(void **state)
{
	struct fixture *f = *state;

	uid_t uid = getuid() == 0 ? NOBODY : getuid();

	f->humble = true;
	chmod(in_dir(f, "state"), 0555);
	chmod(in_dir(f, "run"), 0555);
	check_text(f, HEAD MUC);
	assert_string_equal(f->err,
	    annex_sprintf(f->pool,
		"a.yaml:1:12: state-dir state is not writable by user %u: Permission denied\n"
		"a.yaml:2:10: run-dir run is not writable by user %u: Permission denied\n",
		(unsigned)uid, (unsigned)uid));
}

static void
test_a_component_s_own_directory_must_be_one(void **state)
{
	struct fixture *f = *state;

	put(f, "state/rooms.example.org", "", 0600);
	check_text(f, HEAD MUC);
	assert_string_equal(f->err,
	    "a.yaml:8:3: rooms.example.org: state/rooms.example.org is not a "
	    "directory\n");
}

static void
test_a_socket_s_path_has_an_end(void **state)
{
	struct fixture *f = *state;
	char name[100];

	memset(name, 'r', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	mkdir(in_dir(f, name), 0700);
	check_text(f,
	    annex_sprintf(
		f->pool, "state-dir: state\nrun-dir: %s\n" SERVER "components:\n" MUC, name));
	assert_non_null(strstr(f->err, "a.yaml:8:3: rooms.example.org: its control socket "));
	assert_non_null(
	    strstr(f->err, "a Unix socket has at most 107; choose a shorter run-dir\n"));
	assert_int_equal(f->status, 1);
}

#define FILED "  rooms.example.org:\n    module: muc\n    secret-file: x.secret\n"

static void
test_a_secret_s_file_is_looked_at(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *says;
	} rows[] = {
		{ "correct horse\n", 0644, "open to everybody (mode 0644); chmod o= it" },
		{ "correct horse\n", 0606, "open to everybody (mode 0606); chmod o= it" },
		{ "", 0600, "empty" },
		{ " \n\t\r\n", 0600, "empty" },
		{ "correct\nhorse\n", 0600, "holds more than one line" },
		{ "correct \xff horse", 0600, "not UTF-8" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(f, "x.secret", rows[i].text, rows[i].mode);
		check_text(f, HEAD FILED);
		assert_int_equal(f->status, 1);
		if (strstr(f->err, rows[i].says) == NULL ||
		    strncmp(f->err, "a.yaml:10:18: rooms.example.org: secret file x.secret ", 50) !=
			0)
			fail_msg("row %zu: %s", i, f->err);
	}
}

static void
test_a_secret_s_file_that_is_none_is_told(void **state)
{
	struct fixture *f = *state;
	char *large = calloc(1, 1026);

	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret cannot be "
	    "read: No such file or directory\n");
	mkdir(in_dir(f, "x.secret"), 0700);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret is not a "
	    "file\n");
	rmdir(in_dir(f, "x.secret"));
	mkfifo(in_dir(f, "x.secret"), 0600);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret is not a "
	    "file\n");
	unlink(in_dir(f, "x.secret"));
	memset(large, 'x', 1025);
	put(f, "x.secret", large, 0600);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret is larger "
	    "than 1024 bytes\n");
	free(large);
	if (geteuid() == 0)
		return;
	put(f, "x.secret", "correct horse", 0);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: rooms.example.org: secret file x.secret cannot be "
	    "read: Permission denied\n");
}

static void
test_a_secret_s_file_for_a_group_of_strangers_is_warned_of(void **state)
{
	struct fixture *f = *state;

	if (getuid() != 0)
		skip(); /* nobody else can give a file to strangers */
	f->humble = true;
	chmod(in_dir(f, "state"), 0777);
	chmod(in_dir(f, "run"), 0777);
	put(f, "x.secret", "correct horse\n", 0640);
	assert_int_equal(chown(in_dir(f, "x.secret"), NOBODY, 54321), 0);
	check_text(f, HEAD FILED);
	assert_string_equal(f->err,
	    "a.yaml:10:18: warning: rooms.example.org: secret file x.secret "
	    "can be read by group 54321, which is not ours\n");
	assert_int_equal(f->status, 0);
}

static void
test_a_secret_is_never_shown(void **state)
{
	struct fixture *f = *state;

	check_text(f, HEAD "  rooms.example.org:\n    module: muc\n    secret: [hunter2hunter2]\n");
	assert_non_null(f->err);
	assert_null(strstr(f->err, "hunter2"));
	check_text(f,
	    HEAD "  rooms.example.org:\n    module: muc\n    secret: hunter2, hunter2\n"
		 "    nonsense: 1\n");
	assert_null(strstr(f->err, "hunter2"));
	assert_int_equal(f->status, 1);
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

static void
test_a_disk_that_loses_things_is_warned_of(void **state)
{
	struct fixture *f = *state;

	f->env.statfs = statfs_tmpfs_full;
	check_text(f, HEAD MUC);
	assert_string_equal(f->err,
	    "a.yaml:1:12: warning: state-dir state is in memory (tmpfs): all is lost when the "
	    "machine stops\n"
	    "a.yaml:1:12: warning: state-dir state has less than 1 GiB free (100 MiB)\n");
	f->env.statfs = statfs_nfs;
	check_text(f, HEAD MUC);
	assert_string_equal(f->err,
	    "a.yaml:1:12: warning: state-dir state is on NFS, where a store "
	    "can be damaged; use a local disk\n");
	assert_int_equal(f->status, 0);
}

static void
test_a_secret_in_a_file_for_everybody_is_warned_of(void **state)
{
	struct fixture *f = *state;

	check_mode(f, HEAD MUC, 0644);
	assert_string_equal(f->err,
	    "a.yaml:10:13: warning: rooms.example.org: the secret stands in a file that everybody "
	    "may read; use secret-file, or chmod o= a.yaml\n");
	assert_int_equal(f->status, 0);
	check_mode(f, HEAD "  r.example.org: {module: muc, secret-file: good.secret}\n", 0644);
	assert_string_equal(f->err, "");
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
		cmocka_unit_test(test_every_mistake_of_a_component_is_a_sentence),
		cmocka_unit_test(test_every_mistake_above_is_a_sentence),
		TEST(test_a_directory_that_cannot_be_written_is_told),
		TEST(test_a_component_s_own_directory_must_be_one),
		TEST(test_a_socket_s_path_has_an_end),
		TEST(test_a_secret_s_file_is_looked_at),
		TEST(test_a_secret_s_file_that_is_none_is_told),
		TEST(test_a_secret_s_file_for_a_group_of_strangers_is_warned_of),
		TEST(test_a_secret_is_never_shown),
		cmocka_unit_test(test_warnings_fail_nothing),
		TEST(test_a_disk_that_loses_things_is_warned_of),
		TEST(test_a_secret_in_a_file_for_everybody_is_warned_of),
		TEST(test_hashes_change_with_what_they_are_over),
		TEST(test_one_component_alone_is_judged_alone),
		TEST(test_the_example_has_no_mistake),
		TEST(test_modules_are_listed_with_their_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
