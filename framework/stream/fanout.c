/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fanout.c - bodies for recipients, expanded as the socket drains
 *
 * A fan-out is a list of bodies, its variants, and a list of runs of
 * recipients: pieces of the slabs of audiences, or of its own.  Nothing of
 * that changes once it is in line.  How it becomes stanzas: expand.c.
 */
#include <stdlib.h>

#include "audience.h"
#include "base/alloc.h"
#include "base/check.h"
#include "body.h"
#include "expand.h"

#define VARIANTS_MAX 0xfffe

struct fanout *
fanout_create(void)
{
	struct fanout *fanout = mem_zalloc(sizeof(*fanout));

	fanout->magic = FANOUT_MAGIC;
	fanout->references = 1;
	audience_init(&fanout->own);
	return fanout;
}

struct fanout *
fanout_ref(struct fanout *fanout)
{
	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	fanout->references++;
	return fanout;
}

void
fanout_unref(struct fanout **fanoutp)
{
	struct fanout *fanout = *fanoutp;

	if (fanout == NULL)
		return;
	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	*fanoutp = NULL;
	if (--fanout->references > 0)
		return;
	CHECK(fanout->queued == 0);
	for (size_t i = 0; i < fanout->variant_count; i++)
		body_unref(&fanout->variants[i]);
	for (size_t i = 0; i < fanout->run_count; i++)
		slab_unref(&fanout->runs[i].slab);
	audience_finish(&fanout->own);
	free(fanout->variants);
	free(fanout->runs);
	fanout->magic = 0;
	free(fanout);
}

/* --- Variants --------------------------------------------------------------- */

/* Takes the caller's reference. */
static int
variant_add(struct fanout *fanout, struct body *body)
{
	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	CHECK(fanout->queued == 0);
	if (fanout->variant_count == VARIANTS_MAX) {
		body_unref(&body);
		return ANNEX_ELIMIT;
	}
	if (fanout->variant_count == fanout->variant_room) {
		fanout->variant_room = fanout->variant_room * 2 + 2;
		fanout->variants =
		    mem_resize(fanout->variants, fanout->variant_room * sizeof(struct body *));
	}
	fanout->variants[fanout->variant_count] = body;
	fanout->bodies += body != NULL;
	return (int)fanout->variant_count++;
}

int
fanout_body(struct fanout *fanout, struct body *body)
{
	return variant_add(fanout, body != NULL ? body_ref(body) : NULL);
}

int
fanout_variant(
    struct fanout *fanout, const struct annex_element *stanza, unsigned class, size_t max_bytes)
{
	struct body *body;
	int r;

	if ((r = body_create(NULL, stanza, class, max_bytes, &body)) < 0)
		return r;
	return variant_add(fanout, body);
}

unsigned
fanout_class(const struct fanout *fanout)
{
	for (size_t i = fanout->variant_count; i-- > 0;)
		if (fanout->variants[i] != NULL)
			return fanout->variants[i]->class;
	return 0;
}

/* --- Recipients ------------------------------------------------------------- */

static void
run_add(struct fanout *fanout, struct slab *slab, uint32_t from, uint32_t to, size_t variants)
{
	CHECK(fanout->queued == 0);
	if (from == to)
		return;
	if (fanout->growing != NULL) /* until now */
		fanout->runs[fanout->run_count - 1].to = fanout->growing->used;
	fanout->growing = NULL;
	if (fanout->run_count == fanout->run_room) {
		fanout->run_room = fanout->run_room * 2 + 2;
		fanout->runs = mem_resize(fanout->runs, fanout->run_room * sizeof(*fanout->runs));
	}
	fanout->runs[fanout->run_count++] =
	    (struct run) { slab_ref(slab), from, to, (uint32_t)variants };
}

/* To those of our own, who make one run for each slab, unless others come between. */
static int
own_add(struct fanout *fanout, unsigned variant, const char *to, const struct annex_element *tail)
{
	struct audience *own = &fanout->own;
	struct slab *slab = own->count > 0 ? own->slabs[own->count - 1] : NULL;
	uint32_t used = slab != NULL ? slab->used : 0;
	int r;

	CHECK(fanout->queued == 0);
	if ((r = audience_add(own, variant, to, tail)) < 0)
		return r;
	if (slab != own->slabs[own->count - 1])
		used = 0;
	slab = own->slabs[own->count - 1];
	if (slab == fanout->growing)
		return ANNEX_OK;
	run_add(fanout, slab, used, RUN_GROWS, VARIANTS_MAX);
	fanout->growing = slab;
	return ANNEX_OK;
}

