/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pubsub.c - publish and subscribe (XEP-0060): what there is, and which way a
 * request goes
 *
 * A request is an IQ with a <pubsub/> whose child says what is asked.  The table
 * of operations finds what runs it, its node, and who asks what they are to
 * that node; an operation judges everything before it writes the first row, since what
 * is written cannot be taken back but with the whole turn.
 *
 *	create.c, configure.c, delete.c     nodes
 *	publish.c, retrieve.c, archive.c    items
 *	words.c, fulltext.c                 which items have which words
 *	kept.c, attach.c, public.c          nodes that the service keeps beside others
 *	subscribe.c, options.c, approve.c   subscriptions
 *	entity.c, manage.c                  lists of what somebody has, and of who has a node
 *	notify.c, fan.c, delivery.c         events, to few and to many
 *	bounce.c                            what comes back
 *	commands.c, person.c, import.c      what operators do
 *	expire.c, presence.c, roster.c      what time does, who comes and goes, who knows whom
 *
 * Nodes, items, subscriptions and affiliations are in the store (store.c); what is in
 * memory is a cache of nodes (node.c) and where deliveries stand
 * (delivery.c).  All that a node says to its subscribers is one flow; answers to IQs are
 * flow 0, and so never behind a hundred thousand notifications.
 */
#include <string.h>

#include <annex/mam.h>

#include "pubsub.h"

#define DAY ((int64_t)86400000)

/* How often somebody may subscribe to one node whose owners are told: so many, then one in a while. */
#define ASKED_BURST 10
#define ASKED_RATE (1.0 / 60)
#define ASKERS_MAX 10000

static const char *const access_models[] = { "open", "presence", "roster", "authorize", "whitelist",
	NULL };
static const char *const publish_models[] = { "publishers", "subscribers", "open", NULL };
static const char *const send_lasts[] = { "never", "on_sub", "on_sub_and_presence", NULL };
static const char *const replies[] = { "owner", "publisher", "none", NULL };
static const char *const whose[] = { "any", "own", NULL };

#define OPTION(member, lo, hi, dflt, text) \
	ANNEX_OPTION(struct pubsub_settings, member, lo, hi, dflt, text)
#define OPTION_OF(member, choices, dflt, text) \
	ANNEX_OPTION_OF(struct pubsub_settings, member, choices, dflt, text)

