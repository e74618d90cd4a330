/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco_info.c - what an address says of itself, collected and rendered
 *
 * Identities and features are sorted and each said once, then come the forms
 * (XEP-0128), as the schema of XEP-0030 and the hash of XEP-0115 §5 want
 * them.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/caps.h>

#include "disco_inside.h"
#include "instance.h"
#include "service.h"

struct annex_disco_info *
disco_info_create(struct annex_instance *inst)
{
	struct annex_disco_info *info = annex_new(inst->scratch, struct annex_disco_info);

	info->inst = inst;
	info->pool = inst->scratch;
	info->forms = annex_element(info->pool, ANNEX_NS_DISCO_INFO, "query");
	return info;
}

/* Room for one more of size bytes each, in a pool that does not resize. */
static void *
grow(struct annex_pool *pool, void *array, size_t count, size_t *room, size_t size)
{
	void *larger;

	if (count < *room)
		return array;
	*room = *room == 0 ? 16 : *room * 2;
	larger = annex_pool_array(pool, *room, size);
	if (count > 0)
		memcpy(larger, array, count * size);
	return larger;
}

void
annex_disco_identity(
    struct annex_disco_info *info, const char *category, const char *type, const char *name)
{
	struct annex_identity *i;

	info->identity = grow(info->pool, info->identity, info->identities, &info->identity_room,
	    sizeof(*info->identity));
	i = &info->identity[info->identities++];
	i->category = annex_strdup(info->pool, category);
	i->type = annex_strdup(info->pool, type);
	i->name = annex_strdup(info->pool, name);
}

void
annex_disco_feature(struct annex_disco_info *info, const char *feature)
{
	info->feature = grow(
	    info->pool, info->feature, info->features, &info->feature_room, sizeof(*info->feature));
	info->feature[info->features++] = annex_strdup(info->pool, feature);
}

struct annex_element *
annex_disco_query(struct annex_disco_info *info)
{
	return info->forms;
}

/* --- Rendering ----------------------------------------------------------- */

static int
compare_texts(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int
compare_identities(const void *a, const void *b)
{
	const struct annex_identity *x = a, *y = b;
	int order = strcmp(x->category, y->category);

	if (order == 0)
		order = strcmp(x->type, y->type);
	return order != 0 ? order : compare_texts(x->name, y->name);
}

static int
compare_features(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
render_identities(struct annex_disco_info *info, struct annex_element *query)
{
	struct annex_element *el;

	if (info->identities > 0)
		qsort(
		    info->identity, info->identities, sizeof(*info->identity), compare_identities);
	for (size_t i = 0; i < info->identities; i++) {
		const struct annex_identity *id = &info->identity[i];

		if (i > 0 && compare_identities(id, id - 1) == 0)
			continue;
		el = annex_add(query, NULL, "identity");
		annex_attr_set(el, "category", id->category);
		annex_attr_set(el, "type", id->type);
		annex_attr_set(el, "name", id->name);
	}
}

void
disco_info_render(struct annex_disco_info *info, struct annex_element *query)
{
	render_identities(info, query);
	if (info->features > 0)
		qsort(info->feature, info->features, sizeof(*info->feature), compare_features);
	for (size_t i = 0; i < info->features; i++)
		if (i == 0 || strcmp(info->feature[i], info->feature[i - 1]) != 0)
			annex_attr_set(annex_add(query, NULL, "feature"), "var", info->feature[i]);
	annex_add_copies(query, info->forms);
}
