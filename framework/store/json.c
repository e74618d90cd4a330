/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * json.c - numbers, texts and bytes as people read them
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/utf8.h"

#include "json.h"

#define EXACT_MAX ((uint64_t)1 << 53)

/* --- Out ------------------------------------------------------------------ */

json_t *
json_of_bytes(const void *bytes, size_t len)
{
	size_t room = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(room);
	json_t *json;

	CHECK(text != NULL);
	sodium_bin2base64(text, room, bytes, len, sodium_base64_VARIANT_ORIGINAL);
	json = json_string(text);
	free(text);
	return json;
}

json_t *
json_of_u64(uint64_t number)
{
	char text[24];

	if (number <= EXACT_MAX)
		return json_integer((json_int_t)number);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return json_string(text);
}

json_t *
json_of_i64(int64_t number)
{
	char text[24];

	if (number >= -(int64_t)EXACT_MAX && number <= (int64_t)EXACT_MAX)
		return json_integer(number);
	snprintf(text, sizeof(text), "%lld", (long long)number);
	return json_string(text);
}

json_t *
json_of_double(double number)
{
	if (isnan(number))
		return json_string("nan");
	if (isinf(number))
		return json_string(number > 0 ? "inf" : "-inf");
	return json_real(number);
}

json_t *
json_of_text(const char *text)
{
	if (utf8_is_valid(text, strlen(text)))
		return json_string(text);
	return json_pack("{so}", "bytes", json_of_bytes(text, strlen(text)));
}

/* --- In ------------------------------------------------------------------- */

unsigned char *
json_to_bytes(const json_t *json, size_t *len_r, struct annex_pool *pool, const char **why)
{
	size_t room = json_string_length(json) / 4 * 3 + 3;
	unsigned char *bytes = annex_pool_alloc(pool, room);

	if (!json_is_string(json) ||
	    sodium_base642bin(bytes, room, json_string_value(json), json_string_length(json), NULL,
		len_r, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) {
		*why = "is not base64";
		return NULL;
	}
	return bytes;
}

bool
json_to_u64(const json_t *json, uint64_t *number_r)
{
	const char *text = json_string_value(json);
	char *end;

	if (json_is_integer(json)) {
		*number_r = (uint64_t)json_integer_value(json);
		return json_integer_value(json) >= 0;
	}
	if (text == NULL || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*number_r = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

bool
json_to_i64(const json_t *json, int64_t *number_r)
{
	const char *text = json_string_value(json);
	char *end;

	if (json_is_integer(json)) {
		*number_r = json_integer_value(json);
		return true;
	}
	if (text == NULL || *text == '\0')
		return false;
	errno = 0;
	*number_r = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

bool
json_to_double(const json_t *json, double *number_r)
{
	const char *text = json_string_value(json);

	if (text != NULL) {
		*number_r = strtod(text, NULL);
		return !isfinite(*number_r);
	}
	*number_r = json_number_value(json);
	return json_is_number(json);
}

bool
json_to_text(const json_t *json, char **text_r, struct annex_pool *pool)
{
	const json_t *packed = json_object_get(json, "bytes");
	const char *why;
	unsigned char *bytes;
	size_t len;

	if (json_is_string(json)) {
		*text_r = annex_strdup(pool, json_string_value(json));
		return true;
	}
	if (packed == NULL || (bytes = json_to_bytes(packed, &len, pool, &why)) == NULL)
		return false;
	*text_r = annex_strndup(pool, (char *)bytes, len);
	return true;
}
