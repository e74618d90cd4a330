/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tree.c - tags and text become a tree, within limits
 *
 * Nearly every tag has neither a prefix nor a declaration: for those the
 * namespace is that of the frame around them and the strings are copied as
 * they stand.  A tag with a colon or an xmlns in it takes the longer way,
 * which copies the strings first and then makes sense of the copies.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "name.h"
#include "tree.h"

void
tree_init(struct tree *tree, const struct xml_limits *limits)
{
	*tree = (struct tree) { .limits = limits };
	/* One outside, the stream's root, and the stanza's levels. */
	tree->frames = mem_zalloc((limits->depth + 2) * sizeof(*tree->frames));
	tree->frames[0].default_ns = "";
}

void
tree_finish(struct tree *tree)
{
	ns_scope_finish(&tree->scope);
	free(tree->frames);
	free(tree->lengths);
	*tree = (struct tree) { 0 };
}

void
tree_begin(struct tree *tree, struct annex_pool *pool)
{
	tree->pool = pool;
	tree->root = tree->top = NULL;
	if (tree->depth > tree->outside)
		tree->scope.count = tree->frames[tree->outside + 1].bindings;
	tree->depth = tree->outside;
	tree->elements = tree->namespaces = 0;
	/* A tree may outlive the stream it came from. */
	if (tree->outer_ns != NULL)
		tree->frames[1].default_ns = annex_strdup(pool, tree->outer_ns);
}

/* The length of a name, and whether there is nothing about namespaces in it. */
static inline size_t
name_length(const char *name, bool *plain)
{
	const char *p = name;

	while (*p != '\0' && *p != ':')
		p++;
	if (*p == ':') {
		*plain = false;
		return (size_t)(p - name) + strlen(p);
	}
	return (size_t)(p - name);
}

static inline bool
is_xmlns(const char *name, size_t len)
{
	return len == 5 && memcmp(name, "xmlns", 5) == 0;
}

static inline char *
copy_string(char *to, const char *from, size_t len)
{
	memcpy(to, from, len);
	to[len] = '\0';
	return to + len + 1;
}

static void
add_child(struct tree *tree, struct annex_element *el)
{
	struct annex_element *parent = tree->top;

	el->parent = parent;
	if (parent == NULL)
		tree->root = el;
	else if (parent->last == NULL)
		parent->first = parent->last = el;
	else
		parent->last = parent->last->next = el;
}

static inline void
set_attrs(struct annex_element *el, struct annex_attr *attrs, size_t n)
{
	if (n == 0)
		return;
	for (size_t i = 0; i + 1 < n; i++)
		attrs[i].next = &attrs[i + 1];
	attrs[n - 1].next = NULL;
	el->attrs = attrs;
	el->last_attr = &attrs[n - 1];
}

/* xmlns and xmlns:p: out of the list of attributes, into the scope. */
static enum xml_skip
declare(struct tree *tree, struct tree_frame *frame, const struct annex_attr *a)
{
	if (a->name[5] == ':') {
		if (++tree->namespaces > tree->limits->namespaces)
			return XML_SKIP_ATTRIBUTES;
		if (ns_declare(&tree->scope, a->name + 6, a->value) < 0)
			return XML_SKIP_NAMESPACE;
		return XML_SKIP_NONE;
	}
	if (!ns_default_is_legal(a->value))
		return XML_SKIP_NAMESPACE;
	frame->default_ns = a->value;
	return XML_SKIP_NONE;
}

/* Split "prefix:local".  Leaves *ns alone where there is no prefix. */
static enum xml_skip
resolve(struct tree *tree, const char **name, const char **ns)
{
	const char *colon = strchr(*name, ':');

	if (colon == NULL)
		return XML_SKIP_NONE;
	*ns = ns_resolve(&tree->scope, *name, (size_t)(colon - *name), tree->pool);
	*name = colon + 1;
	if (*ns == NULL || !xml_name_is_valid(*name, strlen(*name)))
		return XML_SKIP_NAMESPACE;
	return XML_SKIP_NONE;
}

/* Two attributes that differ in their prefix alone; expat saw to the rest. */
static bool
is_repeated(const struct annex_attr *attrs, size_t n)
{
	const struct annex_attr *last = &attrs[n];

	for (size_t i = 0; i < n; i++)
		if (attrs[i].ns != NULL && strcmp(attrs[i].name, last->name) == 0 &&
		    strcmp(attrs[i].ns, last->ns) == 0)
			return true;
	return false;
}

static enum xml_skip
make_sense(struct tree *tree, struct tree_frame *frame, struct annex_element *el,
    struct annex_attr *attrs, size_t *count)
{
	size_t n = 0;
	enum xml_skip skip;

	for (size_t i = 0; i < *count; i++) {
		if (strncmp(attrs[i].name, "xmlns", 5) != 0 ||
		    (attrs[i].name[5] != '\0' && attrs[i].name[5] != ':'))
			attrs[n++] = attrs[i];
		else if ((skip = declare(tree, frame, &attrs[i])) != XML_SKIP_NONE)
			return skip;
	}
	*count = n;
	for (size_t i = 0; i < n; i++) {
		if ((skip = resolve(tree, &attrs[i].name, &attrs[i].ns)) != XML_SKIP_NONE)
			return skip;
		if (attrs[i].ns != NULL && is_repeated(attrs, i))
			return XML_SKIP_NAMESPACE;
	}
	el->ns = frame->default_ns;
	return resolve(tree, &el->name, &el->ns);
}

