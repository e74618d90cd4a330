/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * server.c - the other end of the stream, in memory
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/list.h>
#include <annex/pool.h>

#include "base/reactor.h"

#include "server.h"
#include "tree.h"

/* Beyond so much, bytes come in larger pieces, or a megabyte would take minutes. */
#define BYTEWISE_MOST 16384
#define BYTEWISE_EDGE 2048
#define BYTEWISE_MIDDLE 997

struct connection {
	struct transport transport;
	struct server *server;
	int wants;
	bool told; /* that it is connected, or failed */
};

/* --- Saying ------------------------------------------------------------------ */

void
server_say(struct server *s, const char *bytes, size_t len)
{
	if (s->out_at == s->out_len)
		s->out_at = s->out_len = 0;
	while (s->out_len + len > s->out_room) {
		s->out_room = s->out_room == 0 ? 4096 : 2 * s->out_room;
		s->out = realloc(s->out, s->out_room);
	}
	memcpy(s->out + s->out_len, bytes, len);
	s->out_len += len;
}

static void ANNEX_PRINTF(2, 3) sayf(struct server *s, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	server_say(s, text, (size_t)n);
	free(text);
}

static void
stream_error(struct server *s, const char *condition)
{
	sayf(s,
	    "<stream:error><%s xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
	    "</stream:stream>",
	    condition);
	server_close(s);
}

void
server_close(struct server *s)
{
	s->closing = s->connection != NULL;
}

static void
forget_connection(struct server *s)
{
	s->connection = NULL;
	s->out_len = s->out_at = s->allowed = 0;
	s->closing = s->shaken = s->header_written = false;
	tree_reader_destroy(&s->reader);
}

void
server_forget(struct server *s)
{
	struct connection *c = s->connection;

	if (c == NULL)
		return;
	forget_connection(s);
	free(c);
}

void
server_cut(struct server *s)
{
	s->out_len = s->out_at = s->allowed = 0;
	server_close(s);
}

bool
server_is_up(const struct server *s)
{
	return s->connection != NULL && s->shaken && !s->closing;
}

/* --- Listening ------------------------------------------------------------------ */

static void
write_header(struct server *s)
{
	if (s->header_written)
		return;
	s->header_written = true;
	sayf(s,
	    "<?xml version='1.0'?><stream:stream xmlns='" ANNEX_NS_STANZA
	    "' xmlns:stream='" NS_STREAMS "' from='%s' id='%s'>",
	    s->domain, s->stream_id);
}

static void
hear_header(void *cookie, struct annex_element *root)
{
	struct server *s = cookie;
	const char *to = annex_attr(root, "to");

	if (strcmp(root->name, "stream") != 0 || strcmp(root->ns, NS_STREAMS) != 0)
		s->user->wrong(s->user, "the stream's root is not <stream:stream/>");
	else if (to == NULL || strcmp(to, s->domain) != 0)
		s->user->wrong(s->user, "the header's \"to\" is not the component's domain");
	else if (annex_attr(root, "version") != NULL)
		s->user->wrong(s->user, "the header has a version, which XEP-0114 has not");
	if (s->manners == MANNERS_CLOSE_AT_HEADER) {
		server_close(s);
	} else if (s->manners == MANNERS_REJECT_HEADER) {
		write_header(s);
		stream_error(s, s->manners_text);
	} else if (s->manners != MANNERS_GREET && s->manners != MANNERS_SILENT) {
		write_header(s);
	}
}

