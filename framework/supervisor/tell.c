/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tell.c - telling the service manager how things stand
 *
 * READY=1 when every worker is up (its server may still be away: that is no
 * reason to hold up a boot), or after ten seconds.  The sign of life is ours
 * alone as long as we deal with stuck workers; it ceases where one stays
 * stuck although it should have been killed long ago.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/notify.h"

#include "supervisor.h"

/* Beyond the limit itself: the look, SIGABRT, SIGKILL, and then some. */
#define UNHEALTHY_AFTER_S 30

void
tell(struct supervisor *s, const char *fmt, ...)
{
	struct annex_pool *pool = annex_pool_create(NULL, "notify");
	va_list args;

	va_start(args, fmt);
	if (notify_send(s->setup.notify_socket, annex_vsprintf(pool, fmt, args)) < 0)
		log_write(s->setup.log, ANNEX_LOG_DEBUG, "the service manager was not told (%s)",
		    strerror(errno));
	va_end(args);
	annex_pool_destroy(&pool);
}

struct standing {
	unsigned all, attached, starting, waiting, down;
	size_t quarantined;
};

static struct standing
take_standing(const struct supervisor *s)
{
	struct standing st = { .all = 0 };

	ANNEX_LIST_EACH (&s->components, l) {
		const struct component *c = annex_container_of(l, struct component, link);

		st.all++;
		st.attached += component_is_attached(c);
		st.starting += c->state == COMPONENT_STARTING;
		st.waiting += c->state == COMPONENT_WAITING;
		st.down += c->state == COMPONENT_DOWN;
		st.quarantined += blame_quarantined(&c->blame);
	}
	return st;
}

static void
put_part(struct buf *b, size_t n, const char *what)
{
	if (n > 0)
		buf_printf(b, ", %zu %s", n, what);
}

void
tell_status(struct supervisor *s)
{
	struct standing st = take_standing(s);
	struct buf b = { .max = sizeof(s->told_status) - 1 };

	buf_printf(&b, "%s%u/%u attached", s->stopping ? "stopping, " : "", st.attached, st.all);
	put_part(&b, st.starting, "starting");
	put_part(&b, st.waiting, "waiting to restart");
	put_part(&b, st.down, "down");
	put_part(&b, st.quarantined, "stanzas quarantined");
	if (strcmp(buf_text(&b), s->told_status) != 0) {
		snprintf(s->told_status, sizeof(s->told_status), "%s", buf_text(&b));
		tell(s, "STATUS=%s", s->told_status);
	}
	buf_finish(&b);
}

void
tell_reloading(struct supervisor *s)
{
	s->setup.clock->read(s->setup.clock);
	/* The stamp tells this reload from an earlier one (sd_notify(3)). */
	tell(s, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, s->setup.clock->mono_us);
}

static void
patience_over(struct timer *timer)
{
	struct supervisor *s = annex_container_of(timer, struct supervisor, ready_patience);

	tell_ready_if_so(s);
}

static bool
all_are_ready(const struct supervisor *s)
{
	ANNEX_LIST_EACH (&s->components, l)
		if (annex_container_of(l, struct component, link)->state != COMPONENT_RUNNING)
			return false;
	return true;
}

void
tell_ready_if_so(struct supervisor *s)
{
	int64_t waited_ms = (s->setup.clock->mono_us - s->started_us) / 1000;

	if (s->told_ready || !s->started || s->stopping)
		return;
	if (!all_are_ready(s) && waited_ms < 10000) {
		if (!timer_is_running(&s->ready_patience))
			timer_start(
			    s->setup.timers, &s->ready_patience, 10000 - waited_ms, patience_over);
		return;
	}
	timer_stop(s->setup.timers, &s->ready_patience);
	s->told_ready = true;
	tell(s, "READY=1");
}

static bool
workers_are_looked_after(const struct supervisor *s)
{
	ANNEX_LIST_EACH (&s->components, l) {
		const struct component *c = annex_container_of(l, struct component, link);

		if (component_has_process(c) && timer_is_running(&c->kill) == false &&
		    (c->watchdog.phase == PAGE_HANDLER || c->watchdog.phase == PAGE_IDLE) &&
		    c->watchdog.same > s->setup.stuck_s + UNHEALTHY_AFTER_S)
			return false;
	}
	return true;
}

static void
alive_due(struct timer *timer)
{
	struct supervisor *s = annex_container_of(timer, struct supervisor, alive);

	tell_alive_start(s);
	if (workers_are_looked_after(s))
		tell(s, "WATCHDOG=1");
}

void
tell_alive_start(struct supervisor *s)
{
	if (s->setup.watchdog_us > 0)
		timer_start(s->setup.timers, &s->alive, s->setup.watchdog_us / 2000, alive_due);
}
