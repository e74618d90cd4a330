/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * slow.c - rooms in which everybody may say something only every so often
 * (XEP-0500)
 *
 * A row per account, so that it is the same for all its clients and nicknames,
 * also when somebody leaves and comes again.  Where nobody has to wait any more
 * the row goes with the next sweep (retain.c).
 */
#include <string.h>

#include "archive.h"

/* §5: only what has a body counts; owners and admins go free. */
static bool
counts(const struct occupant *o, const struct annex_element *message)
{
	return o->room->config.slow_s > 0 && o->power < RANK_ADMIN &&
	    annex_child(message, ANNEX_NS_STANZA, "body") != NULL && !is_retraction(message);
}

bool
slow_may_say(const struct occupant *o, const struct annex_element *message)
{
	struct muc *m = o->room->muc;
	struct annex_key key = muc_key_in(TABLE_SLOW, o->room->id, o->bare);
	ProtobufCMessage *record;

	if (!counts(o, message) || annex_get(m->store, &key, &record) < 0)
		return true;
	return annex_wall_ms(m->inst) - ((Muc__Slow *)record)->said_ms >=
	    o->room->config.slow_s * 1000;
}

int
slow_note(const struct occupant *o, const struct annex_element *message)
{
	struct muc *m = o->room->muc;
	struct annex_key key = muc_key_in(TABLE_SLOW, o->room->id, o->bare);
	Muc__Slow record = MUC__SLOW__INIT;

	if (!counts(o, message))
		return ANNEX_OK;
	record.said_ms = annex_wall_ms(m->inst);
	return annex_put(m->store, &key, &record.base);
}

int
slow_sweep(struct muc *m, const char *room_id, const struct room_config *config, size_t most)
{
	struct annex_key prefix = muc_key(TABLE_SLOW, room_id);
	struct annex_iter it = annex_iter(&prefix);
	int64_t since = annex_wall_ms(m->inst) - config->slow_s * 1000;
	size_t n = 0;
	int r;

	while (n < most && annex_next(m->store, &it) == ANNEX_AGAIN) {
		n++;
		if (((Muc__Slow *)it.record)->said_ms < since &&
		    (r = annex_delete(m->store, &it.key)) < 0)
			return r;
	}
	return (int)n;
}
