/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fault.c - what is refused, and how, as one table
 *
 * The sections are those of XEP-0060 whose list of errors has the case.  The
 * type is the condition's own (RFC 6120 §8.3.3) where the table says nothing.
 */
#include "pubsub.h"

#define PLAIN(condition_)                 \
	{                                 \
		.condition = (condition_) \
	}
#define WITH(condition_, type_, name_)                                           \
	{                                                                        \
		.condition = (condition_), .type = (type_), .app_ns = NS_ERRORS, \
		.app_name = (name_)                                              \
	}
#define UNSUPPORTED(feature_)                                                             \
	{                                                                                 \
		.condition = ANNEX_FEATURE_NOT_IMPLEMENTED, .type = ANNEX_ERROR_CANCEL,   \
		.app_ns = NS_ERRORS, .app_name = "unsupported", .app_feature = (feature_) \
	}

static const struct annex_error faults[FAULT_COUNT] = {
	[FAULT_BAD_REQUEST] = PLAIN(ANNEX_BAD_REQUEST),
	[FAULT_CLOSED_NODE] = WITH(ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL, "closed-node"),
	[FAULT_CONFLICT] = PLAIN(ANNEX_CONFLICT),
	[FAULT_FORBIDDEN] = PLAIN(ANNEX_FORBIDDEN),
	[FAULT_FULL] = PLAIN(ANNEX_RESOURCE_CONSTRAINT),
	/* §6.1.3.1 */
	[FAULT_INVALID_JID] = WITH(ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "invalid-jid"),
	/* §6.3.6.2 */
	[FAULT_INVALID_OPTIONS] = WITH(ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "invalid-options"),
	/* §7.1.3.6 */
	[FAULT_INVALID_PAYLOAD] = WITH(ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "invalid-payload"),
	/* §6.2.3.5 */
	[FAULT_INVALID_SUBID] = WITH(ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_MODIFY, "invalid-subid"),
	[FAULT_ITEM_FORBIDDEN] = WITH(ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "item-forbidden"),
	[FAULT_ITEM_NOT_FOUND] = PLAIN(ANNEX_ITEM_NOT_FOUND),
	[FAULT_ITEM_REQUIRED] = WITH(ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "item-required"),
	[FAULT_JID_REQUIRED] = WITH(ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "jid-required"),
	[FAULT_MAX_ITEMS] = WITH(ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL, "max-items-exceeded"),
	[FAULT_MAX_NODES] = WITH(ANNEX_POLICY_VIOLATION, ANNEX_ERROR_WAIT, "max-nodes-exceeded"),
	[FAULT_NODEID_REQUIRED] = WITH(ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "nodeid-required"),
	/* §7.1.3.4; the schema of #errors forgot it. */
	[FAULT_NODE_FULL] = WITH(ANNEX_CONFLICT, ANNEX_ERROR_CANCEL, "node-full"),
	[FAULT_NOT_ACCEPTABLE] = PLAIN(ANNEX_NOT_ACCEPTABLE),
	[FAULT_NOT_ALLOWED] = PLAIN(ANNEX_NOT_ALLOWED),
	/* §6.1.3.3 */
	[FAULT_NOT_IN_ROSTER_GROUP] =
	    WITH(ANNEX_NOT_AUTHORIZED, ANNEX_ERROR_AUTH, "not-in-roster-group"),
	/* §6.2.3.2 */
	[FAULT_NOT_SUBSCRIBED] =
	    WITH(ANNEX_UNEXPECTED_REQUEST, ANNEX_ERROR_CANCEL, "not-subscribed"),
	/* §6.5.9.3 */
	[FAULT_NOT_SUBSCRIBED_TO_READ] =
	    WITH(ANNEX_NOT_AUTHORIZED, ANNEX_ERROR_AUTH, "not-subscribed"),
	/* §6.3.4.2 */
	[FAULT_OPTIONS_NOT_SUBSCRIBED] =
	    WITH(ANNEX_UNEXPECTED_REQUEST, ANNEX_ERROR_MODIFY, "not-subscribed"),
	[FAULT_OWNER_FULL] = { .condition = ANNEX_POLICY_VIOLATION, .type = ANNEX_ERROR_WAIT },
	[FAULT_PAYLOAD_REQUIRED] = WITH(ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "payload-required"),
	[FAULT_PAYLOAD_TOO_BIG] = WITH(ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_MODIFY, "payload-too-big"),
	/* §6.1.3.7 */
	[FAULT_PENDING] = WITH(ANNEX_NOT_AUTHORIZED, ANNEX_ERROR_AUTH, "pending-subscription"),
	/* §7.1.5 */
	[FAULT_PRECONDITION] = WITH(ANNEX_CONFLICT, ANNEX_ERROR_CANCEL, "precondition-not-met"),
	/* §6.1.3.2 */
	[FAULT_PRESENCE_REQUIRED] =
	    WITH(ANNEX_NOT_AUTHORIZED, ANNEX_ERROR_AUTH, "presence-subscription-required"),
	[FAULT_SUBID_REQUIRED] = WITH(ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "subid-required"),
	/* §6.1.3.9 */
	[FAULT_TOO_MANY_SUBSCRIPTIONS] =
	    WITH(ANNEX_POLICY_VIOLATION, ANNEX_ERROR_WAIT, "too-many-subscriptions"),
	[FAULT_TOO_OFTEN] = { .condition = ANNEX_POLICY_VIOLATION, .type = ANNEX_ERROR_WAIT },
	[FAULT_UNKNOWN] = PLAIN(ANNEX_FEATURE_NOT_IMPLEMENTED),
	/* §8.1.3 */
	[FAULT_UNSUPPORTED_ACCESS_MODEL] =
	    WITH(ANNEX_NOT_ACCEPTABLE, ANNEX_ERROR_MODIFY, "unsupported-access-model"),
	[FAULT_UNSUPPORTED_COLLECTIONS] = UNSUPPORTED("collections"),
	[FAULT_UNSUPPORTED_PAGE] = PLAIN(ANNEX_FEATURE_NOT_IMPLEMENTED),
	[FAULT_UNSUPPORTED_PERSISTENT] = UNSUPPORTED("persistent-items"),
	[FAULT_UNSUPPORTED_SUBSCRIBE] = UNSUPPORTED("subscribe"),
};

