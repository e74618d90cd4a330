/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sign.h - signatures of Standard Webhooks
 */
#ifndef SIGN_H
#define SIGN_H

#include <stddef.h>
#include <stdint.h>

#define SIGN_KEY_MOST 64

struct sign_key {
	unsigned char bytes[SIGN_KEY_MOST];
	size_t len;
};

/* Read "whsec_" and base64, of 24 to 64 bytes; white space around it does not matter.  -1: it is not. */
int sign_key_read(struct sign_key *key_r, const char *text);

#define SIGN_TEXT 48 /* "v1,", 44 characters and the end */

/* The value of webhook-signature: HMAC-SHA256 of "id.when_s.body". */
void sign(char text_r[SIGN_TEXT], const struct sign_key *key, const char *id, int64_t when_s,
    const char *body, size_t body_len);

#endif /* SIGN_H */
