/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * liveness.c - is somebody there, and is it to us that he speaks
 *
 * White space goes out after a minute of our silence, since some servers
 * close what is idle (Openfire after six).  Whether the peer lives is the
 * kernel's to find out (TCP_USER_TIMEOUT); a fence that does not return is
 * no proof of death but mostly one of another process that serves the same
 * domain, so it is told to the operator and nothing is closed for it.
 *
 * Fences are sent for three reasons: somebody asked; something is kept until
 * proved (at most one out, at most every 100 ms); or a minute has passed.
 */
#include <inttypes.h>

#include "private.h"

#define RELEASE_MS 100
#define FIRST_CHECK_MS 1000
#define COMPLAIN_MS 60000
#define STOPPED_MS 30000

static void
restart(struct stream *stream, struct timer *timer, int64_t after_ms, timer_fn *fire)
{
	timer_start(stream->env.timers, timer, after_ms, fire);
}

/* Once a minute, however often it happens. */
static bool
may_complain(struct stream *stream, int64_t *last_ms)
{
	int64_t now_ms = clock_ms(stream->env.clock);

	if (*last_ms != 0 && now_ms - *last_ms < COMPLAIN_MS)
		return false;
	*last_ms = now_ms > 0 ? now_ms : 1;
	return true;
}

void
liveness_place_fence(struct stream *stream)
{
	struct buf ping = { 0 };

	fences_ping(&stream->fences, &ping);
	outbox_add_fence(&stream->outbox, ping.data, ping.len);
	buf_finish(&ping);
	stream->fence_ms = clock_ms(stream->env.clock);
}

static void
release(struct timer *timer)
{
	struct stream *stream = annex_container_of(timer, struct stream, fence_release);

	if (stream->state != STATE_UP || fences_oldest(&stream->fences) != NULL)
		return;
	liveness_place_fence(stream);
	link_write(stream);
}

/* Something is kept and nothing is out that would prove it. */
static void
release_soon(struct stream *stream)
{
	int64_t wait_ms = stream->fence_ms + RELEASE_MS - clock_ms(stream->env.clock);

	if (stream->outbox.kept.records == 0 || stream->state != STATE_UP ||
	    timer_is_running(&stream->fence_release) || fences_oldest(&stream->fences) != NULL)
		return;
	restart(stream, &stream->fence_release, wait_ms > RELEASE_MS / 2 ? wait_ms : RELEASE_MS / 2,
	    release);
}

static void
check(struct timer *timer)
{
	struct stream *stream = annex_container_of(timer, struct stream, fence_check);
	int64_t silent_ms = clock_ms(stream->env.clock) - stream->fence_ms;

	if (stream->config.fence_check_ms <= 0)
		return;
	if (stream->fence_ms == 0 || silent_ms >= stream->config.fence_check_ms) {
		liveness_place_fence(stream);
		link_write(stream);
		silent_ms = 0;
	}
	restart(stream, timer, stream->config.fence_check_ms - silent_ms, check);
}

static void lost(struct timer *timer);

/* Look again when the oldest fence out has been out too long. */
static void
lost_later(struct stream *stream)
{
	struct ping *ping = fences_oldest(&stream->fences);
	int64_t age_ms;

	if (ping == NULL || ping->written_us == 0) {
		timer_stop(stream->env.timers, &stream->fence_lost);
		return;
	}
	age_ms = (stream->env.clock->mono_us - ping->written_us) / 1000;
	restart(stream, &stream->fence_lost, FENCE_PATIENCE_MS - age_ms, lost);
}

static void
lost(struct timer *timer)
{
	struct stream *stream = annex_container_of(timer, struct stream, fence_lost);
	struct ping *ping = fences_oldest(&stream->fences);

	if (ping == NULL)
		return;
	if (stream->stopped || stream->paused) { /* it may be us */
		restart(stream, timer, FENCE_PATIENCE_MS, lost);
		return;
	}
	ping->lost = true;
	if (may_complain(stream, &stream->foreign_logged_ms))
		log_write(stream->env.log, ANNEX_LOG_ERROR,
		    "a ping to ourselves has not come back for %d s: another component answers "
		    "for %s (a second instance, or ejabberd with global_routes: true), or the "
		    "server is overloaded",
		    FENCE_PATIENCE_MS / 1000, stream->config.domain);
	stream->outbox.awaiting = false;
	lost_later(stream);
	release_soon(stream);
	link_write(stream);
}

