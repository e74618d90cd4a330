/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * document.c - an XML document of any length, part by part
 *
 * Unlike the stream of a server (parser.c) a document is one person's: what is wrong with it
 * may end it, so expat resolves the namespaces itself.  Each child of an entered element
 * has a pool of its own, which goes with it.
 */
#include <config.h>

#include <expat.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/document.h>
#include <annex/pool.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"

#define ENTERED_MAX 16
#define DEPTH_MAX 64
#define ELEMENTS_MAX 10000
#define SEPARATOR '\n' /* between namespace and name, as expat tells them */

struct annex_document {
	uint32_t magic;
#define DOCUMENT_MAGIC 0x3c646f63u
	XML_Parser expat;
	const struct annex_document_events *events;
	void *cookie;
	size_t max_bytes;
	uint64_t fed;
	struct annex_element *entered[ENTERED_MAX]; /* outermost first */
	unsigned count;                             /* of them */
	struct annex_element *root,
	    *top;               /* of what is handed over whole, and where it stands; or NULL */
	unsigned depth;         /* open tags of it */
	size_t bytes, elements; /* of it, so far */
	bool skipping;
	struct buf text; /* that expat tells in pieces */
	char why[200];
};

static void fail(struct annex_document *doc, const char *fmt, ...) ANNEX_PRINTF(2, 3);

static void
fail(struct annex_document *doc, const char *fmt, ...)
{
	int n = snprintf(doc->why, sizeof(doc->why),
	    "line %lu: ", (unsigned long)XML_GetCurrentLineNumber(doc->expat));
	va_list args;

	va_start(args, fmt);
	vsnprintf(doc->why + n, sizeof(doc->why) - (size_t)n, fmt, args);
	va_end(args);
	XML_StopParser(doc->expat, XML_FALSE);
}

/* --- Building ------------------------------------------------------------------------- */

/* What is "namespace SEPARATOR name", in pool. */
static const char *
split(struct annex_pool *pool, const char *both, const char **ns_r)
{
	const char *end = strrchr(both, SEPARATOR);

	*ns_r = end == NULL ? "" : annex_strndup(pool, both, (size_t)(end - both));
	return annex_strdup(pool, end == NULL ? both : end + 1);
}

static void
attributes_set(struct annex_document *doc, struct annex_element *el, const char **atts)
{
	for (; *atts != NULL; atts += 2) {
		const char *ns, *name = split(el->pool, atts[0], &ns);

		doc->bytes += strlen(atts[0]) + strlen(atts[1]);
		if (ns[0] == '\0')
			annex_attr_set(el, name, atts[1]);
		else
			annex_attr_set_ns(el, ns, name, atts[1]);
	}
}

static struct annex_element *
child_of_entered(struct annex_document *doc, const char *both, const char **atts)
{
	struct annex_pool *pool = annex_pool_create(NULL, "document");
	const char *ns, *name = split(pool, both, &ns);
	struct annex_element *el = annex_element(pool, ns, name);

	el->parent = doc->count == 0 ? NULL : doc->entered[doc->count - 1];
	doc->bytes = strlen(both);
	attributes_set(doc, el, atts);
	return el;
}

static void
element_free(struct annex_element *el)
{
	struct annex_pool *pool = el->pool;

	annex_pool_destroy(&pool);
}

static void
text_end(struct annex_document *doc)
{
	if (doc->text.len > 0 && doc->top != NULL && !doc->skipping)
		annex_text_append(doc->top, buf_text(&doc->text));
	buf_clear(&doc->text);
}

/* Nothing more is kept of it. */
static void
skip_where_too_much(struct annex_document *doc)
{
	doc->skipping = doc->skipping || doc->depth > DEPTH_MAX || doc->elements > ELEMENTS_MAX ||
	    doc->bytes > doc->max_bytes;
}

/* --- What expat tells -------------------------------------------------------------------- */

static void
begin(struct annex_document *doc, const char *both, const char **atts)
{
	struct annex_element *el = child_of_entered(doc, both, atts);

	doc->elements = 1;
	doc->skipping = false;
	if (!doc->events->enter(doc->cookie, el)) {
		doc->root = doc->top = el;
		doc->depth = 1;
		skip_where_too_much(doc);
	} else if (doc->count == ENTERED_MAX) {
		element_free(el);
		fail(doc, "elements are nested too deep");
	} else {
		doc->entered[doc->count++] = el;
	}
}

static void XMLCALL
on_start(void *cookie, const XML_Char *both, const XML_Char **atts)
{
	struct annex_document *doc = cookie;
	const char *ns, *name;

	text_end(doc);
	if (doc->root == NULL) {
		begin(doc, both, atts);
		return;
	}
	doc->depth++;
	doc->elements++;
	doc->bytes += strlen(both);
	skip_where_too_much(doc);
	if (doc->skipping)
		return;
	name = split(doc->root->pool, both, &ns);
	doc->top = annex_add(doc->top, ns, name);
	attributes_set(doc, doc->top, atts);
}

