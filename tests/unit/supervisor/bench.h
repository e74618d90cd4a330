/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench.h - a supervisor with fake workers, on a clock that the test turns
 *
 * Processes are real and take the time they take; await() lets the loop turn
 * until they have done what is waited for.  Timers only see the clock of the
 * bench, so a back-off of half a minute takes no time at all.
 */
#ifndef TESTS_UNIT_SUPERVISOR_BENCH_H
#define TESTS_UNIT_SUPERVISOR_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/loop.h"
#include "control/address.h"
#include "supervisor/supervisor.h"

struct bench {
	struct annex_pool *pool;
	struct clock clock;
	struct random random;
	struct loop *loop;
	struct log *log;
	struct buf logged, said, told;
	char dir[64];
	char *file;
	int notify_fd;
	struct supervisor_setup setup;
	struct supervisor *s;
	int finished; /* -1: not yet */
};

static inline void
bench_stand_still(struct clock *clock)
{
}

static inline void
bench_log(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
	buf_append(cookie, line, len);
}

static inline void
bench_finished(void *cookie, int status)
{
	((struct bench *)cookie)->finished = status;
}

static inline void
bench_sentences(void *cookie, const char *text, size_t len)
{
	buf_append(&((struct bench *)cookie)->said, text, len);
}

/* Datagrams so far, a line each kept apart by " | ". */
static inline const char *
bench_told(struct bench *b)
{
	char text[1024];
	ssize_t n;

	while ((n = recv(b->notify_fd, text, sizeof(text), MSG_DONTWAIT)) > 0) {
		buf_append(&b->told, text, (size_t)n);
		buf_puts(&b->told, " | ");
	}
	return buf_text(&b->told);
}

static inline void
bench_open_notify(struct bench *b)
{
	struct sockaddr_un address;

	b->setup.notify_socket = annex_sprintf(b->pool, "%s/notify", b->dir);
	assert_int_equal(address_of_path(&address, b->setup.notify_socket), ANNEX_OK);
	b->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(b->notify_fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static inline int
bench_setup(void **state)
{
	struct bench *b = mem_zalloc(sizeof(*b));

	*state = b;
	b->pool = annex_pool_create(NULL, "bench");
	b->clock = (struct clock) { .mono_us = 1000000, .read = bench_stand_still };
	random_init_seeded(&b->random, 1);
	b->loop = loop_create(&b->clock);
	b->log = log_create("annexd", &b->clock, bench_log, &b->logged);
	strcpy(b->dir, "/tmp/annex-super-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	b->file = annex_sprintf(b->pool, "%s/annex.yaml", b->dir);
	b->finished = -1;
	b->setup = (struct supervisor_setup) {
		.reactor = loop_reactor(b->loop),
		.timers = loop_timers(b->loop),
		.clock = &b->clock,
		.random = &b->random,
		.log = b->log,
		.program = FAKE_WORKER,
		.file = b->file,
		.stuck_s = 30,
		.finished = bench_finished,
		.sentences = bench_sentences,
		.cookie = b,
	};
	bench_open_notify(b);
	return 0;
}

static inline int
bench_teardown(void **state)
{
	struct bench *b = *state;

	supervisor_destroy(&b->s);
	close(b->notify_fd);
	unlink(b->setup.notify_socket);
	unlink(b->file);
	assert_int_equal(rmdir(b->dir), 0);
	log_destroy(&b->log);
	loop_destroy(&b->loop);
	buf_finish(&b->logged);
	buf_finish(&b->said);
	buf_finish(&b->told);
	annex_pool_destroy(&b->pool);
	free(b);
	return 0;
}

static inline void
bench_write(struct bench *b, const char *text)
{
	assert_int_equal(io_write_file_atomic(b->file, text, strlen(text), 0600), ANNEX_OK);
}

/* The global line, these, and ok. */
static inline void
bench_configure(struct bench *b, const char *lines)
{
	bench_write(b,
	    annex_sprintf(b->pool,
		"{\"global\": {\"state-dir\": \"%s\", \"run-dir\": \"%s\", \"metrics\": null, "
		"\"log-level\": \"debug\"}}\n%s{\"ok\": true}\n",
		b->dir, b->dir, lines));
}

/* A section line; more is what follows in the section object, like ", \"status\": 1". */
static inline const char *
section(struct bench *b, const char *domain, const char *hash, const char *boot, const char *what,
    const char *more)
{
	return annex_sprintf(b->pool,
	    "{\"domain\": \"%s\", \"hash\": \"%s\", \"boot-hash\": \"%s\", \"section\": "
	    "{\"module\": \"echo\", \"do\": \"%s\"%s}}\n",
	    domain, hash, boot, what, more);
}

static inline const char *
joined(struct bench *b, const char *one, const char *two)
{
	return annex_sprintf(b->pool, "%s%s", one, two);
}

/* Let the loop turn until condition holds; some ten seconds at most. */
#define AWAIT(b, condition)                                                                       \
	do {                                                                                      \
		int turns_ = 0;                                                                   \
		while (!(condition) && turns_++ < 1000)                                           \
			loop_run_once((b)->loop, 10);                                             \
		if (!(condition))                                                                 \
			fail_msg(                                                                 \
			    "never came true: %s\nlog:\n%s", #condition, buf_text(&(b)->logged)); \
	} while (0)

/* Turn the clock second by second, the loop following. */
static inline void
bench_pass(struct bench *b, int seconds)
{
	for (int i = 0; i < seconds; i++) {
		b->clock.mono_us += 1000000;
		loop_run_once(b->loop, 0);
		loop_run_once(b->loop, 0);
	}
}

static inline void
bench_start(struct bench *b)
{
	b->s = supervisor_create(&b->setup);
	supervisor_start(b->s);
}

static inline struct component *
the(struct bench *b, const char *domain)
{
	struct component *component = supervisor_find(b->s, domain);

	assert_non_null(component);
	return component;
}

#define LOGGED(b, text) (strstr(buf_text(&(b)->logged), (text)) != NULL)

#endif /* TESTS_UNIT_SUPERVISOR_BENCH_H */
