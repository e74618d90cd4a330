/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * recent.c - the history of rooms that keep no archive
 *
 * It is in memory alone and gone with the process.  A room may be forgotten
 * and loaded again meanwhile, so this stands beside it; where there are too
 * many the one that was silent longest goes.
 */
#include <string.h>

#include "archive.h"

#define ROOMS_MAX 1000
#define BYTES_MAX ((size_t)64 << 10)

struct recent {
	struct annex_link by_use;
	struct annex_pool *pool;
	struct annex_pool *texts; /* in it: what line points to, and what it pointed to */
	const char *room_id;
	Muc__Line *line; /* oldest first */
	size_t count, space, bytes, garbage;
};

void
recent_init(struct muc *m)
{
	m->recents = annex_map_create(annex_pool(m->inst));
	annex_list_init(&m->recents_by_use);
}

static void
forget(struct muc *m, struct recent *r)
{
	struct annex_pool *pool = r->pool;

	annex_map_remove_str(m->recents, r->room_id);
	annex_list_remove(&r->by_use);
	annex_pool_destroy(&pool);
}

void
recent_forget(struct muc *m, const char *room_id)
{
	struct recent *r = annex_map_get_str(m->recents, room_id);

	if (r != NULL)
		forget(m, r);
}

static struct recent *
recent_of(struct room *room)
{
	struct muc *m = room->muc;
	struct recent *r = annex_map_get_str(m->recents, room->id);
	struct annex_pool *pool;

	if (r == NULL) {
		if (annex_map_count(m->recents) >= ROOMS_MAX)
			forget(
			    m, annex_container_of(m->recents_by_use.prev, struct recent, by_use));
		pool = annex_pool_create(annex_pool(m->inst), "recent lines");
		r = annex_new(pool, struct recent);
		r->pool = pool;
		r->texts = annex_pool_create(pool, "recent texts");
		r->room_id = annex_strdup(pool, room->id);
		annex_list_init(&r->by_use);
		annex_map_set_str(m->recents, room->id, r);
	}
	annex_list_remove(&r->by_use);
	annex_list_prepend(&m->recents_by_use, &r->by_use);
	return r;
}

static void
line_copy(struct annex_pool *pool, Muc__Line *to, const Muc__Line *line)
{
	*to = *line;
	to->nick = annex_strdup(pool, line->nick);
	to->jid = annex_strdup(pool, line->jid);
	to->xml = annex_strdup(pool, line->xml);
}

/* To a pool of their own, leaving behind what was dropped. */
static void
rehome(struct recent *r, size_t space)
{
	struct annex_pool *before = r->texts;
	Muc__Line *line;

	r->texts = annex_pool_create(r->pool, "recent texts");
	line = annex_new_array(r->texts, Muc__Line, space);
	for (size_t i = 0; i < r->count; i++)
		line_copy(r->texts, &line[i], &r->line[i]);
	r->line = line;
	r->space = space;
	r->garbage = 0;
	annex_pool_destroy(&before);
}

static void
drop_oldest(struct recent *r)
{
	size_t bytes = strlen(r->line[0].xml);

	r->bytes -= bytes;
	r->garbage += bytes;
	r->count--;
	memmove(r->line, r->line + 1, r->count * sizeof(*r->line));
}

void
recent_add(struct room *room, const Muc__Line *line)
{
	size_t most = (size_t)room->config.max_history, bytes = strlen(line->xml);
	struct recent *r;

	if (most == 0 || bytes > BYTES_MAX)
		return;
	r = recent_of(room);
	while (r->count > 0 && (r->count >= most || r->bytes + bytes > BYTES_MAX))
		drop_oldest(r);
	if (r->count == r->space || r->garbage > BYTES_MAX)
		rehome(r, r->count == r->space ? r->space * 2 + 8 : r->space);
	line_copy(r->texts, &r->line[r->count++], line);
	r->bytes += bytes;
}

const Muc__Line *
recent_line(const struct room *room, size_t ago)
{
	const struct recent *r = annex_map_get_str(room->muc->recents, room->id);

	return r == NULL || ago >= r->count ? NULL : &r->line[r->count - 1 - ago];
}

void
recent_erase(struct muc *m, const char *bare)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_next(m->recents, &it)) {
		struct recent *r = it.value;

		for (size_t i = 0; i < r->count;) {
			if (!is_address_of(r->line[i].jid, bare)) {
				i++;
				continue;
			}
			r->bytes -= strlen(r->line[i].xml);
			r->count--;
			memmove(r->line + i, r->line + i + 1, (r->count - i) * sizeof(*r->line));
		}
		rehome(r, r->space);
	}
}
