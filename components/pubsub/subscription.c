/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * subscription.c - who is subscribed to what, and how
 *
 * A subscription has a number within its node, and stands in an index by bare
 * JID: so the subscribers of a node are a run of rows, and so are the subscriptions
 * of somebody.  A bare and a full JID are two subscriptions (XEP-0060 §4.2).
 */
#include <string.h>

#include "pubsub.h"

#define WAITING_MAX 1000 /* of a digest that will not be sent; there are fewer (expire.c) */

static const char *const states[] = { "none", "pending", "unconfigured", "subscribed" };

const char *
state_name(enum state state)
{
	return states[state];
}

int
state_read(const char *text, enum state *state_r)
{
	for (size_t i = 0; text != NULL && i < sizeof(states) / sizeof(*states); i++) {
		if (strcmp(text, states[i]) != 0)
			continue;
		*state_r = (enum state)i;
		return ANNEX_OK;
	}
	return ANNEX_EINVAL;
}

/* --- Options (§16.4.2) ------------------------------------------------------ */

static const struct annex_choice shows[] = {
	{ "away", "Away" },
	{ "chat", "Free for chat" },
	{ "dnd", "Do not disturb" },
	{ "online", "Online" },
	{ "xa", "Away for long" },
	{ 0 },
};

static const struct annex_choice types[] = {
	{ "items", "Items" },
	{ "nodes", "Nodes" },
	{ 0 },
};

static const struct annex_choice depths[] = {
	{ "1", "This node alone" },
	{ "all", "All below" },
	{ 0 },
};

#define FIELD(member, var, type, label, ...) \
	ANNEX_FIELD(struct sub_options, member, "pubsub#" var, type, label, __VA_ARGS__)

const struct annex_field options_fields[] = {
	FIELD(deliver, "deliver", ANNEX_BOOLEAN, "Send notifications"),
	FIELD(digest, "digest", ANNEX_BOOLEAN, "Collect them and send many at once"),
	FIELD(digest_frequency, "digest_frequency", ANNEX_TEXT_SINGLE,
	    "Milliseconds between two collections", .min = 1000, .max = 31622400000),
	FIELD(expire, "expire", ANNEX_TEXT_SINGLE, "When the subscription ends", .max = 50),
	FIELD(
	    include_body, "include_body", ANNEX_BOOLEAN, "With a text to read where there is one"),
	FIELD(show_values, "show-values", ANNEX_LIST_MULTI, "Only while I am", .choices = shows),
	FIELD(type, "subscription_type", ANNEX_LIST_SINGLE, "Of what", .choices = types),
	FIELD(depth, "subscription_depth", ANNEX_LIST_SINGLE, "How deep", .choices = depths),
	{ 0 },
};

const struct annex_form options_form = {
	.type = NS_SUBSCRIBE_OPTIONS,
	.title = "Options of the subscription",
	.fields = options_fields,
	.languages = pubsub_languages,
};

const struct sub_options options_baseline = {
	.deliver = true,
	.digest_frequency = 86400000,
	.expire = "",
	.type = "items",
	.depth = "1",
};

/* --- From and to the store ------------------------------------------------------ */

struct sub
sub_of_record(struct node *node, uint64_t number, const Pubsub__Subscription *record)
{
	struct annex_pool *pool = annex_scratch(node->p->inst);
	const struct annex_jid *jid = annex_jid(pool, record->jid);
	struct sub sub = { .node = node,
		.number = number,
		.jid = record->jid,
		.bare = jid == NULL ? record->jid : jid->bare,
		.subid = record->subid,
		.state = (enum state)record->state,
		.options = options_baseline,
		.since_ms = record->since_ms,
		.bounce_ms = record->bounce_ms,
		.bounces = record->bounces,
		.warned = record->warned,
		.is_public = record->is_public,
		.was_public = record->is_public };

	settings_unpack(options_fields, &sub.options, record->setting, record->n_setting, pool);
	return sub;
}

static struct annex_key
subscriber_key(const char *bare, uint64_t node, uint64_t number)
{
	struct annex_key key = key_text(TABLE_SUBSCRIBERS, bare);

	annex_key_u64(&key, node);
	return *annex_key_u64(&key, number);
}

