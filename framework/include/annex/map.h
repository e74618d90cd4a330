/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * map.h - hash maps from bytes or strings to pointers
 *
 * Keys may come from strangers, so the hash is SipHash under a key drawn at
 * start: nobody can choose colliding ones.  The map copies its keys, of
 * less than 4 GiB each, and grows by doubling; values belong to the caller.
 */
#ifndef ANNEX_MAP_H
#define ANNEX_MAP_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(default)

struct annex_map;
struct annex_pool;

/* A map that goes with its pool.  destroy gives the memory back earlier. */
struct annex_map *annex_map_create(struct annex_pool *pool);
void annex_map_destroy(struct annex_map **map);

/* One that copies no keys: each stays as it is for as long as it is in the map, as where it is part of its
 * value.  Setting what is there already takes the new key as well. */
struct annex_map *annex_map_borrowing(struct annex_pool *pool);

/* NULL where there is none.  The _str forms take a NUL-terminated key. */
void *annex_map_get(const struct annex_map *map, const void *key, size_t len);
void *annex_map_get_str(const struct annex_map *map, const char *key);

/* Set, and return what was there before (NULL if nothing).  value is not NULL. */
void *annex_map_set(struct annex_map *map, const void *key, size_t len, void *value);
void *annex_map_set_str(struct annex_map *map, const char *key, void *value);

/* Remove, and return what was there (NULL if nothing). */
void *annex_map_remove(struct annex_map *map, const void *key, size_t len);
void *annex_map_remove_str(struct annex_map *map, const char *key);

size_t annex_map_count(const struct annex_map *map);

/*
 * Walk in no order:
 *	struct annex_map_iter it = { 0 };
 *	while (annex_map_next(map, &it)) use(it.key, it.len, it.value);
 * The entry stood on may be removed meanwhile; nothing may be added.
 */
struct annex_map_iter {
	size_t slot;
	const void *key; /* NUL-terminated as well, where it was copied */
	size_t len;
	void *value;
};
bool annex_map_next(const struct annex_map *map, struct annex_map_iter *it);

#pragma GCC visibility pop

#endif /* ANNEX_MAP_H */
