/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * resolve.c - names become addresses without anybody waiting
 *
 * The question belongs to two: the thread that asks and the loop that
 * waits.  A thread inside getaddrinfo cannot be stopped, so whoever leaves
 * last frees it.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "resolve.h"

#define STACK ((size_t)512 * 1024)

struct resolve {
	/* of both */
	atomic_bool left; /* one of the two has gone */
	int fd;           /* becomes readable with the answer */
	char *name;
	char port[8];
	struct addrinfo *addresses; /* the thread's, until fd is readable */
	int error, system_error;

	/* of the loop */
	struct reactor *reactor;
	struct watch watch;
	resolve_fn *done;
	void *cookie;
};

static void
resolve_leave(struct resolve *resolve)
{
	if (!atomic_exchange(&resolve->left, true))
		return;
	if (resolve->addresses != NULL)
		freeaddrinfo(resolve->addresses);
	close(resolve->fd);
	free(resolve->name);
	free(resolve);
}

static int
lookup(const char *name, const char *port, int flags, struct addrinfo **addresses_r)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | flags };

	*addresses_r = NULL;
	return getaddrinfo(name, port, &hints, addresses_r);
}

struct addrinfo *
resolve_numeric(const char *name, uint16_t port)
{
	struct addrinfo *addresses;
	char text[8];

	snprintf(text, sizeof(text), "%" PRIu16, port);
	return lookup(name, text, AI_NUMERICHOST, &addresses) == 0 ? addresses : NULL;
}

static void *
resolve_run(void *arg)
{
	struct resolve *resolve = arg;
	uint64_t one = 1;

	resolve->error = lookup(resolve->name, resolve->port, 0, &resolve->addresses);
	resolve->system_error = errno;
	while (write(resolve->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	resolve_leave(resolve);
	return NULL;
}

/* No signal is for this thread. */
static int
thread_start(struct resolve *resolve)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attr, resolve_run, resolve);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

static void
resolve_answered(struct watch *watch, int events)
{
	struct resolve *resolve = annex_container_of(watch, struct resolve, watch);
	struct addrinfo *addresses;
	uint64_t n;

	if (read(resolve->fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		return;
	addresses = resolve->addresses;
	resolve->addresses = NULL;
	watch_stop(resolve->reactor, watch);
	resolve->done(resolve->cookie, addresses,
	    resolve->error == EAI_SYSTEM ? strerror(resolve->system_error)
					 : gai_strerror(resolve->error));
}

struct resolve *
resolve_start(struct reactor *reactor, const char *name, uint16_t port, resolve_fn *done,
    void *cookie, const char **why)
{
	struct resolve *resolve = mem_zalloc(sizeof(*resolve));
	int r;

	resolve->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (resolve->fd < 0) {
		*why = strerror(errno);
		free(resolve);
		return NULL;
	}
	resolve->name = mem_strdup(name);
	snprintf(resolve->port, sizeof(resolve->port), "%" PRIu16, port);
	resolve->reactor = reactor;
	resolve->done = done;
	resolve->cookie = cookie;
	watch_start(reactor, &resolve->watch, resolve->fd, REACTOR_READ, resolve_answered);
	if ((r = thread_start(resolve)) != 0) {
		*why = strerror(r);
		atomic_store(&resolve->left, true);
		resolve_cancel(&resolve);
		return NULL;
	}
	return resolve;
}

void
resolve_cancel(struct resolve **resolvep)
{
	struct resolve *resolve = *resolvep;

	if (resolve == NULL)
		return;
	*resolvep = NULL;
	watch_stop(resolve->reactor, &resolve->watch);
	resolve_leave(resolve);
}
