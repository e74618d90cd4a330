/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * search.c - looking for rooms (XEP-0433)
 *
 * The index of listed rooms holds all that a search looks at and shows, so no
 * room is loaded for one.  A search looks at all of it, a slice at a time (find.c, annex/query.h).
 * Somebody may make so many in a while.
 */
#include <string.h>

#include <annex/limit.h>

#include "search.h"

#define NS_SEARCH "urn:xmpp:channel-search:0:search"
#define NS_SEARCH_ERROR "urn:xmpp:channel-search:0:error"
#define BY_ADDRESS "{urn:xmpp:channel-search:0:order}address"
#define BY_USERS "{urn:xmpp:channel-search:0:order}nusers"
#define PAGE_PRESET 50
#define PAGE_MAX 200
#define TERM_MIN 2
#define SEARCHES_MAX 50 /* at a time; */
#define SEARCHES_OF_ONE 5

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
refuse(const struct search *s, const struct annex_stanza *in, enum annex_condition condition,
    enum annex_error_type type, const char *specific, const char *text)
{
	const struct annex_error error = { .condition = condition,
		.type = type,
		.text = text,
		.app_ns = NS_SEARCH_ERROR,
		.app_name = specific };

	return muc_refuse_with(s->m, in, &error);
}

static void
terms_read(struct search *s)
{
	char *text = (char *)(uintptr_t)words_fold(s->pool, s->f.q), *rest = NULL;

	for (char *term = strtok_r(text, " \t\"'", &rest); term != NULL && s->terms < TERMS_MAX;
	     term = strtok_r(NULL, " \t\"'", &rest))
		if (strlen(term) >= TERM_MIN)
			s->term[s->terms++] = term;
}

/* True where it may go on; else it was refused. */
static bool
form_read(struct search *s, const struct annex_element *x, const struct annex_stanza *in)
{
	const char *why = NULL, *address = annex_form_value(x, "sinaddress");

	s->f = presets;
	if (annex_form_read(&form, x, &s->f, NULL, s->pool, &why) < 0)
		return muc_refuse(s->m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, why), false;
	if (address != NULL) /* §6.1 has one name in its table, its example another */
		s->f.in_address = strcmp(address, "1") == 0 || strcmp(address, "true") == 0;
	if (strcmp(s->f.key, BY_USERS) != 0 && strcmp(s->f.key, BY_ADDRESS) != 0)
		return refuse(s, in, ANNEX_FEATURE_NOT_IMPLEMENTED, ANNEX_ERROR_MODIFY,
			   "invalid-sort-key", NULL),
		       false;
	if (s->f.all && s->f.q[0] != '\0')
		return refuse(s, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "conflicting-fields",
			   "Either all rooms, or those with some words."),
		       false;
	if (!s->f.all && annex_form_value(x, "q") == NULL)
		return refuse(s, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_CANCEL, "no-search-conditions",
			   NULL),
		       false;
	terms_read(s);
	if (!s->f.all && s->terms == 0)
		return refuse(s, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, "invalid-search-terms",
			   "Words must have at least two letters."),
		       false;
	s->by_users = strcmp(s->f.key, BY_USERS) == 0;
	s->wants_rooms = annex_strings_have(&s->f.types, "xep-0045");
	return true;
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

static int
answer(struct annex_instance *inst, void *query, struct annex_stanza *out)
{
	const struct search *s = query;
	struct annex_page_result page = { .has_total = true, .has_index = true };
	struct annex_element *result = annex_add(out->element, NS_SEARCH, "result");
	const Muc__Listed *room;
	const struct place *found;
	size_t count;

	found = find_page(s, &count, &page.index);
	page.id = annex_new_array(out->pool, const char *, count + 1);
	for (size_t i = 0; i < count; i++) {
		if ((room = listed_get(s->m, found[i].room)) == NULL)
			continue; /* since it was looked at */
		add_item(result, s->m, room);
		page.id[page.count++] = found[i].room;
	}
	page.total = s->total;
	annex_page_trim(&page, &s->page, result, annex_send_max(s->m->inst) - 4096);
	annex_page_add(result, &page);
	return annex_send(inst, out);
}

static int
look(struct annex_instance *inst, void *query)
{
	(void)inst;
	return find_more(query) ? ANNEX_OK : ANNEX_AGAIN;
}

static struct annex_error
refusal(const void *query, int status)
{
	(void)query;
	(void)status;
	return (struct annex_error) { .condition = ANNEX_RESOURCE_CONSTRAINT,
		.type = ANNEX_ERROR_WAIT,
		.text = "That were many searches; try again a little later.",
		.app_ns = NS_SEARCH_ERROR,
		.app_name = "rate-limit" };
}

static const struct annex_query_kind finding = {
	.look = look,
	.answer = answer,
	.refusal = refusal,
	.most = SEARCHES_MAX,
	.most_each = SEARCHES_OF_ONE,
};

void
search_init(struct muc *m)
{
	m->searches = annex_buckets_create(annex_pool(m->inst), 0.5, 10, 1000);
	m->finding = annex_queries(m->inst, &finding);
}

static enum annex_verdict
begin(struct search *s, const struct annex_stanza *in, struct annex_pool **pool)
{
	struct annex_error often = refusal(s, ANNEX_ELIMIT);
	int r;

	if (!annex_buckets_take(s->m->searches, in->from->bare, 1, annex_now_ms(s->m->inst)))
		return muc_refuse_with(s->m, in, &often);
	if ((r = annex_page_read(&s->page, in->payload, PAGE_PRESET, PAGE_MAX)) == ANNEX_OK)
		r = find_begin(s);
	if (r == ANNEX_OK)
		return annex_query(s->m->finding, in, 0, pool, s);
	return muc_refuse(s->m, in,
	    r == ANNEX_EINVAL       ? ANNEX_BAD_REQUEST
		: r == ANNEX_ELIMIT ? ANNEX_FEATURE_NOT_IMPLEMENTED
				    : ANNEX_ITEM_NOT_FOUND,
	    ANNEX_ERROR_DEFAULT, NULL);
}

static enum annex_verdict
show_form(struct muc *m, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_reply(m->inst, in);

	annex_form_add(annex_add(out->element, NS_SEARCH, "search"), &form, "form", &presets);
	muc_answer(m, in, out);
	return ANNEX_DONE;
}

enum annex_verdict
muc_search(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	const struct annex_element *x = annex_child(in->payload, ANNEX_NS_FORM, "x");
	enum annex_verdict verdict = ANNEX_DONE;
	struct annex_pool *pool;
	struct search *s;

	if (in->to->local != NULL)
		return ANNEX_PASS;
	if (x == NULL)
		return show_form(m, in);
	pool = annex_pool_create(annex_pool(inst), "search");
	s = annex_new(pool, struct search);
	s->m = m;
	s->pool = pool;
	if (form_read(s, x, in))
		verdict = begin(s, in, &pool);
	annex_pool_destroy(&pool);
	return verdict;
}