/* In the list of all that its bare JID has, and in the index that knows where it is there. */
static int
subscriber_put(const struct sub *sub)
{
	struct pubsub *p = sub->node->p;
	struct annex_key key = subscriber_key(sub->bare, sub->node->number, sub->number);
	struct annex_key list = key_text(TABLE_SUBSCRIBED, sub->bare);
	Pubsub__Subscriber record = PUBSUB__SUBSCRIBER__INIT;
	Pubsub__Subscribed place = PUBSUB__SUBSCRIBED__INIT;
	int r;

	if (annex_has(p->store, &key))
		return ANNEX_OK;
	record.jid = (char *)(uintptr_t)sub->jid;
	place.node = sub->node->number;
	place.number = sub->number;
	if ((r = annex_sequence(p->store, &list, &record.place)) < 0 ||
	    (r = annex_put(p->store, annex_key_u64(&list, record.place), &place.base)) < 0)
		return r;
	return annex_put(p->store, &key, &record.base);
}

int
subscriber_remove(struct pubsub *p, const char *bare, uint64_t node, uint64_t number)
{
	struct annex_key key = subscriber_key(bare, node, number);
	struct annex_key list = key_text(TABLE_SUBSCRIBED, bare);
	ProtobufCMessage *record;
	int r;

	if ((r = annex_get(p->store, &key, &record)) < 0)
		return r == ANNEX_ENOENT ? ANNEX_OK : r;
	annex_key_u64(&list, ((Pubsub__Subscriber *)record)->place);
	annex_delete(p->store, &list);
	return must(p, annex_delete(p->store, &key));
}

static int
indexes_put(const struct sub *sub)
{
	struct pubsub *p = sub->node->p;
	struct annex_key key;
	Pubsub__Subscriber record = PUBSUB__SUBSCRIBER__INIT;
	int r;

	if ((r = subscriber_put(sub)) < 0)
		return r;
	record.jid = (char *)(uintptr_t)sub->jid;
	key = key_numbers(TABLE_PENDING, sub->node->number, sub->number);
	if (sub->state == STATE_PENDING)
		return annex_put(p->store, &key, &record.base);
	annex_delete(p->store, &key);
	return ANNEX_OK;
}

int
sub_put(struct sub *sub)
{
	struct pubsub *p = sub->node->p;
	struct annex_key key = key_number(TABLE_SUBSCRIPTIONS, sub->node->number);
	Pubsub__Subscription record = PUBSUB__SUBSCRIPTION__INIT;
	int r;

	audience_forget(sub->node);
	if (sub->number == 0 && (r = annex_sequence(p->store, &key, &sub->number)) < 0)
		return r;
	record.jid = (char *)(uintptr_t)sub->jid;
	record.subid = (char *)(uintptr_t)sub->subid;
	record.state = sub->state;
	record.setting = settings_pack(options_fields, &sub->options, &options_baseline,
	    &record.n_setting, annex_scratch(p->inst));
	record.since_ms = sub->since_ms;
	record.bounce_ms = sub->bounce_ms;
	record.bounces = sub->bounces;
	record.warned = sub->warned;
	record.is_public = sub->is_public;
	if ((r = annex_put(p->store, annex_key_u64(&key, sub->number), &record.base)) < 0)
		return must(p, r);
	if ((r = indexes_put(sub)) < 0)
		return must(p, r);
	if ((r = lease_arrange(sub)) < 0)
		return must(p, r);
	return must(p, public_follow(sub, true));
}

int
sub_remove(const struct sub *sub)
{
	struct pubsub *p = sub->node->p;
	struct annex_key key = key_numbers(TABLE_SUBSCRIPTIONS, sub->node->number, sub->number);
	int r;

	audience_forget(sub->node);
	if ((r = annex_delete(p->store, &key)) < 0 && r != ANNEX_ENOENT)
		return r;
	sub_alarms_clear(p, sub->node->number, sub->number);
	must(p, subscriber_remove(p, sub->bare, sub->node->number, sub->number));
	must(p, public_follow(sub, false));
	key = key_numbers(TABLE_WAITING, sub->node->number, sub->number);
	must(p, annex_delete_some(p->store, &key, WAITING_MAX));
	must(p, annex_sequence_forget(p->store, &key));
	key = key_numbers(TABLE_PENDING, sub->node->number, sub->number);
	return must(p, annex_delete(p->store, &key)) < 0 ? ANNEX_ESTORE : ANNEX_OK;
}

struct sub
sub_make(struct node *node, const struct annex_jid *jid, enum state state)
{
	return (struct sub) { .node = node,
		.jid = jid->full,
		.bare = jid->bare,
		.subid = node->p->set->multi_subscribe ? annex_random_id(node->p->inst) : "",
		.state = state,
		.options = options_baseline,
		.since_ms = annex_wall_ms(node->p->inst) };
}

