/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * show.c - showing contacts what is meant for them
 *
 * A contact's row says which revision of each resource's view it was sent
 * last; to show changes is to resolve the views again and send those that differ.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/caps.h>
#include <annex/datetime.h>
#include <annex/disco.h>
#include <annex/flow.h>

#include "base/alloc.h"
#include "base/check.h"
#include "contact.h"
#include "service.h"

/* A revision as it is kept: of the view, and above it of what disco says. */
#define IDENTITY_SHIFT 40

/* --- What all views of an address share ------------------------------------- */

static int
self_load(struct annex_instance *inst, const char *me, Annex__Service__Self **self_r)
{
	struct annex_key key = annex_key(&self_table);
	ProtobufCMessage *record;
	int r;

	annex_key_text(&key, me);
	if ((r = annex_get(inst->store, &key, &record)) == ANNEX_OK) {
		*self_r = (Annex__Service__Self *)record;
		return ANNEX_OK;
	}
	*self_r = annex_new(inst->scratch, Annex__Service__Self);
	annex__service__self__init(*self_r);
	return r == ANNEX_ENOENT ? ANNEX_OK : r;
}

static int
self_put(struct annex_instance *inst, const char *me, const Annex__Service__Self *self)
{
	struct annex_key key = annex_key(&self_table);

	annex_key_text(&key, me);
	return annex_put(inst->store, &key, &self->base);
}

/*
 * Once in the instance's life, or when the component says so, what disco tells is hashed anew: the
 * module may have been upgraded.
 */
static int
self_refresh(struct annex_instance *inst, const char *me, Annex__Service__Self *self)
{
	struct annex_map *fresh = inst->contacts->fresh;
	const char *caps;

	if (annex_map_get_str(fresh, me) != NULL)
		return ANNEX_OK;
	annex_map_set_str(fresh, me, inst);
	caps = disco_hash_of(inst, annex_jid(inst->scratch, me));
	if (strcmp(caps != NULL ? caps : "", self->caps) == 0)
		return ANNEX_OK;
	self->caps = annex_strdup(inst->scratch, caps != NULL ? caps : "");
	self->identity++;
	return self_put(inst, me, self);
}

int
self_next_revision(struct annex_instance *inst, const char *me, uint64_t *revision_r)
{
	Annex__Service__Self *self;
	int r;

	if ((r = self_load(inst, me, &self)) < 0)
		return r;
	*revision_r = ++self->revision;
	return self_put(inst, me, self);
}

/* --- Building ---------------------------------------------------------------- */

static const char *const shows[] = {
	[ANNEX_SHOW_ONLINE] = NULL,
	[ANNEX_SHOW_CHAT] = "chat",
	[ANNEX_SHOW_AWAY] = "away",
	[ANNEX_SHOW_XA] = "xa",
	[ANNEX_SHOW_DND] = "dnd",
	[ANNEX_SHOW_OFFLINE] = NULL,
};

enum annex_show
show_read(const char *text)
{
	if (text == NULL || text[0] == '\0')
		return ANNEX_SHOW_ONLINE;
	for (size_t i = 0; i < sizeof(shows) / sizeof(*shows); i++)
		if (shows[i] != NULL && strcmp(shows[i], text) == 0)
			return (enum annex_show)i;
	return ANNEX_SHOW_AWAY;
}

static void
add_texts(struct annex_element *el, const view_row *view)
{
	for (size_t i = 0; i < view->n_text; i++) {
		struct annex_element *status =
		    annex_add_text(el, NULL, "status", view->text[i]->text);

		if (view->text[i]->lang[0] != '\0')
			annex_attr_set_ns(status, ANNEX_NS_XML, "lang", view->text[i]->lang);
	}
}

