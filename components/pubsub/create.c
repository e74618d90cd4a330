/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * create.c - nodes come into being (XEP-0060 §8.1): with a name or without one,
 * as the service has them or configured at once
 */
#include <string.h>

#include "pubsub.h"

bool
nodes_reach(struct pubsub *p, const struct annex_jid *who)
{
	struct annex_key made = key_text(TABLE_MADE, who->bare);

	return !annex_is_admin(p->inst, who) && rows_reach(p, &made, (uint64_t)p->set->max_nodes);
}

enum fault
node_may_be_made(const struct request *rq)
{
	const struct pubsub *p = rq->p;
	const struct annex_jid *who = rq->in->from;

	if (!may_create(p, who))
		return FAULT_FORBIDDEN;
	return nodes_reach(rq->p, who) ? FAULT_MAX_NODES : FAULT_NONE;
}

/* §8.1.3: <configure/> may be empty, and must not name a node. */
static enum fault
config_of(struct request *rq, struct node_config *config, const char **why)
{
	const struct annex_element *configure = annex_child_after(rq->el, NS_PUBSUB, "configure");
	const struct annex_element *x;
	enum fault fault;

	*config = config_preset(rq->p);
	*why = NULL;
	/* §8.1.2: the attributes of an old version of the protocol. */
	if (annex_attr(rq->el, "type") != NULL &&
	    strcmp(annex_attr(rq->el, "type"), "collection") == 0)
		return FAULT_UNSUPPORTED_COLLECTIONS;
	x = configure == NULL ? NULL : annex_child(configure, ANNEX_NS_FORM, "x");
	profile_preset(rq->name, x == NULL ? NULL : annex_form_value(x, "pubsub#type"), config);
	if (configure == NULL)
		return FAULT_NONE;
	if (annex_attr(configure, "node") != NULL)
		return FAULT_BAD_REQUEST;
	if (x == NULL)
		return FAULT_NONE;
	if (annex_form_is_cancelled(x))
		return FAULT_BAD_REQUEST;
	fault = config_read(rq->p, x, config, rq->in->pool, why);
	return fault;
}

enum annex_verdict
create(struct request *rq)
{
	struct annex_element *pubsub;
	struct annex_stanza *out;
	struct node_config config;
	const char *why;
	enum fault fault;
	int status;

	if ((fault = kept_create_fault(rq->name)) != FAULT_NONE)
		return refuse(rq, fault);
	if (rq->node != NULL && !rq->node->gone)
		return refuse(rq, FAULT_CONFLICT);
	if ((fault = node_may_be_made(rq)) != FAULT_NONE)
		return refuse(rq, fault);
	if ((fault = config_of(rq, &config, &why)) != FAULT_NONE)
		return refuse_saying(rq, fault, why);
	if (rq->name == NULL)
		rq->name = annex_random_id(rq->p->inst);
	rq->node = node_make(rq->p, rq->name, &config, rq->in->from->bare, &status);
	if (rq->node == NULL)
		return refuse_status(rq, status);
	out = answer(rq, &pubsub);
	annex_attr_set(annex_add(pubsub, NULL, "create"), "node", rq->name);
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}
