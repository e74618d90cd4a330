/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * search.c - looking for rooms (XEP-0433)
 *
 * The index of listed rooms holds all that a search looks at and shows, so no
 * room is loaded for one.  A search looks at a bounded part of the index, and
 * somebody may make so many at a time.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/limit.h>
#include <annex/rsm.h>

#include "muc.h"

#define NS_SEARCH "urn:xmpp:channel-search:0:search"
#define NS_SEARCH_ERROR "urn:xmpp:channel-search:0:error"
#define BY_ADDRESS "{urn:xmpp:channel-search:0:order}address"
#define BY_USERS "{urn:xmpp:channel-search:0:order}nusers"
#define PAGE_PRESET 50
#define PAGE_MAX 200
#define LOOK_MAX 5000
#define TERMS_MAX 10
#define TERM_MIN 2

struct search_form {
	const char *q, *key;
	bool all, in_name, in_desc, in_address;
	int64_t min_users;
	struct annex_strings types;
};

static const struct annex_choice types[] = { { "xep-0045", "Multi-User Chat" }, { 0 } };
static const struct annex_choice keys[] = {
	{ BY_USERS, "Number of occupants" },
	{ BY_ADDRESS, "Address" },
	{ 0 },
};

#define FIELD(member, var, type, label, ...) \
	ANNEX_FIELD(struct search_form, member, var, type, label, __VA_ARGS__)

/* §6.1; values beside the choices have an error or a meaning of their own. */
static const struct annex_field fields[] = {
	FIELD(q, "q", ANNEX_TEXT_SINGLE, "Search for", .max = 200),
	FIELD(all, "all", ANNEX_BOOLEAN, "All rooms", ),
	FIELD(in_name, "sinname", ANNEX_BOOLEAN, "Search in names", ),
	FIELD(in_desc, "sindescription", ANNEX_BOOLEAN, "Search in descriptions", ),
	FIELD(in_address, "sinaddr", ANNEX_BOOLEAN, "Search in addresses", ),
	FIELD(min_users, "min_users", ANNEX_TEXT_SINGLE, "Occupants at least", .min = 0,
	    .max = 1000000, .datatype = "xs:integer"),
	FIELD(types, "types", ANNEX_LIST_MULTI, "Kinds of rooms", .choices = types, .open = true),
	FIELD(key, "key", ANNEX_LIST_SINGLE, "In the order of", .choices = keys, .open = true),
	{ 0 },
};

static const struct annex_form form = {
	.type = "urn:xmpp:channel-search:0:search-params",
	.fields = fields,
};

static const char *const known_types[] = { "xep-0045" };
static const struct search_form presets = {
	.q = "",
	.key = BY_USERS,
	.in_name = true,
	.in_desc = true,
	.in_address = true,
	.types = { known_types, 1 },
};

struct looking {
	struct muc *m;
	struct search_form f;
	const char *term[TERMS_MAX];
	size_t terms;
	const Muc__Listed **found;
	size_t count;
};

/* As search terms are compared: in lower case, as far as addresses would be. */
const char *
words_fold(struct annex_pool *pool, const char *text)
{
	char *copy = annex_strdup(pool, text), *rest = NULL;
	char *all = annex_pool_alloc(pool, 3 * strlen(text) + 1), *at = all;

	for (char *word = strtok_r(copy, " \t\r\n", &rest); word != NULL;
	     word = strtok_r(NULL, " \t\r\n", &rest)) {
		const char *folded =
		    strlen(word) < ANNEX_JID_PART_MAX / 4 ? nick_fold(pool, word) : word;
		size_t len = strlen(folded);

		if (len > 2 * strlen(word)) /* of nothing that people write */
			folded = word, len = strlen(word);
		if (at > all)
			*at++ = ' ';
		memcpy(at, folded, len);
		at += len;
	}
	*at = '\0';
	return all;
}

/* --- What is asked for (§4.2.2) --------------------------------------------------- */

static enum annex_verdict
refuse(const struct looking *l, const struct annex_stanza *in, enum annex_condition condition,
    enum annex_error_type type, const char *specific, const char *text)
{
	const struct annex_error error = { .condition = condition,
		.type = type,
		.text = text,
		.app_ns = NS_SEARCH_ERROR,
		.app_name = specific };

	return muc_refuse_with(l->m, in, &error);
}

static void
terms_read(struct looking *l, struct annex_pool *pool)
{
	char *text = (char *)(uintptr_t)words_fold(pool, l->f.q), *rest = NULL;

	for (char *term = strtok_r(text, " \t\"'", &rest); term != NULL && l->terms < TERMS_MAX;
	     term = strtok_r(NULL, " \t\"'", &rest))
		if (strlen(term) >= TERM_MIN)
			l->term[l->terms++] = term;
}

/* True where it may go on; else it was refused. */
static bool
form_read(struct looking *l, const struct annex_element *x, const struct annex_stanza *in)
{
	const char *why = NULL, *address = annex_form_value(x, "sinaddress");

	l->f = presets;
	if (annex_form_read(&form, x, &l->f, NULL, in->pool, &why) < 0)
		return muc_refuse(l->m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, why), false;
	if (address != NULL) /* §6.1 has one name in its table, its example another */
		l->f.in_address = strcmp(address, "1") == 0 || strcmp(address, "true") == 0;
	if (strcmp(l->f.key, BY_USERS) != 0 && strcmp(l->f.key, BY_ADDRESS) != 0)
		return refuse(l, in, ANNEX_FEATURE_NOT_IMPLEMENTED, ANNEX_ERROR_MODIFY,
			   "invalid-sort-key", NULL),
		       false;
	if (l->f.all && l->f.q[0] != '\0')
		return refuse(l, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "conflicting-fields",
			   "Either all rooms, or those with some words."),
		       false;
	if (!l->f.all && annex_form_value(x, "q") == NULL)
		return refuse(l, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_CANCEL, "no-search-conditions",
			   NULL),
		       false;
	terms_read(l, in->pool);
	if (!l->f.all && l->terms == 0)
		return refuse(l, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "invalid-search-terms",
			   "Words must have at least two letters."),
		       false;
	return true;
}

