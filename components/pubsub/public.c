/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * public.c - subscriptions that everybody may see who may read the node (XEP-0465)
 *
 * Who subscribes in public has an item in the node of public subscribers (kept.c), under their
 * bare JID, as long as one of their subscriptions is in force and public.
 */
#include <string.h>

#include "pubsub.h"

static bool
has_another(const struct sub *sub)
{
	struct sub subs[SUBS_MAX];
	size_t n = subs_of_bare(sub->node, sub->bare, subs, SUBS_MAX);

	for (size_t i = 0; i < n; i++)
		if (subs[i].number != sub->number && subs[i].is_public &&
		    subs[i].state == STATE_SUBSCRIBED)
			return true;
	return false;
}

int
public_follow(const struct sub *sub, bool is_there)
{
	struct pubsub *p = sub->node->p;
	struct annex_element *payload = NULL;

	if ((!sub->is_public && !sub->was_public) || sub->node->role != ROLE_NONE)
		return ANNEX_OK;
	is_there = is_there && sub->is_public && sub->state == STATE_SUBSCRIBED;
	if ((is_there || has_another(sub)) ==
	    (kept_get(sub->node, ROLE_SUBSCRIBERS, sub->bare) != NULL))
		return ANNEX_OK;
	if (is_there) {
		payload = annex_element(annex_scratch(p->inst), NS_PUBLIC, "subscriber");
		annex_attr_set(payload, "jid", sub->bare);
	}
	return kept_set(sub->node, ROLE_SUBSCRIBERS, sub->bare, payload);
}
