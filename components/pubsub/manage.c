/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * manage.c - owners see and change who has a node (XEP-0060 §8.8 and §8.9)
 *
 * A list of changes is done as far as it can be; what cannot comes back in the
 * error, as it stands (§8.8.2.3, §8.9.2.3).
 */
#include <string.h>

#include "pubsub.h"

#define CHANGES_MAX 500
#define LISTED_MAX 1000

/* --- Lists ----------------------------------------------------------------------------------- */

static size_t
subscription_size(const void *item)
{
	const Pubsub__Subscription *s = item;

	return strlen(s->jid) + strlen(s->subid) + 80;
}

static size_t
affiliation_size(const void *item)
{
	return strlen(((const Pubsub__Affiliation *)item)->jid) + 60;
}

static enum fault
fetch(struct request *rq, struct rows *rows, size_t (*size_of)(const void *item),
    struct annex_page *page_r, struct annex_page_result *found_r)
{
	const struct annex_source source = rows_source(rows);
	int r;

	if (annex_page_read(page_r, rq->in->payload, LISTED_MAX, LISTED_MAX) < 0)
		return FAULT_BAD_REQUEST;
	if ((r = annex_page_fetch(&source, page_r, annex_scratch(rq->p->inst), found_r)) < 0)
		return page_fault(r);
	page_fit(found_r, page_r, size_of);
	return FAULT_NONE;
}

enum annex_verdict
node_subscriptions(struct request *rq)
{
	struct rows rows = { .p = rq->p,
		.prefix = key_number(TABLE_SUBSCRIPTIONS, rq->node->number),
		.without_pending = true };
	struct annex_page_result found;
	struct annex_page page;
	struct annex_stanza *out;
	struct annex_element *list;
	struct sub sub;
	enum fault fault;

	if ((fault = fetch(rq, &rows, subscription_size, &page, &found)) != FAULT_NONE)
		return refuse(rq, fault);
	list = listing_begin(rq, "subscriptions", &out);
	for (size_t i = 0; i < found.count; i++) {
		sub = sub_of_record(rq->node, 0, found.item[i]);
		sub_add(list, &sub, false);
	}
	return listing_send(rq, out, list, &page, &found);
}

static void
affiliation_add(struct annex_element *list, const char *jid, enum rank rank)
{
	struct annex_element *el = annex_add(list, NULL, "affiliation");

	annex_attr_set(el, "jid", jid);
	annex_attr_set(el, "affiliation", rank_name(rank));
}

enum annex_verdict
node_affiliations(struct request *rq)
{
	struct rows rows = { .p = rq->p, .prefix = key_number(TABLE_MEMBERS, rq->node->number) };
	struct annex_page_result found;
	struct annex_page page;
	struct annex_stanza *out;
	struct annex_element *list;
	enum fault fault;

	if ((fault = fetch(rq, &rows, affiliation_size, &page, &found)) != FAULT_NONE)
		return refuse(rq, fault);
	list = listing_begin(rq, "affiliations", &out);
	for (size_t i = 0; i < found.count; i++) {
		const Pubsub__Affiliation *a = found.item[i];

		affiliation_add(list, a->jid, (enum rank)a->rank);
	}
	return listing_send(rq, out, list, &page, &found);
}

/* --- What could not be done -------------------------------------------------------------------- */

static enum annex_verdict
finish(struct request *rq, struct annex_stanza *out, const struct annex_element *failed,
    const char *why)
{
	struct annex_error error = fault_error(FAULT_NOT_ACCEPTABLE);

	error.text = why;
	if (annex_child(failed, NULL, NULL) == NULL)
		return annex_confirm(rq->p->inst, rq->in);
	annex_attr_set(out->element, "type", "error");
	annex_error_add(out->element, &error);
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

/* --- Subscriptions ------------------------------------------------------------------------------- */

static bool
set_subscription(
    struct request *rq, const struct annex_jid *jid, const char *subid, enum state state)
{
	struct sub subs[SUBS_MAX], sub;
	size_t n = subs_of_jid(rq->node, jid, subs, SUBS_MAX), done = 0;
	enum rank rank = rank_of(rq->node, jid->bare);

	if (state >= STATE_UNCONFIGURED && (rank == RANK_OUTCAST || rank == RANK_PUBLISH_ONLY))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (subid != NULL && strcmp(subs[i].subid, subid) != 0)
			continue;
		if (must(rq->p, sub_change(&subs[i], state)) < 0)
			return false;
		done++;
	}
	if (done > 0 || subid != NULL || state == STATE_NONE)
		return done > 0;
	if (sub_has_room(rq->node, jid, state == STATE_PENDING) != FAULT_NONE)
		return false;
	sub = sub_make(rq->node, jid, STATE_NONE);
	return must(rq->p, sub_change(&sub, state)) >= 0;
}

static void
subscription_failed(struct request *rq, struct annex_element *failed, const struct annex_jid *jid)
{
	struct sub subs[SUBS_MAX],
	    sub = { .node = rq->node, .jid = jid->full, .subid = "", .options = options_baseline };
	size_t n = subs_of_jid(rq->node, jid, subs, SUBS_MAX);

	sub_add(failed, n > 0 ? &subs[0] : &sub, false);
}

/* Each has a JID, and no subscription is changed twice: or one request would be as many messages to
 * somebody as it has room for. */
