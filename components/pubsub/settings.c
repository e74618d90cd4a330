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

static void
setting_pack(
    Pubsub__Setting *s, const struct annex_field *f, const void *values, struct annex_pool *pool)
{
	const struct annex_strings texts = annex_field_texts(f, values, pool);

	pubsub__setting__init(s);
	s->var = (char *)(uintptr_t)f->var;
	s->n_value = texts.count;
	s->value = (char **)(uintptr_t)texts.value;
}

Pubsub__Setting **
settings_pack(const struct annex_field *fields, const void *values, const void *baseline,
    size_t *count_r, struct annex_pool *pool)
{
	Pubsub__Setting **setting, *s;
	size_t n = 0;

	for (const struct annex_field *f = fields; f->var != NULL; f++)
		n += !annex_field_equal(f, values, baseline);
	setting = annex_new_array(pool, Pubsub__Setting *, n + 1);
	s = annex_new_array(pool, Pubsub__Setting, n + 1);
	*count_r = 0;
	for (const struct annex_field *f = fields; f->var != NULL; f++) {
		if (annex_field_equal(f, values, baseline))
			continue;
		setting_pack(&s[*count_r], f, values, pool);
		setting[*count_r] = &s[*count_r];
		++*count_r;
	}
	return setting;
}

void
settings_unpack(const struct annex_field *fields, void *values, Pubsub__Setting *const *setting,
    size_t count, struct annex_pool *pool)
{
	for (size_t i = 0; i < count; i++)
		for (const struct annex_field *f = fields; f->var != NULL; f++)
			if (strcmp(setting[i]->var, f->var) == 0)
				annex_field_set(f, values, (const char *const *)setting[i]->value,
				    setting[i]->n_value, pool);
}
