/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * turn.c - all or nothing, and nothing is shown before it is durable
 *
 * A turn gathers what woke the loop, dispatches stanzas within its bounds,
 * commits once, and only then lets its output go:
 *
 *	gather ─▶ dispatch ─▶ commit ─▶ splice ─▶ one write
 *	              │          │
 *	              └── fail ──┴─▶ undo ─▶ create anew ─▶ replay one by one
 *
 * Nothing has left the worker when a turn fails, so it may be undone and its
 * stanzas handled again: this is the only rollback there is, since memory
 * is a cache of the store.  What fails alone is refused; an "unavailable" is
 * never lost: it is kept and tried again.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "service/output.h"
#include "worker.h"

#define HANDLER_BUDGET_US 5000
#define LOOK_AT_CLOCK 8 /* every so many stanzas */
#define DIRTY_BUDGET_BYTES (4u << 20)
#define OUTPUT_BUDGET_BYTES (4u << 20)
#define RESETS_A_MINUTE 3
#define RETRY_MS 1000         /* the first time */
#define RETRY_SLOWLY_MS 60000 /* then: below the resets that end a worker */
#define RETRY_MAX_SHIFT 6     /* about an hour */
#define CLOSE_DEADLINE_MS 5000

static void
phase(struct worker *w, enum page_phase phase)
{
	atomic_store_explicit(
	    &w->page->phase_since_us, w->inst.clock->mono_us, memory_order_relaxed);
	atomic_store_explicit(&w->page->phase, phase, memory_order_release);
}

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

/* --- The instance ---------------------------------------------------------- */

/* What a component holds is good until its destroy has returned, and ends here. */
static void
forget_instance(struct worker *w)
{
	w->inst.created = false;
	w->inst.state = NULL;
	timers_of_instance_reset(&w->inst);
	children_reset(&w->inst);
	sockets_reset(&w->inst);
	annex_pool_reset(w->inst.pool);
}

int
worker_create_instance(struct worker *w)
{
	const struct annex_module *m = &w->module.descriptor;
	int status = ANNEX_OK;

	w->inst.failed = false;
	w->inst.created = true;
	phase(w, PAGE_CREATE);
	CHECK(instance_enter(&w->inst));
	alarms_init(&w->inst);
	jobs_init(&w->inst);
	if (m->create != NULL)
		status = m->create(&w->inst);
	instance_leave(&w->inst);
	phase(w, PAGE_IDLE);
	if (status < 0 || w->inst.failed) {
		forget_instance(w);
		return status < 0 ? status : ANNEX_ESTORE;
	}
	return ANNEX_OK;
}

void
worker_destroy_instance(struct worker *w)
{
	const struct annex_module *m = &w->module.descriptor;

	if (!w->inst.created)
		return;
	w->inst.failed = false;
	if (m->destroy != NULL && instance_enter(&w->inst)) {
		m->destroy(&w->inst);
		w->inst.entered = false;
		annex_pool_reset(w->inst.scratch);
	}
	forget_instance(w);
}

/* --- Commit ---------------------------------------------------------------- */

static void
turn_forget(struct worker *w)
{
	ANNEX_LIST_EACH (&w->handled, l) {
		annex_list_remove(l);
		stream_free_event(w->inst.stream, annex_container_of(l, struct xml_event, link));
	}
}

static int
turn_commit(struct worker *w)
{
	int status = ANNEX_OK;

	if (store_in_transaction(w->inst.store)) {
		phase(w, PAGE_COMMIT);
		status = store_commit(w->inst.store);
		phase(w, PAGE_IDLE);
		w->inst.clock->read(w->inst.clock);
	}
	return status;
}

/* The turn is durable: what it said may be heard. */
static void
turn_release(struct worker *w)
{
	holds_turn_done(&w->inst);
	alarms_turn_done(&w->inst);
	jobs_turn_done(&w->inst);
	contacts_turn_done(&w->inst);
	w->has_parted = w->is_parting;
	output_splice(&w->inst);
	fences_splice(&w->inst);
	children_turn_done(&w->inst);
	sockets_turn_done(&w->inst);
	requests_turn_done(w);
	instance_durable_ready(&w->inst);
}

