/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * prep.h - the parts of a JID, prepared one by one
 */
#ifndef XMPP_PREP_H
#define XMPP_PREP_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/jid.h>

#define PREP_ROOM (ANNEX_JID_PART_MAX + 1)

/* A run of bytes that need not end in NUL. */
struct span {
	const char *text;
	size_t len;
};

/*
 * Prepare *part in place: afterwards it is what comes out, in room or, where
 * nothing had to change, where it was.  False where it is not allowed; *part
 * and room are then undefined.  An empty part is never allowed.
 */
bool prep_local(struct span *part, char room[PREP_ROOM]);
bool prep_domain(struct span *part, char room[PREP_ROOM]);
bool prep_resource(struct span *part, char room[PREP_ROOM]);
bool prep_resource_strict(struct span *part, char room[PREP_ROOM]);

#endif /* XMPP_PREP_H */