/* --- Looking ---------------------------------------------------------------------- */

static bool
has_term(const struct looking *l, const Muc__Listed *room, const char *term)
{
	return (l->f.in_name && strstr(room->name_folded, term) != NULL) ||
	    (l->f.in_desc && strstr(room->desc_folded, term) != NULL) ||
	    (l->f.in_address && strstr(room->room, term) != NULL);
}

static bool
is_wanted(const struct looking *l, const Muc__Listed *room)
{
	if ((int64_t)room->occupants < l->f.min_users ||
	    !annex_strings_have(&l->f.types, "xep-0045"))
		return false;
	for (size_t i = 0; i < l->terms; i++)
		if (!has_term(l, room, l->term[i]))
			return false;
	return true;
}

static int
compare_users(const void *a, const void *b)
{
	const Muc__Listed *x = *(const Muc__Listed *const *)a, *y = *(const Muc__Listed *const *)b;

	if (x->occupants != y->occupants)
		return x->occupants > y->occupants ? -1 : 1;
	return strcmp(x->room, y->room);
}

static void
look(struct looking *l, struct annex_pool *pool)
{
	struct annex_key prefix = annex_key(&muc_tables[TABLE_LISTED]);
	struct annex_iter it = annex_iter(&prefix);
	size_t looked = 0;

	l->found = annex_new_array(pool, const Muc__Listed *, LOOK_MAX);
	while (looked++ < LOOK_MAX && annex_next(l->m->store, &it) == ANNEX_AGAIN)
		if (is_wanted(l, (const Muc__Listed *)it.record))
			l->found[l->count++] = (const Muc__Listed *)it.record;
	if (l->count > 0 && strcmp(l->f.key, BY_USERS) == 0)
		qsort(l->found, l->count, sizeof(*l->found), compare_users);
}

void
search_init(struct muc *m)
{
	m->searches = annex_buckets_create(annex_pool(m->inst), 0.5, 10, 1000);
}

static const char *
name_of(const void *item)
{
	return ((const Muc__Listed *)item)->room;
}

/* --- Answering (§6.2) --------------------------------------------------------------- */

static void
add_item(struct annex_element *result, struct muc *m, const Muc__Listed *room)
{
	struct annex_element *item = annex_add(result, NULL, "item");

	annex_attr_setf(item, "address", "%s@%s", room->room, annex_domain(m->inst));
	annex_add_text(item, NULL, "name", room->name[0] != '\0' ? room->name : room->room);
	if (room->desc[0] != '\0')
		annex_add_text(item, NULL, "description", room->desc);
	if (room->lang[0] != '\0')
		annex_add_text(item, NULL, "language", room->lang);
	annex_text_appendf(
	    annex_add(item, NULL, "nusers"), "%llu", (unsigned long long)room->occupants);
	annex_add_text(item, NULL, "service-type", "xep-0045");
	annex_add_text(item, NULL, "is-open", room->is_open ? "true" : "false");
	annex_add_text(item, NULL, "anonymity-mode",
	    room->shows_jids ? "{urn:xmpp:channel-search:0:anonymity}none" : "muc_semianonymous");
}

static enum annex_verdict
answer(struct looking *l, const struct annex_stanza *in)
{
	struct annex_array array = { (void *const *)(const void *)l->found, l->count, name_of };
	struct annex_source source = annex_array_source(&array);
	struct annex_page_result found;
	struct annex_page page;
	struct annex_stanza *out;
	struct annex_element *result;

	if (annex_page_read(&page, in->payload, PAGE_PRESET, PAGE_MAX) < 0)
		return muc_refuse(l->m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	if (annex_page_fetch(&source, &page, in->pool, &found) < 0)
		return muc_refuse(l->m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, NULL);
	out = annex_reply(l->m->inst, in);
	result = annex_add(out->element, NS_SEARCH, "result");
	for (size_t i = 0; i < found.count; i++)
		add_item(result, l->m, found.item[i]);
	annex_page_add(result, &found);
	muc_answer(l->m, in, out);
	return ANNEX_DONE;
}

enum annex_verdict
muc_search(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct looking l = { .m = annex_state(inst) };
	const struct annex_element *x = annex_child(in->payload, ANNEX_NS_FORM, "x");
	struct annex_stanza *out;

	if (in->to->local != NULL)
		return ANNEX_PASS;
	if (x == NULL) {
		out = annex_reply(inst, in);
		annex_form_add(
		    annex_add(out->element, NS_SEARCH, "search"), &form, "form", &presets);
		muc_answer(l.m, in, out);
		return ANNEX_DONE;
	}
	if (!form_read(&l, x, in))
		return ANNEX_DONE;
	if (!annex_buckets_take(l.m->searches, in->from->bare, 1, annex_now_ms(inst)))
		return refuse(&l, in, ANNEX_RESOURCE_CONSTRAINT, ANNEX_ERROR_WAIT, "rate-limit",
		    "That were many searches; try again a little later.");
	look(&l, in->pool);
	return answer(&l, in);
}
