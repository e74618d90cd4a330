/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * namespace.h - what a prefix means where it stands
 *
 * A stack of bindings, innermost last, for Namespaces in XML 1.0.  Whoever
 * leaves an element cuts the stack back to what it was (count).  Prefixes
 * and URIs are borrowed.
 */
#ifndef XML_NAMESPACE_H
#define XML_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/pool.h>
#include <annex/status.h>

#define NS_XMLNS "http://www.w3.org/2000/xmlns/"

struct ns_binding {
	const char *prefix;
	size_t len;
	const char *uri;
	bool outer; /* of the stream's root: outlives any stanza */
};

struct ns_scope {
	struct ns_binding *bindings;
	size_t count, room;
};

void ns_scope_finish(struct ns_scope *scope);

/* Whether xmlns='uri' may be said at all. */
bool ns_default_is_legal(const char *uri);

/* Say xmlns:prefix='uri'.  ANNEX_EINVAL where that is not allowed. */
int ANNEX_MUST_CHECK ns_declare(struct ns_scope *scope, const char *prefix, const char *uri);

/* What the prefix is bound to, or NULL.  An outer one is copied into pool. */
const char *
ns_resolve(const struct ns_scope *scope, const char *prefix, size_t len, struct annex_pool *pool);

/* Move what is declared so far into a pool that outlives all stanzas. */
void ns_scope_settle(struct ns_scope *scope, struct annex_pool *pool);

#endif /* XML_NAMESPACE_H */
