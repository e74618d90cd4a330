/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * settings.c - the struct that a form is bound to, as rows of a record
 *
 * Only what differs from a baseline is kept, so that a million nodes that are as
 * most nodes are cost little.  The baseline of a form never changes.
 */
#include <stdlib.h>
#include <string.h>

#include "pubsub.h"

bool
is_in(const struct annex_strings *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->value[i], word) == 0)
			return true;
	return false;
}

/* The same values in whatever order. */
static bool
sets_are_equal(const struct annex_strings *a, const struct annex_strings *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!is_in(b, a->value[i]))
			return false;
	for (size_t i = 0; i < b->count; i++)
		if (!is_in(a, b->value[i]))
			return false;
	return true;
}

static const void *
member(const void *values, const struct annex_field *f)
{
	return (const char *)values + f->offset;
}

bool
field_equal(const struct annex_field *f, const void *a, const void *b)
{
	const void *x = member(a, f), *y = member(b, f);

	switch (f->member) {
	case ANNEX_MEMBER_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case ANNEX_MEMBER_INT:
		return *(const int64_t *)x == *(const int64_t *)y;
	case ANNEX_MEMBER_TEXT:
		return strcmp(*(const char *const *)x, *(const char *const *)y) == 0;
	case ANNEX_MEMBER_TEXTS:
		return sets_are_equal(x, y);
	}
	return false;
}

static void
setting_pack(
    Pubsub__Setting *s, const struct annex_field *f, const void *at, struct annex_pool *pool)
{
	const struct annex_strings *texts = at;

	pubsub__setting__init(s);
	s->var = (char *)(uintptr_t)f->var;
	s->n_value = f->member == ANNEX_MEMBER_TEXTS ? texts->count : 1;
	s->value = annex_new_array(pool, char *, s->n_value + 1);
	switch (f->member) {
	case ANNEX_MEMBER_BOOL:
		s->value[0] = annex_strdup(pool, *(const bool *)at ? "1" : "0");
		break;
	case ANNEX_MEMBER_INT:
		s->value[0] = annex_sprintf(pool, "%lld", (long long)*(const int64_t *)at);
		break;
	case ANNEX_MEMBER_TEXT:
		s->value[0] = annex_strdup(pool, *(const char *const *)at);
		break;
	case ANNEX_MEMBER_TEXTS:
		for (size_t i = 0; i < texts->count; i++)
			s->value[i] = annex_strdup(pool, texts->value[i]);
		break;
	}
}

Pubsub__Setting **
settings_pack(const struct annex_field *fields, const void *values, const void *baseline,
    size_t *count_r, struct annex_pool *pool)
{
	Pubsub__Setting **setting, *s;
	size_t n = 0;

	for (const struct annex_field *f = fields; f->var != NULL; f++)
		n += !field_equal(f, values, baseline);
	setting = annex_new_array(pool, Pubsub__Setting *, n + 1);
	s = annex_new_array(pool, Pubsub__Setting, n + 1);
	*count_r = 0;
	for (const struct annex_field *f = fields; f->var != NULL; f++) {
		if (field_equal(f, values, baseline))
			continue;
		setting_pack(&s[*count_r], f, member(values, f), pool);
		setting[*count_r] = &s[*count_r];
		++*count_r;
	}
	return setting;
}

static void
setting_unpack(
    const Pubsub__Setting *s, const struct annex_field *f, void *at, struct annex_pool *pool)
{
	const char *first = s->n_value > 0 ? s->value[0] : "";
	const char **texts;

	switch (f->member) {
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
		texts = annex_new_array(pool, const char *, s->n_value + 1);
		for (size_t i = 0; i < s->n_value; i++)
			texts[i] = annex_strdup(pool, s->value[i]);
		*(struct annex_strings *)at = (struct annex_strings) { texts, s->n_value };
		break;
	}
}

void
settings_unpack(const struct annex_field *fields, void *values, Pubsub__Setting *const *setting,
    size_t count, struct annex_pool *pool)
{
	for (size_t i = 0; i < count; i++)
		for (const struct annex_field *f = fields; f->var != NULL; f++)
			if (strcmp(setting[i]->var, f->var) == 0)
				setting_unpack(setting[i], f, (char *)values + f->offset, pool);
}