struct annex_error
fault_error(enum fault fault)
{
	return faults[fault];
}

static enum annex_verdict
refuse_with(struct request *rq, const struct annex_error *error)
{
	if (rq->hold == 0)
		return annex_refuse_with(rq->p->inst, rq->in, error);
	annex_refuse_held(rq->p->inst, rq->hold, error);
	return ANNEX_DONE;
}

enum annex_verdict
refuse_saying(struct request *rq, enum fault fault, const char *text)
{
	struct annex_error error = faults[fault];

	error.text = text;
	return refuse_with(rq, &error);
}

enum annex_verdict
refuse(struct request *rq, enum fault fault)
{
	return refuse_saying(rq, fault, NULL);
}

/* §6.1.3.11: moved, or gone for good. */
enum annex_verdict
refuse_gone(struct request *rq)
{
	const char *uri = rq->node->redirect;
	const struct annex_error error = { .condition = ANNEX_GONE,
		.type = ANNEX_ERROR_MODIFY,
		.uri = uri[0] == '\0' ? NULL : uri };

	return refuse_with(rq, &error);
}

enum annex_verdict
refuse_status(struct request *rq, int status)
{
	(void)status; /* of one that failed the turn is undone, and this with it */
	return refuse_saying(rq, FAULT_FULL, "There is no room for more now.");
}

struct annex_stanza *
result(struct request *rq)
{
	struct annex_stanza *out =
	    rq->hold == 0 ? annex_reply(rq->p->inst, rq->in) : annex_release(rq->p->inst, rq->hold);

	/* Too late: it has been answered, and this goes nowhere. */
	return out != NULL ? out : annex_reply(rq->p->inst, rq->in);
}

struct annex_stanza *
answer(struct request *rq, struct annex_element **pubsub_r)
{
	struct annex_stanza *out = result(rq);

	*pubsub_r = annex_add(out->element, rq->in->payload->ns, "pubsub");
	return out;
}
