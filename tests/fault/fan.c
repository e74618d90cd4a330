/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fan.c - messages to ten thousand at once
 *
 *	fan COUNT     COUNT messages, each to every recipient, on the sender's flow
 *	kick          every second recipient is told so, on the sender's flow
 *	fail          the turn is undone
 *
 * It is asked by the status of a presence, which is taken however much waits.
 * Each has a number of its own, in the order of sending, so that whoever
 * reads can tell whether a flow kept its order.  Every call into the component is counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/component.h>
#include <annex/flow.h>

#define RECIPIENTS 10000u

/* 100 bytes, the body of an ordinary message. */
#define TEXT                                                                 \
	"Wind in the willows, rain on the roof, and a long walk home along " \
	"the river while the lamps come on."

static void
called(struct annex_instance *inst)
{
	annex_count(annex_counter(inst, "calls_total", "Calls into the component."), 1);
}

static void
address(char *to, size_t room, unsigned recipient)
{
	snprintf(to, room, "u%05u@example.org/r", recipient);
}

static struct annex_stanza *
numbered(struct annex_instance *inst, const char *what, const char *to, long number)
{
	struct annex_stanza *out = annex_message(inst, NULL, to, "headline");

	annex_attr_set(
	    out->element, "id", annex_sprintf(annex_scratch(inst), "%s-%ld", what, number));
	annex_add_text(out->element, NULL, "body", TEXT);
	return out;
}

static void
fan(struct annex_instance *inst, const struct annex_stanza *in, long count)
{
	struct annex_flow *flow = annex_flow(inst, in->from->bare);
	char to[64];

	for (long n = 0; n < count; n++) {
		struct annex_fanout *one = annex_fanout(inst);
		int variant = annex_fanout_variant(one, numbered(inst, in->from->local, NULL, n));

		for (unsigned i = 0; variant >= 0 && i < RECIPIENTS; i++) {
			address(to, sizeof(to), i);
			annex_fanout_add(one, variant, to, NULL);
		}
		annex_fanout_send(one, flow);
	}
}

static void
kick(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_flow *flow = annex_flow(inst, in->from->bare);
	char to[64];

	for (unsigned i = 0; i < RECIPIENTS; i += 2) {
		address(to, sizeof(to), i);
		annex_send_on(inst, flow, numbered(inst, in->from->local, to, 999));
	}
}

static enum annex_verdict
fan_presence(struct annex_instance *inst, const struct annex_stanza *in)
{
	const char *status = annex_child_text(in->element, NULL, "status");

	called(inst);
	if (strncmp(status, "fan ", 4) == 0)
		fan(inst, in, strtol(status + 4, NULL, 10));
	else if (strcmp(status, "kick") == 0)
		kick(inst, in);
	else if (strcmp(status, "fail") == 0)
		annex_fail_turn(inst, "it was asked to fail");
	return ANNEX_DONE;
}

static const struct annex_route fan_routes[] = {
	{ ANNEX_PRESENCE, NULL, "status", fan_presence },
	{ 0 },
};

ANNEX_MODULE(fan) = {
	ANNEX_MODULE_ABI,
	.name = "fan",
	.summary = "sends to ten thousand at once",
	.routes = fan_routes,
};
