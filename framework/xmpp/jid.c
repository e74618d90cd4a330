/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * jid.c - JIDs, each one block of memory: the struct, then
 *
 *	local@domain/resource NUL local@domain NUL local NUL
 *	^full         ^resource   ^bare ^domain    ^local
 *
 * so that resource and domain are ends of other strings.  Where there is no
 * resource full is bare, and where there is no local bare is domain.
 *
 * This runs twice per stanza: parts are prepared on the stack, and the pool
 * is asked once, when it is known that the JID is one.
 */
#include <string.h>

#include <annex/jid.h>
#include <annex/pool.h>

#include "prep.h"

/* Prepared parts; those there are not have a NULL text. */
struct parts {
	struct span local, domain, resource;
};

static char *
span_put(char *to, const struct span *span)
{
	memcpy(to, span->text, span->len);
	return to + span->len;
}

static const struct annex_jid *
parts_join(struct annex_pool *pool, const struct parts *p)
{
	size_t local = p->local.text == NULL ? 0 : p->local.len + 1;
	size_t resource = p->resource.text == NULL ? 0 : p->resource.len + 1;
	size_t bare = local + p->domain.len;
	size_t size = bare + 1 + local + (resource == 0 ? 0 : bare + resource + 1);
	struct annex_jid *jid = annex_pool_alloc(pool, sizeof(*jid) + size);
	char *at = (char *)(jid + 1), *start = at;

	if (local > 0) {
		at = span_put(at, &p->local);
		*at++ = '@';
	}
	at = span_put(at, &p->domain);
	jid->full = jid->bare = start;
	jid->local = jid->resource = NULL;
	if (resource > 0) {
		*at++ = '/';
		jid->resource = at;
		at = span_put(at, &p->resource);
		*at++ = '\0';
		jid->bare = at;
		memcpy(at, start, bare);
		at += bare;
	}
	*at++ = '\0';
	jid->domain = jid->bare + local;
	if (local > 0) {
		jid->local = at;
		*span_put(at, &p->local) = '\0';
	}
	return jid;
}

/* Prepare what parts there are and join them. */
static const struct annex_jid *
parts_prep(struct annex_pool *pool, struct parts *p)
{
	char local[PREP_ROOM], domain[PREP_ROOM], resource[PREP_ROOM];

	if (p->local.text != NULL && !prep_local(&p->local, local))
		return NULL;
	if (!prep_domain(&p->domain, domain))
		return NULL;
	if (p->resource.text != NULL && !prep_resource(&p->resource, resource))
		return NULL;
	return parts_join(pool, p);
}

/* Split at the first '/', and what is before it at the first '@' (RFC 6122 §2.1). */
const struct annex_jid *
annex_jid_n(struct annex_pool *pool, const char *text, size_t len)
{
	struct parts p = { .domain = { text, len } };
	const char *slash, *at;

	if (len == 0 || len > ANNEX_JID_MAX)
		return NULL;
	if ((slash = memchr(text, '/', len)) != NULL) {
		p.domain.len = (size_t)(slash - text);
		p.resource = (struct span) { slash + 1, len - p.domain.len - 1 };
	}
	if ((at = memchr(text, '@', p.domain.len)) != NULL) {
		p.local = (struct span) { text, (size_t)(at - text) };
		p.domain.text = at + 1;
		p.domain.len -= p.local.len + 1;
	}
	return parts_prep(pool, &p);
}

const struct annex_jid *
annex_jid(struct annex_pool *pool, const char *text)
{
	return annex_jid_n(pool, text, strlen(text));
}

static struct span
span_of(const char *text)
{
	return (struct span) { text, text == NULL ? 0 : strlen(text) };
}

const struct annex_jid *
annex_jid_make(struct annex_pool *pool, const char *local, const char *domain, const char *resource)
{
	struct parts p = { span_of(local), span_of(domain), span_of(resource) };

	return parts_prep(pool, &p);
}

const struct annex_jid *
annex_jid_copy(struct annex_pool *pool, const struct annex_jid *jid)
{
	struct parts p = { span_of(jid->local), span_of(jid->domain), span_of(jid->resource) };

	return parts_join(pool, &p);
}

const struct annex_jid *
annex_jid_bare(struct annex_pool *pool, const struct annex_jid *jid)
{
	struct parts p = { .local = span_of(jid->local), .domain = span_of(jid->domain) };

	return parts_join(pool, &p);
}

bool
annex_jid_equal(const struct annex_jid *a, const struct annex_jid *b)
{
	return a == b || strcmp(a->full, b->full) == 0;
}

bool
annex_jid_bare_equal(const struct annex_jid *a, const struct annex_jid *b)
{
	return a == b || strcmp(a->bare, b->bare) == 0;
}

static const char *
part_prep(struct annex_pool *pool, const char *text, bool (*prep)(struct span *, char *))
{
	char room[PREP_ROOM];
	struct span part = span_of(text);

	return prep(&part, room) ? annex_strndup(pool, part.text, part.len) : NULL;
}

const char *
annex_prep_local(struct annex_pool *pool, const char *text)
{
	return part_prep(pool, text, prep_local);
}

const char *
annex_prep_domain(struct annex_pool *pool, const char *text)
{
	return part_prep(pool, text, prep_domain);
}

const char *
annex_prep_resource(struct annex_pool *pool, const char *text)
{
	return part_prep(pool, text, prep_resource);
}

const char *
annex_prep_resource_strict(struct annex_pool *pool, const char *text)
{
	return part_prep(pool, text, prep_resource_strict);
}
