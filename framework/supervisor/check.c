/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check.c - the configuration, as `annex-worker --check` reads it for us
 *
 * Two pipes and a process end in any order; the check is over when all three
 * have.  Everything it prints is bounded and must be what section.h says:
 * a check that dies half-way has no {"ok": true} and counts as failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "base/io.h"
#include "control/lines.h"

#include "check.h"
#include "process.h"

#define CHECK_TIMEOUT_MS 30000
#define SENTENCES_MAX ((size_t)64 << 10)
#define SECTIONS_MAX 1000

struct check {
	struct reactor *reactor;
	struct timers *timers;
	check_done_fn *done;
	void *cookie;
	struct process process;
	struct watch out, err;
	struct timer patience;
	struct lines lines;
	struct buf sentences;
	struct configuration *configuration;
	int status;
	bool ended;        /* the process */
	bool ok;           /* it said so */
	const char *fault; /* why its output is not believed */
};

static void
drop_json(void *json)
{
	json_decref(json);
}

void
configuration_free(struct configuration **configurationp)
{
	struct annex_pool *pool;

	if (*configurationp == NULL)
		return;
	pool = (*configurationp)->pool;
	*configurationp = NULL;
	annex_pool_destroy(&pool);
}

const struct check_section *
configuration_find(const struct configuration *configuration, const char *domain)
{
	for (const struct check_section *s = configuration->first; s != NULL; s = s->next)
		if (strcmp(s->domain, domain) == 0)
			return s;
	return NULL;
}

static void
watch_close(struct check *check, struct watch *watch)
{
	watch_stop(check->reactor, watch);
	io_close(&watch->fd);
}

static void
check_free(struct check *check)
{
	timer_stop(check->timers, &check->patience);
	watch_close(check, &check->out);
	watch_close(check, &check->err);
	process_destroy(&check->process);
	lines_finish(&check->lines);
	buf_finish(&check->sentences);
	configuration_free(&check->configuration);
	free(check);
}

void
check_cancel(struct check **check)
{
	if (*check != NULL)
		check_free(*check);
	*check = NULL;
}

static const char *
text_of(struct check *check, json_t *object, const char *key)
{
	return annex_strdup(
	    check->configuration->pool, json_string_value(json_object_get(object, key)));
}

static const char *
take_global(struct check *check, json_t *global)
{
	struct configuration *c = check->configuration;

	c->run_dir = text_of(check, global, "run-dir");
	c->metrics = text_of(check, global, "metrics");
	c->log_level = text_of(check, global, "log-level");
	return c->run_dir != NULL ? NULL : "it told no run-dir";
}

static const char *
take_section(struct check *check, json_t *line)
{
	struct configuration *c = check->configuration;
	struct check_section *section = annex_new(c->pool, struct check_section), **at;

	section->domain = text_of(check, line, "domain");
	section->hash = text_of(check, line, "hash");
	section->boot_hash = text_of(check, line, "boot-hash");
	section->section = json_incref(json_object_get(line, "section"));
	annex_pool_on_destroy(c->pool, drop_json, section->section);
	if (section->domain == NULL || section->hash == NULL || section->boot_hash == NULL ||
	    !json_is_object(section->section))
		return "a section is not whole";
	if (++c->count > SECTIONS_MAX)
		return "it told more than 1,000 components";
	if (configuration_find(c, section->domain) != NULL)
		return "it told a domain twice";
	for (at = &c->first; *at != NULL; at = &(*at)->next)
		;
	*at = section;
	return NULL;
}

static const char *
take_line(struct check *check, const char *text, size_t len)
{
	json_t *line = json_loadb(text, len, 0, NULL), *global;
	const char *fault = NULL;

	if (!json_is_object(line))
		fault = "a line is no JSON object";
	else if ((global = json_object_get(line, "global")) != NULL)
		fault = take_global(check, global);
	else if (json_object_get(line, "domain") != NULL)
		fault = take_section(check, line);
	else if (json_is_true(json_object_get(line, "ok")))
		check->ok = true;
	json_decref(line);
	return fault;
}

static void
check_out(struct check *check, const char *bytes, size_t n)
{
	char *line;
	size_t len;

	lines_feed(&check->lines, bytes, n);
	while (check->fault == NULL && lines_next(&check->lines, &line, &len))
		check->fault = take_line(check, line, len);
	if (check->fault == NULL && lines_is_overlong(&check->lines))
		check->fault = "a line is longer than 1 MiB";
	if (check->fault != NULL)
		process_signal(&check->process, SIGKILL);
}

/* Whoever ran the check gets a sentence in any case. */
static void
explain(struct check *check, struct annex_pool *pool)
{
	struct buf *s = &check->sentences;

	if (check->fault != NULL)
		buf_printf(s, "the check of the configuration failed: %s\n", check->fault);
	else if (s->len == 0)
		buf_printf(s, "the check of the configuration failed: %s\n",
		    check->status != 0 ? process_end_text(check->status, pool)
				       : "it ended without a result");
}

