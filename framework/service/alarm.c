/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * alarm.c - timers that survive restarts
 *
 * Memory holds only when to look again at the rows.  One alarm rings: its
 * rows are deleted, then the component is called, and both are one turn.  Up
 * to PACE ring in a turn, so that a thousand that fell due while Annex was
 * down share a few commits and still leave time for others.  Where the turn
 * fails they ring again, each in a turn of its own in which nothing else is
 * done; one that fails even so is postponed.
 *
 * Rows of kinds that the module does not declare (it was downgraded) stay
 * where they are; the look at the table begins behind them.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/store.h>
#include <annex/timer.h>

#include "base/alloc.h"
#include "base/check.h"
#include "alarm_inside.h"
#include "instance.h"
#include "service.pb-c.h"
#include "tables.h"

#define KEY_MAX 8192 /* two addresses and more */
#define PACE 50
#define LOOK_AGAIN_MS 60000 /* the time of day may be changed under us */

#define NEVER INT64_MAX

static void alarms_look(struct timer *timer);

static const struct annex_alarm *
kind_find(const struct annex_instance *inst, const char *kind)
{
	const struct annex_alarm *lists[] = { service_alarms, inst->module->alarms };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (const struct annex_alarm *a = lists[i]; a != NULL && a->kind != NULL; a++)
			if (strcmp(a->kind, kind) == 0)
				return a;
	return NULL;
}

static void
arm(struct alarms *a)
{
	int64_t wait_ms;

	if (a->next_ms == NEVER) {
		timer_stop(a->inst->timers, &a->timer);
		return;
	}
	wait_ms = a->next_ms - clock_wall_ms(a->inst->clock);
	timer_start(a->inst->timers, &a->timer, wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS,
	    alarms_look);
}

/* Look at the table as soon as there is a turn. */
static void
look_soon(struct alarms *a)
{
	a->next_ms = 0;
	a->scan_ms = 0;
	arm(a);
}

void
alarms_init(struct annex_instance *inst)
{
	struct alarms *a;

	if (inst->alarms != NULL) {
		alarms_reset(inst);
		return;
	}
	a = mem_zalloc(sizeof(*a));
	a->inst = inst;
	a->pool = annex_pool_create(NULL, "alarms");
	a->unknown = annex_map_create(a->pool);
	a->postponed = annex_map_create(a->pool);
	inst->alarms = a;
	look_soon(a);
}

/* --- What a component may do --------------------------------------------- */

static bool
is_sound(struct annex_instance *inst, const char *kind, size_t len)
{
	if (kind_find(inst, kind) != NULL && len <= KEY_MAX)
		return true;
	annex_log(inst, ANNEX_LOG_BUG,
	    "%s set an alarm of a kind it does not declare, or with too "
	    "long a key: %s",
	    inst->module->name, kind);
	return false;
}

int
annex_alarm_set(
    struct annex_instance *inst, const char *kind, const void *key, size_t key_len, int64_t due_ms)
{
	struct alarms *a = inst->alarms;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (!is_sound(inst, kind, key_len))
		return ANNEX_EINVAL;
	if (due_ms < 0)
		due_ms = 0;
	if ((r = alarm_rows_delete(inst, kind, key, key_len)) < 0 ||
	    (r = alarm_rows_put(inst, kind, key, key_len, due_ms)) < 0)
		return r;
	postponed_end(a, kind, key, key_len);
	if (due_ms < a->scan_ms)
		a->scan_ms = due_ms;
	if (due_ms < a->next_ms) {
		a->next_ms = due_ms;
		arm(a);
	}
	return ANNEX_OK;
}

int
annex_alarm_clear(struct annex_instance *inst, const char *kind, const void *key, size_t key_len)
{
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (!is_sound(inst, kind, key_len))
		return ANNEX_EINVAL;
	if ((r = alarm_rows_delete(inst, kind, key, key_len)) < 0)
		return r;
	postponed_end(inst->alarms, kind, key, key_len);
	return ANNEX_OK;
}

/* --- Ringing ------------------------------------------------------------- */

static void
log_unknown(struct alarms *a, const char *kind)
{
	if (annex_map_set_str(a->unknown, kind, a) == NULL)
		log_write(a->inst->log, ANNEX_LOG_WARNING,
		    "kept alarms of a kind that this module does not know: %s", kind);
}

/* When it may ring: its time, or later where its turn failed before. */
static int64_t
rings_at(struct alarms *a, int64_t due_ms, const Annex__Service__Alarm *alarm)
{
	const struct postponed *p = postponed_find(a, alarm->kind, alarm->key.data, alarm->key.len);
	int64_t at;

	if (p == NULL)
		return due_ms;
	at = clock_wall_ms(a->inst->clock) + p->until_ms - annex_now_ms(a->inst);
	return at > due_ms ? at : due_ms;
}

/* The row that rings first; ANNEX_ENOENT where none is due, and a->next_ms says when one will
 * be. */
