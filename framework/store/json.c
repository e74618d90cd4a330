/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * json.c - keys and records as people read them
 *
 * Records are walked by their descriptors, so that no component writes a
 * line for this.  protobuf-c keeps a field in a struct at an offset, and
 * whether it is there beside it, in one of four ways (has_, n_, the case of a
 * oneof, or a pointer that is not NULL).
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

/* --- Values out ---------------------------------------------------------- */

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

static json_t *
of_i64(int64_t number)
{
	char text[24];

	if (number >= -(int64_t)EXACT_MAX && number <= (int64_t)EXACT_MAX)
		return json_integer(number);
	snprintf(text, sizeof(text), "%lld", (long long)number);
	return json_string(text);
}

static json_t *
of_double(double number)
{
	if (isnan(number))
		return json_string("nan");
	if (isinf(number))
		return json_string(number > 0 ? "inf" : "-inf");
	return json_real(number);
}

static json_t *
of_text(const char *text)
{
	if (utf8_is_valid(text, strlen(text)))
		return json_string(text);
	return json_pack("{so}", "bytes", json_of_bytes(text, strlen(text)));
}

static json_t *
of_enum(const ProtobufCEnumDescriptor *type, int number)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);

	return value != NULL ? json_string(value->name) : json_integer(number);
}

static json_t *
of_value(const ProtobufCFieldDescriptor *field, const void *at)
{
	const ProtobufCBinaryData *bytes = at;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return json_integer(*(const int32_t *)at);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return of_i64(*(const int64_t *)at);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)at);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return json_of_u64(*(const uint64_t *)at);
	case PROTOBUF_C_TYPE_FLOAT:
		return of_double((double)*(const float *)at);
	case PROTOBUF_C_TYPE_DOUBLE:
		return of_double(*(const double *)at);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)at);
	case PROTOBUF_C_TYPE_ENUM:
		return of_enum(field->descriptor, *(const int *)at);
	case PROTOBUF_C_TYPE_STRING:
		return of_text(*(const char *const *)at);
	case PROTOBUF_C_TYPE_BYTES:
		return json_of_bytes(bytes->data, bytes->len);
	case PROTOBUF_C_TYPE_MESSAGE:
		return json_of_record(*(const ProtobufCMessage *const *)at);
	}
	return NULL;
}

static size_t
value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 4;
	}
}

static bool
is_pointer(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
}

/* A field without presence (proto3): it is there when it is not zero. */
static bool
is_filled(const ProtobufCFieldDescriptor *field, const void *at)
{
	static const unsigned char zeroes[16];
	const ProtobufCBinaryData *bytes = at;

	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return bytes->len > 0;
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return *(const char *const *)at != NULL && **(const char *const *)at != '\0';
	return memcmp(at, zeroes, value_size(field->type)) != 0;
}

static bool
is_there(const ProtobufCMessage *record, const ProtobufCFieldDescriptor *field)
{
	const char *at = (const char *)record + field->offset;
	const char *quantifier = (const char *)record + field->quantifier_offset;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(const void *)quantifier == field->id;
	switch (field->label) {
	case PROTOBUF_C_LABEL_REQUIRED:
		return true;
	case PROTOBUF_C_LABEL_OPTIONAL:
		if (is_pointer(field))
			return *(const void *const *)(const void *)at != NULL &&
			    *(const void *const *)(const void *)at != field->default_value;
		return *(const protobuf_c_boolean *)(const void *)quantifier;
	default:
		return is_filled(field, at);
	}
}

static json_t *
of_repeated(const ProtobufCMessage *record, const ProtobufCFieldDescriptor *field)
{
	size_t n = *(const size_t *)(const void *)((const char *)record + field->quantifier_offset);
	const char *at = *(const char *const *)(const void *)((const char *)record + field->offset);
	json_t *list;

	if (n == 0)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, of_value(field, at + i * value_size(field->type)));
	return list;
}

static void
add_unknown(json_t *object, const ProtobufCMessage *record)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < record->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *u = &record->unknown_fields[i];

		json_array_append_new(list,
		    json_pack("{sI si so}", "number", (json_int_t)u->tag, "wire", (int)u->wire_type,
			"bytes", json_of_bytes(u->data, u->len)));
	}
	json_object_set_new(object, "_unknown", list);
}

json_t *
json_of_record(const ProtobufCMessage *record)
{
	json_t *object = json_object(), *value;

	for (unsigned i = 0; i < record->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &record->descriptor->fields[i];

		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			value = of_repeated(record, field);
		else if (is_there(record, field))
			value = of_value(field, (const char *)record + field->offset);
		else
			value = NULL;
		if (value != NULL)
			json_object_set_new(object, field->name, value);
	}
	if (record->n_unknown_fields > 0)
		add_unknown(object, record);
	return object;
}

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

/* --- Values in ------------------------------------------------------------ */

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

static bool
to_i64(const json_t *json, int64_t *number_r)
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

static bool
to_double(const json_t *json, double *number_r)
{
	const char *text = json_string_value(json);

	if (text != NULL) {
		*number_r = strtod(text, NULL);
		return !isfinite(*number_r);
	}
	*number_r = json_number_value(json);
	return json_is_number(json);
}

