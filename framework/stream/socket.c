/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * socket.c - one connection, tried at all addresses of a host
 *
 *	resolving ─▶ connecting ─▶ shaking (TLS) ─▶ open
 *	                 ▲____________|  the next address
 *
 * Whoever is told of a result may close the socket, so nothing of it is
 * touched after a callback.  A read or a write that came back short is taken for
 * the last one until the reactor says otherwise: asking the kernel once more would
 * only yield EAGAIN.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "resolve.h"
#include "socket.h"
#include "tls.h"

#define ADDRESS_MS 5000 /* one address, TLS not included */
#define TLS_MS 10000
#define RESOLVE_MS 15000
#define DEAD_MS 60000           /* what we wrote is not acknowledged for so long */
#define UNIX_BYTES (256 * 1024) /* else the reader runs dry before we are woken */
#define WHY_BYTES 500

enum phase { PHASE_RESOLVING, PHASE_CONNECTING, PHASE_SHAKING, PHASE_OPEN };

struct sock {
	struct transport transport;
	struct reactor *reactor;
	struct timers *timers;
	const struct stream_config *config;
	const struct stream_host *host;
	enum phase phase;
	struct watch watch;
	struct timer timer; /* the phase's limit; when open: TLS has more to read */
	int fd;             /* -1: none */
	int wanted;
	bool drained, full; /* nothing to read, no room to write, as far as the last call told */
	struct resolve *resolve;
	struct addrinfo *addresses, *at; /* at: the next one to try */
	struct addrinfo unix_info;
	struct sockaddr_un unix_address;
	struct tls *tls;
	bool *gone; /* set true when closed, for who must know afterwards */
	char why[WHY_BYTES];
};

static struct sock *
sock_of(struct transport *transport)
{
	return annex_container_of(transport, struct sock, transport);
}

static void
sock_shut(struct sock *sock)
{
	tls_destroy(&sock->tls);
	watch_stop(sock->reactor, &sock->watch);
	timer_stop(sock->timers, &sock->timer);
	if (sock->fd >= 0)
		close(sock->fd);
	sock->fd = -1;
}

static void
sock_close(struct transport *transport)
{
	struct sock *sock = sock_of(transport);

	if (sock->gone != NULL)
		*sock->gone = true;
	sock_shut(sock);
	resolve_cancel(&sock->resolve);
	if (sock->addresses != NULL && sock->addresses != &sock->unix_info)
		freeaddrinfo(sock->addresses);
	free(sock);
}

static void try_next(struct sock *sock);
static void sock_fire(struct watch *watch, int events);

static void
set_option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value)); /* an improvement only */
}

static void
tcp_options(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_MS);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, DEAD_MS / 1000);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, DEAD_MS / 4000);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

static const char *
address_text(const struct addrinfo *address, char *text, size_t size)
{
	const struct sockaddr_un *local = (const void *)address->ai_addr;

	if (address->ai_family == AF_UNIX)
		snprintf(text, size, "%s", local->sun_path);
	else if (getnameinfo(address->ai_addr, address->ai_addrlen, text, (socklen_t)size, NULL, 0,
		     NI_NUMERICHOST) != 0)
		snprintf(text, size, "?");
	return text;
}

/* The address that sock->fd was made for: the one before at. */
static const struct addrinfo *
current_address(const struct sock *sock)
{
	const struct addrinfo *address = sock->addresses;

	while (address->ai_next != sock->at)
		address = address->ai_next;
	return address;
}

/* The address last tried did not work for this reason. */
static void
address_failed(struct sock *sock, const struct addrinfo *address, const char *why)
{
	char text[120];

	snprintf(
	    sock->why, sizeof(sock->why), "%s: %s", address_text(address, text, sizeof(text)), why);
}

static void
sock_opened(struct sock *sock)
{
	timer_stop(sock->timers, &sock->timer);
	sock->phase = PHASE_OPEN;
	watch_start(sock->reactor, &sock->watch, sock->fd, REACTOR_READ, sock_fire);
	sock->wanted = REACTOR_READ;
	sock->transport.user->connected(sock->transport.user);
}

/* TLS has said why. */
static void
not_as_it_should_be(struct sock *sock)
{
	sock->transport.is_alien = true;
	try_next(sock);
}

