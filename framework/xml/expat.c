/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * expat.c - expat itself: made, given bytes, replaced
 *
 * The awkward case is expat's own memory.  It keeps every name it has ever
 * seen, of elements and of attributes, and one record for every level it has
 * ever been in, until the parser is freed; a stream that is up for a year
 * would hand strangers a leak.  So what may stick is added up, and when
 * there is enough of it a new expat is told of the open tags, given the
 * bytes the old one had not yet used, and takes over.
 */
#include <config.h>

/* Debian's header shows the watch on memory only to who has this, though the library has it. */
#ifndef XML_DTD
#define XML_DTD 1
#endif
#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "inside.h"

#define NAME_COST 160             /* what one name or level takes in expat, at most */
#define EXPAT_BYTES (64ull << 20) /* where expat's own watch on its memory sets in */

/*
 * What runs may be newer than what it was built with, and put off what this one did not: a security
 * update of the library alone brings it.  So whether it is there is seen when it is called.
 */
XML_Bool XML_SetReparseDeferralEnabled(XML_Parser, XML_Bool) __attribute__((weak));

/* Made. */

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

XML_Parser
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

/* Given bytes. */

void
parser_fail(struct xml_parser *p, const char *fmt, ...)
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

void
parser_fail_token(struct xml_parser *p)
{
	parser_fail(p, "a single tag or comment of more than %zu bytes", p->limits.token_bytes);
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

int
expat_give(struct xml_parser *p, const char *bytes, size_t len, bool last)
{
	XML_Index index;

	if (XML_Parse(p->expat, bytes, (int)len, last) != XML_STATUS_OK)
		return fail_parse(p);
	/* None where expat put off looking. */
	if ((index = XML_GetCurrentByteIndex(p->expat)) >= 0)
		p->used = (uint64_t)(p->base + index);
	return ANNEX_OK;
}

int
expat_give_now(struct xml_parser *p)
{
	int r = ANNEX_OK;

	if (XML_SetReparseDeferralEnabled != NULL) {
		XML_SetReparseDeferralEnabled(p->expat, XML_FALSE);
		r = expat_give(p, "", 0, false);
		XML_SetReparseDeferralEnabled(p->expat, XML_TRUE);
	}
	p->waiting = false;
	return r;
}

/* Replaced. */

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

bool
expat_is_stuffed(const struct xml_parser *p)
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
int
expat_replace(struct xml_parser *p)
{
	struct buf tags = { 0 };
	XML_Parser old, expat;
	const char *rest;
	int r, at, end;

	if ((r = expat_give_now(p)) < 0)
		return r;
	rest = XML_GetInputContext(p->expat, &at, &end);
	if (rest == NULL || p->depth == 0 || p->in_cdata)
		return ANNEX_OK;
	CHECK((uint64_t)(end - at) == p->fed - p->used);
	open_tags(p, &tags);
	if ((expat = expat_within(p, &tags)) != NULL) {
		old = p->expat;
		p->expat = expat;
		handlers_set(p);
		p->base = (int64_t)p->used - (int64_t)tags.len;
		p->planted = p->fed;
		p->planted_names = p->tree.names;
		p->stuck_max =
		    p->limits.expat_bytes + 2 * (tags.len + p->depth * (size_t)NAME_COST);
		r = expat_give(p, rest + at, (size_t)(end - at), false);
		XML_ParserFree(old);
	}
	buf_finish(&tags);
	return r;
}
