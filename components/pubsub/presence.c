/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * presence.c - who is online, where a node or a subscription asks for it
 * (XEP-0060 §12.5, §12.6, §12.19)
 *
 * The service asks to see the presence of a subscriber only where something depends
 * on it: delivery to those who are online, or a subscription that ends with
 * their presence; the latter not where the server tells who leaves (XEP-0356), as it may
 * not tell who is there already.  Of whom it does not know it supposes that they are there.
 * Presence that is sent to the service itself counts as well.
 */
#include <string.h>

#include <annex/contacts.h>
#include <annex/roster.h>

#include "pubsub.h"

/* Subscriptions of one user that are looked at in a turn. */
#define FOLLOWED_A_TURN 100
#define FOLLOWED_MAX 1000

static bool
is_temporary(const struct sub *sub)
{
	return sub->node->config.tempsub || strcmp(sub->options.expire, "presence") == 0;
}

/* The server tells us who leaves. */
static bool
is_watched(const struct pubsub *p, const char *bare)
{
	const struct annex_jid *jid = annex_jid(annex_scratch(p->inst), bare);

	return jid != NULL &&
	    (annex_privileges(p->inst, jid->domain) & ANNEX_MAY_SEE_PRESENCE) != 0;
}

static bool
needs_presence(const struct sub *sub)
{
	return sub->node->config.presence_based || sub->options.show_values.count > 0 ||
	    (is_temporary(sub) && !is_watched(sub->node->p, sub->bare));
}

static int
ask(struct annex_instance *inst, const char *bare, const char *why)
{
	struct annex_contact contact;
	int r = annex_contact_get(inst, annex_domain(inst), bare, &contact);

	if (r == ANNEX_OK && contact.in != ANNEX_SUBSCRIBED_NOT)
		return ANNEX_OK;
	r = annex_contact_ask(inst, annex_domain(inst), bare, why);
	return r == ANNEX_EINVAL ? ANNEX_OK : r;
}

int
presence_ask(const struct sub *sub)
{
	if (!needs_presence(sub))
		return ANNEX_OK;
	return ask(sub->node->p->inst, sub->bare,
	    "To deliver what you are subscribed to while you are online.");
}

/* purge_offline: items are there as long as who published them. */
int
presence_note_publisher(const struct node *node, const char *bare)
{
	struct annex_key key = key_text(TABLE_LEAVING, bare);
	Pubsub__Posting record = PUBSUB__POSTING__INIT;
	int r;

	if (!node->config.purge_offline)
		return ANNEX_OK;
	annex_key_u64(&key, node->number);
	if (!annex_has(node->p->store, &key) &&
	    (r = annex_put(node->p->store, &key, &record.base)) < 0)
		return r;
	if (is_watched(node->p, bare))
		return ANNEX_OK;
	return ask(node->p->inst, bare, "To remove what you published when you go offline.");
}

/* Whether it is known that nobody is there. */
bool
presence_is_offline(const struct pubsub *p, const char *bare)
{
	const char *me = annex_domain(p->inst);
	struct annex_contact contact;

	return annex_contact_get(p->inst, me, bare, &contact) == ANNEX_OK &&
	    contact.in == ANNEX_SUBSCRIBED &&
	    annex_contact_availability(p->inst, me, bare) == ANNEX_OFFLINE;
}

/* show-values (§16.4.2): while they are one of these. */
bool
presence_suits(const struct pubsub *p, const struct sub *sub)
{
	static const char *const shows[] = { "online", "chat", "away", "xa", "dnd" };
	const struct annex_resource *best;

	if (sub->options.show_values.count == 0)
		return true;
	best = annex_contact_best(p->inst, annex_domain(p->inst), sub->bare);
	if (best == NULL)
		return !presence_is_offline(p, sub->bare);
	return best->show < ANNEX_SHOW_OFFLINE &&
	    annex_strings_have(&sub->options.show_values, shows[best->show]);
}

/* --- Somebody came or went ------------------------------------------------------------- */

struct arrival {
	const struct annex_resource *resources;
	size_t count;
	const char *leaving; /* of the resources, or NULL */
	int64_t since_ms;    /* who came then or later has just come */
};

static bool
counts(const struct arrival *a, size_t i)
{
	return a->leaving == NULL || strcmp(a->resources[i].jid, a->leaving) != 0;
}

static bool
is_there(const struct arrival *a, const char *jid)
{
	for (size_t i = 0; i < a->count; i++)
		if (counts(a, i) && strcmp(a->resources[i].jid, jid) == 0)
			return true;
	return false;
}

static bool
is_anybody_there(const struct arrival *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (counts(a, i))
			return true;
	return false;
}

/* Once for each resource, as it comes (§6.1.7, on_sub_and_presence). */
static bool
has_just_come(const struct arrival *a, const struct sub *sub)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->resources[i].since_ms >= a->since_ms &&
		    (strcmp(sub->jid, sub->bare) == 0 ||
			strcmp(sub->jid, a->resources[i].jid) == 0))
			return true;
	return false;
}

static void
follow(const struct arrival *a, struct sub *sub)
{
	struct pubsub *p = sub->node->p;
	bool gone =
	    strcmp(sub->jid, sub->bare) == 0 ? !is_anybody_there(a) : !is_there(a, sub->jid);

	if (is_temporary(sub) && gone)
		must(p, sub_drop(sub));
	else if (a->leaving == NULL && has_just_come(a, sub) &&
	    strcmp(sub->node->config.send_last, "on_sub_and_presence") == 0)
		send_last(sub);
}