static void
leave(struct annex_document *doc)
{
	struct annex_element *el = doc->entered[--doc->count];

	if (doc->events->left != NULL)
		doc->events->left(doc->cookie, el);
	element_free(el);
}

static void
hand_over(struct annex_document *doc)
{
	struct annex_element *el = doc->root;

	doc->root = doc->top = NULL;
	if (doc->skipping) {
		el->first = el->last = NULL;
		doc->events->skipped(doc->cookie, el);
	} else {
		doc->events->whole(doc->cookie, el);
	}
	element_free(el);
}

static void XMLCALL
on_end(void *cookie, const XML_Char *both)
{
	struct annex_document *doc = cookie;

	(void)both;
	/* Expat tells the end of an empty element even where its start has stopped it. */
	if (doc->why[0] != '\0')
		return;
	text_end(doc);
	if (doc->root == NULL) {
		leave(doc);
		return;
	}
	skip_where_too_much(doc);
	if (--doc->depth == 0)
		hand_over(doc);
	else if (!doc->skipping)
		doc->top = doc->top->parent;
}

static void XMLCALL
on_text(void *cookie, const XML_Char *text, int len)
{
	struct annex_document *doc = cookie;

	if (doc->root == NULL || doc->skipping)
		return;
	doc->bytes += (size_t)len;
	skip_where_too_much(doc);
	if (!doc->skipping)
		buf_append(&doc->text, text, (size_t)len);
}

static void XMLCALL
on_doctype(void *cookie, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
    int has_subset)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_subset;
	fail(cookie, "a document type declaration is not taken");
}

/* --- Its life ----------------------------------------------------------------------------- */

struct annex_document *
annex_document_create(const struct annex_document_events *events, void *cookie, size_t max_bytes)
{
	struct annex_document *doc = mem_zalloc(sizeof(*doc));

	doc->magic = DOCUMENT_MAGIC;
	doc->events = events;
	doc->cookie = cookie;
	doc->max_bytes = max_bytes;
	doc->expat = XML_ParserCreateNS("UTF-8", SEPARATOR);
	if (doc->expat == NULL)
		mem_exhausted(sizeof(*doc));
	XML_SetUserData(doc->expat, doc);
	XML_SetElementHandler(doc->expat, on_start, on_end);
	XML_SetCharacterDataHandler(doc->expat, on_text);
	XML_SetStartDoctypeDeclHandler(doc->expat, on_doctype);
	return doc;
}

void
annex_document_destroy(struct annex_document **docp)
{
	struct annex_document *doc = *docp;

	if (doc == NULL)
		return;
	*docp = NULL;
	CHECK_OBJECT(doc, DOCUMENT_MAGIC);
	if (doc->root != NULL)
		element_free(doc->root);
	while (doc->count > 0)
		element_free(doc->entered[--doc->count]);
	XML_ParserFree(doc->expat);
	buf_finish(&doc->text);
	doc->magic = 0;
	free(doc);
}

static int
parse(struct annex_document *doc, const void *bytes, size_t len, bool is_final)
{
	CHECK_OBJECT(doc, DOCUMENT_MAGIC);
	if (doc->why[0] != '\0')
		return ANNEX_EINVAL;
	doc->fed += len;
	if (XML_Parse(doc->expat, bytes, (int)len, is_final) == XML_STATUS_ERROR &&
	    doc->why[0] == '\0')
		fail(doc, "%s", XML_ErrorString(XML_GetErrorCode(doc->expat)));
	/* Where it stands: at what has not ended yet, and expat keeps. */
	else if (!is_final && doc->why[0] == '\0' &&
	    doc->fed - (uint64_t)XML_GetCurrentByteIndex(doc->expat) > doc->max_bytes + len)
		fail(doc, "one single tag is larger than %zu bytes", doc->max_bytes);
	return doc->why[0] == '\0' ? ANNEX_OK : ANNEX_EINVAL;
}

int
annex_document_feed(struct annex_document *doc, const void *bytes, size_t len)
{
	const size_t most = (size_t)1 << 20;
	int r = ANNEX_OK;

	for (size_t at = 0, n; at < len && r == ANNEX_OK; at += n) {
		n = len - at < most ? len - at : most;
		r = parse(doc, (const char *)bytes + at, n, false);
	}
	return r;
}

int
annex_document_end(struct annex_document *doc)
{
	return parse(doc, "", 0, true);
}

const char *
annex_document_why(const struct annex_document *doc)
{
	return doc->why;
}
