/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * output.c - what a turn sends, kept until it is durable
 *
 * Stanzas are serialised when they are sent, one behind the other into one
 * run of bytes; an item says where in it neighbours of one flow and class
 * begin and end, so that an ordinary turn is a single item.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/flow.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "instance.h"
#include "output.h"
#include "stream/body.h"
#include "stream/fanout.h"
#include "trace.h"
#include "xml/writer.h"

struct item {
	struct flow *flow;
	enum stream_class class;
	size_t at, len;        /* in bytes */
	struct fanout *fanout; /* instead of bytes */
};

struct output {
	struct annex_instance *inst;
	struct buf bytes;
	struct item *items;
	size_t count, room;
	size_t max_stanza;
	const struct annex_stanza *expected; /* the IQ in hand */
	bool answered;
	struct counter_slot *refused;
};

void
output_set_max(struct output *o, size_t max_stanza)
{
	o->max_stanza = max_stanza;
}

size_t
output_max(const struct output *o)
{
	return o->max_stanza;
}

struct output *
output_create(struct annex_instance *inst)
{
	struct output *o = mem_zalloc(sizeof(*o));

	o->inst = inst;
	o->max_stanza = 256 << 10;
	o->refused = counters_get(inst->counters, COUNTER_COUNT, "stanzas_refused_total",
	    "Stanzas of the component that the guard did not let out.");
	return o;
}

static void
items_clear(struct output *o)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->items[i].fanout != NULL)
			fanout_unref(&o->items[i].fanout);
	o->count = 0;
	buf_clear(&o->bytes);
	o->expected = NULL;
}

void
output_destroy(struct output **op)
{
	struct output *o = *op;

	if (o == NULL)
		return;
	*op = NULL;
	items_clear(o);
	buf_finish(&o->bytes);
	free(o->items);
	free(o);
}

void
output_expect(struct output *o, const struct annex_stanza *iq)
{
	o->expected = iq;
	o->answered = false;
}

bool
output_was_answered(const struct output *o)
{
	return o->answered;
}

size_t
output_bytes(const struct output *o)
{
	return o->bytes.len;
}

static struct item *
item_add(struct output *o, struct flow *flow, enum stream_class class)
{
	struct item *item;

	if (o->count == o->room) {
		o->room = o->room == 0 ? 16 : o->room * 2;
		o->items = mem_resize(o->items, o->room * sizeof(*o->items));
	}
	item = &o->items[o->count++];
	*item = (struct item) { .flow = flow, .class = class, .at = o->bytes.len };
	return item;
}

/* A stanza was written behind at.  The stream wants them one by one: each is kept, stamped and
 * counted for itself. */
static void
item_add_stanza(struct output *o, struct flow *flow, enum stream_class class, size_t at)
{
	struct item *item = item_add(o, flow, class);

	item->at = at;
	item->len = o->bytes.len - at;
}

/* --- The guard ------------------------------------------------------------ */

int
output_refuse(struct annex_instance *inst, const struct annex_element *el, const char *why)
{
	struct output *o = inst->output;
	const char *to = annex_attr(el, "to");

	o->refused->value++;
	log_write(o->inst->log, ANNEX_LOG_REMOTE, "%s sent a %s that was refused (%s): to=%s",
	    o->inst->module->name, el->name, why, to == NULL ? "" : to);
	return ANNEX_EINVAL;
}

bool
output_is_ours(struct annex_instance *inst, const struct outgoing *out, const char *from)
{
	const struct annex_jid *jid;

	if (from == out->trusted_from || strcmp(from, inst->jid->full) == 0)
		return true;
	jid = annex_jid(inst->scratch, from);
	return jid != NULL && strcmp(jid->domain, inst->jid->domain) == 0;
}

/* Every answer belongs to the IQ in hand or to a held one, and is its only one. */
static int
guard_answer(struct output *o, struct outgoing *out)
{
	if (out->hold != 0)
		return holds_answered(o->inst, out->hold)
		    ? ANNEX_OK
		    : output_refuse(
			  o->inst, out->stanza.element, "the held IQ was answered already");
	if (o->expected == NULL || out->answers != o->expected)
		return output_refuse(
		    o->inst, out->stanza.element, "it answers nothing that was asked");
	if (o->answered || holds_took(o->inst, out->answers))
		return output_refuse(o->inst, out->stanza.element,
		    o->answered ? "the IQ was answered already" : "the IQ is held");
	o->answered = true;
	return ANNEX_OK;
}