/* An empty photo is "no picture"; without one it would be "not known yet" (XEP-0153 §4.1). */
static void
add_available(struct annex_instance *inst, struct annex_element *el, const view_row *view,
    const Annex__Service__Self *self)
{
	struct annex_element *x;

	annex_add_text(el, NULL, "show", shows[view->show]);
	add_texts(el, view);
	if (view->priority != 0)
		annex_text_appendf(annex_add(el, NULL, "priority"), "%d", view->priority);
	x = annex_add(el, NS_AVATAR_UPDATE, "x");
	annex_add_text(x, NULL, "photo", view->avatar);
	if (self->caps[0] != '\0')
		annex_caps_add(el, annex_sprintf(inst->scratch, "urn:annex:%s", inst->module->name),
		    self->caps);
	if (view->idle_ms != 0)
		annex_attr_set(annex_add(el, NS_IDLE, "idle"), "since",
		    annex_datetime(inst->scratch, view->idle_ms));
}

/* view NULL: offline. */
static void
send(struct annex_instance *inst, const contact_row *row, const char *to, const char *resource,
    const view_row *view, const Annex__Service__Self *self)
{
	bool is_there = view != NULL && view->show != ANNEX_SHOW_OFFLINE;
	const char *from =
	    resource == NULL ? row->me : annex_sprintf(inst->scratch, "%s/%s", row->me, resource);
	struct annex_stanza *out = annex_presence(inst, from, to, is_there ? NULL : "unavailable");

	if (is_there)
		add_available(inst, out->element, view, self);
	else if (view != NULL)
		add_texts(out->element, view);
	annex_send_on(inst, contacts_flow(inst), out);
}

static uint64_t
revision_of(const view_row *view, const Annex__Service__Self *self)
{
	if (view == NULL || view->show == ANNEX_SHOW_OFFLINE)
		return 0;
	return self->identity << IDENTITY_SHIFT | view->revision;
}

/* --- What was shown ------------------------------------------------------------ */

static uint64_t
shown_get(const contact_row *row, const char *resource)
{
	for (size_t i = 0; i < row->n_shown; i++)
		if (strcmp(row->shown[i]->resource, resource) == 0)
			return row->shown[i]->revision;
	return 0;
}

static void
shown_set(struct annex_instance *inst, contact_row *row, const char *resource, uint64_t revision)
{
	Annex__Service__Shown **more, *shown;

	for (size_t i = 0; i < row->n_shown; i++)
		if (strcmp(row->shown[i]->resource, resource) == 0) {
			row->shown[i]->revision = revision;
			return;
		}
	more = annex_new_array(inst->scratch, Annex__Service__Shown *, row->n_shown + 1);
	if (row->n_shown > 0)
		memcpy(more, row->shown, row->n_shown * sizeof(*more));
	shown = annex_new(inst->scratch, Annex__Service__Shown);
	annex__service__shown__init(shown);
	shown->resource = annex_strdup(inst->scratch, resource);
	shown->revision = revision;
	more[row->n_shown++] = shown;
	row->shown = more;
}

/* What is offline needs no place. */
static void
shown_prune(contact_row *row)
{
	size_t kept = 0;

	for (size_t i = 0; i < row->n_shown; i++)
		if (row->shown[i]->revision != 0)
			row->shown[kept++] = row->shown[i];
	row->n_shown = kept;
}

/* --- Showing --------------------------------------------------------------------- */

static int
ready(struct annex_instance *inst, const char *me, Annex__Service__Self **self_r)
{
	int r = self_load(inst, me, self_r);

	return r < 0 ? r : self_refresh(inst, me, *self_r);
}

int
show_all(struct annex_instance *inst, contact_row *row, const char *to)
{
	struct annex_iter it = view_resources(row->me);
	Annex__Service__Self *self;
	bool is_any = false;
	view_row *view;
	int r;

	if (!contacts_may_speak(inst))
		return ANNEX_OK;
	if ((r = ready(inst, row->me, &self)) < 0)
		return r;
	while ((r = annex_next(inst->store, &it)) == ANNEX_AGAIN) {
		const char *resource = ((view_row *)it.record)->resource;

		if ((r = view_resolve(inst, row->me, resource, row, &view)) < 0)
			return r;
		if (view->show == ANNEX_SHOW_OFFLINE)
			continue;
		is_any = true;
		send(inst, row, to, resource, view, self);
	}
	if (r < 0)
		return r;
	if (!is_any) /* RFC 6121 §4.3.2 */
		send(inst, row, to, NULL, NULL, self);
	if (to != row->jid)
		return ANNEX_OK;
	online_look(inst, row->me, row->jid);
	return show_note(inst, row);
}

