/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * c2s.h - a thousand real clients of a real server, in one thread
 *
 * Each has a TCP connection of its own, logs in with SASL PLAIN (user7, password
 * user7; without TLS, so only to servers on this machine) and has a resource bound.
 * What comes is cut into stanzas, counted by kind, and handed to one function.
 *
 *	static void
 *	heard(struct c2s_client *client, const char *stanza, size_t len)
 *	{
 *		struct scene *scene = client->all->cookie;
 *		...
 *	}
 *
 *	struct c2s *all = c2s_create(5222, "localhost", 1000, heard, &scene);
 *
 *	c2s_login_all(all, "phone", 60);
 *	for (unsigned i = 0; i < 1000; i++)
 *		c2s_send(&all->client[i], "<message to='...'/>");
 *	if (!c2s_run(all, everything_came, 120))
 *		...
 */
#ifndef BENCH_C2S_H
#define BENCH_C2S_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct c2s;
struct c2s_client;

/* A whole stanza, as it came; it may send, and close its own client. */
typedef void c2s_fn(struct c2s_client *client, const char *stanza, size_t len);
typedef bool c2s_done_fn(void *cookie);

enum c2s_state {
	C2S_CLOSED,
	C2S_GREETING,       /* the stream is open; no features yet */
	C2S_AUTHENTICATING, /* PLAIN was sent */
	C2S_RESTARTED,      /* a new stream; no features yet */
	C2S_BINDING,        /* a resource was asked for */
	C2S_READY,
};

struct c2s_bytes {
	char *at;
	size_t len, room;
};

struct c2s_client {
	struct c2s *all;
	unsigned number;
	enum c2s_state state;
	int fd;
	char resource[32];
	unsigned depth; /* of open elements, up to scanned */
	size_t scanned, begin;
	struct c2s_bytes in, out;
	uint64_t messages, presences, iqs; /* since it was made */
};

struct c2s {
	uint16_t port;
	const char *host; /* the domain of the users */
	int epoll;
	unsigned count, ready, open;
	struct c2s_client *client;
	c2s_fn *heard;
	void *cookie;
	uint64_t messages, presences, iqs, bytes; /* of all */
};

/* None is connected yet. */
struct c2s *
c2s_create(uint16_t port, const char *host, unsigned count, c2s_fn *heard, void *cookie);
void c2s_destroy(struct c2s **all);

/* Begin to connect; it is ready when c2s_run has seen to that, and closed where nobody listens.  What
 * else cannot be done ends the process with a sentence, a refused password too. */
void c2s_login(struct c2s_client *client, const char *resource);
/* All of them, some at a time; false where that took longer. */
bool c2s_login_all(struct c2s *all, const char *resource, double within_s);

/* Queued, and sent by c2s_run; nothing where it is not ready. */
void
c2s_send(struct c2s_client *client, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Without a word, as who has lost their network. */
void c2s_close(struct c2s_client *client);

/* Send and take what comes until done says so; false where that took longer. */
bool c2s_run(struct c2s *all, c2s_done_fn *done, double within_s);

double c2s_now_s(void); /* of a clock that only goes on */

/* The attribute of a stanza's first tag, or NULL; good until the next call.  Entities stay as they are. */
const char *c2s_attr(const char *stanza, size_t len, const char *name);
/* Whether text is anywhere in it. */
bool c2s_has(const char *stanza, size_t len, const char *text);

#endif /* BENCH_C2S_H */
