/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sign.c - signatures of Standard Webhooks: who gets a hook can tell that it is ours
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "sign.h"

#define PREFIX "whsec_"
#define KEY_LEAST 24

int
sign_key_read(struct sign_key *key_r, const char *text)
{
	const char *end;

	text += strspn(text, " \t\r\n");
	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return -1;
	text += strlen(PREFIX);
	if (sodium_base642bin(key_r->bytes, sizeof(key_r->bytes), text, strlen(text), NULL,
		&key_r->len, &end, sodium_base64_VARIANT_ORIGINAL) < 0)
		return -1;
	if (end[strspn(end, " \t\r\n")] != '\0' || key_r->len < KEY_LEAST)
		return -1;
	return 0;
}

void
sign(char text_r[SIGN_TEXT], const struct sign_key *key, const char *id, int64_t when_s,
    const char *body, size_t body_len)
{
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	char when[32];

	snprintf(when, sizeof(when), ".%" PRId64 ".", when_s);
	crypto_auth_hmacsha256_init(&state, key->bytes, key->len);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)id, strlen(id));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)when, strlen(when));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, body_len);
	crypto_auth_hmacsha256_final(&state, mac);
	memcpy(text_r, "v1,", 3);
	sodium_bin2base64(
	    text_r + 3, SIGN_TEXT - 3, mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
}