static int
find_due(struct alarms *a, struct annex_key *row_r, const Annex__Service__Alarm **alarm_r)
{
	struct annex_key all = annex_key(&alarm_table), from = annex_key(&alarm_table);
	int64_t now_ms = clock_wall_ms(a->inst->clock), first_known = NEVER, at;
	struct annex_iter it;
	int r;

	annex_key_u64(&from, (uint64_t)a->scan_ms);
	it = annex_iter_from(&all, &from);
	a->looked_ms = now_ms;
	a->next_ms = NEVER;
	while ((r = annex_next(a->inst->store, &it)) == ANNEX_AGAIN) {
		const Annex__Service__Alarm *alarm = (const void *)it.record;
		int64_t due_ms = (int64_t)annex_key_number(&it.key, 0);

		if (kind_find(a->inst, alarm->kind) == NULL) {
			log_unknown(a, alarm->kind);
			continue;
		}
		if (first_known == NEVER)
			a->scan_ms = first_known = due_ms;
		if ((at = rings_at(a, due_ms, alarm)) <= now_ms) {
			*row_r = it.key;
			*alarm_r = alarm;
			return ANNEX_OK;
		}
		if (at < a->next_ms)
			a->next_ms = at;
		if (due_ms > now_ms) /* and all behind it are later */
			break;
	}
	if (r == ANNEX_OK && first_known == NEVER)
		a->scan_ms = NEVER;
	return r < 0 ? r : ANNEX_ENOENT;
}

static void
remember_rung(struct alarms *a, const Annex__Service__Alarm *alarm)
{
	if (a->rung_count++ > 0)
		return;
	buf_clear(&a->rung);
	buf_append(&a->rung, alarm->kind, strlen(alarm->kind) + 1);
	buf_append(&a->rung, alarm->key.data, alarm->key.len);
}

/* The alarm is in scratch memory, which outlives fn. */
static int
ring(struct alarms *a, const struct annex_key *row, const Annex__Service__Alarm *alarm)
{
	struct annex_instance *inst = a->inst;
	int r;

	remember_rung(a, alarm);
	if ((r = alarm_rows_delete(inst, alarm->kind, alarm->key.data, alarm->key.len)) < 0 ||
	    (r = annex_delete(inst->store, row)) < 0)
		return r;
	postponed_end(a, alarm->kind, alarm->key.data, alarm->key.len);
	kind_find(inst, alarm->kind)
	    ->fn(inst, alarm->key.data, alarm->key.len, (int64_t)annex_key_number(row, 0));
	return ANNEX_OK;
}

/* Ring what is due, at most most of them; ANNEX_ENOENT once nothing is. */
static int
ring_some(struct alarms *a, unsigned most)
{
	const Annex__Service__Alarm *alarm;
	struct annex_key row;
	int r = ANNEX_OK;

	for (unsigned i = 0; i < most && r >= 0; i++) {
		if (!instance_enter(a->inst))
			return ANNEX_EIO;
		if ((r = find_due(a, &row, &alarm)) >= 0)
			r = ring(a, &row, alarm);
		instance_leave(a->inst);
	}
	return r;
}

static void
ring_and_rest(struct alarms *a, unsigned most)
{
	int r = ring_some(a, most);

	if (r == ANNEX_OK) /* there may be more */
		a->next_ms = 0;
	if (r == ANNEX_OK || r == ANNEX_ENOENT)
		arm(a);
	else
		instance_fail(a->inst, "the store failed while alarms were read");
}

static void
alarms_look(struct timer *timer)
{
	struct alarms *a = annex_container_of(timer, struct alarms, timer);

	int64_t now_ms = clock_wall_ms(a->inst->clock);

	if (now_ms < a->looked_ms) /* set back: what was postponed rings earlier than next_ms */
		a->next_ms = 0;
	if (now_ms < a->next_ms) {
		arm(a);
		return;
	}
	if (!a->inst->created || a->inst->failed) {
		timer_start(a->inst->timers, &a->timer, 100, alarms_look);
		return;
	}
	if (a->alone > 0)
		a->wants_turn = true;
	else
		ring_and_rest(a, PACE);
}

bool
alarms_want_turn(const struct annex_instance *inst)
{
	return inst->alarms->wants_turn;
}

void
alarms_step(struct annex_instance *inst)
{
	struct alarms *a = inst->alarms;

	a->wants_turn = false;
	a->in_own_turn = true;
	ring_and_rest(a, 1);
}

/* --- The end of a turn, and of a life ------------------------------------ */

void
alarms_turn_done(struct annex_instance *inst)
{
	struct alarms *a = inst->alarms;

	a->in_own_turn = false;
	postponed_settle(a, true);
	a->alone -= a->alone < a->rung_count ? a->alone : a->rung_count;
	a->rung_count = 0;
}

void
alarms_turn_failed(struct annex_instance *inst)
{
	struct alarms *a = inst->alarms;

	postponed_settle(a, false);
	if (a->rung_count > 0 && a->in_own_turn)
		postponed_add(a);
	else if (a->rung_count > 0)
		a->alone = a->rung_count;
	a->in_own_turn = false;
	a->rung_count = 0;
}

/* What was set or cleared in the failed turn was not: read the store again. */
void
alarms_reset(struct annex_instance *inst)
{
	look_soon(inst->alarms);
}

void
alarms_finish(struct annex_instance *inst)
{
	struct alarms *a = inst->alarms;

	if (a == NULL)
		return;
	postponed_finish(a);
	timer_stop(inst->timers, &a->timer);
	buf_finish(&a->rung);
	annex_pool_destroy(&a->pool);
	free(a);
	inst->alarms = NULL;
}
