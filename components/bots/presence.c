/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * presence.c - who may have a bot as a contact, and what its program learns of them
 *
 * The framework keeps subscriptions (annex/contacts.h); here is what a bot
 * makes of them.  The policy decides who is let in.
 */
#include <sodium.h>
#include <string.h>

#include "action.h"

/* --- Who may ----------------------------------------------------------------- */

enum policy { POLICY_OPEN, POLICY_LOCAL, POLICY_APPROVE, POLICY_PREAUTH, POLICY_CLOSED };

static enum policy
policy_of(const struct bot *bot)
{
	size_t i = 0;

	while (strcmp(bot_policies[i], bot->set->policy) != 0)
		i++;
	return (enum policy)i;
}

static bool
has_token(const struct bot *bot, const char *token)
{
	size_t len = token == NULL ? 0 : strlen(token);
	bool found = false;

	for (size_t i = 0; token != NULL && i < bot->set->tokens.count; i++) {
		const char *known = bot->set->tokens.value[i];

		found |= strlen(known) == len && sodium_memcmp(known, token, len) == 0;
	}
	return found;
}

static enum annex_decision
decide_by_policy(const struct bot *bot, const struct annex_request *q)
{
	struct annex_instance *inst = bot->bots->inst;

	if (annex_is_admin(inst, q->from))
		return ANNEX_ACCEPT;
	if (bot_bans(bot, q->from->bare)) {
		annex_count(bot->bots->banned, 1);
		return ANNEX_REFUSE;
	}
	if (has_token(bot, q->preauth))
		return ANNEX_ACCEPT;
	switch (policy_of(bot)) {
	case POLICY_OPEN:
		return ANNEX_ACCEPT;
	case POLICY_LOCAL:
		return annex_is_local(inst, q->from) ? ANNEX_ACCEPT : ANNEX_REFUSE;
	case POLICY_APPROVE:
		return ANNEX_LATER;
	default:
		return ANNEX_REFUSE;
	}
}

static enum annex_decision
decide(struct annex_instance *inst, const struct annex_request *q)
{
	const struct bot *bot =
	    q->me->local == NULL ? NULL : bot_find(annex_state(inst), q->me->local);

	if (bot == NULL) /* nobody learns which bots there are: as a closed one */
		return q->wish == ANNEX_WISH_DIRECTED ? ANNEX_IGNORE : ANNEX_REFUSE;
	return decide_by_policy(bot, q);
}

bool
bot_admits(const struct bot *bot, const struct annex_jid *who)
{
	struct annex_contact contact;
	const struct annex_request q = { .from = who };

	if (decide_by_policy(bot, &q) == ANNEX_ACCEPT)
		return true;
	return annex_contact_get(bot->bots->inst, bot->jid, who->bare, &contact) >= 0 &&
	    contact.out == ANNEX_SUBSCRIBED;
}

/* --- Who can be reached (RFC 6121 §2.1.2.5) ------------------------------------------ */

const char *const bot_reaches[] = { "stranger", "known", "subscribed", NULL };

/* Whoever may see the other has them in the roster, and so has whoever lets the other see them. */
enum reach
bot_reach(const struct bot *bot, const char *contact)
{
	struct annex_instance *inst = bot->bots->inst;
	const struct annex_resource *all;
	struct annex_contact c;
	bool known = annex_contact_get(inst, bot->jid, contact, &c) >= 0;

	if (known && (c.out == ANNEX_SUBSCRIBED || c.in == ANNEX_SUBSCRIBED))
		return REACH_SUBSCRIBED;
	return known || annex_contact_resources(inst, bot->jid, contact, &all) > 0 ? REACH_KNOWN
										   : REACH_STRANGER;
}

/* --- What a program learns ----------------------------------------------------------- */

/* Whether a resource has come just now, and there is no other; as far as is known since the connection. */
static bool
is_first(const struct bot *bot, const char *contact, const struct annex_resource *resource)
{
	struct annex_instance *inst = bot->bots->inst;
	const struct annex_resource *all;

	return annex_contact_resources(inst, bot->jid, contact, &all) == 1 &&
	    resource->since_ms == annex_wall_ms(inst);
}

static void
write_resource(struct event *ev, struct text *t, const struct annex_resource *resource)
{
	text_member(t, "show", bot_shows[resource->show]);
	text_member(t, "status", resource->status);
	ev->is_first = lane_replaces_first(ev) || is_first(ev->bot, ev->bare, resource);
	if (ev->is_first)
		text_truth(t, "first", true);
	if (resource->idle_ms > 0)
		text_member(t, "idle_since", annex_datetime(ev->pool, resource->idle_ms));
}

