/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * json_record.c - records as people read them
 *
 * They are walked by their descriptors, so that no component writes a line
 * for this.  protobuf-c keeps a field in a struct at an offset, and whether
 * it is there beside it, in one of four ways (has_, n_, the case of a oneof,
 * or a pointer that is not NULL).
 */
#include "config.h"

#include <string.h>

#include "json.h"

/* --- Out ------------------------------------------------------------------ */

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
		return json_of_i64(*(const int64_t *)at);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)at);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return json_of_u64(*(const uint64_t *)at);
	case PROTOBUF_C_TYPE_FLOAT:
		return json_of_double((double)*(const float *)at);
	case PROTOBUF_C_TYPE_DOUBLE:
		return json_of_double(*(const double *)at);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)at);
	case PROTOBUF_C_TYPE_ENUM:
		return of_enum(field->descriptor, *(const int *)at);
	case PROTOBUF_C_TYPE_STRING:
		return json_of_text(*(const char *const *)at);
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

/* --- In ------------------------------------------------------------------- */

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
	if (!json_to_i64(json, &number) || number < INT32_MIN || number > INT32_MAX)
		return false;
	*number_r = (int)number;
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
		return json_to_i64(json, at);
	default:
		if (!json_to_i64(json, &i) || i < INT32_MIN || i > INT32_MAX)
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
		if (!json_to_double(json, &real))
			return false;
		*(float *)at = (float)real;
		return true;
	case PROTOBUF_C_TYPE_DOUBLE:
		return json_to_double(json, at);
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = json_is_true(json);
		return json_is_boolean(json);
	case PROTOBUF_C_TYPE_ENUM:
		return to_enum(json, field->descriptor, at);
	case PROTOBUF_C_TYPE_STRING:
		return json_to_text(json, at, pool);
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
