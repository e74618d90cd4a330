/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * parser.c - a stream of bytes becomes a queue of stanzas
 *
 * Expat calls on_start, on_end and on_text; struct tree keeps what they say
 * and complains where it does not fit.  Then the stanza is skipped: what was
 * built goes back, the start tag alone is kept, and from there on only the
 * names of open tags are followed until the stanza has ended.
 *
 * All limits are looked at where expat reports a tag, never at the end of a
 * read, so that the same bytes give the same events however they were cut.
 * At the end of a slice the size is looked at once more, only to bound
 * memory: the next tag would have come to the same conclusion.
 *
 * The awkward case is expat's own memory.  It keeps every name it has ever
 * seen, of elements and of attributes, and one record for every level it has
 * ever been in, until the parser is freed; a stream that is up for a year
 * would hand strangers a leak.  So what may stick is added up (grown), and
 * when there is enough of it a new expat is told of the open tags, given the
 * bytes the old one had not yet used, and takes over.
 *
 * Expat's parser is never freed, reset or resumed in its own callbacks: they
 * only stop it, and set why.
 *
 * XEP-0114; RFC 6120 §4 and §11 (restricted XML), as far as a component that
 * must not be disconnected by what its peer lets through can insist.
 */
#include <config.h>

/* Debian's header shows the watch on memory only to who has this, though the library has it. */
#ifndef XML_DTD
#define XML_DTD 1
#endif
#include <expat.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/pool.h"
#include "base/utf8.h"
#include "parser.h"
#include "tree.h"

#define SLICE_BYTES ((size_t)64 << 10) /* given to expat at once */
#define NAME_COST 160                  /* what one name or level takes in expat, at most */
#define EXPAT_BYTES (64ull << 20)      /* where expat's own watch on its memory sets in */
#define IDLE_POOLS 1280     /* kept for the stanzas to come: a turn's input full of small ones */
#define KEPT_VALUE_MAX 3071 /* a JID: 3 parts of 1023 and the separators */
#define KEPT_NAME_MAX 255

const struct xml_limits xml_limits_default = {
	.stanza_bytes = (size_t)256 << 10,
	.token_bytes = (size_t)4 << 20,
	.depth = 64,
	.attributes = 64,
	.namespaces = 128,
	.elements = 10000,
	.expat_bytes = (size_t)4 << 20,
};

/*
 * What runs may be newer than what it was built with, and put off what this one did not: a security
 * update of the library alone brings it.  So whether it is there is seen when it is called.
 */
XML_Bool XML_SetReparseDeferralEnabled(XML_Parser, XML_Bool) __attribute__((weak));

struct xml_parser {
	uint32_t magic;
#define XML_PARSER_MAGIC 0x3c786d6cu
	XML_Parser expat;
	struct xml_limits limits;
	uint64_t salt;
	struct annex_pool *pool;     /* what the stream's root declared */
	struct annex_pool *document; /* of annex_element_read: all goes there */
	struct tree tree;
	unsigned depth;           /* open tags */
	unsigned outside;         /* of them, what is not a stanza: 1, or 0 in a document */
	struct xml_event *event;  /* of the stanza in hand */
	struct annex_link events; /* finished */
	uint64_t start;           /* of the stanza in hand, in bytes of the stream */
	uint64_t fed;             /* bytes so far */
	uint64_t used;            /* of them, when expat last looked */
	uint64_t planted;         /* of them, when this expat took over */
	int64_t base;             /* where in the stream expat's first byte would be */
	size_t planted_names;     /* tree.names, then */
	size_t stuck_max;         /* see is_stuffed */
	struct buf open;          /* while skipping: the names of open tags, each after a NUL */
	bool skipping, in_cdata, failed;
	bool waiting; /* a '>' that expat may not have looked at */
	char why[160];
	size_t idle_count, idle_low; /* low: fewest since the last flush */
	struct annex_pool **idle;    /* IDLE_POOLS; NULL until the first goes back */
};

/* Pools. */

static struct annex_pool *
pool_get(struct xml_parser *p)
{
	if (p->document != NULL)
		return p->document;
	if (p->idle_count == 0)
		return annex_pool_create(NULL, "stanza");
	if (--p->idle_count < p->idle_low)
		p->idle_low = p->idle_count;
	return p->idle[p->idle_count];
}

