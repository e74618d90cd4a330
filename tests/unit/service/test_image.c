/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_image.c - what kind of picture some bytes are, and how large
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <annex/avatar.h>

#define BYTES(text) text, sizeof(text) - 1

/* The first bytes of each kind, as far as they are looked at. */
static const struct picture {
	const char *bytes;
	size_t len;
	const char *type; /* NULL: refused */
	unsigned width, height;
} pictures[] = {
	{ BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x30\x08\x06\0\0\0CRC."), "image/png",
	    32, 48 },
	{ BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\x30\x08\x06\0\0\0CRC."), NULL, 0, 0 },
	{ BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\0\0\0\0\0\0\x30\x08\x06\0\0\0CRC."), NULL, 0,
	    0 },
	{ BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIDAT\0\0\0\x20\0\0\0\x30\x08\x06\0\0\0CRC."), NULL, 0,
	    0 },
	{ BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"), NULL, 0, 0 },
	{ BYTES("GIF89a\x10\0\x08\0\x80\0\0"), "image/gif", 16, 8 },
	{ BYTES("GIF87a\x10\0\x08\0\x80\0\0"), "image/gif", 16, 8 },
	{ BYTES("GIF90a\x10\0\x08\0\x80\0\0"), NULL, 0, 0 },
	{ BYTES("\xff\xd8\xff\xe0\0\x04JF\xff\xff\xc0\0\x0b\x08\0\x40\0\x60\x01\x01\x11\0"),
	    "image/jpeg", 96, 64 },
	{ BYTES("\xff\xd8\xff\xc4\0\x04HT\xff\xc2\0\x0b\x08\0\x40\0\x60\x01\x01\x11\0"),
	    "image/jpeg", 96, 64 },
	{ BYTES("\xff\xd8\xff\xe0\xff\xff..............................."), NULL, 0, 0 },
	{ BYTES("\xff\xd8\xff"), NULL, 0, 0 },
	{ BYTES("RIFF....WEBPVP8X\x0a\0\0\0\0\0\0\0\x1f\0\0\x2f\0\0"), "image/webp", 32, 48 },
	{ BYTES("RIFF....WEBPVP8L\x0a\0\0\0\x2f\x1f\xc0\x0b\0\0\0\0\0\0"), "image/webp", 32, 48 },
	{ BYTES("RIFF....WEBPVP8 \x0a\0\0\0...\x9d\x01\x2a\x20\0\x30\0"), "image/webp", 32, 48 },
	{ BYTES("RIFF....WAVEfmt \x0a\0\0\0.............."), NULL, 0, 0 },
	{ BYTES("<svg xmlns='http://www.w3.org/2000/svg'/>"), NULL, 0, 0 },
	{ BYTES(""), NULL, 0, 0 },
};

static void
each_is_what_it_is(void **state)
{
	struct annex_avatar a;

	for (size_t i = 0; i < sizeof(pictures) / sizeof(*pictures); i++) {
		const struct picture *p = &pictures[i];
		int r = annex_avatar_look(p->bytes, p->len, &a);

		if (p->type == NULL) {
			assert_int_equal(r, ANNEX_EINVAL);
			continue;
		}
		assert_int_equal(r, ANNEX_OK);
		assert_string_equal(a.type, p->type);
		assert_int_equal(a.width, p->width);
		assert_int_equal(a.height, p->height);
	}
}

/* Cut short anywhere, and every byte changed: nothing is read behind the end. */
static void
nothing_is_read_behind_the_end(void **state)
{
	struct annex_avatar a;

	for (size_t i = 0; i < sizeof(pictures) / sizeof(*pictures); i++)
		for (size_t len = 0; len <= pictures[i].len; len++) {
			char *copy = malloc(len + 1);

			memcpy(copy, pictures[i].bytes, len);
			copy = realloc(copy, len > 0 ? len : 1);
			assert_true(annex_avatar_look(copy, len, &a) <= ANNEX_OK);
			for (size_t at = 0; at < len; at++) {
				copy[at] ^= 0x7f;
				assert_true(annex_avatar_look(copy, len, &a) <= ANNEX_OK);
				copy[at] ^= 0x7f;
			}
			free(copy);
		}
}

static void
too_much_is_refused(void **state)
{
	size_t len = ANNEX_AVATAR_BYTES_MAX + 1;
	char *bytes = calloc(1, len);
	struct annex_avatar a;

	memcpy(bytes, pictures[0].bytes, pictures[0].len);
	assert_int_equal(annex_avatar_look(bytes, len, &a), ANNEX_ELIMIT);
	assert_int_equal(annex_avatar_look(bytes, len - 1, &a), ANNEX_OK);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_what_it_is),
		cmocka_unit_test(nothing_is_read_behind_the_end),
		cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
