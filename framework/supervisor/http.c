/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * http.c - GET /metrics, and no more of HTTP than that
 *
 * After the answer we close our side and wait a little for the other one:
 * closing a socket that still holds unread bytes sends a reset, which may
 * overtake the answer (RFC 9112 §9.6).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <annex/list.h>

#include "base/acceptor.h"
#include "base/alloc.h"
#include "base/io.h"

#include "http.h"

#define REQUEST_MAX 4096
#define CONNECTIONS_MAX 16
#define REQUEST_TIMEOUT_MS 10000
#define LINGER_MS 2000

#define OK_STATUS "200 OK"

struct connection {
	struct annex_link link;
	struct http_server *server;
	struct watch watch;
	struct timer patience;
	struct buf in, out;
	bool answered; /* only waiting for the other side to close */
};

struct http_server {
	struct reactor *reactor;
	struct timers *timers;
	http_render_fn *render;
	void *cookie;
	struct acceptor acceptor;
	struct annex_link connections;
	size_t count;
};

static void
connection_free(struct connection *c)
{
	struct http_server *server = c->server;

	watch_stop(server->reactor, &c->watch);
	timer_stop(server->timers, &c->patience);
	io_close(&c->watch.fd);
	buf_finish(&c->in);
	buf_finish(&c->out);
	annex_list_remove(&c->link);
	free(c);
	server->count--;
	acceptor_pause(&server->acceptor, false);
}

static void
connection_expired(struct timer *timer)
{
	connection_free(annex_container_of(timer, struct connection, patience));
}

/* The length of the word at text, up to a space or the line's end. */
static size_t
word_len(const char *text, const char *end)
{
	size_t n = 0;

	while (text + n < end && text[n] != ' ')
		n++;
	return n;
}

/* RFC 9112 §3: method SP request-target SP HTTP-version. */
static const char *
judge_line(const char *line, const char *end)
{
	static const char path[] = "/metrics";
	const char *method = line, *target, *version;
	size_t method_len = word_len(method, end), target_len, n = sizeof(path) - 1;

	target = method + method_len + 1;
	if (method_len == 0 || target >= end)
		return "400 Bad Request";
	target_len = word_len(target, end);
	version = target + target_len + 1;
	if (target_len == 0 || version >= end || strncmp(version, "HTTP/1.", 7) != 0)
		return "400 Bad Request";
	if (target_len < n || memcmp(target, path, n) != 0 || (target_len > n && target[n] != '?'))
		return "404 Not Found";
	if (method_len != 3 || memcmp(method, "GET", 3) != 0)
		return "405 Method Not Allowed";
	return OK_STATUS;
}

const char *
http_judge(const char *request, size_t len)
{
	const char *end = memchr(request, '\n', len);

	if (memchr(request, '\0', len) != NULL)
		return "400 Bad Request";
	/* The head is complete at an empty line; a lone LF is taken for CRLF (§2.2). */
	if (memmem(request, len, "\n\r\n", 3) == NULL && memmem(request, len, "\n\n", 2) == NULL)
		return len >= REQUEST_MAX ? "431 Request Header Fields Too Large" : NULL;
	if (end > request && end[-1] == '\r')
		end--;
	return judge_line(request, end);
}

static void
connection_answer(struct connection *c, const char *status)
{
	struct buf body = { 0 };
	bool ok = strcmp(status, OK_STATUS) == 0;

	if (ok)
		c->server->render(c->server->cookie, &body);
	else
		buf_printf(&body, "%s\n", status);
	buf_printf(&c->out,
	    "HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n",
	    status, ok ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8",
	    body.len, strncmp(status, "405", 3) == 0 ? "Allow: GET\r\n" : "");
	buf_append(&c->out, body.data, body.len);
	buf_finish(&body);
}