static int
guard(struct output *o, struct outgoing *out, enum stream_class class)
{
	struct annex_element *el = out->stanza.element;
	const char *from = annex_attr(el, "from"), *to = annex_attr(el, "to");

	if (from == NULL || !output_is_ours(o->inst, out, from))
		return output_refuse(o->inst, el, "from is not in the component's domain");
	if (to == NULL || (to != out->trusted_to && annex_jid(o->inst->scratch, to) == NULL))
		return output_refuse(o->inst, el, "to is not a JID");
	if (annex_attr(el, "id") == NULL) {
		if (class == STREAM_QUESTION || class == STREAM_ANSWER)
			return output_refuse(o->inst, el, "an IQ has no id");
		annex_attr_set(el, "id", annex_random_id(o->inst));
	}
	return ANNEX_OK;
}

int
output_write_failed(struct annex_instance *inst, const struct annex_element *el, int status)
{
	return output_refuse(inst, el,
	    status == ANNEX_ELIMIT ? "it is too large"
				   : "it has characters that XML does not allow");
}

int
output_add(
    struct annex_instance *inst, struct flow *flow, enum stream_class class, struct outgoing *out)
{
	struct output *o = inst->output;
	size_t at = o->bytes.len;
	int status;

	if ((status = guard(o, out, class)) < 0)
		return status;
	if (class != STREAM_ANSWER && stream_pressure(inst->stream) == STREAM_HARD) {
		o->refused->value++;
		return ANNEX_ELIMIT;
	}
	o->bytes.max = at + o->max_stanza;
	if ((status = xml_write(&o->bytes, out->stanza.element, ANNEX_NS_STANZA)) < 0)
		return output_write_failed(inst, out->stanza.element, status);
	if (class == STREAM_ANSWER && (status = guard_answer(o, out)) < 0) {
		o->bytes.len = at;
		return status;
	}
	item_add_stanza(o, flow, class, at);
	return ANNEX_OK;
}

/* --- Fan-outs ------------------------------------------------------------- */

int
output_add_fanout(struct annex_instance *inst, struct flow *flow, struct fanout *fanout)
{
	size_t stanzas = fanout_stanzas(fanout);

	if (stanzas == 0)
		return ANNEX_OK;
	if (stream_pressure(inst->stream) == STREAM_HARD) {
		inst->output->refused->value += (int64_t)stanzas;
		return ANNEX_ELIMIT;
	}
	item_add(inst->output, flow, (enum stream_class)fanout_class(fanout))->fanout =
	    fanout_ref(fanout);
	return ANNEX_OK;
}

int
output_add_body(
    struct annex_instance *inst, struct flow *flow, const struct body *body, const char *to)
{
	struct output *o = inst->output;
	size_t at = o->bytes.len;
	int r;

	if (stream_pressure(inst->stream) == STREAM_HARD) {
		o->refused->value++;
		return ANNEX_ELIMIT;
	}
	o->bytes.max = 0;
	if ((r = body_write(body, to, &o->bytes)) < 0)
		return r;
	item_add_stanza(o, flow, (enum stream_class)body->class, at);
	return ANNEX_OK;
}

static void
trace_fanout(struct annex_instance *inst, const struct fanout *fanout)
{
	struct buf one = { 0 };
	struct fanout_place place = { 0 };

	if (fanout_expand(fanout, &place, &one))
		inst->trace->stanza(
		    inst->trace, TRACE_OUT, one.data, one.len, fanout_stanzas(fanout));
	buf_finish(&one);
}

void
annex_use_flow(struct annex_instance *inst, struct annex_flow *flow)
{
	CHECK(inst->entered);
	inst->flow = (struct flow *)flow;
}

struct annex_flow *
annex_flow(struct annex_instance *inst, const char *name)
{
	return (struct annex_flow *)stream_flow(inst->stream, name);
}

bool
annex_is_congested(struct annex_instance *inst)
{
	return stream_pressure(inst->stream) != STREAM_EASY;
}

/* --- The end of a turn ---------------------------------------------------- */

void
output_splice(struct annex_instance *inst)
{
	struct output *o = inst->output;

	for (size_t i = 0; i < o->count; i++) {
		struct item *item = &o->items[i];
		const char *bytes = buf_text(&o->bytes) + item->at;

		if (item->fanout != NULL) {
			if (inst->trace != NULL)
				trace_fanout(inst, item->fanout);
			stream_queue_fanout(inst->stream, item->flow, item->class, &item->fanout);
			continue;
		}
		if (inst->trace != NULL)
			inst->trace->stanza(inst->trace, TRACE_OUT, bytes, item->len, 1);
		stream_queue(inst->stream, item->flow, item->class, bytes, item->len);
	}
	items_clear(o);
}

void
output_drop(struct annex_instance *inst)
{
	items_clear(inst->output);
}
