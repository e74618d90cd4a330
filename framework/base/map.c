/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * map.c - hash maps from bytes or strings to pointers
 *
 * Entries stand in one array in the order they came; a table of 32-bit
 * indexes, probed linearly, says where.  A walk is a walk along the array,
 * so it is the same in every run although the hash key is not, and removing
 * under it moves nothing.  Removed entries leave a hole that goes when the
 * array is full and everything is laid out anew.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <annex/map.h>
#include <annex/pool.h>

#include "alloc.h"
#include "check.h"

#define MAP_MAGIC 0x3f0a77c1u
#define MAP_FIRST 8 /* entries */

#define SLOT_FREE 0u
#define SLOT_HOLE UINT32_MAX

struct entry {
	const char *key; /* NULL: a hole */
	void *value;
	uint32_t len, hash;
};

struct annex_map {
	uint32_t magic;
	uint32_t mask;       /* slots - 1; slots are twice the entries' room */
	uint32_t used, room; /* entries, holes included */
	size_t count;
	bool borrows;   /* its keys are the caller's */
	uint32_t *slot; /* index of an entry + 1 */
	struct entry *entry;
	unsigned char key[crypto_shorthash_KEYBYTES];
};

static void
key_free(const struct annex_map *map, const struct entry *e)
{
	if (!map->borrows)
		free((char *)(uintptr_t)e->key);
}

static void
release(void *arg)
{
	struct annex_map *map = arg;

	for (uint32_t i = 0; i < map->used; i++)
		key_free(map, &map->entry[i]);
	free(map->entry);
	free(map->slot);
	map->entry = NULL;
	map->slot = NULL;
	map->used = map->room = map->mask = 0;
	map->count = 0;
	map->magic = 0;
}

struct annex_map *
annex_map_create(struct annex_pool *pool)
{
	struct annex_map *map = annex_new(pool, struct annex_map);

	map->magic = MAP_MAGIC;
	randombytes_buf(map->key, sizeof(map->key));
	annex_pool_on_destroy(pool, release, map);
	return map;
}

struct annex_map *
annex_map_borrowing(struct annex_pool *pool)
{
	struct annex_map *map = annex_map_create(pool);

	map->borrows = true;
	return map;
}

void
annex_map_destroy(struct annex_map **map)
{
	if (*map == NULL)
		return;
	CHECK_OBJECT(*map, MAP_MAGIC);
	release(*map);
	*map = NULL;
}

static uint32_t
hash_of(const struct annex_map *map, const void *key, size_t len)
{
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, key, len, map->key);
	return (uint32_t)hash;
}

/* The slot that holds the key, or NULL. */
static uint32_t *
find(const struct annex_map *map, uint32_t hash, const void *key, size_t len)
{
	if (map->count == 0)
		return NULL;
	for (uint32_t i = hash & map->mask;; i = (i + 1) & map->mask) {
		uint32_t at = map->slot[i];
		const struct entry *e;

		if (at == SLOT_FREE)
			return NULL;
		if (at == SLOT_HOLE)
			continue;
		e = &map->entry[at - 1];
		if (e->hash == hash && e->len == len && (len == 0 || memcmp(e->key, key, len) == 0))
			return &map->slot[i];
	}
}

static void
place(struct annex_map *map, uint32_t hash, uint32_t entry)
{
	uint32_t i = hash & map->mask;

	while (map->slot[i] != SLOT_FREE)
		i = (i + 1) & map->mask;
	map->slot[i] = entry + 1;
}

/* Lay out anew without holes, with room for as many again. */
static void
rebuild(struct annex_map *map)
{
	uint32_t room = MAP_FIRST, n = 0;
	struct entry *entry;

	CHECK(map->count < UINT32_MAX / 8);
	while (room < map->count * 2)
		room *= 2;
	entry = mem_alloc(room * sizeof(*entry));
	free(map->slot);
	map->slot = mem_zalloc((size_t)room * 2 * sizeof(*map->slot));
	map->mask = room * 2 - 1;
	for (uint32_t i = 0; i < map->used; i++) {
		if (map->entry[i].key == NULL)
			continue;
		entry[n] = map->entry[i];
		place(map, entry[n].hash, n);
		n++;
	}
	free(map->entry);
	map->entry = entry;
	map->used = n;
	map->room = room;
}

void *
annex_map_get(const struct annex_map *map, const void *key, size_t len)
{
	const uint32_t *slot;

	CHECK_OBJECT(map, MAP_MAGIC);
	if (map->count == 0)
		return NULL;
	slot = find(map, hash_of(map, key, len), key, len);
	return slot != NULL ? map->entry[*slot - 1].value : NULL;
}

void *
annex_map_get_str(const struct annex_map *map, const char *key)
{
	return annex_map_get(map, key, strlen(key));
}

static char *
key_copy(const void *key, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len > 0)
		memcpy(copy, key, len);
	copy[len] = '\0';
	return copy;
}

void *
annex_map_set(struct annex_map *map, const void *key, size_t len, void *value)
{
	uint32_t hash, *slot;
	struct entry *e;
	void *old;

	CHECK_OBJECT(map, MAP_MAGIC);
	CHECK(value != NULL && len < UINT32_MAX);
	hash = hash_of(map, key, len);
	if ((slot = find(map, hash, key, len)) != NULL) {
		e = &map->entry[*slot - 1];
		old = e->value;
		e->value = value;
		if (map->borrows)
			e->key = key;
		return old;
	}
	if (map->used == map->room)
		rebuild(map);
	e = &map->entry[map->used];
	*e = (struct entry) { map->borrows ? key : key_copy(key, len), value, (uint32_t)len, hash };
	place(map, hash, map->used++);
	map->count++;
	return NULL;
}

void *
annex_map_set_str(struct annex_map *map, const char *key, void *value)
{
	return annex_map_set(map, key, strlen(key), value);
}

void *
annex_map_remove(struct annex_map *map, const void *key, size_t len)
{
	uint32_t *slot;
	struct entry *e;
	void *old;

	CHECK_OBJECT(map, MAP_MAGIC);
	if (map->count == 0)
		return NULL;
	if ((slot = find(map, hash_of(map, key, len), key, len)) == NULL)
		return NULL;
	e = &map->entry[*slot - 1];
	old = e->value;
	key_free(map, e);
	*e = (struct entry) { 0 };
	*slot = SLOT_HOLE;
	map->count--;
	return old;
}

void *
annex_map_remove_str(struct annex_map *map, const char *key)
{
	return annex_map_remove(map, key, strlen(key));
}

size_t
annex_map_count(const struct annex_map *map)
{
	CHECK_OBJECT(map, MAP_MAGIC);
	return map->count;
}

bool
annex_map_next(const struct annex_map *map, struct annex_map_iter *it)
{
	CHECK_OBJECT(map, MAP_MAGIC);
	while (it->slot < map->used) {
		const struct entry *e = &map->entry[it->slot++];

		if (e->key == NULL)
			continue;
		it->key = e->key;
		it->len = e->len;
		it->value = e->value;
		return true;
	}
	return false;
}
