/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * server.c - the other end of a component stream, as fast as it gets
 *
 * One thread reads, one writes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

struct out {
	struct out *next;
	size_t len;
	char bytes[];
};

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
	s->out_end = &s->out;
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(s->listener, 4) < 0)
		die(path);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->arrived, NULL);
	pthread_cond_init(&s->queued, NULL);
}

/* --- Writing ---------------------------------------------------------------------- */

static bool
send_all(struct server *s, const char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = send(s->link, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Called locked. */
static void
queue(struct server *s, const void *bytes, size_t len)
{
	struct out *out = malloc(sizeof(*out) + len);

	if (out == NULL)
		die("server");
	out->next = NULL;
	out->len = len;
	memcpy(out->bytes, bytes, len);
	*s->out_end = out;
	s->out_end = &out->next;
	pthread_cond_signal(&s->queued);
}

/* At once what the socket takes, where nothing is before it: waking the writer takes its time. */
void
server_write(struct server *s, const void *bytes, size_t len)
{
	ssize_t n = 0;

	pthread_mutex_lock(&s->lock);
	if (s->out == NULL && !s->writing)
		n = send(s->link, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		n = 0;
	if ((size_t)n < len)
		queue(s, (const char *)bytes + n, len - (size_t)n);
	pthread_mutex_unlock(&s->lock);
}

/* The next one to be written; NULL when the link is dropped. */
static struct out *
out_take(struct server *s)
{
	struct out *out = NULL;

	pthread_mutex_lock(&s->lock);
	s->writing = false;
	while (s->out == NULL && !s->dropped)
		pthread_cond_wait(&s->queued, &s->lock);
	if (!s->dropped) {
		out = s->out;
		s->out = out->next;
		if (s->out == NULL)
			s->out_end = &s->out;
		s->writing = true;
	}
	pthread_mutex_unlock(&s->lock);
	return out;
}

static void *
write_all(void *arg)
{
	struct server *s = arg;
	struct out *out;
	bool gone = false;

	while ((out = out_take(s)) != NULL) {
		gone = gone || !send_all(s, out->bytes, out->len);
		free(out);
	}
	return NULL;
}

/* --- The handshake ------------------------------------------------------------------ */

/* Read until text has come. */
static void
read_until(struct server *s, const char *text)
{
	char seen[8192];
	size_t len = 0;

	while (len < sizeof(seen) - 1) {
		if (read(s->link, seen + len, 1) <= 0)
			die("handshake");
		seen[++len] = '\0';
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
	static const char done[] = "<handshake/>";

	if ((s->link = accept(s->listener, NULL, NULL)) < 0)
		die("accept");
	read_until(s, "streams'");
	read_until(s, ">");
	send_all(s, header, strlen(header));
	read_until(s, "</handshake>");
	send_all(s, done, strlen(done));
	s->dropped = false;
	pthread_create(&s->writer, NULL, write_all, s);
}

/* --- Reading ---------------------------------------------------------------------- */

struct scan {
	char bytes[SERVER_READ_BYTES + 65536];
	size_t len;
};

/* One whole stanza: counted, or routed back where the component pinged itself.  Called locked. */
static void
take(struct server *s, const char *stanza, size_t len)
{
	if (stanza[1] == 'm') {
		s->messages++;
		s->message_bytes += len;
	} else if (memmem(stanza, len, "urn:xmpp:ping", 13) != NULL &&
	    memmem(stanza, len, "type='get'", 10) != NULL) {
		queue(s, stanza, len);
	} else if (stanza[1] == 'i') {
		s->answers++;
	} else if (stanza[1] == 'p') {
		s->presences++;
		s->probes += memmem(stanza, len, "type='probe'", 12) != NULL;
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
		n = read(s->link, buffer->bytes + buffer->len, SERVER_READ_BYTES);
		if (n <= 0)
			break;
		pthread_mutex_lock(&s->lock);
		s->bytes += (uint64_t)n;
		if (!s->blind) {
			buffer->len += (size_t)n;
			scan(s, buffer);
		}
		pthread_cond_broadcast(&s->arrived);
		pthread_mutex_unlock(&s->lock);
	}
	free(buffer);
	return NULL;
}

void
server_start_reading(struct server *s)
{
	s->messages = s->answers = s->presences = s->probes = s->bytes = s->message_bytes = 0;
	s->blind = false;
	pthread_create(&s->reader, NULL, read_all, s);
	s->reading = true;
}

void
server_pause(struct server *s, bool paused)
{
	__atomic_store_n(&s->paused, paused, __ATOMIC_RELEASE);
}

void
server_go_blind(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	s->blind = true;
	pthread_mutex_unlock(&s->lock);
}

/* What somebody waits for: at least so many of each. */
struct goal {
	uint64_t messages, answers, presences, probes, bytes;
};

static bool
wait_for(struct server *s, struct goal goal, int timeout_s)
{
	struct timespec until;
	int r = 0;
	bool come;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_s;
	pthread_mutex_lock(&s->lock);
	while (!(come = s->messages >= goal.messages && s->answers >= goal.answers &&
		       s->presences >= goal.presences && s->probes >= goal.probes &&
		       s->bytes >= goal.bytes) &&
	    r == 0)
		r = pthread_cond_timedwait(&s->arrived, &s->lock, &until);
	pthread_mutex_unlock(&s->lock);
	return come;
}

bool
server_wait(struct server *s, uint64_t messages, uint64_t answers, int timeout_s)
{
	return wait_for(s, (struct goal) { .messages = messages, .answers = answers }, timeout_s);
}

bool
server_wait_presences(struct server *s, uint64_t presences, uint64_t probes, int timeout_s)
{
	return wait_for(s, (struct goal) { .presences = presences, .probes = probes }, timeout_s);
}

bool
server_wait_bytes(struct server *s, uint64_t bytes, int timeout_s)
{
	return wait_for(s, (struct goal) { .bytes = bytes }, timeout_s);
}

uint64_t
server_bytes(struct server *s)
{
	uint64_t bytes;

	pthread_mutex_lock(&s->lock);
	bytes = s->bytes;
	pthread_mutex_unlock(&s->lock);
	return bytes;
}

void
server_wait_end(struct server *s)
{
	if (s->reading)
		pthread_join(s->reader, NULL);
	s->reading = false;
}

static void
forget_queue(struct server *s)
{
	struct out *out;

	while ((out = s->out) != NULL) {
		s->out = out->next;
		free(out);
	}
	s->out_end = &s->out;
}

void
server_drop(struct server *s)
{
	if (s->link < 0)
		return;
	shutdown(s->link, SHUT_RDWR);
	server_pause(s, false);
	server_wait_end(s);
	pthread_mutex_lock(&s->lock);
	s->dropped = true;
	pthread_cond_signal(&s->queued);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->writer, NULL);
	forget_queue(s);
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
