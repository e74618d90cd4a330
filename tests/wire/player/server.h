/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * server.h - the other end of the stream, in memory
 *
 * It answers the header and the handshake, routes back in order what the
 * component sends to its own domain (fences among it), and hands every
 * stanza it reads to who listens.  What it has to say waits until the player
 * lets it through, in pieces of the size the run demands.
 */
#ifndef WIRE_SERVER_H
#define WIRE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/element.h>

#include "base/clock.h"
#include "stream/transport.h"

struct connection;
struct tree_reader;

/* How it greets who connects. */
enum manners {
	MANNERS_FINE,
	MANNERS_REFUSE,             /* no connection */
	MANNERS_CLOSE_AT_CONNECT,   /* ... is closed at once */
	MANNERS_CLOSE_AT_HEADER,    /* after our header */
	MANNERS_CLOSE_AT_HANDSHAKE, /* after our handshake */
	MANNERS_REJECT,             /* a stream error after our handshake */
	MANNERS_REJECT_HEADER,      /* ... after our header */
	MANNERS_GREET,              /* says something of its own */
	MANNERS_SILENT,             /* accepts and says nothing */
};

/* Sizes of what is read and written at once. */
enum pieces { PIECES_WHOLE, PIECES_BYTES, PIECES_RANDOM };

struct server_user {
	void (*said)(
	    struct server_user *user, struct annex_element *el, const char *raw, size_t raw_len);
	void (*asked_back)(struct server_user *user, const struct annex_element *el);
	void (*writing)(struct server_user *user); /* bytes are given to the transport */
	void (*wrong)(struct server_user *user, const char *why);
};

struct server {
	struct transport_maker maker;
	struct server_user *user;
	struct annex_pool *pool; /* of what was read */
	const char *domain, *secret;
	struct random *dice;
	enum pieces pieces;

	enum manners manners;
	const char *manners_text; /* condition or greeting */
	bool stalled;             /* reads nothing */
	size_t silent;            /* bytes to come of what shows nothing, and was written in part */
	bool keeps_fences;        /* does not route them back */
	struct connection *connection;
	unsigned long connections; /* so far */

	struct tree_reader *reader;
	char *out; /* to be said */
	size_t out_len, out_room, out_at;
	size_t allowed;      /* of it, to be read now */
	bool closing;        /* behind it the stream ends */
	bool shaken;         /* handshake answered */
	bool header_written; /* by us */
	char stream_id[24];
};

void server_init(struct server *server);
void server_finish(struct server *server);

void server_say(struct server *server, const char *bytes, size_t len);
/* Close the connection once all was said. */
void server_close(struct server *server);
/* Close it now; what was not read is lost. */
void server_cut(struct server *server);
/* The other side crashed: nobody will close it. */
void server_forget(struct server *server);

/* Let one thing happen: a connection, a piece to be read, room to write.  False where nothing
 * can. */
bool server_step(struct server *server);

bool server_is_up(const struct server *server);

#endif /* WIRE_SERVER_H */
