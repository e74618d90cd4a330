/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * rights.c - who may do what (XEP-0060 §4.1, §4.5 and §4.6), as tables
 *
 * What an affiliation leaves open the access model decides, or the publish
 * model.  Where an affiliation of none may read an open node although the table of §4.1
 * says no, the model wins.  Purging, configuring and deleting are for owners:
 * the operations say so themselves.
 */
#include <string.h>

#include "pubsub.h"

enum verdict { NO, YES, BY_MODEL };
enum which { NONE, OWN, ANY };

static const struct right {
	enum verdict subscribe, retrieve, publish;
	enum which retract;
} rights[] = {
	[RANK_OUTCAST + 1] = { NO, NO, NO, NONE },
	[RANK_NONE + 1] = { BY_MODEL, BY_MODEL, BY_MODEL, OWN },
	[RANK_MEMBER + 1] = { YES, YES, BY_MODEL, OWN },
	[RANK_PUBLISH_ONLY + 1] = { NO, NO, YES, OWN },
	[RANK_PUBLISHER + 1] = { YES, YES, YES, OWN },
	[RANK_OWNER + 1] = { YES, YES, YES, ANY },
};

static const struct right *
right_of(enum rank rank)
{
	return &rights[rank + 1];
}

/* What strangers meet.  Of presence and roster that is for those whom no roster lets in. */
static const struct model {
	const char *name;
	enum fault subscribe, retrieve;
	bool pending, subscribers; /* a request is made; who is subscribed may read */
} models[] = {
	{ "open", FAULT_NONE, FAULT_NONE, false, true },
	{ "presence", FAULT_PRESENCE_REQUIRED, FAULT_PRESENCE_REQUIRED, false, true },
	{ "roster", FAULT_NOT_IN_ROSTER_GROUP, FAULT_NOT_IN_ROSTER_GROUP, false, true },
	{ "authorize", FAULT_NONE, FAULT_NOT_SUBSCRIBED_TO_READ, true, true },
	{ "whitelist", FAULT_CLOSED_NODE, FAULT_CLOSED_NODE, false, false },
};

static const struct model *
model_of(const struct node_config *config)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++)
		if (strcmp(models[i].name, config->access_model) == 0)
			return &models[i];
	return &models[sizeof(models) / sizeof(*models) - 1];
}

enum fault
may_subscribe(const struct request *rq, bool *pending_r)
{
	const struct model *model = model_of(&rq->node->config);

	*pending_r = false;
	if (!rq->node->config.subscribe && rq->rank != RANK_OWNER)
		return FAULT_UNSUPPORTED_SUBSCRIBE;
	switch (right_of(rq->rank)->subscribe) {
	case NO:
		return FAULT_FORBIDDEN;
	case YES:
		return FAULT_NONE;
	case BY_MODEL:
		break;
	}
	*pending_r = model->pending;
	return roster_trust(rq->node, rq->in->from->bare) == TRUST_YES ? FAULT_NONE
								       : model->subscribe;
}

enum fault
may_retrieve(const struct request *rq)
{
	const struct model *model = model_of(&rq->node->config);

	switch (right_of(rq->rank)->retrieve) {
	case NO:
		return FAULT_FORBIDDEN;
	case YES:
		return FAULT_NONE;
	case BY_MODEL:
		break;
	}
	if (model->retrieve != FAULT_NONE && model->subscribers &&
	    state_of(rq->node, rq->in->from->bare) == STATE_SUBSCRIBED)
		return FAULT_NONE;
	return roster_trust(rq->node, rq->in->from->bare) == TRUST_YES ? FAULT_NONE
								       : model->retrieve;
}

/* node NULL: one that is to be made, by its owner. */
bool
may_publish(
    const struct node_config *config, const struct node *node, enum rank rank, const char *bare)
{
	if (right_of(rank)->publish != BY_MODEL)
		return right_of(rank)->publish == YES;
	if (strcmp(config->publish_model, "open") == 0)
		return true;
	return strcmp(config->publish_model, "subscribers") == 0 && node != NULL &&
	    state_of(node, bare) == STATE_SUBSCRIBED;
}

/* A bare JID is that of all its resources. */
bool
item_is_by(const Pubsub__Item *item, const struct annex_jid *jid)
{
	size_t len = strlen(jid->full);

	return strncmp(item->publisher, jid->full, len) == 0 &&
	    (item->publisher[len] == '\0' ||
		(jid->resource == NULL && item->publisher[len] == '/'));
}

bool
item_is_of(const struct request *rq, const Pubsub__Item *item)
{
	const struct annex_jid *publisher = annex_jid(rq->in->pool, item->publisher);

	return publisher != NULL && annex_jid_bare_equal(publisher, rq->in->from);
}

bool
may_retract(const struct request *rq, const Pubsub__Item *item)
{
	if (rq->rank == RANK_PUBLISHER && strcmp(rq->p->set->retract, "any") == 0)
		return true;
	switch (right_of(rq->rank)->retract) {
	case NONE:
		return false;
	case OWN:
		return item_is_of(rq, item);
	case ANY:
		break;
	}
	return true;
}

bool
may_create(const struct pubsub *p, const struct annex_jid *who)
{
	return annex_is_admin(p->inst, who) || annex_matches_any(p->inst, &p->set->create, who);
}
