/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * json.h - keys and records as people read them
 *
 * Fields go by name, enumerations too; bytes are base64; an integer beyond
 * 2^53, which JSON readers round, is a string.  What a record holds beyond
 * its descriptor is kept under "_unknown".  A part of a key that was cut, or
 * is not UTF-8, stands as {"packed": base64}.
 */
#ifndef STORE_JSON_H
#define STORE_JSON_H

#include <jansson.h>

#include "inside.h"

json_t *json_of_bytes(const void *bytes, size_t len);
json_t *json_of_record(const ProtobufCMessage *record);
json_t *json_of_key(const struct annex_key *key, struct annex_pool *pool);

/* NULL, or ANNEX_EINVAL, and *why is what is wrong. */
unsigned char *
json_to_bytes(const json_t *json, size_t *len_r, struct annex_pool *pool, const char **why);
ProtobufCMessage *json_to_record(const json_t *json, const ProtobufCMessageDescriptor *type,
    struct annex_pool *pool, const char **why);
/* With fewer parts than the table has: a prefix. */
int json_to_key(const json_t *json, const struct annex_table *table, struct annex_key *key_r,
    struct annex_pool *pool, const char **why);

/* An integer or a string of digits. */
bool json_to_u64(const json_t *json, uint64_t *number_r);
bool json_to_i64(const json_t *json, int64_t *number_r);
json_t *json_of_u64(uint64_t number);
json_t *json_of_i64(int64_t number);

/* A number, "inf", "-inf" or "nan". */
bool json_to_double(const json_t *json, double *number_r);
json_t *json_of_double(double number);

/* A string; {"bytes": base64} where it is not UTF-8. */
bool json_to_text(const json_t *json, char **text_r, struct annex_pool *pool);
json_t *json_of_text(const char *text);

#endif /* STORE_JSON_H */
