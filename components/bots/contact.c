/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * contact.c - what a program learns of its bot's contacts, and does with them
 *
 * A bot knows its own contacts and nobody else's, whatever the gateway may
 * know of somebody as the contact of another.
 */
#include <string.h>

#include "action.h"

static const char *const shows[] = { "online", "chat", "away", "xa", "dnd", "offline" };

int
judge_get(struct action *a)
{
	struct annex_contact c;

	if (strcmp(a->get, "bans") == 0)
		return ANNEX_OK;
	if (strcmp(a->get, "contacts") != 0)
		return action_wrong(a, "bad-json", "only \"contacts\" and \"bans\" can be got");
	if (a->to != NULL &&
	    annex_contact_get(a->bot->bots->inst, a->bot->jid, a->to->bare, &c) == ANNEX_ENOENT)
		return action_wrong(a, "no-such-contact", "%s is no contact", a->to->bare);
	return ANNEX_OK;
}

static const char *
subscription(const struct annex_contact *c)
{
	if (c->out == ANNEX_SUBSCRIBED)
		return c->in == ANNEX_SUBSCRIBED ? "both" : "from";
	return c->in == ANNEX_SUBSCRIBED ? "to" : "none";
}

static void
add_resources(struct text *t, const struct annex_resource *all, size_t count)
{
	text_name(t, "resources");
	text_puts(t, "[");
	for (size_t i = 0; i < count; i++) {
		text_puts(t, i > 0 ? "," : "");
		text_open(t);
		text_member(t, "jid", all[i].jid);
		text_member(t, "show", shows[all[i].show]);
		text_member(t, "status", all[i].status);
		text_close(t);
	}
	text_puts(t, "]");
}

static void
add_contact(struct text *t, struct action *a, const struct annex_contact *c)
{
	struct annex_instance *inst = a->bot->bots->inst;
	const struct annex_resource *best = annex_contact_best(inst, a->bot->jid, c->jid), *all;
	size_t count = annex_contact_resources(inst, a->bot->jid, c->jid, &all);

	text_open(t);
	text_member(t, "jid", c->jid);
	text_member(t, "sub", subscription(c));
	text_member(t, "reach", bot_reaches[bot_reach(a->bot, c->jid)]);
	text_truth(t, "asks", c->out == ANNEX_SUBSCRIBED_PENDING);
	text_truth(t, "online", best != NULL);
	if (best != NULL) {
		text_member(t, "show", shows[best->show]);
		text_member(t, "status", best->status);
	}
	if (count > 0)
		add_resources(t, all, count);
	if (c->heard_ms > 0)
		text_member(t, "last_seen", annex_datetime(a->pool, c->heard_ms));
	text_strings(t, "groups", c->groups);
	text_close(t);
}

static void
add_all(struct text *t, struct action *a)
{
	struct annex_instance *inst = a->bot->bots->inst;
	struct annex_contact_cursor *cursor = NULL;
	struct annex_contact c;

	while (annex_contact_next(inst, a->bot->jid, &cursor, &c) == ANNEX_AGAIN) {
		if (a->more && annex_contact_best(inst, a->bot->jid, c.jid) == NULL)
			continue;
		text_puts(t, t->len > 1 ? "," : "");
		add_contact(t, a, &c);
	}
}

int
run_get(struct action *a)
{
	struct text t = { .pool = a->pool };
	struct annex_contact c;

	if (strcmp(a->get, "bans") == 0) {
		a->result_name = "bans";
		a->result = ban_list(a);
		return ANNEX_OK;
	}
	text_puts(&t, "[");
	if (a->to == NULL)
		add_all(&t, a);
	else if (annex_contact_get(a->bot->bots->inst, a->bot->jid, a->to->bare, &c) >= 0)
		add_contact(&t, a, &c);
	text_puts(&t, "]");
	a->result_name = "contacts";
	a->result = t.bytes;
	return ANNEX_OK;
}

int
judge_contact(struct action *a)
{
	struct annex_instance *inst = a->bot->bots->inst;
	struct annex_contact c;
	size_t i;
	json_t *group;

	if (a->groups != NULL && (!json_is_array(a->groups) || json_array_size(a->groups) > 16))
		return action_wrong(a, "bad-json", "\"groups\" must be a list of at most 16");
	json_array_foreach(a->groups, i, group) if (!json_is_string(group)) return action_wrong(
	    a, "bad-json", "a group is a text");
	if (a->groups != NULL && a->clear)
		return action_wrong(a, "bad-json", "who is denied is in no groups");
	if (strcmp(a->to->domain, annex_domain(inst)) == 0 ||
	    (a->groups != NULL && !a->more && !a->later &&
		annex_contact_get(inst, a->bot->jid, a->to->bare, &c) == ANNEX_ENOENT))
		return action_wrong(a, "no-such-contact", "%s is no contact", a->to->bare);
	return ban_judge(a);
}

static int
set_groups(struct action *a)
{
	const char **groups =
	    annex_new_array(a->pool, const char *, json_array_size(a->groups) + 1);
	json_t *group;
	size_t i;

	json_array_foreach(a->groups, i, group) groups[i] = json_string_value(group);
	return annex_contact_set_groups(a->bot->bots->inst, a->bot->jid, a->to->bare, groups);
}

int
run_contact(struct action *a)
{
	struct annex_instance *inst = a->bot->bots->inst;
	int r = ban_run(a);

	if (r >= 0 && a->clear)
		r = annex_contact_deny(inst, a->bot->jid, a->to->bare);
	if (r >= 0 && a->more)
		r = annex_contact_allow(inst, a->bot->jid, a->to->bare);
	if (r >= 0 && a->later)
		r = annex_contact_ask(inst, a->bot->jid, a->to->bare, bot_name(a->bot));
	if (r >= 0 && a->groups != NULL)
		r = set_groups(a);
	return r;
}
