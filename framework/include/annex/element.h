/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * element.h - XML as trees
 *
 * A tree lives in one pool and goes with it.  Names and namespaces are
 * what the XML means, never how it was prefixed: compare ns and name.  The
 * members may be read; build and change through the functions.
 *
 * What is sent is built as a tree and written canonically, so there is no
 * way to send XML that is not well-formed.
 */
#ifndef ANNEX_ELEMENT_H
#define ANNEX_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_pool;

#define ANNEX_NS_STANZA "jabber:component:accept" /* of stanzas and of body, subject, show, ... */
#define ANNEX_NS_XML "http://www.w3.org/XML/1998/namespace"

struct annex_attr {
	struct annex_attr *next;
	const char *ns; /* NULL: none, as most attributes have */
	const char *name;
	const char *value;
};

/* An element or, where name is NULL, a run of text. */
struct annex_element {
	const char *name;
	const char *ns;   /* "" where the XML said xmlns='' */
	const char *text; /* of a run of text; NUL-terminated */
	size_t text_len;
	struct annex_attr *attrs, *last_attr;
	struct annex_element *parent;
	struct annex_element *first, *last; /* children, text included */
	struct annex_element *next;         /* sibling */
	struct annex_pool *pool;
};

/* A new root.  ns and name are borrowed: literals, or memory of the pool. */
struct annex_element *annex_element(struct annex_pool *pool, const char *ns, const char *name);

/* Append a new child.  ns NULL: that of the parent. */
struct annex_element *annex_add(struct annex_element *parent, const char *ns, const char *name);

/* Append a new child with a text in it; NULL text adds nothing and returns NULL. */
struct annex_element *
annex_add_text(struct annex_element *parent, const char *ns, const char *name, const char *text);

/* Append text; the bytes are copied. */
void annex_text_append(struct annex_element *el, const char *text);
void annex_text_appendf(struct annex_element *el, const char *fmt, ...) ANNEX_PRINTF(2, 3);

/* Set (or with a NULL value remove) an attribute without a namespace; name
 * is borrowed, value copied. */
void annex_attr_set(struct annex_element *el, const char *name, const char *value);
void annex_attr_setf(struct annex_element *el, const char *name, const char *fmt, ...)
    ANNEX_PRINTF(3, 4);
void
annex_attr_set_ns(struct annex_element *el, const char *ns, const char *name, const char *value);

/* The value, or NULL.  annex_attr is for attributes without a namespace. */
const char *annex_attr(const struct annex_element *el, const char *name);
const char *annex_attr_ns(const struct annex_element *el, const char *ns, const char *name);

/* xml:lang of the element or the nearest ancestor that has one, or NULL. */
const char *annex_lang(const struct annex_element *el);

/*
 * Children that are elements.  ns NULL: that of el itself; name NULL: any
 * name of that ns; both NULL: any element at all.
 */
struct annex_element *annex_child(const struct annex_element *el, const char *ns, const char *name);
struct annex_element *
annex_child_after(const struct annex_element *child, const char *ns, const char *name);
#define ANNEX_CHILDREN(el, child)                                                        \
	for (struct annex_element *child = annex_child((el), NULL, NULL); child != NULL; \
	     child = annex_child_after(child, NULL, NULL))

/* ns NULL: any. */
bool annex_is(const struct annex_element *el, const char *ns, const char *name);

/* The first run of text in el: all of it, unless child elements split it.
 * Never NULL for an element; "" where there is none.  NULL el gives NULL. */
const char *annex_text(const struct annex_element *el);

/* All text in el and below, joined; pool owns the result. */
const char *annex_text_all(const struct annex_element *el, struct annex_pool *pool);

/* Text of the child, or NULL where there is no such child. */
const char *annex_child_text(const struct annex_element *el, const char *ns, const char *name);

/* A deep copy into pool, without a parent. */
struct annex_element *annex_element_copy(struct annex_pool *pool, const struct annex_element *el);

/* Append el itself, which has no parent yet and lives as long as parent does. */
void annex_add_element(struct annex_element *parent, struct annex_element *el);

/* Append a deep copy of el, or of all that is in el, to parent. */
struct annex_element *annex_add_copy(struct annex_element *parent, const struct annex_element *el);
void annex_add_copies(struct annex_element *parent, const struct annex_element *el);

/* Take el out of its parent.  Its memory stays with the pool, and a loop that
 * stands on it may go on with annex_child_after(el, NULL, NULL). */
void annex_element_remove(struct annex_element *el);

/*
 * The canonical text of a subtree, self-contained (its namespace declared),
 * to be kept in a store, and back.  read refuses (NULL) what is not one
 * well-formed element with at most max_bytes, a DTD, comments or PIs.
 */
const char *
annex_element_write(const struct annex_element *el, struct annex_pool *pool, size_t *len);
struct annex_element *
annex_element_read(struct annex_pool *pool, const char *text, size_t len, size_t max_bytes);

#pragma GCC visibility pop

#endif /* ANNEX_ELEMENT_H */