int
show_note(struct annex_instance *inst, contact_row *row)
{
	struct annex_iter it = view_resources(row->me);
	Annex__Service__Self *self;
	view_row *view;
	int r;

	if ((r = ready(inst, row->me, &self)) < 0)
		return r;
	row->n_shown = 0;
	while ((r = annex_next(inst->store, &it)) == ANNEX_AGAIN) {
		const char *resource = ((view_row *)it.record)->resource;

		if ((r = view_resolve(inst, row->me, resource, row, &view)) < 0)
			return r;
		shown_set(inst, row, resource, revision_of(view, self));
	}
	shown_prune(row);
	row->batch = batch_use(inst);
	contact_put_soft(inst, row);
	return r;
}

/* What of it can be seen now; the rest waits for a probe, an interval, or a sign of life. */
static bool
is_to_be_shown(struct annex_instance *inst, const contact_row *row)
{
	return row->out == ANNEX_SUBSCRIBED && contacts_may_speak(inst) && !contact_is_stale(row) &&
	    !domain_is_down(inst, row->jid) &&
	    !(row->in == ANNEX_SUBSCRIBED &&
		annex_contact_availability(inst, row->me, row->jid) == ANNEX_OFFLINE);
}

/* Resources that are there; those it was shown are crossed off.  How many were sent, or negative. */
static int
show_resources(struct annex_instance *inst, contact_row *row, bool again,
    const Annex__Service__Self *self, bool *seen)
{
	struct annex_iter it = view_resources(row->me);
	size_t before = row->n_shown;
	int r, sent = 0;

	while ((r = annex_next(inst->store, &it)) == ANNEX_AGAIN) {
		const char *resource = ((view_row *)it.record)->resource;
		uint64_t revision;
		view_row *view;

		if ((r = view_resolve(inst, row->me, resource, row, &view)) < 0)
			return r;
		for (size_t i = 0; i < before; i++)
			if (strcmp(row->shown[i]->resource, resource) == 0)
				seen[i] = true;
		revision = revision_of(view, self);
		if (revision == shown_get(row, resource) && (!again || revision == 0))
			continue;
		shown_set(inst, row, resource, revision);
		send(inst, row, row->jid, resource, view, self);
		sent++;
	}
	return r < 0 ? r : sent;
}

int
show_changes(struct annex_instance *inst, contact_row *row, bool again, bool *shown_r)
{
	size_t before = row->n_shown;
	Annex__Service__Self *self;
	bool *seen;
	int r, sent;

	if (shown_r != NULL)
		*shown_r = false;
	if (!is_to_be_shown(inst, row) || (!again && recent_defers(inst, row)))
		return ANNEX_OK;
	if ((r = ready(inst, row->me, &self)) < 0)
		return r;
	seen = annex_new_array(inst->scratch, bool, before + 1);
	if ((sent = show_resources(inst, row, again, self, seen)) < 0)
		return sent;
	for (size_t i = 0; i < before; i++)
		if (!seen[i]) {
			send(inst, row, row->jid, row->shown[i]->resource, NULL, self);
			row->shown[i]->revision = 0;
			sent++;
		}
	online_look(inst, row->me, row->jid);
	if (sent == 0)
		return ANNEX_OK;
	shown_prune(row);
	row->batch = batch_use(inst);
	contact_put_soft(inst, row);
	recent_add(inst, row);
	if (shown_r != NULL)
		*shown_r = true;
	return ANNEX_OK;
}

void
show_end(struct annex_instance *inst, contact_row *row)
{
	for (size_t i = 0; i < row->n_shown; i++)
		send(inst, row, row->jid, row->shown[i]->resource, NULL, NULL);
	if (row->n_shown == 0)
		send(inst, row, row->jid, NULL, NULL, NULL);
	row->n_shown = 0;
}

void
annex_contacts_touch(struct annex_instance *inst, const char *me)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	annex_map_remove_str(inst->contacts->fresh, me);
	contact_must(inst, show_to_all(inst, me));
}
