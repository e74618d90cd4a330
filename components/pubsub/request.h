/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * request.h - a request, who may make it, and how it is answered
 */
#ifndef PUBSUB_REQUEST_H
#define PUBSUB_REQUEST_H

#include <annex/component.h>
#include <annex/iq.h>

#include "fault.h"
#include "node.h"
#include "subscription.h"

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

/* --- fault.c ------------------------------------------------------------- */

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

/* --- The operations --------------------------------------------------------- */

/* The JID in <... jid='...'/>: who asks, but for admins; other is the fault where it is not. */
enum fault subscriber_of(struct request *rq, const struct annex_jid **jid_r, enum fault other);
/* Whether there is room for another of a JID (§6.1.3.9): pending: for a request. */
enum fault sub_has_room(struct node *node, const struct annex_jid *jid, bool pending);
/* The subscription named by jid and subid; missing is the fault where there is none. */
enum fault
sub_named(struct request *rq, const struct annex_jid *jid, enum fault missing, struct sub *sub_r);

operation_fn create, publish, retract, retrieve, subscribe, unsubscribe, purge, delete_node;
operation_fn options_get, options_set, options_default;
operation_fn configure_get, configure_set, configure_default;
operation_fn own_subscriptions, own_affiliations;
operation_fn node_subscriptions, node_subscriptions_set, node_affiliations, node_affiliations_set;
/* Make a node for who publishes to none; FAULT_NONE, or why not. */
enum fault node_may_be_made(const struct request *rq);

void archives_init(struct pubsub *p);
enum annex_verdict archive_run(struct request *rq);

#endif /* PUBSUB_REQUEST_H */
