/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hats.c - titles that a room gives its occupants (XEP-0317)
 *
 * Which hats there are is in the room's row; who has which, by bare JID, in a
 * table of its own.  Admins of the room make and give them with commands at
 * its address (XEP-0050); everybody may see the list.  A hat is shown in
 * every presence of whoever has it.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/digest.h>

#include "muc.h"

#define HATS_MAX 100
#define WORN_MAX 10
#define WEARERS_MAX 1000

/* --- Which there are --------------------------------------------------------------- */

static const Muc__Hat *
hat_find(const struct room *room, const char *uri)
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

static const Muc__Hats *
worn_get(const struct room *room, const char *bare)
{
	struct annex_key key = muc_key_in(TABLE_HATS, room->id, bare);
	ProtobufCMessage *record;

	return room->hats.count > 0 && annex_get(room->muc->store, &key, &record) == ANNEX_OK
	    ? (const Muc__Hats *)record
	    : NULL;
}

static int
worn_put(struct room *room, const char *bare, char **uri, size_t count)
{
	struct annex_key key = muc_key_in(TABLE_HATS, room->id, bare);
	Muc__Hats record = MUC__HATS__INIT;

	if (count == 0)
		return annex_delete(room->muc->store, &key);
	record.jid = (char *)(uintptr_t)bare;
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
	const Muc__Hats *worn = worn_get(o->room, o->bare);
	struct annex_element *hats = NULL;

	for (size_t i = 0; worn != NULL && i < worn->n_uri; i++) {
		const Muc__Hat *hat = hat_find(o->room, worn->uri[i]);

		if (hat == NULL)
			continue;
		if (hats == NULL)
			hats = annex_add(presence, NS_HATS, "hats");
		add_hat(hats, hat);
	}
}

static size_t
worn_copy(const Muc__Hats *worn, const char *without, char **uri)
{
	size_t n = 0;

	for (size_t i = 0; worn != NULL && i < worn->n_uri && n < WORN_MAX; i++)
		if (strcmp(worn->uri[i], without) != 0)
			uri[n++] = worn->uri[i];
	return n;
}

static bool
is_worn(const Muc__Hats *worn, const char *uri)
{
	for (size_t i = 0; worn != NULL && i < worn->n_uri; i++)
		if (strcmp(worn->uri[i], uri) == 0)
			return true;
	return false;
}

static void
show_again(struct occupant *o)
{
	const struct notice plain = { 0 };

	presence_to_all(o, &plain);
}

typedef int worn_fn(struct room *room, const Muc__Hats *worn, void *cookie);

static int
worn_each(struct room *room, worn_fn *fn, void *cookie)
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

/* --- The commands (§4.2 to §4.7) ------------------------------------------------------- */

enum annex_condition
hats_may_list(struct annex_instance *inst, const struct annex_jid *who, const struct annex_jid *at)
{
	struct room *room = room_find(annex_state(inst), at->local);

	if (room == NULL || room->gone || at->resource != NULL)
		return ANNEX_ITEM_NOT_FOUND;
	return session_find(room, who->full) != NULL || power_of(room, who) >= RANK_MEMBER
	    ? 0
	    : ANNEX_FORBIDDEN;
}

enum annex_condition
hats_may_change(
    struct annex_instance *inst, const struct annex_jid *who, const struct annex_jid *at)
{
	enum annex_condition wrong = hats_may_list(inst, who, at);

	if (wrong != 0)
		return wrong;
	return power_of(room_find(annex_state(inst), at->local), who) >= RANK_ADMIN
	    ? 0
	    : ANNEX_FORBIDDEN;
}

static struct room *
room_here(struct annex_instance *inst, const struct annex_run *run)
{
	return room_find(annex_state(inst), annex_run_at(run)->local);
}

static int
hats_changed(struct room *room, Muc__Hat *const *hats, size_t count)
{
	static const unsigned codes[] = { CODE_CONFIGURED, 0 };
	const struct hats before = room->hats;
	int r;

	hats_keep(room, hats, count);
	if ((r = room_put(room)) < 0) {
		room->hats = before;
		return r;
	}
	room_tell(room, codes);
	return ANNEX_OK;
}

