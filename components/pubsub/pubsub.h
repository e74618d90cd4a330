/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pubsub.h - an instance of pubsub, and all that its files share
 *
 * Items, subscriptions and affiliations are read from the store where they are needed, under
 * the number of their node.  A handler gets its node in struct request; the pointer is good
 * until the handler returns.  The store is written first and memory second.
 */
#ifndef PUBSUB_H
#define PUBSUB_H

#include <annex/access.h>
#include <annex/command.h>
#include <annex/component.h>
#include <annex/datetime.h>
#include <annex/flow.h>
#include <annex/form.h>
#include <annex/iq.h>
#include <annex/job.h>
#include <annex/limit.h>
#include <annex/list.h>
#include <annex/map.h>
#include <annex/rsm.h>
#include <annex/store.h>
#include <annex/timer.h>

#include "event.h"
#include "fault.h"
#include "item.h"
#include "node.h"
#include "page.h"
#include "request.h"
#include "store.h"
#include "subscription.h"

#define NS_PUBSUB "http://jabber.org/protocol/pubsub"
#define NS_OWNER NS_PUBSUB "#owner"
#define NS_EVENT NS_PUBSUB "#event"
#define NS_ERRORS NS_PUBSUB "#errors"
#define NS_NODE_CONFIG NS_PUBSUB "#node_config"
#define NS_META_DATA NS_PUBSUB "#meta-data"
#define NS_SUBSCRIBE_OPTIONS NS_PUBSUB "#subscribe_options"
#define NS_AUTHORIZATION NS_PUBSUB "#subscribe_authorization"
#define NS_PUBLISH_OPTIONS NS_PUBSUB "#publish-options"
#define NS_SHIM "http://jabber.org/protocol/shim"
#define NS_ATTACHMENTS "urn:xmpp:pubsub-attachments:1"
#define NS_SUMMARY "urn:xmpp:pubsub-attachments:summary:1"
#define NS_PUBLIC "urn:xmpp:pps:0"
#define NS_PUBLIC_SUBSCRIBERS "urn:xmpp:pps:subscribers:0"
#define NS_PUBLIC_SUBSCRIPTIONS "urn:xmpp:pps:subscriptions:0"
#define NS_FILTER "urn:xmpp:pubsub-filter:0"
#define NS_ATOM "http://www.w3.org/2005/Atom"
#define NS_ORDER "urn:xmpp:order-by:1"

struct pubsub_settings {
	struct annex_strings create;
	int64_t max_nodes, max_items, max_payload_bytes, max_id_bytes, max_subscriptions,
	    max_subscribers, max_subscribed, max_pending, max_affiliations, max_tombstones;
	int64_t max_node_bytes, max_owner_bytes, max_bounces, subscribers_per_turn, items_per_turn;
	int64_t tombstone_ms, max_lease_ms, lease_warning_ms, bounce_interval_ms;
	const char *access_model, *publish_model, *send_last, *itemreply, *overwrite, *retract;
	bool persist_items, notify_delete, notify_retract, notify_affiliation, auto_create,
	    multi_subscribe, list_owners, list_publishers;
};

struct pubsub {
	struct annex_instance *inst;
	const struct pubsub_settings *set;
	struct annex_store *store;
	struct annex_map *nodes;   /* by name, those loaded */
	struct annex_link recent;  /* nodes, the one used last in front */
	struct annex_map *queues;  /* of deliveries that go on, by number of the node */
	struct annex_link waiting; /* those with something to send, in the order they are served */
	struct annex_timer *drain;
	size_t deliveries;         /* rows of them */
	struct annex_map *rosters; /* of owners, by their bare JIDs */
	struct annex_link rosters_used, waiters,
	    woken;            /* requests that wait for a roster; it came */
	size_t waiting_bytes; /* of all of them */
	struct annex_timer *rouse;
	struct annex_buckets *asking; /* of who subscribes where owners are told */
	size_t contacts;              /* entries of all rosters */
	struct annex_pool *sums_pool;
	struct annex_map *sums;        /* quota.c: bytes by who made the nodes */
	size_t kept;                   /* bytes of last items in memory */
	size_t audience;               /* JIDs in audiences of nodes */
	struct annex_queries *queries; /* to archives, that look at items one by one */
	struct import *import;         /* that goes on; or NULL */
	struct annex_counter *published, *notified, *subscribed, *bounced, *dropped;
};

/* --- What the tables of pubsub.c name ------------------------------------------- */

typedef void
alarm_fn(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms);
alarm_fn items_due, lease_due, digest_due, tombstone_due;
typedef int job_fn(struct annex_instance *inst, struct annex_job_state *state, size_t limit);
job_fn remains_step, node_trim_step, node_judge_step, erase_step, kept_step, fulltext_step,
    order_step, leave_step, arrival_step;
extern const struct annex_disco pubsub_disco;
/* Of all forms that people see, but those of operators. */
extern const struct annex_language pubsub_languages[];

/* --- commands.c, person.c, import.c: for operators ---------------------------------------- */

#define JID_MAX 350 /* of a bare JID in the state of a job */

struct command_values {
	const char *node, *jid, *redirect, *after; /* after: where a list goes on */
};
extern const struct annex_command pubsub_commands[];
typedef int
run_fn(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
run_fn run_export, run_erase, run_import;
extern const struct annex_form import_form;
struct import_values {
	const char *file, *as;
	bool replace;
};
/* Say that a list does not go on there. */
int command_not_after(struct annex_run *run, const char *after);
/* What somebody published goes, where it is there as long as they are (purge_offline): by a job. */
int leave_start(struct pubsub *p, const char *bare) ANNEX_MUST_CHECK;

#endif /* PUBSUB_H */
