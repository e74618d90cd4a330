/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * blame.c - which stanza crashed a worker, and how often
 */
#include <string.h>

#include "blame.h"

#define QUARANTINE_AT 2

static struct blame_entry *
blame_find(struct blame *blame, uint64_t hash)
{
	for (size_t i = 0; i < blame->count; i++)
		if (blame->entry[i].hash == hash)
			return &blame->entry[i];
	return NULL;
}

/* Make room by forgetting the oldest suspect, or the oldest at all. */
static void
blame_make_room(struct blame *blame)
{
	size_t i = 0;

	while (i < blame->count && blame->entry[i].crashes >= QUARANTINE_AT)
		i++;
	if (i == blame->count)
		i = 0;
	memmove(&blame->entry[i], &blame->entry[i + 1],
	    (blame->count - i - 1) * sizeof(blame->entry[0]));
	blame->count--;
}

enum blame_verdict
blame_page(struct blame *blame, const struct page *page, uint64_t *hash_r)
{
	struct blame_entry *entry;
	uint64_t hash = atomic_load(&page->stanza_hash);

	*hash_r = hash;
	if (atomic_load(&page->phase) != PAGE_HANDLER || hash == 0)
		return BLAME_NOBODY;
	entry = blame_find(blame, hash);
	if (entry == NULL) {
		if (blame->count == BLAME_MAX)
			blame_make_room(blame);
		entry = &blame->entry[blame->count++];
		*entry = (struct blame_entry) { .hash = hash };
	}
	entry->crashes++;
	return entry->crashes >= QUARANTINE_AT ? BLAME_QUARANTINED : BLAME_SUSPECT;
}

size_t
blame_quarantined(const struct blame *blame)
{
	size_t n = 0;

	for (size_t i = 0; i < blame->count; i++)
		n += blame->entry[i].crashes >= QUARANTINE_AT;
	return n;
}

void
blame_tell(const struct blame *blame, struct page *page)
{
	page->quarantine_count = 0;
	/* The newest where there are too many. */
	for (size_t i = blame->count; i-- > 0 && page->quarantine_count < PAGE_QUARANTINE_MAX;)
		if (blame->entry[i].crashes >= QUARANTINE_AT)
			page->quarantine[page->quarantine_count++] = blame->entry[i].hash;
}

void
blame_forget(struct blame *blame)
{
	blame->count = 0;
}

const char *
blame_phase_text(uint32_t phase)
{
	static const char *const texts[] = {
		[PAGE_IDLE] = "while idle",
		[PAGE_HANDLER] = "in a handler",
		[PAGE_COMMIT] = "in a commit",
		[PAGE_CREATE] = "while creating its instance",
		[PAGE_STARTING] = "while starting",
	};

	return phase < sizeof(texts) / sizeof(texts[0]) ? texts[phase] : "somewhere unknown";
}
