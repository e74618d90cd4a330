/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * send.c - building stanzas and sending them
 */
#include <string.h>

#include "base/check.h"
#include "instance.h"
#include "output.h"

static const char *
value_of_last_attr(const struct annex_element *el)
{
	return el->last_attr->value;
}

struct outgoing *
outgoing_create(struct annex_instance *inst, enum annex_kind kind, const char *name,
    const char *from, const char *to, const char *type, const char *id)
{
	struct outgoing *out = annex_new(inst->scratch, struct outgoing);
	struct annex_element *el = annex_element(inst->scratch, ANNEX_NS_STANZA, name);

	annex_attr_set(el, "from", from == NULL ? inst->jid->full : from);
	if (from == NULL)
		out->trusted_from = value_of_last_attr(el);
	if (to != NULL)
		annex_attr_set(el, "to", to);
	if (type != NULL)
		annex_attr_set(el, "type", type);
	if (id != NULL)
		annex_attr_set(el, "id", id);
	out->stanza = (struct annex_stanza) { .kind = kind, .element = el, .pool = inst->scratch };
	return out;
}

struct annex_stanza *
annex_message(struct annex_instance *inst, const char *from, const char *to, const char *type)
{
	return &outgoing_create(inst, ANNEX_MESSAGE, "message", from, to, type, NULL)->stanza;
}

struct annex_stanza *
annex_presence(struct annex_instance *inst, const char *from, const char *to, const char *type)
{
	return &outgoing_create(inst, ANNEX_PRESENCE, "presence", from, to, type, NULL)->stanza;
}

/* The empty answer: addresses swapped, id kept. */
static struct outgoing *
answer_create(struct annex_instance *inst, const struct annex_stanza *in, const char *type)
{
	struct outgoing *out = annex_new(inst->scratch, struct outgoing);
	struct annex_element *el = annex_element(inst->scratch, ANNEX_NS_STANZA, in->element->name);

	annex_attr_set(el, "from", in->to->full);
	out->trusted_from = value_of_last_attr(el);
	annex_attr_set(el, "to", in->from->full);
	out->trusted_to = value_of_last_attr(el);
	if (type != NULL)
		annex_attr_set(el, "type", type);
	if (in->id != NULL)
		annex_attr_set(el, "id", in->id);
	out->stanza =
	    (struct annex_stanza) { .kind = in->kind, .element = el, .pool = inst->scratch };
	out->answers = in;
	return out;
}

static bool
is_iq(const struct annex_stanza *in)
{
	return in->kind == ANNEX_IQ_GET || in->kind == ANNEX_IQ_SET;
}

struct annex_stanza *
annex_reply(struct annex_instance *inst, const struct annex_stanza *in)
{
	const char *thread;
	struct outgoing *out;

	CHECK(in->from != NULL);
	if (is_iq(in))
		return &answer_create(inst, in, "result")->stanza;
	out = answer_create(inst, in, in->kind == ANNEX_MESSAGE ? in->type : NULL);
	if (in->kind == ANNEX_MESSAGE &&
	    (thread = annex_child_text(in->element, NULL, "thread")) != NULL)
		annex_add_text(out->stanza.element, NULL, "thread", thread);
	return &out->stanza;
}

void
annex_copy_children(struct annex_stanza *out, const struct annex_stanza *in)
{
	struct annex_element *thread = annex_child(out->element, NULL, "thread");
	const char *lang = annex_lang(in->element);

	if (thread != NULL) /* in has it too */
		annex_element_remove(thread);
	if (lang != NULL) /* what the texts inherit; the server would put its own there */
		annex_attr_set_ns(out->element, ANNEX_NS_XML, "lang", lang);
	annex_add_copies(out->element, in->element);
}

void
annex_make_durable(struct annex_stanza *out)
{
	((struct outgoing *)out)->durable = true;
}

void
annex_make_fleeting(struct annex_stanza *out)
{
	((struct outgoing *)out)->fleeting = true;
}

enum stream_class
outgoing_class(const struct outgoing *out)
{
	const struct annex_element *el = out->stanza.element;
	const char *type = annex_attr(el, "type");

	if (el->name[0] == 'i')
		return STREAM_ANSWER;
	if (type != NULL && strcmp(type, "error") == 0)
		return STREAM_BOUNCE;
	if (el->name[0] == 'p' || out->fleeting)
		return STREAM_PRESENCE;
	return out->durable ? STREAM_DURABLE : STREAM_MESSAGE;
}

int
annex_send_on(struct annex_instance *inst, struct annex_flow *flow, struct annex_stanza *stanza)
{
	struct outgoing *out = (struct outgoing *)stanza;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	return output_add(inst, (struct flow *)flow, outgoing_class(out), out);
}

int
annex_send(struct annex_instance *inst, struct annex_stanza *stanza)
{
	struct flow *flow = inst->flow != NULL ? inst->flow : stream_flow(inst->stream, NULL);

	return annex_send_on(inst, (struct annex_flow *)flow, stanza);
}

size_t
annex_send_max(const struct annex_instance *inst)
{
	return output_max(inst->output);
}

enum annex_verdict
annex_refuse_with(
    struct annex_instance *inst, const struct annex_stanza *in, const struct annex_error *error)
{
	struct outgoing *out;

	if (in->kind == ANNEX_MESSAGE_ERROR || in->kind == ANNEX_PRESENCE_ERROR)
		return ANNEX_DONE;
	out = answer_create(inst, in, "error");
	annex_error_add(out->stanza.element, error);
	annex_send(inst, &out->stanza);
	return ANNEX_DONE;
}

enum annex_verdict
annex_refuse(struct annex_instance *inst, const struct annex_stanza *in,
    enum annex_condition condition, const char *text)
{
	const struct annex_error error = { .condition = condition, .text = text };

	return annex_refuse_with(inst, in, &error);
}

enum annex_verdict
annex_confirm(struct annex_instance *inst, const struct annex_stanza *in)
{
	CHECK(is_iq(in));
	annex_send(inst, &answer_create(inst, in, "result")->stanza);
	return ANNEX_DONE;
}
