/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tree.c - XML as the other side reads it
 */
#include "config.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>

#include "tree.h"

#define SEPARATOR '\n' /* can be in no name */

/* Newer than some expats that are around. */
XML_Bool XML_SetReparseDeferralEnabled(XML_Parser, XML_Bool) __attribute__((weak));

struct bytes {
	char *at;
	size_t len, room;
};

struct tree_reader {
	XML_Parser expat;
	struct annex_pool *pool;
	struct annex_element *open; /* innermost, of a child of the root */
	unsigned depth;
	bool opened;
	struct bytes
	    text;      /* of the innermost, not yet in the tree: expat cuts it at every entity */
	long child_at; /* where its text begins */
	long child_tag_end;
	struct bytes stream; /* from its start */
	tree_root_fn *root;
	tree_done_fn *done;
	void *cookie;
};

static void
keep(struct bytes *to, const char *bytes, size_t len)
{
	while (to->len + len > to->room) {
		to->room = to->room == 0 ? 4096 : 2 * to->room;
		to->at = realloc(to->at, to->room);
	}
	memcpy(to->at + to->len, bytes, len);
	to->len += len;
}

/* "ns\nname" taken apart. */
static const char *
split_name(struct annex_pool *pool, const char *text, const char **ns)
{
	const char *at = strchr(text, SEPARATOR);

	*ns = at == NULL ? "" : annex_strndup(pool, text, (size_t)(at - text));
	return annex_strdup(pool, at == NULL ? text : at + 1);
}

/* A run of text goes into the tree in one piece. */
static void
keep_text(struct tree_reader *r)
{
	if (r->text.len == 0)
		return;
	annex_text_append(r->open, annex_strndup(r->pool, r->text.at, r->text.len));
	r->text.len = 0;
}

static struct annex_element *
open_element(struct tree_reader *r, const char *tag)
{
	const char *ns, *name = split_name(r->pool, tag, &ns);

	if (r->open == NULL)
		return annex_element(r->pool, ns, name);
	keep_text(r);
	return annex_add(r->open, ns, name);
}

static void
on_start(void *data, const char *tag, const char **atts)
{
	struct tree_reader *r = data;
	struct annex_element *el = open_element(r, tag);

	for (; atts[0] != NULL; atts += 2) {
		const char *attr_ns, *attr = split_name(r->pool, atts[0], &attr_ns);

		if (attr_ns[0] == '\0')
			annex_attr_set(el, attr, atts[1]);
		else
			annex_attr_set_ns(el, attr_ns, attr, atts[1]);
	}
	r->opened = true;
	if (r->depth++ == 0) {
		if (r->root != NULL)
			r->root(r->cookie, el);
		return;
	}
	if (r->open == NULL) {
		r->child_at = XML_GetCurrentByteIndex(r->expat);
		r->child_tag_end = r->child_at + XML_GetCurrentByteCount(r->expat);
	}
	r->open = el;
}

static void
on_end(void *data, const char *tag)
{
	struct tree_reader *r = data;
	struct annex_element *el = r->open;
	long end;

	r->depth--;
	if (el == NULL)
		return;
	keep_text(r);
	r->open = el->parent;
	if (el->parent != NULL)
		return;
	end = XML_GetCurrentByteIndex(r->expat) + XML_GetCurrentByteCount(r->expat);
	if (end < r->child_tag_end)
		end = r->child_tag_end;
	r->done(r->cookie, el, r->stream.at + r->child_at, (size_t)(end - r->child_at));
}

static void
on_text(void *data, const char *text, int len)
{
	struct tree_reader *r = data;

	if (r->open != NULL)
		keep(&r->text, text, (size_t)len);
}

struct tree_reader *
tree_reader_create(struct annex_pool *pool, tree_root_fn *root, tree_done_fn *done, void *cookie)
{
	struct tree_reader *r = calloc(1, sizeof(*r));

	r->expat = XML_ParserCreateNS("UTF-8", SEPARATOR);
	r->pool = pool;
	r->root = root;
	r->done = done;
	r->cookie = cookie;
	XML_SetUserData(r->expat, r);
	XML_SetElementHandler(r->expat, on_start, on_end);
	XML_SetCharacterDataHandler(r->expat, on_text);
	if (XML_SetReparseDeferralEnabled != NULL)
		XML_SetReparseDeferralEnabled(r->expat, XML_FALSE);
	return r;
}

