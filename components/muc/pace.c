/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pace.c - how often somebody says or shows something (XEP-0045 §16.6.6)
 *
 * Messages beyond the rate are refused.  Changes of presence beyond it wait,
 * and only the last of them is shown: so a client that flaps is no storm for a thousand others.
 * So it is with every change while the output is above its high-water mark.
 * What waits is not in the store either.  That is for changes of somebody who is in and stays what they are: who
 * enters, leaves, or gets another nickname or role is shown at once, with what waited.
 */
#include "presence.h"

#define BUSY_MS 1000

static struct pace *
pace_of(struct occupant *o)
{
	if (o->pace == NULL)
		o->pace = annex_new(o->room->pool, struct pace);
	return o->pace;
}

bool
pace_message(struct occupant *o)
{
	const struct muc_settings *set = o->room->muc->set;

	return set->message_rate == 0 ||
	    annex_bucket_take(&pace_of(o)->messages, (double)set->message_rate,
		(double)set->message_burst, 1, annex_now_ms(o->room->muc->inst));
}

bool
pace_presence(struct occupant *o)
{
	const struct muc_settings *set = o->room->muc->set;

	if (annex_is_congested(o->room->muc->inst))
		return false;
	return set->presence_interval_ms == 0 ||
	    annex_bucket_take(&pace_of(o)->presences, 1000.0 / (double)set->presence_interval_ms,
		(double)set->presence_burst, 1, annex_now_ms(o->room->muc->inst));
}

bool
pace_request(struct occupant *o)
{
	const struct muc_settings *set = o->room->muc->set;

	return set->voice_interval_ms == 0 ||
	    annex_bucket_take(&pace_of(o)->requests, 1000.0 / (double)set->voice_interval_ms, 1, 1,
		annex_now_ms(o->room->muc->inst));
}

/*
 * Rooms are no means to write to strangers (§7.8.2 and §9.9 do not say how often).  Who has used up what
 * they have keeps to that over a reload that changes something else.
 */
void
pace_reload(struct muc *m)
{
	int64_t hourly = m->set->invitations;

	if (hourly == m->inviting_hourly)
		return;
	annex_pool_destroy(&m->inviting_pool);
	m->inviting = NULL;
	m->inviting_hourly = hourly;
	if (hourly == 0)
		return;
	m->inviting_pool = annex_pool_create(annex_pool(m->inst), "invitations");
	m->inviting =
	    annex_buckets_create(m->inviting_pool, (double)hourly / 3600, (double)hourly, 1000);
}

bool
pace_invitations(struct muc *m, const struct annex_jid *by, size_t count)
{
	return m->inviting == NULL ||
	    annex_buckets_take(m->inviting, by->bare, (double)count, annex_now_ms(m->inst));
}

/* Without an interval they wait only while the output does. */
static void
release_later(struct muc *m)
{
	int64_t after = m->set->presence_interval_ms;

	annex_timer_start(m->pace, after > 0 ? after : BUSY_MS);
}

void
presence_hold(struct occupant *o)
{
	struct muc *m = o->room->muc;

	annex_list_remove(&o->held);
	annex_list_append(&m->held, &o->held);
	if (!annex_timer_is_running(m->pace))
		release_later(m);
}

static void
show(struct occupant *o)
{
	const struct notice plain = { 0 };

	annex_list_remove(&o->held);
	SESSIONS_EACH(o, s)
	session_keep(s);
	presence_to_all(o, &plain);
}

void
presence_release(struct room *room)
{
	OCCUPANTS_EACH(room, o)
	if (!annex_list_is_empty(&o->held))
		show(o);
}

static void
pace_due(struct annex_instance *inst, void *cookie)
{
	struct muc *m = cookie;

	(void)inst;
	ANNEX_LIST_EACH (&m->held, l) {
		struct occupant *o = annex_container_of(l, struct occupant, held);

		if (pace_presence(o))
			show(o);
	}
	if (!annex_list_is_empty(&m->held))
		release_later(m);
}

void
pace_init(struct muc *m)
{
	annex_list_init(&m->held);
	m->pace = annex_timer(m->inst, pace_due, m);
	pace_reload(m);
}