/* False once the connection is gone. */
static bool
connection_read(struct connection *c)
{
	char bytes[REQUEST_MAX];
	const char *status;
	ssize_t n;

	n = recv(c->watch.fd, bytes, c->answered ? sizeof(bytes) : REQUEST_MAX - c->in.len,
	    MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return true;
	if (n <= 0) {
		connection_free(c);
		return false;
	}
	if (c->answered)
		return true; /* whatever else it says is thrown away */
	buf_append(&c->in, bytes, (size_t)n);
	if ((status = http_judge(c->in.data, c->in.len)) != NULL)
		connection_answer(c, status);
	return true;
}

static bool
connection_write(struct connection *c)
{
	ssize_t n = send(c->watch.fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return true;
	if (n < 0) {
		connection_free(c);
		return false;
	}
	buf_consume(&c->out, (size_t)n);
	if (c->out.len > 0)
		return true;
	c->answered = true;
	shutdown(c->watch.fd, SHUT_WR);
	timer_start(c->server->timers, &c->patience, LINGER_MS, connection_expired);
	return true;
}

static void
connection_fire(struct watch *watch, int events)
{
	struct connection *c = annex_container_of(watch, struct connection, watch);

	if (c->out.len == 0 && !connection_read(c))
		return;
	if (c->out.len > 0 && !connection_write(c))
		return;
	watch_start(c->server->reactor, &c->watch, c->watch.fd,
	    c->out.len > 0 ? REACTOR_WRITE : REACTOR_READ, connection_fire);
}

static void
server_take(struct acceptor *acceptor, int fd)
{
	struct http_server *server = annex_container_of(acceptor, struct http_server, acceptor);
	struct connection *c = mem_zalloc(sizeof(*c));

	c->server = server;
	annex_list_append(&server->connections, &c->link);
	server->count++;
	watch_start(server->reactor, &c->watch, fd, REACTOR_READ, connection_fire);
	timer_start(server->timers, &c->patience, REQUEST_TIMEOUT_MS, connection_expired);
	acceptor_pause(acceptor, server->count >= CONNECTIONS_MAX);
}

struct http_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

static bool
parse_port(const char *text, in_port_t *port_r)
{
	unsigned long port;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	port = strtoul(text, &end, 10);
	*port_r = htons((uint16_t)port);
	return *end == '\0' && port <= 65535;
}

static bool
parse_host(const char *host, in_port_t port, struct http_address *address_r)
{
	*address_r = (struct http_address) { .len = 0 };
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &address_r->v4.sin_addr) == 1) {
		address_r->v4.sin_family = AF_INET;
		address_r->v4.sin_port = port;
		address_r->len = sizeof(address_r->v4);
		return ntohl(address_r->v4.sin_addr.s_addr) >> 24 == 127;
	}
	if (inet_pton(AF_INET6, host, &address_r->v6.sin6_addr) != 1)
		return false;
	address_r->v6.sin6_family = AF_INET6;
	address_r->v6.sin6_port = port;
	address_r->len = sizeof(address_r->v6);
	return IN6_IS_ADDR_LOOPBACK(&address_r->v6.sin6_addr);
}

/* A loopback address and a port, or false. */
static bool
parse_address(const char *text, struct http_address *address_r, struct annex_pool *pool)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	in_port_t port;

	if (len == 0 || !parse_port(colon + 1, &port))
		return false;
	if (text[0] == '[' && text[len - 1] == ']')
		return parse_host(annex_strndup(pool, text + 1, len - 2), port, address_r);
	return parse_host(annex_strndup(pool, text, len), port, address_r);
}

struct http_server *
http_listen(const char *address, struct reactor *reactor, struct timers *timers, struct log *log,
    http_render_fn *render, void *cookie, struct annex_pool *pool, const char **why)
{
	struct http_address at;
	struct http_server *server;
	int fd, one = 1;

	if (!parse_address(address, &at, pool)) {
		*why = annex_sprintf(pool,
		    "metrics: \"%s\" is not a loopback address and a port like 127.0.0.1:9100",
		    address);
		return NULL;
	}
	fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, &at.any, at.len) < 0 || listen(fd, CONNECTIONS_MAX) < 0) {
		*why = annex_sprintf(
		    pool, "metrics: cannot listen on %s: %s", address, strerror(errno));
		io_close(&fd);
		return NULL;
	}
	server = mem_zalloc(sizeof(*server));
	*server = (struct http_server) {
		.reactor = reactor,
		.timers = timers,
		.render = render,
		.cookie = cookie,
	};
	annex_list_init(&server->connections);
	acceptor_start(&server->acceptor, reactor, timers, log, fd, server_take);
	return server;
}

void
http_close(struct http_server **serverp)
{
	struct http_server *server = *serverp;

	if (server == NULL)
		return;
	*serverp = NULL;
	while (!annex_list_is_empty(&server->connections))
		connection_free(
		    annex_container_of(server->connections.next, struct connection, link));
	acceptor_stop(&server->acceptor);
	free(server);
}

unsigned
http_port(const struct http_server *server)
{
	struct http_address at = { .len = sizeof(struct sockaddr_in6) };

	if (getsockname(server->acceptor.watch.fd, &at.any, &at.len) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}
