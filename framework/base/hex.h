/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hex.h - bytes as lowercase hexadecimal digits
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>

#include <annex/status.h>

/* text has 2 * n + 1 bytes and is NUL-terminated. */
void hex_encode(char *text, const void *bytes, size_t n);

/* Exactly n bytes from 2 * n digits of either case, else ANNEX_EINVAL. */
int hex_decode(void *bytes, size_t n, const char *text, size_t len) ANNEX_MUST_CHECK;

#endif /* BASE_HEX_H */
