/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hold.c - IQs that are answered later
 *
 * A hold is our own copy of an IQ's from, to and id: it survives the loss of
 * the link, and whatever becomes of the component it is answered, once.
 *
 *	taken ──turn done──▶ open ──answer sent──▶ answered ──turn done──▶ gone
 *	  └──turn failed──▶ gone      ▲──────turn failed──────┘
 *
 * One taken in a turn that fails is forgotten, since the replay of its
 * stanza takes it again; one answered in such a turn is open again.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/list.h>
#include <annex/map.h>
#include <annex/pool.h>

#include "base/alloc.h"
#include "base/check.h"
#include "instance.h"
#include "output.h"

#define HOLDS_MAX 10000
#define HOLDS_MAX_BY_JID 500 /* or one user's, asked and never answered, would be all there are */
#define DEADLINE_MS 60000

/* Who has IQs held, and how many. */
struct asker {
	size_t holds;
	char bare[];
};

struct hold {
	struct annex_link link; /* taken, open or answered */
	struct timer deadline;
	struct annex_instance *inst;
	annex_hold_t number;
	bool is_answered;
	const struct annex_element *in_hand; /* this turn's IQ; only compared */
	struct asker *asker;
	char *from, *to, *id;
};

struct holds {
	struct annex_pool *pool;
	struct annex_map *by_number, *askers;
	struct annex_link taken, open, answered;
	annex_hold_t last;
	struct counter_slot *timeouts;
};

void
holds_init(struct annex_instance *inst)
{
	struct holds *h = mem_zalloc(sizeof(*h));

	h->pool = annex_pool_create(NULL, "holds");
	h->by_number = annex_map_create(h->pool);
	h->askers = annex_map_create(h->pool);
	annex_list_init(&h->taken);
	annex_list_init(&h->open);
	annex_list_init(&h->answered);
	/* A number kept from before a restart names nothing. */
	inst->random->fill(inst->random, &h->last, sizeof(h->last));
	h->last = h->last >> 1 & ~(annex_hold_t)0xffffffffu;
	h->timeouts = counters_get(inst->counters, COUNTER_COUNT, "holds_timeout_total",
	    "Held IQs the component did not answer in time.");
	inst->holds = h;
}

static struct hold *
hold_find(const struct annex_instance *inst, annex_hold_t number)
{
	return annex_map_get(inst->holds->by_number, &number, sizeof(number));
}

static struct asker *
asker_add(struct holds *h, const char *bare)
{
	struct asker *asker = annex_map_get_str(h->askers, bare);
	size_t size = strlen(bare) + 1;

	if (asker == NULL) {
		asker = mem_zalloc(sizeof(*asker) + size);
		memcpy(asker->bare, bare, size);
		annex_map_set_str(h->askers, bare, asker);
	}
	asker->holds++;
	return asker;
}

static void
asker_remove(struct holds *h, struct asker *asker)
{
	if (--asker->holds > 0)
		return;
	annex_map_remove_str(h->askers, asker->bare);
	free(asker);
}

static bool
is_full(const struct holds *h, const char *bare)
{
	const struct asker *asker = annex_map_get_str(h->askers, bare);

	return annex_map_count(h->by_number) >= HOLDS_MAX ||
	    (asker != NULL && asker->holds >= HOLDS_MAX_BY_JID);
}

static void
hold_free(struct hold *hold)
{
	asker_remove(hold->inst->holds, hold->asker);
	annex_map_remove(hold->inst->holds->by_number, &hold->number, sizeof(hold->number));
	annex_list_remove(&hold->link);
	timer_stop(hold->inst->timers, &hold->deadline);
	free(hold->from);
	free(hold->to);
	free(hold->id);
	free(hold);
}

static void
hold_refuse(struct hold *hold, const struct annex_error *error)
{
	struct annex_instance *inst = hold->inst;
	struct outgoing *out =
	    outgoing_create(inst, ANNEX_IQ_GET, "iq", hold->to, hold->from, "error", hold->id);

	out->hold = hold->number;
	annex_error_add(out->stanza.element, error);
	output_add(inst, stream_flow(inst->stream, NULL), STREAM_ANSWER, out);
}

static void
hold_is_late(struct timer *timer)
{
	struct hold *hold = annex_container_of(timer, struct hold, deadline);
	const struct annex_error error = { .condition = ANNEX_REMOTE_SERVER_TIMEOUT };

	hold->inst->holds->timeouts->value++;
	hold_refuse(hold, &error);
}

/* --- Taking -------------------------------------------------------------- */

/* The IQ in hand is always the last one taken. */
static struct hold *
hold_in_hand(const struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_link *last = inst->holds->taken.prev;
	struct hold *hold = annex_container_of(last, struct hold, link);

	return last != &inst->holds->taken && hold->in_hand == in->element ? hold : NULL;
}

bool
holds_took(const struct annex_instance *inst, const struct annex_stanza *in)
{
	return hold_in_hand(inst, in) != NULL;
}

