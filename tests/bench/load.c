/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * load.c - a component to measure with
 *
 *	message, subject "echo"     answered with itself
 *	message, subject "count"    bumps a durable counter, answered with nothing but an id
 *	message, subject "fan"      one message to as many recipients as the body says, listed for it
 *	message, subject "room"     the same to ten thousand who are kept as an audience
 *	message, subject "kick"     the turn is undone
 *	message, subject "crash"    NULL is dereferenced
 */
#include <stdlib.h>
#include <string.h>

#include <annex/component.h>
#include <annex/flow.h>
#include <annex/store.h>

#include "tests/bench/load.pb-c.h"

#define RECIPIENTS_MAX 10000

static const struct annex_key_part counter_key[] = { { "name", ANNEX_KEY_TEXT }, { 0 } };

static const struct annex_table load_tables[] = {
	{ .number = 1,
	    .name = "counter",
	    .key = counter_key,
	    .record = &load__counter__descriptor,
	    .version = 1 },
	{ 0 },
};

static enum annex_verdict
load_echo(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_reply(inst, in);

	annex_copy_children(out, in);
	annex_send(inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
load_count(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_store *store = annex_store(inst);
	struct annex_key key = annex_key(&load_tables[0]);
	Load__Counter counter = LOAD__COUNTER__INIT;
	ProtobufCMessage *stored;
	struct annex_stanza *out;

	annex_key_text(&key, in->from->local == NULL ? in->from->domain : in->from->local);
	if (annex_get(store, &key, &stored) == ANNEX_OK)
		counter.value = ((Load__Counter *)stored)->value;
	counter.value++;
	if (annex_put(store, &key, &counter.base) < 0)
		return annex_refuse(inst, in, ANNEX_RESOURCE_CONSTRAINT, NULL);
	out = annex_reply(inst, in);
	annex_text_appendf(
	    annex_add(out->element, NULL, "body"), "%llu", (unsigned long long)counter.value);
	annex_send(inst, out);
	return ANNEX_DONE;
}

/* Those who are told, as a component has them in memory. */
struct load {
	const char *to[RECIPIENTS_MAX];
	struct annex_audience *audience;
};

static int
load_create(struct annex_instance *inst)
{
	struct load *load = annex_new(annex_pool(inst), struct load);

	load->audience = annex_audience(annex_pool(inst));
	for (long i = 0; i < RECIPIENTS_MAX; i++) {
		load->to[i] = annex_sprintf(annex_pool(inst), "u%06ld@example.org/r", i);
		annex_audience_add(load->audience, 0, load->to[i]);
	}
	annex_set_state(inst, load);
	return ANNEX_OK;
}

/* What is said, as the only variant of a fan-out; negative where it cannot be. */
static int
add_message(struct annex_instance *inst, const struct annex_stanza *in, struct annex_fanout *fan)
{
	struct annex_stanza *body = annex_message(inst, NULL, NULL, "headline");

	annex_add_text(body->element, NULL, "subject", "fan");
	annex_add_text(body->element, NULL, "body", annex_child_text(in->element, NULL, "thread"));
	return annex_fanout_variant(fan, body);
}

static enum annex_verdict
load_fan(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_fanout *fan = annex_fanout(inst);
	long count = strtol(annex_child_text(in->element, NULL, "body"), NULL, 10);
	struct load *load = annex_state(inst);
	int variant;

	if ((variant = add_message(inst, in, fan)) < 0)
		return ANNEX_DONE;
	if (count > 0 && count <= RECIPIENTS_MAX)
		for (long i = 0; i < count; i++)
			annex_fanout_add(fan, variant, load->to[i], NULL);
	annex_fanout_send(fan, annex_flow(inst, in->from->bare));
	return ANNEX_DONE;
}

static enum annex_verdict
load_room(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_fanout *fan = annex_fanout(inst);
	struct load *load = annex_state(inst);

	if (add_message(inst, in, fan) != 0)
		return ANNEX_DONE;
	annex_fanout_add_audience(fan, load->audience, NULL);
	annex_fanout_send(fan, annex_flow(inst, in->from->bare));
	return ANNEX_DONE;
}

static enum annex_verdict
load_kick(struct annex_instance *inst, const struct annex_stanza *in)
{
	annex_fail_turn(inst, "a kick");
	return ANNEX_DONE;
}

static enum annex_verdict
load_crash(struct annex_instance *inst, const struct annex_stanza *in)
{
	*(volatile int *)NULL = 1;
	return ANNEX_DONE;
}

static const struct load_verb {
	const char *subject;
	annex_handler *handle;
} verbs[] = {
	{ "echo", load_echo },
	{ "count", load_count },
	{ "fan", load_fan },
	{ "room", load_room },
	{ "kick", load_kick },
	{ "crash", load_crash },
};

static enum annex_verdict
load_message(struct annex_instance *inst, const struct annex_stanza *in)
{
	const char *subject = annex_child_text(in->element, NULL, "subject");

	for (size_t i = 0; subject != NULL && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(subject, verbs[i].subject) == 0)
			return verbs[i].handle(inst, in);
	return load_echo(inst, in);
}

static const struct annex_route load_routes[] = {
	{ ANNEX_MESSAGE, NULL, "body", load_message },
	{ 0 },
};

ANNEX_MODULE(load) = {
	ANNEX_MODULE_ABI,
	.name = "load",
	.summary = "a component to measure with",
	.routes = load_routes,
	.tables = load_tables,
	.create = load_create,
};