static void
keepalive(struct timer *timer)
{
	struct stream *stream = annex_container_of(timer, struct stream, keepalive);
	int64_t silent_ms = clock_ms(stream->env.clock) - stream->written_ms;

	if (silent_ms >= stream->config.keepalive_ms) {
		silent_ms = 0;
		if (stream->raw.len == 0 && stream->outbox.wire.unwritten == 0 &&
		    !stream->end_sent) {
			buf_putc(&stream->raw, ' ');
			link_write(stream);
		}
	}
	restart(stream, timer, stream->config.keepalive_ms - silent_ms, keepalive);
}

/* At an up, and when the intervals have changed. */
void
liveness_start(struct stream *stream)
{
	stream->written_ms = clock_ms(stream->env.clock);
	if (stream->config.keepalive_ms > 0)
		restart(stream, &stream->keepalive, stream->config.keepalive_ms, keepalive);
	if (stream->config.fence_check_ms > 0)
		restart(stream, &stream->fence_check, FIRST_CHECK_MS, check);
}

void
liveness_stop(struct stream *stream)
{
	struct timer *timers[] = { &stream->fence_release, &stream->fence_check,
		&stream->fence_lost, &stream->keepalive, &stream->pressure };

	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		timer_stop(stream->env.timers, timers[i]);
	stream->fence_ms = 0;
}

void
liveness_written(struct stream *stream)
{
	stream->written_ms = clock_ms(stream->env.clock);
	if (!stream->linked)
		return;
	if (!timer_is_running(&stream->fence_lost))
		lost_later(stream);
	release_soon(stream);
}

static void
complain(struct stream *stream, enum fence_kind kind, const struct annex_element *el)
{
	const struct annex_element *error = annex_child(el, NULL, "error");
	const struct annex_element *condition =
	    error != NULL ? annex_child(error, NULL, NULL) : NULL;

	if (kind == FENCE_OURS_REFUSED && may_complain(stream, &stream->refused_logged_ms))
		log_write(stream->env.log, ANNEX_LOG_WARNING,
		    "a ping to ourselves was refused with %s: the server does not route to us",
		    condition != NULL ? condition->name : "an error");
	if ((kind == FENCE_ALIEN || kind == FENCE_ANSWERED) &&
	    may_complain(stream, &stream->alien_logged_ms))
		log_write(stream->env.log, ANNEX_LOG_ERROR,
		    "another component serves %s, too: its traffic and ours are mixed (a second "
		    "instance, or ejabberd with global_routes: true)",
		    stream->config.domain);
}

bool
liveness_take_fence(struct stream *stream, const struct annex_element *el)
{
	struct annex_link proved;
	enum fence_kind kind = fences_match(&stream->fences, el, &proved);

	if (kind == FENCE_NONE)
		return false;
	complain(stream, kind, el);
	if (annex_list_is_empty(&proved))
		return true;

	struct ping *last = annex_container_of(proved.prev, struct ping, link);

	counters_observe_us(stream->env.counters, stream->count[COUNT_FENCE],
	    stream->env.clock->mono_us - last->written_us);
	outbox_release(&stream->outbox, last->upto);
	timer_stop(stream->env.timers, &stream->fence_lost);
	lost_later(stream);
	release_soon(stream);
	fences_settle(&proved, ANNEX_OK);
	return true;
}

static void
pressure(struct timer *timer)
{
	struct stream *stream = annex_container_of(timer, struct stream, pressure);

	stream->stopped = false;
	if (stream_pressure(stream) == STREAM_HARD)
		link_fail(stream, &trouble_away,
		    "the server has not taken our output for %d s, and %zu MiB wait",
		    STOPPED_MS / 1000, stream_queued_bytes(stream) >> 20);
	else
		link_want(stream);
}

/*
 * Too much waits: take no more in, for a while, so that no more goes out.  But
 * what waits behind suspects goes only when their fences are read.
 */
void
liveness_pressure(struct stream *stream)
{
	enum stream_pressure now = stream_pressure(stream);
	bool stops = now == STREAM_HARD && !outbox_is_searching(&stream->outbox);

	if (!stream->linked || stream->stopped == stops)
		return;
	if (stops) {
		stream->stopped = true;
		restart(stream, &stream->pressure, STOPPED_MS, pressure);
		log_write(stream->env.log, ANNEX_LOG_WARNING,
		    "%zu MiB of output wait for the server: nothing more is read until it takes "
		    "them",
		    stream_queued_bytes(stream) >> 20);
	} else if (now == STREAM_EASY) {
		stream->stopped = false;
		timer_stop(stream->env.timers, &stream->pressure);
	}
}
