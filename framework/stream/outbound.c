/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * outbound.c - what we say: one write for all that a turn has queued
 *
 * The wire holds a bounded number of bytes and is filled as the socket
 * drains.  A write that fails does not end the link at once, for the reader
 * may find that the server told us why.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "private.h"

#define WRITE_BYTES ((size_t)1024 * 1024) /* a call; then others have their turn */
#define LAST_WORDS_MS 200

#define HARDLY_KEPT (1u << STREAM_PRESENCE | 1u << STREAM_QUESTION)

static struct stream *
stream_of(struct outbox *outbox)
{
	return annex_container_of(outbox, struct stream, outbox);
}

static void
fence_written(struct outbox *outbox, uint64_t upto)
{
	struct stream *stream = stream_of(outbox);

	fences_written(&stream->fences, upto, stream->env.clock->mono_us);
}

static void
passed(struct flows *flows, void *mark)
{
	struct stream *stream = annex_container_of(flows, struct stream, outbox.flows);

	fences_passed(&stream->fences, mark);
}

static void
filled(struct outbox *outbox)
{
	struct stream *stream = stream_of(outbox);

	if (fences_drain(&stream->fences)) /* who asked meanwhile */
		outbox_barrier(outbox);
	if (fences_want_ping(&stream->fences))
		liveness_place_fence(stream);
}

static void
suspect_sent(struct outbox *outbox)
{
	liveness_place_fence(stream_of(outbox));
}

void
outbound_init(struct stream *stream)
{
	outbox_init(&stream->outbox, 0);
	stream->outbox.fence_written = fence_written;
	stream->outbox.flows.passed = passed;
	stream->outbox.suspect_sent = suspect_sent;
	stream->outbox.filled = filled;
}

/* Tell the counters what is new. */
void
outbound_account(struct stream *stream)
{
	struct outbox *now = &stream->outbox, *told = &stream->counted;

	stream_count(stream, COUNT_STANZAS_OUT, (int64_t)(now->written - told->written));
	stream_count(stream, COUNT_FORGOTTEN, (int64_t)(now->forgotten - told->forgotten));
	stream_count(stream, COUNT_QUEUE_BYTES, (int64_t)now->held - (int64_t)told->held);
	for (int i = 0; i <= STREAM_BOUNCE; i++) {
		if (now->dropped[i] == told->dropped[i])
			continue;
		stream_count(
		    stream, COUNT_DROPPED + i, (int64_t)(now->dropped[i] - told->dropped[i]));
		told->dropped[i] = now->dropped[i];
	}
	told->written = now->written;
	told->forgotten = now->forgotten;
	told->held = now->held;
}

static bool
has_more(const struct stream *stream)
{
	if (stream->raw.len > 0)
		return true;
	return stream->linked && !stream->end_sent && outbox_has_more(&stream->outbox);
}

void
link_want(struct stream *stream)
{
	bool idle = stream->stopped || stream->paused;
	int events = 0;

	if (!stream->connected)
		return;
	if (!idle)
		events |= REACTOR_READ;
	if (!stream->broken && has_more(stream))
		events |= REACTOR_WRITE;
	if (events == stream->wanted)
		return;
	stream->wanted = events;
	stream->transport->ops->want(stream->transport, events);
}

static void
later(struct timer *timer)
{
	struct stream *stream = annex_container_of(timer, struct stream, later);

	if (stream->broken) {
		char why[200];

		snprintf(why, sizeof(why), "%s", buf_text(&stream->raw));
		link_fail(stream, &trouble_away, "%s", why);
	} else if (!stream->linked) {
		fences_fail(&stream->fences);
	}
}

/* The reason waits in raw, which will never be written now. */
static void
write_failed(struct stream *stream, ssize_t n)
{
	const char *why = stream->transport->ops->why(stream->transport);

	stream->broken = true;
	buf_clear(&stream->raw);
	buf_puts(&stream->raw, why != NULL && *why != '\0' ? why : strerror((int)-n));
	timer_start(stream->env.timers, &stream->later, LAST_WORDS_MS, later);
}

/* What is next: bytes of our own, or of the wire once the handshake is done. */
static size_t
write_front(struct stream *stream, const char **bytes_r)
{
	size_t n;

	if (stream->raw.len > 0) {
		*bytes_r = stream->raw.data;
		return stream->raw.len;
	}
	if (!stream->linked || stream->end_sent)
		return 0;
	if ((n = outbox_front(&stream->outbox, bytes_r)) > 0)
		return n;
	if (stream->state != STATE_CLOSING || !outbox_is_empty(&stream->outbox))
		return 0;
	stream->end_sent = true;
	buf_puts(&stream->raw, "</stream:stream>");
	*bytes_r = stream->raw.data;
	return stream->raw.len;
}

static void
write_done(struct stream *stream, size_t n)
{
	if (stream->raw.len > 0)
		buf_consume(&stream->raw, n);
	else
		outbox_written(&stream->outbox, n);
	stream_count(stream, COUNT_BYTES_OUT, (int64_t)n);
}