static void
shake(struct sock *sock)
{
	int events = 0, r = tls_shake(sock->tls, &events);

	if (r == -EAGAIN) {
		watch_start(sock->reactor, &sock->watch, sock->fd, events, sock_fire);
		return;
	}
	if (r > 0)
		sock_opened(sock);
	else
		not_as_it_should_be(sock);
}

static void
too_slow(struct timer *timer)
{
	struct sock *sock = annex_container_of(timer, struct sock, timer);

	if (sock->phase == PHASE_RESOLVING) {
		resolve_cancel(&sock->resolve);
		snprintf(sock->why, sizeof(sock->why), "%s: the name was not resolved in %d s",
		    sock->host->name, RESOLVE_MS / 1000);
	} else if (sock->phase == PHASE_CONNECTING) {
		address_failed(sock, current_address(sock), "no answer within 5 s");
	} else {
		snprintf(
		    sock->why, sizeof(sock->why), "TLS did not begin within %d s", TLS_MS / 1000);
	}
	try_next(sock);
}

static void
connected(struct sock *sock)
{
	if (!sock->config->tls) {
		sock_opened(sock);
		return;
	}
	sock->phase = PHASE_SHAKING;
	sock->tls = tls_create(sock->config, sock->host, sock->fd, sock->why, sizeof(sock->why));
	if (sock->tls == NULL) {
		not_as_it_should_be(sock);
		return;
	}
	timer_start(sock->timers, &sock->timer, TLS_MS, too_slow);
	shake(sock);
}

/* True where the connection is made or on its way. */
static bool
try_address(struct sock *sock, const struct addrinfo *address)
{
	sock->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock->fd < 0) {
		address_failed(sock, address, strerror(errno));
		return false;
	}
	if (address->ai_family != AF_UNIX)
		tcp_options(sock->fd);
	else
		set_option(sock->fd, SOL_SOCKET, SO_SNDBUF, UNIX_BYTES);
	if (connect(sock->fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS &&
	    errno != EINTR) {
		address_failed(sock, address, strerror(errno));
		sock_shut(sock);
		return false;
	}
	return true;
}

static void
try_next(struct sock *sock)
{
	sock_shut(sock);
	while (sock->at != NULL) {
		const struct addrinfo *address = sock->at;

		sock->at = address->ai_next;
		if (!try_address(sock, address))
			continue;
		sock->phase = PHASE_CONNECTING;
		address_failed(sock, address, "no answer");
		watch_start(sock->reactor, &sock->watch, sock->fd, REACTOR_WRITE, sock_fire);
		timer_start(sock->timers, &sock->timer, ADDRESS_MS, too_slow);
		return;
	}
	sock->transport.user->failed(sock->transport.user, sock->why);
}

static void
connect_ready(struct sock *sock)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(sock->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0) {
		address_failed(sock, current_address(sock), strerror(error));
		try_next(sock);
		return;
	}
	connected(sock);
}

static void
more_pending(struct timer *timer)
{
	struct sock *sock = annex_container_of(timer, struct sock, timer);

	sock_fire(&sock->watch, REACTOR_READ);
}

/* What TLS has read already, the socket no longer shows. */
static void
look_again(struct sock *sock)
{
	if (sock->tls != NULL && (sock->wanted & REACTOR_READ) != 0 && tls_has_pending(sock->tls))
		timer_start(sock->timers, &sock->timer, 0, more_pending);
}

static void
open_ready(struct sock *sock, int events)
{
	bool gone = false;

	sock->drained = false;
	if ((events & REACTOR_WRITE) != 0)
		sock->full = false;
	if (sock->tls == NULL) {
		sock->transport.user->ready(sock->transport.user, events);
		return;
	}
	/* TLS may have to write in order to read, and the other way round. */
	if (tls_wants(sock->tls) != 0)
		events = sock->wanted;
	sock->gone = &gone;
	sock->transport.user->ready(sock->transport.user, events);
	if (gone)
		return;
	sock->gone = NULL;
	look_again(sock);
}

static void
sock_fire(struct watch *watch, int events)
{
	struct sock *sock = annex_container_of(watch, struct sock, watch);

	if (sock->phase == PHASE_CONNECTING)
		connect_ready(sock);
	else if (sock->phase == PHASE_SHAKING)
		shake(sock);
	else
		open_ready(sock, events);
}

