/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * usage.c - what a room uses: bytes of its archive, when it was last used, and
 * how much is said in it (XEP-0502)
 *
 * It is a small row beside the room's own, written softly: it goes to disk with
 * what is archived, and where nothing is it holds nothing up.
 */
#include <string.h>

#include "muc.h"

#define HOUR_MS ((int64_t)3600000)

void
usage_get(struct muc *m, const char *room_id, struct usage *u)
{
	struct annex_key key = muc_key(TABLE_USAGE, room_id);
	ProtobufCMessage *record;
	const Muc__Usage *row;

	*u = (struct usage) { 0 };
	if (annex_get(m->store, &key, &record) < 0)
		return;
	row = (const Muc__Usage *)record;
	u->bytes = row->bytes;
	u->used_ms = row->used_ms;
	u->hour = row->hour;
	for (size_t i = 0; i < USAGE_HOURS && i < row->n_said; i++)
		u->said[i] = row->said[i];
}

int
usage_put(struct muc *m, const char *room_id, const struct usage *u)
{
	struct annex_key key = muc_key(TABLE_USAGE, room_id);
	Muc__Usage record = MUC__USAGE__INIT;
	int r;

	record.bytes = u->bytes;
	record.used_ms = u->used_ms;
	record.hour = u->hour;
	record.said = (uint32_t *)(uintptr_t)u->said;
	record.n_said = USAGE_HOURS;
	if ((r = annex_put_soft(m->store, &key, &record.base)) == ANNEX_ENOENT)
		r = annex_put(m->store, &key, &record.base);
	return r;
}

/* The first counter is that of the hour that runs. */
static void
shift(struct usage *u, int64_t now_ms)
{
	int64_t hour = now_ms / HOUR_MS, passed = hour - u->hour;

	if (passed <= 0)
		return;
	if (passed > USAGE_HOURS)
		passed = USAGE_HOURS;
	memmove(u->said + passed, u->said, (size_t)(USAGE_HOURS - passed) * sizeof(*u->said));
	memset(u->said, 0, (size_t)passed * sizeof(*u->said));
	u->hour = hour;
}

/* A full disk is no reason to keep anybody from speaking: memory knows, and the next put tells. */
static int
usage_change(struct room *room, int64_t bytes, uint32_t said)
{
	struct usage *u = &room->usage;
	int r;

	shift(u, annex_wall_ms(room->muc->inst));
	u->bytes += bytes;
	u->said[0] += said;
	u->used_ms = annex_wall_ms(room->muc->inst);
	r = usage_put(room->muc, room->id, u);
	return r == ANNEX_EFULL ? ANNEX_OK : r;
}

/* §4: groupchat with a body, corrections (XEP-0308) apart. */
static bool
counts(const struct annex_element *message)
{
	return annex_child(message, ANNEX_NS_STANZA, "body") != NULL &&
	    annex_child(message, "urn:xmpp:message-correct:0", "replace") == NULL;
}

int
usage_say(struct room *room, const struct annex_element *message, size_t bytes)
{
	uint32_t said = counts(message);

	return said == 0 && bytes == 0 ? ANNEX_OK : usage_change(room, (int64_t)bytes, said);
}

int
usage_bytes(struct room *room, int64_t bytes)
{
	return usage_change(room, bytes, 0);
}

int
usage_touch(struct room *room)
{
	return usage_change(room, 0, 0);
}

/* The last whole day; nothing is known of a room that is younger than an hour. */
bool
usage_per_hour(struct room *room, double *messages_r)
{
	int64_t now = annex_wall_ms(room->muc->inst);
	uint64_t sum = 0;

	if (now - room->created_ms < HOUR_MS)
		return false;
	shift(&room->usage, now);
	for (size_t i = 1; i < USAGE_HOURS; i++)
		sum += room->usage.said[i];
	*messages_r = (double)sum / (USAGE_HOURS - 1);
	return true;
}
