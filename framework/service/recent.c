/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * recent.c - a contact is shown changes once in a while
 *
 * Whoever was shown something is left alone for the option presence-interval:
 * what changes in that time is seen at its end, and what was set last wins, so that a status
 * that flaps ten times a second costs one stanza.  All wait equally long, so the list is in
 * the order in which they come due.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "contact.h"

struct recent {
	struct annex_link link; /* in the order in which they were shown something */
	int64_t until_ms;
	bool dirty; /* something has changed since */
	size_t len;
	char key[];
};

static void recents_ring(struct timer *timer);

static void
recents_arm(struct annex_instance *inst)
{
	struct contacts *c = inst->contacts;

	if (annex_list_is_empty(&c->recents))
		timer_stop(inst->timers, &c->recent_timer);
	else
		timer_start(inst->timers, &c->recent_timer,
		    annex_container_of(c->recents.next, struct recent, link)->until_ms -
			annex_now_ms(inst),
		    recents_ring);
}

void
recent_add(struct annex_instance *inst, const contact_row *row)
{
	struct contacts *c = inst->contacts;
	struct recent *r;
	size_t len;
	const char *key = contact_key(inst, row->me, row->jid, &len);

	if (c->set.interval_ms == 0 || annex_map_get(c->recent, key, len) != NULL)
		return;
	r = mem_zalloc(sizeof(*r) + len + 1);
	r->until_ms = annex_now_ms(inst) + c->set.interval_ms;
	r->len = len;
	memcpy(r->key, key, len + 1);
	annex_map_set(c->recent, key, len, r);
	annex_list_append(&c->recents, &r->link);
	if (!timer_is_running(&c->recent_timer))
		recents_arm(inst);
}

static void
recent_free(struct annex_instance *inst, struct recent *r)
{
	annex_map_remove(inst->contacts->recent, r->key, r->len);
	annex_list_remove(&r->link);
	free(r);
}

/* True where the contact was just shown something: it sees this later. */
bool
recent_defers(struct annex_instance *inst, const contact_row *row)
{
	struct recent *r;
	size_t len;
	const char *key = contact_key(inst, row->me, row->jid, &len);

	if ((r = annex_map_get(inst->contacts->recent, key, len)) == NULL)
		return false;
	r->dirty = true;
	return true;
}

static int
recent_show(struct annex_instance *inst, const char *me)
{
	contact_row *row;
	int r = contact_load(inst, me, me + strlen(me) + 1, &row);

	if (r == ANNEX_ENOENT)
		return ANNEX_OK;
	return r < 0 ? r : show_changes(inst, row, false, NULL);
}

#define RECENTS_A_TURN 100

static void
recents_ring(struct timer *timer)
{
	struct contacts *c = annex_container_of(timer, struct contacts, recent_timer);
	struct annex_instance *inst = c->inst;

	if (!instance_enter(inst)) { /* this turn is undone: in the next */
		timer_start(inst->timers, timer, 1, recents_ring);
		return;
	}
	for (unsigned n = 0; n < RECENTS_A_TURN && !annex_list_is_empty(&c->recents); n++) {
		struct recent *r = annex_container_of(c->recents.next, struct recent, link);
		const char *key = annex_memdup(inst->scratch, r->key, r->len + 1);
		bool dirty = r->dirty;

		if (r->until_ms > annex_now_ms(inst))
			break;
		recent_free(inst, r);
		if (dirty)
			contact_must(inst, recent_show(inst, key));
	}
	recents_arm(inst);
	instance_leave(inst);
}

/* The turn was undone: what it showed was not, and what it saved up is to be shown. */
void
recents_doubt(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->contacts->recents, l)
		annex_container_of(l, struct recent, link)->dirty = true;
}

void
recents_forget(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->contacts->recents, l)
		recent_free(inst, annex_container_of(l, struct recent, link));
	recents_arm(inst);
}
