/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * mam.c - queries to archives (XEP-0313): a form in, results and their end out
 */
#include <string.h>

#include <annex/datetime.h>
#include <annex/mam.h>
#include <annex/pool.h>

#define NS_FORWARD "urn:xmpp:forward:0"

/* --- What is asked ------------------------------------------------------------ */

struct filter {
	const char *fulltext, *with, *start, *end, *before_id, *after_id;
	struct annex_strings ids;
};

#define FIELD(member, var, type, label, ...) \
	ANNEX_FIELD(struct filter, member, var, type, label, __VA_ARGS__)

/* Those that are offered begin with the second where full text is not. */
static const struct annex_field filter_fields[] = {
	FIELD(fulltext, "{" ANNEX_NS_FULLTEXT "}fulltext", ANNEX_TEXT_SINGLE, "Words in it", ),
	FIELD(with, "with", ANNEX_JID_SINGLE, "Of whom", ),
	FIELD(start, "start", ANNEX_TEXT_SINGLE, "From", .datatype = "xs:dateTime"),
	FIELD(end, "end", ANNEX_TEXT_SINGLE, "Until", .datatype = "xs:dateTime"),
	FIELD(before_id, "before-id", ANNEX_TEXT_SINGLE, "Before the message", ),
	FIELD(after_id, "after-id", ANNEX_TEXT_SINGLE, "After the message", ),
	FIELD(ids, "ids", ANNEX_LIST_MULTI, "These messages", .open = true,
	    .most = ANNEX_MAM_IDS_MAX),
	{ 0 },
};

static struct annex_form
form_of(bool fulltext)
{
	return (struct annex_form) { .type = ANNEX_NS_MAM,
		.fields = fulltext ? filter_fields : filter_fields + 1 };
}

static bool
is_known(const struct annex_form *form, const char *var)
{
	for (const struct annex_field *f = form->fields; f->var != NULL; f++)
		if (strcmp(f->var, var) == 0)
			return true;
	return strcmp(var, "FORM_TYPE") == 0;
}

static int
fields_read(const struct annex_form *form, const struct annex_element *x, struct filter *f,
    struct annex_pool *pool, const char **why)
{
	if (x == NULL)
		return ANNEX_OK;
	ANNEX_CHILDREN (x, field) {
		const char *var = annex_attr(field, "var");

		if (!annex_is(field, ANNEX_NS_FORM, "field") || var == NULL || is_known(form, var))
			continue;
		*why = annex_sprintf(pool, "%s: there is no such filter.", var);
		return ANNEX_EDENIED;
	}
	return annex_form_read(form, x, f, NULL, pool, why) < 0 ? ANNEX_EINVAL : ANNEX_OK;
}

static int
time_read(const char *text, int64_t *ms, const char **why)
{
	if (text[0] == '\0' || annex_datetime_read(text, ms) == ANNEX_OK)
		return ANNEX_OK;
	*why = "start and end are dates.";
	return ANNEX_EINVAL;
}

static const char *
given(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

/* Each result of the page repeats it. */
#define QUERY_ID_MAX 255

int
annex_mam_read(struct annex_mam_query *query_r, const struct annex_element *query, bool fulltext,
    struct annex_pool *pool, const char **why)
{
	const struct annex_form form = form_of(fulltext);
	const struct annex_element *x = annex_form_find(query, ANNEX_NS_MAM);
	struct filter f = { "", "", "", "", "", "", { 0 } };
	struct annex_mam_query q = { .start_ms = INT64_MIN, .end_ms = INT64_MAX };
	int r;

	*why = NULL;
	if ((r = fields_read(&form, x, &f, pool, why)) < 0)
		return r;
	if (time_read(f.start, &q.start_ms, why) < 0 || time_read(f.end, &q.end_ms, why) < 0)
		return ANNEX_EINVAL;
	if (f.with[0] != '\0' && (q.with = annex_jid(pool, f.with)) == NULL)
		return ANNEX_EINVAL;
	q.query_id = annex_attr(query, "queryid");
	if (q.query_id != NULL && strlen(q.query_id) > QUERY_ID_MAX) {
		*why = "queryid is too long.";
		return ANNEX_EINVAL;
	}
	q.node = annex_attr(query, "node");
	q.before_id = given(f.before_id);
	q.after_id = given(f.after_id);
	q.ids = f.ids;
	q.fulltext = given(f.fulltext);
	q.flip = annex_child(query, ANNEX_NS_MAM, "flip-page") != NULL;
	*query_r = q;
	return ANNEX_OK;
}

void
annex_mam_form_add(struct annex_element *query, bool fulltext)
{
	const struct annex_form form = form_of(fulltext);

	annex_form_add(query, &form, "form", NULL);
}

/* --- What is answered ----------------------------------------------------------- */

struct annex_element *
annex_mam_result_add(
    struct annex_element *message, const char *query_id, const char *id, int64_t stamp_ms)
{
	struct annex_element *result = annex_add(message, ANNEX_NS_MAM, "result"), *forwarded;

	annex_attr_set(result, "queryid", query_id);
	annex_attr_set(result, "id", id);
	forwarded = annex_add(result, NS_FORWARD, "forwarded");
	annex_delay_add(forwarded, NULL, stamp_ms, NULL);
	return forwarded;
}

void
annex_mam_fin_add(struct annex_element *iq, const struct annex_page_result *page)
{
	struct annex_element *fin = annex_add(iq, ANNEX_NS_MAM, "fin");

	if (page->complete)
		annex_attr_set(fin, "complete", "true");
	annex_page_add(fin, page);
}

void
annex_mam_end_add(struct annex_element *metadata, const char *name, const char *id,
    int64_t stamp_ms, struct annex_pool *pool)
{
	struct annex_element *end = annex_add(metadata, NULL, name);

	annex_attr_set(end, "id", id);
	annex_attr_set(end, "timestamp", annex_datetime(pool, stamp_ms));
}
