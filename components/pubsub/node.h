/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * node.h - nodes, what they are like, and who has them
 *
 * A struct node is a cache of one row: it is loaded when somebody asks for it
 * and forgotten when it is the one used longest ago.  The store is written first and
 * memory second.
 */
#ifndef PUBSUB_NODE_H
#define PUBSUB_NODE_H

#include <annex/flow.h>
#include <annex/form.h>
#include <annex/list.h>
#include <annex/store.h>

#include "fault.h"
#include "pubsub.pb-c.h"

struct pubsub;
struct request;
struct sub;

/* XEP-0060 §4.1, in order of what they may. */
enum rank {
	RANK_OUTCAST = -1,
	RANK_NONE,
	RANK_MEMBER,
	RANK_PUBLISH_ONLY,
	RANK_PUBLISHER,
	RANK_OWNER
};

/* Nodes that the service keeps (kept.c); as in the store. */
enum role { ROLE_NONE, ROLE_ATTACHMENTS, ROLE_SUMMARY, ROLE_SUBSCRIBERS, ROLE_RESERVED };

/* How items were created (order.c), other than they were published last; as in the store. */
enum order { ORDER_OWN, ORDER_SAME, ORDER_PARTING };

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

/* What the name of a kept node says. */
struct kept {
	enum role role;
	const char *name;    /* in the one spelling it has here */
	struct node *target; /* NULL where there is none */
	const char *item;    /* of attachments: to which */
};

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
/* The same once it is deleted, oldest first. */
struct annex_key tombstone_key(const struct node *node);
/* Who may see that the node is there. */
bool node_is_listed(const struct node *node);

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

/* --- affiliation.c ------------------------------------------------------- */

const char *rank_name(enum rank rank);
int rank_read(const char *text, enum rank *rank_r) ANNEX_MUST_CHECK;
enum rank rank_of(const struct node *node, const char *bare);
enum rank rank_of_jid(const struct node *node, const struct annex_jid *jid);
int affiliation_put(struct node *node, const char *bare, enum rank rank) ANNEX_MUST_CHECK;
/* Bare JIDs of owners, at most most of them. */
size_t owners(const struct node *node, const char **jids, size_t most);
/* The same of publishers, among those who have been affiliated longest. */
size_t publishers(const struct node *node, const char **jids, size_t most);

/* --- create.c, delete.c, configure.c ------------------------------------------------ */

/* Whether somebody has made as many nodes as may be. */
bool nodes_reach(struct pubsub *p, const struct annex_jid *who);
/* Another configuration, and what follows from it. */
int node_reconfigure(struct node *node, const struct node_config *config) ANNEX_MUST_CHECK;
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

#endif /* PUBSUB_NODE_H */
