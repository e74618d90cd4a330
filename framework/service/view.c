/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * view.c - what is set to be shown
 *
 * A view is a row: of a resource of ours, for everybody, a group, or one
 * contact.  Each setting gives it a new revision, so that to compare two
 * numbers tells whether a contact has been shown what is set now, also where a view
 * was taken away and an older one is seen again behind it.
 */
#include <string.h>

#include "base/check.h"
#include "contact.h"

#define TEXTS_MAX 16
#define TEXT_MAX 4096
#define LANG_MAX 35 /* RFC 5646 §4.4.1 */

static struct annex_key
key_of(const char *me, enum annex_view_kind kind, const char *whose, const char *resource)
{
	struct annex_key key = annex_key(&view_table);

	annex_key_text(&key, me);
	annex_key_u64(&key, kind);
	annex_key_text(&key, whose != NULL ? whose : "");
	annex_key_text(&key, resource);
	return key;
}

static int
view_load(struct annex_instance *inst, const struct annex_key *key, view_row **view_r)
{
	ProtobufCMessage *record;
	int r = annex_get(inst->store, key, &record);

	if (r == ANNEX_OK)
		*view_r = (view_row *)record;
	return r;
}

struct annex_iter
view_resources(const char *me)
{
	struct annex_key prefix = annex_key(&view_table);

	annex_key_text(&prefix, me);
	annex_key_u64(&prefix, ANNEX_VIEW_DEFAULT);
	annex_key_text(&prefix, "");
	return annex_iter(&prefix);
}

int
view_resolve(struct annex_instance *inst, const char *me, const char *resource,
    const contact_row *row, view_row **view_r)
{
	struct annex_key key = key_of(me, ANNEX_VIEW_CONTACT, row->jid, resource);
	int r = view_load(inst, &key, view_r);

	for (size_t i = 0; r == ANNEX_ENOENT && i < row->n_group; i++) {
		key = key_of(me, ANNEX_VIEW_GROUP, row->group[i], resource);
		r = view_load(inst, &key, view_r);
	}
	if (r != ANNEX_ENOENT)
		return r;
	key = key_of(me, ANNEX_VIEW_DEFAULT, NULL, resource);
	return view_load(inst, &key, view_r);
}

/* --- Expiry --------------------------------------------------------------- */

#define ALARM "annex-view"

/* kind as a digit, then me, whose and resource, each ended by a NUL. */
static size_t
alarm_key(struct annex_instance *inst, const view_row *row, enum annex_view_kind kind, char **key_r)
{
	size_t a = strlen(row->me) + 1, b = strlen(row->whose) + 1, c = strlen(row->resource) + 1;
	char *key = *key_r = annex_pool_alloc(inst->scratch, 1 + a + b + c);

	key[0] = (char)('0' + kind);
	memcpy(key + 1, row->me, a);
	memcpy(key + 1 + a, row->whose, b);
	memcpy(key + 1 + a + b, row->resource, c);
	return 1 + a + b + c;
}

static int
view_alarm_set(struct annex_instance *inst, const view_row *row, enum annex_view_kind kind)
{
	char *key;
	size_t len = alarm_key(inst, row, kind, &key);

	return annex_alarm_set(inst, ALARM, key, len, row->until_ms);
}

static int
view_alarm_clear(struct annex_instance *inst, const view_row *row, enum annex_view_kind kind)
{
	char *key;
	size_t len = alarm_key(inst, row, kind, &key);

	return annex_alarm_clear(inst, ALARM, key, len);
}

/* --- Setting ------------------------------------------------------------- */

static bool
is_sound(const struct annex_view *view)
{
	if (view->show > ANNEX_SHOW_OFFLINE || view->priority < -128 || view->priority > 127 ||
	    view->text_count > TEXTS_MAX)
		return false;
	for (size_t i = 0; i < view->text_count; i++) {
		const struct annex_view_text *t = &view->texts[i];

		if (strlen(t->text) > TEXT_MAX || (t->lang != NULL && strlen(t->lang) > LANG_MAX))
			return false;
	}
	return true;
}

