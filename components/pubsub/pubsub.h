/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pubsub.h - nodes, their items, and who may do what with them
 *
 * A struct node is a cache of one row: it is loaded when somebody asks for it
 * and forgotten when it is the one used longest ago.  Items, subscriptions
 * and affiliations are read from the store where they are needed, under the
 * node's number.  A handler gets its node in struct request; the pointer is good
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

#include "pubsub.pb-c.h"

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

/* XEP-0060 §4.1, in order of what they may. */
enum rank {
	RANK_OUTCAST = -1,
	RANK_NONE,
	RANK_MEMBER,
	RANK_PUBLISH_ONLY,
	RANK_PUBLISHER,
	RANK_OWNER
};

/* XEP-0060 §4.2; as in the store. */
enum state { STATE_NONE, STATE_PENDING, STATE_UNCONFIGURED, STATE_SUBSCRIBED };

/* Nodes that the service keeps (kept.c); as in the store. */
enum role { ROLE_NONE, ROLE_ATTACHMENTS, ROLE_SUMMARY, ROLE_SUBSCRIBERS, ROLE_RESERVED };

/* How items were created (order.c), other than they were published last; as in the store. */
enum order { ORDER_OWN, ORDER_SAME, ORDER_PARTING };

struct pubsub_settings {
	struct annex_strings create;
	int64_t max_nodes, max_items, max_payload_bytes, max_id_bytes, max_subscriptions,
	    max_subscribers, max_subscribed, max_pending;
	int64_t max_node_bytes, max_bounces, subscribers_per_turn, items_per_turn;
	int64_t tombstone_ms, lease_warning_ms, bounce_interval_ms;
	const char *access_model, *publish_model, *send_last, *itemreply, *overwrite, *retract;
	bool persist_items, notify_delete, notify_retract, notify_affiliation, auto_create,
	    multi_subscribe, list_owners;
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
	struct annex_buckets *asking;  /* of who subscribes where owners are told */
	size_t contacts;               /* entries of all rosters */
	size_t kept;                   /* bytes of last items in memory */
	size_t audience;               /* JIDs in audiences of nodes */
	struct annex_queries *queries; /* to archives, that look at items one by one */
	struct annex_counter *published, *notified, *subscribed, *bounced, *dropped;
};

/* What the configuration form says (XEP-0060 §16.4.4). */
struct node_config {
	const char *title, *description, *language, *type, *node_type, *collection;
	const char *access_model, *publish_model, *send_last, *itemreply, *notification_type,
	    *node_full;
	const char *max_items, *item_expire; /* numbers, or "max" */
	int64_t max_payload;
	struct annex_strings contact, roster_groups;
	bool deliver_notifications, deliver_payloads, persist_items;
	bool notify_config, notify_delete, notify_retract, notify_sub;
	bool presence_based, purge_offline, tempsub, subscribe;
	bool validate; /* items must be what the type says */
	bool fulltext; /* the words of items can be looked for */
};

struct node {
	uint32_t magic;
#define NODE_MAGIC 0x5ab0de11u
	struct pubsub *p;
	struct annex_pool *pool;
	struct annex_link by_use;
	const char *name;
	uint64_t number; /* what its rows are under, */
	uint64_t shelf;  /* and its items: another one after each purge */
	struct node_config config;
	const char *creator;
	int64_t created_ms;
	bool gone;
	const char *redirect;
	int64_t gone_ms;
	enum role role;
	uint64_t target; /* of which node it is kept, by its number; or 0 */
	bool attached;   /* something is attached to its items */
	enum order order;
	bool indexing;                             /* the job that keeps its index is to run */
	bool is_judged_soon, are_kept_judged_soon; /* so are those that judge subscriptions */
	struct audience *audience;                 /* fan.c; or NULL */
	bool is_deserted;       /* nobody is subscribed; false: that is not known */
	struct kept_item *last; /* item.c: the last one where items are not stored; or NULL */
	size_t garbage;         /* bytes of the pool that nobody uses any more, about */
};

/* --- Requests ------------------------------------------------------------ */

struct operation;

/* What the name of a kept node says. */
struct kept {
	enum role role;
	const char *name;    /* in the one spelling it has here */
	struct node *target; /* NULL where there is none */
	const char *item;    /* of attachments: to which */
};

