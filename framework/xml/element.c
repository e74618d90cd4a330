/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * element.c - XML as trees
 */
#include <stdio.h>
#include <string.h>

#include <annex/element.h>
#include <annex/pool.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/pool.h"
#include "writer.h"

static bool
same(const char *a, const char *b)
{
	/* Names differ in their first character, mostly. */
	return a == b || (a[0] == b[0] && strcmp(a, b) == 0);
}

struct annex_element *
annex_element(struct annex_pool *pool, const char *ns, const char *name)
{
	struct annex_element *el = annex_new(pool, struct annex_element);

	el->pool = pool;
	el->ns = ns != NULL ? ns : "";
	el->name = name;
	return el;
}

static struct annex_element *
append(struct annex_element *parent, struct annex_element *child)
{
	CHECK(parent->name != NULL);
	child->parent = parent;
	if (parent->last == NULL)
		parent->first = child;
	else
		parent->last->next = child;
	parent->last = child;
	return child;
}

struct annex_element *
annex_add(struct annex_element *parent, const char *ns, const char *name)
{
	return append(parent, annex_element(parent->pool, ns != NULL ? ns : parent->ns, name));
}

struct annex_element *
annex_add_text(struct annex_element *parent, const char *ns, const char *name, const char *text)
{
	struct annex_element *child;

	if (text == NULL)
		return NULL;
	child = annex_add(parent, ns, name);
	annex_text_append(child, text);
	return child;
}

static void
join(struct annex_element *run, const char *text, size_t len)
{
	char *joined = pool_take(run->pool, run->text_len + len + 1, 1);

	memcpy(joined, run->text, run->text_len);
	memcpy(joined + run->text_len, text, len);
	run->text_len += len;
	joined[run->text_len] = '\0';
	run->text = joined;
}

/* What is next to text becomes one run with it, as a parser would see it. */
static void
append_bytes(struct annex_element *el, const char *text, size_t len)
{
	struct annex_element *run = el->last;

	if (len == 0)
		return;
	if (run == NULL || run->name != NULL) {
		run = append(el, annex_element(el->pool, NULL, NULL));
		run->text = annex_strndup(el->pool, text, len);
		run->text_len = len;
		return;
	}
	join(run, text, len);
}

void
annex_text_append(struct annex_element *el, const char *text)
{
	append_bytes(el, text, strlen(text));
}

void
annex_text_appendf(struct annex_element *el, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	annex_text_append(el, annex_vsprintf(el->pool, fmt, args));
	va_end(args);
}

/* NULL and "" both say: no namespace. */
static bool
attr_is(const struct annex_attr *a, const char *ns, const char *name)
{
	if (!same(a->name, name))
		return false;
	if (ns == NULL || a->ns == NULL)
		return ns == a->ns;
	return same(a->ns, ns);
}

static void
attr_remove(struct annex_element *el, struct annex_attr *before, struct annex_attr *a)
{
	if (before == NULL)
		el->attrs = a->next;
	else
		before->next = a->next;
	if (el->last_attr == a)
		el->last_attr = before;
}

/* value belongs to the pool already. */
static void
attr_put(struct annex_element *el, const char *ns, const char *name, const char *value)
{
	struct annex_attr *a, *before = NULL;

	if (ns != NULL && ns[0] == '\0')
		ns = NULL;
	for (a = el->attrs; a != NULL && !attr_is(a, ns, name); a = a->next)
		before = a;
	if (value == NULL) {
		if (a != NULL)
			attr_remove(el, before, a);
		return;
	}
	if (a == NULL) {
		a = annex_new(el->pool, struct annex_attr);
		a->ns = ns;
		a->name = name;
		if (before == NULL)
			el->attrs = a;
		else
			before->next = a;
		el->last_attr = a;
	}
	a->value = value;
}

void
annex_attr_set(struct annex_element *el, const char *name, const char *value)
{
	attr_put(el, NULL, name, annex_strdup(el->pool, value));
}

void
annex_attr_setf(struct annex_element *el, const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	attr_put(el, NULL, name, annex_vsprintf(el->pool, fmt, args));
	va_end(args);
}

void
annex_attr_set_ns(struct annex_element *el, const char *ns, const char *name, const char *value)
{
	attr_put(el, ns, name, annex_strdup(el->pool, value));
}

const char *
annex_attr(const struct annex_element *el, const char *name)
{
	for (const struct annex_attr *a = el->attrs; a != NULL; a = a->next)
		if (a->ns == NULL && same(a->name, name))
			return a->value;
	return NULL;
}

const char *
annex_attr_ns(const struct annex_element *el, const char *ns, const char *name)
{
	if (ns != NULL && ns[0] == '\0')
		ns = NULL;
	for (const struct annex_attr *a = el->attrs; a != NULL; a = a->next)
		if (attr_is(a, ns, name))
			return a->value;
	return NULL;
}

const char *
annex_lang(const struct annex_element *el)
{
	const char *lang;

	for (; el != NULL; el = el->parent)
		if ((lang = annex_attr_ns(el, ANNEX_NS_XML, "lang")) != NULL)
			return lang;
	return NULL;
}

bool
annex_is(const struct annex_element *el, const char *ns, const char *name)
{
	return el != NULL && el->name != NULL && same(el->name, name) &&
	    (ns == NULL || same(el->ns, ns));
}

/* From el on among its siblings; own_ns stands in where ns is NULL. */
static struct annex_element *
find(struct annex_element *el, const char *own_ns, const char *ns, const char *name)
{
	if (ns == NULL && name != NULL)
		ns = own_ns;
	for (; el != NULL; el = el->next) {
		if (el->name == NULL || (name != NULL && !same(el->name, name)))
			continue;
		if (ns == NULL || same(el->ns, ns))
			return el;
	}
	return NULL;
}

