/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fixture.h - an instance to try the parts of service/ on
 *
 * A stream to a server that is the test, a store in a directory of its own, a
 * clock turned by hand, and turns that end as the worker's do: what they said
 * is heard once they are durable, or they are undone and the instance is made
 * anew.  There is no replay: that is the worker's.
 */
#ifndef TESTS_SERVICE_FIXTURE_H
#define TESTS_SERVICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "service/instance.h"
#include "service/output.h"
#include "store/store.h"
#include "tests/unit/stream/memory_transport.h"

#define DOMAIN "annex.test"
#define TEST_TIME_S 1790000000 /* 2026-09-21T14:13:20Z */

struct fixture {
	struct annex_instance inst;
	struct annex_module module; /* a copy: tests may change it */
	struct instance_host host;
	struct clock clock;
	struct timers timers;
	struct random random;
	struct log *log;
	struct buf lines; /* logged at info and above, by the instance */
	struct counters counters;
	struct reactor *reactor; /* on poll(2) */
	struct memory_net net;
	struct stream_host server;
	struct stream_user user;
	struct annex_pool *pool;
	char dir[128];
	struct buf heard;
	unsigned wakes, lives; /* times create was called */
	const char *why;       /* of the last turn that failed */
};

/* Attached, created, and nothing to hear.  module may be NULL: one that does nothing. */
struct fixture *fixture_create(const struct annex_module *module);
void fixture_destroy(struct fixture *f);

/* The process ends and another begins on the same store; with another module where it is not NULL. */
void fixture_restart(struct fixture *f, const struct annex_module *module);

/* End the turn: true where it is durable; false where it was undone. */
bool fixture_end(struct fixture *f);

/* The server says a stanza: a turn.  What is heard then, without fences. */
const char *fixture_say(struct fixture *f, const char *fmt, ...) ANNEX_PRINTF(2, 3);
const char *fixture_heard(struct fixture *f);

/* Turn the clock; every moment at which something fires is a turn. */
void fixture_pass(struct fixture *f, int64_t ms);

void fixture_link_down(struct fixture *f);
void fixture_link_up(struct fixture *f);
void fixture_return_fences(struct fixture *f); /* all that are out come back: a turn */

/* Wait for descriptors: turns, until *done, at most 10 s. */
void fixture_wait(struct fixture *f, const bool *done);

bool fixture_logged(const struct fixture *f, const char *part);
int64_t fixture_count(const struct fixture *f, const char *name);

/* The value of the first attribute of that name in heard; good until the next call. */
const char *attr_of(struct fixture *f, const char *heard, const char *name);

#endif /* TESTS_SERVICE_FIXTURE_H */
