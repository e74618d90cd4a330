/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * transport.h - what carries a stream's bytes
 *
 * A TCP or Unix socket, TLS over it, or memory in a test.  The stream asks
 * for a transport and is called when something happens; it never blocks.
 */
#ifndef STREAM_TRANSPORT_H
#define STREAM_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct transport;
struct stream_host;

/* Whoever uses a transport.  Callbacks may close it. */
struct transport_user {
	void (*connected)(struct transport_user *user);         /* TLS done, too */
	void (*ready)(struct transport_user *user, int events); /* REACTOR_READ | REACTOR_WRITE */
	void (*failed)(struct transport_user *user, const char *why); /* before connected */
};

struct transport {
	const struct transport_ops *ops;
	struct transport_user *user;
	bool is_alien; /* with failed: somebody answered, but not as he should; try less often */
};

struct transport_ops {
	/* Bytes moved; 0 from read at the end of the stream; -EAGAIN; other -errno. */
	ssize_t (*read)(struct transport *transport, void *bytes, size_t len);
	ssize_t (*write)(struct transport *transport, const void *bytes, size_t len);
	void (*want)(struct transport *transport, int events); /* what ready() is called for */
	void (*close)(struct transport *transport);            /* frees it */
	const char *(*why)(struct transport *transport);       /* of the last failure, for people */
};

struct transport_maker {
	/* Begin to connect; user hears of it later, never from inside.  NULL with *why where that
	 * is impossible at once. */
	struct transport *(*open)(struct transport_maker *maker, const struct stream_host *host,
	    struct transport_user *user, const char **why);
};

#endif /* STREAM_TRANSPORT_H */
