/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * socket.h - a component's own sockets: who comes, what they say, what they are told
 *
 * What a component says to a peer leaves when the turn is durable, as everything
 * does.  Where a turn fails all peers are closed by the reset, and create
 * listens anew: what was not acknowledged they say again.
 */
#ifndef ANNEX_SOCKET_H
#define ANNEX_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_instance;
struct annex_listener;
struct annex_peer;
struct annex_watch;

/* Where others find us. */
struct annex_place {
	const char *name; /* a Unix socket, DOMAIN.NAME.sock in the run directory; */
	unsigned mode;    /* of it: who may connect, 0600, 0660 or 0666 */
	const char *host; /* or a numeric address; then name is NULL */
	uint16_t port;    /* 0: any that is free */
};

/* The path of a Unix socket of that name, as long as the instance. */
const char *annex_socket_path(struct annex_instance *inst, const char *name);

/*
 * A socket that listens there, non-blocking, for a library that serves it by itself; the caller
 * closes it.  The socket of a process that died is replaced.  Negative: *why is a sentence, in
 * scratch (ANNEX_EEXIST: another process listens there).
 */
int
annex_socket_open(struct annex_instance *inst, const struct annex_place *place, const char **why);

/* Each is called in a turn.  Members may be NULL. */
struct annex_peer_events {
	/* Somebody has connected; what is returned is their cookie.  annex_peer_close refuses them. */
	void *(*came)(struct annex_instance *inst, struct annex_peer *peer, void *listener_cookie);
	void (*said)(struct annex_instance *inst, struct annex_peer *peer, const char *bytes,
	    size_t len, void *cookie);
	/* They are gone, and peer with the return of this.  Not told of peers that we close. */
	void (*left)(struct annex_instance *inst, struct annex_peer *peer, void *cookie);
};

/* Listen; until annex_listener_close or destroy.  NULL: *why is a sentence, in scratch. */
struct annex_listener *annex_listen(struct annex_instance *inst, const struct annex_place *place,
    const struct annex_peer_events *events, void *cookie, const char **why);
/*
 * And all its peers, at once: what they were not told yet is lost.  It may be called in the
 * listener's own events too; the peer of such a call is good until that returns, though nothing is
 * written to it.
 */
void annex_listener_close(struct annex_listener **listener);

/* Queued; at most 1 MiB, else ANNEX_ELIMIT. */
int annex_peer_write(struct annex_peer *peer, const void *bytes, size_t len);
/* When all is written; the component does not use peer after this. */
void annex_peer_close(struct annex_peer *peer);
/* Whether to read on: who does not keep up is not read from. */
void annex_peer_pause(struct annex_peer *peer, bool pause);
/* Whose process it is, by the kernel's word (SO_PEERCRED); -1 where it is no Unix socket. */
int64_t annex_peer_uid(const struct annex_peer *peer);

/*
 * Wake a library that waits for descriptors by itself: fn is called, in a turn, when fd (an epoll
 * descriptor, say) is readable.  fd stays the caller's; end the watch before closing it.  What the
 * library says to others must wait for annex_when_durable.
 */
struct annex_watch *annex_watch(struct annex_instance *inst, int fd,
    void (*fn)(struct annex_instance *inst, void *cookie), void *cookie);
void annex_watch_end(struct annex_watch **watch);

#pragma GCC visibility pop

#endif /* ANNEX_SOCKET_H */
