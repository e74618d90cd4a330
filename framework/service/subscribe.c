/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * subscribe.c - both directions of a subscription, as we change them
 *
 * out, whether they may see us, and in, whether we may see them, never change
 * one because of the other (RFC 6121 §3): a user who refuses to be seen by a
 * bot may want to see it all the same.  Stanzas go between bare addresses.
 */
#include <string.h>

#include "base/check.h"
#include "contact.h"

/* Whom we may ask: not ourselves; an occupant of a room has no bare address. */
static bool
is_askable(const struct annex_instance *inst, const char *jid)
{
	const struct annex_jid *contact = annex_jid(inst->scratch, jid);

	return contact != NULL && contact->resource == NULL &&
	    strcmp(contact->domain, inst->jid->domain) != 0;
}

static int
contact_ask(struct annex_instance *inst, contact_row *row, const char *text)
{
	bool is_news = row->in == ANNEX_SUBSCRIBED_NOT;
	int r;

	if (row->in == ANNEX_SUBSCRIBED)
		return ANNEX_OK;
	row->in = ANNEX_SUBSCRIBED_PENDING;
	row->asked_ms = annex_wall_ms(inst);
	contact_will_say(inst, row, SAID_IN);
	if ((r = contact_put(inst, row)) < 0)
		return r;
	contact_say(inst, row, "subscribe", text);
	if (is_news)
		contact_tell(inst, row, ANNEX_CONTACT_IN);
	return ANNEX_OK;
}

int
contact_accept(struct annex_instance *inst, contact_row *row, bool asks_back)
{
	int r;

	row->out = ANNEX_SUBSCRIBED;
	row->gone_until_ms = 0;
	row->approved = false;
	contact_will_say(inst, row, SAID_OUT);
	if ((r = contact_put(inst, row)) < 0)
		return r;
	contact_say(inst, row, "subscribed", NULL);
	contact_must(inst, show_all(inst, row, row->jid));
	contact_tell(inst, row, ANNEX_CONTACT_OUT);
	if (asks_back && row->in == ANNEX_SUBSCRIBED_NOT && row->asked_ms == 0)
		contact_must(inst, contact_ask(inst, row, NULL));
	return ANNEX_OK;
}

int
contact_unask(struct annex_instance *inst, contact_row *row)
{
	bool is_news = row->in != ANNEX_SUBSCRIBED_NOT;
	int r;

	row->in = ANNEX_SUBSCRIBED_NOT;
	contact_will_say(inst, row, SAID_IN);
	if ((r = contact_put(inst, row)) < 0)
		return r;
	contact_say(inst, row, "unsubscribe", NULL);
	online_forget(inst, row->me, row->jid);
	if (is_news)
		contact_tell(inst, row, ANNEX_CONTACT_IN);
	return ANNEX_OK;
}

/* The order of RFC 6121 §3.3.3: first gone, then not subscribed. */
int
contact_dismiss(struct annex_instance *inst, contact_row *row)
{
	bool was_shown = row->out == ANNEX_SUBSCRIBED;
	bool is_news = row->out != ANNEX_SUBSCRIBED_NOT;
	int r;

	row->out = ANNEX_SUBSCRIBED_NOT;
	if (row->in == ANNEX_SUBSCRIBED_NOT)
		row->asked_ms = 0; /* whoever comes back is new, and asked again */
	row->approved = false;
	row->preauth = row->text = (char *)"";
	row->n_group = 0;
	row->gone_until_ms = annex_wall_ms(inst) + inst->contacts->set.tombstone_ms;
	contact_will_say(inst, row, SAID_OUT);
	if (was_shown)
		show_end(inst, row);
	if ((r = contact_put(inst, row)) < 0)
		return r;
	contact_must(inst, views_forget(inst, row->me, row->jid));
	contact_say(inst, row, "unsubscribed", NULL);
	if (is_news)
		contact_tell(inst, row, ANNEX_CONTACT_OUT);
	return ANNEX_OK;
}

int
contact_lose(struct annex_instance *inst, contact_row *row)
{
	int r;

	row->in = ANNEX_SUBSCRIBED_NOT;
	if (row->out == ANNEX_SUBSCRIBED_NOT)
		row->asked_ms = 0;
	if ((r = contact_put(inst, row)) < 0)
		return r;
	online_forget(inst, row->me, row->jid);
	contact_tell(inst, row, ANNEX_CONTACT_IN);
	return ANNEX_OK;
}

int
contact_join(struct annex_instance *inst, contact_row *row)
{
	int r;

	row->out = row->in = ANNEX_SUBSCRIBED;
	row->gone_until_ms = 0;
	row->approved = false;
	if ((r = contact_put(inst, row)) < 0 || (r = show_all(inst, row, row->jid)) < 0)
		return r;
	contact_tell(inst, row, ANNEX_CONTACT_OUT);
	contact_tell(inst, row, ANNEX_CONTACT_IN);
	contact_say(inst, row, "probe", NULL);
	return ANNEX_OK;
}

/* --- What a component may do --------------------------------------------- */

/* The row of somebody who can be asked; a blank one where there is none. */
static int
load(struct annex_instance *inst, const char *me, const char *jid, contact_row **row_r)
{
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (!is_askable(inst, jid))
		return ANNEX_EINVAL;
	r = contact_load(inst, me, jid, row_r);
	return r == ANNEX_ENOENT ? ANNEX_OK : r;
}

int
annex_contact_ask(struct annex_instance *inst, const char *me, const char *jid, const char *text)
{
	contact_row *row;
	int r = load(inst, me, jid, &row);

	return r < 0 ? r : contact_ask(inst, row, text);
}

int
annex_contact_unask(struct annex_instance *inst, const char *me, const char *jid)
{
	contact_row *row;
	int r = load(inst, me, jid, &row);

	return r < 0 ? r : contact_unask(inst, row);
}

int
annex_contact_allow(struct annex_instance *inst, const char *me, const char *jid)
{
	contact_row *row;
	int r;

	if ((r = load(inst, me, jid, &row)) < 0)
		return r;
	if (row->out != ANNEX_SUBSCRIBED_NOT)
		return contact_accept(inst, row, false);
	row->approved = true;
	row->gone_until_ms = 0;
	return contact_put(inst, row);
}

int
annex_contact_deny(struct annex_instance *inst, const char *me, const char *jid)
{
	contact_row *row;
	int r = load(inst, me, jid, &row);

	return r < 0 ? r : contact_dismiss(inst, row);
}
