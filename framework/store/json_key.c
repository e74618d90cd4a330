/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * json_key.c - keys as people read them
 */
#include "config.h"

#include "base/utf8.h"

#include "json.h"

json_t *
json_of_key(const struct annex_key *key, struct annex_pool *pool)
{
	json_t *object = json_object(), *value;
	struct key_part part;
	size_t at = 2, len;
	unsigned char *whole;
	int n;

	for (unsigned i = 0; i < key->parts; i++, at += (size_t)n) {
		n = key_part_read(&part, key->table->key[i].type, key->bytes + at, key->len - at);
		CHECK(n >= 0);
		whole = part.type == ANNEX_KEY_U64 ? NULL : key_part_value(&part, pool, &len);
		if (part.type == ANNEX_KEY_U64)
			value = json_of_u64(part.number);
		else if (part.whole && part.type == ANNEX_KEY_BYTES)
			value = json_of_bytes(whole, len);
		else if (part.whole && utf8_is_valid((char *)whole, len))
			value = json_string((char *)whole);
		else
			value =
			    json_pack("{so}", "packed", json_of_bytes(key->bytes + at, (size_t)n));
		json_object_set_new(object, key->table->key[i].name, value);
	}
	return object;
}

static bool
to_packed(const json_t *json, struct annex_key *key, const struct annex_key_part *part,
    struct annex_pool *pool, const char **why)
{
	struct key_part read;
	size_t len;
	unsigned char *bytes = json_to_bytes(json, &len, pool, why);

	*why = "is no packed part";
	if (bytes == NULL || key_part_read(&read, part->type, bytes, len) != (int)len)
		return false;
	key_append(key, bytes, len);
	key->parts++;
	return true;
}

static bool
to_part(const json_t *json, struct annex_key *key, struct annex_pool *pool, const char **why)
{
	const struct annex_key_part *part = &key->table->key[key->parts];
	const json_t *packed = json_object_get(json, "packed");
	unsigned char *bytes;
	uint64_t number;
	size_t len;

	if (packed != NULL)
		return to_packed(packed, key, part, pool, why);
	*why = "has a value of the wrong kind";
	switch (part->type) {
	case ANNEX_KEY_U64:
		if (!json_to_u64(json, &number))
			return false;
		annex_key_u64(key, number);
		return true;
	case ANNEX_KEY_TEXT:
		if (!json_is_string(json))
			return false;
		annex_key_text(key, json_string_value(json));
		return true;
	case ANNEX_KEY_BYTES:
		if ((bytes = json_to_bytes(json, &len, pool, why)) == NULL)
			return false;
		annex_key_bytes(key, bytes, len);
		return true;
	}
	return false;
}

int
json_to_key(const json_t *json, const struct annex_table *table, struct annex_key *key_r,
    struct annex_pool *pool, const char **why)
{
	const json_t *value;

	*key_r = annex_key(table);
	for (unsigned i = 0; table->key[i].name != NULL; i++) {
		value = json_object_get(json, table->key[i].name);
		if (value == NULL)
			break;
		if (!to_part(value, key_r, pool, why)) {
			*why = annex_sprintf(
			    pool, "the part \"%s\" of the key %s", table->key[i].name, *why);
			return ANNEX_EINVAL;
		}
	}
	if (key_r->parts != json_object_size(json)) {
		*why = "the key has other parts than its table";
		return ANNEX_EINVAL;
	}
	return ANNEX_OK;
}
