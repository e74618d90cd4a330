/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * parser.c - a stream of bytes becomes a queue of stanzas
 *
 * Expat calls the handlers (handlers.c); struct tree keeps what they say and
 * complains where it does not fit.  Then the stanza is skipped (skip.c).
 *
 * Limits are looked at where expat reports a tag.  At the end of a slice the
 * size is looked at once more, only to bound memory: the next tag would have
 * come to the same conclusion.
 *
 * XEP-0114; RFC 6120 §4 and §11 (restricted XML), as far as a component that
 * must not be disconnected by what its peer lets through can insist.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/pool.h"
#include "inside.h"

#define SLICE_BYTES ((size_t)64 << 10) /* given to expat at once */

const struct xml_limits xml_limits_default = {
	.stanza_bytes = (size_t)256 << 10,
	.token_bytes = (size_t)4 << 20,
	.depth = 64,
	.attributes = 64,
	.namespaces = 128,
	.elements = 10000,
	.expat_bytes = (size_t)4 << 20,
};

struct xml_parser *
xml_parser_create(const struct xml_limits *limits, uint64_t salt)
{
	struct xml_parser *p = mem_zalloc(sizeof(*p));

	p->magic = XML_PARSER_MAGIC;
	p->limits = *limits;
	p->salt = salt;
	p->pool = annex_pool_create(NULL, "stream");
	tree_init(&p->tree, &p->limits);
	p->outside = 1;
	annex_list_init(&p->events);
	p->expat = expat_create(salt);
	if (p->limits.expat_bytes == 0)
		p->limits.expat_bytes = xml_limits_default.expat_bytes;
	p->stuck_max = p->limits.expat_bytes;
	handlers_set(p);
	return p;
}

void
xml_parser_limit(struct xml_parser *p, size_t stanza_bytes)
{
	CHECK_OBJECT(p, XML_PARSER_MAGIC);
	p->limits.stanza_bytes = stanza_bytes;
}

void
xml_parser_destroy(struct xml_parser **parser)
{
	struct xml_parser *p = *parser;
	struct xml_event *event;

	if (p == NULL)
		return;
	CHECK_OBJECT(p, XML_PARSER_MAGIC);
	*parser = NULL;
	event_drop(p);
	while ((event = xml_parser_next(p)) != NULL)
		xml_event_free(p, event);
	idle_pools_finish(&p->idle);
	XML_ParserFree(p->expat);
	tree_finish(&p->tree);
	buf_finish(&p->open);
	annex_pool_destroy(&p->pool);
	p->magic = 0;
	free(p);
}

static int
check_token(struct xml_parser *p)
{
	int r;

	if (p->fed - p->used <= p->limits.token_bytes)
		return ANNEX_OK;
	if ((r = expat_give_now(p)) < 0)
		return r;
	if (p->fed - p->used <= p->limits.token_bytes)
		return ANNEX_OK;
	parser_fail_token(p);
	return ANNEX_EINVAL;
}

static int
feed_slice(struct xml_parser *p, const char *bytes, size_t len)
{
	size_t rest;
	int r;

	p->fed += len;
	if ((r = expat_give(p, bytes, len, false)) < 0 || (r = check_token(p)) < 0)
		return r;
	if (p->depth > p->outside && !p->skipping && is_too_large(p, p->used))
		skip_begin(p, XML_SKIP_SIZE, NULL, NULL);
	if (expat_is_stuffed(p) && !p->in_cdata && (r = expat_replace(p)) < 0)
		return r;
	rest = (size_t)(p->fed - p->used);
	if (rest > len)
		rest = len;
	if (p->fed == p->used)
		p->waiting = false;
	else if (memrchr(bytes + len - rest, '>', rest) != NULL)
		p->waiting = true;
	return ANNEX_OK;
}

int
xml_parser_feed(struct xml_parser *p, const void *bytes, size_t len)
{
	const char *at = bytes;
	size_t n;
	int r;

	CHECK_OBJECT(p, XML_PARSER_MAGIC);
	if (p->failed)
		return ANNEX_EINVAL;
	while (len > 0) {
		n = len < SLICE_BYTES ? len : SLICE_BYTES;
		if ((r = feed_slice(p, at, n)) < 0)
			return r;
		at += n;
		len -= n;
	}
	return ANNEX_OK;
}

int
xml_parser_flush(struct xml_parser *p)
{
	CHECK_OBJECT(p, XML_PARSER_MAGIC);
	if (p->failed)
		return ANNEX_EINVAL;
	idle_pools_trim(&p->idle);
	return p->waiting ? expat_give_now(p) : ANNEX_OK;
}

const char *
xml_parser_why(const struct xml_parser *p)
{
	return p->why;
}

struct xml_event *
xml_parser_next(struct xml_parser *p)
{
	struct annex_link *first = p->events.next;

	if (first == &p->events)
		return NULL;
	annex_list_remove(first);
	return annex_container_of(first, struct xml_event, link);
}

void
xml_event_free(struct xml_parser *p, struct xml_event *event)
{
	struct annex_pool *pool = event->pool;

	if (p == NULL)
		annex_pool_destroy(&pool);
	else if (pool != p->document)
		idle_pools_put(&p->idle, pool);
}
