/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * writer.c - trees become bytes
 *
 * The default namespace is declared where it changes and nowhere else, so
 * what holds around an element is simply the namespace of its parent.  No
 * element needs a prefix of its own, but for the namespace of xml: itself,
 * which cannot be a default (Namespaces in XML §3).  An attribute's prefix
 * is made up and declared on the spot.
 *
 * Only text differs from how it is kept: the five predefined entities, and
 * character references for what a parser would turn into a space or a line
 * feed.  Clean bytes are found sixteen at a time and copied in runs.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <annex/pool.h>

#include "base/utf8.h"
#include "name.h"
#include "namespace.h"
#include "plain.h"
#include "writer.h"

/* Where the next byte goes.  buf->len is put right at the end. */
struct out {
	char *at, *end;
	struct buf *buf;
	int error;
};

static bool
out_more(struct out *o, size_t n)
{
	struct buf *b = o->buf;

	if (o->error < 0)
		return false;
	if (b->data != NULL)
		b->len = (size_t)(o->at - b->data);
	if (b->max > 0 && (b->len > b->max || n > b->max - b->len)) {
		o->error = ANNEX_ELIMIT;
		o->end = o->at;
		return false;
	}
	buf_grow(b, n);
	o->at = b->data + b->len;
	o->end = b->data + b->room - 1;
	return true;
}

static inline bool
out_room(struct out *o, size_t n)
{
	return __builtin_expect((size_t)(o->end - o->at) >= n, 1) || out_more(o, n);
}

static inline void
put(struct out *o, const char *bytes, size_t n)
{
	if (!out_room(o, n) || n == 0)
		return;
	memcpy(o->at, bytes, n);
	o->at += n;
}

#define PUT(o, literal) put((o), (literal), sizeof(literal) - 1)

static void
refuse(struct out *o)
{
	if (o->error == ANNEX_OK)
		o->error = ANNEX_EINVAL;
	o->end = o->at;
}

/* Names. */

static inline bool
is_letter(unsigned char c)
{
	return (unsigned)(c | 0x20) - 'a' < 26 || c == '_';
}

static inline bool
is_inner(unsigned char c)
{
	return is_letter(c) || (unsigned)c - '0' < 10 || c == '-' || c == '.';
}

/* The length of a name; the writer fails where it is none. */
static inline size_t
checked_name(struct out *o, const char *name)
{
	const char *p = name;
	size_t len;

	if (is_letter((unsigned char)*p))
		while (is_inner((unsigned char)*p))
			p++;
	if (*p == '\0' && p != name)
		return (size_t)(p - name);
	len = strlen(name);
	if (!xml_name_is_valid(name, len))
		refuse(o);
	return len;
}

/* Text. */

/* How many bytes can be copied as they are: up to a special one.  *high tells of bytes that are not
 * ASCII. */
static inline size_t
clean_run(const char *text, size_t len, bool *high)
{
	plain_row row, seen = { 0 };
	signed char rest = 0;
	size_t n = 0;

	for (; len - n >= sizeof(row); n += sizeof(row)) {
		memcpy(&row, text + n, sizeof(row));
		if (plain_is_any(plain_specials(row)))
			break;
		seen |= row;
	}
	for (; n < len && !plain_is_special((unsigned char)text[n]); n++)
		rest |= (signed char)text[n];
	*high = rest < 0 || plain_is_any(seen < 0);
	return n;
}

/* XML 1.0 §2.11 and §3.3.3: what a parser would not hand on as it stands. */
static void
put_special(struct out *o, unsigned char c, bool in_attr)
{
	switch (c) {
	case '&':
		PUT(o, "&amp;");
		break;
	case '<':
		PUT(o, "&lt;");
		break;
	case '>':
		PUT(o, "&gt;");
		break;
	case '\'':
		if (in_attr)
			PUT(o, "&apos;");
		else
			PUT(o, "'");
		break;
	case '\r':
		PUT(o, "&#13;");
		break;
	case '\n':
		if (in_attr)
			PUT(o, "&#10;");
		else
			PUT(o, "\n");
		break;
	case '\t':
		if (in_attr)
			PUT(o, "&#9;");
		else
			PUT(o, "\t");
		break;
	default:
		refuse(o);
	}
}

static inline void
put_text(struct out *o, const char *text, size_t len, bool in_attr)
{
	size_t n;
	bool high;

	for (;;) {
		n = clean_run(text, len, &high);
		if (__builtin_expect(high, 0) && !utf8_is_xml(text, n))
			refuse(o);
		put(o, text, n);
		if (n == len || o->error < 0)
			return;
		put_special(o, (unsigned char)text[n], in_attr);
		text += n + 1;
		len -= n + 1;
	}
}

/* Tags. */

static void
put_value(struct out *o, const char *value)
{
	PUT(o, "='");
	put_text(o, value, strlen(value), true);
	PUT(o, "'");
}

/* A prefix is numbered after the first attribute of its namespace. */
static unsigned
prefix_of(const struct annex_element *el, const struct annex_attr *a, bool *is_new)
{
	const struct annex_attr *first = el->attrs;
	unsigned n = 1;

	for (; first != a; first = first->next, n++)
		if (first->ns != NULL && strcmp(first->ns, a->ns) == 0)
			break;
	*is_new = first == a;
	return n;
}