/* Commit, and let the output go; false where all must be undone. */
static bool
turn_finish(struct worker *w)
{
#ifdef ANNEX_FAULT_SWITCH
	if (w->breaks_durability) {
		output_splice(&w->inst);
		stream_flush(w->inst.stream);
	}
#endif
	if (store_has_failed(w->inst.store)) /* outside of the component: looked after, asked */
		instance_fail(&w->inst, "the store failed");
	if (w->inst.failed)
		return false;
	if (turn_commit(w) < 0) {
		w->commit_failed = true;
		instance_fail(&w->inst, "the commit failed");
		return false;
	}
	turn_release(w);
	return true;
}

/* --- Undo and replay -------------------------------------------------------- */

static void
turn_undo(struct worker *w)
{
	w->is_parting = w->has_parted;
	output_drop(&w->inst);
	fences_drop(&w->inst);
	instance_durable_drop(&w->inst);
	requests_turn_failed(w);
	holds_turn_failed(&w->inst);
	alarms_turn_failed(&w->inst);
	jobs_turn_failed(&w->inst);
	store_abort(w->inst.store);
}

static bool
too_many_resets(struct worker *w)
{
	const unsigned kept = RESETS_A_MINUTE + 1;
	int64_t now = clock_ms(w->inst.clock);

	w->reset_ms[w->resets++ % kept] = now;
	return w->resets >= kept && now - w->reset_ms[w->resets % kept] < 60000;
}

/* This must hold, or there is nothing to go on with. */
static bool
finish_or_end(struct worker *w, const char *what)
{
	if (turn_finish(w))
		return true;
	turn_undo(w);
	worker_end(w, 1, "%s failed as well (%s)", what, w->inst.failed_why);
	return false;
}

static void
parts_reset(struct worker *w)
{
	instance_durable_reset(&w->inst);
	questions_reset(&w->inst);
	alarms_reset(&w->inst);
	jobs_reset(&w->inst);
	commands_reset(&w->inst);
	contacts_reset(&w->inst);
}

/* The instance anew from the store; false where the worker has ended. */
static bool
instance_renew(struct worker *w)
{
	parts_reset(w);
	worker_destroy_instance(w);
	if (worker_create_instance(w) < 0) {
		turn_undo(w);
		worker_end(w, 1, "the component could not be created anew from the store");
		return false;
	}
	holds_reset(&w->inst);
	if (!finish_or_end(w, "creating the component anew"))
		return false;
	if (stream_is_up(w->inst.stream) && w->module.descriptor.link_up != NULL &&
	    instance_enter(&w->inst)) {
		w->module.descriptor.link_up(&w->inst);
		instance_leave(&w->inst);
	}
	if (!finish_or_end(w, "the component's link_up"))
		return false;
	if (w->says_goodbye)
		worker_say_goodbye(w);
	return finish_or_end(w, "the component's stop");
}

static void
retry_later(struct worker *w, struct xml_event *event)
{
	int64_t wait_ms = RETRY_MS;

	annex_list_append(&w->retry, &event->link);
	if (timer_is_running(&w->retry_timer))
		return;
	if (w->retries > 0)
		wait_ms = (int64_t)RETRY_SLOWLY_MS << (w->retries - 1);
	if (w->retries <= RETRY_MAX_SHIFT)
		w->retries++;
	timer_start(&w->timers, &w->retry_timer, wait_ms, w->retry_timer.fire);
}