static const struct annex_option pubsub_options[] = {
	OPTION(create, 0, 100, "local",
	    "Who may create nodes: local, admin, anybody, nobody, addresses or domains."),
	OPTION(
	    auto_create, 0, 0, "yes", "Whether publishing to a node that is not there creates it."),
	OPTION(max_nodes, 0, 100000000, "1000",
	    "Most nodes that one user has made and that are there, admins apart; 0 is any number."),
	OPTION(max_items, 1, 1000000000, "1000000", "Most items that one node keeps."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct pubsub_settings, max_node_bytes, 1, INT64_MAX,
	    "0", "Most bytes that the items of one node take; 0 is any number."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct pubsub_settings, max_owner_bytes, 1, INT64_MAX,
	    "0",
	    "Most bytes that the items of all nodes take that one user has made, admins apart; 0 is any number."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct pubsub_settings, max_payload_bytes, 0, 196608,
	    "64K", "Largest payload of an item."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct pubsub_settings, max_id_bytes, 16, 1023, "1023",
	    "Longest name of a node, and of an item."),
	OPTION(max_subscriptions, 1, 32, "10",
	    "Most subscriptions of one user to one node, resources included."),
	OPTION(max_subscribers, 0, 100000000, "1000000",
	    "Most subscriptions to one node; 0 is any number."),
	OPTION(max_subscribed, 0, 1000000, "10000",
	    "Most subscriptions of one user to all nodes; 0 is any number."),
	OPTION(max_pending, 0, 1000000, "1000",
	    "Most requests to subscribe to one node that nobody has decided about; 0 is any number."),
	OPTION(max_affiliations, 0, 100000000, "10000",
	    "Most users that are affiliated with one node; 0 is any number."),
	OPTION(subscribers_per_turn, 1, 100000, "1000",
	    "Most subscribers of a node that are told at a time; the rest in turns of their own."),
	OPTION(items_per_turn, 1, 100000, "1000",
	    "Most items of an archive that are looked at at a time; the rest in turns of their own."),
	OPTION(multi_subscribe, 0, 0, "no",
	    "Whether an address may be subscribed to a node several times."),
	OPTION_OF(access_model, access_models, "open", "Who may subscribe to new nodes."),
	OPTION_OF(publish_model, publish_models, "publishers", "Who may publish to new nodes."),
	OPTION_OF(
	    send_last, send_lasts, "on_sub_and_presence", "When new nodes send their last item."),
	OPTION_OF(itemreply, replies, "publisher", "Whom items of new nodes name to reply to."),
	OPTION(persist_items, 0, 0, "yes", "Whether new nodes keep items."),
	OPTION(notify_delete, 0, 0, "yes", "Whether new nodes tell that they are deleted."),
	OPTION(notify_retract, 0, 0, "yes", "Whether new nodes tell that an item is retracted."),
	OPTION_OF(overwrite, whose, "any", "Whose items a publisher may overwrite."),
	OPTION_OF(retract, whose, "own", "Whose items a publisher may retract."),
	OPTION(notify_affiliation, 0, 0, "no",
	    "Whether users are told that their affiliation with a node has changed."),
	OPTION(list_owners, 0, 0, "no", "Whether everybody may see who owns a node."),
	OPTION(list_publishers, 0, 0, "no", "Whether everybody may see who publishes to a node."),
	OPTION(max_bounces, 0, 1000, "7",
	    "Bounces after which a subscription ends, each in an interval of its own; 0 is any number."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct pubsub_settings, bounce_interval_ms, 1000,
	    365 * DAY, "1d", "Time in which bounces of a subscription count once."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct pubsub_settings, max_lease_ms, 1000, 3650 * DAY,
	    "0", "Longest lease of a subscription; 0 is any time."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct pubsub_settings, lease_warning_ms, 0, 365 * DAY,
	    "1d", "How long before its end the subscriber of a lease is warned."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct pubsub_settings, tombstone_ms, 0, 3650 * DAY,
	    "31d", "How long a deleted node is remembered."),
	OPTION(max_tombstones, 0, 100000000, "1000",
	    "Most deleted nodes of one user that are remembered; 0 is any number."),
	{ 0 },
};

/* --- Operations --------------------------------------------------------------------- */

#define SUBSCRIBER(kind, name, run, node, unnamed, kept)                   \
	{                                                                  \
		NS_PUBSUB, ANNEX_IQ_##kind, name, run, node, unnamed, kept \
	}
#define OWNER(kind, name, run, kept)                                                          \
	{                                                                                     \
		NS_OWNER, ANNEX_IQ_##kind, name, run, NODE_OWNED, FAULT_NODEID_REQUIRED, kept \
	}

static const struct operation operations[] = {
	SUBSCRIBER(GET, "subscriptions", own_subscriptions, NODE_OPTIONAL, 0, KEPT_ANY),
	SUBSCRIBER(GET, "affiliations", own_affiliations, NODE_OPTIONAL, 0, KEPT_ANY),
	SUBSCRIBER(SET, "subscribe", subscribe, NODE_REQUIRED, FAULT_NODEID_REQUIRED, KEPT_AT_ONCE),
	SUBSCRIBER(SET, "unsubscribe", unsubscribe, NODE_REQUIRED, FAULT_NODEID_REQUIRED, KEPT_ANY),
	SUBSCRIBER(GET, "options", options_get, NODE_REQUIRED, FAULT_NODEID_REQUIRED, KEPT_ANY),
	SUBSCRIBER(SET, "options", options_set, NODE_REQUIRED, FAULT_NODEID_REQUIRED, KEPT_ANY),
	SUBSCRIBER(GET, "default", options_default, NODE_OPTIONAL, 0, KEPT_ANY),
	SUBSCRIBER(GET, "items", retrieve, NODE_REQUIRED, FAULT_NODEID_REQUIRED, KEPT_AT_ONCE),
	SUBSCRIBER(SET, "publish", publish, NODE_OPTIONAL, 0, KEPT_ATTACHMENTS),
	SUBSCRIBER(SET, "retract", retract, NODE_REQUIRED, FAULT_NODEID_REQUIRED, KEPT_ATTACHMENTS),
	SUBSCRIBER(SET, "create", create, NODE_NONE, 0, KEPT_ANY),
	OWNER(GET, "configure", configure_get, KEPT_ANY),
	OWNER(SET, "configure", configure_set, KEPT_NEVER),
	{ NS_OWNER, ANNEX_IQ_GET, "default", configure_default, NODE_NONE, 0, KEPT_ANY },
	OWNER(SET, "delete", delete_node, KEPT_NEVER),
	OWNER(SET, "purge", purge, KEPT_NEVER),
	OWNER(GET, "subscriptions", node_subscriptions, KEPT_ANY),
	OWNER(SET, "subscriptions", node_subscriptions_set, KEPT_ANY),
	OWNER(GET, "affiliations", node_affiliations, KEPT_ANY),
	OWNER(SET, "affiliations", node_affiliations_set, KEPT_NEVER),
	{ 0 },
};

