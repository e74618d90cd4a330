/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * rights.c - what of a room is of whom, found without loading it
 */
#include <string.h>

#include "rights.h"

/* The subject is kept as it was sent: with the occupant-id of who sent it. */
bool
is_subject_by(struct muc *m, const Muc__Room *record, const char *bare)
{
	struct annex_pool *pool = annex_scratch(m->inst);
	const struct annex_element *kept, *by = NULL;
	struct room room = { .gone = record->gone };

	if (record->subject[0] == '\0' || record->secret.len != sizeof(room.secret))
		return false;
	memcpy(room.secret, record->secret.data, sizeof(room.secret));
	kept = kept_element(pool, record->subject);
	if (kept != NULL)
		by = annex_child(kept, NS_OCCUPANT, "occupant-id");
	return by != NULL && strcmp(annex_attr(by, "id"), occupant_id(&room, pool, bare)) == 0;
}

/* Sessions are in the order of their addresses, so those of one account stand together. */
struct annex_iter
sessions_of(const char *room_id, const char *bare)
{
	struct annex_key prefix = muc_key(TABLE_SESSIONS, room_id);
	struct annex_key from = muc_key_in(TABLE_SESSIONS, room_id, bare);

	return annex_iter_from(&prefix, &from);
}

const Muc__Session *
session_next(struct muc *m, struct annex_iter *it, const char *bare)
{
	const Muc__Session *s;

	while (annex_next(m->store, it) == ANNEX_AGAIN) {
		s = (const Muc__Session *)it->record;
		if (is_address_of(s->jid, bare))
			return s;
		if (strncmp(s->jid, bare, strlen(bare)) != 0)
			break;
	}
	return NULL;
}
