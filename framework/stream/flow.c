/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * flow.c - queues of output with their own order, served by bytes in turn
 *
 * Deficit round robin with debts: a flow may send while its deficit is
 * above zero and pays for what its last stanza took beyond it in the next
 * round, since a fan-out's next stanza has no length before it is made.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/map.h>
#include <annex/pool.h>

#include "base/alloc.h"
#include "base/check.h"
#include "expand.h"
#include "flow.h"

#define QUANTUM 16384 /* some dozens of usual stanzas: a change of flows costs as much as a few */

void
flows_init(struct flows *flows, size_t *held)
{
	memset(flows, 0, sizeof(*flows));
	annex_list_init(&flows->ring);
	annex_list_init(&flows->idle);
	annex_list_init(&flows->zero.ring);
	annex_list_init(&flows->zero.idle);
	flows->pool = annex_pool_create(NULL, "flows");
	flows->by_name = annex_map_create(flows->pool);
	flows->held = held;
}

static void
piece_free(struct flows *flows, struct piece *piece)
{
	spool_finish(&piece->spool);
	*flows->held -= sizeof(*piece);
	if (piece->fanout != NULL)
		*flows->held -= fanout_release(piece->fanout);
	fanout_unref(&piece->fanout);
	free(piece);
}

static void
flow_empty(struct flows *flows, struct flow *flow)
{
	struct piece *piece;

	while ((piece = flow->head) != NULL) {
		flow->head = piece->next;
		piece_free(flows, piece);
	}
	flow->tail = NULL;
}

static void
flow_free(struct flows *flows, struct flow *flow)
{
	flow_empty(flows, flow);
	annex_list_remove(&flow->ring);
	annex_list_remove(&flow->idle);
	free(flow->name);
	free(flow);
}

void
flows_finish(struct flows *flows)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_next(flows->by_name, &it))
		flow_free(flows, it.value);
	flow_empty(flows, &flows->zero);
	annex_pool_destroy(&flows->pool);
}

struct flow *
flows_get(struct flows *flows, const char *name)
{
	struct flow *flow;

	if (name == NULL || *name == '\0')
		return &flows->zero;
	if ((flow = annex_map_get_str(flows->by_name, name)) != NULL)
		return flow;
	flow = mem_zalloc(sizeof(*flow));
	flow->name = mem_strdup(name);
	annex_list_init(&flow->ring);
	annex_list_append(&flows->idle, &flow->idle);
	annex_map_set_str(flows->by_name, name, flow);
	return flow;
}

bool
flows_is_empty(const struct flows *flows)
{
	return flows->zero.head == NULL && annex_list_is_empty(&flows->ring);
}

/* Put at the end of flow, which then waits to be served. */
static struct piece *
piece_append(struct flows *flows, struct flow *flow)
{
	struct piece *piece = mem_zalloc(sizeof(*piece));

	spool_init(&piece->spool, flows->held, true);
	*flows->held += sizeof(*piece);
	if (flow->tail != NULL) {
		flow->tail->next = piece;
	} else {
		flow->head = piece;
		flow->deficit = 0;
		annex_list_remove(&flow->idle);
		if (flow != &flows->zero)
			annex_list_append(&flows->ring, &flow->ring);
	}
	flow->tail = piece;
	return piece;
}

static struct spool *
flow_spool(struct flows *flows, struct flow *flow)
{
	struct piece *piece = flow->tail;

	if (piece == NULL || piece->fanout != NULL)
		piece = piece_append(flows, flow);
	return &piece->spool;
}

void
flow_append(struct flows *flows, struct flow *flow, unsigned class, uint32_t when_s,
    const void *bytes, size_t len)
{
	spool_append(flow_spool(flows, flow), class, when_s, bytes, len);
	flows->stanzas++;
}

void
flow_append_fanout(struct flows *flows, struct flow *flow, unsigned class, uint32_t when_s,
    struct fanout **fanoutp)
{
	struct fanout *fanout = *fanoutp;
	struct piece *piece;

	*fanoutp = NULL;
	if (fanout_stanzas(fanout) == 0) {
		fanout_unref(&fanout);
		return;
	}
	piece = piece_append(flows, flow);
	piece->fanout = fanout;
	piece->class = class;
	piece->when_s = when_s;
	piece->left = fanout_stanzas(fanout);
	*flows->held += fanout_hold(fanout);
	flows->stanzas += piece->left;
}

void
flows_barrier(struct flows *flows)
{
	if (flows->zero.head != NULL) {
		spool_append(flow_spool(flows, &flows->zero), CLASS_BARRIER, 0, "", 0);
		flows->barriers++;
	}
	ANNEX_LIST_EACH (&flows->ring, l) {
		struct flow *flow = annex_container_of(l, struct flow, ring);

		spool_append(flow_spool(flows, flow), CLASS_BARRIER, 0, "", 0);
		flows->barriers++;
	}
}

void
flow_mark(struct flows *flows, struct flow *flow, void *mark)
{
	spool_append(flow_spool(flows, flow), CLASS_MARK, 0, &mark, sizeof(mark));
}

static void
piece_done(struct flows *flows, struct flow *flow)
{
	struct piece *piece = flow->head;

	flow->head = piece->next;
	piece_free(flows, piece);
	if (flow->head != NULL)
		return;
	flow->tail = NULL;
	annex_list_remove(&flow->ring);
	if (flow != &flows->zero)
		annex_list_append(&flows->idle, &flow->idle);
}

