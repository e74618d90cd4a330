/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * worker.c - the life of one component
 *
 *	create  see create.c
 *	start   the link
 *	drain   the component says goodbye, then the stream is closed
 *	stop    quiet: the stream is closed and nobody is told anything
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/utf8.h"
#include "worker.h"

#define DRAIN_DEADLINE_MS 240000 /* annexd waits a minute longer */
#define HEARTBEAT_MS 1000
#define MEASURE_BEATS 5 /* a leak should be seen while it can be watched */
#define TEND_MS 60000

/* --- The link ---------------------------------------------------------------- */

/* Why the link is not there, for `annexctl status`. */
static void
show_trouble(struct worker *w)
{
	const char *trouble =
	    stream_is_up(w->inst.stream) ? NULL : stream_last_trouble(w->inst.stream);
	size_t n = trouble == NULL ? 0 : strlen(trouble);

	n = n == 0 ? 0 : utf8_cut(trouble, n, sizeof(w->page->status) - 1);
	memcpy(w->page->status, n > 0 ? trouble : "", n);
	memset(w->page->status + n, 0, sizeof(w->page->status) - n);
}

static void
tell_attached(struct worker *w, bool attached)
{
	atomic_store(&w->page->attached, attached);
	parent_tell(w, "attached", attached);
}

static void
link_up(struct stream_user *user)
{
	struct worker *w = annex_container_of(user, struct worker, stream_user);

	show_trouble(w);
	tell_attached(w, true);
	while (w->inst.link == 0)
		w->inst.random->fill(w->inst.random, &w->inst.link, sizeof(w->inst.link));
	contacts_link_up(&w->inst);
	if (w->module.descriptor.link_up != NULL && instance_enter(&w->inst)) {
		w->module.descriptor.link_up(&w->inst);
		instance_leave(&w->inst);
	}
}

static void
link_down(struct stream_user *user, const char *why)
{
	struct worker *w = annex_container_of(user, struct worker, stream_user);

	tell_attached(w, false);
	w->inst.link = 0;
	questions_link_down(&w->inst);
	contacts_link_down(&w->inst);
	if (w->module.descriptor.link_down != NULL && instance_enter(&w->inst)) {
		w->module.descriptor.link_down(&w->inst);
		instance_leave(&w->inst);
	}
}

static void
link_closed(struct stream_user *user)
{
	struct worker *w = annex_container_of(user, struct worker, stream_user);

	if (w->drained)
		parent_tell(w, "drained", true);
	worker_end(w, 0, "stopped");
}

/* --- The end ------------------------------------------------------------------- */

void
worker_end(struct worker *w, int exit_status, const char *fmt, ...)
{
	char why[300];
	va_list args;

	if (w->state == WORKER_ENDED)
		return;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	log_write(w->log, exit_status == 0 ? ANNEX_LOG_NOTICE : ANNEX_LOG_ERROR, "ended (%s)", why);
	w->state = WORKER_ENDED;
	w->exit_status = exit_status;
}

/* At the end of this turn: what it says, goodbyes among it, must be in the queues before. */
static void
close_link(struct worker *w)
{
	w->drained = w->says_goodbye;
	w->state = WORKER_CLOSING;
	timer_stop(&w->timers, &w->stop_deadline);
	holds_reset(&w->inst);
	w->wants_close = w->wants_turn = true;
}

static void
drain_late(struct timer *timer)
{
	struct worker *w = annex_container_of(timer, struct worker, stop_deadline);

	log_write(w->log, ANNEX_LOG_WARNING, "the component did not finish saying goodbye in %d s",
	    DRAIN_DEADLINE_MS / 1000);
	w->says_goodbye = false;
	close_link(w);
}

/* Behind the component's own goodbyes, the contacts' presence. */
static void
part_from_contacts(struct worker *w)
{
	w->is_parting = true;
	if (!contacts_say_goodbye(&w->inst))
		close_link(w);
}