static bool
is_hue(const char *text)
{
	char *end;
	double hue = strtod(text, &end);

	return text[0] == '\0' || (*end == '\0' && hue >= 0 && hue < 361);
}

int
hats_create(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct hat_values *v = values;
	struct room *room = room_here(inst, run);
	Muc__Hat made = MUC__HAT__INIT, *hats[HATS_MAX + 1];
	size_t count = room->hats.count, at = 0;
	int r;

	(void)stage;
	if (v->uri[0] == '\0' || v->title[0] == '\0' || (v->hue != NULL && !is_hue(v->hue))) {
		annex_run_fail(run, ANNEX_BAD_REQUEST, "A hat has a title and a URI.");
		return ANNEX_EINVAL;
	}
	made.uri = (char *)(uintptr_t)v->uri;
	made.title = (char *)(uintptr_t)v->title;
	made.hue = (char *)(uintptr_t)(v->hue == NULL ? "" : v->hue);
	for (size_t i = 0; i < count; i++)
		hats[i] = room->hats.hat[i];
	while (at < count && strcmp(hats[at]->uri, v->uri) != 0)
		at++;
	if (at == HATS_MAX) {
		annex_run_fail(run, ANNEX_POLICY_VIOLATION, "The room has hats enough.");
		return ANNEX_ELIMIT;
	}
	hats[at] = &made;
	if ((r = hats_changed(room, hats, at == count ? count + 1 : count)) < 0)
		return r;
	OCCUPANTS_EACH(room, o)
	if (at < count && is_worn(worn_get(room, o->bare), v->uri))
		show_again(o);
	return ANNEX_OK;
}

static int
take_off(struct room *room, const Muc__Hats *worn, void *cookie)
{
	char *uri[WORN_MAX];

	if (!is_worn(worn, cookie))
		return ANNEX_OK;
	return worn_put(room, worn->jid, uri, worn_copy(worn, cookie, uri));
}

/* Nobody has it any more then (§4.3). */
int
hats_destroy(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct hat_values *v = values;
	struct room *room = room_here(inst, run);
	struct occupant **wearers =
	    annex_new_array(annex_scratch(inst), struct occupant *, room->occupant_count + 1);
	Muc__Hat *hats[HATS_MAX];
	size_t count = 0, n = 0;

	(void)stage;
	if (hat_find(room, v->uri) == NULL)
		return ANNEX_ENOENT;
	OCCUPANTS_EACH(room, o)
	if (is_worn(worn_get(room, o->bare), v->uri))
		wearers[n++] = o;
	if (muc_must(room->muc, worn_each(room, take_off, (void *)(uintptr_t)v->uri)) < 0)
		return ANNEX_EFULL;
	for (size_t i = 0; i < room->hats.count; i++)
		if (strcmp(room->hats.hat[i]->uri, v->uri) != 0)
			hats[count++] = room->hats.hat[i];
	if (muc_must(room->muc, hats_changed(room, hats, count)) < 0)
		return ANNEX_EFULL;
	while (n-- > 0)
		show_again(wearers[n]);
	return ANNEX_OK;
}

static int
give(struct annex_instance *inst, struct annex_run *run, const struct hat_values *v, bool on)
{
	struct room *room = room_here(inst, run);
	const struct annex_jid *jid = annex_jid(annex_scratch(inst), v->jid);
	const Muc__Hats *worn;
	char *uri[WORN_MAX + 1];
	size_t n;
	int r;

	if (jid == NULL || jid->local == NULL || hat_find(room, v->uri) == NULL)
		return ANNEX_ENOENT;
	worn = worn_get(room, jid->bare);
	n = worn_copy(worn, v->uri, uri);
	if (on && n == WORN_MAX) {
		annex_run_fail(run, ANNEX_POLICY_VIOLATION, "They have hats enough.");
		return ANNEX_ELIMIT;
	}
	if (is_worn(worn, v->uri) == on)
		return on ? ANNEX_OK : ANNEX_ENOENT;
	if (on)
		uri[n++] = (char *)(uintptr_t)v->uri;
	if ((r = worn_put(room, jid->bare, uri, n)) < 0)
		return r;
	OCCUPANTS_EACH(room, o)
	if (strcmp(o->bare, jid->bare) == 0)
		show_again(o);
	return ANNEX_OK;
}

