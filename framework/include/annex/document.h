/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * document.h - an XML document of any length, part by part
 *
 * An element may be entered: its children are then told of one by one, and nothing is kept
 * of it but its start tag.  An element that is not entered is handed over whole.  So what a
 * document takes is the memory of one such element, however many there are.
 *
 * Documents come from files, not from a server: comments and processing instructions are
 * passed over.  A document type declaration is refused.
 */
#ifndef ANNEX_DOCUMENT_H
#define ANNEX_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/element.h>

#pragma GCC visibility push(default)

struct annex_document;

/* Called while bytes are fed.  Elements are borrowed: gone when the call returns, those that are
 * entered when left has returned.  parent is the one entered around it, NULL for the root. */
struct annex_document_events {
	/* A start tag, attributes and all: whether to enter the element. */
	bool (*enter)(void *cookie, const struct annex_element *el);
	void (*whole)(void *cookie, const struct annex_element *el);
	/* The start tag of one that would be too large, too deep (64) or of too many elements (10,000). */
	void (*skipped)(void *cookie, const struct annex_element *el);
	void (*left)(
	    void *cookie, const struct annex_element *el); /* the end of one entered; or NULL */
};

/* max_bytes: of an element that is handed over whole, and of one tag. */
struct annex_document *
annex_document_create(const struct annex_document_events *events, void *cookie, size_t max_bytes);
void annex_document_destroy(struct annex_document **doc); /* not from within an event */

/* ANNEX_OK; ANNEX_EINVAL once it is no document: annex_document_why is a sentence without its full stop. */
int annex_document_feed(struct annex_document *doc, const void *bytes, size_t len) ANNEX_MUST_CHECK;
/* There are no more bytes. */
int annex_document_end(struct annex_document *doc) ANNEX_MUST_CHECK;
/* "" while nothing is wrong. */
const char *annex_document_why(const struct annex_document *doc);

#pragma GCC visibility pop

#endif /* ANNEX_DOCUMENT_H */