static const struct operation *
operation_named(const struct annex_stanza *in, const char *name)
{
	for (const struct operation *op = operations; op->ns != NULL; op++)
		if (op->kind == in->kind && strcmp(op->ns, in->payload->ns) == 0 &&
		    strcmp(op->name, name) == 0)
			return op;
	return NULL;
}

/* A word that is known, but not of this kind of IQ. */
static bool
is_misplaced(const struct annex_stanza *in, const char *name)
{
	for (const struct operation *op = operations; op->ns != NULL; op++)
		if (strcmp(op->ns, in->payload->ns) == 0 && strcmp(op->name, name) == 0)
			return true;
	return false;
}

/* The first child that is an operation; what else there is goes with it. */
static enum fault
operation_find(struct request *rq)
{
	const char *ns = rq->in->payload->ns;
	enum fault fault = FAULT_BAD_REQUEST;

	ANNEX_CHILDREN (rq->in->payload, child) {
		if (strcmp(child->ns, ns) != 0)
			continue;
		/* §8.1.3: what configures a node comes behind what creates it. */
		if (strcmp(ns, NS_PUBSUB) == 0 && strcmp(child->name, "configure") == 0)
			return FAULT_BAD_REQUEST;
		rq->el = child;
		if ((rq->op = operation_named(rq->in, child->name)) != NULL)
			return FAULT_NONE;
		fault = is_misplaced(rq->in, child->name) ? FAULT_BAD_REQUEST : FAULT_UNKNOWN;
	}
	return fault;
}

/* What the service keeps nobody else may change. */
static bool
is_for_kept(const struct request *rq)
{
	return rq->node->role == ROLE_NONE || rq->op->kept >= KEPT_ANY ||
	    (rq->op->kept == KEPT_ATTACHMENTS && rq->node->role == ROLE_ATTACHMENTS);
}

/* The node, and who asks. */
static enum fault
node_fill(struct request *rq)
{
	rq->name = annex_attr(rq->el, "node");
	rq->rank = RANK_NONE;
	if (rq->name != NULL && strlen(rq->name) > (size_t)rq->p->set->max_id_bytes)
		return FAULT_BAD_REQUEST;
	if (rq->name != NULL && rq->name[0] == '\0')
		rq->name = NULL;
	if (rq->name == NULL)
		return rq->op->node >= NODE_REQUIRED ? rq->op->unnamed : FAULT_NONE;
	rq->kept = kept_read(rq->p, rq->name);
	rq->node = rq->kept.role == ROLE_NONE ? node_find(rq->p, rq->name) : kept_find(rq);
	if (rq->node == NULL)
		return rq->op->node >= NODE_REQUIRED ? FAULT_ITEM_NOT_FOUND : FAULT_NONE;
	if (rq->node->gone)
		return FAULT_NONE;
	rq->rank = rank_of_jid(rq->node, rq->in->from);
	if (!is_for_kept(rq))
		return FAULT_FORBIDDEN;
	return rq->op->node == NODE_OWNED && rq->rank != RANK_OWNER ? FAULT_FORBIDDEN : FAULT_NONE;
}

enum annex_verdict
request_run(struct request *rq)
{
	enum fault fault;

	if (strcmp(rq->in->payload->ns, ANNEX_NS_MAM) == 0)
		return archive_run(rq);
	if ((fault = operation_find(rq)) != FAULT_NONE)
		return refuse(rq, fault);
	if ((fault = node_fill(rq)) != FAULT_NONE)
		return refuse(rq, fault);
	if (rq->node != NULL && rq->node->gone && rq->op->node != NODE_NONE)
		return refuse_gone(rq);
	return rq->op->run(rq);
}

static enum annex_verdict
handle(struct annex_instance *inst, const struct annex_stanza *in)
{
	if (in->to->local != NULL || in->to->resource != NULL)
		return ANNEX_PASS;
	return request_run(&(struct request) { .p = annex_state(inst), .in = in });
}