struct request {
	struct pubsub *p;
	const struct annex_stanza *in;
	const struct operation *op;
	const struct annex_element *el; /* what is asked: the child of <pubsub/> */
	const char *name;               /* its node, or NULL */
	struct node *node;              /* that, where it exists */
	struct kept kept;               /* what its name says, where it is of that kind */
	enum rank rank;                 /* of who asks; admins are owners */
	annex_hold_t hold;              /* where it was held until something was known, or 0 */
};
enum annex_verdict request_run(struct request *rq);

/* --- fault.c: what is refused, and how (XEP-0060, the tables of errors) ---- */

enum fault {
	FAULT_NONE,
	FAULT_BAD_REQUEST,
	FAULT_CLOSED_NODE,
	FAULT_CONFLICT,
	FAULT_FORBIDDEN,
	FAULT_FULL,
	FAULT_INVALID_JID,
	FAULT_INVALID_OPTIONS,
	FAULT_INVALID_PAYLOAD,
	FAULT_INVALID_SUBID,
	FAULT_ITEM_FORBIDDEN,
	FAULT_ITEM_NOT_FOUND,
	FAULT_ITEM_REQUIRED,
	FAULT_JID_REQUIRED,
	FAULT_MAX_ITEMS,
	FAULT_MAX_NODES,
	FAULT_NODEID_REQUIRED,
	FAULT_NODE_FULL,
	FAULT_NOT_ACCEPTABLE,
	FAULT_NOT_ALLOWED,
	FAULT_NOT_IN_ROSTER_GROUP,
	FAULT_NOT_SUBSCRIBED,
	FAULT_NOT_SUBSCRIBED_TO_READ,
	FAULT_OPTIONS_NOT_SUBSCRIBED,
	FAULT_PAYLOAD_REQUIRED,
	FAULT_PAYLOAD_TOO_BIG,
	FAULT_PENDING,
	FAULT_PRECONDITION,
	FAULT_PRESENCE_REQUIRED,
	FAULT_SUBID_REQUIRED,
	FAULT_TOO_MANY_SUBSCRIPTIONS,
	FAULT_TOO_OFTEN,
	FAULT_UNKNOWN,
	FAULT_UNSUPPORTED_ACCESS_MODEL,
	FAULT_UNSUPPORTED_COLLECTIONS,
	FAULT_UNSUPPORTED_PAGE,
	FAULT_UNSUPPORTED_PERSISTENT,
	FAULT_UNSUPPORTED_SUBSCRIBE,
	FAULT_COUNT
};

struct annex_error fault_error(enum fault fault);
enum annex_verdict refuse(struct request *rq, enum fault fault);
/* text in words for people, or NULL. */
enum annex_verdict refuse_saying(struct request *rq, enum fault fault, const char *text);
enum annex_verdict refuse_gone(struct request *rq);
/* What a put that failed is answered with. */
enum annex_verdict refuse_status(struct request *rq, int status);

/* The result to rq, however long it was held. */
struct annex_stanza *result(struct request *rq);
/* The same, with <pubsub/> of the namespace that was asked in. */
struct annex_stanza *answer(struct request *rq, struct annex_element **pubsub_r);

/* --- store.c ------------------------------------------------------------- */

enum {
	TABLE_NODES,
	TABLE_NUMBERS,
	TABLE_LISTED,
	TABLE_ITEMS,
	TABLE_ITEM_IDS,
	TABLE_SUBSCRIPTIONS,
	TABLE_SUBSCRIBERS,
	TABLE_PENDING,
	TABLE_AFFILIATIONS,
	TABLE_AFFILIATED,
	TABLE_OWNERS,
	TABLE_WAITING,
	TABLE_DELIVERIES,
	TABLE_TOLD,
	TABLE_CREATED,
	TABLE_SUBSCRIBED,
	TABLE_MEMBERS,
	TABLE_KEPT,
	TABLE_TYPES,
	TABLE_WORDS,
	TABLE_TERMS,
	TABLE_INDEXED,
	TABLE_UNINDEXED,
	TABLE_USAGE,
	TABLE_LEAVING,
	TABLE_MADE,
};
extern const struct annex_table pubsub_tables[];

