/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * handlers.c - what expat reports becomes events
 *
 * All limits are looked at where expat reports a tag, never at the end of a
 * read, so that the same bytes give the same events however they were cut.
 *
 * Expat's parser is never freed, reset or resumed in its own callbacks: they
 * only stop it, and set why.
 */
#include "base/pool.h"
#include "inside.h"

/* Events. */

static struct annex_pool *
pool_get(struct xml_parser *p)
{
	return p->document != NULL ? p->document : idle_pools_get(&p->idle);
}

void
event_begin(struct xml_parser *p)
{
	struct annex_pool *pool = pool_get(p);

	p->event = pool_take(pool, sizeof(*p->event), POOL_ALIGN);
	*p->event = (struct xml_event) { .kind = XML_STANZA, .pool = pool };
}

static void
event_finish(struct xml_parser *p, struct annex_element *element)
{
	p->event->element = element;
	annex_list_append(&p->events, &p->event->link);
	p->event = NULL;
}

void
event_drop(struct xml_parser *p)
{
	if (p->event != NULL)
		xml_event_free(p, p->event);
	p->event = NULL;
}

/* Tags and text. */

static void
open_stream(struct xml_parser *p, const char *name, const char **atts)
{
	event_begin(p);
	tree_begin(&p->tree, p->event->pool);
	if (tree_start(&p->tree, name, atts) != XML_SKIP_NONE) {
		event_drop(p);
		parser_fail(
		    p, "the stream's root element has bad namespaces or too many attributes");
		return;
	}
	tree_settle(&p->tree, p->pool);
	p->event->kind = XML_STREAM_OPEN;
	event_finish(p, p->tree.root);
	p->depth = 1;
}

static void XMLCALL
on_start(void *cookie, const XML_Char *name, const XML_Char **atts)
{
	struct xml_parser *p = cookie;
	uint64_t at = here(p);
	enum xml_skip skip;

	if (p->failed)
		return;
	if (p->fed - at > p->limits.token_bytes &&
	    (size_t)XML_GetCurrentByteCount(p->expat) > p->limits.token_bytes) {
		parser_fail_token(p);
		return;
	}
	if (p->depth < p->outside) {
		open_stream(p, name, atts);
		return;
	}
	if (p->depth == p->outside) {
		event_begin(p);
		tree_begin(&p->tree, p->event->pool);
		p->start = at;
	} else if (!p->skipping && is_too_large(p, at)) {
		skip_begin(p, XML_SKIP_SIZE, NULL, NULL);
	}
	if (!p->skipping && (skip = tree_start(&p->tree, name, atts)) != XML_SKIP_NONE)
		skip_begin(p, skip, name, atts);
	if (p->skipping)
		skip_start(p, name, atts);
	p->depth++;
}

static void
finish_stanza(struct xml_parser *p, uint64_t end)
{
	if (!p->skipping && is_too_large(p, end))
		skip_begin(p, XML_SKIP_SIZE, NULL, NULL);
	p->event->bytes = (size_t)(end - p->start);
	event_finish(p, p->skipping ? p->event->element : p->tree.root);
	p->skipping = false;
}

static void XMLCALL
on_end(void *cookie, const XML_Char *name)
{
	struct xml_parser *p = cookie;

	if (p->failed)
		return;
	if (p->depth == p->outside) {
		event_begin(p);
		p->event->kind = XML_STREAM_CLOSE;
		event_finish(p, NULL);
		p->depth--;
		return;
	}
	if (p->skipping)
		skip_end(p);
	else
		tree_end(&p->tree);
	if (--p->depth == p->outside)
		finish_stanza(p, here(p) + (uint64_t)XML_GetCurrentByteCount(p->expat));
}

/* Text outside of stanzas is white space that keeps the connection alive. */
static void XMLCALL
on_text(void *cookie, const XML_Char *text, int len)
{
	struct xml_parser *p = cookie;

	if (p->depth > p->outside && !p->skipping && !p->failed)
		tree_text(&p->tree, text, (size_t)len);
}

/* A comment or a processing instruction: RFC 6120 §11.1 has neither. */
static void
on_markup(struct xml_parser *p)
{
	if (p->failed)
		return;
	if ((size_t)XML_GetCurrentByteCount(p->expat) > p->limits.token_bytes)
		parser_fail_token(p);
	else if (p->document != NULL)
		parser_fail(p, "a comment or processing instruction");
	else if (p->depth > p->outside && !p->skipping)
		skip_begin(
		    p, is_too_large(p, here(p)) ? XML_SKIP_SIZE : XML_SKIP_MARKUP, NULL, NULL);
}

static void XMLCALL
on_comment(void *cookie, const XML_Char *text)
{
	on_markup(cookie);
}

static void XMLCALL
on_instruction(void *cookie, const XML_Char *target, const XML_Char *data)
{
	on_markup(cookie);
}

static void XMLCALL
on_cdata_start(void *cookie)
{
	struct xml_parser *p = cookie;

	p->in_cdata = true;
}

static void XMLCALL
on_cdata_end(void *cookie)
{
	struct xml_parser *p = cookie;

	p->in_cdata = false;
}

static void XMLCALL
on_doctype(void *cookie, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
    int has_subset)
{
	parser_fail(cookie, "a document type declaration, which XMPP does not allow");
}

void
handlers_set(struct xml_parser *p)
{
	XML_SetUserData(p->expat, p);
	XML_SetElementHandler(p->expat, on_start, on_end);
	XML_SetCharacterDataHandler(p->expat, on_text);
	XML_SetCommentHandler(p->expat, on_comment);
	XML_SetProcessingInstructionHandler(p->expat, on_instruction);
	XML_SetCdataSectionHandler(p->expat, on_cdata_start, on_cdata_end);
	XML_SetStartDoctypeDeclHandler(p->expat, on_doctype);
}