static void
pool_put(struct xml_parser *p, struct annex_pool *pool)
{
	if (p != NULL && pool == p->document)
		return;
	if (p == NULL || p->idle_count == IDLE_POOLS) {
		annex_pool_destroy(&pool);
		return;
	}
	annex_pool_reset(pool);
	if (p->idle == NULL)
		p->idle = mem_alloc(IDLE_POOLS * sizeof(*p->idle));
	p->idle[p->idle_count++] = pool;
}

/* What was not needed since the last time is halved, so a burst is not kept for ever. */
static void
pools_trim(struct xml_parser *p)
{
	for (size_t n = p->idle_low / 2; n > 0; n--)
		annex_pool_destroy(&p->idle[--p->idle_count]);
	p->idle_low = p->idle_count;
}

/* Where we are. */

static void ANNEX_PRINTF(2, 3) fail(struct xml_parser *p, const char *fmt, ...)
{
	va_list args;

	if (p->failed)
		return;
	p->failed = true;
	va_start(args, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, args);
	va_end(args);
	XML_StopParser(p->expat, XML_FALSE);
}

/* The first byte of what expat reports, in the stream. */
static inline uint64_t
here(const struct xml_parser *p)
{
	return (uint64_t)(p->base + XML_GetCurrentByteIndex(p->expat));
}

static void
fail_token(struct xml_parser *p)
{
	fail(p, "a single tag or comment of more than %zu bytes", p->limits.token_bytes);
}

static void
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

static void
event_drop(struct xml_parser *p)
{
	if (p->event != NULL)
		pool_put(p, p->event->pool);
	p->event = NULL;
}

/* Skipping. */

/* What an answer needs of the start tag, where it can be that. */
static void
keep(struct annex_element *el, const char *name, const char *value)
{
	static const char *const kept[] = { "from", "to", "id", "type" };

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(name, kept[i]) == 0 && strlen(value) <= KEPT_VALUE_MAX)
			annex_attr_set(el, kept[i], value);
}

static const char *
kept_name(struct annex_pool *pool, const char *name)
{
	return annex_strndup(pool, name, utf8_cut(name, strlen(name), KEPT_NAME_MAX));
}

/* From the tree, where the start tag was good. */
static struct annex_element *
keep_element(struct annex_pool *pool, const struct annex_element *from)
{
	struct annex_element *el =
	    annex_element(pool, kept_name(pool, from->ns), kept_name(pool, from->name));

	for (const struct annex_attr *a = from->attrs; a != NULL; a = a->next)
		if (a->ns == NULL)
			keep(el, a->name, a->value);
	return el;
}

/* From what expat says, where it was not. */
static struct annex_element *
keep_tag(struct xml_parser *p, struct annex_pool *pool, const char *name, const char **atts)
{
	const char *ns = p->tree.frames[p->outside].default_ns;
	struct annex_element *el;

	for (size_t i = 0; atts[i] != NULL; i += 2)
		if (strcmp(atts[i], "xmlns") == 0)
			ns = atts[i + 1];
	if (strchr(name, ':') != NULL)
		ns = "";
	el = annex_element(pool, kept_name(pool, ns), kept_name(pool, name));
	for (size_t i = 0; atts[i] != NULL; i += 2)
		keep(el, atts[i], atts[i + 1]);
	return el;
}

/* Give up on the stanza in hand.  Where its own start tag was the reason,
 * name and atts are that tag. */
static void
skip_begin(struct xml_parser *p, enum xml_skip reason, const char *name, const char **atts)
{
	struct xml_event *old = p->event;
	struct annex_element *root = p->tree.root;

	p->event = NULL;
	event_begin(p);
	p->event->kind = XML_SKIPPED;
	p->event->skip = reason;
	p->event->element = root != NULL ? keep_element(p->event->pool, root)
					 : keep_tag(p, p->event->pool, name, atts);
	p->skipping = true;
	buf_clear(&p->open);
	for (unsigned i = 1; i <= p->depth; i++) {
		buf_append(&p->open, "", 1);
		buf_puts(&p->open, p->tree.frames[i].raw_name);
	}
	tree_begin(&p->tree, p->event->pool);
	pool_put(p, old->pool);
}