static void
resolved(void *cookie, struct addrinfo *addresses, const char *why)
{
	struct sock *sock = cookie;

	resolve_cancel(&sock->resolve);
	sock->addresses = sock->at = addresses;
	if (addresses == NULL)
		snprintf(sock->why, sizeof(sock->why), "%s: %s", sock->host->name, why);
	try_next(sock);
}

/* The first step, from the loop: nobody is called from inside of open. */
static void
begin(struct timer *timer)
{
	struct sock *sock = annex_container_of(timer, struct sock, timer);
	const char *why;

	if (sock->addresses != NULL) {
		try_next(sock);
		return;
	}
	sock->resolve =
	    resolve_start(sock->reactor, sock->host->name, sock->host->port, resolved, sock, &why);
	if (sock->resolve == NULL)
		resolved(sock, NULL, why);
	else
		timer_start(sock->timers, timer, RESOLVE_MS, too_slow);
}

static ssize_t
sock_result(struct sock *sock, ssize_t n)
{
	int error = errno;

	if (n >= 0)
		return n;
	if (error == EAGAIN || error == EINTR)
		return -EAGAIN;
	snprintf(sock->why, sizeof(sock->why), "%s",
	    error == ETIMEDOUT ? "the server's machine no longer answers" : strerror(error));
	return -error;
}

static ssize_t
sock_read(struct transport *transport, void *bytes, size_t len)
{
	struct sock *sock = sock_of(transport);
	ssize_t n;

	if (sock->tls != NULL)
		return tls_read(sock->tls, bytes, len);
	if (sock->drained)
		return -EAGAIN;
	n = sock_result(sock, recv(sock->fd, bytes, len, 0));
	sock->drained = n > 0 && (size_t)n < len;
	return n;
}

static ssize_t
sock_write(struct transport *transport, const void *bytes, size_t len)
{
	struct sock *sock = sock_of(transport);
	ssize_t n;

	if (sock->tls != NULL)
		return tls_write(sock->tls, bytes, len);
	if (sock->full)
		return -EAGAIN;
	n = sock_result(sock, send(sock->fd, bytes, len, MSG_NOSIGNAL));
	sock->full = n == -EAGAIN || (n > 0 && (size_t)n < len);
	return n;
}

static void
sock_want(struct transport *transport, int events)
{
	struct sock *sock = sock_of(transport);

	sock->wanted = events;
	if (sock->tls != NULL)
		events |= tls_wants(sock->tls);
	look_again(sock);
	watch_start(sock->reactor, &sock->watch, sock->fd, events, sock_fire);
}

static const char *
sock_why(struct transport *transport)
{
	return sock_of(transport)->why;
}

static const struct transport_ops sock_ops = {
	.read = sock_read,
	.write = sock_write,
	.want = sock_want,
	.close = sock_close,
	.why = sock_why,
};

static bool
unix_address(struct sock *sock, const char *path)
{
	struct sockaddr_un *local = &sock->unix_address;

	if (strlen(path) >= sizeof(local->sun_path))
		return false;
	local->sun_family = AF_UNIX;
	strcpy(local->sun_path, path);
	sock->unix_info.ai_family = AF_UNIX;
	sock->unix_info.ai_addr = (struct sockaddr *)local;
	sock->unix_info.ai_addrlen = sizeof(*local);
	sock->addresses = &sock->unix_info;
	return true;
}

struct transport *
socket_open(struct reactor *reactor, struct timers *timers, const struct stream_config *config,
    const struct stream_host *host, struct transport_user *user, const char **why)
{
	struct sock *sock = mem_zalloc(sizeof(*sock));

	sock->transport = (struct transport) { &sock_ops, user };
	sock->reactor = reactor;
	sock->timers = timers;
	sock->config = config;
	sock->host = host;
	sock->fd = -1;
	if (host->path == NULL) {
		sock->addresses = resolve_numeric(host->name, host->port);
	} else if (!unix_address(sock, host->path)) {
		*why = "the path is too long for a Unix socket";
		free(sock);
		return NULL;
	}
	sock->at = sock->addresses;
	timer_start(timers, &sock->timer, 0, begin);
	return &sock->transport;
}
