/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * outbox.h - everything that is to leave, and what is kept of what has left
 *
 *	resend ─┐
 *	flows ──┴─▶ wire ─▶ socket
 *	             └────▶ kept ─▶ (fence returned) forgotten
 *
 * The wire is the row of bytes that the socket takes next; it is filled
 * only as it drains, so order among flows is decided late and nothing is
 * expanded before it must be.  What must not be lost is copied to kept when
 * it was written and forgotten when a fence behind it has returned.  At a
 * loss of the link, kept and what the wire still had become resend.
 *
 * When the server has closed the stream for the content of a stanza, what
 * was kept is suspect: it is sent again one by one, each with a fence of its
 * own behind it, and the one at which the server closes again is dropped.
 */
#ifndef STREAM_OUTBOX_H
#define STREAM_OUTBOX_H

#include "flow.h"

struct outbox {
	struct flows flows;
	struct spool wire, kept, resend;
	size_t held;     /* bytes of memory in all of them */
	size_t kept_max; /* bytes of kept; beyond it the oldest go unproven */
	size_t kept_bytes;
	uint64_t kept_first;           /* number of the first record in kept, from 1 */
	uint64_t kept_next;            /* number the next one will get */
	size_t suspects;               /* at the head of resend */
	bool awaiting;                 /* a suspect is out, its fence not yet back */
	uint64_t written;              /* stanzas, ever */
	uint64_t dropped[CLASS_COUNT]; /* stanzas, ever, by class */
	uint64_t forgotten;            /* kept ones that no fence has proved */

	/* A fence has been written whole; so were all kept records below upto. */
	void (*fence_written)(struct outbox *outbox, uint64_t upto);
	void (*suspect_sent)(struct outbox *outbox); /* put your fence on the wire now */
	void (*filled)(struct outbox *outbox);       /* ... where marks or barriers were passed */
};

void outbox_init(struct outbox *outbox, size_t kept_max);
void outbox_finish(struct outbox *outbox);

/* direct: the link is up, so that the bytes may go to the wire where nothing waits before them. */
void outbox_add(struct outbox *outbox, struct flow *flow, unsigned class, uint32_t when_s,
    const void *bytes, size_t len, bool direct);

void outbox_add_fence(struct outbox *outbox, const void *bytes, size_t len);

/* Call flows.passed once all that is here now is on the wire: at once where nothing waits. */
void outbox_barrier(struct outbox *outbox);

/* The same for what is in one flow, and what is to be sent again, of whichever flow. */
void outbox_mark(struct outbox *outbox, struct flow *flow, void *mark);

/* What to write next, the wire filled before; 0 where there is nothing. */
size_t outbox_front(struct outbox *outbox, const char **bytes_r);
void outbox_written(struct outbox *outbox, size_t n);
bool outbox_has_more(const struct outbox *outbox); /* front would find something */
bool outbox_is_empty(const struct outbox *outbox); /* nothing left to write */

/* Suspects are sent one by one, each waiting for the fence of the one before. */
bool outbox_is_searching(const struct outbox *outbox);

/* Kept records below upto have been routed. */
void outbox_release(struct outbox *outbox, uint64_t upto);

/* The link is gone.  blamed: the server closed it for the content of a stanza.  How many
 * stanzas were dropped as the culprit; classes that are not kept are counted in dropped. */
size_t outbox_link_lost(struct outbox *outbox, const char *domain, bool blamed);

size_t outbox_stanzas(const struct outbox *outbox); /* still to be written */

#endif /* STREAM_OUTBOX_H */
