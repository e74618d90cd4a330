/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * server.h - a small server on real sockets, moved on by hand
 *
 * It shakes hands with whoever connects and gives back every byte that
 * follows.  It lives in the test's own thread: server_step does what can be
 * done without waiting.
 */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "stream/stream.h"

struct server {
	int listener, peer;
	uint16_t port;
	char path[100]; /* of a Unix socket */
	SSL_CTX *ctx;   /* NULL: plain */
	SSL *ssl;       /* of the peer */
	bool is_mute;   /* accepts, and says nothing */
	bool is_rude;   /* closes at once */
	bool is_shaken; /* this peer has been let in */
	bool echoes;    /* what comes after that goes back */
	size_t most;    /* bytes read in a step */
	struct buf in, out;
	unsigned accepted;
	size_t received; /* after the handshake */
};

/* family: AF_INET, AF_INET6 or AF_UNIX; false where the machine has none. */
bool server_listen(struct server *server, int family);
void server_finish(struct server *server);
void server_drop_peer(struct server *server);
void server_step(struct server *server);

/* A host to connect to. */
struct stream_host server_host(const struct server *server, const char *name);

#endif /* TESTS_SERVER_H */
