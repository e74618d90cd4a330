/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * memory_transport.c - a server that is a test, and a wire that is memory
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "base/check.h"
#include "memory_transport.h"

static struct memory_link *
link_of(struct transport *transport)
{
	return annex_container_of(transport, struct memory_link, transport);
}

static ssize_t
memory_link_read(struct transport *transport, void *bytes, size_t len)
{
	struct memory_link *link = link_of(transport);
	size_t n = link->in.len < len ? link->in.len : len;

	if (n == 0)
		return link->eof ? 0 : -EAGAIN;
	memcpy(bytes, link->in.data, n);
	buf_consume(&link->in, n);
	return (ssize_t)n;
}

static ssize_t
memory_link_write(struct transport *transport, const void *bytes, size_t len)
{
	struct memory_net *net = link_of(transport)->net;
	size_t n = len < net->room ? len : net->room;

	if (net->write_error != 0)
		return net->write_error;
	if (n == 0)
		return -EAGAIN;
	buf_append(&net->out, bytes, n);
	net->writes++;
	net->written += n;
	if (net->room != SIZE_MAX)
		net->room -= n;
	return (ssize_t)n;
}

static void
memory_link_want(struct transport *transport, int events)
{
	link_of(transport)->wants = events;
}

static void
memory_link_close(struct transport *transport)
{
	struct memory_link *link = link_of(transport);

	CHECK(link->net->link == link);
	link->net->link = NULL;
	link->net->closes++;
	buf_finish(&link->in);
	free(link);
}

static const char *
memory_link_why(struct transport *transport)
{
	return NULL;
}

static const struct transport_ops memory_ops = {
	.read = memory_link_read,
	.write = memory_link_write,
	.want = memory_link_want,
	.close = memory_link_close,
	.why = memory_link_why,
};

static struct transport *
memory_open(struct transport_maker *maker, const struct stream_host *host,
    struct transport_user *user, const char **why)
{
	struct memory_net *net = annex_container_of(maker, struct memory_net, maker);
	struct memory_link *link;

	net->opens++;
	if (host->path != NULL)
		snprintf(net->host, sizeof(net->host), "unix:%s", host->path);
	else
		snprintf(net->host, sizeof(net->host), "%s:%" PRIu16, host->name, host->port);
	if (net->impossible != NULL) {
		*why = net->impossible;
		return NULL;
	}
	CHECK(net->link == NULL);
	link = mem_zalloc(sizeof(*link));
	link->transport = (struct transport) { &memory_ops, user };
	link->net = net;
	link->wants = REACTOR_READ;
	net->link = link;
	buf_clear(&net->out);
	return &link->transport;
}

void
memory_net_init(struct memory_net *net)
{
	memset(net, 0, sizeof(*net));
	net->maker.open = memory_open;
	net->room = SIZE_MAX;
}

void
memory_net_finish(struct memory_net *net)
{
	CHECK(net->link == NULL);
	buf_finish(&net->out);
	buf_finish(&net->heard);
}

void
memory_connect(struct memory_net *net)
{
	net->link->transport.user->connected(net->link->transport.user);
}

void
memory_refuse(struct memory_net *net, const char *why)
{
	net->link->transport.user->failed(net->link->transport.user, why);
}

void
memory_read(struct memory_net *net)
{
	while (net->link != NULL && (net->link->wants & REACTOR_READ) != 0 &&
	    (net->link->in.len > 0 || net->link->eof))
		net->link->transport.user->ready(net->link->transport.user, REACTOR_READ);
}

void
memory_say_bytes(struct memory_net *net, const void *bytes, size_t len)
{
	CHECK(net->link != NULL);
	buf_append(&net->link->in, bytes, len);
	memory_read(net);
}

void
memory_say(struct memory_net *net, const char *text)
{
	memory_say_bytes(net, text, strlen(text));
}

void
memory_hang_up(struct memory_net *net)
{
	CHECK(net->link != NULL);
	net->link->eof = true;
	memory_read(net);
}

void
memory_take(struct memory_net *net, size_t bytes)
{
	net->room = bytes == SIZE_MAX || net->room == SIZE_MAX ? bytes : net->room + bytes;
	while (net->link != NULL && (net->link->wants & REACTOR_WRITE) != 0 && net->room > 0)
		net->link->transport.user->ready(net->link->transport.user, REACTOR_WRITE);
}

const char *
memory_heard(struct memory_net *net)
{
	struct buf heard = net->heard;

	net->heard = net->out;
	net->out = heard;
	buf_clear(&net->out);
	return buf_text(&net->heard);
}