struct annex_element *
annex_child(const struct annex_element *el, const char *ns, const char *name)
{
	return find(el->first, el->ns, ns, name);
}

struct annex_element *
annex_child_after(const struct annex_element *child, const char *ns, const char *name)
{
	const char *own_ns = child->parent != NULL ? child->parent->ns : NULL;

	return find(child->next, own_ns, ns, name);
}

const char *
annex_text(const struct annex_element *el)
{
	if (el == NULL)
		return NULL;
	if (el->name == NULL)
		return el->text;
	for (el = el->first; el != NULL; el = el->next)
		if (el->name == NULL)
			return el->text;
	return "";
}

/* The one after el in document order, within root; NULL at the end. */
static const struct annex_element *
following(const struct annex_element *el, const struct annex_element *root)
{
	if (el->first != NULL)
		return el->first;
	while (el != root && el->next == NULL)
		el = el->parent;
	return el != root ? el->next : NULL;
}

const char *
annex_text_all(const struct annex_element *el, struct annex_pool *pool)
{
	const struct annex_element *e;
	char *text, *to;
	size_t len = 0;

	for (e = el; e != NULL; e = following(e, el))
		len += e->text_len;
	to = text = pool_take(pool, len + 1, 1);
	for (e = el; e != NULL; e = following(e, el)) {
		if (e->text_len > 0)
			memcpy(to, e->text, e->text_len);
		to += e->text_len;
	}
	*to = '\0';
	return text;
}

const char *
annex_child_text(const struct annex_element *el, const char *ns, const char *name)
{
	return annex_text(annex_child(el, ns, name));
}

/* el alone.  A namespace shared with the parent of the copy is shared again. */
static struct annex_element *
copy_one(struct annex_pool *pool, const struct annex_element *el, const char *parent_ns)
{
	struct annex_element *copy = annex_element(pool, NULL, NULL);
	struct annex_attr *a;

	if (el->name == NULL) {
		copy->text = annex_strndup(pool, el->text, el->text_len);
		copy->text_len = el->text_len;
		return copy;
	}
	copy->name = annex_strdup(pool, el->name);
	if (parent_ns != NULL && same(el->ns, parent_ns))
		copy->ns = parent_ns;
	else
		copy->ns = annex_strdup(pool, el->ns);
	for (const struct annex_attr *from = el->attrs; from != NULL; from = from->next) {
		a = annex_new(pool, struct annex_attr);
		a->ns = annex_strdup(pool, from->ns);
		a->name = annex_strdup(pool, from->name);
		a->value = annex_strdup(pool, from->value);
		if (copy->last_attr == NULL)
			copy->attrs = a;
		else
			copy->last_attr->next = a;
		copy->last_attr = a;
	}
	return copy;
}

/* Walks both trees in step, so the depth of a tree costs no stack. */
static struct annex_element *
copy_tree(struct annex_pool *pool, const struct annex_element *from, const char *parent_ns)
{
	struct annex_element *root = copy_one(pool, from, parent_ns), *to = root;
	const struct annex_element *el = from;

	for (;;) {
		if (el->first != NULL) {
			el = el->first;
		} else {
			while (el != from && el->next == NULL) {
				el = el->parent;
				to = to->parent;
			}
			if (el == from)
				return root;
			el = el->next;
			to = to->parent;
		}
		to = append(to, copy_one(pool, el, to->ns));
	}
}

struct annex_element *
annex_element_copy(struct annex_pool *pool, const struct annex_element *el)
{
	return copy_tree(pool, el, NULL);
}

void
annex_add_element(struct annex_element *parent, struct annex_element *el)
{
	CHECK(el->parent == NULL && el->name != NULL);
	append(parent, el);
}

struct annex_element *
annex_add_copy(struct annex_element *parent, const struct annex_element *el)
{
	if (el->name == NULL) {
		append_bytes(parent, el->text, el->text_len);
		return parent->last;
	}
	return append(parent, copy_tree(parent->pool, el, parent->ns));
}

void
annex_add_copies(struct annex_element *parent, const struct annex_element *el)
{
	const struct annex_element *last = el->last;

	/* parent may be el itself: end where it ended. */
	for (const struct annex_element *child = el->first; child != NULL; child = child->next) {
		annex_add_copy(parent, child);
		if (child == last)
			break;
	}
}

/* What was taken out between two runs of text leaves one. */
static void
join_around(struct annex_element *parent, struct annex_element *before)
{
	struct annex_element *after;

	if (before == NULL || before->name != NULL || (after = before->next) == NULL ||
	    after->name != NULL)
		return;
	join(before, after->text, after->text_len);
	before->next = after->next;
	if (parent->last == after)
		parent->last = before;
}

void
annex_element_remove(struct annex_element *el)
{
	struct annex_element *parent = el->parent, *before = NULL;

	if (parent == NULL)
		return;
	if (parent->first == el) {
		parent->first = el->next;
	} else {
		for (before = parent->first; before->next != el; before = before->next)
			CHECK(before->next != NULL);
		before->next = el->next;
	}
	if (parent->last == el)
		parent->last = before;
	el->parent = NULL;
	join_around(parent, before);
}

const char *
annex_element_write(const struct annex_element *el, struct annex_pool *pool, size_t *len)
{
	struct buf buf = { 0 };
	const char *text = NULL;

	if (xml_write(&buf, el, "") == ANNEX_OK) {
		text = annex_strndup(pool, buf.data, buf.len);
		if (len != NULL)
			*len = buf.len;
	}
	buf_finish(&buf);
	return text;
}