static int
contact_event(struct bot *bot, const char *contact, const char *what, bool is_state,
    const struct annex_resource *resource, const char *preauth)
{
	struct annex_instance *inst = bot->bots->inst;
	struct annex_pool *pool = annex_scratch(inst);
	const struct annex_jid *who = annex_jid(pool, resource != NULL ? resource->jid : contact);
	struct event *ev;
	struct text t;
	int r;

	if (who == NULL || !bot_wants(bot, "contact"))
		return ANNEX_OK;
	if ((r = event_make(bot, "contact", who, &ev)) < 0)
		return bots_must(bot->bots, r);
	ev->is_state = is_state;
	t = event_begin(ev);
	text_member(&t, "event", what);
	if (resource != NULL)
		write_resource(ev, &t, resource);
	text_member(&t, "preauth", preauth);
	event_end(ev, &t);
	return event_offer(ev);
}

/* Whoever may see a bot is asked once whether it may see them, too. */
static void
out_changed(struct bot *bot, const struct annex_contact *c)
{
	if (c->out == ANNEX_SUBSCRIBED && c->in == ANNEX_SUBSCRIBED_NOT && c->asked_ms == 0)
		bots_must(
		    bot->bots, annex_contact_ask(bot->bots->inst, bot->jid, c->jid, bot_name(bot)));
	if (c->out == ANNEX_SUBSCRIBED_NOT)
		held_drop(bot, c->jid);
	contact_event(bot, c->jid,
	    c->out == ANNEX_SUBSCRIBED               ? "subscribed"
		: c->out == ANNEX_SUBSCRIBED_PENDING ? "asks"
						     : "unsubscribed",
	    false, NULL, c->preauth);
}

static void
changed(struct annex_instance *inst, const char *me, const char *contact,
    enum annex_contact_event event)
{
	const struct annex_jid *jid = annex_jid(annex_scratch(inst), me);
	struct bot *bot =
	    jid == NULL || jid->local == NULL ? NULL : bot_find(annex_state(inst), jid->local);
	const struct annex_resource *best;
	struct annex_contact c = { .jid = contact };

	if (bot == NULL)
		return;
	if (event == ANNEX_CONTACT_OUT) {
		if (annex_contact_get(inst, me, contact, &c) == ANNEX_ESTORE)
			return;
		out_changed(bot, &c);
	} else if (event == ANNEX_CONTACT_PRESENCE) {
		best = annex_contact_best(inst, me, contact);
		contact_event(bot, contact, best != NULL ? "online" : "offline", true, best, NULL);
		held_look(bot, contact);
	}
}

void
add_who(struct text *t, const struct bot *bot, const struct annex_jid *from, const char *lang)
{
	struct annex_instance *inst = bot->bots->inst;
	struct annex_contact c;

	text_name(t, "who");
	text_open(t);
	text_member(t, "jid", from->bare);
	if (annex_contact_get(inst, bot->jid, from->bare, &c) >= 0) {
		text_member(t, "sub",
		    c.out == ANNEX_SUBSCRIBED      ? c.in == ANNEX_SUBSCRIBED ? "both" : "from"
			: c.in == ANNEX_SUBSCRIBED ? "to"
						   : "none");
		text_truth(t, "online",
		    annex_contact_availability(inst, bot->jid, from->bare) == ANNEX_ONLINE);
		text_strings(t, "groups", c.groups);
	}
	if (rooms_speaker(bot, from->full, from->bare) == from->bare)
		text_member(t, "reach", bot_reaches[bot_reach(bot, from->bare)]);
	text_member(t, "lang", lang);
	text_close(t);
}

/* --- Who it is (XEP-0054) ------------------------------------------------------------------ */

static int
vcard(struct annex_instance *inst, const struct annex_stanza *in, struct annex_element *el)
{
	const struct bot *bot =
	    in->to->local == NULL ? NULL : bot_find(annex_state(inst), in->to->local);

	if (bot == NULL || !bot_admits(bot, in->from))
		return ANNEX_ENOENT;
	annex_add_text(el, NULL, "FN", bot_name(bot));
	annex_add_text(el, NULL, "JABBERID", bot->jid);
	if (*bot->set->about != '\0')
		annex_add_text(el, NULL, "DESC", bot->set->about);
	return ANNEX_OK;
}

const struct annex_contacts bots_contacts = {
	.decide = decide,
	.changed = changed,
	.vcard = vcard,
};