static bool
subscriptions_are_sane(const struct request *rq)
{
	const struct annex_element *el = annex_child(rq->el, NS_OWNER, "subscription");
	struct annex_map *seen = annex_map_create(rq->in->pool);

	for (; el != NULL; el = annex_child_after(el, NS_OWNER, "subscription")) {
		const char *text = annex_attr(el, "jid"), *subid = annex_attr(el, "subid");
		const struct annex_jid *jid = text == NULL ? NULL : annex_jid(rq->in->pool, text);

		if (jid == NULL ||
		    annex_map_set_str(seen,
			annex_sprintf(
			    rq->in->pool, "%s\n%s", jid->full, subid == NULL ? "" : subid),
			seen) != NULL)
			return false;
	}
	return true;
}

enum annex_verdict
node_subscriptions_set(struct request *rq)
{
	struct annex_stanza *out;
	struct annex_element *failed = listing_begin(rq, "subscriptions", &out);
	const struct annex_element *el;
	const struct annex_jid *jid;
	enum state state;

	if (!subscriptions_are_sane(rq))
		return refuse(rq, FAULT_BAD_REQUEST);
	el = annex_child(rq->el, NS_OWNER, "subscription");
	for (size_t n = 0; el != NULL; el = annex_child_after(el, NS_OWNER, "subscription"), n++) {
		jid = annex_jid(rq->in->pool, annex_attr(el, "jid"));
		/* A missing attribute changes nothing. */
		if (annex_attr(el, "subscription") == NULL)
			continue;
		if (n >= CHANGES_MAX || state_read(annex_attr(el, "subscription"), &state) < 0 ||
		    !set_subscription(rq, jid, annex_attr(el, "subid"), state))
			subscription_failed(rq, failed, jid);
	}
	return finish(rq, out, failed, NULL);
}

/* --- Affiliations ---------------------------------------------------------------------------------- */

struct change {
	const char *bare;
	enum rank rank, before;
	bool known; /* that the affiliation is one */
};

/* Who may be subscribed whatever the access model is. */
static bool
is_in(enum rank rank)
{
	return rank >= RANK_MEMBER && rank != RANK_PUBLISH_ONLY;
}

/* What the change means for subscriptions (§8.6, §8.9), also to what is kept beside the node. */
static int
affiliation_follow(struct node *node, const struct change *c)
{
	struct sub subs[SUBS_MAX];
	size_t n = subs_of_bare(node, c->bare, subs, SUBS_MAX);
	int r = ANNEX_OK;

	for (size_t i = 0; i < n && r >= 0; i++) {
		if (!is_in(c->rank))
			sub_judge(&subs[i]);
		else if (subs[i].state == STATE_PENDING)
			r = sub_change(&subs[i], STATE_SUBSCRIBED);
	}
	return r < 0 || is_in(c->rank) ? r : kept_follow(node, KEPT_JUDGE);
}

/* Whether there is no room for one more. */
static bool
affiliations_are_full(const struct request *rq, const struct change *c)
{
	struct annex_key key = key_number(TABLE_MEMBERS, rq->node->number);

	return c->before == RANK_NONE && c->rank != RANK_NONE &&
	    rows_reach(rq->p, &key, (uint64_t)rq->p->set->max_affiliations);
}

static bool
change_make(struct request *rq, const struct change *c, bool *is_full_r)
{
	const char *two[2];

	if (!c->known)
		return false;
	if (affiliations_are_full(rq, c)) {
		*is_full_r = true;
		return false;
	}
	if (c->before == RANK_OWNER && c->rank != RANK_OWNER && owners(rq->node, two, 2) < 2)
		return false;
	if (must(rq->p, affiliation_put(rq->node, c->bare, c->rank)) < 0)
		return false;
	if (c->rank != c->before)
		tell_affiliation(rq->node, c->bare, c->rank);
	return must(rq->p, affiliation_follow(rq->node, c)) >= 0;
}

static enum fault
changes_read(struct request *rq, struct change *changes, size_t *count_r)
{
	const struct annex_element *el = annex_child(rq->el, NS_OWNER, "affiliation");
	struct annex_map *seen = annex_map_create(rq->in->pool);

	*count_r = 0;
	for (; el != NULL; el = annex_child_after(el, NS_OWNER, "affiliation")) {
		const char *text = annex_attr(el, "jid"), *rank = annex_attr(el, "affiliation");
		const struct annex_jid *jid = text == NULL ? NULL : annex_jid(rq->in->pool, text);
		struct change *c = &changes[*count_r];

		if (jid == NULL || *count_r == CHANGES_MAX ||
		    annex_map_set_str(seen, jid->bare, c) != NULL)
			return FAULT_BAD_REQUEST;
		if (rank == NULL)
			continue;
		c->bare = jid->bare;
		c->before = rank_of(rq->node, jid->bare);
		c->known = rank_read(rank, &c->rank) == ANNEX_OK;
		++*count_r;
	}
	return FAULT_NONE;
}

/* Who becomes an owner does so first, so that a node can be handed over in one list. */
enum annex_verdict
node_affiliations_set(struct request *rq)
{
	struct change *changes =
	    annex_new_array(annex_scratch(rq->p->inst), struct change, CHANGES_MAX + 1);
	struct annex_stanza *out;
	struct annex_element *failed = listing_begin(rq, "affiliations", &out);
	bool is_full = false;
	enum fault fault;
	size_t n;

	if ((fault = changes_read(rq, changes, &n)) != FAULT_NONE)
		return refuse(rq, fault);
	for (int owners_first = 1; owners_first >= 0; owners_first--)
		for (size_t i = 0; i < n; i++)
			if ((changes[i].known && changes[i].rank == RANK_OWNER) == owners_first &&
			    !change_make(rq, &changes[i], &is_full))
				affiliation_add(failed, changes[i].bare, changes[i].before);
	return finish(
	    rq, out, failed, is_full ? "The node has as many affiliations as it may." : NULL);
}
