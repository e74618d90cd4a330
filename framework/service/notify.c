/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * notify.c - pictures pushed to the clients that want them (XEP-0084 §3.3, XEP-0163 §4.2)
 *
 * A resource is looked at when it has said something of itself, and when its
 * contact may be shown something else: what is served to the contact now is
 * pushed where its client wants it and was not pushed that before.  One may be
 * in line once, however often it is to be looked at, and a turn takes so many.
 *
 * Memory alone, as what is known of the resource.  Those looked at in a turn that
 * is undone are looked at again, and who comes back with another connection is new.
 */
#include <string.h>

#include <annex/flow.h>

#include "contact.h"

#define NS_EVENT "http://jabber.org/protocol/pubsub#event"
#define LOOKS_A_TURN 100

/* "": none. */
static int
push(struct annex_instance *inst, const struct place *p, const char *sha1)
{
	struct annex_stanza *out = annex_message(inst, p->me, p->is.jid, "headline");
	struct annex_element *items, *item;
	struct annex_avatar avatar;
	int r;

	if (*sha1 != '\0' && (r = annex_avatar_get(inst, sha1, &avatar)) < 0)
		return r;
	items = annex_add(annex_add(out->element, NS_EVENT, "event"), NULL, "items");
	annex_attr_set(items, "node", NODE_METADATA);
	item = annex_add(items, NULL, "item");
	annex_attr_set(item, "id", *sha1 != '\0' ? sha1 : "current");
	avatar_describe(item, *sha1 != '\0' ? &avatar : NULL);
	annex_send_on(inst, contacts_flow(inst), out);
	return ANNEX_OK;
}

/* What its client can is asked only where there is something to push. */
static void
look(struct annex_instance *inst, struct place *p)
{
	const struct annex_jid *to = annex_jid(inst->scratch, p->is.jid);
	contact_row *row;
	view_row *view;
	uint32_t can;

	if (!contacts_may_speak(inst) || p->epoch != inst->contacts->epoch ||
	    contact_load(inst, p->me, to->bare, &row) < 0 || row->out != ANNEX_SUBSCRIBED ||
	    view_served(inst, NULL, row, &view) < 0 || view->show == ANNEX_SHOW_OFFLINE ||
	    strcmp(view->avatar, p->pushed) == 0)
		return;
	if (capable_of(inst, p, &can) == ANNEX_OK && (can & CAPABLE_AVATAR) != 0 &&
	    push(inst, p, view->avatar) == ANNEX_OK)
		strcpy(p->pushed, view->avatar);
}

static void
looks_ring(struct timer *timer)
{
	struct contacts *c = annex_container_of(timer, struct contacts, look_timer);
	struct annex_instance *inst = c->inst;

	if (!instance_enter(inst)) { /* this turn is undone: in the next */
		timer_start(inst->timers, timer, 1, looks_ring);
		return;
	}
	for (unsigned n = 0; n < LOOKS_A_TURN && !annex_list_is_empty(&c->looks); n++) {
		struct place *p = annex_container_of(c->looks.next, struct place, look);

		annex_list_remove(&p->look);
		annex_list_remove(&p->looked);
		annex_list_append(&c->looked, &p->looked);
		look(inst, p);
	}
	notify_wake(inst);
	instance_leave(inst);
}

void
notify_wake(struct annex_instance *inst)
{
	struct contacts *c = inst->contacts;

	if (!annex_list_is_empty(&c->looks) && !timer_is_running(&c->look_timer))
		timer_start(inst->timers, &c->look_timer, 0, looks_ring);
}

void
notify_look(struct annex_instance *inst, struct place *p)
{
	struct contacts *c = inst->contacts;

	if (p->is.caps == NULL || p->me[0] == '\0') /* an account whose server shows it us */
		return;
	annex_list_remove(&p->look);
	annex_list_append(&c->looks, &p->look);
	notify_wake(inst);
}

void
notify_inherit(struct place *p, struct place *old)
{
	bool is_same =
	    old->is.caps != NULL && p->is.caps != NULL && strcmp(old->is.caps, p->is.caps) == 0;

	p->asked = is_same ? old->asked : 0;
	if (!annex_list_is_empty(&old->looked))
		annex_list_append(&old->looked, &p->looked);
	if (p->epoch == old->epoch)
		memcpy(p->pushed, old->pushed, sizeof(p->pushed));
}

void
notify_settle(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->contacts->looked, l)
		annex_list_remove(l);
}

void
notify_doubt(struct annex_instance *inst)
{
	struct contacts *c = inst->contacts;

	ANNEX_LIST_EACH (&c->looked, l) {
		struct place *p = annex_container_of(l, struct place, looked);

		p->pushed[0] = '\0';
		annex_list_remove(l);
		notify_look(inst, p);
	}
	capable_doubt(inst);
	notify_wake(inst);
}

void
notify_finish(struct annex_instance *inst)
{
	timer_stop(inst->timers, &inst->contacts->look_timer);
	capable_finish(inst);
}
