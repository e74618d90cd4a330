/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * server.c - the other end of a component stream, as fast as it gets
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

void
server_listen(struct server *s, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memset(s, 0, sizeof(*s));
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	s->link = -1;
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(s->listener, 4) < 0)
		die(path);
	pthread_mutex_init(&s->writing, NULL);
	pthread_mutex_init(&s->counting, NULL);
	pthread_cond_init(&s->arrived, NULL);
}

/* Read until text has come. */
static void
read_until(struct server *s, const char *text)
{
	char seen[8192];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(seen) - 1) {
		if ((n = read(s->link, seen + len, 1)) <= 0)
			die("handshake");
		len += (size_t)n;
		seen[len] = '\0';
		if (strstr(seen, text) != NULL)
			return;
	}
	die("handshake");
}

void
server_accept(struct server *s)
{
	static const char header[] =
	    "<?xml version='1.0'?><stream:stream "
	    "xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
	    "from='bench' id='1'>";

	s->link = accept(s->listener, NULL, NULL);
	if (s->link < 0)
		die("accept");
	read_until(s, "streams'");
	read_until(s, ">");
	server_write(s, header, strlen(header));
	read_until(s, "</handshake>");
	server_write(s, "<handshake/>", strlen("<handshake/>"));
}

void
server_write(struct server *s, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t n;

	pthread_mutex_lock(&s->writing);
	while (len > 0) {
		if ((n = send(s->link, at, len, MSG_NOSIGNAL)) < 0 && errno != EINTR)
			break;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	pthread_mutex_unlock(&s->writing);
}

/* --- Reading ---------------------------------------------------------------------- */

struct scan {
	char bytes[262144 + 65536];
	size_t len;
};

/* One whole stanza: counted, or routed back where the component pinged itself. */
static void
take(struct server *s, const char *stanza, size_t len)
{
	if (stanza[1] == 'm') {
		s->messages++;
		s->message_bytes += len;
	} else if (memmem(stanza, len, "urn:xmpp:ping", 13) != NULL &&
	    memmem(stanza, len, "type='get'", 10) != NULL) {
		server_write(s, stanza, len);
	} else if (stanza[1] == 'i') {
		s->answers++;
	}
}

/* Where the first top-level stanza in bytes ends; 0 where it is not whole. */
static size_t
stanza_len(const char *at, const char *end)
{
	static const char *const tags[][2] = { { "<message", "</message>" }, { "<iq", "</iq>" },
		{ "<presence", "</presence>" } };
	const char *close, *gt = memchr(at, '>', (size_t)(end - at));

	if (gt == NULL)
		return 0;
	if (gt[-1] == '/')
		return (size_t)(gt + 1 - at);
	for (size_t i = 0; i < 3; i++) {
		if (strncmp(at, tags[i][0], strlen(tags[i][0])) != 0)
			continue;
		close = memmem(gt, (size_t)(end - gt), tags[i][1], strlen(tags[i][1]));
		return close == NULL ? 0 : (size_t)(close - at) + strlen(tags[i][1]);
	}
	return (size_t)(gt + 1 - at);
}

static void
scan(struct server *s, struct scan *scan)
{
	const char *at = scan->bytes, *end = scan->bytes + scan->len;
	size_t len;

	while (at < end) {
		if (*at != '<') {
			at++;
			continue;
		}
		if ((len = stanza_len(at, end)) == 0)
			break;
		take(s, at, len);
		at += len;
	}
	scan->len = (size_t)(end - at);
	memmove(scan->bytes, at, scan->len);
}

static void *
read_all(void *arg)
{
	struct server *s = arg;
	struct scan *buffer = malloc(sizeof(*buffer));
	ssize_t n;

	buffer->len = 0;
	for (;;) {
		while (__atomic_load_n(&s->paused, __ATOMIC_ACQUIRE))
			usleep(1000);
		n = read(s->link, buffer->bytes + buffer->len, 262144);
		if (n <= 0)
			break;
		pthread_mutex_lock(&s->counting);
		s->bytes += (uint64_t)n;
		if (!s->blind) {
			buffer->len += (size_t)n;
			scan(s, buffer);
		}
		pthread_cond_broadcast(&s->arrived);
		pthread_mutex_unlock(&s->counting);
	}
	free(buffer);
	return NULL;
}

void
server_start_reading(struct server *s)
{
	s->messages = s->answers = s->bytes = s->message_bytes = 0;
	s->blind = false;
	pthread_create(&s->reader, NULL, read_all, s);
	s->reading = true;
}

void
server_pause(struct server *s, bool paused)
{
	__atomic_store_n(&s->paused, paused, __ATOMIC_RELEASE);
}

bool
server_wait(struct server *s, uint64_t messages, uint64_t answers, int timeout_s)
{
	struct timespec until;
	int r = 0;
	bool come;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_s;
	pthread_mutex_lock(&s->counting);
	while (!(come = s->messages >= messages && s->answers >= answers) && r == 0)
		r = pthread_cond_timedwait(&s->arrived, &s->counting, &until);
	pthread_mutex_unlock(&s->counting);
	return come;
}

bool
server_wait_bytes(struct server *s, uint64_t bytes, int timeout_s)
{
	struct timespec until;
	int r = 0;
	bool come;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_s;
	pthread_mutex_lock(&s->counting);
	while (!(come = s->bytes >= bytes) && r == 0)
		r = pthread_cond_timedwait(&s->arrived, &s->counting, &until);
	pthread_mutex_unlock(&s->counting);
	return come;
}

void
server_drop(struct server *s)
{
	if (s->link < 0)
		return;
	shutdown(s->link, SHUT_RDWR);
	server_pause(s, false);
	if (s->reading)
		pthread_join(s->reader, NULL);
	s->reading = false;
	close(s->link);
	s->link = -1;
}

void
server_close(struct server *s)
{
	server_drop(s);
	close(s->listener);
	unlink(s->path);
}
