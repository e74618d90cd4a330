/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * approve.c - owners decide about requests (XEP-0060 §8.6 and §8.7)
 *
 * Each owner is asked by a message with a form, and whoever answers first decides:
 * an answer names node and subscriber itself, so it needs no id, and one that comes too
 * late finds nothing pending and changes nothing.  Servers keep such messages for who is
 * offline (§12.16): asking again whenever an owner comes would ask twice, and get-pending is there.
 */
#include <string.h>

#include "pubsub.h"

#define OWNERS_ASKED 100
#define PENDING_SENT 500

struct authorization {
	const char *subid, *node, *jid;
	bool allow;
};

#define FIELD(member, var, type, label, ...) \
	ANNEX_FIELD(struct authorization, member, "pubsub#" var, type, label, __VA_ARGS__)

static const struct annex_field authorization_fields[] = {
	FIELD(subid, "subid", ANNEX_HIDDEN, "", .max = 1023),
	FIELD(node, "node", ANNEX_TEXT_SINGLE, "Node", .max = 1023),
	FIELD(jid, "subscriber_jid", ANNEX_JID_SINGLE, "Subscriber"),
	FIELD(allow, "allow", ANNEX_BOOLEAN, "Allow this address to subscribe?"),
	{ 0 },
};

static const struct annex_form authorization_form = {
	.type = NS_AUTHORIZATION,
	.title = "Request to subscribe",
	.instructions = "Somebody asks to be subscribed to a node of yours.",
	.fields = authorization_fields,
	.languages = pubsub_languages,
};

static void
ask_one(const struct sub *sub, const char *owner, const char *lang)
{
	struct annex_stanza *out = annex_message(sub->node->p->inst, NULL, owner, NULL);
	const struct authorization values = {
		.subid = sub->subid[0] == '\0' ? NULL : sub->subid,
		.node = sub->node->name,
		.jid = sub->jid,
	};

	annex_form_ask(out->element, &authorization_form, &values, lang);
	annex_send(sub->node->p->inst, out);
}

void
ask_owners(const struct sub *sub, const char *lang)
{
	const char *jids[OWNERS_ASKED];
	size_t n = owners(sub->node, jids, OWNERS_ASKED);

	for (size_t i = 0; i < n; i++)
		ask_one(sub, jids[i], lang);
}

/* A state that an owner (or what they changed) gives: written, then told. */
int
sub_change(struct sub *sub, enum state state)
{
	enum state before = sub->state;
	int r;

	if (state == before)
		return ANNEX_OK;
	sub->state = state;
	r = state == STATE_NONE ? sub_remove(sub) : sub_put(sub);
	if (r < 0)
		return r;
	tell_subscription(sub, sub->jid);
	tell_owners_of(sub);
	if (state == STATE_SUBSCRIBED)
		send_last(sub);
	return ANNEX_OK;
}

static bool
decide(struct node *node, const struct authorization *a, struct annex_pool *pool)
{
	const struct annex_jid *jid = annex_jid(pool, a->jid);
	struct sub subs[SUBS_MAX];
	size_t n = jid == NULL ? 0 : subs_of_jid(node, jid, subs, SUBS_MAX);

	for (size_t i = 0; i < n; i++) {
		if (subs[i].state != STATE_PENDING ||
		    (a->subid[0] != '\0' && strcmp(a->subid, subs[i].subid) != 0))
			continue;
		return must(node->p,
			   sub_change(&subs[i], a->allow ? STATE_SUBSCRIBED : STATE_NONE)) >= 0;
	}
	return false;
}

enum annex_verdict
authorization(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct pubsub *p = annex_state(inst);
	const struct annex_element *x = annex_form_find(in->element, NS_AUTHORIZATION);
	struct authorization a = { "", "", "", false };
	const char *why;
	struct node *node;

	if (x == NULL || annex_form_value(x, "FORM_TYPE") == NULL)
		return ANNEX_PASS;
	if (annex_form_is_cancelled(x))
		return ANNEX_DONE;
	if (annex_form_read(&authorization_form, x, &a, NULL, in->pool, &why) < 0)
		return annex_refuse(inst, in, ANNEX_NOT_ACCEPTABLE, why);
	if (annex_form_value(x, "pubsub#allow") == NULL)
		return annex_refuse(inst, in, ANNEX_NOT_ACCEPTABLE, "pubsub#allow: it is missing.");
	if ((node = node_find(p, a.node)) == NULL || node->gone)
		return annex_refuse(inst, in, ANNEX_ITEM_NOT_FOUND, NULL);
	if (rank_of_jid(node, in->from) != RANK_OWNER)
		return annex_refuse(inst, in, ANNEX_FORBIDDEN, NULL);
	decide(node, &a, in->pool);
	return ANNEX_DONE;
}

