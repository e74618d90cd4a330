/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * private.h - what the files of a stream know about each other
 *
 * stream.c owns the life cycle: it opens the link and decides what follows
 * its end.  inbound.c reads and sorts, outbound.c writes, liveness.c has the
 * timers that make sure somebody is there.  All of them end the link in one
 * way: link_fail.
 */
#ifndef STREAM_PRIVATE_H
#define STREAM_PRIVATE_H

#include "backoff.h"
#include "fence.h"
#include "outbox.h"
#include "stream.h"
#include "trouble.h"

enum state {
	STATE_IDLE, /* before stream_start */
	STATE_WAITING,
	STATE_CONNECTING,
	STATE_OPENING,     /* connected, our header sent */
	STATE_HANDSHAKING, /* theirs received, the digest sent */
	STATE_UP,
	STATE_CLOSING, /* writing what is queued, then waiting for the server's end */
	STATE_CLOSED,
};

enum counted {
	COUNT_LINK_UP,
	COUNT_RECONNECTS,
	COUNT_BYTES_IN,
	COUNT_BYTES_OUT,
	COUNT_STANZAS_OUT,
	COUNT_QUEUE_BYTES,
	COUNT_FORGOTTEN,
	COUNT_FENCE,
	COUNT_DROPPED, /* and one for each class of stream.h */
	COUNTS = COUNT_DROPPED + STREAM_BOUNCE + 1
};

/* A trouble that the log has been told of. */
struct told {
	struct buf what;
	int64_t at_ms; /* 0: none */
};
#define TOLD_MAX 32 /* twice as many as there may be hosts */

struct stream {
	uint32_t magic;
#define STREAM_MAGIC 0x57e4a913u
	struct annex_pool *config_pool;
	struct stream_config config;
	struct stream_env env;
	struct stream_user *user;
	struct transport_maker *sockets; /* our own maker, or NULL */

	enum state state;
	struct timer phase;         /* of every state but up: when it has lasted too long */
	size_t host;                /* the one being tried */
	enum backoff_class slowest; /* of the hosts of this round */
	struct backoff backoff;
	int64_t up_since_ms;
	bool was_up;        /* ever */
	bool reopening;     /* closing to come back at once */
	bool end_sent;      /* </stream:stream> */
	struct buf trouble; /* the last one, for people */
	struct told told[TOLD_MAX];

	struct transport_user carrier;
	struct transport *transport;
	bool connected;
	bool linked; /* from the handshake's end to the link's */
	int wanted;  /* events asked of the transport */

	struct xml_parser *parser;
	struct annex_link inbox; /* stanzas to be taken */
	bool paused;             /* reading waits until they are */
	char *input;             /* INPUT_BYTES */

	struct buf raw; /* header, handshake, white space, end: before any stanza */
	struct outbox outbox;
	struct outbox counted; /* only its numbers: what the counters have been told */
	struct fences fences;
	int64_t written_ms, fence_ms; /* when something, or a fence, last left */
	int64_t foreign_logged_ms, refused_logged_ms, alien_logged_ms;
	struct timer fence_release, fence_check, fence_lost, keepalive, pressure, later;
	bool stopped; /* reading, for pressure */
	bool broken;  /* a write failed; trouble says why */

	struct counters *own_counters;
	struct counter_slot *count[COUNTS];
};

/* stream.c */
void link_fail(struct stream *stream, const struct trouble *row, const char *fmt, ...)
    ANNEX_PRINTF(3, 4);
void link_opened(struct stream *stream); /* connected: say who we are */
void link_up(struct stream *stream);     /* the handshake is done */
void link_ended(struct stream *stream);  /* the server closed its stream */
void stream_count(struct stream *stream, enum counted which, int64_t by);

/* inbound.c */
void link_read(struct stream *stream);

/* outbound.c */
void link_write(struct stream *stream);
void link_want(struct stream *stream);
void link_goodbye(struct stream *stream, const char *condition);
void outbound_init(struct stream *stream);
void outbound_account(struct stream *stream);

/* liveness.c */
void liveness_start(struct stream *stream);
void liveness_stop(struct stream *stream);
void liveness_written(struct stream *stream);     /* something left */
void liveness_place_fence(struct stream *stream); /* with the waiters that are ready */
bool liveness_take_fence(struct stream *stream, const struct annex_element *el);
void liveness_pressure(struct stream *stream);

#endif /* STREAM_PRIVATE_H */
