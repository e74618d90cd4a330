/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * audience.c - recipients, written once
 *
 * A new slab is as large as all that is there, from 1 to 64 KiB.  One that
 * others hold too is never written to below where it ends for them; it is
 * copied first.  Where people come and go for long, slabs are left with few in
 * them: then all move together.
 */
#include <stdlib.h>

#include <annex/list.h>

#include "audience.h"
#include "base/alloc.h"
#include "base/check.h"
#include "xml/writer.h"

#define SLAB_MIN ((size_t)1024)
#define SLAB_MAX ((size_t)64 * 1024)

/* --- Slabs ----------------------------------------------------------------- */

static struct slab *
slab_create(size_t size)
{
	struct slab *slab = mem_alloc(sizeof(*slab) + size + SLAB_SLACK);

	*slab = (struct slab) { .references = 1, .size = (uint32_t)size };
	return slab;
}

struct slab *
slab_ref(struct slab *slab)
{
	slab->references++;
	return slab;
}

void
slab_unref(struct slab **slabp)
{
	struct slab *slab = *slabp;

	*slabp = NULL;
	if (slab == NULL || --slab->references > 0)
		return;
	CHECK(slab->queued == 0);
	free(slab);
}

static size_t
slab_memory(const struct slab *slab)
{
	return sizeof(*slab) + slab->size + SLAB_SLACK;
}

size_t
slab_hold(struct slab *slab)
{
	return slab->queued++ == 0 ? slab_memory(slab) : 0;
}

size_t
slab_release(struct slab *slab)
{
	CHECK(slab->queued > 0);
	return --slab->queued == 0 ? slab_memory(slab) : 0;
}

static struct slab *
slab_append(struct audience *audience, size_t at_least)
{
	size_t size = SLAB_MIN;

	while (size < at_least && size < SLAB_MAX)
		size *= 2;
	if (audience->count == audience->room) {
		audience->room = audience->room * 2 + 1;
		audience->slabs =
		    mem_resize(audience->slabs, audience->room * sizeof(*audience->slabs));
	}
	return audience->slabs[audience->count++] = slab_create(size);
}

/* A slab that nobody else looks at. */
static struct slab *
slab_own(struct audience *audience, size_t i)
{
	struct slab *slab = audience->slabs[i], *copy;

	if (slab->references == 1)
		return slab;
	copy = slab_create(slab->size);
	memcpy(copy->bytes, slab->bytes, slab->used);
	memcpy(copy->counts, slab->counts, sizeof(copy->counts));
	copy->used = slab->used;
	slab_unref(&audience->slabs[i]);
	return audience->slabs[i] = copy;
}

/* --- The audience ----------------------------------------------------------- */

static void
pool_goes(struct pool_hook *hook)
{
	struct audience *audience = annex_container_of(hook, struct audience, hook);

	audience_finish(audience);
	audience->magic = 0;
	free(audience);
}

void
audience_init(struct audience *audience)
{
	*audience = (struct audience) { .magic = AUDIENCE_MAGIC };
}

struct audience *
audience_create(struct annex_pool *pool)
{
	struct audience *audience = mem_alloc(sizeof(*audience));

	audience_init(audience);
	pool_hook_add(pool, &audience->hook, pool_goes);
	return audience;
}

void
audience_finish(struct audience *audience)
{
	for (size_t i = 0; i < audience->count; i++)
		slab_unref(&audience->slabs[i]);
	free(audience->slabs);
	buf_finish(&audience->scratch);
	audience_init(audience);
}

static size_t
bytes_of(const struct audience *audience)
{
	size_t bytes = 0;

	for (size_t i = 0; i < audience->count; i++)
		bytes += audience->slabs[i]->used;
	return bytes;
}

static bool
is_sparse(const struct audience *audience)
{
	size_t size = 0;

	for (size_t i = 0; i < audience->count; i++)
		size += audience->slabs[i]->size;
	return size > 4 * (bytes_of(audience) + SLAB_MIN);
}

static void
move_together(struct audience *audience)
{
	struct slab **old = audience->slabs;
	size_t count = audience->count, left = bytes_of(audience);
	struct slab *to = NULL;

	audience->slabs = NULL;
	audience->count = audience->room = 0;
	for (size_t i = 0; i < count; i++) {
		if (to == NULL || to->used + old[i]->used > to->size)
			to = slab_append(audience, left);
		left -= old[i]->used;
		memcpy(to->bytes + to->used, old[i]->bytes, old[i]->used);
		to->used += old[i]->used;
		for (unsigned g = 0; g < AUDIENCE_GROUPS; g++)
			to->counts[g] += old[i]->counts[g];
		slab_unref(&old[i]);
	}
	free(old);
}

