/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hatter.c - making hats and giving them (XEP-0317 §4.2 to §4.7)
 *
 * They are commands at the address of a room (XEP-0050): its admins make, give,
 * take away and destroy; everybody who belongs to it may see which there are.
 */
#include <stdlib.h>
#include <string.h>

#include "hats.h"

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

	return strspn(text, "0123456789.") == strlen(text) && *end == '\0' && hue >= 0 && hue < 361;
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
	made.uri = record_text(v->uri);
	made.title = record_text(v->title);
	made.hue = record_text(v->hue);
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
	if (at < count && hats_has(hats_worn(room, o->bare), v->uri))
		hats_show(o);
	return ANNEX_OK;
}

static int
take_off(struct room *room, const Muc__Hats *worn, void *cookie)
{
	char *uri[WORN_MAX];

	if (!hats_has(worn, cookie))
		return ANNEX_OK;
	return hats_wear(room, worn->jid, uri, hats_without(worn, cookie, uri));
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
	if (hats_find(room, v->uri) == NULL)
		return ANNEX_ENOENT;
	OCCUPANTS_EACH(room, o)
	if (hats_has(hats_worn(room, o->bare), v->uri))
		wearers[n++] = o;
	if (muc_must(room->muc, hats_each(room, take_off, (void *)(uintptr_t)v->uri)) < 0)
		return ANNEX_EFULL;
	for (size_t i = 0; i < room->hats.count; i++)
		if (strcmp(room->hats.hat[i]->uri, v->uri) != 0)
			hats[count++] = room->hats.hat[i];
	if (muc_must(room->muc, hats_changed(room, hats, count)) < 0)
		return ANNEX_EFULL;
	while (n-- > 0)
		hats_show(wearers[n]);
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

	if (jid == NULL || jid->local == NULL || hats_find(room, v->uri) == NULL)
		return ANNEX_ENOENT;
	worn = hats_worn(room, jid->bare);
	n = hats_without(worn, v->uri, uri);
	if (on && n == WORN_MAX) {
		annex_run_fail(run, ANNEX_POLICY_VIOLATION, "They have hats enough.");
		return ANNEX_ELIMIT;
	}
	if (hats_has(worn, v->uri) == on)
		return on ? ANNEX_OK : ANNEX_ENOENT;
	if (on)
		uri[n++] = record_text(v->uri);
	if ((r = hats_wear(room, jid->bare, uri, n)) < 0)
		return r;
	OCCUPANTS_EACH(room, o)
	if (strcmp(o->bare, jid->bare) == 0)
		hats_show(o);
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
		const Muc__Hat *hat = hats_find(room, worn->uri[i]);
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
	return hats_each(room_here(inst, run), list_worn, run);
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