static const struct annex_route pubsub_routes[] = {
	{ ANNEX_IQ_GET, NS_PUBSUB, "pubsub", handle, { 0 } },
	{ ANNEX_IQ_SET, NS_PUBSUB, "pubsub", handle, { 0 } },
	{ ANNEX_IQ_GET, NS_OWNER, "pubsub", handle, { 0 } },
	{ ANNEX_IQ_SET, NS_OWNER, "pubsub", handle, { 0 } },
	{ ANNEX_IQ_GET, ANNEX_NS_MAM, "query", handle, { 0 } },
	{ ANNEX_IQ_GET, ANNEX_NS_MAM, "metadata", handle, { 0 } },
	{ ANNEX_IQ_SET, ANNEX_NS_MAM, "query", handle, { 0 } },
	{ ANNEX_MESSAGE, ANNEX_NS_FORM, "x", authorization, { 0 } },
	{ ANNEX_MESSAGE_ERROR, NULL, NULL, bounce, { 0 } },
	{ ANNEX_PRESENCE, NULL, NULL, presence, { 0 } },
	{ 0 },
};

/* --- Timers and jobs ---------------------------------------------------------------- */

static const struct annex_alarm pubsub_alarms[] = {
	{ .kind = "items", .fn = items_due },
	{ .kind = "lease", .fn = lease_due },
	{ .kind = "digest", .fn = digest_due },
	{ .kind = "tombstone", .fn = tombstone_due },
	{ 0 },
};

static const struct annex_job pubsub_jobs[] = {
	{ .kind = "remains", .step = remains_step },
	{ .kind = "trim", .step = node_trim_step },
	{ .kind = "judge", .step = node_judge_step },
	{ .kind = "kept", .step = kept_step },
	{ .kind = "index", .step = fulltext_step },
	{ .kind = "order", .step = order_step },
	{ .kind = "erase", .step = erase_step },
	{ .kind = "leave", .step = leave_step },
	{ .kind = "arrival", .step = arrival_step },
	{ 0 },
};

/* --- Life ----------------------------------------------------------------------------- */

static int
pubsub_create(struct annex_instance *inst)
{
	struct pubsub *p = annex_new(annex_pool(inst), struct pubsub);

	p->inst = inst;
	p->set = annex_settings(inst);
	p->store = annex_store(inst);
	p->published = annex_counter(inst, "pubsub_published_total", "Items that were published.");
	p->notified = annex_counter(
	    inst, "pubsub_notifications_total", "Notifications that were sent to subscribers.");
	p->subscribed =
	    annex_counter(inst, "pubsub_subscribed_total", "Subscriptions that were made.");
	p->bounced = annex_counter(inst, "pubsub_bounces_total", "Notifications that came back.");
	p->dropped = annex_counter(inst, "pubsub_dropped_total",
	    "Subscriptions that ended because nobody could be reached.");
	p->asking = annex_buckets_create(annex_pool(inst), ASKED_RATE, ASKED_BURST, ASKERS_MAX);
	nodes_init(p);
	quota_init(p);
	rosters_init(p);
	deliveries_init(p);
	archives_init(p);
	annex_set_state(inst, p);
	return ANNEX_OK;
}

static void
pubsub_link_up(struct annex_instance *inst)
{
	delivery_link_up(annex_state(inst));
}

static void
pubsub_link_down(struct annex_instance *inst)
{
	rosters_forget(annex_state(inst));
	delivery_link_down(annex_state(inst));
}

static int
pubsub_reload(struct annex_instance *inst)
{
	struct pubsub *p = annex_state(inst);

	p->set = annex_settings(inst);
	return ANNEX_OK;
}

ANNEX_MODULE(pubsub) = {
	ANNEX_MODULE_ABI,
	.name = "pubsub",
	.summary = "publish and subscribe",
	.options = pubsub_options,
	.settings_size = sizeof(struct pubsub_settings),
	.routes = pubsub_routes,
	.disco = &pubsub_disco,
	.contacts = &pubsub_contacts,
	.commands = pubsub_commands,
	.tables = pubsub_tables,
	.alarms = pubsub_alarms,
	.jobs = pubsub_jobs,
	.create = pubsub_create,
	.link_up = pubsub_link_up,
	.link_down = pubsub_link_down,
	.reload = pubsub_reload,
};
