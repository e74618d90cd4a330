/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * drain.c - saying goodbye (XEP-0045 §17.3, code 332)
 *
 * Only where an operator asks for it; a service that is merely stopped says
 * nothing, and finds everybody where they were.  Rooms are told some at a time:
 * when a fence says that all of them were reached, their occupants go.  Where time
 * is up before the end, the rest stay in.
 */
#include <string.h>

#include <annex/iq.h>

#include "presence.h"

#define CLIENTS_A_STEP 500

struct drain {
	char from[32], upto[32]; /* rooms behind the one and up to the other are told */
	bool ends;
};

static void step(struct muc *m);

static void
room_tell_goodbye(struct room *room)
{
	struct notice n = { .type = "unavailable", .codes = { CODE_SHUTDOWN }, .out = true };

	OCCUPANTS_EACH(room, o)
	SESSIONS_EACH(o, s)
	{
		n.only = s;
		presence_to_self(o, &n);
	}
}

static void
room_empty(struct room *room)
{
	OCCUPANTS_EACH(room, o)
	occupant_remove(o);
	room_settle_late(room);
}

/* The next room behind id, with its id there; NULL: there is no other. */
static struct room *
room_behind(struct muc *m, char id[32])
{
	struct annex_key prefix = annex_key(&muc_tables[TABLE_LIVE]), key = prefix;
	struct annex_iter it = annex_iter_from(&prefix, annex_key_text(&key, id));

	while (annex_next(m->store, &it) == ANNEX_AGAIN) {
		const Muc__Live *live = (const Muc__Live *)it.record;
		const char *next = annex_key_string(&it.key, 0, annex_scratch(m->inst));
		struct room *room;

		if (next == NULL || strcmp(next, id) == 0 || live->gone)
			continue;
		strncpy(id, next, 31);
		if ((room = room_find(m, live->name)) != NULL)
			return room;
	}
	return NULL;
}

static void
told(struct annex_instance *inst, int status, const void *cookie, size_t len)
{
	struct muc *m = annex_state(inst);
	struct drain *d = m->drain;
	struct room *room;

	(void)cookie;
	(void)len;
	if (status != ANNEX_OK) {
		annex_stopped(inst);
		return;
	}
	while (strcmp(d->from, d->upto) != 0 && (room = room_behind(m, d->from)) != NULL)
		room_empty(room);
	if (d->ends)
		annex_stopped(inst);
	else
		step(m);
}

static void
step(struct muc *m)
{
	struct drain *d = m->drain;
	struct room *room = NULL;
	size_t clients = 0;

	while (clients < CLIENTS_A_STEP && (room = room_behind(m, d->upto)) != NULL) {
		clients += annex_map_count(room->by_jid);
		room_tell_goodbye(room);
	}
	d->ends = room == NULL;
	annex_fence(m->inst, told, NULL, 0);
}

int
muc_stop(struct annex_instance *inst)
{
	struct muc *m = annex_state(inst);

	if (!annex_is_up(inst))
		return ANNEX_OK;
	m->drain = annex_new(annex_pool(inst), struct drain);
	step(m);
	return ANNEX_AGAIN;
}
