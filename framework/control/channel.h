/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * channel.h - one connection that carries JSON Lines both ways
 *
 * A channel owns a connected Unix stream socket: a client of a control
 * server, or the socketpair between annexd and a worker.  It reads without
 * blocking, hands out whole lines, and sends what the socket takes at once,
 * the rest when it drains.  What the other end does not read is bounded:
 * beyond CHANNEL_OUT_MAX the channel counts as ended.
 *
 * line and ended are called from the reactor, never from within these functions; ended once.
 * Every callback may finish the channel.
 */
#ifndef CONTROL_CHANNEL_H
#define CONTROL_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include <annex/status.h>

#include "base/buf.h"
#include "base/reactor.h"

#include "lines.h"

#define CHANNEL_OUT_MAX ((size_t)4 << 20)

struct channel;
typedef void channel_line_fn(struct channel *channel, char *line, size_t len);
typedef void channel_ended_fn(struct channel *channel, const char *why);

struct channel {
	struct reactor *reactor;
	struct watch watch;
	channel_line_fn *line;
	channel_ended_fn *ended;
	struct lines in;
	struct buf out;
	int passed_fd;      /* newest descriptor that came with the bytes, or -1 */
	bool held;          /* lines wait, by channel_hold */
	bool resumed;       /* they may be handed out, from the reactor */
	bool closing;       /* ends once everything was sent */
	bool read_ended;    /* the other end shut down its writing */
	const char *broken; /* why the next event ends it */
	bool *finished;     /* told while a callback runs */
};

/* fd is made non-blocking and belongs to the channel from now on. */
void channel_init(struct channel *channel, struct reactor *reactor, int fd, channel_line_fn *line,
    channel_ended_fn *ended);
void channel_finish(struct channel *channel); /* closes; finishing twice is harmless */

/*
 * One line.  ANNEX_ELIMIT where it is longer than LINES_MAX (nothing was
 * sent), ANNEX_EIO where the channel is ending.
 */
int channel_send(struct channel *channel, const json_t *value);

/* Keep lines back (for as long as one is being answered), and go on. */
void channel_hold(struct channel *channel);
void channel_go_on(struct channel *channel);

/* The newest descriptor that came in, now the caller's; or -1. */
int channel_take_fd(struct channel *channel);

#endif /* CONTROL_CHANNEL_H */
