/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * stream.c - the life of a stream: connect, be up, lose the link, come back
 *
 * A link is one connection; the stream outlives it.  Whatever ends a link
 * comes through link_fail, which puts everything in order first and calls
 * the user last, so that a callback finds a stream in a state that it may
 * act upon: close, reconfigure, queue.
 *
 * The hosts of a list are tried one after the other without a pause; only
 * when the last one failed does the stream wait.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>

#include "base/alloc.h"
#include "base/check.h"
#include "handshake.h"
#include "private.h"
#include "sockets.h"

#define CONNECT_MS 60000 /* one host with all its addresses; each has a shorter limit */
#define HANDSHAKE_MS 30000
#define REOPEN_MS 5000
#define REPEAT_MS 60000 /* the same trouble is logged once in this time */

static const struct {
	const char *name;
	const char *silence; /* what it is when it lasts too long */
} states[] = {
	[STATE_IDLE] = { "idle", NULL },
	[STATE_WAITING] = { "waiting", NULL },
	[STATE_CONNECTING] = { "connecting", "the connection was not made in time" },
	[STATE_OPENING] = { "opening", "the server did not answer our stream header" },
	[STATE_HANDSHAKING] = { "handshaking", "the server did not answer our handshake" },
	[STATE_UP] = { "up", NULL },
	[STATE_CLOSING] = { "closing", "the server did not close in time" },
	[STATE_CLOSED] = { "closed", NULL },
};

static const struct {
	enum counter_type type;
	const char *name, *help;
} counts[COUNTS] = {
	{ COUNTER_GAUGE, "link_up", "1 while the server lets us serve the domain." },
	{ COUNTER_COUNT, "link_reconnects_total", "Times the link came back." },
	{ COUNTER_COUNT, "link_bytes_in_total", "Bytes read from the server." },
	{ COUNTER_COUNT, "link_bytes_out_total", "Bytes written to the server." },
	{ COUNTER_COUNT, "stanzas_out_total", "Stanzas written to the server." },
	{ COUNTER_GAUGE, "queue_bytes", "Memory held by output that waits or is kept." },
	{ COUNTER_COUNT, "kept_forgotten_total",
	    "Kept stanzas given up before a fence proved them." },
	{ COUNTER_HISTOGRAM, "fence_seconds", "Time for a ping to ourselves to come back." },
	{ COUNTER_COUNT, "dropped_answers_total",
	    "Answers at which the server closed the stream." },
	{ COUNTER_COUNT, "dropped_durables_total", "Durable ones at which the server closed." },
	{ COUNTER_COUNT, "dropped_messages_total", "Messages dropped: no link, and too many." },
	{ COUNTER_COUNT, "dropped_presences_total", "Presence dropped for want of a link." },
	{ COUNTER_COUNT, "dropped_questions_total", "Questions dropped for want of a link." },
	{ COUNTER_COUNT, "dropped_bounces_total", "Error replies dropped under pressure." },
};

void
stream_config_init(struct stream_config *config)
{
	memset(config, 0, sizeof(*config));
	config->limits = xml_limits_default;
	config->read_bytes = (size_t)256 * 1024;
	config->queue_high_bytes = (size_t)16 * 1024 * 1024;
	config->queue_hard_bytes = (size_t)64 * 1024 * 1024;
	config->keepalive_ms = 60000;
	config->fence_check_ms = 60000;
}

