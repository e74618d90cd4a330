/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * spread.c - a change that all contacts of an address see
 *
 * A few are shown it at once, the rest in slices, as fast as the output drains.  What changes again
 * meanwhile is shown in another round, which begins no sooner than the option presence-interval
 * allows.  After a crash or a lost link there is nothing to resume: rows of contacts know what
 * they were shown.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/flow.h>

#include "base/alloc.h"
#include "contact.h"

#define SLICE 50
#define SLICE_MS 5
#define CONGESTED_MS 100

struct spread {
	struct annex_link link;
	struct timer timer;
	struct annex_instance *inst;
	bool running, begun, again, shown;
	int64_t round_ms; /* when this round began */
	struct annex_key at;
	char me[];
};

static void spread_ring(struct timer *timer);

static void
spread_free(struct spread *s)
{
	timer_stop(s->inst->timers, &s->timer);
	annex_list_remove(&s->link);
	free(s);
}

static struct spread *
spread_find(struct annex_instance *inst, const char *me)
{
	ANNEX_LIST_EACH (&inst->contacts->spreads, l) {
		struct spread *s = annex_container_of(l, struct spread, link);

		if (strcmp(s->me, me) == 0)
			return s;
	}
	return NULL;
}

static struct spread *
spread_make(struct annex_instance *inst, const char *me)
{
	struct spread *s = mem_zalloc(sizeof(*s) + strlen(me) + 1);

	s->inst = inst;
	memcpy(s->me, me, strlen(me) + 1);
	annex_list_append(&inst->contacts->spreads, &s->link);
	return s;
}

static int
spread_slice(struct spread *s)
{
	struct annex_key all = annex_key(&contact_table);
	struct annex_iter it;
	int r = ANNEX_AGAIN;
	bool shown;

	annex_key_text(&all, s->me);
	it = s->begun ? annex_iter_from(&all, &s->at) : annex_iter(&all);
	for (unsigned n = 0; n < SLICE && (r = annex_next(s->inst->store, &it)) == ANNEX_AGAIN;
	     n++) {
		s->at = it.key;
		s->begun = true;
		if ((r = show_changes(s->inst, (contact_row *)it.record, false, &shown)) < 0)
			return r;
		s->shown |= shown;
		r = ANNEX_AGAIN;
	}
	return r;
}

static int
spread_round(struct spread *s)
{
	int64_t now_ms = annex_now_ms(s->inst);
	int r;

	if (!s->running) {
		s->running = true;
		s->begun = s->again = s->shown = false;
		s->round_ms = now_ms;
	}
	if ((r = spread_slice(s)) == ANNEX_AGAIN) {
		timer_start(s->inst->timers, &s->timer,
		    annex_is_congested(s->inst) ? CONGESTED_MS : SLICE_MS, spread_ring);
		return ANNEX_OK;
	}
	s->running = false;
	timer_start(s->inst->timers, &s->timer,
	    s->shown ? s->round_ms + s->inst->contacts->set.interval_ms - now_ms : 0, spread_ring);
	return r;
}

static void
spread_ring(struct timer *timer)
{
	struct spread *s = annex_container_of(timer, struct spread, timer);
	struct annex_instance *inst = s->inst;

	if (!s->running && !s->again) {
		spread_free(s);
		return;
	}
	if (!instance_enter(inst))
		return;
	contact_must(inst, spread_round(s));
	instance_leave(inst);
}

int
show_to_all(struct annex_instance *inst, const char *me)
{
	struct spread *s = spread_find(inst, me);

	if (!contacts_may_speak(inst))
		return ANNEX_OK;
	if (s != NULL) {
		s->again = true;
		return ANNEX_OK;
	}
	return spread_round(spread_make(inst, me));
}

void
spreads_forget(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->contacts->spreads, l)
		spread_free(annex_container_of(l, struct spread, link));
}
