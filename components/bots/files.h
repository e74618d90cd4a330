/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * files.h - files that bots send, and the ways on which they go
 *
 * files.c finds the service and says which file is next; put.c puts it there.
 */
#ifndef BOTS_FILES_H
#define BOTS_FILES_H

#include "bots.h"

#define NS_UPLOAD "urn:xmpp:http:upload:0"
#define AT_ONCE 4 /* ways */

/* A file on its way. */
struct way {
	struct files *files;
	uint64_t at;     /* the number of its row; 0: the way is free */
	uint64_t reader; /* who gets it, of which bot: the row's key as well */
	bool moving;     /* a slot was asked for, or it is being put */
	unsigned tries;
	struct annex_timer *again;
	char link[4096]; /* where it will be found */
};

struct files {
	struct bots *bots;
	const char *service; /* NULL: none is known */
	bool searched;
	struct annex_timer *patience, *next;
	struct way way[AT_ONCE];
};

/* --- files.c --- */
struct annex_key file_key(uint64_t number, uint64_t reader);
/* NULL where it is gone. */
const Bots__File *file_row(const struct bots *m, const struct way *way);

/* --- put.c --- */
/* Begin to put the file at way->at, or try again; when it is over the way is free and next rings. */
void way_go(struct way *way);

#endif /* BOTS_FILES_H */