static struct arrival
arrival_of(struct pubsub *p, const char *contact, const char *leaving, int64_t since_ms)
{
	struct arrival a = { .leaving = leaving, .since_ms = since_ms };

	a.count = annex_contact_resources(p->inst, annex_domain(p->inst), contact, &a.resources);
	if (a.count == 0)
		a.count = annex_account_resources(p->inst, contact, &a.resources);
	return a;
}

/* A place in the list of all that somebody is subscribed to. */
struct stop {
	uint64_t node, number;
};

/* At most so many subscriptions, from a place on; true: there are more, from what is the place now. */
static bool
follow_some(
    struct pubsub *p, const struct arrival *a, const char *contact, struct stop *at, size_t limit)
{
	struct annex_key prefix = key_text(TABLE_SUBSCRIBERS, contact), from = prefix, row;
	struct annex_iter it;
	ProtobufCMessage *record;
	struct node *node;
	struct sub sub;

	annex_key_u64(&from, at->node);
	annex_key_u64(&from, at->number);
	it = annex_iter_from(&prefix, &from);
	for (size_t n = 0; annex_next(p->store, &it) == ANNEX_AGAIN; n++) {
		*at = (struct stop) { annex_key_number(&it.key, 1), annex_key_number(&it.key, 2) };
		if (n == limit)
			return true;
		row = key_numbers(TABLE_SUBSCRIPTIONS, at->node, at->number);
		if ((node = node_by_number(p, at->node)) == NULL ||
		    annex_get(p->store, &row, &record) < 0)
			continue;
		sub = sub_of_record(node, at->number, (Pubsub__Subscription *)record);
		follow(a, &sub);
	}
	return false;
}

/*
 * Of who has more than a turn should look at a job sees to all.  A row says that one waits,
 * of those who came and of those who went: however often that happens before it begins, it is
 * done once.
 */
struct arriving {
	int64_t since_ms;
	struct stop at;
	bool nobody; /* nobody was there */
	bool begun;
	char bare[JID_MAX + 1];
};

static int
arrival_start(struct pubsub *p, const char *bare, bool nobody)
{
	struct arriving s = { .since_ms = nobody ? INT64_MAX : annex_wall_ms(p->inst),
		.nobody = nobody };
	struct annex_key key = key_text(TABLE_ARRIVALS, bare);
	Pubsub__Posting record = PUBSUB__POSTING__INIT;
	int r;

	if (annex_has(p->store, annex_key_u64(&key, nobody)))
		return ANNEX_OK;
	strcpy(s.bare, bare);
	if ((r = annex_put(p->store, &key, &record.base)) < 0)
		return r;
	return annex_job_start(p->inst, "arrival", &s, sizeof(s));
}

static size_t
followed_a_turn(const struct pubsub *p)
{
	return p->set->subscribers_per_turn < FOLLOWED_A_TURN ? (size_t)p->set->subscribers_per_turn
							      : FOLLOWED_A_TURN;
}

int
arrival_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct pubsub *p = annex_state(inst);
	struct annex_key key;
	struct arriving s;
	struct arrival a;

	(void)limit;
	memcpy(&s, state->bytes, sizeof(s));
	key = key_text(TABLE_ARRIVALS, s.bare);
	if (!s.begun)
		annex_delete(p->store, annex_key_u64(&key, s.nobody));
	s.begun = true;
	a = arrival_of(p, s.bare, NULL, s.since_ms);
	/* They have left, which has a job of its own, or it is not known any more. */
	if (!s.nobody && !is_anybody_there(&a))
		return ANNEX_OK;
	if (!follow_some(p, &a, s.bare, &s.at, followed_a_turn(p)))
		return ANNEX_OK;
	memcpy(state->bytes, &s, sizeof(s));
	return ANNEX_AGAIN;
}

/* Everything that depends on who of them is there; leaving: a resource that is there no more. */
static void
reconsider(struct pubsub *p, const char *contact, const char *leaving)
{
	struct arrival a = arrival_of(p, contact, leaving, annex_wall_ms(p->inst));
	struct annex_key prefix = key_text(TABLE_SUBSCRIBERS, contact);
	bool nobody = !is_anybody_there(&a);
	struct stop first = { 0, 0 };

	if (nobody)
		must(p, leave_start(p, contact));
	if (strlen(contact) <= JID_MAX && rows_reach(p, &prefix, followed_a_turn(p) + 1))
		must(p, arrival_start(p, contact, nobody));
	else
		follow_some(p, &a, contact, &first, FOLLOWED_MAX);
}

static void
changed(struct annex_instance *inst, const char *me, const char *contact,
    enum annex_contact_event event)
{
	(void)me;
	if (event == ANNEX_CONTACT_PRESENCE)
		reconsider(annex_state(inst), contact, NULL);
}

/* Who is online is memory: that somebody goes counts also where it is not known that they were
 * there.  The contacts hear of it next. */
enum annex_verdict
presence(struct annex_instance *inst, const struct annex_stanza *in)
{
	if (in->type != NULL && strcmp(in->type, "unavailable") == 0)
		reconsider(annex_state(inst), in->from->bare, in->from->full);
	return ANNEX_PASS;
}

static enum annex_decision
decide(struct annex_instance *inst, const struct annex_request *request)
{
	(void)inst;
	return request->me->local == NULL ? ANNEX_ACCEPT : ANNEX_IGNORE;
}

const struct annex_contacts pubsub_contacts = {
	.decide = decide,
	.changed = changed,
	.pushed = roster_pushed,
};
