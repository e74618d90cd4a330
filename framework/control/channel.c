/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * channel.c - one connection that carries JSON Lines both ways
 *
 * The awkward case is the end.  A peer that shut down only its writing side
 * (printf … | socat) still wants its answer; one that closed is gone.  Only
 * poll's POLLHUP tells them apart, so it is asked at the end of the input.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <annex/list.h>

#include "base/check.h"
#include "base/io.h"

#include "channel.h"

#define READ_BYTES 16384
#define READS_A_TURN 16 /* then others have a go */

static void channel_fire(struct watch *watch, int events);

static bool
channel_is_open(const struct channel *channel)
{
	return channel->watch.fd >= 0;
}

/* Let the next event end it: after a shutdown there is one at once, even of a full socket. */
static void
channel_break(struct channel *channel, const char *why)
{
	if (channel->broken != NULL)
		return;
	channel->broken = why;
	shutdown(channel->watch.fd, SHUT_RDWR);
}

/* Wait for whatever there still is to do. */
static void
channel_rewatch(struct channel *channel)
{
	int events = 0;

	if (!channel_is_open(channel))
		return;
	if (!channel->read_ended || channel->broken != NULL)
		events |= REACTOR_READ;
	/* Whoever has nothing left to say, or goes on, does so from the reactor: a socket that
	 * took all is writable at once. */
	if (channel->out.len > 0 || channel->closing || channel->resumed || channel->broken != NULL)
		events |= REACTOR_WRITE;
	watch_start(channel->reactor, &channel->watch, channel->watch.fd, events, channel_fire);
}

void
channel_init(struct channel *channel, struct reactor *reactor, int fd, channel_line_fn *line,
    channel_ended_fn *ended)
{
	*channel = (struct channel) {
		.reactor = reactor,
		.watch.fd = fd,
		.line = line,
		.ended = ended,
		.out.max = CHANNEL_OUT_MAX,
		.passed_fd = -1,
	};
	CHECK(io_set_nonblocking(fd) >= 0);
	channel_rewatch(channel);
}

void
channel_finish(struct channel *channel)
{
	if (channel->finished != NULL)
		*channel->finished = true;
	channel->finished = NULL;
	if (channel_is_open(channel)) {
		watch_stop(channel->reactor, &channel->watch);
		io_close(&channel->watch.fd);
	}
	io_close(&channel->passed_fd);
	lines_finish(&channel->in);
	buf_finish(&channel->out);
}

static void
channel_end(struct channel *channel, const char *why)
{
	watch_stop(channel->reactor, &channel->watch);
	channel->ended(channel, why);
}

/* Send what the socket takes now. */
static void
channel_flush(struct channel *channel)
{
	while (channel->out.len > 0 && channel->broken == NULL) {
		ssize_t n = send(channel->watch.fd, channel->out.data, channel->out.len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			buf_consume(&channel->out, (size_t)n);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		else if (errno != EINTR)
			channel_break(channel, "closed by the other end");
	}
}

int
channel_send(struct channel *channel, const json_t *value)
{
	char *text;
	size_t len;

	if (!channel_is_open(channel) || channel->broken != NULL)
		return ANNEX_EIO;
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	CHECK(text != NULL);
	if ((len = strlen(text)) > LINES_MAX) {
		free(text);
		return ANNEX_ELIMIT;
	}
	/* The two together, or a full buffer would swallow only the line's end. */
	text[len] = '\n';
	buf_append(&channel->out, text, len + 1);
	free(text);
	if (channel->out.error < 0)
		channel_break(channel, "does not read what it asked for");
	channel_flush(channel);
	channel_rewatch(channel);
	return channel->broken == NULL ? ANNEX_OK : ANNEX_EIO;
}

/* Keep the newest descriptor that came along, close the others. */
static void
take_passed(struct channel *channel, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t n;
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			io_close(&channel->passed_fd);
			channel->passed_fd = fd;
		}
	}
}

static ssize_t
channel_receive(struct channel *channel, char *bytes, size_t room)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = bytes, .iov_len = room };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	do
		n = recvmsg(channel->watch.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		take_passed(channel, &message);
	return n;
}

/* Hand out the lines that are there; false once a callback finished the channel. */
static bool
hand_out(struct channel *channel)
{
	bool finished = false;
	char *line;
	size_t len;

	channel->finished = &finished;
	channel->resumed = false;
	while (!channel->held && !channel->closing && channel->broken == NULL &&
	    lines_next(&channel->in, &line, &len)) {
		channel->line(channel, line, len);
		if (finished)
			return false;
	}
	channel->finished = NULL;
	if (channel->broken == NULL && lines_is_overlong(&channel->in))
		channel_break(channel, "a line is longer than 1 MiB");
	if (channel->read_ended && !channel->held)
		channel->closing = true;
	return true;
}

/* The input ended: is anybody still there to be answered? */
static void
channel_input_ended(struct channel *channel)
{
	struct pollfd p = { .fd = channel->watch.fd, .events = POLLOUT };

	channel->read_ended = true;
	if (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0)
		channel_break(channel, "closed by the other end");
	else if (!channel->held)
		channel->closing = true;
}

/* False once a callback finished the channel. */
static bool
channel_read(struct channel *channel)
{
	char bytes[READ_BYTES];

	for (int i = 0; i < READS_A_TURN && channel->broken == NULL && !channel->closing; i++) {
		ssize_t n = channel_receive(channel, bytes, sizeof(bytes));

		if (n > 0) {
			lines_feed(&channel->in, bytes, (size_t)n);
			if (!hand_out(channel))
				return false;
			continue;
		}
		if (n == 0)
			channel_input_ended(channel);
		else if (errno != EAGAIN && errno != EWOULDBLOCK)
			channel_break(channel, "closed by the other end");
		break;
	}
	return true;
}

static void
channel_fire(struct watch *watch, int events)
{
	struct channel *channel = annex_container_of(watch, struct channel, watch);

	if (channel->resumed && !hand_out(channel))
		return;
	if ((events & REACTOR_READ) != 0 && !channel->read_ended && !channel_read(channel))
		return;
	channel_flush(channel);
	if (channel->broken != NULL)
		channel_end(channel, channel->broken);
	else if (channel->closing && channel->out.len == 0)
		channel_end(channel, "closed");
	else
		channel_rewatch(channel);
}

void
channel_hold(struct channel *channel)
{
	channel->held = true;
}

void
channel_go_on(struct channel *channel)
{
	channel->held = false;
	/* Within a line's callback hand_out goes on by itself. */
	channel->resumed = channel->finished == NULL;
	channel_rewatch(channel);
}

int
channel_take_fd(struct channel *channel)
{
	int fd = channel->passed_fd;

	channel->passed_fd = -1;
	return fd;
}
