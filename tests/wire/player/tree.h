/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tree.h - XML as the other side reads it
 *
 * With expat's own namespaces, which is not how Annex reads: what only
 * Annex understands does not pass.
 */
#ifndef WIRE_TREE_H
#define WIRE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <annex/element.h>

#define NS_STREAMS "http://etherx.jabber.org/streams"

/* A stream that grows.  Each child of the root is given to done as it is complete. */
struct tree_reader;
typedef void tree_root_fn(void *cookie, struct annex_element *root);
typedef void tree_done_fn(void *cookie, struct annex_element *el, const char *raw, size_t raw_len);

struct tree_reader *
tree_reader_create(struct annex_pool *pool, tree_root_fn *root, tree_done_fn *done, void *cookie);
/* NULL, or why these bytes are no XML. */
const char *tree_reader_feed(struct tree_reader *reader, const char *bytes, size_t len);
/* Its root has ended. */
bool tree_reader_is_closed(const struct tree_reader *reader);
void tree_reader_destroy(struct tree_reader **reader);

/* One element in the namespace of stanzas; NULL and *why. */
struct annex_element *
tree_read(struct annex_pool *pool, const char *text, size_t len, const char **why);

/* For people: an element a line, indented by a tab. */
void tree_print(FILE *out, const struct annex_element *el);

#endif /* WIRE_TREE_H */
