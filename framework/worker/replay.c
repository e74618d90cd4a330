/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * replay.c - a turn has failed: its stanzas once more, one by one
 *
 * Nothing has left the worker, so the turn may be undone and its stanzas
 * handled again, each in a transaction of its own: this is the only rollback
 * there is.  What fails alone is refused; an "unavailable" is never lost: it
 * is kept and tried again.
 */
#include "base/check.h"
#include "service/output.h"
#include "turn.h"

#define RESETS_A_MINUTE 3
#define RETRY_MS 1000         /* the first time */
#define RETRY_SLOWLY_MS 60000 /* then: below the resets that end a worker */
#define RETRY_MAX_SHIFT 6     /* about an hour */

/* --- Who left, and could not be handled -------------------------------------- */

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

void
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
retry_init(struct worker *w)
{
	annex_list_init(&w->retry);
	w->retry_timer.fire = retry_fire;
}

/* --- Replay ----------------------------------------------------------------- */

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

static bool
too_many_resets(struct worker *w)
{
	const unsigned kept = RESETS_A_MINUTE + 1;
	int64_t now = clock_ms(w->inst.clock);

	w->reset_ms[w->resets++ % kept] = now;
	return w->resets >= kept && now - w->reset_ms[w->resets % kept] < 60000;
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

void
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