static void
config_copy(struct stream *stream, const struct stream_config *from)
{
	struct annex_pool *pool = annex_pool_create(NULL, "stream configuration");
	struct stream_config *to = &stream->config;
	struct stream_host *hosts = annex_new_array(pool, struct stream_host, from->host_count);

	*to = *from;
	to->domain = annex_strdup(pool, from->domain);
	to->secret = annex_strdup(pool, from->secret);
	to->tls_name = annex_strdup(pool, from->tls_name);
	to->tls_ca_file = annex_strdup(pool, from->tls_ca_file);
	to->tls_ca_stamp = annex_strdup(pool, from->tls_ca_stamp);
	to->tls_pin = annex_strdup(pool, from->tls_pin);
	for (size_t i = 0; i < from->host_count; i++) {
		hosts[i] = from->hosts[i];
		hosts[i].name = annex_strdup(pool, from->hosts[i].name);
		hosts[i].path = annex_strdup(pool, from->hosts[i].path);
	}
	to->hosts = hosts;
	annex_pool_destroy(&stream->config_pool);
	stream->config_pool = pool;
	stream->outbox.kept_max = to->queue_high_bytes / 2;
	if (stream->sockets != NULL)
		sockets_configure(stream->sockets, to);
}

static void
counters_init(struct stream *stream)
{
	if (stream->env.counters == NULL)
		stream->env.counters = stream->own_counters = mem_zalloc(sizeof(struct counters));
	for (int i = 0; i < COUNTS; i++)
		stream->count[i] = counters_get(
		    stream->env.counters, counts[i].type, counts[i].name, counts[i].help);
}

void
stream_count(struct stream *stream, enum counted which, int64_t by)
{
	int64_t *value = &stream->count[which]->value;

	__atomic_store_n(value, *value + by, __ATOMIC_RELAXED);
}

static void carrier_connected(struct transport_user *carrier);
static void carrier_ready(struct transport_user *carrier, int events);
static void carrier_failed(struct transport_user *carrier, const char *why);

struct stream *
stream_create(
    const struct stream_config *config, const struct stream_env *env, struct stream_user *user)
{
	struct stream *stream = mem_zalloc(sizeof(*stream));

	CHECK(config->host_count > 0 && config->domain != NULL && config->secret != NULL);
	stream->magic = STREAM_MAGIC;
	stream->env = *env;
	stream->user = user;
	stream->carrier =
	    (struct transport_user) { carrier_connected, carrier_ready, carrier_failed };
	annex_list_init(&stream->inbox);
	if (env->maker == NULL)
		stream->env.maker = stream->sockets = sockets_create(env->reactor, env->timers);
	outbound_init(stream);
	config_copy(stream, config);
	fences_init(&stream->fences, stream->config.domain, env->random);
	counters_init(stream);
	return stream;
}

/* Who asked for a fence while there was no link is told by later all the same. */
static void
timers_stop(struct stream *stream)
{
	liveness_stop(stream);
	timer_stop(stream->env.timers, &stream->phase);
	if (stream->broken)
		timer_stop(stream->env.timers, &stream->later);
}

/* No more link: the transport, the parser and what was half said go. */
static void
link_drop(struct stream *stream)
{
	struct transport *transport = stream->transport;

	timers_stop(stream);
	stream->transport = NULL;
	stream->connected = stream->linked = stream->paused = stream->stopped = false;
	stream->broken = stream->end_sent = false;
	stream->wanted = 0;
	stream->up_since_ms = 0;
	buf_clear(&stream->raw);
	xml_parser_destroy(&stream->parser);
	if (transport != NULL)
		transport->ops->close(transport);
}

void
stream_destroy(struct stream **streamp)
{
	struct stream *stream = *streamp;

	if (stream == NULL)
		return;
	CHECK_OBJECT(stream, STREAM_MAGIC);
	*streamp = NULL;
	link_drop(stream);
	timer_stop(stream->env.timers, &stream->later);
	while (!annex_list_is_empty(&stream->inbox)) {
		struct annex_link *l = stream->inbox.next;

		annex_list_remove(l);
		xml_event_free(NULL, annex_container_of(l, struct xml_event, link));
	}
	fences_finish(&stream->fences);
	outbox_finish(&stream->outbox);
	sockets_destroy(&stream->sockets);
	buf_finish(&stream->raw);
	buf_finish(&stream->trouble);
	for (size_t i = 0; i < TOLD_MAX; i++)
		buf_finish(&stream->told[i].what);
	annex_pool_destroy(&stream->config_pool);
	free(stream->input);
	free(stream->own_counters);
	stream->magic = 0;
	free(stream);
}

