/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * alarm_rows.c - alarms in the store
 *
 * Two tables: by time, read from its beginning to find what rings next, and
 * by name, to find the row of an alarm that is moved or cleared.
 */
#include <annex/store.h>

#include "alarm_inside.h"
#include "instance.h"
#include "service.pb-c.h"
#include "tables.h"

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

int
alarm_rows_delete(struct annex_instance *inst, const char *kind, const void *key, size_t len)
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

int
alarm_rows_put(
    struct annex_instance *inst, const char *kind, const void *key, size_t len, int64_t due_ms)
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