static bool
is_same_attr(const struct xml_event *a, const struct xml_event *b, const char *name)
{
	const char *one = annex_attr(a->element, name), *other = annex_attr(b->element, name);

	return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* Who has come again is there: that they left before, which failed, must not be tried any more. */
static void
retry_overtaken(struct worker *w, const struct xml_event *event)
{
	if (annex_list_is_empty(&w->retry) || !route_is_available(event))
		return;
	ANNEX_LIST_EACH (&w->retry, l) {
		struct xml_event *left = annex_container_of(l, struct xml_event, link);

		if (!is_same_attr(left, event, "from") || !is_same_attr(left, event, "to"))
			continue;
		annex_list_remove(l);
		stream_free_event(w->inst.stream, left);
	}
}

/* One stanza in a transaction of its own.  False where the worker has ended. */
static bool
replay(struct worker *w, struct xml_event *event)
{
	bool store_failed;

	w->commit_failed = false;
	route_event(w, event, true);
	if (turn_finish(w)) {
		retry_overtaken(w, event);
		return true;
	}
	store_failed =
	    store_has_failed(w->inst.store) || store_has_refused(w->inst.store) || w->commit_failed;
	log_write(w->log, ANNEX_LOG_ERROR, "a stanza could not be handled (%s): from=%s",
	    w->inst.failed_why, annex_attr(event->element, "from"));
	turn_undo(w);
	w->counts.resets->value++;
	w->counts.failed->value++;
	if (!instance_renew(w))
		return false;
	if (route_is_unavailable(event)) {
		retry_later(w, event);
		return true;
	}
	route_refuse_event(
	    w, event, store_failed ? ANNEX_RESOURCE_CONSTRAINT : ANNEX_INTERNAL_SERVER_ERROR);
	if (turn_finish(w))
		return true;
	turn_undo(w); /* a component that was told of a presence may have failed once more */
	return instance_renew(w);
}

/* The worker ends, but in order: who still waits for an answer is told to ask again. */
static void
last_words(struct worker *w, struct annex_link *events)
{
	w->inst.failed = false;
	holds_reset(&w->inst);
	ANNEX_LIST_EACH (events, l)
		route_refuse_event(
		    w, annex_container_of(l, struct xml_event, link), ANNEX_RESOURCE_CONSTRAINT);
	output_splice(&w->inst);
	stream_flush(w->inst.stream);
}

static void
turn_fail(struct worker *w)
{
	struct annex_link events = ANNEX_LIST_INIT(events);
	/* Nothing is wrong with a component that finds no room for what came in, nor does
	 * ending it make some. */
	bool forgiven =
	    w->in_step || (store_has_refused(w->inst.store) && !annex_list_is_empty(&w->handled));
	bool alive;

	log_write(w->log, ANNEX_LOG_ERROR, "a turn was undone (%s)", w->inst.failed_why);
	annex_list_splice(&events, &w->handled);
	turn_undo(w);
	w->counts.resets->value++;
	if (store_is_dead(w->inst.store))
		worker_end(w, 1, "the store is beyond use; see above");
	else if (!forgiven && too_many_resets(w))
		worker_end(w, 1, "more than %d turns failed within a minute", RESETS_A_MINUTE);
	alive = w->state != WORKER_ENDED && instance_renew(w);
	ANNEX_LIST_EACH (&events, l) {
		struct xml_event *event = annex_container_of(l, struct xml_event, link);

		if (!alive)
			break;
		annex_list_remove(l);
		alive = replay(w, event);
		if (!annex_list_is_empty(&event->link))
			continue; /* kept for later */
		if (alive)
			stream_free_event(w->inst.stream, event);
		else
			annex_list_append(&events, l);
	}
	if (alive && store_is_dead(w->inst.store))
		worker_end(w, 1, "the store is beyond use; see above");
	if (w->state == WORKER_ENDED)
		last_words(w, &events);
	annex_list_splice(&w->handled, &events);
}

/* --- Dispatch --------------------------------------------------------------- */

/* The time now, without turning the clock: for the component it stands still within a turn. */
static int64_t
now_us(const struct worker *w)
{
	struct clock now = *w->inst.clock;

	now.read(&now);
	return now.mono_us;
}

static bool
is_over_budget(const struct worker *w, int64_t began_us, unsigned handled)
{
	return (handled % LOOK_AT_CLOCK == 0 && now_us(w) - began_us > HANDLER_BUDGET_US) ||
	    store_dirty_bytes(w->inst.store) > DIRTY_BUDGET_BYTES ||
	    output_bytes(w->inst.output) > OUTPUT_BUDGET_BYTES;
}

/* Stanzas that waited, then those that came.  True where some are left. */
static bool
turn_dispatch(struct worker *w)
{
	struct xml_event *event;
	int64_t began_us = w->inst.clock->mono_us;
	unsigned n = 0;

	while (!w->inst.failed && (event = stream_next(w->inst.stream)) != NULL) {
		annex_list_append(&w->handled, &event->link);
		route_event(w, event, false);
		if (is_over_budget(w, began_us, ++n))
			break;
	}
	return stream_has_next(w->inst.stream);
}

static void
retry_fire(struct timer *timer)
{
	struct worker *w = annex_container_of(timer, struct worker, retry_timer);
	struct annex_link again = ANNEX_LIST_INIT(again);

	annex_list_splice(&again, &w->retry);
	ANNEX_LIST_EACH (&again, l) {
		annex_list_remove(l);
		annex_list_append(&w->handled, l);
		route_event(w, annex_container_of(l, struct xml_event, link), true);
	}
}

void
turn_init(struct worker *w)
{
	annex_list_init(&w->handled);
	annex_list_init(&w->retry);
	w->retry_timer.fire = retry_fire;
}

void
turn_discard(struct worker *w)
{
	turn_forget(w);
	annex_list_splice(&w->handled, &w->retry);
	turn_forget(w);
}

/* End the turn; after it nothing of it is left.  Who waits for it is told before memory is tidied. */
static void
turn_end(struct worker *w)
{
	if (!turn_finish(w))
		turn_fail(w);
	else
		ANNEX_LIST_EACH (&w->handled, l)
			retry_overtaken(w, annex_container_of(l, struct xml_event, link));
	stream_flush(w->inst.stream);
	turn_forget(w);
	if (annex_list_is_empty(&w->retry))
		w->retries = 0;
	if (w->wants_close && w->state != WORKER_ENDED) {
		w->wants_close = w->says_goodbye = false;
		stream_close(w->inst.stream, CLOSE_DEADLINE_MS);
	}
}

/*
 * One alarm that failed with others, or one step of long work, has a turn of its own.
 * Where it fails it alone is put off, longer each time, so any number of them does
 * not end the worker.
 */
static void
turn_step(struct worker *w, void (*step)(struct annex_instance *inst))
{
	w->in_step = true;
	step(&w->inst);
	turn_end(w);
	w->in_step = false;
}

void
turn_renew(struct worker *w)
{
	turn_end(w);
	if (w->state != WORKER_ENDED)
		instance_renew(w);
}

bool
annexp_worker_turn(struct worker *w)
{
	bool more;

	if (w->state == WORKER_ENDED)
		return false;
	w->wants_turn = false;
	w->inst.clock->read(w->inst.clock);
	instance_durable_run(&w->inst);
	timers_run(&w->timers, 1000);
	more = turn_dispatch(w);
	turn_end(w);
	annex_pool_destroy(&w->retired);
	atomic_fetch_add_explicit(&w->page->heartbeat, 1, memory_order_relaxed);
	if (w->state == WORKER_ENDED)
		return false;
	if (alarms_want_turn(&w->inst))
		turn_step(w, alarms_step);
	else if (!more && !w->wants_turn && jobs_have_work(&w->inst))
		turn_step(w, jobs_step);
	return w->state != WORKER_ENDED &&
	    (more || w->wants_turn || instance_durable_waiting(&w->inst) ||
		jobs_have_work(&w->inst) || timers_wait_us(&w->timers) == 0);
}

int64_t
annexp_worker_wait_us(const struct worker *w)
{
	return timers_wait_us(&w->timers);
}
