/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * server.h - the other end of a component stream, as fast as it gets
 *
 * Accepts one component on a Unix socket, shakes hands with anybody, and
 * leaves the bytes to the caller; only the fences that a component
 * sends to itself are routed back, as any server does.
 *
 * It reads whatever happens: what is to be written waits in a queue, however long,
 * so a component that does not read for a while, since its own output waits, is
 * never waited for by who would read that output.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_READ_BYTES 262144

struct out;

struct server {
	char path[108];
	int listener, link;
	pthread_t reader, writer;
	bool reading, paused;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t arrived, queued;
	uint64_t messages, bytes, answers, presences, probes; /* that came from the component */
	uint64_t message_bytes;
	struct out *out, **out_end; /* to be written */
	bool writing;               /* by the writer, what it took from out */
	bool dropped;
	bool blind; /* only read: count bytes and look at nothing, as a plain reader would */
};

void server_listen(struct server *server, const char *path);
void server_accept(struct server *server); /* waits for a component and its handshake */
/* Queue a copy of whole stanzas. */
void server_write(struct server *server, const void *bytes, size_t len);
void server_start_reading(struct server *server);      /* and count from zero */
void server_pause(struct server *server, bool paused); /* let the socket fill up */
void server_go_blind(struct server *server);
/* Wait until so many messages and answers to IQs have come; false after timeout_s. */
bool server_wait(struct server *server, uint64_t messages, uint64_t answers, int timeout_s);
/* The same for presences, and those of them that are probes. */
bool
server_wait_presences(struct server *server, uint64_t presences, uint64_t probes, int timeout_s);
bool server_wait_bytes(struct server *server, uint64_t bytes, int timeout_s);
uint64_t server_bytes(struct server *server);
void server_wait_end(struct server *server); /* of the link, by the component */
void server_drop(struct server *server);     /* close the link; what is queued is forgotten */
void server_close(struct server *server);    /* and the listener */

#endif /* BENCH_SERVER_H */