static void
put_prefix(struct out *o, const struct annex_element *el, const struct annex_attr *a)
{
	char text[32];
	unsigned n;
	bool is_new;

	if (strcmp(a->ns, ANNEX_NS_XML) == 0) {
		PUT(o, " xml:");
		return;
	}
	if (strcmp(a->ns, NS_XMLNS) == 0)
		refuse(o);
	n = prefix_of(el, a, &is_new);
	if (is_new) {
		put(o, text, (size_t)snprintf(text, sizeof(text), " xmlns:ns%u", n));
		put_value(o, a->ns);
	}
	put(o, text, (size_t)snprintf(text, sizeof(text), " ns%u:", n));
}

static inline void
put_attr(struct out *o, const struct annex_element *el, const struct annex_attr *a)
{
	size_t len = checked_name(o, a->name);

	if (a->ns != NULL && a->ns[0] != '\0')
		put_prefix(o, el, a);
	else if (len == 5 && memcmp(a->name, "xmlns", 5) == 0)
		refuse(o);
	else
		PUT(o, " ");
	put(o, a->name, len);
	put_value(o, a->value);
}

/* The default namespace of what is in el. */
static const char *
inner_context(const struct annex_element *el, const struct annex_element *root, const char *context)
{
	for (; strcmp(el->ns, ANNEX_NS_XML) == 0; el = el->parent)
		if (el == root)
			return context;
	return el->ns;
}

static void
put_name(struct out *o, const struct annex_element *el, size_t len)
{
	if (len == 0)
		len = strlen(el->name);
	if (__builtin_expect(el->ns[0] == ANNEX_NS_XML[0], 0) && strcmp(el->ns, ANNEX_NS_XML) == 0)
		PUT(o, "xml:");
	put(o, el->name, len);
}

/* "<name xmlns='...'", without attributes. */
static void
put_start(struct out *o, const struct annex_element *el, const char *context)
{
	PUT(o, "<");
	put_name(o, el, checked_name(o, el->name));
	if (el->ns == context || strcmp(el->ns, context) == 0 || strcmp(el->ns, ANNEX_NS_XML) == 0)
		return;
	if (!ns_default_is_legal(el->ns))
		refuse(o);
	PUT(o, " xmlns");
	put_value(o, el->ns);
}

static void
put_end(struct out *o, const struct annex_element *el)
{
	PUT(o, "</");
	put_name(o, el, 0);
	PUT(o, ">");
}

static void
put_element(struct out *o, const struct annex_element *el, const char *context)
{
	put_start(o, el, context);
	for (const struct annex_attr *a = el->attrs; a != NULL; a = a->next)
		put_attr(o, el, a);
	if (el->first == NULL)
		PUT(o, "/>");
	else
		PUT(o, ">");
}

/* All that is in root, whatever its depth, without a stack of our own. */
static void
put_children(struct out *o, const struct annex_element *root, const char *context)
{
	const struct annex_element *el = root;

	while (o->error == ANNEX_OK) {
		if (el->first != NULL) {
			el = el->first;
		} else {
			while (el != root && el->next == NULL) {
				el = el->parent;
				if (el != root)
					put_end(o, el);
			}
			if (el == root)
				return;
			el = el->next;
		}
		if (el->name == NULL)
			put_text(o, el->text, el->text_len, false);
		else
			put_element(o, el, inner_context(el->parent, root, context));
	}
}

static void
out_begin(struct out *o, struct buf *buf)
{
	*o = (struct out) { .buf = buf, .error = buf->error };
	if (buf->data != NULL && buf->error == ANNEX_OK) {
		o->at = buf->data + buf->len;
		o->end = buf->data + buf->room - 1;
	}
}

static int
out_finish(struct out *o, size_t start)
{
	struct buf *b = o->buf;

	if (o->error < 0 && b->error < 0)
		return b->error;
	if (b->data != NULL) {
		b->len = o->error < 0 ? start : (size_t)(o->at - b->data);
		b->data[b->len] = '\0';
	}
	return o->error;
}

int
xml_write(struct buf *buf, const struct annex_element *el, const char *context_ns)
{
	size_t start = buf->len;
	struct out o;

	out_begin(&o, buf);
	if (el->name == NULL) {
		put_text(&o, el->text, el->text_len, false);
		return out_finish(&o, start);
	}
	put_element(&o, el, context_ns);
	if (el->first != NULL) {
		put_children(&o, el, context_ns);
		put_end(&o, el);
	}
	return out_finish(&o, start);
}

int
xml_write_split(struct buf *buf, const struct annex_element *el, const char *context_ns,
    size_t *to_at, size_t *tail_at)
{
	size_t start = buf->len;
	struct out o;

	out_begin(&o, buf);
	put_start(&o, el, context_ns);
	PUT(&o, " to='");
	*to_at = (size_t)(o.at - buf->data);
	PUT(&o, "'");
	for (const struct annex_attr *a = el->attrs; a != NULL; a = a->next)
		if (a->ns != NULL || strcmp(a->name, "to") != 0)
			put_attr(&o, el, a);
	PUT(&o, ">");
	put_children(&o, el, context_ns);
	*tail_at = (size_t)(o.at - buf->data);
	put_end(&o, el);
	return out_finish(&o, start);
}

int
xml_write_escaped(struct buf *buf, const char *text, size_t len)
{
	size_t start = buf->len;
	struct out o;

	out_begin(&o, buf);
	put_text(&o, text, len, true);
	return out_finish(&o, start);
}