static size_t
move_fanout(struct flows *flows, struct flow *flow, struct spool *wire, size_t room)
{
	struct piece *piece = flow->head;
	size_t stanzas = 0, len;

	len = fanout_move(
	    piece->fanout, &piece->place, wire, piece->class, piece->when_s, room, &stanzas);
	CHECK(stanzas > 0 && stanzas <= piece->left);
	flows->stanzas -= stanzas;
	piece->left -= stanzas;
	if (piece->left == 0)
		piece_done(flows, flow);
	return len;
}

/* What stood in line only to be told when its turn comes. */
static void
pass(struct flows *flows, const struct spool_record *record)
{
	void *mark = NULL;

	if (record->class == CLASS_MARK) {
		memcpy(&mark, record->bytes, sizeof(mark));
		flows->passed(flows, mark);
	} else if (--flows->barriers == 0) {
		flows->passed(flows, NULL);
	}
}

static size_t
move_record(struct flows *flows, struct flow *flow, struct spool *wire)
{
	struct spool *spool = &flow->head->spool;
	struct spool_record record;
	size_t len = 0;

	CHECK(spool_first(spool, &record));
	if (record.class == CLASS_BARRIER || record.class == CLASS_MARK) {
		pass(flows, &record);
	} else {
		len = record.len;
		spool_append(wire, record.class, record.when_s, record.bytes, len);
		flows->stanzas--;
	}
	spool_drop_first(spool);
	if (spool->records == 0)
		piece_done(flows, flow);
	return len;
}

/* As much of flow as its deficit and room allow. */
static void
flow_serve(struct flows *flows, struct flow *flow, struct spool *wire, size_t room, size_t *moved)
{
	while (flow->head != NULL && flow->deficit > 0 && *moved < room) {
		size_t most = room - *moved, len;

		if (most > (size_t)flow->deficit)
			most = (size_t)flow->deficit;
		len = flow->head->fanout != NULL ? move_fanout(flows, flow, wire, most)
						 : move_record(flows, flow, wire);
		*moved += len;
		flow->deficit -= (int64_t)len;
	}
}

void
flows_fill(struct flows *flows, struct spool *wire, size_t room)
{
	struct flow *flow = &flows->zero;
	size_t moved = 0;

	flow->deficit = (int64_t)(annex_list_is_empty(&flows->ring) ? room : room / 2);
	flow_serve(flows, flow, wire, room, &moved);
	while (moved < room && !annex_list_is_empty(&flows->ring)) {
		flow = annex_container_of(flows->ring.next, struct flow, ring);
		if (flow->deficit <= 0) /* who is alone has all that there is */
			flow->deficit += flows->ring.next == flows->ring.prev
			    ? (int64_t)(room - moved)
			    : QUANTUM;
		flow_serve(flows, flow, wire, room, &moved);
		if (flow->head != NULL && flow->deficit <= 0) {
			annex_list_remove(&flow->ring);
			annex_list_append(&flows->ring, &flow->ring);
		}
	}
}

/* The records of a run that stay, in a run of their own. */
static void
piece_drop(struct flows *flows, struct piece *piece, unsigned classes, size_t *dropped)
{
	struct spool_record record;
	struct spool left;

	spool_init(&left, flows->held, true);
	while (spool_first(&piece->spool, &record)) {
		if (record.class == CLASS_BARRIER) {
			flows->barriers--;
		} else if (record.class == CLASS_MARK) {
			; /* whoever drops it tells who waits */
		} else if ((classes & 1u << record.class) != 0) {
			dropped[record.class]++;
			flows->stanzas--;
		} else {
			spool_append(&left, record.class, record.when_s, record.bytes, record.len);
		}
		spool_drop_first(&piece->spool);
	}
	spool_finish(&piece->spool);
	piece->spool = left;
}

static bool
fanout_drop(struct flows *flows, struct piece *piece, unsigned classes, size_t *dropped)
{
	if ((classes & 1u << piece->class) == 0)
		return false;
	dropped[piece->class] += piece->left;
	flows->stanzas -= piece->left;
	return true;
}

static void
flow_drop(struct flows *flows, struct flow *flow, unsigned classes, size_t *dropped)
{
	struct piece **at = &flow->head, *piece;

	flow->tail = NULL;
	while ((piece = *at) != NULL) {
		bool gone;

		if (piece->fanout != NULL) {
			gone = fanout_drop(flows, piece, classes, dropped);
		} else {
			piece_drop(flows, piece, classes, dropped);
			gone = piece->spool.records == 0;
		}
		if (gone) {
			*at = piece->next;
			piece_free(flows, piece);
		} else {
			flow->tail = piece;
			at = &piece->next;
		}
	}
	if (flow->head != NULL || flow == &flows->zero)
		return;
	annex_list_remove(&flow->ring);
	annex_list_remove(&flow->idle);
	annex_list_append(&flows->idle, &flow->idle);
}

void
flows_drop(struct flows *flows, unsigned classes, size_t dropped[CLASS_COUNT])
{
	flow_drop(flows, &flows->zero, classes, dropped);
	ANNEX_LIST_EACH (&flows->ring, l)
		flow_drop(flows, annex_container_of(l, struct flow, ring), classes, dropped);
}

void
flows_sweep(struct flows *flows)
{
	ANNEX_LIST_EACH (&flows->idle, l) {
		struct flow *flow = annex_container_of(l, struct flow, idle);

		annex_map_remove_str(flows->by_name, flow->name);
		flow_free(flows, flow);
	}
}