/* --- get-pending (§8.7), as a command ------------------------------------------------------ */

struct pending_values {
	const char *node;
};

static bool
has_pending(struct pubsub *p, uint64_t number)
{
	struct annex_key prefix = key_number(TABLE_PENDING, number);
	struct annex_iter it = annex_iter(&prefix);

	it.keys_only = true;
	return annex_next(p->store, &it) == ANNEX_AGAIN;
}

/* Nodes of theirs that have requests. */
static struct annex_choice *
pending_nodes(struct pubsub *p, const char *bare, struct annex_pool *pool)
{
	struct annex_key prefix = key_text(TABLE_AFFILIATED, bare);
	struct annex_choice *choices = annex_new_array(pool, struct annex_choice, 101);
	struct annex_iter it = annex_iter(&prefix);
	size_t n = 0;

	while (n < 100 && annex_next(p->store, &it) == ANNEX_AGAIN) {
		uint64_t number = annex_key_number(&it.key, 1);
		const char *name;

		if (((Pubsub__Affiliation *)it.record)->rank != RANK_OWNER ||
		    !has_pending(p, number) || (name = node_name_of(p, number)) == NULL)
			continue;
		choices[n].value = choices[n].label = annex_strdup(pool, name);
		n++;
	}
	return choices;
}

/* §8.7.1: which nodes there are to ask for; who knows may ask for one at once. */
void
preset_pending(struct annex_instance *inst, struct annex_run *run, void *values)
{
	struct annex_pool *pool = annex_run_pool(run);
	struct annex_field *fields = annex_new_array(pool, struct annex_field, 2);
	struct annex_form *form = annex_new(pool, struct annex_form);

	(void)values;
	if (annex_run_by(run) == NULL) {
		annex_run_fail(run, ANNEX_NOT_ALLOWED, "Requests are sent to owners.");
		return;
	}
	fields[0] = (struct annex_field)ANNEX_FIELD(struct pending_values, node, "pubsub#node",
	    ANNEX_LIST_SINGLE, "Node", .max = 1023, .open = true, .required = true);
	fields[0].choices = pending_nodes(annex_state(inst), annex_run_by(run)->bare, pool);
	form->type = NS_AUTHORIZATION;
	form->title = "Nodes with requests";
	form->fields = fields;
	form->languages = pubsub_languages;
	annex_run_ask(run, form);
}

static int
pending_send(struct pubsub *p, struct annex_run *run, const char *name)
{
	struct node *node = node_find(p, name);
	const struct annex_jid *by = annex_run_by(run);
	struct annex_key prefix;
	struct annex_iter it;
	ProtobufCMessage *record;
	struct sub sub;

	if (node == NULL || node->gone) {
		annex_run_fail(run, ANNEX_ITEM_NOT_FOUND, "There is no such node.");
		return ANNEX_ENOENT;
	}
	if (rank_of_jid(node, by) != RANK_OWNER) {
		annex_run_fail(run, ANNEX_FORBIDDEN, "That is for owners of the node.");
		return ANNEX_EDENIED;
	}
	prefix = key_number(TABLE_PENDING, node->number);
	it = annex_iter(&prefix);
	for (size_t n = 0; n < PENDING_SENT && annex_next(p->store, &it) == ANNEX_AGAIN; n++) {
		uint64_t number = annex_key_number(&it.key, 1);
		struct annex_key key = key_numbers(TABLE_SUBSCRIPTIONS, node->number, number);

		if (annex_get(p->store, &key, &record) < 0)
			continue;
		sub = sub_of_record(node, number, (Pubsub__Subscription *)record);
		ask_one(&sub, by->full, annex_run_lang(run));
	}
	return ANNEX_OK;
}

int
run_pending(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct pending_values *v = values;

	(void)stage;
	return pending_send(annex_state(inst), run, v->node);
}