int
hats_assign(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	(void)stage;
	return give(inst, run, values, true);
}

int
hats_unassign(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	(void)stage;
	return give(inst, run, values, false);
}

int
hats_list(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "hats#title", "hats#uri", "hats#hue", NULL };
	static const char *const labels[] = { "Title", "URI", "Hue", NULL };
	const struct room *room = room_here(inst, run);

	(void)stage;
	(void)values;
	annex_run_columns(run, columns, labels);
	for (size_t i = 0; i < room->hats.count; i++) {
		const Muc__Hat *hat = room->hats.hat[i];
		const char *row[] = { hat->title, hat->uri, hat->hue, NULL };

		annex_run_row(run, row);
	}
	return ANNEX_OK;
}

static int
list_worn(struct room *room, const Muc__Hats *worn, void *cookie)
{
	for (size_t i = 0; i < worn->n_uri; i++) {
		const Muc__Hat *hat = hat_find(room, worn->uri[i]);
		const char *row[] = { worn->jid, worn->uri[i], hat == NULL ? "" : hat->title,
			hat == NULL ? "" : hat->hue, NULL };

		if (hat != NULL)
			annex_run_row(cookie, row);
	}
	return ANNEX_OK;
}

int
hats_list_assigned(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "hats#jid", "hats#uri", "hats#title", "hats#hue",
		NULL };
	static const char *const labels[] = { "Address", "URI", "Title", "Hue", NULL };

	(void)stage;
	(void)values;
	annex_run_columns(run, columns, labels);
	return worn_each(room_here(inst, run), list_worn, run);
}

/* --- Their forms ------------------------------------------------------------------------ */

#define FIELD(member, var, type, label, ...) \
	ANNEX_FIELD(struct hat_values, member, var, type, label, __VA_ARGS__)
#define JID FIELD(jid, "hats#jid", ANNEX_JID_SINGLE, "User", .required = true)
#define HAT \
	FIELD(uri, "hats#uri", ANNEX_LIST_SINGLE, "Hat", .open = true, .required = true, .max = 500)

static const struct annex_field create_fields[] = {
	FIELD(title, "hats#title", ANNEX_TEXT_SINGLE, "Title", .max = 100, .required = true),
	FIELD(uri, "hats#uri", ANNEX_TEXT_SINGLE, "URI", .max = 500, .required = true),
	FIELD(hue, "hats#hue", ANNEX_TEXT_SINGLE, "Hue", .max = 20),
	{ 0 },
};
static const struct annex_field destroy_fields[] = { HAT, { 0 } };
static const struct annex_field assign_fields[] = { JID, HAT, { 0 } };

#define FORM(title_, fields_)                                                    \
	{                                                                        \
		.type = NS_HATS_COMMANDS, .title = (title_), .fields = (fields_) \
	}

const struct annex_form hats_create_form = FORM("Make a hat", create_fields);
const struct annex_form hats_destroy_form = FORM("Destroy a hat", destroy_fields);
const struct annex_form hats_give_form = FORM("Whose hat", assign_fields);

/* The form, with the hats there are in its last field. */
static void
choose(struct annex_instance *inst, struct annex_run *run, const struct annex_form *form, size_t at)
{
	struct annex_pool *pool = annex_scratch(inst);
	const struct room *room = room_here(inst, run);
	struct annex_choice *choices = annex_new_array(pool, struct annex_choice, HATS_MAX + 1);
	struct annex_field *fields = annex_new_array(pool, struct annex_field, at + 2);
	struct annex_form *made = annex_memdup(pool, form, sizeof(*form));

	for (size_t i = 0; i < room->hats.count; i++)
		choices[i] =
		    (struct annex_choice) { room->hats.hat[i]->uri, room->hats.hat[i]->title };
	memcpy(fields, form->fields, (at + 1) * sizeof(*fields));
	fields[at].choices = choices;
	made->fields = fields;
	annex_run_ask(run, made);
}

void
hats_choose(struct annex_instance *inst, struct annex_run *run, void *values)
{
	(void)values;
	choose(inst, run, &hats_destroy_form, 0);
}

void
hats_choose_for(struct annex_instance *inst, struct annex_run *run, void *values)
{
	(void)values;
	choose(inst, run, &hats_give_form, 1);
}
