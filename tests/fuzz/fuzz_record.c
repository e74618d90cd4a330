/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * Any bytes as what a disk may give back.  The first byte says as what:
 *
 *	'v'	key length, key, value: an envelope, which all but never matches
 *	'r'	protobuf, as if the checksum had matched; what decodes goes out as
 *		JSON and comes in again the same
 *	'k'	a key of a table; what is one goes out as JSON and comes in the same
 *	'j'	JSON, as a line of an import
 *	'f'	a data file, which LMDB would map
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/json.h"
#include "tests/unit/store/test_record.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct annex_key_part parts[] = {
	{ "name", ANNEX_KEY_TEXT },
	{ "hash", ANNEX_KEY_BYTES },
	{ "id", ANNEX_KEY_U64 },
	{ 0 },
};
static const struct annex_table table = { 1, "table", parts, &test__record__descriptor, 1 };

static void
try_value(struct annex_pool *pool, const uint8_t *data, size_t size)
{
	size_t key_len = size > 0 ? data[0] : 0, len;
	const char *why = NULL;

	if (size < 1 + key_len)
		return;
	if (record_open(data + 1, key_len, data + 1 + key_len, size - 1 - key_len, &len, &why) ==
	    NULL)
		CHECK(why != NULL);
}

static char *
dump(const ProtobufCMessage *record)
{
	json_t *json = json_of_record(record);
	char *text = json_dumps(json, JSON_COMPACT);

	CHECK(text != NULL);
	json_decref(json);
	return text;
}

static void
try_record(struct annex_pool *pool, const uint8_t *data, size_t size)
{
	ProtobufCMessage *record = record_decode(&test__record__descriptor, data, size, pool);
	const char *why;
	json_t *json;
	char *first, *second;

	if (record == NULL)
		return;
	first = dump(record);
	json = json_loads(first, JSON_REJECT_DUPLICATES, NULL);
	CHECK(json != NULL);
	record = json_to_record(json, &test__record__descriptor, pool, &why);
	CHECK(record != NULL);
	second = dump(record);
	CHECK(strcmp(first, second) == 0);
	json_decref(json);
	free(first);
	free(second);
}

static void
try_key(struct annex_pool *pool, const uint8_t *data, size_t size)
{
	struct annex_key key, again;
	const char *why;
	json_t *json;

	if (key_read(&key, &table, data, size) < 0)
		return;
	json = json_of_key(&key, pool);
	CHECK(json_to_key(json, &table, &again, pool, &why) == ANNEX_OK);
	CHECK(again.len == key.len && memcmp(again.bytes, key.bytes, key.len) == 0);
	CHECK(again.parts == key.parts);
	json_decref(json);
}

static void
try_json(struct annex_pool *pool, const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct annex_key key;
	const char *why = NULL;

	if (json == NULL)
		return;
	if (json_to_record(json, &test__record__descriptor, pool, &why) == NULL)
		CHECK(why != NULL);
	if (json_to_key(json, &table, &key, pool, &why) == ANNEX_OK)
		CHECK(key.len <= key_table_max(&table));
	json_decref(json);
}

static void
try_file(struct annex_pool *pool, const uint8_t *data, size_t size)
{
	int fd = memfd_create("data.mdb", MFD_CLOEXEC);
	const char *why = NULL;
	char path[64];
	bool is_new;

	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (file_check(path, &is_new, pool, &why) < 0)
		CHECK(why != NULL);
	else
		CHECK(is_new ? size <= 2 * (size_t)sysconf(_SC_PAGESIZE) : size > 0);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		char kind;
		void (*fn)(struct annex_pool *pool, const uint8_t *data, size_t size);
	} tries[] = {
		{ 'v', try_value },
		{ 'r', try_record },
		{ 'k', try_key },
		{ 'j', try_json },
		{ 'f', try_file },
	};
	struct annex_pool *pool = annex_pool_create(NULL, "fuzz");

	for (size_t i = 0; size > 0 && i < sizeof(tries) / sizeof(tries[0]); i++)
		if (tries[i].kind == data[0])
			tries[i].fn(pool, data + 1, size - 1);
	annex_pool_destroy(&pool);
	return 0;
}
