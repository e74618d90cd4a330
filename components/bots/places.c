/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * places.c - files that bots send, kept here for whoever has the link
 *
 *	GET /v1/files/BOT/NUMBER-SECRET/NAME
 *
 * Where the server has no upload service the files are rows, and a proxy shows
 * /v1/files to the world, under the address that the configuration says.
 * A link is of use for some time (files-keep), and of a bot there are so many bytes (max-files):
 * where there is no room a file is not taken, since the links that were sent are promises.
 *
 * What is known of a file and what it holds are rows of their own, so that looking for
 * what is over reads little.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "http.h"

#define SECRET_BYTES 24
#define URL_BYTES 1000
#define OVER_AT_ONCE 20 /* that go in a turn */
#define READERS_MOST 20 /* at a time: each has a file in memory */

uint64_t
place_weigh(const ProtobufCMessage *record)
{
	return ((const Bots__Place *)record)->size;
}

int
places_check(const struct bots_settings *set, struct annex_pool *pool, const char **why)
{
	if (*set->files_url == '\0')
		return ANNEX_OK;
	if (!files_is_link(set->files_url, URL_BYTES) ||
	    set->files_url[strcspn(set->files_url, " \"<>\\^`{|}")] != '\0')
		*why =
		    annex_sprintf(pool, "files-url: \"%s\" is no address of https", set->files_url);
	else if (*set->http == '\0')
		*why = "files-url: the files are served over HTTP: say where with http";
	else
		return ANNEX_OK;
	return ANNEX_EINVAL;
}

bool
places_are_there(const struct bots *m)
{
	return *m->set->files_url != '\0' && m->http != NULL;
}

/* --- Rows ---------------------------------------------------------------------- */

static int
remove_place(struct bot *bot, uint64_t number)
{
	struct annex_key place = bots_key_seq(TABLE_PLACES, bot->name, number);
	struct annex_key data = bots_key_seq(TABLE_PLACED, bot->name, number);
	int r = annex_delete(bot->bots->store, &place);

	return r < 0 ? r : annex_delete(bot->bots->store, &data);
}

static int
remove_over(struct bot *bot)
{
	struct annex_key prefix = bots_key(TABLE_PLACES, bot->name);
	struct annex_iter it = annex_iter(&prefix);
	int64_t now_ms = annex_wall_ms(bot->bots->inst);

	for (size_t n = 0; n < OVER_AT_ONCE && annex_next(bot->bots->store, &it) == ANNEX_AGAIN;
	     n++) {
		if (((const Bots__Place *)it.record)->until_ms > now_ms)
			return ANNEX_OK;
		if (bots_must(bot->bots, remove_place(bot, annex_key_number(&it.key, 1))) < 0)
			return ANNEX_ESTORE;
	}
	return ANNEX_OK;
}

void
places_tidy(struct bots *m)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_next(m->by_name, &it))
		if (remove_over(it.value) < 0)
			return;
}

static bool
has_room(struct bot *bot, size_t size)
{
	struct annex_key prefix = bots_key(TABLE_PLACES, bot->name);
	uint64_t kept;

	return annex_weight(bot->bots->store, &prefix, &kept) >= 0 &&
	    kept + size <= (uint64_t)bot->bots->set->max_files_bytes;
}

static int
put(struct bot *bot, const Bots__File *file, uint64_t number, const char *secret)
{
	struct bots *m = bot->bots;
	struct annex_key place = bots_key_seq(TABLE_PLACES, bot->name, number);
	struct annex_key data = bots_key_seq(TABLE_PLACED, bot->name, number);
	Bots__Place row = BOTS__PLACE__INIT;
	Bots__Placed placed = BOTS__PLACED__INIT;
	int r;

	placed.data = file->data;
	if ((r = annex_put(m->store, &data, &placed.base)) < 0)
		return r;
	row.secret = (char *)(uintptr_t)secret;
	row.name = file->name;
	row.mime = file->mime;
	row.size = file->data.len;
	row.until_ms = annex_wall_ms(m->inst) + m->set->files_keep_ms;
	return bots_must(m, annex_put(m->store, &place, &row.base));
}

/* RFC 3986 §2.3: what stands for itself. */
static const char *
escape(struct annex_pool *pool, const char *name)
{
	struct text t = { .pool = pool };

	for (; *name != '\0'; name++) {
		unsigned char c = (unsigned char)*name;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c) != NULL)
			text_add(&t, name, 1);
		else
			text_printf(&t, "%%%02X", c);
	}
	return t.bytes;
}

