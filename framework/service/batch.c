/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * batch.c - how far the server is known to have read
 *
 * A component stream acknowledges nothing, so what is said to contacts is numbered in batches of a
 * second, and a fence behind each proves that it was routed.  A contact's row keeps the number of
 * the batch in which it was told something last: one above what has come back is told again after
 * the next connection.  While contacts are gone through after one, what comes back does not count:
 * rows that were not reached yet have older numbers.
 */
#include <annex/flow.h>
#include <annex/iq.h>

#include "contact.h"

#define BATCH_MS 1000

static struct annex_key
key_of_row(void)
{
	struct annex_key key = annex_key(&routed_table);

	annex_key_u64(&key, 1);
	return key;
}

static void
batch_load(struct annex_instance *inst, struct batches *b)
{
	struct annex_key key = key_of_row();
	ProtobufCMessage *record;

	if (b->loaded)
		return;
	if (annex_get(inst->store, &key, &record) == ANNEX_OK) {
		const Annex__Service__Routed *row = (const Annex__Service__Routed *)record;

		b->is_stored = true;
		if (row->batch >= b->current)
			b->current = row->batch;
		if (row->routed > b->routed)
			b->routed = row->routed;
		if (row->alive_ms > b->alive_ms)
			b->alive_ms = row->alive_ms;
	}
	b->current++;
	if (b->first == 0)
		b->first = b->current;
	b->loaded = true;
}

static void
batch_store(struct annex_instance *inst, struct batches *b)
{
	struct annex_key key = key_of_row();
	Annex__Service__Routed row = ANNEX__SERVICE__ROUTED__INIT;
	int r;

	row.batch = b->current;
	row.routed = b->routed;
	row.alive_ms = annex_wall_ms(inst);
	if (b->is_stored && annex_put_soft(inst->store, &key, &row.base) == ANNEX_OK)
		return;
	r = annex_put(inst->store, &key, &row.base);
	b->is_stored = r == ANNEX_OK;
}

void
batch_settle(struct annex_instance *inst)
{
	struct batches *b = &inst->contacts->batches;

	if (b->back <= b->routed || sync_is_running(inst))
		return;
	b->routed = b->back;
	batch_store(inst, b);
}

static void
batch_back(struct annex_instance *inst, int status, const void *cookie, size_t len)
{
	struct batches *b = &inst->contacts->batches;
	uint64_t number = *(const uint64_t *)cookie;

	if (status == ANNEX_OK && number > b->back)
		b->back = number;
	batch_settle(inst);
}

static void
batch_close(struct timer *timer)
{
	struct batches *b = annex_container_of(timer, struct batches, timer);
	struct annex_instance *inst = b->inst;

	if (!instance_enter(inst))
		return;
	batch_load(inst, b);
	annex_fence_on(inst, contacts_flow(inst), batch_back, &b->current, sizeof(b->current));
	b->current++;
	b->open = false;
	instance_leave(inst);
}

uint64_t
batch_use(struct annex_instance *inst)
{
	struct batches *b = &inst->contacts->batches;

	batch_load(inst, b);
	if (!b->open) {
		b->open = true;
		batch_store(inst, b);
		timer_start(inst->timers, &b->timer, BATCH_MS, batch_close);
	}
	return b->current;
}

bool
batch_is_routed(struct annex_instance *inst, uint64_t number)
{
	batch_load(inst, &inst->contacts->batches);
	return number <= inst->contacts->batches.routed;
}

int64_t
batch_alive_ms(struct annex_instance *inst)
{
	batch_load(inst, &inst->contacts->batches);
	return inst->contacts->batches.alive_ms;
}

bool
batch_is_lost(struct annex_instance *inst, uint64_t number)
{
	return !batch_is_routed(inst, number) && number < inst->contacts->batches.first;
}

/* All before was said on another connection. */
void
batch_begin(struct annex_instance *inst)
{
	struct batches *b = &inst->contacts->batches;

	b->back = 0;
	b->first = b->loaded ? ++b->current : 0; /* 0: known when it is loaded */
}

/* The instance is created anew, or the link was lost: whatever is on its way counts for nothing. */
void
batch_forget(struct annex_instance *inst)
{
	struct batches *b = &inst->contacts->batches;

	b->alive_ms = annex_wall_ms(inst);
	timer_stop(inst->timers, &b->timer);
	b->loaded = b->is_stored = b->open = false;
}

void
batch_again(struct annex_instance *inst)
{
	struct batches *b = &inst->contacts->batches;

	b->loaded = b->is_stored = b->open = false;
	if (stream_is_up(inst->stream))
		timer_start(inst->timers, &b->timer, BATCH_MS, batch_close);
}
