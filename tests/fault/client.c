/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * client.c - a server with many senders, and the ledger of what they were told
 *
 *	client SOCKET LEDGER SENDERS WINDOW
 *
 * Listens on SOCKET for a component (XEP-0114) and keeps WINDOW messages of SENDERS
 * senders unanswered, as fast as answers come.  Every link is an epoch, and message n of
 * a sender in epoch e has the id "e.n".  The answer to it says its number in the store: only
 * when that answer has been READ is a line "SENDER NUMBER ID" written to LEDGER,
 * with O_APPEND and before anything else is sent.  This process is never killed, so
 * the ledger holds what a person at the other end has seen.
 *
 * Prints "up EPOCH PID" and "lost EPOCH ANSWERED"; ends with its standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SENDERS_MAX 1024
#define BYTES 262144

struct client {
	int listener, link, ledger;
	unsigned senders, window;
	unsigned epoch, sent, answered;
	unsigned next[SENDERS_MAX]; /* of this epoch */
	char in[BYTES], out[BYTES], lines[BYTES];
	size_t in_len, out_len, lines_len;
	bool up;
};

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static void
listen_at(struct client *c, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path))
		die(path);
	strcpy(addr.sun_path, path);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(c->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(c->listener, 4) < 0)
		die(path);
}

static void
append(struct client *c, const char *text, size_t len)
{
	if (c->out_len + len > sizeof(c->out)) {
		fprintf(stderr, "too much to send\n");
		exit(2);
	}
	memcpy(c->out + c->out_len, text, len);
	c->out_len += len;
}

static void
append_text(struct client *c, const char *text)
{
	append(c, text, strlen(text));
}

static void
fill_window(struct client *c)
{
	char text[256];

	while (c->up && c->sent - c->answered < c->window && c->out_len < BYTES / 2) {
		unsigned who = c->sent++ % c->senders;

		append(c, text,
		    (size_t)snprintf(text, sizeof(text),
			"<message from='s%u@example.org/x' to='count.test' type='chat' id='%u.%u'>"
			"<thread>%u.%u</thread><body>0</body></message>",
			who, c->epoch, c->next[who], c->epoch, c->next[who]));
		c->next[who]++;
	}
}

/* The value of an attribute, or the text behind a tag; false where it is not there. */
static bool
between(const char *at, size_t len, const char *before, char end, char *value, size_t room)
{
	const char *from = memmem(at, len, before, strlen(before)), *to;

	if (from == NULL)
		return false;
	from += strlen(before);
	to = memchr(from, end, len - (size_t)(from - at));
	if (to == NULL || (size_t)(to - from) >= room)
		return false;
	memcpy(value, from, (size_t)(to - from));
	value[to - from] = '\0';
	return true;
}

static void
write_ledger(struct client *c)
{
	if (c->lines_len > 0 && write(c->ledger, c->lines, c->lines_len) != (ssize_t)c->lines_len)
		die("ledger");
	c->lines_len = 0;
}

static void
take_message(struct client *c, const char *at, size_t len)
{
	char to[64], id[64], number[32];

	c->answered++;
	if (!between(at, len, " to='", '@', to, sizeof(to)) ||
	    !between(at, len, " id='", '\'', id, sizeof(id)) ||
	    !between(at, len, "<body>", '<', number, sizeof(number)))
		return; /* an error: nothing was promised */
	if (c->lines_len > BYTES - 256)
		write_ledger(c);
	c->lines_len += (size_t)snprintf(
	    c->lines + c->lines_len, BYTES - c->lines_len, "%s %s %s\n", to, number, id);
}

/* Where the stanza at the front ends; 0 where it is not whole. */
static size_t
stanza_len(const char *at, size_t len)
{
	static const char *const ends[] = { "</message>", "</iq>" };
	const char *end = memmem(at, len, ">", 1);

	if (end == NULL)
		return 0;
	if (end[-1] == '/')
		return (size_t)(end + 1 - at);
	for (size_t i = 0; i < 2; i++)
		if (at[1] == ends[i][2]) {
			end = memmem(at, len, ends[i], strlen(ends[i]));
			return end == NULL ? 0 : (size_t)(end - at) + strlen(ends[i]);
		}
	return (size_t)(end + 1 - at);
}

