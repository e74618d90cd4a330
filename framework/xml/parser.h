/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * parser.h - a stream of bytes becomes a queue of stanzas
 *
 * One stream carries all users, so what one of them sends must not end it.
 * A stanza above a limit, with a namespace error, or with a comment or PI
 * inside is skipped while it is parsed: nothing more is kept of it than its
 * start tag.  Only XML that is not well-formed, a DTD or one single token
 * above token_bytes is fatal.
 *
 * Expat runs without namespace processing; prefixes are resolved here,
 * since for expat an unbound prefix would be fatal for everybody.
 *
 * feed() only queues; take the events with next() once it has returned.
 */
#ifndef XML_PARSER_H
#define XML_PARSER_H

#include <stddef.h>
#include <stdint.h>

#include <annex/element.h>
#include <annex/list.h>

struct xml_parser;

struct xml_limits {
	size_t stanza_bytes; /* 256 KiB */
	size_t token_bytes;  /* 4 MiB: one tag, one run of text as expat sees it */
	unsigned depth;      /* 64 levels, the stanza itself being 1 */
	unsigned attributes; /* 64 of one element, namespace declarations included */
	unsigned namespaces; /* 128 prefixes declared in one stanza */
	unsigned elements;   /* 10,000 in one stanza */
	size_t expat_bytes;  /* that may stick in expat before it is replaced; 0: 4 MiB */
};
extern const struct xml_limits xml_limits_default;

enum xml_event_kind {
	XML_STREAM_OPEN,  /* element: the stream's root, attributes only */
	XML_STANZA,       /* element: a whole child of the root */
	XML_SKIPPED,      /* element: its start tag only; see skip */
	XML_STREAM_CLOSE, /* element NULL */
};

enum xml_skip {
	XML_SKIP_NONE,
	XML_SKIP_SIZE, /* too many bytes or elements */
	XML_SKIP_DEPTH,
	XML_SKIP_ATTRIBUTES,
	XML_SKIP_NAMESPACE, /* unbound or rebound prefix, attribute twice by namespace */
	XML_SKIP_MARKUP,    /* a comment or processing instruction inside */
};
const char *xml_skip_text(enum xml_skip skip); /* "too large", for people */

struct xml_event {
	struct annex_link link; /* free for whoever took the event */
	enum xml_event_kind kind;
	enum xml_skip skip;
	size_t bytes; /* of the stanza on the wire */
	struct annex_element *element;
	struct annex_pool *pool; /* holds the element and the event itself */
};

/* salt: random, against chosen hash collisions inside expat. */
struct xml_parser *xml_parser_create(const struct xml_limits *limits, uint64_t salt);
void xml_parser_destroy(struct xml_parser **parser); /* queued events go too */

/* Another limit for stanzas from now on, also for the one that is being parsed. */
void xml_parser_limit(struct xml_parser *parser, size_t stanza_bytes);

/*
 * Take more bytes.  ANNEX_OK, or ANNEX_EINVAL once the stream is unusable:
 * xml_parser_why() says why, and what was complete before can still be
 * taken with next().
 */
int xml_parser_feed(struct xml_parser *parser, const void *bytes, size_t len);

/* No more bytes for now: let nothing complete wait for more (expat's
 * reparse deferral is switched off, flushed, and on again). */
int xml_parser_flush(struct xml_parser *parser);

const char *xml_parser_why(const struct xml_parser *parser);

/* The next event, now the caller's (xml_event_free), or NULL. */
struct xml_event *xml_parser_next(struct xml_parser *parser);

/* Give the event and its pool back.  parser recycles the pool; NULL frees it. */
void xml_event_free(struct xml_parser *parser, struct xml_event *event);

#endif /* XML_PARSER_H */