const char *
tree_reader_feed(struct tree_reader *r, const char *bytes, size_t len)
{
	keep(&r->stream, bytes, len);
	if (XML_Parse(r->expat, bytes, (int)len, 0) == XML_STATUS_OK)
		return NULL;
	return annex_sprintf(r->pool, "%s at byte %ld", XML_ErrorString(XML_GetErrorCode(r->expat)),
	    XML_GetCurrentByteIndex(r->expat));
}

bool
tree_reader_is_closed(const struct tree_reader *r)
{
	return r->opened && r->depth == 0;
}

void
tree_reader_destroy(struct tree_reader **rp)
{
	struct tree_reader *r = *rp;

	if (r == NULL)
		return;
	*rp = NULL;
	XML_ParserFree(r->expat);
	free(r->text.at);
	free(r->stream.at);
	free(r);
}

/* --- One element ---------------------------------------------------------- */

static void
take_one(void *cookie, struct annex_element *el, const char *raw, size_t raw_len)
{
	struct annex_element **one = cookie;

	if (*one == NULL)
		*one = el;
}

struct annex_element *
tree_read(struct annex_pool *pool, const char *text, size_t len, const char **why)
{
	static const char head[] =
	    "<stream:stream xmlns='" ANNEX_NS_STANZA "' xmlns:stream='" NS_STREAMS "'>";
	static const char tail[] = "</stream:stream>";
	struct annex_element *one = NULL;
	struct tree_reader *r = tree_reader_create(pool, NULL, take_one, &one);

	if ((*why = tree_reader_feed(r, head, strlen(head))) == NULL &&
	    (*why = tree_reader_feed(r, text, len)) == NULL)
		*why = tree_reader_feed(r, tail, strlen(tail));
	if (*why == NULL && one == NULL)
		*why = "there is no element";
	tree_reader_destroy(&r);
	return *why == NULL ? one : NULL;
}

/* --- For people ----------------------------------------------------------- */

static void
print_escaped(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '<')
			fputs("&lt;", out);
		else if (text[i] == '&')
			fputs("&amp;", out);
		else if (text[i] == '\'')
			fputs("&apos;", out);
		else
			fputc(text[i], out);
	}
}

static void
print_start(FILE *out, const struct annex_element *el, const char *ns)
{
	fprintf(out, "<%s", el->name);
	if (strcmp(el->ns, ns) != 0)
		fprintf(out, " xmlns='%s'", el->ns);
	for (const struct annex_attr *a = el->attrs; a != NULL; a = a->next) {
		const char *prefix = a->ns == NULL     ? ""
		    : strcmp(a->ns, ANNEX_NS_XML) == 0 ? "xml:"
						       : "?:";

		fprintf(out, " %s%s='", prefix, a->name);
		print_escaped(out, a->value, strlen(a->value));
		fputc('\'', out);
	}
	fputs(el->first == NULL ? "/>" : ">", out);
}

static void
print_level(FILE *out, const struct annex_element *el, const char *ns, unsigned level)
{
	bool nested = annex_child(el, NULL, NULL) != NULL;

	print_start(out, el, ns);
	for (const struct annex_element *c = el->first; c != NULL; c = c->next) {
		if (nested && c->name == NULL && c->text[strspn(c->text, " \t\r\n")] == '\0')
			continue;
		if (nested)
			fprintf(out, "\n%*s", (int)(8 + 2 * (level + 1)), "");
		if (c->name == NULL)
			print_escaped(out, c->text, c->text_len > 400 ? 400 : c->text_len);
		else
			print_level(out, c, el->ns, level + 1);
	}
	if (nested)
		fprintf(out, "\n%*s", (int)(8 + 2 * level), "");
	if (el->first != NULL)
		fprintf(out, "</%s>", el->name);
}

void
tree_print(FILE *out, const struct annex_element *el)
{
	fprintf(out, "%8s", "");
	print_level(out, el, ANNEX_NS_STANZA, 0);
	fputc('\n', out);
}
