/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bounce.c - subscriptions that do not rot
 *
 * The id of a notification names its node, so a bounce tells which subscription
 * it is about, and nothing need be remembered of what was sent.  Only who is gone for good
 * (gone, item-not-found) loses it at once: a blocklist and a client that is offline say
 * service-unavailable as well.  All else is scored, at most once in an interval (a day): so
 * many bounces in a row, and it goes.  That is evidence; one day of silence is none.
 */
#include <stdlib.h>
#include <string.h>

#include "pubsub.h"

#define ROW 7 /* intervals within which the next bounce counts as in a row */

static bool
is_gone(const struct annex_error *error)
{
	return error->condition == ANNEX_GONE || error->condition == ANNEX_ITEM_NOT_FOUND;
}

static int
score(struct sub *sub)
{
	const struct pubsub_settings *set = sub->node->p->set;
	int64_t now = annex_wall_ms(sub->node->p->inst), past = now - sub->bounce_ms;

	if (sub->bounces > 0 && past < set->bounce_interval_ms)
		return ANNEX_OK;
	sub->bounces = past > ROW * set->bounce_interval_ms ? 1 : sub->bounces + 1;
	sub->bounce_ms = now;
	if (set->max_bounces > 0 && sub->bounces >= (uint32_t)set->max_bounces)
		return sub_drop(sub);
	return sub_put(sub);
}

/* Without a word to who would bounce it. */
int
sub_drop(struct sub *sub)
{
	int r = sub_remove(sub);

	if (r < 0)
		return r;
	annex_count(sub->node->p->dropped, 1);
	sub->state = STATE_NONE;
	tell_owners_of(sub);
	return ANNEX_OK;
}

enum annex_verdict
bounce(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct pubsub *p = annex_state(inst);
	const struct annex_error error = annex_error_read(in->element);
	struct sub subs[SUBS_MAX];
	struct node *node;
	char *end;
	size_t n;

	if (in->id == NULL || error.condition == 0)
		return ANNEX_DONE;
	node = node_by_number(p, strtoull(in->id, &end, 16));
	if (end == in->id || *end != '-' || node == NULL)
		return ANNEX_DONE;
	annex_count(p->bounced, 1);
	n = subs_of_bare(node, in->from->bare, subs, SUBS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(subs[i].jid, in->from->full) != 0 &&
		    strcmp(subs[i].jid, in->from->bare) != 0)
			continue;
		if (must(p, is_gone(&error) ? sub_drop(&subs[i]) : score(&subs[i])) < 0)
			break;
	}
	return ANNEX_DONE;
}