void
link_write(struct stream *stream)
{
	size_t left = WRITE_BYTES, len;
	const char *bytes;

	if (!stream->connected || stream->broken)
		return;
	while (left > 0 && (len = write_front(stream, &bytes)) > 0) {
		ssize_t n = stream->transport->ops->write(stream->transport, bytes, len);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			write_failed(stream, n);
			break;
		}
		write_done(stream, (size_t)n);
		left -= (size_t)n < left ? (size_t)n : left;
	}
	if (left < WRITE_BYTES)
		liveness_written(stream);
	liveness_pressure(stream);
	link_want(stream);
	outbound_account(stream);
}

/* Last words, as far as they fit: an error of ours and the end of our stream. */
void
link_goodbye(struct stream *stream, const char *condition)
{
	struct buf words = { 0 };

	if (stream->broken || stream->end_sent || stream->raw.len > 0 ||
	    spool_is_midway(&stream->outbox.wire))
		return;
	if (condition != NULL)
		buf_printf(&words,
		    "<stream:error><%s xmlns='" NS_STREAM_ERRORS "'/></stream:error>", condition);
	buf_puts(&words, "</stream:stream>");
	(void)stream->transport->ops->write(stream->transport, words.data, words.len);
	buf_finish(&words);
	stream->end_sent = true;
}

struct flow *
stream_flow(struct stream *stream, const char *name)
{
	CHECK_OBJECT(stream, STREAM_MAGIC);
	return flows_get(&stream->outbox.flows, name);
}

/* Output that would only fill memory is not taken at all. */
static bool
is_welcome(struct stream *stream, enum stream_class class)
{
	bool up = stream->linked && !stream->end_sent;

	if (up)
		return class != STREAM_BOUNCE || stream_pressure(stream) != STREAM_HARD;
	if ((HARDLY_KEPT & 1u << class) != 0)
		return false;
	return (class != STREAM_BOUNCE && class != STREAM_MESSAGE) ||
	    stream_pressure(stream) != STREAM_HARD;
}

static uint32_t
now_s(const struct stream *stream)
{
	return (uint32_t)(stream->env.clock->wall_us / 1000000);
}

void
stream_queue(struct stream *stream, struct flow *flow, enum stream_class class, const void *bytes,
    size_t len)
{
	CHECK_OBJECT(stream, STREAM_MAGIC);
	if (!is_welcome(stream, class)) {
		stream->outbox.dropped[class]++;
		return;
	}
	outbox_add(&stream->outbox, flow != NULL ? flow : &stream->outbox.flows.zero, class,
	    now_s(stream), bytes, len, stream->linked);
}

void
stream_queue_fanout(
    struct stream *stream, struct flow *flow, enum stream_class class, struct fanout **fanout)
{
	CHECK_OBJECT(stream, STREAM_MAGIC);
	if (!is_welcome(stream, class)) {
		stream->outbox.dropped[class] += fanout_stanzas(*fanout);
		fanout_unref(fanout);
		return;
	}
	flow_append_fanout(&stream->outbox.flows, flow != NULL ? flow : &stream->outbox.flows.zero,
	    class, now_s(stream), fanout);
}

void
stream_flush(struct stream *stream)
{
	CHECK_OBJECT(stream, STREAM_MAGIC);
	if (stream->linked && fences_drain(&stream->fences))
		outbox_barrier(&stream->outbox);
	link_write(stream);
	flows_sweep(&stream->outbox.flows);
	if (!stream->connected)
		outbound_account(stream);
}

void
stream_fence(struct stream *stream, stream_fence_fn *fn, void *cookie)
{
	CHECK_OBJECT(stream, STREAM_MAGIC);
	fences_wait(&stream->fences, fn, cookie);
	if (!stream->linked)
		timer_start(stream->env.timers, &stream->later, 0, later);
}

void
stream_fence_on(struct stream *stream, struct flow *flow, stream_fence_fn *fn, void *cookie)
{
	struct waiter *waiter = fences_mark(&stream->fences, fn, cookie);

	CHECK_OBJECT(stream, STREAM_MAGIC);
	if (stream->linked)
		outbox_mark(
		    &stream->outbox, flow != NULL ? flow : &stream->outbox.flows.zero, waiter);
	else
		timer_start(stream->env.timers, &stream->later, 0, later);
}

enum stream_pressure
stream_pressure(const struct stream *stream)
{
	if (stream->outbox.held <= stream->config.queue_high_bytes)
		return STREAM_EASY;
	return stream->outbox.held <= stream->config.queue_hard_bytes ? STREAM_HIGH : STREAM_HARD;
}

size_t
stream_queued_bytes(const struct stream *stream)
{
	return stream->outbox.held;
}

size_t
stream_queued_stanzas(const struct stream *stream)
{
	return outbox_stanzas(&stream->outbox);
}