static void
check_finish_if_over(struct check *check)
{
	struct configuration *configuration = NULL;
	struct annex_pool *pool;
	check_done_fn *done = check->done;
	void *cookie = check->cookie;
	struct buf sentences;

	if (!check->ended || check->out.fd >= 0 || check->err.fd >= 0)
		return;
	pool = annex_pool_create(NULL, "check");
	if (check->fault == NULL && check->status == 0 && check->ok &&
	    check->configuration->run_dir != NULL) {
		configuration = check->configuration;
		check->configuration = NULL;
	} else {
		explain(check, pool);
	}
	sentences = check->sentences;
	check->sentences = (struct buf) { 0 };
	check_free(check);
	done(cookie, configuration, &sentences);
	buf_finish(&sentences);
	annex_pool_destroy(&pool);
}

/* n bytes came, or the end (0); errors count as the end. */
static ssize_t
check_read(struct check *check, struct watch *watch, char *bytes, size_t room)
{
	ssize_t n = read(watch->fd, bytes, room);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	if (n <= 0) {
		watch_close(check, watch);
		return 0;
	}
	return n;
}

static void
out_fire(struct watch *watch, int events)
{
	struct check *check = annex_container_of(watch, struct check, out);
	char bytes[16384];
	ssize_t n = check_read(check, watch, bytes, sizeof(bytes));

	if (n > 0)
		check_out(check, bytes, (size_t)n);
	else if (n == 0)
		check_finish_if_over(check);
}

static void
err_fire(struct watch *watch, int events)
{
	struct check *check = annex_container_of(watch, struct check, err);
	char bytes[4096];
	ssize_t n = check_read(check, watch, bytes, sizeof(bytes));

	if (n > 0)
		buf_append(&check->sentences, bytes, (size_t)n);
	else if (n == 0)
		check_finish_if_over(check);
}

static void
check_ended(struct process *process, int status)
{
	struct check *check = annex_container_of(process, struct check, process);

	check->ended = true;
	check->status = status;
	check_finish_if_over(check);
}

static void
check_expired(struct timer *timer)
{
	struct check *check = annex_container_of(timer, struct check, patience);

	check->fault = "it took more than 30 seconds";
	process_signal(&check->process, SIGKILL);
	/* A grandchild may hold the pipes open: what they say is of no interest now. */
	watch_close(check, &check->out);
	watch_close(check, &check->err);
	check_finish_if_over(check);
}

/* The process could not even be made. */
static void
check_stillborn(struct timer *timer)
{
	struct check *check = annex_container_of(timer, struct check, patience);

	check->ended = true;
	watch_close(check, &check->out);
	watch_close(check, &check->err);
	check_finish_if_over(check);
}

static int
check_run(struct check *check, const char *program, const char *file)
{
	const char *const argv[] = { program, "--check", "-c", file, NULL };
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	struct process_plan plan = { .path = program, .argv = argv, .fd_count = 3 };
	int r = ANNEX_EIO;

	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(err, O_CLOEXEC | O_NONBLOCK) == 0) {
		plan.fds[0] = -1;
		plan.fds[1] = out[1];
		plan.fds[2] = err[1];
		/* The child's ends block, as programs expect of their output. */
		fcntl(out[1], F_SETFL, 0);
		fcntl(err[1], F_SETFL, 0);
		r = process_start(&check->process, check->reactor, &plan, check_ended);
	}
	if (r < 0)
		check->fault = annex_strdup(check->configuration->pool, strerror(errno));
	io_close(&out[1]);
	io_close(&err[1]);
	check->out.fd = out[0];
	check->err.fd = err[0];
	return r;
}

struct check *
check_start(struct reactor *reactor, struct timers *timers, const char *program, const char *file,
    check_done_fn *done, void *cookie)
{
	struct check *check = mem_zalloc(sizeof(*check));
	struct annex_pool *pool = annex_pool_create(NULL, "configuration");

	*check = (struct check) {
		.reactor = reactor,
		.timers = timers,
		.done = done,
		.cookie = cookie,
		.sentences.max = SENTENCES_MAX,
		.configuration = annex_new(pool, struct configuration),
	};
	check->configuration->pool = pool;
	if (check_run(check, program, file) < 0) {
		timer_start(timers, &check->patience, 0, check_stillborn);
		return check;
	}
	timer_start(timers, &check->patience, CHECK_TIMEOUT_MS, check_expired);
	watch_start(reactor, &check->out, check->out.fd, REACTOR_READ, out_fire);
	watch_start(reactor, &check->err, check->err.fd, REACTOR_READ, err_fire);
	return check;
}