static void
skip_start(struct xml_parser *p, const char *name, const char **atts)
{
	size_t len = strlen(name);

	buf_append(&p->open, "", 1);
	buf_append(&p->open, name, len);
	p->tree.names++;
	while (*atts != NULL) {
		p->tree.names++;
		atts += 2;
	}
}

static void
skip_end(struct xml_parser *p)
{
	const char *nul = memrchr(p->open.data, '\0', p->open.len);

	p->open.len = (size_t)(nul - p->open.data);
}

static bool
is_too_large(const struct xml_parser *p, uint64_t at)
{
	return at - p->start > p->limits.stanza_bytes;
}

/* Callbacks of expat. */

static void
open_stream(struct xml_parser *p, const char *name, const char **atts)
{
	event_begin(p);
	tree_begin(&p->tree, p->event->pool);
	if (tree_start(&p->tree, name, atts) != XML_SKIP_NONE) {
		event_drop(p);
		fail(p, "the stream's root element has bad namespaces or too many attributes");
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
		fail_token(p);
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
		fail_token(p);
	else if (p->document != NULL)
		fail(p, "a comment or processing instruction");
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
	fail(cookie, "a document type declaration, which XMPP does not allow");
}

/* Expat itself. */

static void
set_salt(XML_Parser expat, uint64_t salt)
{
#ifdef HAVE_XML_SETHASHSALT16BYTES
	uint64_t both[2] = { salt, salt * 0x9e3779b97f4a7c15u ^ salt >> 31 };

	if (salt != 0)
		XML_SetHashSalt16Bytes(expat, (const uint8_t *)both);
#else
	/* 0 leaves it to expat to draw one. */
	XML_SetHashSalt(expat, (unsigned long)salt);
#endif
}

static XML_Parser
expat_create(uint64_t salt)
{
	XML_Parser expat = XML_ParserCreate("UTF-8");

	if (expat == NULL)
		mem_exhausted(sizeof(struct xml_parser));
	set_salt(expat, salt);
	XML_SetParamEntityParsing(expat, XML_PARAM_ENTITY_PARSING_NEVER);
#ifdef HAVE_XML_SETALLOCTRACKERMAXIMUMAMPLIFICATION
	XML_SetAllocTrackerActivationThreshold(expat, EXPAT_BYTES);
	XML_SetAllocTrackerMaximumAmplification(expat, 1.0f);
#endif
	return expat;
}

static void
set_handlers(struct xml_parser *p)
{
	XML_SetUserData(p->expat, p);
	XML_SetElementHandler(p->expat, on_start, on_end);
	XML_SetCharacterDataHandler(p->expat, on_text);
	XML_SetCommentHandler(p->expat, on_comment);
	XML_SetProcessingInstructionHandler(p->expat, on_instruction);
	XML_SetCdataSectionHandler(p->expat, on_cdata_start, on_cdata_end);
	XML_SetStartDoctypeDeclHandler(p->expat, on_doctype);
}

struct xml_parser *
xml_parser_create(const struct xml_limits *limits, uint64_t salt)
{
	struct xml_parser *p = mem_zalloc(sizeof(*p));

	p->magic = XML_PARSER_MAGIC;
	p->limits = *limits;
	p->salt = salt;
	p->pool = annex_pool_create(NULL, "stream");
	tree_init(&p->tree, &p->limits);
	p->outside = 1;
	annex_list_init(&p->events);
	p->expat = expat_create(salt);
	if (p->limits.expat_bytes == 0)
		p->limits.expat_bytes = xml_limits_default.expat_bytes;
	p->stuck_max = p->limits.expat_bytes;
	set_handlers(p);
	return p;
}

void
xml_parser_limit(struct xml_parser *p, size_t stanza_bytes)
{
	CHECK_OBJECT(p, XML_PARSER_MAGIC);
	p->limits.stanza_bytes = stanza_bytes;
}

void
xml_parser_destroy(struct xml_parser **parser)
{
	struct xml_parser *p = *parser;
	struct xml_event *event;

	if (p == NULL)
		return;
	CHECK_OBJECT(p, XML_PARSER_MAGIC);
	*parser = NULL;
	event_drop(p);
	while ((event = xml_parser_next(p)) != NULL)
		xml_event_free(p, event);
	while (p->idle_count > 0)
		annex_pool_destroy(&p->idle[--p->idle_count]);
	free(p->idle);
	XML_ParserFree(p->expat);
	tree_finish(&p->tree);
	buf_finish(&p->open);
	annex_pool_destroy(&p->pool);
	p->magic = 0;
	free(p);
}

/* What expat reported, in our words; our own reason stands where we stopped it. */
static int
fail_parse(struct xml_parser *p)
{
	enum XML_Error error = XML_GetErrorCode(p->expat);

	if (p->failed)
		return ANNEX_EINVAL;
	p->failed = true;
	if (error == XML_ERROR_NO_MEMORY)
		snprintf(p->why, sizeof(p->why), "XML that takes too much memory to parse");
	else
		snprintf(p->why, sizeof(p->why), "XML that is not well-formed: %s at byte %llu",
		    XML_ErrorString(error), (unsigned long long)here(p));
	return ANNEX_EINVAL;
}

static int
give(struct xml_parser *p, const char *bytes, size_t len, bool last)
{
	XML_Index index;

	if (XML_Parse(p->expat, bytes, (int)len, last) != XML_STATUS_OK)
		return fail_parse(p);
	/* None where expat put off looking. */
	if ((index = XML_GetCurrentByteIndex(p->expat)) >= 0)
		p->used = (uint64_t)(p->base + index);
	return ANNEX_OK;
}

/* Make expat look at what it has put off. */
static int
give_now(struct xml_parser *p)
{
	int r = ANNEX_OK;

	if (XML_SetReparseDeferralEnabled != NULL) {
		XML_SetReparseDeferralEnabled(p->expat, XML_FALSE);
		r = give(p, "", 0, false);
		XML_SetReparseDeferralEnabled(p->expat, XML_TRUE);
	}
	p->waiting = false;
	return r;
}

/* Replacing expat. */

static void
put_tag(struct buf *tags, const char *name)
{
	buf_putc(tags, '<');
	buf_puts(tags, name);
	buf_putc(tags, '>');
}

static void
open_tags(const struct xml_parser *p, struct buf *tags)
{
	if (!p->skipping) {
		for (unsigned i = 1; i <= p->depth; i++)
			put_tag(tags, p->tree.frames[i].raw_name);
		return;
	}
	for (size_t i = 0; i < p->open.len; i += 1 + strlen(p->open.data + i + 1))
		put_tag(tags, p->open.data + i + 1);
}

/* Whether expat may by now keep more than is good for us. */
static bool
is_stuffed(const struct xml_parser *p)
{
	size_t names = p->tree.names - p->planted_names;

	return names * NAME_COST + 2 * (size_t)(p->fed - p->planted) > p->stuck_max;
}

/* A new expat that believes to have read the tags. */
static XML_Parser
expat_within(const struct xml_parser *p, const struct buf *tags)
{
	XML_Parser expat = expat_create(p->salt);

	if (XML_Parse(expat, tags->data, (int)tags->len, false) == XML_STATUS_OK)
		return expat;
	XML_ParserFree(expat);
	return NULL;
}

/*
 * What is open costs the new expat as much as it did the old one, so what
 * it may add is measured against that: else a very deep stanza would be
 * replanted at every slice.
 */
static int
replant(struct xml_parser *p)
{
	struct buf tags = { 0 };
	XML_Parser old, expat;
	const char *rest;
	int r, at, end;

	if ((r = give_now(p)) < 0)
		return r;
	rest = XML_GetInputContext(p->expat, &at, &end);
	if (rest == NULL || p->depth == 0 || p->in_cdata)
		return ANNEX_OK;
	CHECK((uint64_t)(end - at) == p->fed - p->used);
	open_tags(p, &tags);
	if ((expat = expat_within(p, &tags)) != NULL) {
		old = p->expat;
		p->expat = expat;
		set_handlers(p);
		p->base = (int64_t)p->used - (int64_t)tags.len;
		p->planted = p->fed;
		p->planted_names = p->tree.names;
		p->stuck_max =
		    p->limits.expat_bytes + 2 * (tags.len + p->depth * (size_t)NAME_COST);
		r = give(p, rest + at, (size_t)(end - at), false);
		XML_ParserFree(old);
	}
	buf_finish(&tags);
	return r;
}

/* The API. */

static int
check_token(struct xml_parser *p)
{
	int r;

	if (p->fed - p->used <= p->limits.token_bytes)
		return ANNEX_OK;
	if ((r = give_now(p)) < 0)
		return r;
	if (p->fed - p->used <= p->limits.token_bytes)
		return ANNEX_OK;
	fail_token(p);
	return ANNEX_EINVAL;
}

static int
feed_slice(struct xml_parser *p, const char *bytes, size_t len)
{
	size_t rest;
	int r;

	p->fed += len;
	if ((r = give(p, bytes, len, false)) < 0 || (r = check_token(p)) < 0)
		return r;
	if (p->depth > p->outside && !p->skipping && is_too_large(p, p->used))
		skip_begin(p, XML_SKIP_SIZE, NULL, NULL);
	if (is_stuffed(p) && !p->in_cdata && (r = replant(p)) < 0)
		return r;
	rest = (size_t)(p->fed - p->used);
	if (rest > len)
		rest = len;
	if (p->fed == p->used)
		p->waiting = false;
	else if (memrchr(bytes + len - rest, '>', rest) != NULL)
		p->waiting = true;
	return ANNEX_OK;
}

int
xml_parser_feed(struct xml_parser *p, const void *bytes, size_t len)
{
	const char *at = bytes;
	size_t n;
	int r;

	CHECK_OBJECT(p, XML_PARSER_MAGIC);
	if (p->failed)
		return ANNEX_EINVAL;
	while (len > 0) {
		n = len < SLICE_BYTES ? len : SLICE_BYTES;
		if ((r = feed_slice(p, at, n)) < 0)
			return r;
		at += n;
		len -= n;
	}
	return ANNEX_OK;
}

int
xml_parser_flush(struct xml_parser *p)
{
	CHECK_OBJECT(p, XML_PARSER_MAGIC);
	if (p->failed)
		return ANNEX_EINVAL;
	pools_trim(p);
	return p->waiting ? give_now(p) : ANNEX_OK;
}

const char *
xml_parser_why(const struct xml_parser *p)
{
	return p->why;
}

struct xml_event *
xml_parser_next(struct xml_parser *p)
{
	struct annex_link *first = p->events.next;

	if (first == &p->events)
		return NULL;
	annex_list_remove(first);
	return annex_container_of(first, struct xml_event, link);
}

void
xml_event_free(struct xml_parser *p, struct xml_event *event)
{
	pool_put(p, event->pool);
}

const char *
xml_skip_text(enum xml_skip skip)
{
	static const char *const texts[] = {
		[XML_SKIP_NONE] = "not skipped",
		[XML_SKIP_SIZE] = "too large",
		[XML_SKIP_DEPTH] = "nested too deeply",
		[XML_SKIP_ATTRIBUTES] = "too many attributes or namespaces",
		[XML_SKIP_NAMESPACE] = "namespaces not well-formed",
		[XML_SKIP_MARKUP] = "a comment or processing instruction inside",
	};

	return texts[skip];
}

struct annex_element *
annex_element_read(struct annex_pool *pool, const char *text, size_t len, size_t max_bytes)
{
	struct xml_limits limits = { .stanza_bytes = max_bytes,
		.token_bytes = max_bytes,
		.depth = 256,
		.attributes = 4096,
		.namespaces = 4096,
		.elements = UINT_MAX };
	struct annex_element *el = NULL;
	struct xml_parser *p;
	struct xml_event *event;

	if (len > max_bytes)
		return NULL;
	/* With none, expat asks the system for one, which takes longer than a short text. */
	p = xml_parser_create(&limits, random_salt());
	p->outside = 0;
	p->document = pool;
	if (xml_parser_feed(p, text, len) == ANNEX_OK && give(p, "", 0, true) == ANNEX_OK &&
	    (event = xml_parser_next(p)) != NULL && event->kind == XML_STANZA)
		el = event->element;
	xml_parser_destroy(&p);
	return el;
}
