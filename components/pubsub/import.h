/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * import.h - nodes of users that another server has exported
 */
#ifndef PUBSUB_IMPORT_H
#define PUBSUB_IMPORT_H

#include <annex/command.h>
#include <annex/document.h>

#include "pubsub.h"

/* How often the file is read.  First nothing is done, so that one that is broken changes nothing; then
 * nodes are made, as what is in them may stand before what they are like. */
enum pass { PASS_CHECK, PASS_NODES, PASS_CONTENTS, PASS_MARKS, PASS_COUNT };

/* In which element of the file we are (import.c, steps). */
enum place {
	OUTSIDE,
	IN_SERVER,
	IN_HOST,
	IN_USER,
	IN_NODES,
	IN_AFFILIATIONS,
	IN_SUBSCRIPTIONS,
	IN_CONTENTS,
	IN_ITEMS,
};
#define PLACES_MAX 8

/* One import; there is one at a time. */
struct import {
	struct annex_pool *pool; /* its own */
	struct pubsub *p;
	struct annex_run *run;
	struct annex_document *doc;
	struct annex_timer *timer;
	int fd;
	const char *file, *as; /* as: names of nodes here */
	bool replace;
	enum pass pass;
	enum place places[PLACES_MAX]; /* outermost first */
	size_t depth;
	const struct annex_jid *host, *owner; /* whose part of the file it is */
	const char *their, *name;             /* of the node in hand: there, and here */
	const char *wrong;                    /* a sentence: it goes no further */
	uint64_t users, nodes, affiliations, subscriptions, items, same, left;
	uint64_t told; /* of those that were left */
};

/* The beginning of a text of the file, whole characters, in pool; "" of NULL. */
const char *import_shown(const char *text, struct annex_pool *pool);
/* What is in the file was not taken; what: of the node or user in hand. */
void import_left(struct import *imp, const char *what, const char *fmt, ...) ANNEX_PRINTF(3, 4);
/* Whether a change was written; else the import ends. */
bool import_wrote(struct import *imp, int status);

/* --- import_nodes.c, import_contents.c: what is done with what is found ----------- */

/* The name of their node here, in pool; NULL where it cannot have one, and that is noted. */
const char *import_name(struct import *imp, const char *their, struct annex_pool *pool);
/* What is wrong with a template of names; or NULL. */
const char *import_judge_template(const char *as, struct annex_pool *pool);
/* The node in hand, while the import may change what is in it; or NULL. */
struct node *import_node(struct import *imp);
/* Whether there is one, for what is next in the file; where there is no node at all that is noted. */
bool import_begin(struct import *imp, const char *what);
typedef void take_fn(struct import *imp, const struct annex_element *el);
take_fn import_configure, import_affiliation, import_subscription, import_item, import_forget;

#endif /* PUBSUB_IMPORT_H */
