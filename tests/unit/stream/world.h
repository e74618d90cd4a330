/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * world.h - a stream with everything it needs, on a clock turned by hand
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "memory_transport.h"

#define DOMAIN "annex.test"
#define HEADER                                               \
	"<?xml version='1.0'?><stream:stream "               \
	"xmlns:stream='http://etherx.jabber.org/streams' "   \
	"xmlns='jabber:component:accept' from='" DOMAIN "' " \
	"id='3BF96D32'>"
#define TEST_TIME_S 1790000000 /* 2026-09-21T14:13:20Z */

struct world {
	struct clock clock;
	struct timers timers;
	struct random random;
	struct log *log;
	struct buf lines; /* logged at notice and above, but "attached" */
	struct counters counters;
	struct memory_net net;
	struct stream_host hosts[3];
	struct stream_config config;
	struct stream_env env;
	struct stream_user user;
	struct stream *stream;
	unsigned ups, downs, closed;
	char why[300]; /* of the last down */
	unsigned fences_ok, fences_failed;
	struct buf events; /* what stream_next gave: names and ids */
};

struct world *world_create(void); /* configured, the stream not yet made */
void world_make(struct world *world);
void world_destroy(struct world *world);

/* Turn the clock, firing on the way what is due. */
void world_pass(struct world *world, int64_t ms);

void world_attach(struct world *world); /* make, start, connect, shake hands */
void world_shake(struct world *world);  /* the server's part, from connect on */

/* Take all stanzas, as "message#id iq#id "; good until the next call. */
const char *world_events(struct world *world);

/* Return, as the server would, every fence that is in text. */
unsigned world_return_fences(struct world *world, const char *text);

/* Text without fences and white space keepalives. */
char *world_without_fences(const char *text, char *out, size_t size);

void world_queue(struct world *world, enum stream_class class, const char *text);
void world_fence(struct world *world); /* counted in fences_ok, fences_failed */
void world_fence_on(struct world *world, const char *flow);
bool world_logged(struct world *world, const char *part);
int64_t world_count(struct world *world, const char *name);

#endif /* TESTS_WORLD_H */
