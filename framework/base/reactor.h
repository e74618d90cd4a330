/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * reactor.h - waiting for descriptors, whoever does the waiting
 *
 * The worker and annexd wait with libev, a test with poll(2) or not at all.
 * A watch is embedded in what it belongs to.  Every callback runs inside a
 * turn; it may stop or free any watch, its own too.
 */
#ifndef BASE_REACTOR_H
#define BASE_REACTOR_H

#include <stddef.h>

enum { REACTOR_READ = 1, REACTOR_WRITE = 2 };

struct reactor;
struct watch;
typedef void watch_fn(struct watch *watch, int events);

struct watch {
	int fd;
	int events; /* waited for; 0 = not watching */
	watch_fn *fire;
	void *backend; /* the reactor's own */
};

struct reactor {
	void (*set)(struct reactor *reactor, struct watch *watch, int events);
};

/* Wait for events on fd from now on (changing what was waited for); 0 stops. */
static inline void
watch_start(struct reactor *reactor, struct watch *watch, int fd, int events, watch_fn *fire)
{
	watch->fd = fd;
	watch->fire = fire;
	if (watch->events != events)
		reactor->set(reactor, watch, events);
}

/* Stop before closing the descriptor. */
static inline void
watch_stop(struct reactor *reactor, struct watch *watch)
{
	if (watch->events != 0)
		reactor->set(reactor, watch, 0);
}

/* A reactor on poll(2), for tests and small programs. */
struct reactor *poll_reactor_create(void);
void poll_reactor_destroy(struct reactor **reactor);

/* Wait at most timeout_ms (-1: for ever) and fire what is ready; how many fired, or negative. */
int poll_reactor_run(struct reactor *reactor, int timeout_ms);

#endif /* BASE_REACTOR_H */
