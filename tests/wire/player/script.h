/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * script.h - a conversation file, read into statements
 *
 * A statement begins in the first column; lines that are indented, or that
 * begin with a tag (as in a XEP's examples), go on with it.  '#' in the first
 * column begins a comment.  annex-wire(1) has the language.
 */
#ifndef WIRE_SCRIPT_H
#define WIRE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct annex_element;
struct annex_pool;

enum verb {
	VERB_SEND,       /* > what the server hands us */
	VERB_EXPECT,     /* < what we say, in order per flow */
	VERB_EXPECT_ANY, /* <* what we say, in any order */
	VERB_MAY,        /* <~ what we may say, once the store has failed */
	VERB_NOTHING,    /* < nothing */
	VERB_WORD,       /* word argument */
};

struct statement {
	enum verb verb;
	unsigned line;
	const char *word;           /* of VERB_WORD */
	const char *text;           /* what follows, without white space around it */
	bool met;                   /* an expectation: it was */
	struct annex_element *tree; /* of the text, once a run has read it: for all runs */
};

struct script {
	const char *path;
	struct annex_pool *pool;
	struct statement *at;
	size_t count;
};

/* Exits with a sentence where the file cannot be read or is not a conversation. */
struct script *script_read(struct annex_pool *pool, const char *path);

/* The argument of the first statement with that word; otherwise. */
const char *script_head(const struct script *script, const char *word, const char *otherwise);
bool script_has(const struct script *script, const char *word);

#endif /* WIRE_SCRIPT_H */