static void
digest(const struct server *s, char hex[41])
{
	char text[512];
	unsigned char sum[EVP_MAX_MD_SIZE];
	int len = snprintf(text, sizeof(text), "%s%s", s->stream_id, s->secret);

	EVP_Digest(text, (size_t)len, sum, NULL, EVP_sha1(), NULL);
	for (int i = 0; i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

static void
hear_handshake(struct server *s, const struct annex_element *el)
{
	char right[41];

	digest(s, right);
	if (strcmp(el->name, "handshake") != 0 || strcmp(el->ns, ANNEX_NS_STANZA) != 0)
		s->user->wrong(s->user, "something else came before the handshake");
	else if (s->manners == MANNERS_CLOSE_AT_HANDSHAKE)
		server_close(s);
	else if (s->manners == MANNERS_REJECT)
		stream_error(s, s->manners_text);
	else if (strcmp(annex_text(el), right) != 0)
		stream_error(s, "not-authorized");
	else {
		sayf(s, "<handshake/>");
		s->shaken = true;
	}
}

static bool
is_ours(const struct server *s, const char *jid)
{
	const char *at = strchr(jid, '@'), *domain = jid;
	size_t len = strcspn(jid, "/");

	if (at != NULL && (size_t)(at - jid) < len) {
		domain = at + 1;
		len -= (size_t)(domain - jid);
	}
	return strlen(s->domain) == len && strncmp(domain, s->domain, len) == 0;
}

static bool
is_fence(const struct server *s, const struct annex_element *el)
{
	const char *from = annex_attr(el, "from");
	size_t len = strlen(s->domain);

	return strcmp(el->name, "iq") == 0 && from != NULL && strncmp(from, s->domain, len) == 0 &&
	    strcmp(from + len, "/annex") == 0 && annex_child(el, "urn:xmpp:ping", "ping") != NULL;
}

static void
hear_child(void *cookie, struct annex_element *el, const char *raw, size_t raw_len)
{
	struct server *s = cookie;
	const char *to = annex_attr(el, "to");

	if (strcmp(el->ns, NS_STREAMS) == 0) /* a stream error: the end follows */
		return;
	if (!s->shaken) {
		hear_handshake(s, el);
		return;
	}
	s->user->said(s->user, el, raw, raw_len);
	if (to == NULL || !is_ours(s, to) || (s->keeps_fences && is_fence(s, el)))
		return;
	if (!is_fence(s, el))
		s->user->asked_back(s->user, el);
	server_say(s, raw, raw_len);
}

/* --- The transport ----------------------------------------------------------------- */

static struct connection *
connection_of(struct transport *transport)
{
	return annex_container_of(transport, struct connection, transport);
}

static ssize_t
memory_read(struct transport *transport, void *bytes, size_t len)
{
	struct server *s = connection_of(transport)->server;
	size_t n = s->allowed < len ? s->allowed : len;

	if (n > 0) {
		memcpy(bytes, s->out + s->out_at, n);
		s->out_at += n;
		s->allowed -= n;
		return (ssize_t)n;
	}
	return s->closing && s->out_at == s->out_len ? 0 : -EAGAIN;
}

static uint32_t
cast(struct server *s, uint32_t below)
{
	uint32_t n;

	s->dice->fill(s->dice, &n, sizeof(n));
	return n % below;
}

static size_t
writable(struct server *s, size_t len)
{
	if (s->pieces != PIECES_RANDOM || len < 2)
		return len;
	return cast(s, 4) == 0 ? 1 + cast(s, (uint32_t)len) : len;
}

/* The stream's own white space and self-pings show nothing, whatever is not on disk yet. */
static bool
shows_nothing(const struct server *s, const char *bytes, size_t len)
{
	const char *ping = annex_sprintf(s->pool, "<iq type='get' from='%s/annex' ", s->domain);

	return (len == 1 && *bytes == ' ') ||
	    (len > strlen(ping) && memcmp(bytes, ping, strlen(ping)) == 0 &&
		memmem(bytes, len, "</iq>", 5) == bytes + len - 5);
}

static ssize_t
memory_write(struct transport *transport, const void *bytes, size_t len)
{
	struct server *s = connection_of(transport)->server;
	size_t n = writable(s, len);
	const char *why;
	bool nothing;

	if (s->stalled)
		return -EAGAIN;
	if (s->closing)
		return (ssize_t)n;
	nothing = len <= s->silent || shows_nothing(s, bytes, len);
	if (!nothing)
		s->user->writing(s->user);
	s->silent = nothing ? len - n : 0;
	if (s->reader == NULL)
		s->reader = tree_reader_create(s->pool, hear_header, hear_child, s);
	if ((why = tree_reader_feed(s->reader, bytes, n)) != NULL)
		s->user->wrong(
		    s->user, annex_sprintf(s->pool, "what the component said is no XML: %s", why));
	if (tree_reader_is_closed(s->reader) && !s->closing) {
		sayf(s, "</stream:stream>");
		server_close(s);
	}
	return (ssize_t)n;
}

static void
memory_want(struct transport *transport, int events)
{
	connection_of(transport)->wants = events;
}

static void
memory_close(struct transport *transport)
{
	struct connection *c = connection_of(transport);

	if (c->server->connection == c)
		forget_connection(c->server);
	free(c);
}

static const char *
memory_why(struct transport *transport)
{
	return "the simulated server said no";
}

static const struct transport_ops memory_ops = {
	.read = memory_read,
	.write = memory_write,
	.want = memory_want,
	.close = memory_close,
	.why = memory_why,
};

static struct transport *
memory_open(struct transport_maker *maker, const struct stream_host *host,
    struct transport_user *user, const char **why)
{
	struct server *s = annex_container_of(maker, struct server, maker);
	struct connection *c = calloc(1, sizeof(*c));

	c->transport = (struct transport) { .ops = &memory_ops, .user = user };
	c->server = s;
	s->connection = c;
	snprintf(s->stream_id, sizeof(s->stream_id), "stream-%lu", ++s->connections);
	return &c->transport;
}

/* --- Steps --------------------------------------------------------------------------- */

static void
tell_connected(struct server *s)
{
	struct connection *c = s->connection;
	struct transport_user *user = c->transport.user;

	c->told = true;
	if (s->manners == MANNERS_REFUSE) {
		user->failed(user, "connection refused");
		return;
	}
	if (s->manners == MANNERS_CLOSE_AT_CONNECT)
		server_close(s);
	if (s->manners == MANNERS_GREET)
		server_say(s, s->manners_text, strlen(s->manners_text));
	user->connected(user);
}

static size_t
piece(struct server *s)
{
	size_t left = s->out_len - s->out_at;

	switch (s->pieces) {
	case PIECES_BYTES:
		if (s->out_len <= BYTEWISE_MOST || s->out_at < BYTEWISE_EDGE ||
		    left <= BYTEWISE_EDGE)
			return 1;
		return left - BYTEWISE_EDGE < BYTEWISE_MIDDLE ? left - BYTEWISE_EDGE
							      : BYTEWISE_MIDDLE;
	case PIECES_RANDOM:
		return 1 + cast(s, (uint32_t)left);
	default:
		return left;
	}
}

bool
server_step(struct server *s)
{
	struct connection *c = s->connection;
	int events = 0;

	if (c == NULL)
		return false;
	if (!c->told) {
		tell_connected(s);
		return true;
	}
	if ((c->wants & REACTOR_READ) != 0 && (s->out_at < s->out_len || s->closing)) {
		if (s->out_at < s->out_len && s->allowed == 0)
			s->allowed = piece(s);
		events |= REACTOR_READ;
	}
	if ((c->wants & REACTOR_WRITE) != 0 && !s->stalled)
		events |= REACTOR_WRITE;
	if (events == 0)
		return false;
	c->transport.user->ready(c->transport.user, events);
	return true;
}

void
server_init(struct server *s)
{
	s->maker.open = memory_open;
}

void
server_finish(struct server *s)
{
	tree_reader_destroy(&s->reader);
	free(s->out);
	s->out = NULL;
	s->out_len = s->out_at = s->out_room = 0;
}