static void
view_write(struct annex_instance *inst, view_row *row, const struct annex_view *view)
{
	row->show = view->show;
	row->priority = view->priority;
	row->avatar = view->avatar != NULL ? (char *)(uintptr_t)view->avatar : (char *)"";
	row->idle_ms = view->idle_ms;
	row->until_ms = view->until_ms;
	row->n_text = view->text_count;
	row->text =
	    annex_new_array(inst->scratch, Annex__Service__View__Text *, view->text_count + 1);
	for (size_t i = 0; i < view->text_count; i++) {
		const struct annex_view_text *t = &view->texts[i];
		Annex__Service__View__Text *text =
		    annex_new(inst->scratch, Annex__Service__View__Text);

		annex__service__view__text__init(text);
		text->lang = t->lang != NULL ? (char *)(uintptr_t)t->lang : (char *)"";
		text->text = (char *)(uintptr_t)t->text;
		row->text[i] = text;
	}
}

static bool
is_same(const view_row *a, const view_row *b)
{
	if (a->show != b->show || a->priority != b->priority || a->idle_ms != b->idle_ms ||
	    a->until_ms != b->until_ms || a->n_text != b->n_text ||
	    strcmp(a->avatar, b->avatar) != 0)
		return false;
	for (size_t i = 0; i < a->n_text; i++)
		if (strcmp(a->text[i]->lang, b->text[i]->lang) != 0 ||
		    strcmp(a->text[i]->text, b->text[i]->text) != 0)
			return false;
	return true;
}

/* Who sees it is shown. */
static int
view_changed(struct annex_instance *inst, const view_row *row, enum annex_view_kind kind)
{
	contact_row *contact;
	int r;

	if (kind != ANNEX_VIEW_CONTACT)
		return show_to_all(inst, row->me);
	r = contact_load(inst, row->me, row->whose, &contact);
	if (r == ANNEX_ENOENT)
		return ANNEX_OK;
	return r < 0 ? r : show_changes(inst, contact, false, NULL);
}

static int
view_delete(struct annex_instance *inst, const struct annex_key *key, const view_row *row,
    enum annex_view_kind kind)
{
	int r;

	if ((r = annex_delete(inst->store, key)) < 0)
		return r;
	if (row->until_ms != 0)
		contact_must(inst, view_alarm_clear(inst, row, kind));
	contact_must(inst, avatar_release(inst, row->avatar));
	return contact_must(inst, view_changed(inst, row, kind));
}

static int
view_put(struct annex_instance *inst, const struct annex_key *key, view_row *row,
    const view_row *old, enum annex_view_kind kind)
{
	int r;

	if ((r = self_next_revision(inst, row->me, &row->revision)) < 0)
		return r;
	if ((r = contact_must(inst, annex_put(inst->store, key, &row->base))) < 0)
		return r;
	contact_must(inst, avatar_use(inst, row->avatar));
	if (old != NULL)
		contact_must(inst, avatar_release(inst, old->avatar));
	if (row->until_ms != 0)
		contact_must(inst, view_alarm_set(inst, row, kind));
	else if (old != NULL && old->until_ms != 0)
		contact_must(inst, view_alarm_clear(inst, row, kind));
	return contact_must(inst, view_changed(inst, row, kind));
}

/* Which resource of which of our addresses: in scratch, or NULL. */
static const struct annex_jid *
place_of(struct annex_instance *inst, const char *me)
{
	const struct annex_jid *jid = annex_jid(inst->scratch, me);

	return jid != NULL && jid->resource != NULL && strcmp(jid->domain, inst->jid->domain) == 0
	    ? jid
	    : NULL;
}

int
annex_view_set(struct annex_instance *inst, const char *me, enum annex_view_kind kind,
    const char *whose, const struct annex_view *view)
{
	const struct annex_jid *place = place_of(inst, me);
	view_row row = ANNEX__SERVICE__VIEW__INIT, *old = NULL;
	struct annex_key key;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (place == NULL || (view != NULL && !is_sound(view)) ||
	    (kind == ANNEX_VIEW_DEFAULT) != (whose == NULL))
		return ANNEX_EINVAL;
	key = key_of(place->bare, kind, whose, place->resource);
	if ((r = view_load(inst, &key, &old)) < 0 && r != ANNEX_ENOENT)
		return r;
	if (view == NULL)
		return old == NULL ? ANNEX_OK : view_delete(inst, &key, old, kind);
	row.me = (char *)(uintptr_t)place->bare;
	row.whose = whose != NULL ? (char *)(uintptr_t)whose : (char *)"";
	row.resource = (char *)(uintptr_t)place->resource;
	view_write(inst, &row, view);
	if (!avatar_is_known(inst, row.avatar))
		return ANNEX_EINVAL;
	if (old != NULL && is_same(&row, old))
		return ANNEX_OK;
	return view_put(inst, &key, &row, old, kind);
}