static const char *
link_host(const struct stream *stream, char *text, size_t size)
{
	const struct stream_host *host = &stream->config.hosts[stream->host];

	if (host->path != NULL)
		snprintf(text, size, "unix:%s", host->path);
	else if (strchr(host->name, ':') != NULL)
		snprintf(text, size, "[%s]:%" PRIu16, host->name, host->port);
	else
		snprintf(text, size, "%s:%" PRIu16, host->name, host->port);
	return text;
}

/* Where the host has that trouble: was it said within the minute?  Now it is. */
static bool
trouble_was_told(struct stream *stream, const char *host, const char *text)
{
	int64_t now_ms = clock_ms(stream->env.clock);
	struct told *told = &stream->told[0];
	struct buf what = { 0 };
	bool is_known = false;

	buf_printf(&what, "%s %s", host, text);
	for (size_t i = 0; i < TOLD_MAX && !is_known; i++) {
		struct told *other = &stream->told[i];

		is_known = strcmp(buf_text(&other->what), buf_text(&what)) == 0;
		if (is_known || other->at_ms < told->at_ms)
			told = other;
	}
	if (is_known && told->at_ms != 0 && now_ms - told->at_ms < REPEAT_MS) {
		buf_finish(&what);
		return true;
	}
	buf_finish(&told->what);
	told->what = what;
	told->at_ms = now_ms > 0 ? now_ms : 1;
	return false;
}

static void
troubles_forget(struct stream *stream)
{
	for (size_t i = 0; i < TOLD_MAX; i++)
		stream->told[i].at_ms = 0;
}

/* Say why, unless it was said within the minute: the hosts of a list may each have a trouble. */
static void
trouble_note(struct stream *stream, const struct trouble *row, const char *text, bool was_up)
{
	enum annex_log_level level = row->level;
	char host[300];

	if (row->backoff > stream->slowest)
		stream->slowest = row->backoff;
	link_host(stream, host, sizeof(host));
	if (trouble_was_told(stream, host, text) && !was_up)
		level = ANNEX_LOG_DEBUG;
	buf_clear(&stream->trouble);
	buf_puts(&stream->trouble, text);
	log_write(stream->env.log, level, "%s %s (%s)%s%s",
	    was_up ? "link lost to" : "cannot attach to", host, text,
	    row->advice != NULL ? ": " : "", row->advice != NULL ? row->advice : "");
}

static void phase_over(struct timer *timer);

static void
stream_enter(struct stream *stream, enum state state, int64_t limit_ms)
{
	stream->state = state;
	if (limit_ms < 0)
		timer_stop(stream->env.timers, &stream->phase);
	else
		timer_start(stream->env.timers, &stream->phase, limit_ms, phase_over);
}

static void
stream_wait(struct stream *stream)
{
	int64_t wait_ms = backoff_next_ms(
	    &stream->backoff, stream->slowest, clock_ms(stream->env.clock), stream->env.random);

	log_write(stream->env.log, ANNEX_LOG_DEBUG, "next try in %" PRId64 " ms", wait_ms);
	stream->host = 0;
	stream->slowest = BACKOFF_AWAY;
	stream_enter(stream, STATE_WAITING, wait_ms);
}

/* Try the host in turn and, where that is impossible at once, those behind it. */
static void
connect_next(struct stream *stream)
{
	for (; stream->host < stream->config.host_count; stream->host++) {
		const char *why = "";

		stream->transport = stream->env.maker->open(
		    stream->env.maker, &stream->config.hosts[stream->host], &stream->carrier, &why);
		if (stream->transport != NULL) {
			stream_enter(stream, STATE_CONNECTING, CONNECT_MS);
			return;
		}
		trouble_note(stream, &trouble_away, why, false);
	}
	stream_wait(stream);
}