static struct tree_lengths *
more_lengths(struct tree *tree)
{
	size_t n = tree->lengths_room;

	tree->lengths_room = n == 0 ? 16 : 2 * n;
	tree->lengths = mem_resize(tree->lengths, tree->lengths_room * sizeof(*tree->lengths));
	return tree->lengths + n;
}

/* Fills tree->lengths; adds what all strings need to *bytes. */
static enum xml_skip
measure(struct tree *tree, const char **atts, size_t *count, size_t *bytes, bool *plain)
{
	struct tree_lengths *l = tree->lengths;
	size_t n;

	for (n = 0; atts[2 * n] != NULL; n++, l++) {
		if (n == tree->limits->attributes)
			return XML_SKIP_ATTRIBUTES;
		if (n == tree->lengths_room)
			l = more_lengths(tree);
		l->name = name_length(atts[2 * n], plain);
		if (is_xmlns(atts[2 * n], l->name))
			*plain = false;
		l->value = strlen(atts[2 * n + 1]);
		*bytes += l->name + l->value + 2;
	}
	*count = n;
	tree->names += n + 1;
	return XML_SKIP_NONE;
}

/* One piece of memory: element, attributes, strings. */
static struct annex_element *
copy_tag(
    struct tree *tree, const char *name, size_t name_len, const char **atts, size_t n, size_t bytes)
{
	const struct tree_lengths *l = tree->lengths;
	struct annex_element *el;
	struct annex_attr *a;
	char *to;

	el = pool_take(tree->pool, sizeof(*el) + n * sizeof(*a) + bytes, POOL_ALIGN);
	a = (struct annex_attr *)(el + 1);
	to = (char *)(a + n);
	*el = (struct annex_element) { .name = to, .pool = tree->pool };
	to = copy_string(to, name, name_len);
	for (size_t i = 0; i < n; i++) {
		a[i].ns = NULL;
		a[i].name = to;
		to = copy_string(to, atts[2 * i], l[i].name);
		a[i].value = to;
		to = copy_string(to, atts[2 * i + 1], l[i].value);
	}
	return el;
}

enum xml_skip
tree_start(struct tree *tree, const char *name, const char **atts)
{
	struct tree_frame *frame = &tree->frames[tree->depth + 1];
	struct annex_element *el;
	struct annex_attr *attrs;
	size_t name_len, count, bytes;
	bool plain = true;
	enum xml_skip skip;

	if (tree->depth - tree->outside == tree->limits->depth)
		return XML_SKIP_DEPTH;
	if (tree->elements++ == tree->limits->elements)
		return XML_SKIP_SIZE;
	name_len = name_length(name, &plain);
	bytes = name_len + 1;
	if ((skip = measure(tree, atts, &count, &bytes, &plain)) != XML_SKIP_NONE)
		return skip;
	el = copy_tag(tree, name, name_len, atts, count, bytes);
	attrs = (struct annex_attr *)(el + 1);
	frame->raw_name = el->name;
	frame->default_ns = frame[-1].default_ns;
	frame->bindings = tree->scope.count;
	tree->depth++;
	el->ns = frame->default_ns;
	if (!plain && (skip = make_sense(tree, frame, el, attrs, &count)) != XML_SKIP_NONE)
		return skip;
	set_attrs(el, attrs, count);
	add_child(tree, el);
	tree->top = el;
	return XML_SKIP_NONE;
}

static void
begin_text(struct tree *tree, const char *text, size_t len)
{
	struct annex_element *run = pool_take(tree->pool, sizeof(*run) + len + 1, POOL_ALIGN);
	char *bytes = (char *)(run + 1);

	copy_string(bytes, text, len);
	*run = (struct annex_element) { .text = bytes, .text_len = len, .pool = tree->pool };
	tree->text_room = len;
	add_child(tree, run);
}

/*
 * Expat tells of a run in pieces: at references, line ends and the edges of
 * its buffer.  The first is kept as it is, since it is nearly always all;
 * then the room doubles.
 */
void
tree_text(struct tree *tree, const char *text, size_t len)
{
	struct annex_element *run = tree->top->last;
	char *bytes;

	if (run == NULL || run->name != NULL) {
		begin_text(tree, text, len);
		return;
	}
	bytes = (char *)run->text;
	if (tree->text_room - run->text_len < len) {
		tree->text_room = 2 * (run->text_len + len) + 64;
		bytes = pool_take(tree->pool, tree->text_room + 1, 1);
		memcpy(bytes, run->text, run->text_len);
		run->text = bytes;
	}
	copy_string(bytes + run->text_len, text, len);
	run->text_len += len;
}

void
tree_end(struct tree *tree)
{
	tree->scope.count = tree->frames[tree->depth--].bindings;
	tree->top = tree->top->parent;
}

void
tree_settle(struct tree *tree, struct annex_pool *pool)
{
	struct tree_frame *frame = &tree->frames[1];

	if (strcmp(frame->default_ns, ANNEX_NS_STANZA) == 0)
		frame->default_ns = ANNEX_NS_STANZA;
	else
		tree->outer_ns = frame->default_ns = annex_strdup(pool, frame->default_ns);
	frame->raw_name = annex_strdup(pool, frame->raw_name);
	ns_scope_settle(&tree->scope, pool);
	tree->outside = 1;
}
