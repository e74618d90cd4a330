/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * c2s.c - a thousand real clients of a real server, in one thread
 *
 * What comes is not parsed, but followed from tag to tag: servers write '>' as
 * an entity wherever it is no end of a tag, and neither comments nor CDATA.
 */
#include "c2s.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 << 10)
#define LOGINS_AT_ONCE 50u

static void __attribute__((noreturn)) die(const struct c2s_client *c, const char *what)
{
	fprintf(stderr, "user%u: %s\n", c->number, what);
	exit(2);
}

double
c2s_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
bytes_grow(struct c2s_bytes *b, size_t more)
{
	if (b->room - b->len >= more)
		return;
	while (b->room - b->len < more)
		b->room = b->room * 2 + 4096;
	if ((b->at = realloc(b->at, b->room)) == NULL)
		abort();
}

/* --- Sending ---------------------------------------------------------------- */

static void
watch(const struct c2s_client *c, int how)
{
	struct epoll_event event = { .events = EPOLLIN | (c->out.len > 0 ? EPOLLOUT : 0),
		.data.ptr = (void *)(uintptr_t)c };

	if (epoll_ctl(c->all->epoll, how, c->fd, &event) < 0)
		die(c, strerror(errno));
}

static void __attribute__((format(printf, 2, 0)))
vsend(struct c2s_client *c, const char *fmt, va_list args)
{
	bool was_empty = c->out.len == 0;
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	bytes_grow(&c->out, (size_t)n + 1);
	vsnprintf(c->out.at + c->out.len, (size_t)n + 1, fmt, args);
	c->out.len += (size_t)n;
	if (was_empty)
		watch(c, EPOLL_CTL_MOD);
}

static void __attribute__((format(printf, 2, 3))) queue(struct c2s_client *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsend(c, fmt, args);
	va_end(args);
}

void
c2s_send(struct c2s_client *c, const char *fmt, ...)
{
	va_list args;

	if (c->state != C2S_READY)
		return;
	va_start(args, fmt);
	vsend(c, fmt, args);
	va_end(args);
}

static void
flush(struct c2s_client *c)
{
	ssize_t n = send(c->fd, c->out.at, c->out.len, MSG_NOSIGNAL);

	if (n < 0)
		return; /* reading tells why */
	c->out.len -= (size_t)n;
	memmove(c->out.at, c->out.at + n, c->out.len);
	if (c->out.len == 0)
		watch(c, EPOLL_CTL_MOD);
}

/* --- Logging in --------------------------------------------------------------- */

static void
open_stream(struct c2s_client *c, enum c2s_state state)
{
	c->state = state;
	c->depth = 0;
	queue(c,
	    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' to='%s' "
	    "xmlns:stream='http://etherx.jabber.org/streams'>",
	    c->all->host);
}

void
c2s_login(struct c2s_client *c, const char *resource)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons(c->all->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	c2s_close(c);
	snprintf(c->resource, sizeof(c->resource), "%s", resource);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die(c, strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 && errno != EINPROGRESS) {
		if (errno != ECONNREFUSED)
			die(c, strerror(errno));
		close(c->fd);
		return;
	}
	c->all->open++;
	watch(c, EPOLL_CTL_ADD);
	open_stream(c, C2S_GREETING);
}

