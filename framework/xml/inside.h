/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * inside.h - what the files of the parser share
 *
 * parser.c is fed and hands out; expat.c gives the bytes to expat, and
 * replaces it; handlers.c hears of tags and text; skip.c follows a stanza
 * that was given up; read.c parses one text that is all there.
 */
#ifndef XML_INSIDE_H
#define XML_INSIDE_H

#include <expat.h>
#include <stdbool.h>

#include "base/buf.h"
#include "idle.h"
#include "parser.h"
#include "tree.h"

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
	size_t stuck_max;         /* see expat_is_stuffed */
	struct buf open;          /* while skipping: the names of open tags, each after a NUL */
	bool skipping, in_cdata, failed;
	bool waiting; /* a '>' that expat may not have looked at */
	char why[160];
	struct idle_pools idle;
};

/* The first byte of what expat reports, in the stream. */
static inline uint64_t
here(const struct xml_parser *p)
{
	return (uint64_t)(p->base + XML_GetCurrentByteIndex(p->expat));
}

static inline bool
is_too_large(const struct xml_parser *p, uint64_t at)
{
	return at - p->start > p->limits.stanza_bytes;
}

/* The event of a stanza that begins, in a pool of its own; and it is dropped, not finished. */
void event_begin(struct xml_parser *p);
void event_drop(struct xml_parser *p);

/* Have expat call the handlers, with p. */
void handlers_set(struct xml_parser *p);

/*
 * Give up on the stanza in hand.  Where its own start tag was the reason,
 * name and atts are that tag.  From there on its tags go here.
 */
void skip_begin(struct xml_parser *p, enum xml_skip reason, const char *name, const char **atts);
void skip_start(struct xml_parser *p, const char *name, const char **atts);
void skip_end(struct xml_parser *p);

/* An expat without handlers. */
XML_Parser expat_create(uint64_t salt);

/* Bytes for expat; last: there are no more.  ANNEX_EINVAL: the stream has failed. */
int expat_give(struct xml_parser *p, const char *bytes, size_t len, bool last);
int expat_give_now(struct xml_parser *p); /* make it look at what it has put off */

/* A new expat in place of one that may by now keep more than is good for us. */
bool expat_is_stuffed(const struct xml_parser *p);
int expat_replace(struct xml_parser *p);

/* The stream ends here, and why; only the first reason counts. */
void parser_fail(struct xml_parser *p, const char *fmt, ...) ANNEX_PRINTF(2, 3);
void parser_fail_token(struct xml_parser *p);

#endif /* XML_INSIDE_H */