struct annex_key key_of(int table);
struct annex_key key_text(int table, const char *text);
struct annex_key key_number(int table, uint64_t number);
struct annex_key key_numbers(int table, uint64_t number, uint64_t second);
struct annex_key key_number_text(int table, uint64_t number, const char *text);
/* Whether there are as many rows as may be; most 0: there may be any number. */
bool rows_reach(struct pubsub *p, const struct annex_key *prefix, uint64_t most);
/* Undo the turn where something had been written before: the put that failed must not stand alone. */
int must(struct pubsub *p, int status);

/* --- settings.c: the structs of forms as rows --------------------------------- */

/* What differs between values and baseline, both bound to fields. */
Pubsub__Setting **settings_pack(const struct annex_field *fields, const void *values,
    const void *baseline, size_t *count_r, struct annex_pool *pool);
/* values holds the baseline. */
void settings_unpack(const struct annex_field *fields, void *values,
    Pubsub__Setting *const *setting, size_t count, struct annex_pool *pool);

/* --- config.c ------------------------------------------------------------ */

extern const struct annex_form config_form;
extern const struct annex_field config_fields[];
/* What rows are kept relative to: never changes. */
extern const struct node_config config_baseline;
struct node_config config_preset(const struct pubsub *p);
/* Read a form into config.  FAULT_NONE, or what is wrong, *why saying more. */
enum fault config_read(const struct pubsub *p, const struct annex_element *x,
    struct node_config *config, struct annex_pool *pool, const char **why);
/* How many items a node keeps; seconds they live, 0 where for ever. */
uint64_t config_max_items(const struct pubsub *p, const struct node_config *config);
int64_t config_item_expire(const struct node_config *config);
int64_t config_max_payload(const struct pubsub *p, const struct node_config *config);
/* Take publish-options for the configuration of a node that is to be made; NULL, or why not. */
const char *config_take(const struct pubsub *p, const struct annex_element *x,
    struct node_config *config, struct annex_pool *pool);
/* Compare what is demanded with what is (§7.1.5): NULL, or why not. */
const char *config_unmet(const struct pubsub *p, const struct annex_element *x,
    const struct node_config *config, struct annex_pool *pool);

/* --- profile.c ------------------------------------------------------------ */

/* What a node of that name, and of that type (or NULL), is like unless its owner says otherwise. */
void profile_preset(const char *name, const char *type, struct node_config *config);
bool profile_is_feed(const struct node_config *config);
/* What a payload lacks, for people; NULL where that is nothing. */
const char *profile_misses(const struct node_config *config, const struct annex_element *payload);

/* --- node.c -------------------------------------------------------------- */

void nodes_init(struct pubsub *p);
/* Loaded where it is not; NULL where there is none.  A deleted one is found too: look at gone. */
struct node *node_find(struct pubsub *p, const char *name);
struct node *node_by_number(struct pubsub *p, uint64_t number);
const char *node_name_of(struct pubsub *p, uint64_t number);
/* Make one, with its owner, and write it; NULL with *status_r where that failed. */
struct node *node_make(struct pubsub *p, const char *name, const struct node_config *config,
    const char *owner, int *status_r);
/* The same for one that the service keeps. */
struct node *
node_make_kept(const struct kept *kept, const struct node_config *config, int *status_r);
int node_put(struct node *node) ANNEX_MUST_CHECK;
void node_forget(struct node *node);
/* Strings of config may be in scratch: the node keeps copies, beside those it had before.  Whoever
 * has configured one and is done with it calls node_tidy: where that happened often it is
 * forgotten, and with it what nobody uses any more. */
int node_configure(struct node *node, const struct node_config *config) ANNEX_MUST_CHECK;
void node_tidy(struct node **node);
struct annex_flow *node_flow(struct pubsub *p, uint64_t number);
/* The row that says who made it; those of one user are counted. */
struct annex_key made_key(const struct node *node);
/* Who may see that the node is there. */
bool node_is_listed(const struct node *node);

/* --- affiliation.c ------------------------------------------------------- */