/* RFC 4616: an empty authorization identity, then user and password, which are the same. */
static void
authenticate(struct c2s_client *c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char plain[48] = { 0 };
	char text[80];
	int n = snprintf((char *)plain + 1, 20, "user%u", c->number);
	size_t len = (size_t)(n + 1 + snprintf((char *)plain + n + 2, 20, "user%u", c->number) + 1);
	size_t at = 0;

	for (size_t i = 0; i < len; i += 3) {
		unsigned three =
		    (unsigned)plain[i] << 16 | (unsigned)plain[i + 1] << 8 | plain[i + 2];

		for (size_t k = 0; k < 4; k++)
			text[at++] = i + k > len ? '=' : digits[three >> (18 - 6 * k) & 63];
	}
	text[at] = '\0';
	c->state = C2S_AUTHENTICATING;
	queue(
	    c, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", text);
}

/* What comes before the client is ready. */
static void
negotiate(struct c2s_client *c, const char *at, size_t len)
{
	if (c->state == C2S_GREETING) {
		authenticate(c);
	} else if (c->state == C2S_AUTHENTICATING) {
		if (strncmp(at, "<success", 8) != 0)
			die(c, "the server does not let them in");
		open_stream(c, C2S_RESTARTED);
	} else if (c->state == C2S_RESTARTED) {
		c->state = C2S_BINDING;
		queue(c,
		    "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
		    "<resource>%s</resource></bind></iq>",
		    c->resource);
	} else if (c2s_has(at, len, "id='bind'") || c2s_has(at, len, "id=\"bind\"")) {
		if (!c2s_has(at, len, "<jid>"))
			die(c, "no resource was bound");
		c->state = C2S_READY;
		c->all->ready++;
	}
}

/* --- Reading ---------------------------------------------------------------------- */

static void
take(struct c2s_client *c, const char *at, size_t len)
{
	if (c->state != C2S_READY) {
		negotiate(c, at, len);
		return;
	}
	if (at[1] == 'm')
		c->messages++, c->all->messages++;
	else if (at[1] == 'p')
		c->presences++, c->all->presences++;
	else if (at[1] == 'i')
		c->iqs++, c->all->iqs++;
	c->all->heard(c, at, len);
}

/* One tag, from '<' to '>': a stanza begins or ends at depth 1, below the stream. */
static void
tag(struct c2s_client *c, size_t at, size_t end)
{
	const char *text = c->in.at + at;

	if (text[1] == '?')
		return;
	if (text[1] == '/') {
		c->depth--;
	} else {
		if (c->depth == 1)
			c->begin = at;
		if (c->in.at[end - 2] != '/')
			c->depth++;
		else if (c->depth == 0)
			return;
	}
	if (c->depth == 1 && c->begin != SIZE_MAX) {
		size_t begin = c->begin;

		c->begin = SIZE_MAX;
		take(c, c->in.at + begin, end - begin);
	}
}

static void
scan(struct c2s_client *c)
{
	while (c->state != C2S_CLOSED && c->scanned < c->in.len) {
		const char *from = c->in.at + c->scanned;
		size_t left = c->in.len - c->scanned, at, end;
		const char *lt = memchr(from, '<', left), *gt;

		if (lt == NULL) {
			c->scanned = c->in.len;
			break;
		}
		at = (size_t)(lt - c->in.at);
		if ((gt = memchr(lt, '>', c->in.len - at)) == NULL) {
			c->scanned = at;
			break;
		}
		end = (size_t)(gt - c->in.at) + 1;
		c->scanned = end;
		tag(c, at, end);
	}
}

/* What is behind the scan goes, but for the beginning of a stanza. */
static void
forget(struct c2s_client *c)
{
	size_t keep = c->begin != SIZE_MAX ? c->begin : c->scanned;

	memmove(c->in.at, c->in.at + keep, c->in.len - keep);
	c->in.len -= keep;
	c->scanned -= keep;
	if (c->begin != SIZE_MAX)
		c->begin = 0;
}

static void
read_some(struct c2s_client *c)
{
	ssize_t n;

	bytes_grow(&c->in, READ_BYTES);
	n = recv(c->fd, c->in.at + c->in.len, READ_BYTES, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		c2s_close(c);
		return;
	}
	c->in.len += (size_t)n;
	c->all->bytes += (uint64_t)n;
	scan(c);
	if (c->state != C2S_CLOSED)
		forget(c);
}

void
c2s_close(struct c2s_client *c)
{
	if (c->state == C2S_CLOSED)
		return;
	c->all->ready -= c->state == C2S_READY;
	c->all->open--;
	c->state = C2S_CLOSED;
	close(c->fd);
	c->in.len = c->out.len = c->scanned = 0;
	c->begin = SIZE_MAX;
}

/* --- All of them ---------------------------------------------------------------------- */

struct c2s *
c2s_create(uint16_t port, const char *host, unsigned count, c2s_fn *heard, void *cookie)
{
	struct c2s *all = calloc(1, sizeof(*all));

	if (all == NULL || (all->client = calloc(count, sizeof(*all->client))) == NULL)
		abort();
	all->port = port;
	all->host = host;
	all->count = count;
	all->heard = heard;
	all->cookie = cookie;
	all->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < count; i++)
		all->client[i] =
		    (struct c2s_client) { .all = all, .number = i, .fd = -1, .begin = SIZE_MAX };
	return all;
}

void
c2s_destroy(struct c2s **allp)
{
	struct c2s *all = *allp;

	*allp = NULL;
	for (unsigned i = 0; i < all->count; i++) {
		c2s_close(&all->client[i]);
		free(all->client[i].in.at);
		free(all->client[i].out.at);
	}
	close(all->epoll);
	free(all->client);
	free(all);
}

static void
turn(struct c2s *all, int wait_ms)
{
	struct epoll_event events[256];
	int n = epoll_wait(all->epoll, events, 256, wait_ms);

	for (int i = 0; i < n; i++) {
		struct c2s_client *c = events[i].data.ptr;

		if (c->state != C2S_CLOSED && (events[i].events & EPOLLOUT) != 0 && c->out.len > 0)
			flush(c);
		if (c->state != C2S_CLOSED && (events[i].events & ~(unsigned)EPOLLOUT) != 0)
			read_some(c);
	}
}

bool
c2s_run(struct c2s *all, c2s_done_fn *done, double within_s)
{
	double end = c2s_now_s() + within_s;

	while (!done(all->cookie)) {
		if (c2s_now_s() > end)
			return false;
		turn(all, 20);
	}
	return true;
}

bool
c2s_login_all(struct c2s *all, const char *resource, double within_s)
{
	double end = c2s_now_s() + within_s;

	for (unsigned next = 0; all->ready < all->count; turn(all, 20)) {
		while (next < all->count && next - all->ready < LOGINS_AT_ONCE)
			c2s_login(&all->client[next++], resource);
		if (c2s_now_s() > end)
			return false;
	}
	return true;
}

/* --- Looking at stanzas ------------------------------------------------------------------ */

const char *
c2s_attr(const char *stanza, size_t len, const char *name)
{
	static _Thread_local char value[4096];
	const char *end = memchr(stanza, '>', len), *at = stanza, *close;
	size_t name_len = strlen(name);

	while (end != NULL && (at = memchr(at, ' ', (size_t)(end - at))) != NULL) {
		at++;
		if ((size_t)(end - at) < name_len + 3 || memcmp(at, name, name_len) != 0 ||
		    at[name_len] != '=')
			continue;
		at += name_len + 1;
		close = memchr(at + 1, *at, (size_t)(end - at - 1));
		if (close == NULL)
			return NULL;
		snprintf(value, sizeof(value), "%.*s", (int)(close - at - 1), at + 1);
		return value;
	}
	return NULL;
}

bool
c2s_has(const char *stanza, size_t len, const char *text)
{
	return memmem(stanza, len, text, strlen(text)) != NULL;
}
