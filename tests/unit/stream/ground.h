/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ground.h - a stream on real sockets, and the loop that moves it
 */
#ifndef TESTS_GROUND_H
#define TESTS_GROUND_H

#include "server.h"

struct ground {
	struct clock clock;
	struct timers timers;
	struct random random;
	struct log *log;
	struct reactor *reactor;
	struct stream_host hosts[3];
	struct stream_config config;
	struct stream_env env;
	struct stream_user user;
	struct stream *stream;
	struct server server, second; /* second: where there are two */
	unsigned ups, downs, closed;
	size_t stanzas, bytes; /* taken in */
};

struct ground *ground_create(void); /* no server listens yet */
void ground_destroy(struct ground *ground);
void ground_start(struct ground *ground);

/* Move everything on until it is so; fails the test after 20 s. */
#define ground_until(ground, condition)                                     \
	do {                                                                \
		int64_t until_ms_ = clock_ms(&(ground)->clock) + 20000;     \
		while (!(condition)) {                                      \
			if (clock_ms(&(ground)->clock) > until_ms_)         \
				fail_msg("never: %s (%s)", #condition,      \
				    stream_last_trouble((ground)->stream)); \
			ground_step(ground);                                \
		}                                                           \
	} while (0)
void ground_step(struct ground *ground);

#endif /* TESTS_GROUND_H */