void
view_expired(struct annex_instance *inst, const void *bytes, size_t len, int64_t due_ms)
{
	const char *text = bytes, *me = text + 1, *whose = me + strlen(me) + 1;
	const char *resource = whose + strlen(whose) + 1;
	enum annex_view_kind kind = (enum annex_view_kind)(text[0] - '0');
	struct annex_key key = key_of(me, kind, whose, resource);
	view_row *row;

	if (view_load(inst, &key, &row) == ANNEX_OK && row->until_ms <= annex_wall_ms(inst)) {
		row->until_ms = 0; /* the alarm is ringing: it is gone */
		contact_must(inst, view_delete(inst, &key, row, kind));
	}
}

/* Its contacts are told where there are some. */
static int
views_delete(struct annex_instance *inst, const struct annex_key *prefix)
{
	struct annex_iter it = annex_iter(prefix);
	int r;

	while ((r = annex_next(inst->store, &it)) == ANNEX_AGAIN) {
		enum annex_view_kind kind = (enum annex_view_kind)annex_key_number(&it.key, 1);
		int s = view_delete(inst, &it.key, (view_row *)it.record, kind);

		if (s < 0)
			return s;
	}
	return r;
}

int
views_forget(struct annex_instance *inst, const char *me, const char *jid)
{
	struct annex_key prefix = annex_key(&view_table);

	annex_key_text(&prefix, me);
	annex_key_u64(&prefix, ANNEX_VIEW_CONTACT);
	annex_key_text(&prefix, jid);
	return views_delete(inst, &prefix);
}

int
views_remove(struct annex_instance *inst, const char *me)
{
	struct annex_key prefix = annex_key(&view_table);

	annex_key_text(&prefix, me);
	return views_delete(inst, &prefix);
}

/* --- Reading -------------------------------------------------------------- */

static void
view_read(struct annex_instance *inst, const view_row *row, struct annex_view *view_r)
{
	struct annex_view_text *texts =
	    annex_new_array(inst->scratch, struct annex_view_text, row->n_text + 1);

	for (size_t i = 0; i < row->n_text; i++)
		texts[i] = (struct annex_view_text) {
			row->text[i]->lang[0] != '\0' ? row->text[i]->lang : NULL,
			row->text[i]->text,
		};
	*view_r = (struct annex_view) {
		.show = (enum annex_show)row->show,
		.priority = row->priority,
		.texts = texts,
		.text_count = row->n_text,
		.avatar = row->avatar[0] != '\0' ? row->avatar : NULL,
		.idle_ms = row->idle_ms,
		.until_ms = row->until_ms,
	};
}

int
annex_view_get(struct annex_instance *inst, const char *me, enum annex_view_kind kind,
    const char *whose, struct annex_view *view_r)
{
	const struct annex_jid *place = place_of(inst, me);
	struct annex_key key;
	view_row *row;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (place == NULL)
		return ANNEX_EINVAL;
	key = key_of(place->bare, kind, whose, place->resource);
	if ((r = view_load(inst, &key, &row)) == ANNEX_OK)
		view_read(inst, row, view_r);
	return r;
}

int
annex_view_for(
    struct annex_instance *inst, const char *me, const char *jid, struct annex_view *view_r)
{
	const struct annex_jid *place = place_of(inst, me);
	contact_row *contact;
	view_row *row;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (place == NULL)
		return ANNEX_EINVAL;
	if ((r = contact_load(inst, place->bare, jid, &contact)) < 0 && r != ANNEX_ENOENT)
		return r;
	if ((r = view_resolve(inst, place->bare, place->resource, contact, &row)) == ANNEX_OK)
		view_read(inst, row, view_r);
	return r;
}
