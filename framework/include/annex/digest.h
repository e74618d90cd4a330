/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * digest.h - the hashes that the protocol asks for and libsodium has not
 */
#ifndef ANNEX_DIGEST_H
#define ANNEX_DIGEST_H

#include <stddef.h>

#pragma GCC visibility push(default)

struct annex_pool;

/* SHA-1 of the bytes in 40 lower-case digits, in pool, as avatars are named by (XEP-0153 §4.2);
 * NULL where the cryptographic library refuses.  Of no use against anybody who means harm. */
const char *annex_sha1(struct annex_pool *pool, const void *bytes, size_t len);

#pragma GCC visibility pop

#endif /* ANNEX_DIGEST_H */
