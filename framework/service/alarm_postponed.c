/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * alarm_postponed.c - alarms that failed, each in a turn of its own, ring later
 *
 * One waits a minute and longer each time: an alarm that always fails must
 * not keep the instance from living.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "alarm_inside.h"
#include "instance.h"

#define RETRY_MS 60000
#define RETRY_MAX_SHIFT 6 /* about an hour */

struct postponed *
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

void
postponed_end(struct alarms *a, const char *kind, const void *key, size_t len)
{
	struct postponed *p = postponed_find(a, kind, key, len);

	if (p != NULL)
		p->is_over = true;
}

void
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

void
postponed_add(struct alarms *a)
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
postponed_finish(struct alarms *a)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_next(a->postponed, &it))
		free(it.value);
}
