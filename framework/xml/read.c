/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * read.c - an element from one text, all of it there
 */
#include <limits.h>

#include "base/clock.h"
#include "inside.h"

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
	if (xml_parser_feed(p, text, len) == ANNEX_OK && expat_give(p, "", 0, true) == ANNEX_OK &&
	    (event = xml_parser_next(p)) != NULL && event->kind == XML_STANZA)
		el = event->element;
	xml_parser_destroy(&p);
	return el;
}
