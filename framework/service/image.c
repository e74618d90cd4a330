/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * image.c - what kind of picture some bytes are, and how large
 *
 * By their first bytes alone.  What is behind them is for those who show it.
 */
#include <stdbool.h>
#include <string.h>

#include <annex/avatar.h>

struct bytes {
	const unsigned char *at;
	size_t len;
};

static unsigned
big(const unsigned char *at, unsigned n)
{
	unsigned value = 0;

	while (n-- > 0)
		value = value << 8 | *at++;
	return value;
}

static unsigned
little(const unsigned char *at, unsigned n)
{
	unsigned value = 0;

	while (n-- > 0)
		value = value << 8 | at[n];
	return value;
}

/* Signature, then a chunk IHDR that begins with both sides. */
static bool
png_look(struct bytes in, struct annex_avatar *a)
{
	if (in.len < 33 || memcmp(in.at + 12, "IHDR", 4) != 0)
		return false;
	a->width = big(in.at + 16, 4);
	a->height = big(in.at + 20, 4);
	return true;
}

static bool
gif_look(struct bytes in, struct annex_avatar *a)
{
	if (in.len < 13)
		return false;
	a->width = little(in.at + 6, 2);
	a->height = little(in.at + 8, 2);
	return true;
}

/* SOF0 to SOF15, but for those that define tables. */
static bool
is_frame(unsigned char marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	    marker != 0xcc;
}

/* Segments, up to the frame's. */
static bool
jpeg_look(struct bytes in, struct annex_avatar *a)
{
	size_t at = 2;

	while (at + 9 <= in.len && in.at[at] == 0xff) {
		if (in.at[at + 1] == 0xff) { /* fill */
			at++;
			continue;
		}
		if (is_frame(in.at[at + 1])) {
			a->height = big(in.at + at + 5, 2);
			a->width = big(in.at + at + 7, 2);
			return true;
		}
		at += 2 + (size_t)big(in.at + at + 2, 2);
	}
	return false;
}

/* RIFF....WEBP, then a chunk of one of three kinds. */
static bool
webp_look(struct bytes in, struct annex_avatar *a)
{
	const unsigned char *at = in.at + 20;

	if (in.len < 30 || memcmp(in.at + 8, "WEBP", 4) != 0)
		return false;
	if (memcmp(in.at + 12, "VP8X", 4) == 0) {
		a->width = little(at + 4, 3) + 1;
		a->height = little(at + 7, 3) + 1;
	} else if (memcmp(in.at + 12, "VP8L", 4) == 0 && at[0] == 0x2f) {
		a->width = (little(at + 1, 4) & 0x3fff) + 1;
		a->height = (little(at + 1, 4) >> 14 & 0x3fff) + 1;
	} else if (memcmp(in.at + 12, "VP8 ", 4) == 0) {
		a->width = little(at + 6, 2) & 0x3fff;
		a->height = little(at + 8, 2) & 0x3fff;
	} else {
		return false;
	}
	return true;
}

static const struct kind {
	const char *type, *magic;
	size_t magic_len;
	bool (*look)(struct bytes in, struct annex_avatar *a);
} kinds[] = {
	{ "image/png", "\x89PNG\r\n\x1a\n", 8, png_look },
	{ "image/jpeg", "\xff\xd8\xff", 3, jpeg_look },
	{ "image/gif", "GIF87a", 6, gif_look },
	{ "image/gif", "GIF89a", 6, gif_look },
	{ "image/webp", "RIFF", 4, webp_look },
};

int
annex_avatar_look(const void *bytes, size_t len, struct annex_avatar *a)
{
	*a = (struct annex_avatar) { .bytes = bytes, .len = len };
	if (len > ANNEX_AVATAR_BYTES_MAX)
		return ANNEX_ELIMIT;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const struct kind *k = &kinds[i];

		if (len < k->magic_len || memcmp(bytes, k->magic, k->magic_len) != 0 ||
		    !k->look((struct bytes) { bytes, len }, a))
			continue;
		a->type = k->type;
		return a->width > 0 && a->height > 0 && a->width <= ANNEX_AVATAR_SIDE_MAX &&
			a->height <= ANNEX_AVATAR_SIDE_MAX
		    ? ANNEX_OK
		    : ANNEX_EINVAL;
	}
	return ANNEX_EINVAL;
}
