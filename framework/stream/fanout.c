/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fanout.c - one body, many recipients, expanded as the socket drains
 *
 * A variant is the stanza written once with two seams: where ` to='...'`
 * goes and where a recipient's own children go.  A recipient is a head of
 * eight bytes, the attribute ready to be copied, and its tail, packed one
 * after the other in slabs; a place is a slab's number and an offset in it.
 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "expand.h"
#include "xml/writer.h"

#define SLAB ((size_t)64 * 1024)
#define SLAB_SMALL ((size_t)1024)
#define VARIANTS_MAX 0xffff
#define STANZA_MAX ((size_t)256 * 1024) /* as of any other stanza that leaves */
#define HEAD ((size_t)16)               /* see fanout_copy */

struct variant {
	char *text;
	uint32_t to_at, tail_at, len;
};

struct recipient {
	uint16_t variant;
	uint16_t to_len;
	uint32_t tail_len;
};

struct slab {
	uint32_t used, size;
	char *bytes;
};

struct fanout {
	uint32_t magic;
#define FANOUT_MAGIC 0xfa9007b3u
	unsigned references;
	struct variant *variants;
	size_t variant_count, slab_count;
	struct slab *slabs;
	size_t recipients;
	size_t memory;
	struct buf scratch; /* of fanout_add */
};

struct fanout *
fanout_create(void)
{
	struct fanout *fanout = mem_zalloc(sizeof(*fanout));

	fanout->magic = FANOUT_MAGIC;
	fanout->references = 1;
	fanout->memory = sizeof(*fanout);
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
	for (size_t i = 0; i < fanout->variant_count; i++)
		free(fanout->variants[i].text);
	for (size_t i = 0; i < fanout->slab_count; i++)
		free(fanout->slabs[i].bytes);
	free(fanout->variants);
	free(fanout->slabs);
	buf_finish(&fanout->scratch);
	fanout->magic = 0;
	free(fanout);
}

int
fanout_variant(struct fanout *fanout, const struct annex_element *stanza)
{
	struct buf text = { .max = STANZA_MAX };
	struct variant *variant;
	size_t to_at, tail_at;
	int r;

	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	if (fanout->variant_count == VARIANTS_MAX)
		return ANNEX_ELIMIT;
	if ((r = xml_write_split(&text, stanza, ANNEX_NS_STANZA, &to_at, &tail_at)) < 0) {
		buf_finish(&text);
		return r;
	}
	fanout->variants =
	    mem_resize(fanout->variants, (fanout->variant_count + 1) * sizeof(*fanout->variants));
	variant = &fanout->variants[fanout->variant_count];
	variant->text = mem_resize(text.data, text.len + HEAD);
	variant->len = (uint32_t)text.len;
	variant->to_at = (uint32_t)to_at;
	variant->tail_at = (uint32_t)tail_at;
	fanout->memory += text.len + HEAD + sizeof(*variant);
	return (int)fanout->variant_count++;
}

/* Room for one more recipient: only the first slab begins small and grows. */
static char *
slab_room(struct fanout *fanout, size_t need)
{
	struct slab *slab = NULL;
	size_t size = SLAB_SMALL;

	if (fanout->slab_count > 0)
		slab = &fanout->slabs[fanout->slab_count - 1];
	if (slab != NULL && slab->used + need <= slab->size)
		return slab->bytes + slab->used;
	if (slab != NULL && fanout->slab_count == 1 && slab->used + need <= SLAB) {
		size = slab->size;
	} else {
		if (fanout->slab_count > 0)
			size = SLAB;
		fanout->slabs =
		    mem_resize(fanout->slabs, (fanout->slab_count + 1) * sizeof(*fanout->slabs));
		slab = &fanout->slabs[fanout->slab_count++];
		*slab = (struct slab) { 0 };
		fanout->memory += sizeof(*slab);
	}
	while (size < slab->used + need)
		size *= 2;
	slab->bytes = mem_resize(slab->bytes, size);
	fanout->memory += size - slab->size;
	slab->size = (uint32_t)size;
	return slab->bytes + slab->used;
}

/* ` to='...'` and the tail, in scratch. */
static int
recipient_write(struct buf *scratch, const char *to, const struct annex_element *tail,
    struct recipient *recipient_r)
{
	int r;

