/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * options.c - how somebody is subscribed (XEP-0060 §6.3 and §6.4)
 */
#include <string.h>

#include "pubsub.h"

/* §16.4.2: a date to come, "presence", or nothing. */
static bool
expire_is_fine(const struct pubsub *p, const char *expire)
{
	int64_t at;

	if (expire[0] == '\0' || strcmp(expire, "presence") == 0)
		return true;
	return annex_datetime_read(expire, &at) == ANNEX_OK && at > annex_wall_ms(p->inst);
}

/* §12.18: what is asked for beyond it becomes the longest there is. */
static const char *
expire_within(const struct pubsub *p, const char *expire, struct annex_pool *pool)
{
	const int64_t last = annex_wall_ms(p->inst) + p->set->max_lease_ms;
	int64_t at;

	return p->set->max_lease_ms > 0 && annex_datetime_read(expire, &at) == ANNEX_OK && at > last
	    ? annex_datetime(pool, last)
	    : expire;
}

enum fault
options_read(const struct pubsub *p, const struct annex_element *x, struct sub_options *options,
    struct annex_pool *pool, const char **why)
{
	struct sub_options read = *options;

	if (annex_form_read(&options_form, x, &read, NULL, pool, why) < 0)
		return FAULT_INVALID_OPTIONS;
	if (strcmp(read.expire, options->expire) != 0) {
		if (!expire_is_fine(p, read.expire)) {
			*why = "pubsub#expire: expected a date to come, or \"presence\".";
			return FAULT_INVALID_OPTIONS;
		}
		read.expire = expire_within(p, read.expire, pool);
	}
	*options = read;
	return FAULT_NONE;
}

static enum fault
sub_asked_for(struct request *rq, struct sub *sub)
{
	const struct annex_jid *jid;
	enum fault fault = subscriber_of(rq, &jid, FAULT_FORBIDDEN);

	if (fault != FAULT_NONE)
		return fault;
	if (rq->rank == RANK_OUTCAST)
		return FAULT_FORBIDDEN;
	return sub_named(rq, jid, FAULT_OPTIONS_NOT_SUBSCRIBED, sub);
}

enum annex_verdict
options_get(struct request *rq)
{
	struct annex_element *pubsub, *el;
	struct annex_stanza *out;
	enum fault fault;
	struct sub sub;

	if ((fault = sub_asked_for(rq, &sub)) != FAULT_NONE)
		return refuse(rq, fault);
	out = answer(rq, &pubsub);
	el = annex_add(pubsub, NULL, "options");
	annex_attr_set(el, "node", rq->name);
	annex_attr_set(el, "jid", sub.jid);
	if (sub.subid[0] != '\0')
		annex_attr_set(el, "subid", sub.subid);
	annex_form_ask(el, &options_form, &sub.options, annex_lang(rq->in->element));
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
apply(struct request *rq, struct sub *sub)
{
	bool was_configured = sub->state != STATE_UNCONFIGURED;
	int status;

	if (!was_configured)
		sub->state = STATE_SUBSCRIBED;
	sub->warned = false;
	if ((status = sub_put(sub)) < 0 || (status = must(rq->p, presence_ask(sub))) < 0)
		return refuse_status(rq, status);
	annex_confirm(rq->p->inst, rq->in);
	if (!was_configured)
		send_last(sub);
	return ANNEX_DONE;
}

enum annex_verdict
options_set(struct request *rq)
{
	const struct annex_element *x = annex_child(rq->el, ANNEX_NS_FORM, "x");
	const char *why = NULL;
	enum fault fault;
	struct sub sub;

	if ((fault = sub_asked_for(rq, &sub)) != FAULT_NONE)
		return refuse(rq, fault);
	if (x == NULL)
		return refuse(rq, FAULT_INVALID_OPTIONS);
	if (annex_form_is_cancelled(x))
		return annex_confirm(rq->p->inst, rq->in);
	fault = options_read(rq->p, x, &sub.options, rq->in->pool, &why);
	if (fault != FAULT_NONE)
		return refuse_saying(rq, fault, why);
	return apply(rq, &sub);
}

/* §6.4 */
enum annex_verdict
options_default(struct request *rq)
{
	struct annex_element *pubsub, *el;
	struct annex_stanza *out = answer(rq, &pubsub);

	el = annex_add(pubsub, NULL, "default");
	if (rq->name != NULL)
		annex_attr_set(el, "node", rq->name);
	annex_form_ask(el, &options_form, &options_baseline, annex_lang(rq->in->element));
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}
