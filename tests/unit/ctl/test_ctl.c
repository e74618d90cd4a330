/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_ctl.c - annexctl against servers that answer from a table
 *
 * annexd's and a worker's control socket are served by a thread; annex-worker
 * is a shell script that tells what it was asked to do.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/loop.h"
#include "control/control.h"
#include "ctl/ctl.h"

#define WORDS_MAX 12

/* One answer of a server; an error where the result is NULL, an event before it where there is one. */
struct canned {
	const char *command, *result, *error, *event;
};

struct server {
	const char *name; /* of the socket */
	const struct canned *canned;
	const char *write; /* to a descriptor that comes along */
	struct control_server *control;
	struct buf asked; /* COMMAND ARGS, a line each */
};

struct bench {
	struct annex_pool *pool;
	char dir[64];
	struct ctl ctl;
	char *out, *err;
	size_t out_len, err_len;
	struct clock clock;
	struct loop *loop;
	struct log *log;
	struct server annexd, worker;
	pthread_t thread;
	bool running, stop;
};

static void
drop_line(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
}

static void
handle(void *cookie, struct control_request *request, const char *command, json_t *args)
{
	struct server *server = cookie;
	char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);
	int fd = control_take_fd(request);

	buf_printf(&server->asked, "%s %s\n", command, text);
	free(text);
	if (fd >= 0 && server->write != NULL)
		assert_true(io_write_all(fd, server->write, strlen(server->write)) >= 0);
	io_close(&fd);
	for (const struct canned *c = server->canned; c != NULL && c->command != NULL; c++) {
		if (strcmp(c->command, command) != 0)
			continue;
		if (c->event != NULL)
			control_emit(request, json_loads(c->event, 0, NULL));
		if (c->error != NULL)
			control_fail(request, "%s", c->error);
		else
			control_done(request, json_loads(c->result, 0, NULL));
		return;
	}
	control_fail(request, "there is no command \"%s\"", command);
}

