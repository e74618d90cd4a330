/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * base64.h - bytes as base64 (RFC 4648 §4), padded
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include <annex/pool.h>

/* In pool, NUL-terminated. */
const char *base64_encode(struct annex_pool *pool, const void *bytes, size_t n);

#endif /* BASE_BASE64_H */
