/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * acceptor.c - connections let in, one at a time
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <annex/list.h>

#include "acceptor.h"
#include "io.h"

#define REST_MS 1000

static void acceptor_fire(struct watch *watch, int events);

static void
acceptor_watch(struct acceptor *a)
{
	bool idle = a->paused || timer_is_running(&a->rest);

	watch_start(a->reactor, &a->watch, a->watch.fd, idle ? 0 : REACTOR_READ, acceptor_fire);
}

static void
rested(struct timer *timer)
{
	acceptor_watch(annex_container_of(timer, struct acceptor, rest));
}

/* What goes away with time, while somebody goes on knocking. */
static bool
is_want(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void
acceptor_fire(struct watch *watch, int events)
{
	struct acceptor *a = annex_container_of(watch, struct acceptor, watch);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		a->starved = false;
		a->take(a, fd);
		return;
	}
	if (!is_want(errno))
		return;
	if (!a->starved)
		log_write(a->log, ANNEX_LOG_WARNING,
		    "a connection waits until there is a descriptor for it (%s)", strerror(errno));
	a->starved = true;
	timer_start(a->timers, &a->rest, REST_MS, rested);
	acceptor_watch(a);
}

void
acceptor_start(struct acceptor *a, struct reactor *reactor, struct timers *timers, struct log *log,
    int fd, accept_fn *take)
{
	*a = (struct acceptor) { reactor, timers, log, take, .watch.fd = fd };
	acceptor_watch(a);
}

void
acceptor_pause(struct acceptor *a, bool paused)
{
	a->paused = paused;
	acceptor_watch(a);
}

void
acceptor_stop(struct acceptor *a)
{
	if (a->reactor == NULL)
		return;
	watch_stop(a->reactor, &a->watch);
	timer_stop(a->timers, &a->rest);
	io_close(&a->watch.fd);
}
