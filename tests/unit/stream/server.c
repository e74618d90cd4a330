/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * server.c - a small server on real sockets, moved on by hand
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "server.h"

#define HEADER                                             \
	"<?xml version='1.0'?><stream:stream "             \
	"xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' from='annex.test' id='1'>"

static bool
bind_unix(struct server *server)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *dir = getenv("TMPDIR");

	snprintf(server->path, sizeof(server->path), "%s/annex-test-%d.sock",
	    dir != NULL && strlen(dir) < 60 ? dir : "/tmp", (int)getpid());
	unlink(server->path);
	strcpy(address.sun_path, server->path);
	return bind(server->listener, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool
bind_inet(struct server *server, int family)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr *address =
	    family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(server->listener, address, len) < 0 ||
	    getsockname(server->listener, address, &len) < 0)
		return false;
	server->port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	return true;
}

bool
server_listen(struct server *server, int family)
{
	memset(server, 0, sizeof(*server));
	server->peer = -1;
	server->most = SIZE_MAX;
	server->listener = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->listener < 0)
		return false;
	if (!(family == AF_UNIX ? bind_unix(server) : bind_inet(server, family)) ||
	    listen(server->listener, 4) < 0) {
		close(server->listener);
		server->listener = -1;
		return false;
	}
	return true;
}

void
server_drop_peer(struct server *server)
{
	SSL_free(server->ssl);
	server->ssl = NULL;
	if (server->peer >= 0)
		close(server->peer);
	server->peer = -1;
	server->is_shaken = false;
	buf_clear(&server->in);
	buf_clear(&server->out);
}

void
server_finish(struct server *server)
{
	server_drop_peer(server);
	if (server->listener >= 0)
		close(server->listener);
	if (server->path[0] != '\0')
		unlink(server->path);
	SSL_CTX_free(server->ctx);
	buf_finish(&server->in);
	buf_finish(&server->out);
}

static void
server_accept(struct server *server)
{
	server->peer = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (server->peer < 0)
		return;
	server->accepted++;
	if (server->is_rude) {
		server_drop_peer(server);
		return;
	}
	if (server->ctx == NULL)
		return;
	server->ssl = SSL_new(server->ctx);
	SSL_set_fd(server->ssl, server->peer);
	SSL_set_accept_state(server->ssl);
}

/* Bytes; 0: nothing now; negative: gone. */
static int
server_read(struct server *server, char *bytes, size_t len)
{
	int n;

	if (server->ssl != NULL) {
		if ((n = SSL_read(server->ssl, bytes, (int)len)) > 0)
			return n;
		n = SSL_get_error(server->ssl, n);
		return n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE ? 0 : -1;
	}
	n = (int)recv(server->peer, bytes, len, 0);
	if (n > 0)
		return n;
	return n < 0 && errno == EAGAIN ? 0 : -1;
}

static void
server_write(struct server *server)
{
	int n;

	if (server->out.len == 0)
		return;
	if (server->ssl != NULL)
		n = SSL_write(server->ssl, server->out.data, (int)server->out.len);
	else
		n = (int)send(server->peer, server->out.data, server->out.len, MSG_NOSIGNAL);
	if (n > 0)
		buf_consume(&server->out, (size_t)n);
}

static void
server_answer(struct server *server)
{
	char *end;

	if (server->is_mute)
		return;
	if (!server->is_shaken && strstr(buf_text(&server->in), "to='annex.test'>") != NULL &&
	    strstr(server->in.data, "<handshake>") == NULL && server->out.len == 0) {
		buf_puts(&server->out, HEADER);
		buf_clear(&server->in);
	}
	if (!server->is_shaken && (end = strstr(buf_text(&server->in), "</handshake>")) != NULL) {
		buf_puts(&server->out, "<handshake/>");
		buf_consume(&server->in, (size_t)(end - server->in.data) + 12);
		server->is_shaken = true;
	}
	if (!server->is_shaken)
		return;
	server->received += server->in.len;
	if (server->echoes)
		buf_append(&server->out, server->in.data, server->in.len);
	buf_clear(&server->in);
}

void
server_step(struct server *server)
{
	static char bytes[65536];
	size_t left = server->most;
	int n = 0;

	if (server->peer < 0)
		server_accept(server);
	if (server->peer < 0)
		return;
	while (left > 0 &&
	    (n = server_read(server, bytes, left < sizeof(bytes) ? left : sizeof(bytes))) > 0) {
		left -= (size_t)n;
		buf_append(&server->in, bytes, (size_t)n);
	}
	if (n < 0) {
		server_drop_peer(server);
		return;
	}
	server_answer(server);
	server_write(server);
}

struct stream_host
server_host(const struct server *server, const char *name)
{
	if (server->path[0] != '\0')
		return (struct stream_host) { NULL, 0, server->path };
	return (struct stream_host) { name, server->port, NULL };
}
