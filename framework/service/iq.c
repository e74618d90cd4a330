/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * iq.c - asking others
 *
 * A question is pending until its answer, its timeout or the loss of the
 * link, whichever comes first; then its function is called, once, in a turn.
 * Its id is a random word of this process and a number, so an answer that
 * comes late, from before a restart or from somebody else matches nothing
 * (RFC 6120 §8.1.3, §8.2.3).
 *
 * What ends without an answer ends by its timer, the loss of the link too:
 * the timers are paced by the worker, and run inside turns, while a link may
 * be lost in the middle of a flush.
 *
 * Fences are collected while the turn runs and handed to the stream behind
 * the turn's output.  The stream keeps pointers to them, so one that a reset
 * forgets stays until the stream lets go of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/list.h>
#include <annex/map.h>
#include <annex/pool.h>

#include "base/alloc.h"
#include "base/check.h"
#include "instance.h"
#include "output.h"

#define PENDING_MAX 10000
#define TIMEOUT_PRESET_MS 30000
#define ID_MAX 40

struct question {
	struct annex_link link;
	struct timer timer;
	struct annex_instance *inst;
	char id[ID_MAX];
	char *to; /* whom we asked, prepared */
	int status;
	annex_answer_fn *fn;
	size_t cookie_len;
	unsigned char cookie[];
};

struct fence {
	struct annex_link link;
	struct timer timer;
	struct annex_instance *inst; /* NULL: forgotten */
	bool all;                    /* fenced is all output, not one flow */
	struct flow *flow;           /* good until spliced */
	int status;
	annex_fence_fn *fn;
	size_t cookie_len;
	unsigned char cookie[];
};

struct questions {
	struct annex_pool *pool;
	struct annex_map *by_id;   /* those an answer may still come for */
	struct annex_link pending; /* all, oldest first */
	size_t count;
	char prefix[17];
	uint64_t last;
	struct annex_link fences_new; /* of this turn */
	struct annex_link fences_out; /* the stream has them */
	struct counter_slot *asked, *timeouts;
};

void
questions_init(struct annex_instance *inst)
{
	struct questions *q = mem_zalloc(sizeof(*q));

	q->pool = annex_pool_create(NULL, "questions");
	q->by_id = annex_map_create(q->pool);
	annex_list_init(&q->pending);
	annex_list_init(&q->fences_new);
	annex_list_init(&q->fences_out);
	random_id(inst->random, q->prefix);
	q->asked = counters_get(inst->counters, COUNTER_COUNT, "questions_total", "IQs asked.");
	q->timeouts = counters_get(inst->counters, COUNTER_COUNT, "questions_timeout_total",
	    "IQs asked that had no answer in time.");
	inst->questions = q;
}

/* --- Questions ----------------------------------------------------------- */

static void
question_free(struct question *question)
{
	free(question->to);
	free(question);
}

/* Out of every list: from now on only the caller knows it. */
static void
question_take(struct questions *q, struct question *question)
{
	annex_map_remove_str(q->by_id, question->id);
	annex_list_remove(&question->link);
	timer_stop(question->inst->timers, &question->timer);
	q->count--;
}

static void
question_tell(struct question *question, int status, const struct annex_stanza *answer)
{
	struct annex_instance *inst = question->inst;

	if (instance_enter(inst)) {
		question->fn(inst, status, answer, question->cookie, question->cookie_len);
		instance_leave(inst);
	}
	question_free(question);
}

static void
question_ended(struct timer *timer)
{
	struct question *question = annex_container_of(timer, struct question, timer);
	struct questions *q = question->inst->questions;

	question_take(q, question);
	if (question->status == ANNEX_AGAIN)
		q->timeouts->value++;
	question_tell(question, question->status, NULL);
}

/* No answer is waited for any more; the timers tell. */
static void
question_fail(struct question *question, int status)
{
	struct annex_instance *inst = question->inst;

	annex_map_remove_str(inst->questions->by_id, question->id);
	question->status = status;
	timer_start(inst->timers, &question->timer, 0, question_ended);
}

struct annex_stanza *
annex_iq(struct annex_instance *inst, const char *from, const char *to, const char *type)
{
	enum annex_kind kind = strcmp(type, "set") == 0 ? ANNEX_IQ_SET : ANNEX_IQ_GET;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK(kind == ANNEX_IQ_SET || strcmp(type, "get") == 0);
	return &outgoing_create(inst, kind, "iq", from, to, type, NULL)->stanza;
}

static struct question *
question_create(struct annex_instance *inst, const struct annex_jid *to, annex_answer_fn *fn,
    const void *cookie, size_t cookie_len)
{
	struct questions *q = inst->questions;
	struct question *question = mem_zalloc(sizeof(*question) + cookie_len);

	question->inst = inst;
	question->to = mem_strdup(to->full);
	question->status = ANNEX_AGAIN;
	question->fn = fn;
	question->cookie_len = cookie_len;
	if (cookie_len > 0)
		memcpy(question->cookie, cookie, cookie_len);
	snprintf(question->id, sizeof(question->id), "%s-%" PRIx64, q->prefix, ++q->last);
	return question;
}

