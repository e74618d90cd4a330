/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * waiting.c - requests that are held until a roster has come, and then are run again
 */
#include <string.h>

#include "pubsub.h"

#define WAITING_BYTES ((size_t)16 << 20)
#define WOKEN_A_TURN 50

struct waiter {
	struct annex_link link;
	struct annex_pool *pool;
	const char *account;
	size_t bytes;
	struct annex_element *iq;
	enum annex_kind kind;
	annex_hold_t hold;
};

bool
waiting_is_full(const struct pubsub *p)
{
	return p->waiting_bytes >= WAITING_BYTES;
}

enum annex_verdict
waiting_add(struct request *rq, const char *account)
{
	struct pubsub *p = rq->p;
	annex_hold_t hold = rq->hold;
	struct annex_pool *pool;
	struct waiter *w;

	if (hold == 0 && (annex_hold(p->inst, rq->in, &hold) != ANNEX_HELD || hold == 0))
		return ANNEX_HELD;
	pool = annex_pool_create(annex_pool(p->inst), "waiter");
	w = annex_new(pool, struct waiter);
	w->pool = pool;
	w->account = annex_strdup(pool, account);
	w->iq = annex_element_copy(pool, rq->in->element);
	w->bytes = annex_pool_bytes(pool);
	p->waiting_bytes += w->bytes;
	w->kind = rq->in->kind;
	w->hold = hold;
	annex_list_append(&p->waiters, &w->link);
	return ANNEX_HELD;
}

static void
ask_again(struct pubsub *p, const struct waiter *w)
{
	struct annex_pool *pool = annex_scratch(p->inst);
	struct annex_element *iq = annex_element_copy(pool, w->iq);
	const struct annex_stanza in = { .kind = w->kind,
		.element = iq,
		.from = annex_jid(pool, annex_attr(iq, "from")),
		.to = annex_jid(pool, annex_attr(iq, "to")),
		.id = annex_attr(iq, "id"),
		.type = annex_attr(iq, "type"),
		.payload = annex_child(iq, NULL, NULL),
		.pool = pool };

	request_run(&(struct request) { .p = p, .in = &in, .hold = w->hold });
}

/* Some in each turn: as many may wait as there is room for. */
static void
rouse(struct annex_instance *inst, void *cookie)
{
	struct pubsub *p = cookie;

	(void)inst;
	for (size_t n = 0; n < WOKEN_A_TURN && !annex_list_is_empty(&p->woken); n++) {
		struct waiter *w = annex_container_of(p->woken.next, struct waiter, link);
		struct annex_pool *pool = w->pool;

		annex_list_remove(&w->link);
		p->waiting_bytes -= w->bytes;
		ask_again(p, w);
		annex_pool_destroy(&pool);
	}
	if (!annex_list_is_empty(&p->woken))
		annex_timer_start(p->rouse, 0);
}

void
waiting_wake(struct pubsub *p, const char *account)
{
	ANNEX_LIST_EACH (&p->waiters, l) {
		if (strcmp(annex_container_of(l, struct waiter, link)->account, account) != 0)
			continue;
		annex_list_remove(l);
		annex_list_append(&p->woken, l);
	}
	if (!annex_list_is_empty(&p->woken))
		rouse(p->inst, p);
}

void
waiting_init(struct pubsub *p)
{
	annex_list_init(&p->waiters);
	annex_list_init(&p->woken);
	p->rouse = annex_timer(p->inst, rouse, p);
}
