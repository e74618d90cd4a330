/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fanout.c - what flow.h offers for one stanza that goes to many
 *
 * The work is the stream's (stream/fanout.h).  Here is the guard, and who
 * owns what: a fan-out is scratch until it was sent, bodies and audiences are
 * of a pool of the component's.
 */
#include <string.h>

#include <annex/flow.h>

#include "base/check.h"
#include "instance.h"
#include "output.h"
#include "stream/audience.h"
#include "stream/body.h"
#include "stream/fanout.h"

struct annex_fanout {
	struct annex_instance *inst;
	struct fanout *shared;
};

static struct flow *
flow_or_zero(struct annex_instance *inst, struct annex_flow *flow)
{
	return flow != NULL ? (struct flow *)flow : stream_flow(inst->stream, NULL);
}

static void
fanout_forget(void *arg)
{
	struct annex_fanout *f = arg;

	fanout_unref(&f->shared);
}

struct annex_fanout *
annex_fanout(struct annex_instance *inst)
{
	struct annex_fanout *f = annex_new(inst->scratch, struct annex_fanout);

	f->inst = inst;
	f->shared = fanout_create();
	annex_pool_on_destroy(inst->scratch, fanout_forget, f);
	return f;
}

/* The guard for what is written without knowing whom it is to. */
static int
guard_body(struct annex_instance *inst, struct annex_stanza *stanza)
{
	struct annex_element *el = stanza->element;
	const char *from = annex_attr(el, "from");

	if (from == NULL || !output_is_ours(inst, (struct outgoing *)stanza, from))
		return output_refuse(inst, el, "from is not in the component's domain");
	if (strcmp(el->name, "iq") == 0)
		return output_refuse(inst, el, "an IQ is for one");
	if (annex_attr(el, "id") == NULL)
		annex_attr_set(el, "id", annex_random_id(inst));
	return ANNEX_OK;
}

int
annex_fanout_variant(struct annex_fanout *f, struct annex_stanza *stanza)
{
	const struct outgoing *out = (struct outgoing *)stanza;
	int r;

	if ((r = guard_body(f->inst, stanza)) < 0)
		return r;
	if ((r = fanout_variant(
		 f->shared, stanza->element, outgoing_class(out), output_max(f->inst->output))) < 0)
		return output_write_failed(f->inst, stanza->element, r);
	return r;
}

int
annex_fanout_body(struct annex_fanout *f, struct annex_body *body)
{
	return fanout_body(f->shared, (struct body *)body);
}

int
annex_fanout_add(
    struct annex_fanout *f, int variant, const char *to, const struct annex_element *tail)
{
	return fanout_add(f->shared, variant, to, tail);
}

int
annex_fanout_add_each(struct annex_fanout *f, const char *to)
{
	return fanout_add_each(f->shared, to);
}

void
annex_fanout_add_audience(
    struct annex_fanout *f, struct annex_audience *audience, const char *const *except)
{
	fanout_audience(f->shared, (struct audience *)audience, except);
}

int
annex_fanout_send(struct annex_fanout *f, struct annex_flow *flow)
{
	return output_add_fanout(f->inst, flow_or_zero(f->inst, flow), f->shared);
}

/* --- Bodies and audiences ------------------------------------------------- */

int
annex_body(struct annex_instance *inst, struct annex_pool *pool, struct annex_stanza *stanza,
    struct annex_body **body_r)
{
	const struct outgoing *out = (struct outgoing *)stanza;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	*body_r = NULL;
	if ((r = guard_body(inst, stanza)) < 0)
		return r;
	if ((r = body_create(pool, stanza->element, outgoing_class(out), output_max(inst->output),
		 (struct body **)body_r)) < 0)
		return output_write_failed(inst, stanza->element, r);
	return ANNEX_OK;
}

void
annex_body_drop(struct annex_body **body)
{
	body_drop((struct body **)body);
}

int
annex_send_body(struct annex_instance *inst, struct annex_flow *flow, const struct annex_body *body,
    const char *to)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	return output_add_body(inst, flow_or_zero(inst, flow), (const struct body *)body, to);
}

struct annex_audience *
annex_audience(struct annex_pool *pool)
{
	return (struct annex_audience *)audience_create(pool);
}

int
annex_audience_add(struct annex_audience *audience, unsigned group, const char *to)
{
	CHECK(group < AUDIENCE_GROUPS);
	return audience_add((struct audience *)audience, group, to, NULL);
}

bool
annex_audience_remove(struct annex_audience *audience, const char *to)
{
	return audience_remove((struct audience *)audience, to);
}

bool
annex_audience_move(struct annex_audience *audience, const char *to, unsigned group)
{
	return audience_move((struct audience *)audience, to, group);
}
