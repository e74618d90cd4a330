/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * namespace.c - what a prefix means where it stands
 */
#include <stdlib.h>
#include <string.h>

#include <annex/element.h>

#include "base/alloc.h"
#include "name.h"
#include "namespace.h"

void
ns_scope_finish(struct ns_scope *scope)
{
	free(scope->bindings);
	*scope = (struct ns_scope) { 0 };
}

/* Namespaces in XML §3: the two reserved names are bound to nothing else. */
bool
ns_default_is_legal(const char *uri)
{
	return strcmp(uri, ANNEX_NS_XML) != 0 && strcmp(uri, NS_XMLNS) != 0;
}

int
ns_declare(struct ns_scope *scope, const char *prefix, const char *uri)
{
	size_t len = strlen(prefix);

	if (!xml_name_is_valid(prefix, len))
		return ANNEX_EINVAL;
	if (strcmp(prefix, "xml") == 0)
		return strcmp(uri, ANNEX_NS_XML) == 0 ? ANNEX_OK : ANNEX_EINVAL;
	if (strcmp(prefix, "xmlns") == 0 || uri[0] == '\0' || !ns_default_is_legal(uri))
		return ANNEX_EINVAL;
	if (scope->count == scope->room) {
		scope->room = scope->room == 0 ? 16 : scope->room * 2;
		scope->bindings =
		    mem_resize(scope->bindings, scope->room * sizeof(*scope->bindings));
	}
	scope->bindings[scope->count++] =
	    (struct ns_binding) { .prefix = prefix, .len = len, .uri = uri };
	return ANNEX_OK;
}

const char *
ns_resolve(const struct ns_scope *scope, const char *prefix, size_t len, struct annex_pool *pool)
{
	const struct ns_binding *b;

	for (size_t i = scope->count; i > 0; i--) {
		b = &scope->bindings[i - 1];
		if (b->len == len && memcmp(b->prefix, prefix, len) == 0)
			return b->outer ? annex_strdup(pool, b->uri) : b->uri;
	}
	return len == 3 && memcmp(prefix, "xml", 3) == 0 ? ANNEX_NS_XML : NULL;
}

void
ns_scope_settle(struct ns_scope *scope, struct annex_pool *pool)
{
	for (size_t i = 0; i < scope->count; i++) {
		scope->bindings[i].prefix = annex_strdup(pool, scope->bindings[i].prefix);
		scope->bindings[i].uri = annex_strdup(pool, scope->bindings[i].uri);
		scope->bindings[i].outer = true;
	}
}
