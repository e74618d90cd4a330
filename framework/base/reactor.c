/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * reactor.c - a reactor on poll(2), for tests and small programs
 *
 * A watch's backend is its slot, counted from 1.  A slot given up in a
 * callback stays empty until the next wait, so that nothing moves under the
 * loop that fires, and a watch started there does not fire for what was
 * seen before.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>

#include <annex/list.h>
#include <annex/status.h>

#include "alloc.h"
#include "check.h"
#include "reactor.h"

struct poll_reactor {
	struct reactor reactor;
	struct watch **slots; /* NULL: given up */
	struct pollfd *fds;
	size_t count, room;
};

static struct poll_reactor *
poll_of(struct reactor *reactor)
{
	return annex_container_of(reactor, struct poll_reactor, reactor);
}

static void
poll_add(struct poll_reactor *poller, struct watch *watch)
{
	if (poller->count == poller->room) {
		poller->room = poller->room == 0 ? 8 : poller->room * 2;
		poller->slots = mem_resize(poller->slots, poller->room * sizeof(*poller->slots));
		poller->fds = mem_resize(poller->fds, poller->room * sizeof(*poller->fds));
	}
	poller->slots[poller->count++] = watch;
	watch->backend = (void *)(uintptr_t)poller->count;
}

static void
poll_set(struct reactor *reactor, struct watch *watch, int events)
{
	struct poll_reactor *poller = poll_of(reactor);
	uintptr_t slot = (uintptr_t)watch->backend;

	if (watch->events != 0 && events == 0) {
		CHECK(slot > 0 && slot <= poller->count && poller->slots[slot - 1] == watch);
		poller->slots[slot - 1] = NULL;
	} else if (watch->events == 0 && events != 0) {
		poll_add(poller, watch);
	}
	watch->events = events;
}

struct reactor *
poll_reactor_create(void)
{
	struct poll_reactor *poller = mem_zalloc(sizeof(*poller));

	poller->reactor.set = poll_set;
	return &poller->reactor;
}

void
poll_reactor_destroy(struct reactor **reactor)
{
	struct poll_reactor *poller;

	if (*reactor == NULL)
		return;
	poller = poll_of(*reactor);
	*reactor = NULL;
	free(poller->slots);
	free(poller->fds);
	free(poller);
}

/* Close the gaps and say what is waited for. */
static void
poll_prepare(struct poll_reactor *poller)
{
	size_t n = 0;

	for (size_t i = 0; i < poller->count; i++) {
		struct watch *watch = poller->slots[i];

		if (watch == NULL)
			continue;
		poller->slots[n] = watch;
		poller->fds[n].fd = watch->fd;
		poller->fds[n].events = (short)(((watch->events & REACTOR_READ) != 0 ? POLLIN : 0) |
		    ((watch->events & REACTOR_WRITE) != 0 ? POLLOUT : 0));
		watch->backend = (void *)(uintptr_t)++n;
	}
	poller->count = n;
}

static int
events_of(short revents)
{
	if ((revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		return REACTOR_READ | REACTOR_WRITE;
	return ((revents & POLLIN) != 0 ? REACTOR_READ : 0) |
	    ((revents & POLLOUT) != 0 ? REACTOR_WRITE : 0);
}

int
poll_reactor_run(struct reactor *reactor, int timeout_ms)
{
	struct poll_reactor *poller = poll_of(reactor);
	size_t n;
	int fired = 0;

	poll_prepare(poller);
	n = poller->count;
	if (poll(poller->fds, (nfds_t)n, timeout_ms) < 0)
		return errno == EINTR ? 0 : ANNEX_EIO;
	for (size_t i = 0; i < n; i++) {
		struct watch *watch = poller->slots[i];
		int events = watch != NULL ? events_of(poller->fds[i].revents) & watch->events : 0;

		if (events == 0)
			continue;
		fired++;
		watch->fire(watch, events);
	}
	return fired;
}
