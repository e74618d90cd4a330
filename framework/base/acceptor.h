/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * acceptor.h - connections let in, one at a time
 *
 * Where no descriptor is left for one, it waits in the backlog: to ask again at once would only
 * fail again, as fast as the machine can.  The acceptor rests a second each time, and says so once
 * until it has let somebody in.
 */
#ifndef BASE_ACCEPTOR_H
#define BASE_ACCEPTOR_H

#include <stdbool.h>

#include "log.h"
#include "reactor.h"
#include "timer.h"

struct acceptor;
typedef void accept_fn(struct acceptor *acceptor, int fd); /* fd, non-blocking, is the callee's */

/* Embedded in what it belongs to; all zero is one that was never started. */
struct acceptor {
	struct reactor *reactor;
	struct timers *timers;
	struct log *log;
	accept_fn *take;
	struct watch watch; /* of the listening socket */
	struct timer rest;
	bool paused, starved;
};

/* fd listens and does not block; it is the acceptor's. */
void acceptor_start(struct acceptor *acceptor, struct reactor *reactor, struct timers *timers,
    struct log *log, int fd, accept_fn *take);
void acceptor_pause(struct acceptor *acceptor, bool paused);
void acceptor_stop(struct acceptor *acceptor); /* fd is closed */

#endif /* BASE_ACCEPTOR_H */
