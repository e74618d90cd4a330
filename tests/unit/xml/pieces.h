/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * pieces.h - a text is parsed in all kinds of pieces
 *
 * What a text gives is compared as show.h writes it.  Every text is parsed
 * in one piece, byte by byte and in random pieces, and must give the same.
 */
#ifndef TEST_XML_PIECES_H
#define TEST_XML_PIECES_H

#include "base/buf.h"
#include "base/clock.h"
#include "xml/parser.h"

#define HEAD                                                          \
	"<?xml version='1.0'?><stream:stream xmlns='" ANNEX_NS_STANZA \
	"' xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='rooms.example'>"
#define OPEN "open {http://etherx.jabber.org/streams}stream[id=\"s1\" from=\"rooms.example\"]\n"

struct result {
	struct buf shown; /* to be freed */
	int status;
	char why[200];
};

/* Feed text in pieces of at most most bytes; random pieces where random is not NULL. */
void run(struct result *result, const struct xml_limits *limits, const char *text, size_t len,
    size_t most, struct random *random);

/* Whole and in pieces, which has to give the same. */
struct result parse_long(const struct xml_limits *limits, const char *text, size_t len);

void assert_gives_within(const struct xml_limits *limits, const char *text, const char *expected);
void assert_gives(const char *text, const char *expected);
void assert_fails(const char *text, const char *expected, const char *why);

/* times repeats of middle; to be freed. */
struct buf repeated(const char *before, const char *middle, size_t times, const char *after);

#endif /* TEST_XML_PIECES_H */