static struct hold *
hold_create(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct holds *h = inst->holds;
	struct hold *hold = mem_zalloc(sizeof(*hold));

	hold->inst = inst;
	hold->number = ++h->last;
	hold->in_hand = in->element;
	hold->asker = asker_add(h, in->from->bare);
	hold->from = mem_strdup(in->from->full);
	hold->to = mem_strdup(in->to->full);
	hold->id = mem_strdup(in->id);
	annex_map_set(h->by_number, &hold->number, sizeof(hold->number), hold);
	annex_list_append(&h->taken, &hold->link);
	timer_start(inst->timers, &hold->deadline, DEADLINE_MS, hold_is_late);
	return hold;
}

enum annex_verdict
annex_hold(struct annex_instance *inst, const struct annex_stanza *in, annex_hold_t *hold_r)
{
	struct hold *hold;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK(in->kind == ANNEX_IQ_GET || in->kind == ANNEX_IQ_SET);
	*hold_r = 0;
	if ((hold = hold_in_hand(inst, in)) != NULL) {
		*hold_r = hold->number;
		return ANNEX_HELD;
	}
	if (output_was_answered(inst->output)) {
		annex_log(
		    inst, ANNEX_LOG_BUG, "%s holds an IQ that it has answered", inst->module->name);
		return ANNEX_DONE;
	}
	if (is_full(inst->holds, in->from->bare)) {
		const struct annex_error error = { .condition = ANNEX_RESOURCE_CONSTRAINT,
			.type = ANNEX_ERROR_WAIT };

		return annex_refuse_with(inst, in, &error);
	}
	*hold_r = hold_create(inst, in)->number;
	return ANNEX_HELD;
}

/* --- Answering ----------------------------------------------------------- */

struct annex_stanza *
annex_release(struct annex_instance *inst, annex_hold_t number)
{
	struct hold *hold = hold_find(inst, number);
	struct outgoing *out;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (hold == NULL || hold->is_answered)
		return NULL;
	out = outgoing_create(inst, ANNEX_IQ_GET, "iq", hold->to, hold->from, "result", hold->id);
	out->hold = number;
	return &out->stanza;
}

void
annex_refuse_held(struct annex_instance *inst, annex_hold_t number, const struct annex_error *error)
{
	struct hold *hold = hold_find(inst, number);

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (hold != NULL && !hold->is_answered)
		hold_refuse(hold, error);
}

/* One answered in the turn that took it may be forgotten whatever becomes of the turn,
 * yet it stays in its list: the replay takes and answers it again. */
bool
holds_answered(struct annex_instance *inst, annex_hold_t number)
{
	struct hold *hold = hold_find(inst, number);

	if (hold == NULL || hold->is_answered)
		return false;
	hold->is_answered = true;
	if (hold->in_hand == NULL) {
		annex_list_remove(&hold->link);
		annex_list_append(&inst->holds->answered, &hold->link);
	}
	return true;
}

/* --- The end of a turn, and of a life ------------------------------------ */

static void
free_all(struct annex_link *list)
{
	ANNEX_LIST_EACH (list, l)
		hold_free(annex_container_of(l, struct hold, link));
}

void
holds_turn_done(struct annex_instance *inst)
{
	struct holds *h = inst->holds;

	free_all(&h->answered);
	ANNEX_LIST_EACH (&h->taken, l) {
		struct hold *hold = annex_container_of(l, struct hold, link);

		hold->in_hand = NULL;
		annex_list_remove(l);
		annex_list_append(&h->open, l);
		if (hold->is_answered)
			hold_free(hold);
	}
}

/* A deadline that passed in the failed turn passes again. */
static void
hold_reopen(struct hold *hold)
{
	annex_list_remove(&hold->link);
	annex_list_append(&hold->inst->holds->open, &hold->link);
	hold->is_answered = false;
	if (!timer_is_running(&hold->deadline))
		timer_start(hold->inst->timers, &hold->deadline, 0, hold_is_late);
}

void
holds_turn_failed(struct annex_instance *inst)
{
	free_all(&inst->holds->taken);
	ANNEX_LIST_EACH (&inst->holds->answered, l)
		hold_reopen(annex_container_of(l, struct hold, link));
}

void
holds_reset(struct annex_instance *inst)
{
	const struct annex_error error = { .condition = ANNEX_RESOURCE_CONSTRAINT,
		.type = ANNEX_ERROR_WAIT };

	ANNEX_LIST_EACH (&inst->holds->open, l)
		hold_refuse(annex_container_of(l, struct hold, link), &error);
}

void
holds_finish(struct annex_instance *inst)
{
	struct holds *h = inst->holds;

	if (h == NULL)
		return;
	free_all(&h->taken);
	free_all(&h->open);
	free_all(&h->answered);
	annex_pool_destroy(&h->pool);
	free(h);
	inst->holds = NULL;
}