/* --- Finding ------------------------------------------------------------------------ */

static const Pubsub__Subscription *
sub_record(const struct node *node, uint64_t number)
{
	struct annex_key key = key_numbers(TABLE_SUBSCRIPTIONS, node->number, number);
	ProtobufCMessage *record;

	return annex_get(node->p->store, &key, &record) == ANNEX_OK ? (Pubsub__Subscription *)record
								    : NULL;
}

bool
sub_at(struct node *node, uint64_t number, struct sub *sub_r)
{
	const Pubsub__Subscription *record = sub_record(node, number);

	if (record != NULL)
		*sub_r = sub_of_record(node, number, record);
	return record != NULL;
}

size_t
subs_of_bare(struct node *node, const char *bare, struct sub *subs, size_t most)
{
	struct annex_key prefix = key_text(TABLE_SUBSCRIBERS, bare);
	const Pubsub__Subscription *record;
	struct annex_iter it;
	size_t n = 0;

	annex_key_u64(&prefix, node->number);
	it = annex_iter(&prefix);
	it.keys_only = true;
	while (n < most && annex_next(node->p->store, &it) == ANNEX_AGAIN) {
		uint64_t number = annex_key_number(&it.key, 2);

		if ((record = sub_record(node, number)) != NULL)
			subs[n++] = sub_of_record(node, number, record);
	}
	return n;
}

size_t
subs_of_jid(struct node *node, const struct annex_jid *jid, struct sub *subs, size_t most)
{
	size_t n = subs_of_bare(node, jid->bare, subs, most), kept = 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(subs[i].jid, jid->full) == 0)
			subs[kept++] = subs[i];
	return kept;
}

/* Of a node that the service keeps: at its target. */
enum state
state_of(const struct node *node, const char *bare)
{
	struct node *at = node->role == ROLE_NONE ? (struct node *)(uintptr_t)node
						  : node_by_number(node->p, node->target);
	struct sub subs[SUBS_MAX];
	size_t n = at == NULL ? 0 : subs_of_bare(at, bare, subs, SUBS_MAX);
	enum state best = STATE_NONE;

	for (size_t i = 0; i < n; i++)
		if (subs[i].state > best)
			best = subs[i].state;
	return best;
}

uint64_t
subs_count(const struct node *node)
{
	struct annex_key prefix = key_number(TABLE_SUBSCRIPTIONS, node->number);
	uint64_t n = 0;

	return annex_rows(node->p->store, &prefix, &n) < 0 ? 0 : n;
}

uint64_t
subs_approved(const struct node *node)
{
	struct annex_key prefix = key_number(TABLE_PENDING, node->number);
	uint64_t pending = 0;

	return annex_rows(node->p->store, &prefix, &pending) < 0 ? 0 : subs_count(node) - pending;
}

uint64_t
subs_last(const struct node *node)
{
	struct annex_key prefix = key_number(TABLE_SUBSCRIPTIONS, node->number);
	struct annex_iter it = annex_iter_backwards(&prefix);

	it.keys_only = true;
	return annex_next(node->p->store, &it) == ANNEX_AGAIN ? annex_key_number(&it.key, 1) : 0;
}

bool
sub_wants_items(const struct sub *sub)
{
	return sub->state == STATE_SUBSCRIBED && sub->options.deliver &&
	    strcmp(sub->options.type, "items") == 0 && presence_suits(sub->node->p, sub);
}

/* --- As XML --------------------------------------------------------------------------- */

struct annex_element *
sub_add(struct annex_element *parent, const struct sub *sub, bool with_node)
{
	struct annex_element *el = annex_add(parent, NULL, "subscription");
	int64_t expiry;

	if (with_node)
		annex_attr_set(el, "node", sub->node->name);
	annex_attr_set(el, "jid", sub->jid);
	if (sub->subid[0] != '\0')
		annex_attr_set(el, "subid", sub->subid);
	annex_attr_set(el, "subscription", state_name(sub->state));
	/* §6.1.5: nothing comes before they are set. */
	if (sub->state == STATE_UNCONFIGURED && annex_is(parent, NS_PUBSUB, "pubsub"))
		annex_add(annex_add(el, NULL, "subscribe-options"), NULL, "required");
	if (annex_datetime_read(sub->options.expire, &expiry) == ANNEX_OK &&
	    sub->state != STATE_NONE && strcmp(el->ns, NS_OWNER) != 0)
		annex_attr_set(el, "expiry", sub->options.expire);
	return el;
}