static bool
to_enum(const json_t *json, const ProtobufCEnumDescriptor *type, int *number_r)
{
	const ProtobufCEnumValue *value;
	int64_t number;

	if (json_is_string(json)) {
		value = protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(json));
		*number_r = value != NULL ? value->value : 0;
		return value != NULL;
	}
	if (!to_i64(json, &number) || number < INT32_MIN || number > INT32_MAX)
		return false;
	*number_r = (int)number;
	return true;
}

static bool
to_text(const json_t *json, char **text_r, struct annex_pool *pool)
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

static bool
to_number(const json_t *json, ProtobufCType type, void *at)
{
	int64_t i = 0;
	uint64_t u = 0;

	switch (type) {
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return json_to_u64(json, at);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		if (!json_to_u64(json, &u) || u > UINT32_MAX)
			return false;
		*(uint32_t *)at = (uint32_t)u;
		return true;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return to_i64(json, at);
	default:
		if (!to_i64(json, &i) || i < INT32_MIN || i > INT32_MAX)
			return false;
		*(int32_t *)at = (int32_t)i;
		return true;
	}
}

static bool
to_value(const json_t *json, const ProtobufCFieldDescriptor *field, void *at,
    struct annex_pool *pool, const char **why)
{
	ProtobufCBinaryData *bytes = at;
	double real;

	*why = "has a value of the wrong kind";
	switch (field->type) {
	case PROTOBUF_C_TYPE_FLOAT:
		if (!to_double(json, &real))
			return false;
		*(float *)at = (float)real;
		return true;
	case PROTOBUF_C_TYPE_DOUBLE:
		return to_double(json, at);
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = json_is_true(json);
		return json_is_boolean(json);
	case PROTOBUF_C_TYPE_ENUM:
		return to_enum(json, field->descriptor, at);
	case PROTOBUF_C_TYPE_STRING:
		return to_text(json, at, pool);
	case PROTOBUF_C_TYPE_BYTES:
		bytes->data = json_to_bytes(json, &bytes->len, pool, why);
		return bytes->data != NULL;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)at = json_to_record(json, field->descriptor, pool, why);
		return *(ProtobufCMessage **)at != NULL;
	default:
		return to_number(json, field->type, at);
	}
}

static bool
to_repeated(const json_t *json, const ProtobufCFieldDescriptor *field, char *record,
    struct annex_pool *pool, const char **why)
{
	size_t n = json_array_size(json), size = value_size(field->type);
	char *list = annex_pool_zalloc(pool, n * size + 1);

	*why = "is not a list";
	if (!json_is_array(json))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!to_value(json_array_get(json, i), field, list + i * size, pool, why))
			return false;
	*(size_t *)(void *)(record + field->quantifier_offset) = n;
	*(void **)(void *)(record + field->offset) = list;
	return true;
}

static bool
to_field(const json_t *json, const ProtobufCFieldDescriptor *field, char *record,
    struct annex_pool *pool, const char **why)
{
	char *quantifier = record + field->quantifier_offset;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return to_repeated(json, field, record, pool, why);
	if (!to_value(json, field, record + field->offset, pool, why))
		return false;
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		*(uint32_t *)(void *)quantifier = field->id;
	else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !is_pointer(field))
		*(protobuf_c_boolean *)(void *)quantifier = 1;
	return true;
}

static bool
to_unknown(const json_t *list, ProtobufCMessage *record, struct annex_pool *pool, const char **why)
{
	size_t n = json_array_size(list);

	record->unknown_fields =
	    annex_pool_array(pool, n + 1, sizeof(ProtobufCMessageUnknownField));
	for (size_t i = 0; i < n; i++) {
		ProtobufCMessageUnknownField *u = &record->unknown_fields[i];
		const json_t *field = json_array_get(list, i);
		uint64_t number, wire;

		if (!json_to_u64(json_object_get(field, "number"), &number) ||
		    number > UINT32_MAX || !json_to_u64(json_object_get(field, "wire"), &wire) ||
		    wire > 5) {
			*why = "is no list of unknown fields";
			return false;
		}
		u->tag = (uint32_t)number;
		u->wire_type = (ProtobufCWireType)wire;
		u->data = json_to_bytes(json_object_get(field, "bytes"), &u->len, pool, why);
		if (u->data == NULL)
			return false;
		record->n_unknown_fields = (unsigned)i + 1;
	}
	return true;
}

ProtobufCMessage *
json_to_record(const json_t *json, const ProtobufCMessageDescriptor *type, struct annex_pool *pool,
    const char **why)
{
	ProtobufCMessage *record = annex_pool_zalloc(pool, type->sizeof_message);
	const ProtobufCFieldDescriptor *field;
	const char *name;
	json_t *value;
	bool good;

	if (!json_is_object(json)) {
		*why = "is not an object";
		return NULL;
	}
	protobuf_c_message_init(type, record);
	json_object_foreach((json_t *)(uintptr_t)json, name, value)
	{
		field = protobuf_c_message_descriptor_get_field_by_name(type, name);
		if (strcmp(name, "_unknown") == 0)
			good = to_unknown(value, record, pool, why);
		else if (field != NULL)
			good = to_field(value, field, (char *)record, pool, why);
		else {
			good = false;
			*why = "is not known";
		}
		if (!good) {
			*why = annex_sprintf(pool, "the field \"%s\" %s", name, *why);
			return NULL;
		}
	}
	return record;
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
