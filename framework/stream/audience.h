/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * audience.h - recipients, written once
 *
 * A recipient is a head of six bytes, an address escaped and ready to be copied, and
 * children of their own; they are packed one after the other in slabs.  A
 * fan-out holds slabs, each up to where it ended then.  So who comes is added
 * behind what is in line, and only who goes while something is in line costs a copy of
 * their slab.
 */
#ifndef STREAM_AUDIENCE_H
#define STREAM_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/element.h>

#include "base/buf.h"
#include "base/pool.h"
#include "xml/plain.h"

#define AUDIENCE_GROUPS 8       /* ANNEX_GROUPS */
#define SLAB_SLACK ((size_t)64) /* behind the last recipient: see expand.c */

struct recipient {
	uint16_t variant;          /* or group */
	uint16_t to_len, tail_len; /* together below 64 KiB */
};

struct slab {
	uint32_t references;
	uint32_t queued; /* as of a body */
	uint32_t used, size;
	uint32_t counts[AUDIENCE_GROUPS]; /* recipients by group */
	char bytes[];
};

struct audience {
	struct pool_hook hook; /* of the pool that owns it, if one does */
	uint32_t magic;
#define AUDIENCE_MAGIC 0xa0d1e9ceu
	struct slab **slabs;
	size_t count, room;
	struct buf scratch; /* what is being added or looked for */
};

/* All zero but for the magic is an empty audience; finish lets go of the slabs. */
struct audience *audience_create(struct annex_pool *pool); /* the pool's; freed with it */
void audience_init(struct audience *audience);
void audience_finish(struct audience *audience);

/*
 * to is escaped when written; tail is serialised now and may be NULL.  ANNEX_ELIMIT where both are
 * above 64 KiB; ANNEX_EINVAL: characters that XML does not allow.
 */
int audience_add(struct audience *audience, unsigned variant, const char *to,
    const struct annex_element *tail) ANNEX_MUST_CHECK;

/* Take to out; put it into another group.  False where it is not there. */
bool audience_remove(struct audience *audience, const char *to);
bool audience_move(struct audience *audience, const char *to, unsigned group);

/* Where to is, below limit bytes of that slab; false where it is not. */
bool audience_find(struct audience *audience, const char *to, size_t *slab_r, uint32_t *at_r);

static inline uint32_t
recipient_len(const struct recipient *recipient)
{
	return (uint32_t)sizeof(*recipient) + recipient->to_len + recipient->tail_len;
}

/* Behind the last recipient of slab, their bytes being there already, but for the head. */
static inline void
recipient_end(struct slab *slab, const struct recipient head)
{
	memcpy(slab->bytes + slab->used, &head, sizeof(head));
	slab->used += recipient_len(&head);
	if (head.variant < AUDIENCE_GROUPS)
		slab->counts[head.variant]++;
}

/* Write to, if it is plain, as a recipient at at; the bytes that took, or 0 where there is no room before
 * end, or to is not plain. */
static inline size_t
recipient_put_plain(char *at, const char *end, unsigned variant, const char *to)
{
	const size_t len = strlen(to);
	const struct recipient head = { (uint16_t)variant, (uint16_t)len, 0 };

	if ((size_t)(end - at) < sizeof(head) + len || !plain_copy(at + sizeof(head), to, len))
		return 0;
	memcpy(at, &head, sizeof(head));
	return sizeof(head) + len;
}

/* Add to as audience_add would, without a tail; false where slab has no room, or to is not plain. */
static inline bool
slab_add_plain(struct slab *slab, unsigned variant, const char *to)
{
	char *at = slab->bytes + slab->used;
	size_t len = recipient_put_plain(at, slab->bytes + slab->size, variant, to);

	if (len == 0)
		return false;
	slab->used += (uint32_t)len;
	if (variant < AUDIENCE_GROUPS)
		slab->counts[variant]++;
	return true;
}

struct slab *slab_ref(struct slab *slab);
void slab_unref(struct slab **slab);
size_t slab_hold(struct slab *slab);
size_t slab_release(struct slab *slab);

#endif /* STREAM_AUDIENCE_H */