const char *rank_name(enum rank rank);
int rank_read(const char *text, enum rank *rank_r) ANNEX_MUST_CHECK;
enum rank rank_of(const struct node *node, const char *bare);
enum rank rank_of_jid(const struct node *node, const struct annex_jid *jid);
int affiliation_put(struct node *node, const char *bare, enum rank rank) ANNEX_MUST_CHECK;
/* Bare JIDs of owners, at most most of them. */
size_t owners(const struct node *node, const char **jids, size_t most);

/* --- rights.c ------------------------------------------------------------ */

enum fault may_subscribe(const struct request *rq, bool *pending_r);
enum fault may_retrieve(const struct request *rq);
bool may_publish(
    const struct node_config *config, const struct node *node, enum rank rank, const char *bare);
bool may_retract(const struct request *rq, const Pubsub__Item *item);
bool may_create(const struct pubsub *p, const struct annex_jid *who);
bool item_is_by(const Pubsub__Item *item, const struct annex_jid *jid);
/* Whether who asks published it. */
bool item_is_of(const struct request *rq, const Pubsub__Item *item);

/* --- subscription.c ------------------------------------------------------ */

/* What a subscriber may set (§16.4.2). */
struct sub_options {
	bool deliver, digest, include_body;
	int64_t digest_frequency; /* milliseconds */
	const char *expire;       /* a date, "presence", or "" */
	struct annex_strings show_values;
	const char *type, *depth;
};
extern const struct annex_form options_form;
extern const struct annex_field options_fields[];
extern const struct sub_options options_baseline;

/* One subscription, read from the store; in scratch. */
struct sub {
	struct node *node;
	uint64_t number; /* 0: not in the store yet */
	const char *jid, *bare, *subid;
	enum state state;
	struct sub_options options;
	int64_t since_ms, bounce_ms;
	uint32_t bounces;
	bool warned;
	bool is_public, was_public; /* to be seen by everybody; in the store */
};

const char *state_name(enum state state);
int state_read(const char *text, enum state *state_r) ANNEX_MUST_CHECK;
struct sub sub_of_record(struct node *node, uint64_t number, const Pubsub__Subscription *record);
/* Those of a bare JID at a node, in the order they were made; at most most. */
size_t subs_of_bare(struct node *node, const char *bare, struct sub *subs, size_t most);
/* The subscriptions of exactly that JID; at most most. */
size_t subs_of_jid(struct node *node, const struct annex_jid *jid, struct sub *subs, size_t most);
/* The row by which a bare JID finds one of its subscriptions, and its place among all of them, go. */
int subscriber_remove(struct pubsub *p, const char *bare, uint64_t node, uint64_t number);
/* What a bare JID has best at a node. */
enum state state_of(const struct node *node, const char *bare);
/* The one of that number; false where there is none. */
bool sub_at(struct node *node, uint64_t number, struct sub *sub_r);
struct sub sub_make(struct node *node, const struct annex_jid *jid, enum state state);
int sub_put(struct sub *sub) ANNEX_MUST_CHECK;
int sub_remove(const struct sub *sub) ANNEX_MUST_CHECK;
uint64_t subs_count(const struct node *node);
/* The same without those that wait for approval. */
uint64_t subs_approved(const struct node *node);
uint64_t subs_last(const struct node *node);
/* <subscription/> as answers and events have it; node is left out where with_node is false. */
struct annex_element *sub_add(struct annex_element *parent, const struct sub *sub, bool with_node);

#define SUBS_MAX 32 /* of one JID at one node */

/* --- options.c, approve.c, bounce.c: what becomes of subscriptions -------------- */

enum fault options_read(const struct pubsub *p, const struct annex_element *x,
    struct sub_options *options, struct annex_pool *pool, const char **why);
