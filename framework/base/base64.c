/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * base64.c - bytes as base64
 */
#include "base64.h"

#include <sodium.h>

const char *
base64_encode(struct annex_pool *pool, const void *bytes, size_t n)
{
	size_t room = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
	char *text = annex_pool_alloc(pool, room);

	sodium_bin2base64(text, room, bytes, n, sodium_base64_VARIANT_ORIGINAL);
	return text;
}
