/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fence.c - pings to ourselves through the server
 *
 * A ping that comes back proves those before it, too.  One that does not is
 * complained about once and waits on, since a slow server may still return
 * it; where too many wait, the oldest passes its waiters to the next.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "fence.h"

#define PINGS_MAX 32
#define PINGS_EAGER 4 /* out, with some hope to return: more only when one has */
#define RESOURCE "/annex"

struct waiter {
	struct annex_link link;
	stream_fence_fn *fn;
	void *cookie;
};

void
fences_init(struct fences *fences, const char *domain, struct random *random)
{
	memset(fences, 0, sizeof(*fences));
	fences->domain = domain;
	fences->domain_len = strlen(domain);
	fences->next = 1;
	random_id(random, fences->prefix);
	annex_list_init(&fences->gathering);
	annex_list_init(&fences->draining);
	annex_list_init(&fences->marked);
	annex_list_init(&fences->ready);
	annex_list_init(&fences->pings);
}

static void
waiters_settle(struct annex_link *waiters, int status, bool call)
{
	while (!annex_list_is_empty(waiters)) {
		struct waiter *waiter = annex_container_of(waiters->next, struct waiter, link);

		annex_list_remove(&waiter->link);
		if (call)
			waiter->fn(waiter->cookie, status);
		free(waiter);
	}
}

static void
pings_settle(struct annex_link *pings, int status, bool call)
{
	while (!annex_list_is_empty(pings)) {
		struct ping *ping = annex_container_of(pings->next, struct ping, link);

		annex_list_remove(&ping->link);
		waiters_settle(&ping->waiters, status, call);
		free(ping);
	}
}

void
fences_finish(struct fences *fences)
{
	pings_settle(&fences->pings, ANNEX_OK, false);
	waiters_settle(&fences->ready, ANNEX_OK, false);
	waiters_settle(&fences->marked, ANNEX_OK, false);
	waiters_settle(&fences->draining, ANNEX_OK, false);
	waiters_settle(&fences->gathering, ANNEX_OK, false);
}

static struct waiter *
waiter_create(struct annex_link *list, stream_fence_fn *fn, void *cookie)
{
	struct waiter *waiter = mem_zalloc(sizeof(*waiter));

	waiter->fn = fn;
	waiter->cookie = cookie;
	annex_list_append(list, &waiter->link);
	return waiter;
}

void
fences_wait(struct fences *fences, stream_fence_fn *fn, void *cookie)
{
	waiter_create(&fences->gathering, fn, cookie);
}

struct waiter *
fences_mark(struct fences *fences, stream_fence_fn *fn, void *cookie)
{
	return waiter_create(&fences->marked, fn, cookie);
}

void
fences_passed(struct fences *fences, struct waiter *waiter)
{
	if (waiter == NULL) {
		annex_list_splice(&fences->ready, &fences->draining);
		return;
	}
	annex_list_remove(&waiter->link);
	annex_list_append(&fences->ready, &waiter->link);
}

bool
fences_want_ping(const struct fences *fences)
{
	size_t out = 0;

	if (annex_list_is_empty(&fences->ready))
		return false;
	ANNEX_LIST_EACH (&fences->pings, l)
		out += !annex_container_of(l, struct ping, link)->lost;
	return out < PINGS_EAGER;
}

bool
fences_drain(struct fences *fences)
{
	if (annex_list_is_empty(&fences->gathering) || !annex_list_is_empty(&fences->draining))
		return false;
	annex_list_splice(&fences->draining, &fences->gathering);
	return true;
}

/* Too many are out: the oldest leaves its waiters to the one behind it. */
static void
pings_merge(struct fences *fences)
{
	struct ping *oldest = annex_container_of(fences->pings.next, struct ping, link);
	struct ping *next = annex_container_of(oldest->link.next, struct ping, link);

	annex_list_splice(&oldest->waiters, &next->waiters);
	annex_list_splice(&next->waiters, &oldest->waiters);
	annex_list_remove(&oldest->link);
	free(oldest);
	fences->count--;
}

void
fences_ping(struct fences *fences, struct buf *out)
{
	struct ping *ping = mem_zalloc(sizeof(*ping));

	ping->number = fences->next++;
	annex_list_init(&ping->waiters);
	annex_list_splice(&ping->waiters, &fences->ready);
	annex_list_append(&fences->pings, &ping->link);
	if (++fences->count > PINGS_MAX)
		pings_merge(fences);
	buf_printf(out,
	    "<iq type='get' from='%s" RESOURCE "' to='%s/%s-%" PRIu64 "' id='%s-%" PRIu64
	    "'><ping xmlns='urn:xmpp:ping'/></iq>",
	    fences->domain, fences->domain, fences->prefix, ping->number, fences->prefix,
	    ping->number);
}

