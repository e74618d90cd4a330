/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_reload.c - a new configuration, and what annexctl asks of annexd
 *
 * Requests go over the real control socket; the answer is a line that the
 * client's end finds after the loop has turned.
 */
#include "bench.h"

#include <signal.h>

struct client {
	int fd;
	struct buf in;
};

static void
client_open(struct bench *b, struct client *c)
{
	struct sockaddr_un address;

	*c = (struct client) { .fd = -1 };
	assert_int_equal(
	    address_of_path(&address, annex_sprintf(b->pool, "%s/annexd.sock", b->s->run_dir)),
	    ANNEX_OK);
	c->fd = address_connect(&address);
	assert_true(c->fd >= 0);
}

static void
client_close(struct client *c)
{
	close(c->fd);
	buf_finish(&c->in);
}

static void
client_ask(struct client *c, const char *line)
{
	assert_int_equal(send(c->fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
}

/* Whether a whole line has come. */
static bool
client_has(struct client *c)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		buf_append(&c->in, bytes, (size_t)n);
	return strchr(buf_text(&c->in), '\n') != NULL;
}

static const char *
call(struct bench *b, const char *line)
{
	struct client c;
	const char *answer;

	client_open(b, &c);
	client_ask(&c, line);
	AWAIT(b, client_has(&c));
	answer = annex_strdup(b->pool, buf_text(&c.in));
	client_close(&c);
	return answer;
}

static const char *
reload(struct bench *b, const char *lines)
{
	bench_configure(b, lines);
	return call(b, "{\"command\": \"reload\"}\n");
}

static bool
is_running(struct bench *b, const char *domain)
{
	return the(b, domain)->state == COMPONENT_RUNNING;
}

/* a.test runs, with hash and boot-hash "1". */
static pid_t
start(struct bench *b)
{
	bench_configure(b, section(b, "a.test", "1", "1", "serve", ""));
	bench_start(b);
	AWAIT(b, b->s->started && is_running(b, "a.test") && b->s->told_ready);
	return the(b, "a.test")->process.pid;
}

static void
test_what_did_not_change_is_not_touched(void **state)
{
	struct bench *b = *state;
	pid_t pid = start(b);

	assert_string_equal(reload(b, section(b, "a.test", "1", "1", "serve", "")),
	    "{\"done\":true,\"result\":{\"unchanged\":[\"a.test\"]}}\n");
	assert_int_equal(the(b, "a.test")->process.pid, pid);
}

static void
test_a_changed_section_goes_to_the_running_worker(void **state)
{
	struct bench *b = *state;
	pid_t pid = start(b);

	assert_string_equal(reload(b, section(b, "a.test", "2", "1", "serve", "")),
	    "{\"done\":true,\"result\":{\"reloaded\":[\"a.test\"]}}\n");
	assert_int_equal(the(b, "a.test")->process.pid, pid);
	assert_string_equal(the(b, "a.test")->hash, "2");
}

static void
test_a_section_that_the_worker_refuses_is_offered_again(void **state)
{
	struct bench *b = *state;
	const char *bad = section(b, "a.test", "2", "1", "serve", ", \"refuse\": \"no such room\"");
	const char *answer = "{\"done\":true,\"result\":{\"failed\":"
			     "[{\"domain\":\"a.test\",\"why\":\"no such room\"}]}}\n";

	start(b);
	assert_string_equal(reload(b, bad), answer);
	assert_string_equal(reload(b, bad), answer);
	assert_true(LOGGED(b, "did not take the new section (no such room)"));
	assert_true(is_running(b, "a.test"));
}

static void
test_what_only_a_new_process_takes_up_restarts_that_worker_alone(void **state)
{
	struct bench *b = *state;
	pid_t pid, other;

	start(b);
	reload(b,
	    joined(b, section(b, "a.test", "1", "1", "serve", ""),
		section(b, "b.test", "1", "1", "serve", "")));
	AWAIT(b, is_running(b, "b.test"));
	pid = the(b, "a.test")->process.pid;
	other = the(b, "b.test")->process.pid;
	assert_string_equal(reload(b,
				joined(b, section(b, "a.test", "2", "2", "serve", ""),
				    section(b, "b.test", "1", "1", "serve", ""))),
	    "{\"done\":true,\"result\":{\"restarted\":[\"a.test\"],\"unchanged\":[\"b.test\"]}}\n");
	AWAIT(b, is_running(b, "a.test") && the(b, "a.test")->process.pid != pid);
	assert_int_equal(the(b, "b.test")->process.pid, other);
	assert_int_equal(the(b, "b.test")->starts, 1);
}

static void
test_components_come_and_go(void **state)
{
	struct bench *b = *state;

	start(b);
	assert_string_equal(reload(b, section(b, "b.test", "1", "1", "serve", "")),
	    "{\"done\":true,\"result\":{\"stopped\":[\"a.test\"],\"started\":[\"b.test\"]}}\n");
	AWAIT(b, supervisor_find(b->s, "a.test") == NULL && is_running(b, "b.test"));
}

static void
test_a_component_that_comes_back_while_it_stops_is_started_again(void **state)
{
	struct bench *b = *state;

	bench_configure(b, section(b, "a.test", "1", "1", "hang", ""));
	bench_start(b);
	AWAIT(b, b->s->started && is_running(b, "a.test"));
	assert_string_equal(
	    reload(b, ""), "{\"done\":true,\"result\":{\"stopped\":[\"a.test\"]}}\n");
	assert_int_equal(the(b, "a.test")->state, COMPONENT_STOPPING);
	assert_string_equal(reload(b, section(b, "a.test", "3", "1", "serve", "")),
	    "{\"done\":true,\"result\":{\"restarted\":[\"a.test\"]}}\n");
	assert_int_equal(the(b, "a.test")->starts, 1);
	bench_pass(b, 20);
	AWAIT(b, the(b, "a.test")->starts == 2 && is_running(b, "a.test"));
	assert_string_equal(the(b, "a.test")->hash, "3");
}

static void
test_a_bad_file_changes_nothing_and_says_why(void **state)
{
	struct bench *b = *state;
	pid_t pid = start(b);

	bench_write(b, "! annex.yaml:7:3: unknown option \"prot\"; did you mean \"port\"?\n");
	assert_string_equal(call(b, "{\"command\": \"reload\"}\n"),
	    "{\"done\":true,\"error\":\"annex.yaml:7:3: unknown option \\\"prot\\\"; did you mean "
	    "\\\"port\\\"?\\n\"}\n");
	assert_int_equal(the(b, "a.test")->process.pid, pid);
	assert_true(is_running(b, "a.test"));
	assert_true(LOGGED(b, "annex.yaml:7:3: unknown option"));
}

static void
test_warnings_come_back_with_the_answer(void **state)
{
	struct bench *b = *state;

	start(b);
	assert_string_equal(reload(b,
				joined(b, "? annex.yaml:2:1: think twice\n",
				    section(b, "a.test", "1", "1", "serve", ""))),
	    "{\"done\":true,\"result\":{\"warnings\":[\"annex.yaml:2:1: think twice\"],"
	    "\"unchanged\":[\"a.test\"]}}\n");
}

static void
test_systemd_is_told_when_a_reload_begins_and_ends(void **state)
{
	struct bench *b = *state;
	const char *told;

	start(b);
	b->clock.mono_us = 123456789;
	supervisor_signal(b->s, SIGHUP);
	told = strstr(bench_told(b), "RELOADING=1\nMONOTONIC_USEC=123456789");
	assert_non_null(told);
	AWAIT(b, b->s->reload == NULL);
	bench_told(b);
	told = strstr(buf_text(&b->told), "RELOADING=1");
	assert_non_null(strstr(told, "READY=1"));
}

static void
test_a_reload_asked_for_during_a_reload_reads_the_file_again(void **state)
{
	struct bench *b = *state;
	struct client first, second;

	start(b);
	client_open(b, &first);
	client_open(b, &second);
	bench_write(b, "hang\n");
	client_ask(&first, "{\"command\": \"reload\"}\n");
	AWAIT(b, b->s->reload != NULL);
	client_ask(&second, "{\"command\": \"reload\"}\n");
	AWAIT(b, b->s->reload_again);
	bench_configure(b, section(b, "a.test", "9", "1", "serve", ""));
	b->clock.mono_us += 30000000;
	AWAIT(b, client_has(&first));
	assert_non_null(strstr(buf_text(&first.in), "it took more than 30 seconds"));
	AWAIT(b, client_has(&second));
	assert_string_equal(
	    buf_text(&second.in), "{\"done\":true,\"result\":{\"reloaded\":[\"a.test\"]}}\n");
	client_close(&first);
	client_close(&second);
}

static void
test_a_worker_that_does_not_answer_its_section_is_late(void **state)
{
	struct bench *b = *state;
	struct client c;

	bench_configure(b, section(b, "a.test", "1", "1", "hang", ", \"phase\": \"commit\""));
	bench_start(b);
	AWAIT(b, b->s->started && is_running(b, "a.test"));
	client_open(b, &c);
	bench_configure(b, section(b, "a.test", "2", "1", "hang", ", \"phase\": \"commit\""));
	client_ask(&c, "{\"command\": \"reload\"}\n");
	AWAIT(b, b->s->reload != NULL && b->s->reload->pending == 1);
	bench_pass(b, 10);
	AWAIT(b, client_has(&c));
	assert_string_equal(
	    buf_text(&c.in), "{\"done\":true,\"result\":{\"late\":[\"a.test\"]}}\n");
	client_close(&c);
}

static void
test_the_run_dir_can_move(void **state)
{
	struct bench *b = *state;
	char *old = annex_sprintf(b->pool, "%s/annexd.sock", b->dir), *dir;

	start(b);
	dir = annex_sprintf(b->pool, "%s/elsewhere", b->dir);
	bench_write(b,
	    annex_sprintf(b->pool, "{\"global\": {\"run-dir\": \"%s\"}}\n%s{\"ok\": true}\n", dir,
		section(b, "a.test", "1", "1", "serve", "")));
	assert_non_null(strstr(call(b, "{\"command\": \"reload\"}\n"), "\"done\":true"));
	bench_pass(b, 2);
	assert_int_equal(access(old, F_OK), -1);
	assert_non_null(strstr(call(b, "{\"command\": \"status\"}\n"), "a.test"));
	supervisor_destroy(&b->s);
	assert_int_equal(rmdir(dir), 0);
}

/* The global line with this run-dir, and a.test. */
static void
configure_at(struct bench *b, const char *dir)
{
	bench_write(b,
	    annex_sprintf(b->pool, "{\"global\": {\"run-dir\": \"%s\"}}\n%s{\"ok\": true}\n", dir,
		section(b, "a.test", "1", "1", "mute", "")));
}

static void
test_who_asked_through_a_socket_that_moved_is_answered_or_let_go(void **state)
{
	struct bench *b = *state;
	char *one = annex_sprintf(b->pool, "%s/one", b->dir);
	char *two = annex_sprintf(b->pool, "%s/two", b->dir);
	struct client slow, late;

	bench_configure(b, section(b, "a.test", "1", "1", "mute", ""));
	bench_start(b);
	AWAIT(b, b->s->started);
	client_open(b, &slow);
	client_ask(&slow, "{\"command\": \"restart\", \"args\": {\"domain\": \"a.test\"}}\n");
	AWAIT(b, the(b, "a.test")->starts == 2 || the(b, "a.test")->state == COMPONENT_STOPPING);
	configure_at(b, one);
	assert_non_null(strstr(call(b, "{\"command\": \"reload\"}\n"), "\"done\":true"));
	bench_pass(b, 3);
	assert_false(client_has(&slow));
	client_open(b, &late);
	client_ask(&late, "{\"command\": \"restart\", \"args\": {\"domain\": \"a.test\"}}\n");
	/* It moves once more: the oldest socket has waited long enough. */
	configure_at(b, two);
	assert_non_null(strstr(call(b, "{\"command\": \"reload\"}\n"), "\"done\":true"));
	AWAIT(b, client_has(&slow));
	assert_non_null(strstr(buf_text(&slow.in), "shutting down"));
	supervisor_signal(b->s, SIGTERM);
	AWAIT(b, b->finished == 0);
	AWAIT(b, client_has(&late));
	assert_non_null(strstr(buf_text(&late.in), "the worker was stopped meanwhile"));
	client_close(&slow);
	client_close(&late);
	supervisor_destroy(&b->s);
	assert_int_equal(rmdir(one), 0);
	assert_int_equal(rmdir(two), 0);
}

static void
test_a_metrics_port_in_use_refuses_the_reload(void **state)
{
	struct bench *b = *state;
	struct http_server *other;
	const char *why = NULL, *global;

	start(b);
	other = http_listen("127.0.0.1:0", b->setup.reactor, b->setup.timers, b->setup.log, NULL,
	    NULL, b->pool, &why);
	assert_non_null(other);
	global = annex_sprintf(b->pool,
	    "{\"global\": {\"run-dir\": \"%s\", \"metrics\": \"127.0.0.1:%u\"}}\n", b->dir,
	    http_port(other));
	bench_write(b, joined(b, global, "{\"ok\": true}\n"));
	assert_non_null(
	    strstr(call(b, "{\"command\": \"reload\"}\n"), "Address already in use\"}"));
	assert_true(is_running(b, "a.test"));
	http_close(&other);
	assert_string_equal(call(b, "{\"command\": \"reload\"}\n"),
	    "{\"done\":true,\"result\":{\"stopped\":[\"a.test\"]}}\n");
	assert_non_null(b->s->http);
}

/* --- The other commands ---------------------------------------------------------------------- */

static void
test_a_restart_is_answered_when_the_worker_is_ready_again(void **state)
{
	struct bench *b = *state;
	pid_t pid = start(b);

	assert_string_equal(
	    call(b, "{\"command\": \"restart\", \"args\": {\"domain\": \"a.test\"}}\n"),
	    "{\"done\":true,\"result\":{\"domain\":\"a.test\",\"state\":\"running\"}}\n");
	assert_int_not_equal(the(b, "a.test")->process.pid, pid);
	assert_true(LOGGED(b, "restart a.test asked for by uid"));
}

static void
test_a_restart_that_fails_says_so(void **state)
{
	struct bench *b = *state;

	bench_configure(b, section(b, "a.test", "1", "1", "exit", ", \"status\": 1"));
	bench_start(b);
	AWAIT(b, b->s->started && the(b, "a.test")->state == COMPONENT_WAITING);
	assert_string_equal(
	    call(b, "{\"command\": \"restart\", \"args\": {\"domain\": \"a.test\"}}\n"),
	    "{\"done\":true,\"error\":\"a.test: the worker ended by itself: exit status 1\"}\n");
}

static void
test_a_drained_component_stays_down_until_a_reload(void **state)
{
	struct bench *b = *state;

	start(b);
	assert_string_equal(
	    call(b, "{\"command\": \"drain\", \"args\": {\"domain\": \"a.test\"}}\n"),
	    "{\"done\":true,\"result\":{\"domain\":\"a.test\",\"state\":\"down\"}}\n");
	bench_pass(b, 100);
	assert_int_equal(the(b, "a.test")->state, COMPONENT_DOWN);
	assert_non_null(strstr(bench_told(b), "STATUS=0/1 attached, 1 down"));
	assert_string_equal(call(b, "{\"command\": \"reload\"}\n"),
	    "{\"done\":true,\"result\":{\"started\":[\"a.test\"]}}\n");
	AWAIT(b, is_running(b, "a.test"));
}

static void
test_an_unknown_domain_gets_the_nearest_one(void **state)
{
	struct bench *b = *state;

	start(b);
	assert_string_equal(
	    call(b, "{\"command\": \"drain\", \"args\": {\"domain\": \"a.tset\"}}\n"),
	    "{\"done\":true,\"error\":\"no component a.tset is configured; did you mean a.test?\"}\n");
	assert_string_equal(call(b, "{\"command\": \"drain\"}\n"),
	    "{\"done\":true,\"error\":\"which component? \\\"domain\\\" is missing\"}\n");
	assert_string_equal(call(b, "{\"command\": \"nonsense\"}\n"),
	    "{\"done\":true,\"error\":\"annexd has no command \\\"nonsense\\\"\"}\n");
}

static void
test_status_tells_what_the_page_shows(void **state)
{
	struct bench *b = *state;
	json_t *answer, *component;

	bench_configure(b, section(b, "a.test", "1", "1", "serve", ", \"count\": 42"));
	bench_start(b);
	AWAIT(b, b->s->started && component_is_attached(the(b, "a.test")));
	answer = json_loads(call(b, "{\"command\": \"status\"}\n"), 0, NULL);
	component =
	    json_array_get(json_object_get(json_object_get(answer, "result"), "components"), 0);
	assert_string_equal(json_string_value(json_object_get(component, "domain")), "a.test");
	assert_string_equal(json_string_value(json_object_get(component, "module")), "echo");
	assert_string_equal(json_string_value(json_object_get(component, "state")), "running");
	assert_true(json_is_true(json_object_get(component, "attached")));
	assert_int_equal(json_integer_value(json_object_get(
			     json_object_get(component, "counters"), "stanzas_in_total")),
	    42);
	json_decref(answer);
}

static void
test_who_waits_when_annexd_stops_is_told(void **state)
{
	struct bench *b = *state;
	struct client restart, reloading;

	bench_configure(b, section(b, "a.test", "1", "1", "mute", ""));
	bench_start(b);
	AWAIT(b, b->s->started);
	client_open(b, &restart);
	client_open(b, &reloading);
	bench_write(b, "hang\n");
	client_ask(&reloading, "{\"command\": \"reload\"}\n");
	AWAIT(b, b->s->reload != NULL);
	client_ask(&restart, "{\"command\": \"restart\", \"args\": {\"domain\": \"a.test\"}}\n");
	AWAIT(b, the(b, "a.test")->starts == 2 || the(b, "a.test")->state == COMPONENT_STOPPING);
	supervisor_signal(b->s, SIGTERM);
	AWAIT(b, b->finished == 0);
	AWAIT(b, client_has(&reloading) && client_has(&restart));
	assert_non_null(strstr(buf_text(&reloading.in), "annexd is stopping"));
	assert_non_null(strstr(buf_text(&restart.in), "the worker was stopped meanwhile"));
	client_close(&reloading);
	client_close(&restart);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_what_did_not_change_is_not_touched),
		CASE(test_a_changed_section_goes_to_the_running_worker),
		CASE(test_a_section_that_the_worker_refuses_is_offered_again),
		CASE(test_what_only_a_new_process_takes_up_restarts_that_worker_alone),
		CASE(test_components_come_and_go),
		CASE(test_a_component_that_comes_back_while_it_stops_is_started_again),
		CASE(test_a_bad_file_changes_nothing_and_says_why),
		CASE(test_warnings_come_back_with_the_answer),
		CASE(test_systemd_is_told_when_a_reload_begins_and_ends),
		CASE(test_a_reload_asked_for_during_a_reload_reads_the_file_again),
		CASE(test_a_worker_that_does_not_answer_its_section_is_late),
		CASE(test_the_run_dir_can_move),
		CASE(test_who_asked_through_a_socket_that_moved_is_answered_or_let_go),
		CASE(test_a_metrics_port_in_use_refuses_the_reload),
		CASE(test_a_restart_is_answered_when_the_worker_is_ready_again),
		CASE(test_a_restart_that_fails_says_so),
		CASE(test_a_drained_component_stays_down_until_a_reload),
		CASE(test_an_unknown_domain_gets_the_nearest_one),
		CASE(test_status_tells_what_the_page_shows),
		CASE(test_who_waits_when_annexd_stops_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