/* To the slab that grows, if they fit and are plain, as most are. */
static inline bool
add_plain(struct fanout *fanout, int variant, const char *to)
{
	return fanout->growing != NULL && slab_add_plain(fanout->growing, (unsigned)variant, to);
}

int
fanout_add(struct fanout *fanout, int variant, const char *to, const struct annex_element *tail)
{
	int r;

	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	CHECK(fanout->queued == 0 && variant >= 0 && (size_t)variant < fanout->variant_count);
	if ((tail != NULL || !add_plain(fanout, variant, to)) &&
	    (r = own_add(fanout, (unsigned)variant, to, tail)) < 0)
		return r;
	fanout->singles += fanout->variants[variant] != NULL;
	return ANNEX_OK;
}

int
fanout_add_each(struct fanout *fanout, const char *to)
{
	int r;

	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	if ((r = own_add(fanout, EACH, to, NULL)) < 0)
		return r;
	fanout->eaches++;
	return ANNEX_OK;
}

static inline struct body *
body_for(const struct fanout *fanout, unsigned variant)
{
	return variant < fanout->variant_count ? fanout->variants[variant] : NULL;
}

static int
compare_cuts(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Where those stand who are left out, as slab and offset, in order. */
static size_t
cuts_find(struct audience *audience, const char *const *except, uint64_t **cuts_r)
{
	size_t max = 0, n = 0, slab;
	uint32_t at;

	*cuts_r = NULL;
	while (except != NULL && except[max] != NULL)
		max++;
	if (max == 0)
		return 0;
	*cuts_r = mem_alloc(max * sizeof(**cuts_r));
	for (size_t i = 0; i < max; i++)
		if (audience_find(audience, except[i], &slab, &at))
			(*cuts_r)[n++] = (uint64_t)slab << 32 | at;
	qsort(*cuts_r, n, sizeof(**cuts_r), compare_cuts);
	return n;
}

void
fanout_audience(struct fanout *fanout, struct audience *audience, const char *const *except)
{
	uint64_t *cuts;
	size_t cut_count = cuts_find(audience, except, &cuts), cut = 0;

	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	for (size_t i = 0; i < audience->count; i++) {
		struct slab *slab = audience->slabs[i];
		uint32_t from = 0;

		for (unsigned g = 0; g < AUDIENCE_GROUPS; g++)
			if (body_for(fanout, g) != NULL)
				fanout->singles += slab->counts[g];
		for (; cut < cut_count && cuts[cut] >> 32 == i; cut++) {
			uint32_t at = (uint32_t)cuts[cut];
			struct recipient head;

			if (at < from)
				continue; /* named twice */
			memcpy(&head, slab->bytes + at, sizeof(head));
			run_add(fanout, slab, from, at, fanout->variant_count);
			from = at + recipient_len(&head);
			fanout->singles -= body_for(fanout, head.variant) != NULL;
		}
		run_add(fanout, slab, from, slab->used, fanout->variant_count);
	}
	free(cuts);
}

size_t
fanout_stanzas(const struct fanout *fanout)
{
	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	return fanout->singles + fanout->eaches * fanout->bodies;
}

/* --- In line ---------------------------------------------------------------- */

static size_t
own_memory(const struct fanout *fanout)
{
	return sizeof(*fanout) + fanout->variant_room * sizeof(struct body *) +
	    fanout->run_room * sizeof(struct run) + fanout->own.scratch.room +
	    fanout->own.room * sizeof(struct slab *);
}

size_t
fanout_hold(struct fanout *fanout)
{
	size_t bytes = own_memory(fanout);

	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	if (fanout->queued++ > 0)
		return 0;
	for (size_t i = 0; i < fanout->variant_count; i++)
		if (fanout->variants[i] != NULL)
			bytes += body_hold(fanout->variants[i]);
	for (size_t i = 0; i < fanout->run_count; i++)
		bytes += slab_hold(fanout->runs[i].slab);
	return bytes;
}

size_t
fanout_release(struct fanout *fanout)
{
	size_t bytes = own_memory(fanout);

	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	CHECK(fanout->queued > 0);
	if (--fanout->queued > 0)
		return 0;
	for (size_t i = 0; i < fanout->variant_count; i++)
		if (fanout->variants[i] != NULL)
			bytes += body_release(fanout->variants[i]);
	for (size_t i = 0; i < fanout->run_count; i++)
		bytes += slab_release(fanout->runs[i].slab);
	return bytes;
}