	buf_clear(scratch);
	buf_puts(scratch, " to='");
	if ((r = xml_write_escaped(scratch, to, strlen(to))) < 0)
		return r;
	buf_putc(scratch, '\'');
	if (scratch->len > UINT16_MAX)
		return ANNEX_ELIMIT;
	recipient_r->to_len = (uint16_t)scratch->len;
	if (tail != NULL && (r = xml_write(scratch, tail, ANNEX_NS_STANZA)) < 0)
		return r;
	recipient_r->tail_len = (uint32_t)(scratch->len - recipient_r->to_len);
	return sizeof(*recipient_r) + scratch->len <= SLAB ? ANNEX_OK : ANNEX_ELIMIT;
}

int
fanout_add(struct fanout *fanout, int variant, const char *to, const struct annex_element *tail)
{
	struct recipient recipient = { 0 };
	size_t need;
	char *at;
	int r;

	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	CHECK(variant >= 0 && (size_t)variant < fanout->variant_count);
	if ((r = recipient_write(&fanout->scratch, to, tail, &recipient)) < 0)
		return r;
	recipient.variant = (uint16_t)variant;
	need = sizeof(recipient) + fanout->scratch.len;
	at = slab_room(fanout, need);
	memcpy(at, &recipient, sizeof(recipient));
	memcpy(at + sizeof(recipient), fanout->scratch.data, fanout->scratch.len);
	fanout->slabs[fanout->slab_count - 1].used += (uint32_t)need;
	fanout->recipients++;
	return ANNEX_OK;
}

size_t
fanout_recipients(const struct fanout *fanout)
{
	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	return fanout->recipients;
}

size_t
fanout_memory(const struct fanout *fanout)
{
	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	return fanout->memory + fanout->scratch.room;
}

/* Slabs are at most SLAB long, so place % SLAB never reaches a full slab's end. */
static const char *
fanout_find(const struct fanout *fanout, size_t *place)
{
	size_t n = *place / SLAB, at = *place % SLAB;

	if (n < fanout->slab_count && at >= fanout->slabs[n].used) {
		n++;
		at = 0;
		*place = n * SLAB;
	}
	return n < fanout->slab_count ? fanout->slabs[n].bytes + at : NULL;
}

size_t
fanout_next_len(const struct fanout *fanout, size_t *place)
{
	const char *at = fanout_find(fanout, place);
	struct recipient recipient;

	if (at == NULL)
		return 0;
	memcpy(&recipient, at, sizeof(recipient));
	return (size_t)fanout->variants[recipient.variant].len + recipient.to_len +
	    recipient.tail_len;
}

static inline char *
put(char *at, const char *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

void
fanout_copy(const struct fanout *fanout, size_t *place, char *at)
{
	const char *from = fanout_find(fanout, place);
	const struct variant *variant;
	struct recipient recipient;

	CHECK(from != NULL);
	memcpy(&recipient, from, sizeof(recipient));
	from += sizeof(recipient);
	variant = &fanout->variants[recipient.variant];
	*place += sizeof(recipient) + recipient.to_len + recipient.tail_len;
	/* "<message" is copied for every recipient: a fixed number of bytes is the faster way, and
	 * what is too much is written over. */
	if (variant->to_at <= HEAD && variant->len >= HEAD)
		memcpy(at, variant->text, HEAD);
	else
		memcpy(at, variant->text, variant->to_at);
	at = put(at + variant->to_at, from, recipient.to_len);
	if (recipient.tail_len == 0) {
		put(at, variant->text + variant->to_at, variant->len - variant->to_at);
		return;
	}
	at = put(at, variant->text + variant->to_at, variant->tail_at - variant->to_at);
	at = put(at, from + recipient.to_len, recipient.tail_len);
	put(at, variant->text + variant->tail_at, variant->len - variant->tail_at);
}

bool
fanout_expand(const struct fanout *fanout, size_t *place, struct buf *out)
{
	size_t len;

	CHECK_OBJECT(fanout, FANOUT_MAGIC);
	if ((len = fanout_next_len(fanout, place)) == 0)
		return false;
	buf_reserve(out, len);
	if (out->error < 0)
		return false;
	fanout_copy(fanout, place, out->data + out->len);
	out->len += len;
	out->data[out->len] = '\0';
	return true;
}
