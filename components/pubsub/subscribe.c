/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * subscribe.c - subscriptions come and go (XEP-0060 §6.1 and §6.2)
 */
#include <string.h>

#include "pubsub.h"

enum fault
subscriber_of(struct request *rq, const struct annex_jid **jid_r, enum fault other)
{
	const char *text = annex_attr(rq->el, "jid");

	if (text == NULL)
		return FAULT_JID_REQUIRED;
	if ((*jid_r = annex_jid(rq->in->pool, text)) == NULL)
		return FAULT_INVALID_JID;
	if (!annex_jid_bare_equal(*jid_r, rq->in->from) &&
	    !annex_is_admin(rq->p->inst, rq->in->from))
		return other;
	return FAULT_NONE;
}

/* with_options: as they are now, where they came with the request (§6.3.7). */
static enum annex_verdict
confirm(struct request *rq, const struct sub *sub, bool with_options)
{
	struct annex_element *pubsub;
	struct annex_stanza *out = answer(rq, &pubsub);

	sub_add(pubsub, sub, true);
	if (with_options)
		annex_form_add(
		    annex_add(pubsub, NULL, "options"), &options_form, "result", &sub->options);
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

/* As many as one user may have, here and at all nodes, and the node. */
enum fault
sub_has_room(struct node *node, const struct annex_jid *jid, bool pending)
{
	struct pubsub *p = node->p;
	struct annex_key all = key_text(TABLE_SUBSCRIBED, jid->bare);
	struct annex_key here = key_text(TABLE_SUBSCRIBERS, jid->bare);
	struct annex_key requests = key_number(TABLE_PENDING, node->number);
	struct annex_key of_node = key_number(TABLE_SUBSCRIPTIONS, node->number);

	annex_key_u64(&here, node->number);
	if (rows_reach(p, &here, (uint64_t)p->set->max_subscriptions) ||
	    rows_reach(p, &all, (uint64_t)p->set->max_subscribed) ||
	    rows_reach(p, &requests, pending ? (uint64_t)p->set->max_pending : 0) ||
	    rows_reach(p, &of_node, (uint64_t)p->set->max_subscribers))
		return FAULT_TOO_MANY_SUBSCRIPTIONS;
	return FAULT_NONE;
}

/* §6.3.7: options may come with the request, and then name nothing themselves. */
static enum fault
options_with(struct request *rq, struct sub *sub, bool *given_r, const char **why)
{
	const struct annex_element *el = annex_child_after(rq->el, NS_PUBSUB, "options");
	const struct annex_element *x = el == NULL ? NULL : annex_child(el, ANNEX_NS_FORM, "x");

	*given_r = x != NULL && !annex_form_is_cancelled(x);
	if (el != NULL && (annex_attr(el, "node") != NULL || annex_attr(el, "jid") != NULL))
		return FAULT_BAD_REQUEST;
	return *given_r ? options_read(rq->p, x, &sub->options, rq->in->pool, why) : FAULT_NONE;
}

/* XEP-0465 §4.1 */
static bool
is_public(const struct request *rq)
{
	return annex_child(rq->el, NS_PUBLIC, "public") != NULL;
}

/* §6.1.6: again is as before, but for whether everybody may see it (XEP-0465 §4.3). */
static enum annex_verdict
subscribe_again(struct request *rq, struct sub *sub)
{
	int status;

	if (sub->is_public != is_public(rq)) {
		sub->is_public = is_public(rq);
		if ((status = sub_put(sub)) < 0)
			return refuse_status(rq, status);
	}
	return confirm(rq, sub, false);
}

static enum annex_verdict
subscribe_anew(struct request *rq, const struct annex_jid *jid, bool pending)
{
	struct sub sub = sub_make(rq->node, jid, pending ? STATE_PENDING : STATE_SUBSCRIBED);
	const char *why = NULL;
	enum fault fault;
	bool given;
	int status;

	if ((fault = options_with(rq, &sub, &given, &why)) != FAULT_NONE)
		return refuse_saying(rq, fault, why);
	sub.is_public = is_public(rq);
	if ((status = sub_put(&sub)) < 0 || (status = must(rq->p, presence_ask(&sub))) < 0)
		return refuse_status(rq, status);
	annex_count(rq->p->subscribed, 1);
	confirm(rq, &sub, given);
	if (pending)
		ask_owners(&sub, annex_lang(rq->in->element));
	tell_owners_of(&sub);
	send_last(&sub);
	return ANNEX_DONE;
}

/* Owners are told: of a request, of a subscriber where they want that.  Who comes and goes all the time
 * must not be as much mail to them. */
static bool
is_too_often(const struct request *rq, bool pending)
{
	struct pubsub *p = rq->p;
	const char *key = annex_sprintf(annex_scratch(p->inst), "%llu %s",
	    (unsigned long long)rq->node->number, rq->in->from->bare);

	return (pending || rq->node->config.notify_sub) && !annex_is_admin(p->inst, rq->in->from) &&
	    !annex_buckets_take(p->asking, key, 1, annex_now_ms(p->inst));
}

enum annex_verdict
subscribe(struct request *rq)
{
	struct sub subs[SUBS_MAX];
	const struct annex_jid *jid;
	enum fault fault;
	bool pending;
	size_t n;

	if ((fault = subscriber_of(rq, &jid, FAULT_INVALID_JID)) != FAULT_NONE)
		return refuse(rq, fault);
	if (roster_is_wanted(rq))
		return roster_wait(rq);
	if ((fault = may_subscribe(rq, &pending)) != FAULT_NONE)
		return refuse(rq, fault);
	n = subs_of_jid(rq->node, jid, subs, SUBS_MAX);
	if (n > 0 && subs[0].state == STATE_PENDING)
		return refuse(rq, FAULT_PENDING);
	if (n > 0 && !rq->p->set->multi_subscribe)
		return subscribe_again(rq, &subs[0]);
	if ((fault = sub_has_room(rq->node, jid, pending)) != FAULT_NONE)
		return refuse(rq, fault);
	if (is_too_often(rq, pending))
		return refuse(rq, FAULT_TOO_OFTEN);
	return subscribe_anew(rq, jid, pending);
}

/* The subscription that jid and subid name (§6.2.3, §6.3.4). */
enum fault
sub_named(struct request *rq, const struct annex_jid *jid, enum fault missing, struct sub *sub_r)
{
	const char *subid = annex_attr(rq->el, "subid");
	struct sub subs[SUBS_MAX];
	size_t n = subs_of_jid(rq->node, jid, subs, SUBS_MAX);

	if (n == 0)
		return missing;
	if (subid == NULL && n > 1)
		return FAULT_SUBID_REQUIRED;
	for (size_t i = 0; i < n; i++) {
		if (subid != NULL && strcmp(subs[i].subid, subid) != 0)
			continue;
		*sub_r = subs[i];
		return FAULT_NONE;
	}
	return FAULT_INVALID_SUBID;
}

enum annex_verdict
unsubscribe(struct request *rq)
{
	const struct annex_jid *jid;
	enum fault fault;
	struct sub sub;
	int status;

	if ((fault = subscriber_of(rq, &jid, FAULT_FORBIDDEN)) != FAULT_NONE)
		return refuse(rq, fault);
	if (rq->rank == RANK_OUTCAST)
		return refuse(rq, FAULT_FORBIDDEN);
	if ((fault = sub_named(rq, jid, FAULT_NOT_SUBSCRIBED, &sub)) != FAULT_NONE)
		return refuse(rq, fault);
	if ((status = sub_remove(&sub)) < 0)
		return refuse_status(rq, status);
	annex_confirm(rq->p->inst, rq->in);
	sub.state = STATE_NONE;
	tell_owners_of(&sub);
	return ANNEX_DONE;
}
