/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * form_values.c - what a struct holds that a form is bound to, without a form
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <annex/form.h>
#include <annex/pool.h>

bool
annex_strings_have(const struct annex_strings *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->value[i], text) == 0)
			return true;
	return false;
}

static bool
is_part_of(const struct annex_strings *some, const struct annex_strings *all)
{
	for (size_t i = 0; i < some->count; i++)
		if (!annex_strings_have(all, some->value[i]))
			return false;
	return true;
}

bool
annex_field_equal(const struct annex_field *field, const void *a, const void *b)
{
	const void *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;

	switch (field->member) {
	case ANNEX_MEMBER_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case ANNEX_MEMBER_INT:
		return *(const int64_t *)x == *(const int64_t *)y;
	case ANNEX_MEMBER_TEXT:
		return strcmp(*(const char *const *)x, *(const char *const *)y) == 0;
	case ANNEX_MEMBER_TEXTS:
		return is_part_of(x, y) && is_part_of(y, x);
	}
	return false;
}

struct annex_strings
annex_field_texts(const struct annex_field *field, const void *values, struct annex_pool *pool)
{
	const void *at = (const char *)values + field->offset;
	const char **text;

	if (field->member == ANNEX_MEMBER_TEXTS)
		return *(const struct annex_strings *)at;
	text = annex_new(pool, const char *);
	switch (field->member) {
	case ANNEX_MEMBER_BOOL:
		*text = *(const bool *)at ? "1" : "0";
		break;
	case ANNEX_MEMBER_INT:
		*text = annex_sprintf(pool, "%" PRId64, *(const int64_t *)at);
		break;
	default:
		*text = *(const char *const *)at;
		break;
	}
	return (struct annex_strings) { text, 1 };
}

void
annex_field_set(const struct annex_field *field, void *values, const char *const *value,
    size_t count, struct annex_pool *pool)
{
	void *at = (char *)values + field->offset;
	const char *first = count > 0 ? value[0] : "";
	const char **texts;

	switch (field->member) {
	case ANNEX_MEMBER_BOOL:
		*(bool *)at = strcmp(first, "1") == 0;
		break;
	case ANNEX_MEMBER_INT:
		*(int64_t *)at = strtoll(first, NULL, 10);
		break;
	case ANNEX_MEMBER_TEXT:
		*(const char **)at = annex_strdup(pool, first);
		break;
	case ANNEX_MEMBER_TEXTS:
		texts = annex_new_array(pool, const char *, count + 1);
		for (size_t i = 0; i < count; i++)
			texts[i] = annex_strdup(pool, value[i]);
		*(struct annex_strings *)at = (struct annex_strings) { texts, count };
		break;
	}
}
