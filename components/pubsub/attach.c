/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * attach.c - what people attach to items (XEP-0470): noticed, reactions, and whatever
 * else they like
 *
 * Everybody has one item in the attachments node of an item, named by their bare JID.  The summary
 * counts: what the item of somebody said before is taken off, what it says now is added, so
 * that one more costs the same however many there are.
 */
#include <stdlib.h>
#include <string.h>

#include "pubsub.h"

#define REACTIONS_EACH 20 /* of one person that are counted */
#define REACTIONS_MAX 500 /* different ones in a summary */
#define REACTION_BYTES 64

/* --- Judging ----------------------------------------------------------------------------- */

enum fault
attach_judge(const struct request *rq, const struct annex_element *item)
{
	const struct node *target = rq->kept.target;
	const struct annex_element *payload;
	enum rank rank;

	if (rq->kept.role != ROLE_ATTACHMENTS)
		return FAULT_FORBIDDEN;
	if (target == NULL || item_get(target, rq->kept.item, NULL) == NULL)
		return FAULT_ITEM_NOT_FOUND;
	rank = rank_of_jid(target, rq->in->from);
	if (!may_publish(&target->config, target, rank, rq->in->from->bare))
		return FAULT_FORBIDDEN;
	payload = item == NULL ? NULL : annex_child(item, NULL, NULL);
	if (payload == NULL || !annex_is(payload, NS_ATTACHMENTS, "attachments") ||
	    annex_attr(item, "id") == NULL ||
	    strcmp(annex_attr(item, "id"), rq->in->from->bare) != 0)
		return FAULT_BAD_REQUEST;
	return FAULT_NONE;
}

/* --- Counting ------------------------------------------------------------------------------ */

struct tally {
	struct annex_pool *pool;
	int64_t noticed;
	struct {
		const char *text;
		int64_t count;
	} reaction[REACTIONS_MAX];
	size_t reactions;
};

static void
tally_reaction(struct tally *t, const char *text, int64_t by)
{
	size_t i = 0;

	while (i < t->reactions && strcmp(t->reaction[i].text, text) != 0)
		i++;
	if (i == t->reactions) {
		if (by < 0 || i == REACTIONS_MAX)
			return;
		t->reaction[t->reactions++].text = annex_strdup(t->pool, text);
		t->reaction[i].count = 0;
	}
	t->reaction[i].count += by;
}

static int64_t
count_attr(const struct annex_element *el)
{
	const char *text = annex_attr(el, "count");

	return text == NULL ? 1 : strtoll(text, NULL, 10);
}

static void
tally_summary(struct tally *t, const struct annex_element *summary)
{
	const struct annex_element *noticed, *reactions;

	if (summary == NULL)
		return;
	noticed = annex_child(summary, NS_SUMMARY, "noticed");
	reactions = annex_child(summary, NS_SUMMARY, "reactions");
	if (noticed != NULL)
		t->noticed = count_attr(noticed);
	if (reactions != NULL)
		ANNEX_CHILDREN (reactions, el)
			tally_reaction(t, annex_text(el), count_attr(el));
}

/* Whether an earlier one says the same: of one person each counts once. */
static bool
is_repeated(const struct annex_element *reactions, const struct annex_element *el)
{
	ANNEX_CHILDREN (reactions, other) {
		if (other == el)
			return false;
		if (strcmp(annex_text(other), annex_text(el)) == 0)
			return true;
	}
	return false;
}

static void
tally_attachments(struct tally *t, const struct annex_element *attachments, int64_t by)
{
	const struct annex_element *reactions;
	size_t n = 0;

	if (attachments == NULL)
		return;
	if (annex_child(attachments, NS_ATTACHMENTS, "noticed") != NULL)
		t->noticed += by;
	reactions = annex_child(attachments, NS_ATTACHMENTS, "reactions");
	if (reactions == NULL)
		return;
	ANNEX_CHILDREN (reactions, el) {
		const char *text = annex_text(el);

		if (n == REACTIONS_EACH)
			break;
		if (!annex_is(el, NS_ATTACHMENTS, "reaction") || text[0] == '\0' ||
		    strlen(text) > REACTION_BYTES || is_repeated(reactions, el))
			continue;
		tally_reaction(t, text, by);
		n++;
	}
}

/* NULL where there is nothing to be said. */
static const struct annex_element *
tally_show(const struct tally *t)
{
	struct annex_element *summary = annex_element(t->pool, NS_SUMMARY, "summary");
	struct annex_element *reactions = NULL, *el;

	if (t->noticed > 0)
		annex_attr_setf(
		    annex_add(summary, NULL, "noticed"), "count", "%lld", (long long)t->noticed);
	for (size_t i = 0; i < t->reactions; i++) {
		if (t->reaction[i].count <= 0)
			continue;
		if (reactions == NULL)
			reactions = annex_add(summary, NULL, "reactions");
		el = annex_add_text(reactions, NULL, "reaction", t->reaction[i].text);
		if (t->reaction[i].count > 1)
			annex_attr_setf(el, "count", "%lld", (long long)t->reaction[i].count);
	}
	return annex_child(summary, NULL, NULL) == NULL ? NULL : summary;
}

/* --- Following ------------------------------------------------------------------------------- */

const struct annex_element *
attach_payload(const struct node *node, const Pubsub__Item *item)
{
	return node->role != ROLE_ATTACHMENTS || item == NULL ? NULL : item_payload(node->p, item);
}

int
attach_follow(
    const struct node *node, const struct annex_element *before, const struct annex_element *after)
{
	struct annex_pool *pool = annex_scratch(node->p->inst);
	struct kept kept;
	struct tally *t;

	if (node->role != ROLE_ATTACHMENTS ||
	    (kept = kept_read(node->p, node->name)).target == NULL)
		return ANNEX_OK;
	t = annex_new(pool, struct tally);
	t->pool = pool;
	tally_summary(t, kept_get(kept.target, ROLE_SUMMARY, kept.item));
	tally_attachments(t, before, -1);
	tally_attachments(t, after, 1);
	return must(node->p, kept_set(kept.target, ROLE_SUMMARY, kept.item, tally_show(t)));
}