int
annex_ask(struct annex_instance *inst, struct annex_stanza *stanza, int64_t timeout_ms,
    annex_answer_fn *fn, const void *cookie, size_t cookie_len)
{
	struct questions *q = inst->questions;
	const char *to = annex_attr(stanza->element, "to");
	const struct annex_jid *jid = to != NULL ? annex_jid(inst->scratch, to) : NULL;
	struct question *question;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK(fn != NULL);
	if (q->count >= PENDING_MAX)
		return ANNEX_ELIMIT;
	if (jid == NULL)
		return ANNEX_EINVAL;
	question = question_create(inst, jid, fn, cookie, cookie_len);
	if (stream_is_up(inst->stream)) {
		annex_attr_set(stanza->element, "id", question->id);
		r = output_add(inst, stream_flow(inst->stream, NULL), STREAM_QUESTION,
		    (struct outgoing *)stanza);
		if (r < 0) {
			question_free(question);
			return r;
		}
		annex_map_set_str(q->by_id, question->id, question);
		timer_start(inst->timers, &question->timer,
		    timeout_ms > 0 ? timeout_ms : TIMEOUT_PRESET_MS, question_ended);
	} else {
		question_fail(question, ANNEX_EOFFLINE);
	}
	annex_list_append(&q->pending, &question->link);
	q->count++;
	q->asked->value++;
	return ANNEX_OK;
}

bool
questions_answer(struct annex_instance *inst, const struct annex_stanza *answer)
{
	struct questions *q = inst->questions;
	struct question *question;
	bool is_error = answer->type != NULL && strcmp(answer->type, "error") == 0;

	if (answer->id == NULL || answer->from == NULL)
		return false;
	question = annex_map_get_str(q->by_id, answer->id);
	if (question == NULL || strcmp(question->to, answer->from->full) != 0)
		return false;
	question_take(q, question);
	question_tell(question, is_error ? ANNEX_EDENIED : ANNEX_OK, answer);
	return true;
}

void
questions_link_down(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->questions->pending, l) {
		struct question *question = annex_container_of(l, struct question, link);

		if (question->status == ANNEX_AGAIN)
			question_fail(question, ANNEX_EOFFLINE);
	}
}

/* --- Fences -------------------------------------------------------------- */

static struct fence *
fence_create(struct annex_instance *inst, annex_fence_fn *fn, const void *cookie, size_t cookie_len)
{
	struct fence *f = mem_zalloc(sizeof(*f) + cookie_len);

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK(fn != NULL);
	f->inst = inst;
	f->fn = fn;
	f->cookie_len = cookie_len;
	if (cookie_len > 0)
		memcpy(f->cookie, cookie, cookie_len);
	annex_list_append(&inst->questions->fences_new, &f->link);
	return f;
}

void
annex_fence(struct annex_instance *inst, annex_fence_fn *fn, const void *cookie, size_t cookie_len)
{
	fence_create(inst, fn, cookie, cookie_len)->all = true;
}

void
annex_fence_on(struct annex_instance *inst, struct annex_flow *flow, annex_fence_fn *fn,
    const void *cookie, size_t cookie_len)
{
	fence_create(inst, fn, cookie, cookie_len)->flow = (struct flow *)flow;
}

static void
fence_tell(struct timer *timer)
{
	struct fence *f = annex_container_of(timer, struct fence, timer);

	annex_list_remove(&f->link);
	if (instance_enter(f->inst)) {
		f->fn(f->inst, f->status, f->cookie, f->cookie_len);
		instance_leave(f->inst);
	}
	free(f);
}

static void
fence_back(void *cookie, int status)
{
	struct fence *f = cookie;

	if (f->inst == NULL) {
		annex_list_remove(&f->link);
		free(f);
		return;
	}
	f->status = status;
	timer_start(f->inst->timers, &f->timer, 0, fence_tell);
}

void
fences_splice(struct annex_instance *inst)
{
	struct questions *q = inst->questions;
	struct annex_link new = ANNEX_LIST_INIT(new);

	annex_list_splice(&new, &q->fences_new);
	ANNEX_LIST_EACH (&new, l) {
		struct fence *f = annex_container_of(l, struct fence, link);

		annex_list_remove(l);
		annex_list_append(&q->fences_out, l);
		if (!stream_is_up(inst->stream))
			fence_back(f, ANNEX_EOFFLINE);
		else if (f->all)
			stream_fence(inst->stream, fence_back, f);
		else
			stream_fence_on(inst->stream, f->flow, fence_back, f);
	}
}

static void
fences_free(struct annex_instance *inst, struct annex_link *list)
{
	ANNEX_LIST_EACH (list, l) {
		struct fence *f = annex_container_of(l, struct fence, link);

		annex_list_remove(l);
		timer_stop(inst->timers, &f->timer);
		free(f);
	}
}

void
fences_drop(struct annex_instance *inst)
{
	fences_free(inst, &inst->questions->fences_new);
}

/* Those whose timer runs are ours again; the others the stream still points to. */
static void
fences_forget(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->questions->fences_out, l) {
		struct fence *f = annex_container_of(l, struct fence, link);

		if (!timer_is_running(&f->timer)) {
			f->inst = NULL;
			continue;
		}
		annex_list_remove(l);
		timer_stop(inst->timers, &f->timer);
		free(f);
	}
}

/* --- The end of a life --------------------------------------------------- */

void
questions_reset(struct annex_instance *inst)
{
	struct questions *q = inst->questions;

	ANNEX_LIST_EACH (&q->pending, l) {
		struct question *question = annex_container_of(l, struct question, link);

		question_take(q, question);
		question_free(question);
	}
	fences_drop(inst);
	fences_forget(inst);
}

void
questions_finish(struct annex_instance *inst)
{
	if (inst->questions == NULL)
		return;
	questions_reset(inst);
	fences_free(inst, &inst->questions->fences_out);
	annex_pool_destroy(&inst->questions->pool);
	free(inst->questions);
	inst->questions = NULL;
}
