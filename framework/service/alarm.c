/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * alarm.c - timers that survive restarts
 *
 * Two tables: by time, read from its beginning to find what rings next, and
 * by name, to find the row of an alarm that is moved or cleared.  Memory
 * holds only when to look again.
 *
 * One alarm rings: its rows are deleted, then the component is called, and
 * both are one turn.  Up to PACE ring in a turn, so that a thousand that fell
 * due while Annex was down share a few commits and still leave time for
 * others.  Where the turn fails they ring again, each in a turn of its own in
 * which nothing else is done; one that fails even so waits a minute and longer
 * each time: an alarm that always fails must not keep the instance from living.
 *
 * Rows of kinds that the module does not declare (it was downgraded) stay
 * where they are; the look at the table begins behind them.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/map.h>
#include <annex/pool.h>
#include <annex/store.h>
#include <annex/timer.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "instance.h"
#include "service.pb-c.h"
#include "tables.h"

#define KEY_MAX 8192 /* two addresses and more */
#define PACE 50
#define LOOK_AGAIN_MS 60000 /* the time of day may be changed under us */
#define RETRY_MS 60000
#define RETRY_MAX_SHIFT 6 /* about an hour */

#define NEVER INT64_MAX

/* An alarm whose turn failed. */
struct postponed {
	unsigned failures;
	int64_t until_ms; /* as annex_now_ms: the time of day may be set back */
	bool is_over;     /* it rang, was cleared or set anew in this turn */
};

struct alarms {
	struct annex_instance *inst;
	struct timer timer;
	int64_t next_ms;   /* nothing rings before; 0 = not known */
	int64_t scan_ms;   /* rows before are of unknown kinds */
	int64_t looked_ms; /* the time of day when next_ms was found */
	struct annex_pool *pool;
	struct annex_map *unknown;   /* kinds that were logged */
	struct annex_map *postponed; /* kind, NUL, key */
	struct buf rung;             /* the first alarm rung this turn, kind NUL key */
	unsigned rung_count;
	unsigned alone; /* so many ring in a turn of their own */
	bool wants_turn, in_own_turn;
};

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

/* --- Rows ---------------------------------------------------------------- */

static struct annex_key
key_by_time(int64_t due_ms, const char *kind, const void *key, size_t len)
{
	struct annex_key k = annex_key(&alarm_table);

	annex_key_u64(&k, (uint64_t)due_ms);
	annex_key_text(&k, kind);
	annex_key_bytes(&k, key, len);
	return k;
}

static struct annex_key
key_by_name(const char *kind, const void *key, size_t len)
{
	struct annex_key k = annex_key(&alarm_due_table);

	annex_key_text(&k, kind);
	annex_key_bytes(&k, key, len);
	return k;
}

static int
rows_delete(struct annex_instance *inst, const char *kind, const void *key, size_t len)
{
	struct annex_key name = key_by_name(kind, key, len), time;
	ProtobufCMessage *record;
	int r;

	if ((r = annex_get(inst->store, &name, &record)) < 0)
		return r == ANNEX_ENOENT ? ANNEX_OK : r;
	time = key_by_time(((Annex__Service__AlarmDue *)record)->due_ms, kind, key, len);
	if ((r = annex_delete(inst->store, &time)) < 0)
		return r;
	return annex_delete(inst->store, &name);
}

static int
rows_put(struct annex_instance *inst, const char *kind, const void *key, size_t len, int64_t due_ms)
{
	Annex__Service__Alarm alarm = ANNEX__SERVICE__ALARM__INIT;
	Annex__Service__AlarmDue due = ANNEX__SERVICE__ALARM_DUE__INIT;
	struct annex_key name = key_by_name(kind, key, len);
	struct annex_key time = key_by_time(due_ms, kind, key, len);
	int r;

	alarm.kind = (char *)kind;
	alarm.key = (ProtobufCBinaryData) { .len = len, .data = (uint8_t *)key };
	due.due_ms = due_ms;
	if ((r = annex_put(inst->store, &time, &alarm.base)) < 0)
		return r;
	return annex_put(inst->store, &name, &due.base);
}

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

/* --- What a component may do --------------------------------------------- */

/* NULL: it is not, or no longer once this turn is durable. */
static struct postponed *
postponed_find(struct alarms *a, const char *kind, const void *key, size_t len)
{
	struct postponed *p;
	struct buf name = { 0 };

	if (annex_map_count(a->postponed) == 0)
		return NULL;
	buf_append(&name, kind, strlen(kind) + 1);
	buf_append(&name, key, len);
	p = annex_map_get(a->postponed, name.data, name.len);
	buf_finish(&name);
	return p != NULL && !p->is_over ? p : NULL;
}

static void
postponed_end(struct alarms *a, const char *kind, const void *key, size_t len)
{
	struct postponed *p = postponed_find(a, kind, key, len);

	if (p != NULL)
		p->is_over = true;
}

/* The turn is durable: forget what is over.  It is undone: nothing was. */
static void
postponed_settle(struct alarms *a, bool durable)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_count(a->postponed) > 0 && annex_map_next(a->postponed, &it)) {
		struct postponed *p = it.value;

		if (p->is_over && durable)
			free(annex_map_remove(a->postponed, it.key, it.len));
		else
			p->is_over = false;
	}
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
	if ((r = rows_delete(inst, kind, key, key_len)) < 0 ||
	    (r = rows_put(inst, kind, key, key_len, due_ms)) < 0)
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
	if ((r = rows_delete(inst, kind, key, key_len)) < 0)
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
	if ((r = rows_delete(inst, alarm->kind, alarm->key.data, alarm->key.len)) < 0 ||
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

static void
postpone(struct alarms *a)
{
	struct postponed *p = annex_map_get(a->postponed, a->rung.data, a->rung.len);
	unsigned shift;

	if (p == NULL) {
		p = mem_zalloc(sizeof(*p));
		annex_map_set(a->postponed, a->rung.data, a->rung.len, p);
	}
	shift = p->failures < RETRY_MAX_SHIFT ? p->failures : RETRY_MAX_SHIFT;
	p->failures++;
	p->until_ms = annex_now_ms(a->inst) + ((int64_t)RETRY_MS << shift);
	log_write(a->inst->log, ANNEX_LOG_ERROR,
	    "an alarm failed and will ring again later: kind=%s failures=%u", a->rung.data,
	    p->failures);
}

void
alarms_turn_failed(struct annex_instance *inst)
{
	struct alarms *a = inst->alarms;

	postponed_settle(a, false);
	if (a->rung_count > 0 && a->in_own_turn)
		postpone(a);
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
	struct annex_map_iter it = { 0 };

	if (a == NULL)
		return;
	while (annex_map_next(a->postponed, &it))
		free(it.value);
	timer_stop(inst->timers, &a->timer);
	buf_finish(&a->rung);
	annex_pool_destroy(&a->pool);
	free(a);
	inst->alarms = NULL;
}
