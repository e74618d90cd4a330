/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * server.h - the other end of a component stream, as fast as it gets
 *
 * Accepts one component on a Unix socket, shakes hands with anybody, and
 * leaves the bytes to the caller; only the fences that a component
 * sends to itself are routed back, as any server does.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server {
	char path[108];
	int listener, link;
	pthread_t reader;
	pthread_mutex_t writing;
	pthread_cond_t arrived;
	pthread_mutex_t counting;
	uint64_t messages, bytes, answers; /* that came from the component */
	uint64_t message_bytes;
	bool reading, paused, closed;
	bool blind; /* only read: count bytes and look at nothing, as a plain reader would */
};

void server_listen(struct server *server, const char *path);
void server_accept(struct server *server); /* waits for a component and its handshake */
void server_write(struct server *server, const void *bytes, size_t len);
void server_start_reading(struct server *server);
void server_pause(struct server *server, bool paused); /* let the socket fill up */
/* Wait until so many messages (or answers to IQs) have come; false after timeout_s. */
bool server_wait(struct server *server, uint64_t messages, uint64_t answers, int timeout_s);
bool server_wait_bytes(struct server *server, uint64_t bytes, int timeout_s);
void server_drop(struct server *server); /* close the link */
void server_close(struct server *server);

#endif /* BENCH_SERVER_H */