void
stream_start(struct stream *stream)
{
	CHECK_OBJECT(stream, STREAM_MAGIC);
	CHECK(stream->state == STATE_IDLE);
	connect_next(stream);
}

static void
carrier_connected(struct transport_user *carrier)
{
	struct stream *stream = annex_container_of(carrier, struct stream, carrier);

	link_opened(stream);
}

static void
carrier_failed(struct transport_user *carrier, const char *why)
{
	struct stream *stream = annex_container_of(carrier, struct stream, carrier);

	link_fail(stream, stream->transport->is_alien ? &trouble_alien : &trouble_away, "%s", why);
}

static void
carrier_ready(struct transport_user *carrier, int events)
{
	struct stream *stream = annex_container_of(carrier, struct stream, carrier);

	if ((events & REACTOR_READ) != 0)
		link_read(stream);
	if (stream->connected)
		link_write(stream);
}

void
link_opened(struct stream *stream)
{
	uint64_t salt;

	stream->env.random->fill(stream->env.random, &salt, sizeof(salt));
	stream->parser = xml_parser_create(&stream->config.limits, salt);
	stream->connected = true;
	stream_enter(stream, STATE_OPENING, HANDSHAKE_MS);
	handshake_open(&stream->raw, stream->config.domain);
	link_write(stream);
}

void
link_up(struct stream *stream)
{
	char host[300];

	stream_enter(stream, STATE_UP, -1);
	stream->linked = true;
	stream->up_since_ms = clock_ms(stream->env.clock);
	stream->slowest = BACKOFF_AWAY;
	backoff_up(&stream->backoff, stream->up_since_ms);
	stream_count(stream, COUNT_LINK_UP, 1);
	if (stream->was_up)
		stream_count(stream, COUNT_RECONNECTS, 1);
	stream->was_up = true;
	troubles_forget(stream);
	log_write(stream->env.log, ANNEX_LOG_NOTICE, "attached to %s",
	    link_host(stream, host, sizeof(host)));
	liveness_start(stream);
	stream->user->up(stream->user);
}

/* Where the stream goes from here, now that the link is gone. */
static void
link_after(struct stream *stream, bool was_up)
{
	if (stream->state == STATE_CLOSING && !stream->reopening) {
		stream_enter(stream, STATE_CLOSED, -1);
	} else if (stream->reopening) {
		stream->reopening = false;
		stream->host = 0;
		connect_next(stream);
	} else if (was_up || ++stream->host == stream->config.host_count) {
		stream_wait(stream);
	} else {
		connect_next(stream);
	}
}

static void
link_lost(struct stream *stream, bool blamed)
{
	size_t culprits = outbox_link_lost(&stream->outbox, stream->config.domain, blamed);

	stream_count(stream, COUNT_LINK_UP, -1);
	if (culprits > 0)
		log_write(stream->env.log, ANNEX_LOG_ERROR,
		    "a stanza was dropped, since the server closed the stream at it twice");
	outbound_account(stream);
}

void
link_fail(struct stream *stream, const struct trouble *row, const char *fmt, ...)
{
	bool closing = stream->state == STATE_CLOSING, was_up = stream->linked;
	struct buf text = { 0 };
	va_list args;

	va_start(args, fmt);
	buf_vprintf(&text, fmt, args);
	va_end(args);
	if (!closing)
		trouble_note(stream, row, buf_text(&text), was_up);
	link_drop(stream);
	if (was_up)
		link_lost(stream, row->blames_us);
	link_after(stream, was_up);
	if (was_up) {
		fences_fail(&stream->fences);
		stream->user->down(stream->user, buf_text(&text));
	}
	buf_finish(&text);
	if (stream->state == STATE_CLOSED && closing)
		stream->user->closed(stream->user);
}

