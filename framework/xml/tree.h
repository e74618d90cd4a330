/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tree.h - tags and text become a tree, within limits
 *
 * One struct tree serves one parser: it is emptied, given a pool and filled
 * for each stanza in turn.  What it allocates for a tag is one piece: the
 * element, its attributes and all their strings.
 */
#ifndef XML_TREE_H
#define XML_TREE_H

#include "namespace.h"
#include "parser.h"

struct tree_frame {
	const char *default_ns; /* for children without a prefix */
	const char *raw_name;   /* as written, prefix and all */
	size_t bindings;        /* of the scope, outside this element */
};

struct tree_lengths {
	size_t name, value;
};

struct tree {
	const struct xml_limits *limits;
	struct annex_pool *pool;
	struct annex_element *root, *top;
	struct tree_frame *frames;     /* [0] is what holds outside of all elements */
	unsigned depth;                /* frames[depth] is that of top */
	unsigned outside;              /* frames that stay: 1 within a stream, else 0 */
	unsigned elements, namespaces; /* so far */
	size_t names;                  /* of tags and attributes, of all trees */
	size_t text_room;              /* of the last run of text */
	struct ns_scope scope;
	struct tree_lengths *lengths; /* of the tag in hand, one per attribute */
	size_t lengths_room;
	const char *outer_ns; /* default of the stream, where it is no literal */
};

void tree_init(struct tree *tree, const struct xml_limits *limits);
void tree_finish(struct tree *tree);

/* Start anew, in pool; what the stream's root declared stays. */
void tree_begin(struct tree *tree, struct annex_pool *pool);

/* A start tag.  Anything but XML_SKIP_NONE: it was not added; give up. */
enum xml_skip tree_start(struct tree *tree, const char *name, const char **atts);
void tree_text(struct tree *tree, const char *text, size_t len);
void tree_end(struct tree *tree);

/*
 * The root that was just started is that of the stream: its declarations
 * hold for all trees from now on.  pool lives as long as the tree.
 */
void tree_settle(struct tree *tree, struct annex_pool *pool);

#endif /* XML_TREE_H */
