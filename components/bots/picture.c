/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * picture.c - pictures of bots: that of the configuration, and those that programs show
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include <annex/avatar.h>

#include "action.h"

/* One byte more than is allowed is read, so that a file that is too large is found so. */
static const char *
read_picture(const char *path, struct annex_pool *pool, void **bytes_r, size_t *len_r)
{
	char *bytes = annex_pool_alloc(pool, ANNEX_AVATAR_BYTES_MAX + 1);
	FILE *file = fopen(path, "rb");
	struct annex_avatar avatar;
	int r;

	if (file == NULL)
		return "cannot be read";
	*len_r = fread(bytes, 1, ANNEX_AVATAR_BYTES_MAX + 1, file);
	*bytes_r = bytes;
	fclose(file);
	r = annex_avatar_look(bytes, *len_r, &avatar);
	return r == ANNEX_ELIMIT ? "is too large for a picture"
	    : r < 0              ? "is no PNG, JPEG, GIF or WebP of at most 1024 pixels a side"
				 : NULL;
}

int
picture_check(const struct bot_settings *set, struct annex_pool *pool, const char **why)
{
	const char *wrong;
	void *bytes;
	size_t len;

	if (*set->avatar == '\0' || (wrong = read_picture(set->avatar, pool, &bytes, &len)) == NULL)
		return ANNEX_OK;
	*why = annex_sprintf(pool, "avatar: %s %s", set->avatar, wrong);
	return ANNEX_EINVAL;
}

void
picture_load(struct bot *bot)
{
	struct annex_instance *inst = bot->bots->inst;
	const char *wrong, *sha1;
	void *bytes;
	size_t len;

	if (*bot->set->avatar == '\0')
		return;
	wrong = read_picture(bot->set->avatar, annex_scratch(inst), &bytes, &len);
	if (wrong != NULL)
		annex_log(inst, ANNEX_LOG_ERROR, "%s %s", bot->set->avatar, wrong);
	else if (bots_must(bot->bots, annex_avatar_put(inst, bytes, len, &sha1)) >= 0)
		bot->picture = annex_strdup(bot->pool, sha1);
}

int
picture_judge(struct action *a)
{
	size_t room = strlen(a->avatar) / 4 * 3 + 3;
	unsigned char *bytes = annex_pool_alloc(a->pool, room);
	struct annex_avatar avatar;

	a->picture = bytes;
	if (*a->avatar == '\0')
		return ANNEX_OK;
	if (sodium_base642bin(bytes, room, a->avatar, strlen(a->avatar), "\r\n ", &a->picture_len,
		NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return action_wrong(a, "bad-json", "\"avatar\" must be a picture in base64");
	switch (annex_avatar_look(bytes, a->picture_len, &avatar)) {
	case ANNEX_OK:
		return ANNEX_OK;
	case ANNEX_ELIMIT:
		return action_wrong(
		    a, "too-large", "the picture has more than %d bytes", ANNEX_AVATAR_BYTES_MAX);
	default:
		return action_wrong(a, "bad-json",
		    "\"avatar\" must be a PNG, JPEG, GIF or WebP of at most %d pixels a side",
		    ANNEX_AVATAR_SIDE_MAX);
	}
}