void
link_ended(struct stream *stream)
{
	if (stream->state == STATE_CLOSING && stream->end_sent) {
		/* It has read all that was before our end. */
		outbox_release(&stream->outbox, UINT64_MAX);
		link_fail(stream, &trouble_away, "closed");
		return;
	}
	link_goodbye(stream, NULL);
	link_fail(stream, &trouble_away, "the server closed the stream");
}

static void
phase_over(struct timer *timer)
{
	struct stream *stream = annex_container_of(timer, struct stream, phase);

	if (stream->state == STATE_WAITING) {
		connect_next(stream);
		return;
	}
	link_fail(stream, &trouble_away, "%s", states[stream->state].silence);
}

void
stream_close(struct stream *stream, int deadline_ms)
{
	CHECK_OBJECT(stream, STREAM_MAGIC);
	if (stream->state == STATE_CLOSED || (stream->state == STATE_CLOSING && !stream->reopening))
		return;
	stream->reopening = false;
	if (!stream->linked) {
		link_drop(stream);
		deadline_ms = 0;
	}
	stream_enter(stream, STATE_CLOSING, deadline_ms);
	link_write(stream);
}

static bool
text_is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
link_is_same(const struct stream_config *a, const struct stream_config *b)
{
	if (a->host_count != b->host_count || a->tls != b->tls ||
	    !text_is_same(a->domain, b->domain) || !text_is_same(a->secret, b->secret) ||
	    !text_is_same(a->tls_name, b->tls_name) || !text_is_same(a->tls_pin, b->tls_pin) ||
	    !text_is_same(a->tls_ca_file, b->tls_ca_file) ||
	    !text_is_same(a->tls_ca_stamp, b->tls_ca_stamp))
		return false;
	for (size_t i = 0; i < a->host_count; i++)
		if (a->hosts[i].port != b->hosts[i].port ||
		    !text_is_same(a->hosts[i].name, b->hosts[i].name) ||
		    !text_is_same(a->hosts[i].path, b->hosts[i].path))
			return false;
	return true;
}

/* On the way to a link that was begun with what is about to go. */
static bool
is_connecting(const struct stream *stream)
{
	return stream->state == STATE_CONNECTING || stream->state == STATE_OPENING ||
	    stream->state == STATE_HANDSHAKING;
}

int
stream_reconfigure(struct stream *stream, const struct stream_config *config)
{
	bool same = link_is_same(&stream->config, config), anew = is_connecting(stream);

	CHECK_OBJECT(stream, STREAM_MAGIC);
	CHECK(text_is_same(stream->config.domain, config->domain));
	if (anew)
		link_drop(stream);
	config_copy(stream, config);
	stream->fences.domain = stream->config.domain;
	if (!same)
		stream->host = 0;
	if (anew || (!same && stream->state == STATE_WAITING))
		stream_enter(stream, STATE_WAITING, 0);
	if (stream->parser != NULL)
		xml_parser_limit(stream->parser, stream->config.limits.stanza_bytes);
	if (same && stream->linked)
		liveness_start(stream);
	if (!same && stream->state == STATE_UP) {
		log_write(stream->env.log, ANNEX_LOG_NOTICE,
		    "connecting anew, since address, secret or TLS changed");
		stream->reopening = true;
		stream_enter(stream, STATE_CLOSING, REOPEN_MS);
		link_write(stream);
	}
	return same ? ANNEX_OK : ANNEX_AGAIN;
}

bool
stream_is_up(const struct stream *stream)
{
	return stream->state == STATE_UP && !stream->broken;
}

const char *
stream_state_name(const struct stream *stream)
{
	return states[stream->state].name;
}

int64_t
stream_up_since_ms(const struct stream *stream)
{
	return stream->up_since_ms;
}

const char *
stream_last_trouble(const struct stream *stream)
{
	return stream->trouble.len > 0 ? stream->trouble.data : NULL;
}