static void
take_stanzas(struct client *c)
{
	size_t at = 0, len;

	while (at < c->in_len) {
		if (c->in[at] != '<') {
			at++;
			continue;
		}
		if ((len = stanza_len(c->in + at, c->in_len - at)) == 0)
			break;
		if (c->in[at + 1] == 'm')
			take_message(c, c->in + at, len);
		else if (c->in[at + 1] == 'i') /* a ping to itself: route it back */
			append(c, c->in + at, len);
		else if (c->in[at + 1] == '/') /* the end of its stream */
			shutdown(c->link, SHUT_WR);
		at += len;
	}
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
	write_ledger(c);
}

static bool
has(const struct client *c, const char *text)
{
	return memmem(c->in, c->in_len, text, strlen(text)) != NULL;
}

static void
shake_hands(struct client *c)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (has(c, "</handshake>")) {
		append_text(c, "<handshake/>");
		c->up = true;
		getsockopt(c->link, SOL_SOCKET, SO_PEERCRED, &peer, &len);
		printf("up %u %d\n", c->epoch, (int)peer.pid);
	} else if (has(c, "<stream:stream") && has(c, ">")) {
		append_text(c,
		    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
		    "xmlns:stream='http://etherx.jabber.org/streams' from='count.test' id='1'>");
	} else {
		return;
	}
	c->in_len = 0;
}

static void
lose(struct client *c)
{
	write_ledger(c);
	if (c->up)
		printf("lost %u %u\n", c->epoch, c->answered);
	close(c->link);
	c->link = -1;
}

static void
begin(struct client *c)
{
	if ((c->link = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0)
		return;
	c->epoch++;
	c->up = false;
	c->sent = c->answered = 0;
	c->in_len = c->out_len = 0;
	memset(c->next, 0, sizeof(c->next));
}

/* False where the link is gone, and everything that was in it has been read. */
static bool
read_link(struct client *c)
{
	ssize_t n = read(c->link, c->in + c->in_len, BYTES - c->in_len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	c->in_len += (size_t)n;
	if (c->up)
		take_stanzas(c);
	else
		shake_hands(c);
	return true;
}

static void
write_link(struct client *c)
{
	ssize_t n = send(c->link, c->out, c->out_len, MSG_NOSIGNAL);

	if (n <= 0)
		return; /* what is still to be read comes first */
	c->out_len -= (size_t)n;
	memmove(c->out, c->out + n, c->out_len);
}

static void
serve(struct client *c)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	char byte;

	for (;;) {
		fds[1].fd = c->link < 0 ? c->listener : c->link;
		fds[1].events = (short)(POLLIN | (c->link >= 0 && c->out_len > 0 ? POLLOUT : 0));
		if (poll(fds, 2, -1) < 0)
			die("poll");
		if (fds[0].revents != 0 && read(STDIN_FILENO, &byte, 1) <= 0)
			return;
		if (c->link < 0) {
			if (fds[1].revents != 0)
				begin(c);
			continue;
		}
		if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !read_link(c)) {
			lose(c);
			continue;
		}
		fill_window(c);
		if (c->out_len > 0)
			write_link(c);
	}
}

int
main(int argc, char **argv)
{
	struct client *c = calloc(1, sizeof(*c));

	if (argc != 5 || c == NULL) {
		fprintf(stderr, "usage: client SOCKET LEDGER SENDERS WINDOW\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	c->link = -1;
	c->senders = (unsigned)strtoul(argv[3], NULL, 10);
	c->window = (unsigned)strtoul(argv[4], NULL, 10);
	if (c->senders < 1 || c->senders > SENDERS_MAX)
		die("SENDERS");
	c->ledger = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (c->ledger < 0)
		die(argv[2]);
	listen_at(c, argv[1]);
	serve(c);
	unlink(argv[1]);
	free(c);
	return 0;
}