void
fences_written(struct fences *fences, uint64_t upto, int64_t now_us)
{
	ANNEX_LIST_EACH (&fences->pings, l) {
		struct ping *ping = annex_container_of(l, struct ping, link);

		if (ping->written_us == 0) {
			ping->written_us = now_us > 0 ? now_us : 1;
			ping->upto = upto;
			return;
		}
	}
}

struct ping *
fences_oldest(struct fences *fences)
{
	ANNEX_LIST_EACH (&fences->pings, l) {
		struct ping *ping = annex_container_of(l, struct ping, link);

		if (!ping->lost)
			return ping;
	}
	return NULL;
}

/* Is text DOMAIN/rest?  Then rest. */
static const char *
after_domain(const struct fences *fences, const char *text)
{
	if (text == NULL || strncmp(text, fences->domain, fences->domain_len) != 0 ||
	    text[fences->domain_len] != '/')
		return NULL;
	return text + fences->domain_len;
}

/* PREFIX-NUMBER of ours: the number; 0 where it is not. */
static uint64_t
nonce_number(const struct fences *fences, const char *nonce)
{
	size_t len = strlen(fences->prefix);
	char *end;
	uint64_t n;

	if (strncmp(nonce, fences->prefix, len) != 0 || nonce[len] != '-')
		return 0;
	n = strtoull(nonce + len + 1, &end, 10);
	return *end == '\0' ? n : 0;
}

/* Move all up to the ping of that number to proved; false where it is not out. */
static bool
pings_prove(struct fences *fences, uint64_t number, struct annex_link *proved)
{
	bool found = false;

	ANNEX_LIST_EACH (&fences->pings, l)
		found |= annex_container_of(l, struct ping, link)->number == number;
	while (found && !annex_list_is_empty(&fences->pings)) {
		struct ping *ping = annex_container_of(fences->pings.next, struct ping, link);

		if (ping->number > number)
			break;
		annex_list_remove(&ping->link);
		annex_list_append(proved, &ping->link);
		fences->count--;
	}
	return found;
}

static enum fence_kind
fence_kind_of(const char *type)
{
	if (strcmp(type, "get") == 0)
		return FENCE_OURS;
	if (strcmp(type, "error") == 0)
		return FENCE_OURS_REFUSED;
	return strcmp(type, "result") == 0 ? FENCE_ANSWERED : FENCE_NONE;
}

enum fence_kind
fences_match(struct fences *fences, const struct annex_element *el, struct annex_link *proved_r)
{
	const char *type, *from, *to;
	enum fence_kind kind;
	uint64_t number;

	annex_list_init(proved_r);
	if (strcmp(el->name, "iq") != 0 || (type = annex_attr(el, "type")) == NULL)
		return FENCE_NONE;
	if ((from = after_domain(fences, annex_attr(el, "from"))) == NULL ||
	    (to = after_domain(fences, annex_attr(el, "to"))) == NULL)
		return FENCE_NONE;
	if ((kind = fence_kind_of(type)) == FENCE_NONE)
		return FENCE_NONE;
	if (kind != FENCE_OURS) { /* an answer: the other way round */
		const char *back = from;

		from = to;
		to = back;
	}
	if (strcmp(from, RESOURCE) != 0)
		return FENCE_NONE;
	if ((number = nonce_number(fences, to + 1)) == 0)
		return kind == FENCE_OURS && annex_child(el, "urn:xmpp:ping", "ping") != NULL
		    ? FENCE_ALIEN
		    : FENCE_NONE;
	return pings_prove(fences, number, proved_r) ? kind : FENCE_STALE;
}

void
fences_settle(struct annex_link *pings, int status)
{
	pings_settle(pings, status, true);
}

void
fences_fail(struct fences *fences)
{
	struct annex_link pings, waiters;

	annex_list_init(&pings);
	annex_list_init(&waiters);
	annex_list_splice(&pings, &fences->pings);
	annex_list_splice(&waiters, &fences->ready);
	annex_list_splice(&waiters, &fences->marked);
	annex_list_splice(&waiters, &fences->draining);
	annex_list_splice(&waiters, &fences->gathering);
	fences->count = 0;
	pings_settle(&pings, ANNEX_EOFFLINE, true);
	waiters_settle(&waiters, ANNEX_EOFFLINE, true);
}