static struct slab *
slab_with_room(struct audience *audience, size_t need)
{
	struct slab *last = audience->count > 0 ? audience->slabs[audience->count - 1] : NULL;
	size_t bytes;

	if (last != NULL && last->used + need <= last->size)
		return last;
	if (is_sparse(audience)) {
		move_together(audience);
		return slab_with_room(audience, need);
	}
	bytes = bytes_of(audience);
	return slab_append(audience, bytes > need ? bytes : need);
}

/* The escaped address and tail into scratch; *to_len_r is where the one ends and the other begins. */
static int
recipient_write(
    struct buf *scratch, const char *to, const struct annex_element *tail, size_t *to_len_r)
{
	int r;

	buf_clear(scratch);
	if ((r = xml_write_escaped(scratch, to, strlen(to))) < 0)
		return r;
	*to_len_r = scratch->len;
	if (tail != NULL && (r = xml_write(scratch, tail, ANNEX_NS_STANZA)) < 0)
		return r;
	return sizeof(struct recipient) + scratch->len <= SLAB_MAX ? ANNEX_OK : ANNEX_ELIMIT;
}

static int
add_written(
    struct audience *audience, unsigned variant, const char *to, const struct annex_element *tail)
{
	struct buf *text = &audience->scratch;
	struct recipient head = { .variant = (uint16_t)variant };
	struct slab *slab;
	size_t to_len;
	int r;

	if ((r = recipient_write(text, to, tail, &to_len)) < 0)
		return r;
	head.to_len = (uint16_t)to_len;
	head.tail_len = (uint16_t)(text->len - to_len);
	slab = slab_with_room(audience, sizeof(head) + text->len);
	memcpy(slab->bytes + slab->used + sizeof(head), text->data, text->len);
	recipient_end(slab, head);
	return ANNEX_OK;
}

int
audience_add(
    struct audience *audience, unsigned variant, const char *to, const struct annex_element *tail)
{
	CHECK_OBJECT(audience, AUDIENCE_MAGIC);
	if (tail == NULL && audience->count > 0 &&
	    slab_add_plain(audience->slabs[audience->count - 1], variant, to))
		return ANNEX_OK;
	return add_written(audience, variant, to, tail);
}

bool
audience_find(struct audience *audience, const char *to, size_t *slab_r, uint32_t *at_r)
{
	struct buf *text = &audience->scratch;
	struct recipient head;
	size_t len;

	CHECK_OBJECT(audience, AUDIENCE_MAGIC);
	if (recipient_write(text, to, NULL, &len) < 0)
		return false;
	for (size_t i = 0; i < audience->count; i++) {
		const struct slab *slab = audience->slabs[i];

		for (uint32_t at = 0; at < slab->used; at += recipient_len(&head)) {
			memcpy(&head, slab->bytes + at, sizeof(head));
			if (head.to_len != len ||
			    memcmp(slab->bytes + at + sizeof(head), text->data, len) != 0)
				continue;
			*slab_r = i;
			*at_r = at;
			return true;
		}
	}
	return false;
}

bool
audience_remove(struct audience *audience, const char *to)
{
	struct recipient head;
	struct slab *slab;
	uint32_t at, len;
	size_t i;

	if (!audience_find(audience, to, &i, &at))
		return false;
	slab = slab_own(audience, i);
	memcpy(&head, slab->bytes + at, sizeof(head));
	len = recipient_len(&head);
	memmove(slab->bytes + at, slab->bytes + at + len, slab->used - at - len);
	slab->used -= len;
	if (head.variant < AUDIENCE_GROUPS)
		slab->counts[head.variant]--;
	if (slab->used == 0 && audience->count > 1) {
		slab_unref(&audience->slabs[i]);
		memmove(&audience->slabs[i], &audience->slabs[i + 1],
		    (audience->count - i - 1) * sizeof(*audience->slabs));
		audience->count--;
	}
	return true;
}

bool
audience_move(struct audience *audience, const char *to, unsigned group)
{
	struct recipient head;
	struct slab *slab;
	uint32_t at;
	size_t i;

	CHECK(group < AUDIENCE_GROUPS);
	if (!audience_find(audience, to, &i, &at))
		return false;
	memcpy(&head, audience->slabs[i]->bytes + at, sizeof(head));
	if (head.variant == group)
		return true;
	slab = slab_own(audience, i);
	slab->counts[head.variant]--;
	slab->counts[group]++;
	head.variant = (uint16_t)group;
	memcpy(slab->bytes + at, &head, sizeof(head));
	return true;
}
