/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * avatar.h - pictures, each kept once
 *
 * A picture is named by the SHA-1 of its bytes, as XEP-0153 and XEP-0084 have
 * it.  A view (contacts.h) says which one belongs to it; whoever is shown that view can
 * fetch that picture, as a vCard (XEP-0054, 0292) or by PEP (XEP-0084), and no
 * other: the hash in the presence that somebody got and what they fetch are always the same.
 * Clients that say in their caps that they want it are pushed which one it is (XEP-0163 §4.2).
 * It goes with the last view that names it.
 *
 * Pictures are looked at, never converted: the first bytes say which kind it
 * is and how large, and nothing else of them is believed.
 */
#ifndef ANNEX_AVATAR_H
#define ANNEX_AVATAR_H

#include <stddef.h>

#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_instance;

#define ANNEX_AVATAR_BYTES_MAX 98304 /* as base64 it must fit into a stanza */
#define ANNEX_AVATAR_SIDE_MAX 1024   /* pixels */

struct annex_avatar {
	const char *sha1; /* 40 lower-case digits */
	const char *type; /* "image/png" */
	unsigned width, height;
	const void *bytes;
	size_t len;
};

/*
 * What the bytes are: a PNG, JPEG, GIF or WebP of a size that is allowed; bytes are borrowed, sha1
 * is NULL.  ANNEX_EINVAL where they are not; ANNEX_ELIMIT where they are too many.
 */
int
annex_avatar_look(const void *bytes, size_t len, struct annex_avatar *avatar_r) ANNEX_MUST_CHECK;

/*
 * Keep a picture, for a view to be set: one that no view has ever named stays.
 * *sha1_r is in scratch.  As look, and ANNEX_EFULL as annex_put.
 */
int annex_avatar_put(struct annex_instance *inst, const void *bytes, size_t len,
    const char **sha1_r) ANNEX_MUST_CHECK;

/* ANNEX_ENOENT where there is none.  In scratch. */
int annex_avatar_get(
    struct annex_instance *inst, const char *sha1, struct annex_avatar *avatar_r) ANNEX_MUST_CHECK;

#pragma GCC visibility pop

#endif /* ANNEX_AVATAR_H */