int
place_add(struct bot *bot, const Bots__File *file, const char **link_r)
{
	struct bots *m = bot->bots;
	struct annex_pool *pool = annex_scratch(m->inst);
	struct annex_key numbers = bots_key(TABLE_PLACES, bot->name);
	const char *base = m->set->files_url;
	unsigned char random[SECRET_BYTES];
	char secret[sodium_base64_ENCODED_LEN(
	    SECRET_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
	uint64_t number;
	int r;

	if (remove_over(bot) < 0)
		return ANNEX_ESTORE;
	if (!has_room(bot, file->data.len))
		return ANNEX_ELIMIT;
	annex_random(m->inst, random, sizeof(random));
	sodium_bin2base64(secret, sizeof(secret), random, sizeof(random),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	if ((r = annex_sequence(m->store, &numbers, &number)) < 0 ||
	    (r = put(bot, file, number, secret)) < 0)
		return r;
	tidy_later(m);
	annex_count(m->placed, 1);
	*link_r = annex_sprintf(pool, "%s%s%s/%" PRIu64 "-%s/%s", base,
	    base[strlen(base) - 1] == '/' ? "" : "/", escape(pool, bot->name), number, secret,
	    escape(pool, file->name));
	return ANNEX_OK;
}

/* --- Whoever has the link ---------------------------------------------------------- */

static bool
may_read(struct request *q)
{
	size_t n = 0;

	ANNEX_LIST_EACH (&q->http->requests, l)
		n += annex_container_of(l, struct request, link)->disposition != NULL;
	if (n < READERS_MOST)
		return true;
	request_fail(q, 429, "rate-limited", "%d files are read already", READERS_MOST);
	return false;
}

static bool
is_same(const char *one, const char *other, size_t other_len)
{
	return strlen(one) == other_len && sodium_memcmp(one, other, other_len) == 0;
}

/* BOT/NUMBER-SECRET/NAME; libmicrohttpd has undone the escapes.  NULL: there is none, or no more. */
static const Bots__Place *
find(struct request *q, struct annex_key *data_r)
{
	struct bots *m = q->http->bots;
	const char *at = q->path + strlen(q->route->path), *slash = strchr(at, '/'), *end;
	const char *name = annex_strndup(q->pool, at, slash != NULL ? (size_t)(slash - at) : 0);
	struct bot *bot = bot_find(m, name);
	const Bots__Place *place;
	ProtobufCMessage *record;
	struct annex_key key;
	uint64_t number;
	char *secret;

	if (slash == NULL || bot == NULL || (end = strchr(slash + 1, '/')) == NULL)
		return NULL;
	number = strtoull(slash + 1, &secret, 10);
	if (*secret++ != '-' || secret > end)
		return NULL;
	key = bots_key_seq(TABLE_PLACES, bot->name, number);
	*data_r = bots_key_seq(TABLE_PLACED, bot->name, number);
	if (annex_get(m->store, &key, &record) < 0)
		return NULL;
	place = (const Bots__Place *)record;
	return is_same(place->secret, secret, (size_t)(end - secret)) &&
		strcmp(place->name, end + 1) == 0 && place->until_ms > annex_wall_ms(m->inst)
	    ? place
	    : NULL;
}

/* What a browser may show by itself; the others might run there (SVG, HTML). */
static bool
is_shown(const char *mime)
{
	static const char *const shown[] = { "image/png", "image/jpeg", "image/gif", "image/webp",
		"audio/", "video/", "text/plain" };

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (strncmp(mime, shown[i], strlen(shown[i])) == 0)
			return true;
	return false;
}

void
serve_file(struct request *q)
{
	struct annex_key key;
	const Bots__Place *place = find(q, &key);
	ProtobufCMessage *record;
	const Bots__Placed *placed;

	if (place == NULL || annex_get(q->http->bots->store, &key, &record) < 0) {
		request_fail(q, 404, "item-not-found", "there is no such file, or no more");
		return;
	}
	if (!may_read(q))
		return;
	placed = (const Bots__Placed *)record;
	q->status = 200;
	q->type = strcmp(place->mime, "text/plain") == 0 ? "text/plain; charset=utf-8"
							 : annex_strdup(q->pool, place->mime);
	q->disposition = is_shown(place->mime) ? "inline" : "attachment";
	text_add(&q->answer, (const char *)placed->data.data, placed->data.len);
}
