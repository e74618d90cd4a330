/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * stream.h - our side of a component stream (XEP-0114)
 *
 * One stream for one domain, kept up for ever: it connects, shakes hands,
 * reads stanzas into a queue, writes what its flows hold, and when the link
 * is lost it waits and comes back.  States:
 *
 *	waiting ─▶ connecting ─▶ opening ─▶ handshaking ─▶ up ─▶ closing ─▶ closed
 *	   ▲______________|____________|______________|______|
 *
 * Reading: bytes are parsed when the socket is readable, at most read_bytes
 * a turn; the worker takes the stanzas with stream_next.  Writing: the
 * worker queues when a turn is durable and flushes once, at its end.
 */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "base/reactor.h"
#include "base/timer.h"
#include "transport.h"
#include "xml/parser.h"

struct stream;
struct flow;
struct fanout;

/* One of the places where the server may be: tried in order. */
struct stream_host {
	const char *name; /* host name, IPv4, IPv6, or NULL for a Unix socket */
	uint16_t port;
	const char *path; /* of a Unix socket, or NULL */
};

struct stream_config {
	const char *domain; /* prepared, lowercase */
	const char *secret;
	const struct stream_host *hosts;
	size_t host_count;
	bool tls;                 /* direct TLS */
	const char *tls_name;     /* name in the certificate; NULL = the host's */
	const char *tls_ca_file;  /* NULL = the system's */
	const char *tls_ca_stamp; /* changes when that file does: it is read again; or NULL */
	/* Lowercase hex SHA-256 of the certificate; NULL = none.  With a pin and without a CA file,
	 * the pin alone decides. */
	const char *tls_pin;
	struct xml_limits limits;
	size_t read_bytes;       /* a turn: 256 KiB */
	size_t queue_high_bytes; /* above it stream_pressure is STREAM_HIGH: 16 MiB */
	size_t queue_hard_bytes; /* ... STREAM_HARD: 64 MiB */
	int keepalive_ms;        /* 60,000; white space after that much silence of ours */
	int fence_check_ms;      /* 60,000; a fence at least that often: whose is the route? */
};
void stream_config_init(struct stream_config *config); /* the presets above */

struct stream_env {
	struct clock *clock;
	struct timers *timers;
	struct random *random;
	struct log *log;
	struct counters *counters;
	struct reactor *reactor;       /* NULL with a maker that needs none */
	struct transport_maker *maker; /* NULL: sockets and TLS on the reactor */
};

/* Each is called from a transport's or a timer's callback, never from inside of a call to the
 * stream, and may call anything but stream_destroy. */
struct stream_user {
	void (*up)(struct stream_user *user);                    /* the server took our handshake */
	void (*down)(struct stream_user *user, const char *why); /* after an up */
	void (*closed)(struct stream_user *user);                /* after stream_close: all done */
};

struct stream *stream_create(
    const struct stream_config *config, const struct stream_env *env, struct stream_user *user);
void stream_destroy(struct stream **stream);

void stream_start(struct stream *stream);

/*
 * Take a new configuration (copied; of the same domain): ANNEX_OK where it
 * applied to the live stream, ANNEX_AGAIN where a reconnect was begun because
 * address, secret or TLS changed.  What is queued is written to the old link
 * first, for at most 5 s.  TLS files are read at every connect; of the limits
 * those other than stanza_bytes hold from the next link on.
 */
int stream_reconfigure(struct stream *stream, const struct stream_config *config);

/* Write what is queued, then </stream:stream>, wait for the server's; at most deadline_ms. */
void stream_close(struct stream *stream, int deadline_ms);

bool stream_is_up(const struct stream *stream);
const char *stream_state_name(const struct stream *stream);
int64_t stream_up_since_ms(const struct stream *stream);      /* monotonic; 0 when not up */
const char *stream_last_trouble(const struct stream *stream); /* or NULL */

/*
 * Input.  The next stanza (XML_STANZA or XML_SKIPPED), the caller's until
 * stream_free_event; fences that came back are taken out before.  NULL: none.
 */
struct xml_event *stream_next(struct stream *stream);
bool stream_has_next(const struct stream *stream);
void stream_free_event(struct stream *stream, struct xml_event *event);

/* Output.  What becomes of it when the link is lost: */
enum stream_class {
	STREAM_ANSWER,   /* kept; resent until fenced */
	STREAM_DURABLE,  /* kept; resent until fenced (a message gets a delay stamp when resent) */
	STREAM_MESSAGE,  /* kept while unsent */
	STREAM_PRESENCE, /* dropped and counted; messages that are fleeting, too */
	STREAM_QUESTION, /* dropped and counted; the asker is told by down() */
	STREAM_BOUNCE,   /* an error reply to a message or presence: kept, but dropped first */
};

/*
 * Above the hard mark STREAM_BOUNCE is dropped and counted, STREAM_MESSAGE
 * too while there is no link.  If the server closes the stream for the
 * content of a stanza, those it may have meant are sent again one by one;
 * the one at which it closes again is dropped, counted and logged.
 */

/* The flow of that name, made where there is none; NULL or "" is flow 0.  Good until the next
 * stream_flush, which forgets the flows that are empty. */
struct flow *stream_flow(struct stream *stream, const char *name);

/* Queue the bytes of one whole stanza; copied.  flow NULL is flow 0.  Nothing is written before
 * stream_flush. */
void stream_queue(struct stream *stream, struct flow *flow, enum stream_class class,
    const void *bytes, size_t len);

/* Queue a fan-out (fanout.h); consumes the caller's reference. */
void stream_queue_fanout(
    struct stream *stream, struct flow *flow, enum stream_class class, struct fanout **fanout);

/* One write of what is queued, as far as the socket takes it; the rest goes when it is writable.
 * A failure to write is told later, by down(). */
void stream_flush(struct stream *stream);

enum stream_pressure { STREAM_EASY, STREAM_HIGH, STREAM_HARD };
enum stream_pressure stream_pressure(const struct stream *stream);
size_t stream_queued_bytes(const struct stream *stream);   /* memory held by the queues */
size_t stream_queued_stanzas(const struct stream *stream); /* still to be written */

/*
 * A fence: fn is called once everything queued before has been routed by
 * the server: status ANNEX_OK, or ANNEX_EOFFLINE when the link was lost
 * first (what became of the output is then unknown).  Never called from
 * inside; not at all by stream_destroy.  stream_fence_on is the same for
 * what is queued on one flow (NULL: flow 0), so that it waits for no other.
 *
 * Fences are many, pings few: those that come due together travel as one,
 * and while four are out the others wait for the first to return.
 */
typedef void stream_fence_fn(void *cookie, int status);
void stream_fence(struct stream *stream, stream_fence_fn *fn, void *cookie);
void stream_fence_on(struct stream *stream, struct flow *flow, stream_fence_fn *fn, void *cookie);

#endif /* STREAM_STREAM_H */