/* Give it a state: written, told to the subscriber and to owners that want to know. */
int sub_change(struct sub *sub, enum state state) ANNEX_MUST_CHECK;
/* Take it away without a word to the subscriber, who cannot be reached. */
int sub_drop(struct sub *sub) ANNEX_MUST_CHECK;
/* Ask the owners about a pending one. */
void ask_owners(const struct sub *sub);
enum annex_verdict authorization(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict bounce(struct annex_instance *inst, const struct annex_stanza *in);
int run_pending(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);

/* --- presence.c ----------------------------------------------------------- */

/* Ask to see their presence, where something of the subscription depends on it: of those who
 * subscribe themselves.  Whom an owner subscribes is not prompted. */
int presence_ask(const struct sub *sub) ANNEX_MUST_CHECK;
/* Somebody has published: where items go with them that is noted, and their presence asked for. */
int presence_note_publisher(const struct node *node, const char *bare) ANNEX_MUST_CHECK;
/* Whether it is known that nobody is there. */
bool presence_is_offline(const struct pubsub *p, const char *bare);
/* Whether the subscriber is what they want to be for a notification (show-values). */
bool presence_suits(const struct pubsub *p, const struct sub *sub);
extern const struct annex_contacts pubsub_contacts;
enum annex_verdict presence(struct annex_instance *inst, const struct annex_stanza *in);

/* --- roster.c ------------------------------------------------------------- */

/* Whether a roster of an owner lets somebody in, in order of what counts. */
enum trust {
	TRUST_NO,
	TRUST_UNKNOWN, /* nobody tells */
	TRUST_LATER,   /* it can be asked for */
	TRUST_YES,
};

void rosters_init(struct pubsub *p);
void rosters_forget(struct pubsub *p);
enum trust roster_trust(const struct node *node, const char *bare);
/* Whether the request must wait for a roster; wait: it is run again then. */
bool roster_is_wanted(const struct request *rq);
enum annex_verdict roster_wait(struct request *rq);
/* Read those of the owners that are not known (any more): subscriptions are judged anew then. */
void roster_refresh(const struct node *node);
struct annex_roster_item;
void roster_pushed(
    struct annex_instance *inst, const char *account, const struct annex_roster_item *item);

/* --- expire.c ------------------------------------------------------------- */

/* Set the alarm by which the oldest item of a node goes, or none. */
int items_arrange(struct node *node) ANNEX_MUST_CHECK;
/* The same for the lease of a subscription. */
int lease_arrange(const struct sub *sub) ANNEX_MUST_CHECK;
void sub_alarms_clear(struct pubsub *p, uint64_t node, uint64_t number);
int digest_add(const struct sub *sub, const char *id, bool retracted) ANNEX_MUST_CHECK;
typedef void
alarm_fn(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms);
alarm_fn items_due, lease_due, digest_due, tombstone_due;

/* --- delete.c, configure.c ------------------------------------------------ */

/* Take away what a node has left: its rows and the items on the shelf; node 0: a shelf alone. */
int remains_start(struct pubsub *p, uint64_t node, uint64_t shelf) ANNEX_MUST_CHECK;
/* All items go, silently; and how that is told. */
int node_empty(struct node *node) ANNEX_MUST_CHECK;
void node_purge_told(struct node *node);
/* The node goes, and its subscribers are told; redirect is "" or where it is now. */
int node_delete(struct node *node, const char *redirect) ANNEX_MUST_CHECK;
/* Whether a subscription is still allowed, or a request needless: it is changed where not; of all
 * of a node by a job. */
void sub_judge(struct sub *sub);
int node_judge(struct node *node) ANNEX_MUST_CHECK;
typedef int job_fn(struct annex_instance *inst, struct annex_job_state *state, size_t limit);
job_fn remains_step, node_trim_step, node_judge_step, erase_step, kept_step, fulltext_step,
    order_step, leave_step;

/* --- kept.c, attach.c, public.c: nodes that the service keeps -------------- */

struct kept kept_read(struct pubsub *p, const char *name);
/* FAULT_NONE, or what making a node of that name is refused with. */
enum fault kept_create_fault(const char *name);
struct node_config kept_config(const struct node *target, enum role role);
struct node *kept_make(const struct kept *kept, int *status_r);
/* The node that rq->kept names, or NULL. */
struct node *kept_find(struct request *rq);
void kept_loaded(struct node *node);
/* The models of a target have changed: those that are loaded are forgotten, and read anew with them. */
void kept_refresh(const struct node *target);
/* What becomes of all that are kept of a target: subscriptions are judged anew; what is about items
 * goes; everything goes. */
enum kept_action { KEPT_JUDGE, KEPT_EMPTY, KEPT_DELETE };
int kept_follow(struct node *target, enum kept_action action) ANNEX_MUST_CHECK;
/* The payload of an item, or NULL; set it, told to subscribers, or with NULL take it away. */
const struct annex_element *kept_get(struct node *target, enum role role, const char *id);
int kept_set(struct node *target, enum role role, const char *id,
    const struct annex_element *payload) ANNEX_MUST_CHECK;
int kept_item_gone(struct node *target, const char *id) ANNEX_MUST_CHECK;

/* Whether who asks may attach that. */
enum fault attach_judge(const struct request *rq, const struct annex_element *item);
/* What is attached by an item of an attachments node; NULL of other nodes, and without one. */
const struct annex_element *attach_payload(const struct node *node, const Pubsub__Item *item);
/* Sum up: what somebody had attached, and has now; either may be NULL. */
int attach_follow(const struct node *node, const struct annex_element *before,
    const struct annex_element *after) ANNEX_MUST_CHECK;

/* A subscription was written, or is about to go. */
int public_follow(const struct sub *sub, bool is_there) ANNEX_MUST_CHECK;

/* --- item.c -------------------------------------------------------------- */

Pubsub__Item *item_on_shelf(struct pubsub *p, uint64_t shelf, const char *id, uint64_t *number_r);
Pubsub__Item *item_get(const struct node *node, const char *id, uint64_t *number_r);
/* The newest, or NULL. */
Pubsub__Item *item_last(const struct node *node, uint64_t *number_r);
/* The same of a node whose items are not stored: its last one is kept in memory, while there is room. */
void item_keep(struct node *node, const Pubsub__Item *item);
void item_forget(struct node *node);
const Pubsub__Item *item_kept(const struct node *node);
/* Write it as the newest; one of that id goes. */
int item_put(struct node *node, Pubsub__Item *item) ANNEX_MUST_CHECK;
/* The same where it is known which one goes, and its place; NULL and 0: none. */
int item_put_over(struct node *node, Pubsub__Item *item, const Pubsub__Item *old,
    uint64_t before) ANNEX_MUST_CHECK;
int item_remove(struct node *node, const Pubsub__Item *item, uint64_t number) ANNEX_MUST_CHECK;
uint64_t items_count(const struct node *node);
/* Bytes of one, and of all of a node. */
uint64_t item_bytes(const Pubsub__Item *item);
uint64_t items_bytes(const struct node *node);
/* One that sorts by the time it was made. */
const char *item_new_id(struct pubsub *p);
/* Remove the oldest above keep items, and above max-node-bytes; at most most of them; their ids, in
 * scratch. */
struct annex_strings items_trim(struct node *node, uint64_t keep, size_t most);
/* Append <item/> as it is shown: with its payload where payload is true; item_add_with: with this one, or
 * none where it is NULL. */
struct annex_element *item_add(
    struct annex_element *parent, const struct node *node, const Pubsub__Item *item, bool payload);
struct annex_element *item_add_with(struct annex_element *parent, const struct node *node,
    const Pubsub__Item *item, const struct annex_element *payload);

/* --- words.c, fulltext.c ---------------------------------------------------- */

/* Each once, folded; in pool. */
struct annex_strings words_of_text(const char *text, struct annex_pool *pool);
struct annex_strings words_of_item(const Pubsub__Item *item, struct annex_pool *pool);
/* An item came, and what was at the place gone (or 0) went: the index will follow. */
int fulltext_follow(struct node *node, uint64_t gone) ANNEX_MUST_CHECK;
/* The index is made, or goes, as the configuration wants it. */
int fulltext_start(struct node *node) ANNEX_MUST_CHECK;

/* --- page.c --------------------------------------------------------------- */

/*
 * Rows of a counted table as a source of pages.  Items (by publishing, TABLE_ITEMS, or by
 * creation, TABLE_CREATED) are named by their ItemID, other rows by their number.
 */
struct rows {
	struct pubsub *p;
	struct annex_key prefix; /* all but the number */
	uint64_t low, high; /* numbers that bound them, themselves left out; 0 where they do not */
	bool newest_first;
	bool by_creation;       /* items in the order of their creation, in either table */
	bool by_place;          /* items are named by their place in the order of publishing */
	bool for_disco;         /* items as struct annex_disco_item */
	bool without_pending;   /* subscriptions of a node, oldest first */
	uint64_t pending_count; /* page.c's */
};
struct annex_source rows_source(struct rows *rows);
uint64_t row_number(const char *id);
bool rows_are_of(const struct rows *rows, int table);
/* The number of the row, the item, that an id names; 0 and NULL where there is none. */
uint64_t row_place(const struct rows *rows, const char *id);
Pubsub__Item *row_item(const struct rows *rows, const char *id);
struct annex_key word_key(uint64_t shelf, const char *word);
/* Turn rows of items, by place, into those that have the rarest of some words: the others are left in
 * words; and whether an item has all of some. */
int fulltext_rows(struct rows *rows, struct annex_strings *words) ANNEX_MUST_CHECK;
bool fulltext_has(const struct rows *rows, const struct annex_strings *words, uint64_t place);
/* What a page that could not be fetched is refused with. */
enum fault page_fault(int status);
/*
 * An answer is bounded by bytes as well: leave out what does not fit, at the end that is
 * farther from where the page began; it is asked for by the next.
 */
size_t item_size(const void *item);
void page_fit(struct annex_page_result *found, const struct annex_page *page,
    size_t (*size_of)(const void *item));

/* listing.c: an answer that is a list called name, of the node that was asked for, if one was; sent with
 * its page where one was asked for or it is not all. */
struct annex_element *
listing_begin(struct request *rq, const char *name, struct annex_stanza **out_r);
enum annex_verdict
listing_send(struct request *rq, struct annex_stanza *out, const struct annex_element *list,
    const struct annex_page *page, const struct annex_page_result *found);

/* --- order.c -------------------------------------------------------------- */

/* Items of a node, in the order that query asks for (XEP-0413); without an order the newest first. */
enum fault rows_of_items(
    struct rows *rows, const struct node *node, const struct annex_element *query) ANNEX_MUST_CHECK;
/* Whether they are no longer in the order that was asked for, since it has parted from the other. */
bool rows_have_parted(const struct rows *rows, const struct node *node);
/* An item was put at number, and no longer is at before (or 0). */
int order_follow(
    struct node *node, const Pubsub__Item *item, uint64_t number, uint64_t before) ANNEX_MUST_CHECK;
/* It goes. */
int order_forget(const struct node *node, const Pubsub__Item *item) ANNEX_MUST_CHECK;

/* --- notify.c ------------------------------------------------------------ */

enum event {
	EVENT_ITEMS,  /* published or retracted: who wants items */
	EVENT_NODE,   /* configured, purged: who is subscribed */
	EVENT_DELETE, /* whoever had anything to do with it */
};

/* A message with <event/> in it; to NULL where it is for many. */
struct annex_stanza *
event_build(const struct node *node, const char *to, struct annex_element **event_r);
/*
 * To all that are concerned, in the flow of the node; in turns of its own where they are many.
 * body (or NULL) is for those who asked for bodies; ids are the items it is about, for digests.
 */
struct notice {
	enum event event;
	struct annex_stanza *message;
	const char *body;
	struct annex_strings ids;
	bool retracted;
};
void notify(struct node *node, const struct notice *notice);
/* Whether an event goes to anybody; where it does not it need not be built. */
bool is_heard(struct node *node);
/* An item (or NULL) was published; payload is that of item, for bodies. */
void tell_items(struct node *node, const Pubsub__Item *item, const struct annex_element *payload);
void tell_retracted(struct node *node, const struct annex_strings *ids);
/* The text of a payload for people, or NULL (Atom: title and summary). */
const char *body_of(const struct annex_element *payload, struct annex_pool *pool);
/* One subscriber (or owner) is told what a subscription is now. */
void tell_subscription(const struct sub *sub, const char *to);
/* Somebody is told what they may do now, where such is told at all. */
void tell_affiliation(const struct node *node, const char *bare, enum rank rank);
/* Owners that want to know (notify_sub). */
void tell_owners_of(const struct sub *sub);
void send_last(const struct sub *sub);

/* --- fan.c --------------------------------------------------------------- */

/* An event on its way to the subscriptions of a node. */
struct delivery {
	uint64_t node, next, last; /* the numbers of subscriptions still to come */
	enum event event;
	const struct annex_element *message;
	const char *body;
	struct annex_strings ids;
	bool retracted, to_online;
	bool is_kept; /* in the store: it is said again after a loss of the link */
};

/* Tell the next subscribers-per-turn of them; whether that was all.  node: where it is at hand, or
 * NULL. */
bool tell_some(struct pubsub *p, struct node *node, struct delivery *d);
/* Tell the audience of a node, which it has. */
void tell_audience(struct node *node, const struct delivery *d);
/* Who is subscribed changes. */
void audience_forget(struct node *node);

/* --- delivery.c ---------------------------------------------------------- */

void deliveries_init(struct pubsub *p);
void delivery_link_up(struct pubsub *p);
void delivery_link_down(struct pubsub *p);
/* Whether somebody is still to be told of something of the node. */
bool delivery_goes_on(const struct pubsub *p, uint64_t node);
/* Whether an event of the node is for more than one turn tells, or behind one that was. */
bool delivery_is_due(const struct node *node);
/* Whether there is room for another event of the node. */
bool delivery_has_room(const struct node *node);
int delivery_add(struct pubsub *p, const struct delivery *d) ANNEX_MUST_CHECK;
/* Once all has been told, the remains of a deleted node are taken away. */
int delivery_add_end(const struct node *node) ANNEX_MUST_CHECK;

/* --- The operations --------------------------------------------------------- */

typedef enum annex_verdict operation_fn(struct request *rq);

struct operation {
	const char *ns;
	enum annex_kind kind;
	const char *name;
	operation_fn *run;
	enum { NODE_NONE, NODE_OPTIONAL, NODE_REQUIRED, NODE_OWNED } node;
	enum fault unnamed; /* where a node is required and none named */
	/* With a node that the service keeps: of attachments alone; any; and one is made where there
	 * is none. */
	enum { KEPT_NEVER, KEPT_ATTACHMENTS, KEPT_ANY, KEPT_AT_ONCE } kept;
};

/* The JID in <... jid='...'/>: who asks, but for admins; other is the fault where it is not. */
enum fault subscriber_of(struct request *rq, const struct annex_jid **jid_r, enum fault other);
/* Whether there is room for another of a JID (§6.1.3.8): pending: for a request. */
enum fault sub_has_room(struct node *node, const struct annex_jid *jid, bool pending);
/* The subscription named by jid and subid; missing is the fault where there is none. */
enum fault
sub_named(struct request *rq, const struct annex_jid *jid, enum fault missing, struct sub *sub_r);

void archives_init(struct pubsub *p);
enum annex_verdict archive_query(struct request *rq);
enum annex_verdict archive_get(struct annex_instance *inst, const struct annex_stanza *in);
operation_fn create, publish, retract, retrieve, subscribe, unsubscribe, purge, delete_node;
operation_fn options_get, options_set, options_default;
operation_fn configure_get, configure_set, configure_default;
operation_fn own_subscriptions, own_affiliations;
operation_fn node_subscriptions, node_subscriptions_set, node_affiliations, node_affiliations_set;
/* Make a node for who publishes to none; FAULT_NONE, or why not. */
enum fault node_may_be_made(const struct request *rq);

extern const struct annex_disco pubsub_disco;
/* The number of a node of that name that is listed, or 0; and one as an item of the service. */
uint64_t listed_number(struct pubsub *p, const char *name);
bool listed_take(struct pubsub *p, const Pubsub__Listed *record, annex_take_fn *take, void *taker);
/* Nodes as <filter/> wants them; ANNEX_EINVAL where it is none. */
int filter_source(struct pubsub *p, const struct annex_element *filter,
    struct annex_source *source_r) ANNEX_MUST_CHECK;

/* --- commands.c, person.c: for operators ---------------------------------------- */

struct command_values {
	const char *node, *jid, *redirect, *after;
};
extern const struct annex_command pubsub_commands[];
typedef int
run_fn(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
run_fn run_export, run_erase;
/* What somebody published goes, where it is there as long as they are (purge_offline): by a job. */
int leave_start(struct pubsub *p, const char *bare) ANNEX_MUST_CHECK;

#endif /* PUBSUB_H */
