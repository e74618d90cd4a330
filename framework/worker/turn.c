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
 */
#include "config.h"

#include "service/output.h"
#include "turn.h"

#define HANDLER_BUDGET_US 5000
#define LOOK_AT_CLOCK 8 /* every so many stanzas */
#define DIRTY_BUDGET_BYTES (4u << 20)
#define OUTPUT_BUDGET_BYTES (4u << 20)
#define CLOSE_DEADLINE_MS 5000

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
		worker_phase(w, PAGE_COMMIT);
		status = store_commit(w->inst.store);
		worker_phase(w, PAGE_IDLE);
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

bool
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

void
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

void
turn_init(struct worker *w)
{
	annex_list_init(&w->handled);
	retry_init(w);
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
