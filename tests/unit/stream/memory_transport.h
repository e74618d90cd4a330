/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * memory_transport.h - a server that is a test, and a wire that is memory
 *
 * The maker hands out one link at a time.  Nothing happens by itself: the
 * test connects or refuses, speaks, listens, stalls and hangs up.
 */
#ifndef TESTS_MEMORY_TRANSPORT_H
#define TESTS_MEMORY_TRANSPORT_H

#include "base/buf.h"
#include "stream/stream.h"

struct memory_link {
	struct transport transport;
	struct memory_net *net;
	struct buf in; /* said by the server, not yet read */
	bool eof;
	int wants;
};

struct memory_net {
	struct transport_maker maker;
	struct memory_link *link; /* NULL: none open */
	const char *impossible;   /* open fails with it at once */
	char host[200];           /* of the last open */
	struct buf out;           /* written by the stream, not yet heard */
	struct buf heard;         /* what memory_heard gave last */
	size_t room;              /* bytes that the next writes take; SIZE_MAX: all */
	int write_error;          /* of every write from now on, as -errno */
	unsigned opens, closes, writes;
	size_t written; /* bytes, ever */
};

void memory_net_init(struct memory_net *net);
void memory_net_finish(struct memory_net *net);

void memory_connect(struct memory_net *net);
void memory_refuse(struct memory_net *net, const char *why);

/* Put bytes on the way; then let the stream read while it wants to. */
void memory_say(struct memory_net *net, const char *text);
void memory_say_bytes(struct memory_net *net, const void *bytes, size_t len);
void memory_hang_up(struct memory_net *net);
void memory_read(struct memory_net *net);

/* The wire takes so many more bytes: writing goes on if the stream wants to. */
void memory_take(struct memory_net *net, size_t bytes);

/* What was written since it was last asked for; good until the next call. */
const char *memory_heard(struct memory_net *net);

#endif /* TESTS_MEMORY_TRANSPORT_H */