static void
host_stopped(struct instance_host *host)
{
	struct worker *w = annex_container_of(host, struct worker, host);

	if (w->state == WORKER_DRAINING)
		part_from_contacts(w);
}

static void
host_parted(struct instance_host *host)
{
	struct worker *w = annex_container_of(host, struct worker, host);

	if (w->state == WORKER_DRAINING)
		close_link(w);
}

static void
host_wake(struct instance_host *host)
{
	annex_container_of(host, struct worker, host)->wants_turn = true;
}

void
annexp_worker_stop(struct worker *w)
{
	w->says_goodbye = false;
	if (w->state == WORKER_RUNNING || w->state == WORKER_DRAINING)
		close_link(w);
}

/* Once more where the turn is undone: nobody has heard it then. */
void
worker_say_goodbye(struct worker *w)
{
	int status = ANNEX_OK;

	w->says_goodbye = true;
	w->wants_close = false;
	w->state = WORKER_DRAINING;
	if (!timer_is_running(&w->stop_deadline))
		timer_start(&w->timers, &w->stop_deadline, DRAIN_DEADLINE_MS, drain_late);
	if (!w->has_parted && w->module.descriptor.stop != NULL && instance_enter(&w->inst)) {
		status = w->module.descriptor.stop(&w->inst);
		instance_leave(&w->inst);
	}
	if (status != ANNEX_AGAIN && w->state == WORKER_DRAINING)
		part_from_contacts(w);
}

void
annexp_worker_drain(struct worker *w)
{
	if (w->state != WORKER_RUNNING)
		return;
	log_write(w->log, ANNEX_LOG_NOTICE, "draining");
	worker_say_goodbye(w);
}

bool
annexp_worker_has_ended(const struct worker *w)
{
	return w->state == WORKER_ENDED;
}

int
annexp_worker_exit_status(const struct worker *w)
{
	return w->exit_status;
}

/* --- Once a second, once a minute ------------------------------------------------ */

/* RssAnon of /proc/self/status, in bytes; 0 where it cannot be read. */
static uint64_t
rss_anon(void)
{
	struct buf text = { 0 };
	unsigned long kib = 0;
	const char *line;

	if (io_read_file("/proc/self/status", 1 << 16, &text) == ANNEX_OK &&
	    (line = strstr(buf_text(&text), "RssAnon:")) != NULL)
		kib = strtoul(line + strlen("RssAnon:"), NULL, 10);
	buf_finish(&text);
	return (uint64_t)kib * 1024;
}

static void
beat(struct timer *timer)
{
	struct worker *w = annex_container_of(timer, struct worker, heartbeat);

	show_trouble(w);
	atomic_fetch_add_explicit(&w->page->heartbeat, 1, memory_order_relaxed);
	if (w->beats++ % MEASURE_BEATS == 0)
		atomic_store(&w->page->rss_anon, rss_anon());
	timer_start(&w->timers, timer, w->env.beat_ms > 0 ? w->env.beat_ms : HEARTBEAT_MS, beat);
}

static void
tend(struct timer *timer)
{
	struct worker *w = annex_container_of(timer, struct worker, tend);

	store_tend(w->inst.store);
	mem_return(); /* what a peak took */
	timer_start(&w->timers, timer, TEND_MS, tend);
}

void
worker_beat(struct worker *w)
{
	beat(&w->heartbeat);
	tend(&w->tend);
}

/* --- The beginning ---------------------------------------------------------------- */

void
worker_init(struct worker *w)
{
	w->host = (struct instance_host) {
		.wake = host_wake, .stopped = host_stopped, .parted = host_parted
	};
	w->stream_user =
	    (struct stream_user) { .up = link_up, .down = link_down, .closed = link_closed };
}

void
annexp_worker_start(struct worker *w)
{
	if (w->env.parent_fd >= 0)
		parent_listen(w);
	log_write(w->log, ANNEX_LOG_NOTICE, "started (module %s)", w->module.descriptor.name);
	stream_start(w->inst.stream);
}
