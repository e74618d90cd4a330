/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tree.h - trees from text and back, for tests; and the pool they live in
 */
#ifndef TESTS_XMPP_TREE_H
#define TESTS_XMPP_TREE_H

#include <annex/element.h>
#include <annex/pool.h>

/* cmocka's set-up and teardown: *state is a pool. */
int pool_setup(void **state);
int pool_teardown(void **state);

/* The tree of a text, which must be well-formed. */
struct annex_element *tree_of(struct annex_pool *pool, const char *text);

/* What is in el, as text; el itself is left out. */
const char *text_within(struct annex_pool *pool, const struct annex_element *el);

/* An empty stanza. */
struct annex_element *stanza_in(struct annex_pool *pool, const char *name);

#endif /* TESTS_XMPP_TREE_H */