static int
setup(void **state)
{
	struct bench *b = mem_zalloc(sizeof(*b));

	*state = b;
	b->pool = annex_pool_create(NULL, "test");
	strcpy(b->dir, "/tmp/annex-ctl-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	clock_init_system(&b->clock);
	b->loop = loop_create(&b->clock);
	b->log = log_create("test", &b->clock, drop_line, NULL);
	b->annexd.name = "annexd";
	b->worker.name = "a.test";
	b->ctl = (struct ctl) {
		.pool = b->pool,
		.program = "/nonexistent/annex-worker",
		.config = "/nonexistent/annex.yaml",
		.run_dir = b->dir,
		.out = open_memstream(&b->out, &b->out_len),
		.err = open_memstream(&b->err, &b->err_len),
	};
	return 0;
}

static void *
serve(void *cookie)
{
	struct bench *b = cookie;

	while (!__atomic_load_n(&b->stop, __ATOMIC_ACQUIRE))
		loop_run_once(b->loop, 2);
	return NULL;
}

static void
serve_at(struct bench *b, struct server *server, const struct canned *canned)
{
	const char *why = NULL;

	server->canned = canned;
	server->control = control_listen(annex_sprintf(b->pool, "%s/%s.sock", b->dir, server->name),
	    loop_reactor(b->loop), loop_timers(b->loop), b->log, handle, server, b->pool, &why);
	if (server->control == NULL)
		fail_msg("%s", why);
}

static void
start_serving(struct bench *b)
{
	assert_int_equal(pthread_create(&b->thread, NULL, serve, b), 0);
	b->running = true;
}

static void
stop_serving(struct bench *b)
{
	__atomic_store_n(&b->stop, true, __ATOMIC_RELEASE);
	if (b->running)
		pthread_join(b->thread, NULL);
	b->running = b->stop = false;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	stop_serving(b);
	control_close(&b->annexd.control);
	control_close(&b->worker.control);
	buf_finish(&b->annexd.asked);
	buf_finish(&b->worker.asked);
	unlink(annex_sprintf(b->pool, "%s/worker", b->dir));
	unlink(annex_sprintf(b->pool, "%s/annex.yaml", b->dir));
	assert_int_equal(rmdir(b->dir), 0);
	log_destroy(&b->log);
	loop_destroy(&b->loop);
	fclose(b->ctl.out);
	fclose(b->ctl.err);
	free(b->out);
	free(b->err);
	annex_pool_destroy(&b->pool);
	free(b);
	return 0;
}

/* annexctl with these words; its exit status. */
static int
run(struct bench *b, const char *line)
{
	char *text = annex_strdup(b->pool, line), *rest = NULL, *words[WORDS_MAX];
	int count = 0, status;

	for (char *w = strtok_r(text, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
		words[count++] = w;
	start_serving(b);
	status = ctl_act(&b->ctl, words, count);
	stop_serving(b);
	fflush(b->ctl.out);
	fflush(b->ctl.err);
	return status;
}

static const char *
script(struct bench *b, const char *lines)
{
	const char *path = annex_sprintf(b->pool, "%s/worker", b->dir);
	const char *text = annex_sprintf(b->pool, "#!/bin/sh\n%s", lines);

	assert_int_equal(io_write_file_atomic(path, text, strlen(text), 0700), ANNEX_OK);
	return path;
}

#define FINE                                                                                         \
	"{\"domain\":\"a.test\",\"state\":\"running\",\"attached\":true,\"restarts\":0,"             \
	"\"quarantine\":[],\"up_seconds\":90000,\"rss_anon_bytes\":6291456,\"status\":\"12 rooms\"," \
	"\"rates\":{\"in\":12.34,\"out\":1234.5},"                                                   \
	"\"counters\":{\"store_used_bytes\":1048576,\"store_quota_bytes\":10485760}}"
#define STATUS(components)                                                                   \
	"{\"version\":\"1.0\",\"pid\":7,\"up_seconds\":100000,\"summary\":\"1/1 attached\"," \
	"\"components\":[" components "]}"

static void
test_status_is_a_table(void **state)
{
	static const struct canned canned[] = { { "status", STATUS(FINE) }, { NULL } };
	struct bench *b = *state;

	serve_at(b, &b->annexd, canned);
	assert_int_equal(run(b, "status"), CTL_FINE);
	assert_string_equal(b->out,
	    "annexd 1.0, pid 7, up 1d 3h: 1/1 attached\n"
	    "COMPONENT  STATE     UP     IN/S  OUT/S  STORE        MEMORY   RESTARTS\n"
	    "a.test     attached  1d 1h  12.3  1234   1.0 MiB 10%  6.0 MiB  0\n"
	    "    12 rooms\n");
}

static void
test_the_exit_status_says_how_bad_it_is(void **state)
{
	static const struct {
		const char *component;
		int status;
	} cases[] = {
		{ FINE, CTL_FINE },
		{ "{\"state\":\"waiting\",\"last_end\":\"crashed\"}", CTL_BAD },
		{ "{\"state\":\"running\",\"attached\":true,\"stuck\":true}", CTL_BAD },
		{ "{\"state\":\"running\",\"attached\":false,\"up_seconds\":5}", CTL_WARNING },
		{ "{\"state\":\"running\",\"attached\":false,\"up_seconds\":500}", CTL_BAD },
		{ "{\"state\":\"starting\",\"up_seconds\":5}", CTL_WARNING },
		{ "{\"state\":\"starting\",\"up_seconds\":500}", CTL_BAD },
		{ "{\"state\":\"down\"}", CTL_WARNING },
		{ "{\"state\":\"draining\",\"up_seconds\":500}", CTL_WARNING },
		{ "{\"state\":\"running\",\"attached\":true,\"quarantine\":[\"12\"]}",
		    CTL_WARNING },
		{ "{\"state\":\"running\",\"attached\":true,\"counters\":"
		  "{\"store_used_bytes\":80,\"store_quota_bytes\":100}}",
		    CTL_WARNING },
		{ "{\"state\":\"running\",\"attached\":true,\"counters\":"
		  "{\"store_used_bytes\":79,\"store_quota_bytes\":100}}",
		    CTL_FINE },
	};
	struct bench *b = *state;
	struct canned canned[2] = { { "status" }, { NULL } };

	serve_at(b, &b->annexd, canned);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got;

		canned[0].result =
		    annex_sprintf(b->pool, "{\"components\":[%s,%s]}", cases[i].component, FINE);
		if ((got = run(b, "status")) != cases[i].status)
			fail_msg("%s is %d", cases[i].component, got);
	}
}

static void
test_status_without_annexd_is_bad_and_says_so(void **state)
{
	struct bench *b = *state;

	assert_int_equal(run(b, "status"), CTL_BAD);
	assert_non_null(strstr(b->err, "annexctl: cannot connect to "));
	assert_non_null(strstr(b->err, "(is it running?)\n"));
	assert_string_equal(b->out == NULL ? "" : b->out, "");
}

static void
test_json_shows_the_answer_as_it_came(void **state)
{
	static const struct canned canned[] = { { "status", STATUS(FINE) }, { NULL } };
	struct bench *b = *state;
	json_t *got, *want;

	b->ctl.json = true;
	serve_at(b, &b->annexd, canned);
	assert_int_equal(run(b, "status"), CTL_FINE);
	got = json_loads(b->out, 0, NULL);
	want = json_loads(canned[0].result, 0, NULL);
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
}

static void
test_either_order_of_words_drains_and_restarts(void **state)
{
	static const struct canned canned[] = {
		{ "drain", "{}" },
		{ "restart", "{}" },
		{ NULL },
	};
	struct bench *b = *state;

	serve_at(b, &b->annexd, canned);
	assert_int_equal(run(b, "drain a.test"), CTL_FINE);
	assert_int_equal(run(b, "a.test drain"), CTL_FINE);
	assert_int_equal(run(b, "restart a.test"), CTL_FINE);
	assert_int_equal(run(b, "a.test restart"), CTL_FINE);
	assert_string_equal(buf_text(&b->annexd.asked),
	    "drain {\"domain\":\"a.test\"}\ndrain {\"domain\":\"a.test\"}\n"
	    "restart {\"domain\":\"a.test\"}\nrestart {\"domain\":\"a.test\"}\n");
}

static void
test_a_reload_lists_what_happened(void **state)
{
	static const struct canned canned[] = {
		{ "reload",
		    "{\"reloaded\":[\"a.test\",\"b.test\"],"
		    "\"failed\":[{\"domain\":\"c.test\",\"why\":\"no\"}]}" },
		{ NULL },
	};
	struct bench *b = *state;

	serve_at(b, &b->annexd, canned);
	assert_int_equal(run(b, "reload"), CTL_WARNING);
	assert_string_equal(b->out, "reloaded: a.test b.test\nfailed: c.test (no)\n");
}

static void
test_what_a_reload_warns_of_is_a_sentence_a_line(void **state)
{
	static const struct canned canned[] = {
		{ "reload", "{\"warnings\":[\"f:1:2: warning: one\",\"f:3:4: warning: two\"]}" },
		{ NULL },
	};
	struct bench *b = *state;

	serve_at(b, &b->annexd, canned);
	assert_int_equal(run(b, "reload"), CTL_FINE);
	assert_string_equal(b->out, "f:1:2: warning: one\nf:3:4: warning: two\n");
}

static void
test_a_refused_reload_shows_the_mistakes(void **state)
{
	static const struct canned canned[] = {
		{ "reload", NULL, "annex.yaml:1:1: a mistake" },
		{ NULL },
	};
	struct bench *b = *state;

	serve_at(b, &b->annexd, canned);
	assert_int_equal(run(b, "reload"), CTL_WARNING);
	assert_string_equal(b->err, "annexctl: annex.yaml:1:1: a mistake\n");
}

#define HELP                                                                                \
	"{\"framework\":[{\"node\":\"status\",\"help\":\"Tell.\"}],\"component\":["         \
	"{\"node\":\"ban\",\"name\":\"Ban\",\"help\":\"Ban people.\",\"fields\":["          \
	"{\"var\":\"room\",\"type\":\"text-single\",\"required\":true,\"label\":\"Room\"}," \
	"{\"var\":\"reason\",\"type\":\"text-single\",\"help\":\"Why.\"},"                  \
	"{\"var\":\"jids\",\"type\":\"jid-multi\"}]}]}"

static const struct canned component[] = {
	{ "help", HELP },
	{ "ban",
	    "{\"say\":[\"Done.\"],\"columns\":[\"j\",\"n\"],\"labels\":[\"JID\",\"Nick\"],"
	    "\"rows\":[[\"a@b\",\"\\u001b[31mred\"],[\"longer@example.org\",\"n\"]]}" },
	{ "status", "{\"link\":{\"up\":true,\"state\":\"up\"},\"rows\":3}" },
	{ NULL },
};

static void
assert_ban(struct bench *b, const char *words, const char *args)
{
	buf_clear(&b->worker.asked);
	assert_int_equal(run(b, words), CTL_FINE);
	assert_string_equal(
	    buf_text(&b->worker.asked), annex_sprintf(b->pool, "help {}\nban %s\n", args));
}

static void
test_fields_are_given_by_name_or_by_position(void **state)
{
	struct bench *b = *state;

	serve_at(b, &b->worker, component);
	assert_ban(b, "a.test ban den", "{\"room\":\"den\"}");
	assert_ban(b, "a.test ban room=den reason=x=y", "{\"reason\":\"x=y\",\"room\":\"den\"}");
	assert_ban(b, "a.test ban reason=rude den a@b c@d e@f",
	    "{\"jids\":[\"a@b\",\"c@d\",\"e@f\"],\"reason\":\"rude\",\"room\":\"den\"}");
	assert_ban(b, "a.test ban jids=a@b jids=c@d den why",
	    "{\"jids\":[\"a@b\",\"c@d\"],\"reason\":\"why\",\"room\":\"den\"}");
}

static void
test_a_word_too_many_is_refused_before_anything_is_asked(void **state)
{
	struct bench *b = *state;

	serve_at(b, &b->worker, component);
	assert_int_equal(run(b, "a.test ban jids=a@b den why what"), CTL_BAD);
	assert_non_null(strstr(b->err, "ban takes no \"what\""));
	assert_string_equal(buf_text(&b->worker.asked), "help {}\n");
}

static void
test_results_are_a_table_that_cannot_touch_the_terminal(void **state)
{
	struct bench *b = *state;

	serve_at(b, &b->worker, component);
	assert_int_equal(run(b, "a.test ban den"), CTL_FINE);
	assert_string_equal(b->out,
	    "Done.\n"
	    "JID                 Nick\n"
	    "a@b                 \\x1b[31mred\n"
	    "longer@example.org  n\n");
}

static void
test_other_answers_are_pairs(void **state)
{
	struct bench *b = *state;

	serve_at(b, &b->worker, component);
	assert_int_equal(run(b, "a.test"), CTL_FINE);
	assert_string_equal(b->out, "link.up     true\nlink.state  up\nrows        3\n");
}

static void
test_help_lists_commands_and_their_fields(void **state)
{
	struct bench *b = *state;

	serve_at(b, &b->worker, component);
	assert_int_equal(run(b, "a.test help"), CTL_FINE);
	assert_int_equal(run(b, "a.test help ban"), CTL_FINE);
	assert_string_equal(b->out,
	    "ban     Ban people.\nstatus  Tell.\n"
	    "Ban people.\n"
	    "room    text-single  required  Room\n"
	    "reason  text-single            Why.\n"
	    "jids    jid-multi\n");
	assert_int_equal(run(b, "a.test help nothing"), CTL_WARNING);
}

static void
test_a_domain_that_is_not_there_is_explained(void **state)
{
	static const struct canned canned[] = {
		{ "status",
		    "{\"components\":[{\"domain\":\"a.test\",\"state\":\"waiting\","
		    "\"last_end\":\"crashed in a handler: signal 11\"}]}" },
		{ NULL },
	};
	struct bench *b = *state;

	serve_at(b, &b->annexd, canned);
	assert_int_equal(run(b, "a.test help"), CTL_BAD);
	assert_int_equal(run(b, "a.test trace"), CTL_BAD);
	assert_int_equal(run(b, "a.tets help"), CTL_BAD);
	assert_int_equal(run(b, "stauts"), CTL_BAD);
	assert_string_equal(b->err,
	    "annexctl: a.test does not answer: it is waiting; its worker crashed in a handler: "
	    "signal 11\n"
	    "annexctl: a.test does not answer: it is waiting; its worker crashed in a handler: "
	    "signal 11\n"
	    "annexctl: no component a.tets is configured; did you mean a.test?\n"
	    "annexctl: no component stauts is configured; did you mean status?\n");
}

static void
test_a_domain_is_explained_among_any_number(void **state)
{
	struct canned canned[] = { { "status", NULL, NULL, NULL }, { NULL } };
	struct bench *b = *state;
	const char *list = "";

	for (unsigned i = 0; i < 100; i++)
		list = annex_sprintf(
		    b->pool, "%s{\"domain\":\"c%u.test\",\"state\":\"waiting\"},", list, i);
	canned[0].result = annex_sprintf(
	    b->pool, "{\"components\":[%s{\"domain\":\"z.test\",\"state\":\"down\"}]}", list);
	serve_at(b, &b->annexd, canned);
	assert_int_equal(run(b, "z.test help"), CTL_BAD);
	assert_string_equal(b->err, "annexctl: z.test does not answer: it is down\n");
}

static void
test_a_trace_shows_stanzas_until_the_server_ends_it(void **state)
{
	static const struct canned canned[] = {
		{ "trace", "{}", NULL,
		    "{\"way\":\"out\",\"stanza\":\"<message to='a'/>\\n\",\"recipients\":3}" },
		{ NULL },
	};
	struct bench *b = *state;

	b->ctl.bodies = true;
	serve_at(b, &b->worker, canned);
	assert_int_equal(run(b, "a.test trace x@y"), CTL_FINE);
	assert_string_equal(
	    buf_text(&b->worker.asked), "trace {\"bodies\":true,\"jid\":\"x@y\"}\n");
	assert_non_null(strstr(b->out, " out x3 <message to='a'/>\\x0a\n"));
}

/* --- Stores ------------------------------------------------------------------------------------ */

static const struct canned stores[] = { { "store-backup", "{}" }, { NULL } };

static void
test_a_backup_is_whole_private_and_where_it_was_asked_for(void **state)
{
	struct bench *b = *state;
	const char *file = annex_sprintf(b->pool, "%s/annex.yaml", b->dir);
	struct buf text = { 0 };
	struct stat st;

	b->worker.write = "the store";
	serve_at(b, &b->worker, stores);
	assert_int_equal(run(b, annex_sprintf(b->pool, "store backup a.test %s", file)), CTL_FINE);
	assert_int_equal(io_read_file(file, 100, &text), ANNEX_OK);
	assert_string_equal(buf_text(&text), "the store");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_non_null(strstr(b->out, "a.test: backed up to "));
	buf_finish(&text);
}

static void
test_a_failed_backup_leaves_the_old_one_and_nothing_else(void **state)
{
	static const struct canned canned[] = {
		{ "store-backup", NULL, "the backup failed: No space left on device" },
		{ NULL },
	};
	struct bench *b = *state;
	const char *file = annex_sprintf(b->pool, "%s/annex.yaml", b->dir);
	struct buf text = { 0 };

	assert_int_equal(io_write_file_atomic(file, "old", 3, 0600), ANNEX_OK);
	b->worker.write = "half of";
	serve_at(b, &b->worker, canned);
	assert_int_equal(
	    run(b, annex_sprintf(b->pool, "a.test store backup %s", file)), CTL_WARNING);
	assert_int_equal(io_read_file(file, 100, &text), ANNEX_OK);
	assert_string_equal(buf_text(&text), "old");
	assert_string_equal(b->err, "annexctl: the backup failed: No space left on device\n");
	buf_finish(&text);
	/* That nothing else is left, the teardown finds: it removes the directory. */
}

static void
test_a_backup_replaces_files_alone(void **state)
{
	struct bench *b = *state;
	const char *file = annex_sprintf(b->pool, "%s/annex.yaml", b->dir);
	struct stat st;

	assert_int_equal(mkfifo(file, 0600), 0);
	b->worker.write = "the store";
	serve_at(b, &b->worker, stores);
	assert_int_equal(run(b, annex_sprintf(b->pool, "a.test store backup %s", file)), CTL_BAD);
	assert_non_null(strstr(b->err, " is there, and is no file that could be replaced\n"));
	assert_int_equal(lstat(file, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
}

static void
test_a_store_in_use_is_not_replaced(void **state)
{
	struct bench *b = *state;

	b->ctl.program = script(b, "exit 0\n");
	serve_at(b, &b->worker, stores);
	assert_int_equal(run(b, "a.test store restore /some/backup"), CTL_WARNING);
	assert_int_equal(run(b, "a.test store import /some/file"), CTL_WARNING);
	assert_non_null(strstr(b->err, "let it go down first: annexctl drain a.test"));
}

static void
test_a_store_that_nobody_uses_is_annex_worker_s_work(void **state)
{
	struct bench *b = *state;
	const char *file = annex_sprintf(b->pool, "%s/annex.yaml", b->dir);
	struct buf text = { 0 };

	b->ctl.program = script(b, "echo \"$@\"; exit 0\n");
	assert_int_equal(run(b, annex_sprintf(b->pool, "store export a.test %s", file)), CTL_FINE);
	assert_int_equal(io_read_file(file, 1000, &text), ANNEX_OK);
	assert_string_equal(
	    buf_text(&text), "--store export -c /nonexistent/annex.yaml -- a.test\n");
	buf_finish(&text);
	b->ctl.program = script(b,
	    "[ \"$*\" = '--store restore -c /nonexistent/annex.yaml -- a.test "
	    "/some/backup' ]\n");
	assert_int_equal(run(b, "a.test store restore /some/backup"), CTL_FINE);
	b->ctl.program = script(b, "exit 1\n");
	assert_int_equal(run(b, "a.test store restore /some/backup"), CTL_WARNING);
	b->ctl.program = "/nonexistent/annex-worker";
	assert_int_equal(run(b, "a.test store verify"), CTL_BAD);
}

static void
test_a_store_in_use_is_looked_at_through_a_copy(void **state)
{
	struct bench *b = *state;
	const char *file = annex_sprintf(b->pool, "%s/annex.yaml", b->dir);
	struct buf text = { 0 };

	setenv("TMPDIR", b->dir, 1);
	b->worker.write = "the store";
	/* What is exported is what the copy holds. */
	b->ctl.program = script(b, "shift 6; cat \"$1\"\n");
	serve_at(b, &b->worker, stores);
	assert_int_equal(run(b, annex_sprintf(b->pool, "a.test store export %s", file)), CTL_FINE);
	unsetenv("TMPDIR");
	assert_int_equal(io_read_file(file, 1000, &text), ANNEX_OK);
	assert_string_equal(buf_text(&text), "the store");
	buf_finish(&text);
}

static void
test_words_about_stores_are_checked(void **state)
{
	static const struct {
		const char *words, *sentence;
	} cases[] = {
		{ "a.test store",
		    "store: there are backup, restore, verify, export, import and stat" },
		{ "a.test store burn", "store burn: there are backup" },
		{ "a.test store backup", "store backup needs a FILE" },
		{ "a.test store stat x", "store stat takes no \"x\"" },
		{ "a.test store verify x y", "store verify takes no \"y\"" },
		{ "store backup", "store of which DOMAIN?" },
		{ "drain", "drain of which DOMAIN?" },
		{ "../x drain", "\"../x\" is no domain" },
		{ "status now", "status takes no \"now\"" },
		{ "drain a.test now", "drain takes no \"now\"" },
		{ "a.test trace x y", "trace takes one JID" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rewind(b->ctl.err);
		assert_int_equal(run(b, cases[i].words), CTL_BAD);
		if (strstr(b->err, cases[i].sentence) == NULL)
			fail_msg("%s says %s", cases[i].words, b->err);
	}
}

/* --- Where the sockets are ------------------------------------------------------------------- */

static void
configure(struct bench *b, const char *text)
{
	b->ctl.run_dir = NULL;
	b->ctl.config = annex_sprintf(b->pool, "%s/annex.yaml", b->dir);
	assert_int_equal(io_write_file_atomic(b->ctl.config, text, strlen(text), 0600), ANNEX_OK);
}

static void
test_the_check_tells_the_run_dir(void **state)
{
	struct bench *b = *state;

	configure(b, "run-dir: /wrong\n");
	b->ctl.program =
	    script(b, "echo '{\"global\":{\"run-dir\":\"/right\"}}'; echo '{\"ok\":1}'\n");
	assert_string_equal(ctl_run_dir(&b->ctl), "/right");
}

static void
test_where_the_check_fails_the_file_s_line_tells_it(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "state-dir: /s\nrun-dir: /there # now\n", "/there" },
		{ "run-dir:\t'/quo ted'\n", "/quo ted" },
		{ "run-dir: \"/double\"", "/double" },
		{ "run-dir: rel\n", NULL },
		{ "run-dirs: /no\n  run-dir: /neither\n#run-dir: /nor\n", "/run/annex" },
		{ "run-dir:\n", "/run/annex" },
	};
	struct bench *b = *state;

	b->ctl.program = script(b, "echo '{\"global\":{\"run-dir\":\"/half\"}}'; exit 1\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		configure(b, cases[i].text);
		assert_string_equal(ctl_run_dir(&b->ctl),
		    cases[i].want != NULL ? cases[i].want
					  : annex_sprintf(b->pool, "%s/rel", b->dir));
	}
}

static void
test_without_a_file_the_default_serves(void **state)
{
	struct bench *b = *state;

	b->ctl.run_dir = NULL;
	assert_string_equal(ctl_run_dir(&b->ctl), "/run/annex");
}

static void
test_a_file_that_was_named_must_be_there(void **state)
{
	struct bench *b = *state;

	b->ctl.config = "/nowhere/annex.yaml";
	b->ctl.config_given = true;
	assert_int_equal(run(b, "status"), CTL_BAD);
	assert_string_equal(
	    b->err, "annexctl: cannot read /nowhere/annex.yaml: No such file or directory\n");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_status_is_a_table),
		CASE(test_the_exit_status_says_how_bad_it_is),
		CASE(test_status_without_annexd_is_bad_and_says_so),
		CASE(test_json_shows_the_answer_as_it_came),
		CASE(test_either_order_of_words_drains_and_restarts),
		CASE(test_a_reload_lists_what_happened),
		CASE(test_what_a_reload_warns_of_is_a_sentence_a_line),
		CASE(test_a_refused_reload_shows_the_mistakes),
		CASE(test_fields_are_given_by_name_or_by_position),
		CASE(test_a_word_too_many_is_refused_before_anything_is_asked),
		CASE(test_results_are_a_table_that_cannot_touch_the_terminal),
		CASE(test_other_answers_are_pairs),
		CASE(test_help_lists_commands_and_their_fields),
		CASE(test_a_domain_that_is_not_there_is_explained),
		CASE(test_a_domain_is_explained_among_any_number),
		CASE(test_a_trace_shows_stanzas_until_the_server_ends_it),
		CASE(test_a_backup_is_whole_private_and_where_it_was_asked_for),
		CASE(test_a_failed_backup_leaves_the_old_one_and_nothing_else),
		CASE(test_a_backup_replaces_files_alone),
		CASE(test_a_store_in_use_is_not_replaced),
		CASE(test_a_store_that_nobody_uses_is_annex_worker_s_work),
		CASE(test_a_store_in_use_is_looked_at_through_a_copy),
		CASE(test_words_about_stores_are_checked),
		CASE(test_the_check_tells_the_run_dir),
		CASE(test_where_the_check_fails_the_file_s_line_tells_it),
		CASE(test_without_a_file_the_default_serves),
		CASE(test_a_file_that_was_named_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
