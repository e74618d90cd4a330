/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hats.c - titles that a room gives its occupants (XEP-0317)
 *
 * Which hats there are is in the room's row; who has which, by bare JID, in a
 * table of its own.  A hat is shown in every presence of whoever has it.
 */
#include <string.h>

#include <annex/digest.h>

#include "hats.h"
#include "presence.h"

/* --- Which there are --------------------------------------------------------------- */

const Muc__Hat *
hats_find(const struct room *room, const char *uri)
{
	for (size_t i = 0; i < room->hats.count; i++)
		if (strcmp(room->hats.hat[i]->uri, uri) == 0)
			return room->hats.hat[i];
	return NULL;
}

void
hats_keep(struct room *room, Muc__Hat *const *hats, size_t count)
{
	Muc__Hat **copy = annex_new_array(room->pool, Muc__Hat *, count + 1);

	for (size_t i = 0; i < count; i++) {
		copy[i] = annex_new(room->pool, Muc__Hat);
		*copy[i] = *hats[i];
		copy[i]->uri = annex_strdup(room->pool, hats[i]->uri);
		copy[i]->title = annex_strdup(room->pool, hats[i]->title);
		copy[i]->hue = annex_strdup(room->pool, hats[i]->hue);
	}
	room->hats.hat = copy;
	room->hats.count = count;
	room->garbage += count * (sizeof(Muc__Hat) + 64);
}

/* What changes whenever the list does (§3). */
const char *
hats_hash(const struct room *room, struct annex_pool *pool)
{
	const char *all = "";

	if (room->hats.count == 0)
		return NULL;
	for (size_t i = 0; i < room->hats.count; i++)
		all = annex_sprintf(pool, "%s%s\n%s\n%s\n", all, room->hats.hat[i]->uri,
		    room->hats.hat[i]->title, room->hats.hat[i]->hue);
	return annex_sha1(pool, all, strlen(all));
}

/* --- Who has which ------------------------------------------------------------------- */

const Muc__Hats *
hats_worn(const struct room *room, const char *bare)
{
	struct annex_key key = muc_key_in(TABLE_HATS, room->id, bare);
	ProtobufCMessage *record;

	return room->hats.count > 0 && annex_get(room->muc->store, &key, &record) == ANNEX_OK
	    ? (const Muc__Hats *)record
	    : NULL;
}

int
hats_wear(struct room *room, const char *bare, char **uri, size_t count)
{
	struct annex_key key = muc_key_in(TABLE_HATS, room->id, bare);
	Muc__Hats record = MUC__HATS__INIT;

	if (count == 0)
		return annex_delete(room->muc->store, &key);
	record.jid = record_text(bare);
	record.uri = uri;
	record.n_uri = count;
	return annex_put(room->muc->store, &key, &record.base);
}

static void
add_hat(struct annex_element *hats, const Muc__Hat *hat)
{
	struct annex_element *el = annex_add(hats, NULL, "hat");

	annex_attr_set(el, "uri", hat->uri);
	annex_attr_set(el, "title", hat->title);
	if (hat->hue[0] != '\0')
		annex_attr_set(el, "hue", hat->hue);
}

/* Rooms without hats, which are most, cost nothing. */
void
hats_add(struct annex_element *presence, const struct occupant *o)
{
	const Muc__Hats *worn = hats_worn(o->room, o->bare);
	struct annex_element *hats = NULL;

	for (size_t i = 0; worn != NULL && i < worn->n_uri; i++) {
		const Muc__Hat *hat = hats_find(o->room, worn->uri[i]);

		if (hat == NULL)
			continue;
		if (hats == NULL)
			hats = annex_add(presence, NS_HATS, "hats");
		add_hat(hats, hat);
	}
}

size_t
hats_without(const Muc__Hats *worn, const char *without, char **uri)
{
	size_t n = 0;

	for (size_t i = 0; worn != NULL && i < worn->n_uri && n < WORN_MAX; i++)
		if (strcmp(worn->uri[i], without) != 0)
			uri[n++] = worn->uri[i];
	return n;
}

bool
hats_has(const Muc__Hats *worn, const char *uri)
{
	for (size_t i = 0; worn != NULL && i < worn->n_uri; i++)
		if (strcmp(worn->uri[i], uri) == 0)
			return true;
	return false;
}

void
hats_show(struct occupant *o)
{
	const struct notice plain = { 0 };

	occupant_changed(o);
	presence_to_all(o, &plain);
}

int
hats_each(struct room *room, hats_fn *fn, void *cookie)
{
	struct annex_key prefix = muc_key(TABLE_HATS, room->id);
	struct annex_iter it = annex_iter(&prefix);
	size_t n = 0;
	int r;

	while (n++ < WEARERS_MAX && (r = annex_next(room->muc->store, &it)) == ANNEX_AGAIN)
		if ((r = fn(room, (const Muc__Hats *)it.record, cookie)) < 0)
			return r;
	return ANNEX_OK;
}
