/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * caps.c - entity capabilities (XEP-0115): the verification string of §5.1,
 * refused where §5.4 calls the info ill-formed
 *
 * Everything is sorted by octets (i;octet), part by part: "a/b" is not one
 * string here, since '/' sorts between other characters.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/caps.h>
#include <annex/form.h>
#include <annex/pool.h>

#include "base/buf.h"
#include "digest.h"

struct identity {
	const char *part[4]; /* category, type, lang, name */
};

struct field {
	const char *var;
	const char **value;
	size_t count;
};

struct form {
	const char *type;
	struct field *field;
	size_t count;
};

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
compare_identities(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;
	int r = 0;

	for (size_t i = 0; i < 4 && r == 0; i++)
		r = strcmp(x->part[i], y->part[i]);
	return r;
}

static int
compare_fields(const void *a, const void *b)
{
	return strcmp(((const struct field *)a)->var, ((const struct field *)b)->var);
}

static int
compare_forms(const void *a, const void *b)
{
	return strcmp(((const struct form *)a)->type, ((const struct form *)b)->type);
}

/* Sort; false where two are the same. */
static bool
sort_unique(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (n == 0)
		return true;
	qsort(items, n, size, compare);
	for (char *at = items; n > 1; n--, at += size)
		if (compare(at, at + size) == 0)
			return false;
	return true;
}

static void
append(struct buf *s, const char *text)
{
	buf_puts(s, text);
	buf_putc(s, '<');
}

static size_t
count_of(const struct annex_element *el, const char *ns, const char *name)
{
	size_t n = 0;

	for (el = annex_child(el, ns, name); el != NULL; el = annex_child_after(el, ns, name))
		n++;
	return n;
}

static const char *
or_nothing(const char *text)
{
	return text == NULL ? "" : text;
}

/* §5.1 steps 2 and 3.  Category and type are there (XEP-0030 §3.1). */
static bool
append_identities(struct buf *s, const struct annex_element *query, struct annex_pool *pool)
{
	size_t n = count_of(query, ANNEX_NS_DISCO_INFO, "identity"), i = 0;
	struct identity *identity = annex_new_array(pool, struct identity, n);
	const struct annex_element *el = annex_child(query, ANNEX_NS_DISCO_INFO, "identity");

	for (; el != NULL; el = annex_child_after(el, ANNEX_NS_DISCO_INFO, "identity"), i++) {
		identity[i].part[0] = annex_attr(el, "category");
		identity[i].part[1] = annex_attr(el, "type");
		identity[i].part[2] = or_nothing(annex_attr_ns(el, ANNEX_NS_XML, "lang"));
		identity[i].part[3] = or_nothing(annex_attr(el, "name"));
		if (identity[i].part[0] == NULL || identity[i].part[1] == NULL)
			return false;
	}
	if (!sort_unique(identity, n, sizeof(*identity), compare_identities))
		return false;
	for (i = 0; i < n; i++) {
		for (size_t part = 0; part < 3; part++) {
			buf_puts(s, identity[i].part[part]);
			buf_putc(s, '/');
		}
		append(s, identity[i].part[3]);
	}
	return true;
}

/* §5.1 steps 4 and 5. */
static bool
append_features(struct buf *s, const struct annex_element *query, struct annex_pool *pool)
{
	size_t n = count_of(query, ANNEX_NS_DISCO_INFO, "feature"), i = 0;
	const char **var = annex_new_array(pool, const char *, n);
	const struct annex_element *el = annex_child(query, ANNEX_NS_DISCO_INFO, "feature");

	for (; el != NULL; el = annex_child_after(el, ANNEX_NS_DISCO_INFO, "feature"))
		if ((var[i++] = annex_attr(el, "var")) == NULL)
			return false;
	if (!sort_unique(var, n, sizeof(*var), compare_texts))
		return false;
	for (i = 0; i < n; i++)
		append(s, var[i]);
	return true;
}

static void
read_field(struct field *field, const struct annex_element *el, struct annex_pool *pool)
{
	size_t n = count_of(el, ANNEX_NS_FORM, "value");
	const struct annex_element *value = annex_child(el, ANNEX_NS_FORM, "value");

	field->value = annex_new_array(pool, const char *, n);
	for (; value != NULL; value = annex_child_after(value, ANNEX_NS_FORM, "value"))
		field->value[field->count++] = annex_text_all(value, pool);
	if (n > 0)
		qsort(field->value, n, sizeof(*field->value), compare_texts);
}

/* §5.4 steps 5 and 6: false where the FORM_TYPE has two values; type NULL where it is not one. */
static bool
read_form_type(struct form *form, const struct field *field, const struct annex_element *el)
{
	const char *type = annex_attr(el, "type");

	if (field->count > 1 && strcmp(field->value[0], field->value[field->count - 1]) != 0)
		return false;
	if (field->count > 0 && type != NULL && strcmp(type, "hidden") == 0)
		form->type = field->value[0];
	return true;
}

static bool
read_form(struct form *form, const struct annex_element *x, struct annex_pool *pool)
{
	const struct annex_element *el = annex_child(x, ANNEX_NS_FORM, "field");
	struct field *field;

	form->field = annex_new_array(pool, struct field, count_of(x, ANNEX_NS_FORM, "field"));
	for (; el != NULL; el = annex_child_after(el, ANNEX_NS_FORM, "field")) {
		field = &form->field[form->count];
		if ((field->var = annex_attr(el, "var")) == NULL)
			continue;
		read_field(field, el, pool);
		if (strcmp(field->var, "FORM_TYPE") != 0)
			form->count++;
		else if (!read_form_type(form, field, el))
			return false;
		else
			*field = (struct field) { 0 };
	}
	if (form->count > 0)
		qsort(form->field, form->count, sizeof(*form->field), compare_fields);
	return true;
}

static void
append_form(struct buf *s, const struct form *form)
{
	append(s, form->type);
	for (size_t i = 0; i < form->count; i++) {
		append(s, form->field[i].var);
		for (size_t j = 0; j < form->field[i].count; j++)
			append(s, form->field[i].value[j]);
	}
}

/* §5.1 steps 6 and 7; forms without a proper FORM_TYPE do not count. */
static bool
append_forms(struct buf *s, const struct annex_element *query, struct annex_pool *pool)
{
	struct form *form = annex_new_array(pool, struct form, count_of(query, ANNEX_NS_FORM, "x"));
	const struct annex_element *x = annex_child(query, ANNEX_NS_FORM, "x");
	size_t n = 0;

	for (; x != NULL; x = annex_child_after(x, ANNEX_NS_FORM, "x")) {
		form[n] = (struct form) { 0 };
		if (!read_form(&form[n], x, pool))
			return false;
		n += form[n].type != NULL;
	}
	if (!sort_unique(form, n, sizeof(*form), compare_forms))
		return false;
	for (size_t i = 0; i < n; i++)
		append_form(s, &form[i]);
	return true;
}

const char *
annex_caps_hash(const struct annex_element *query, struct annex_pool *pool)
{
	struct buf s = { 0 };
	char hash[SHA1_BASE64_ROOM];
	bool ok;

	ok = append_identities(&s, query, pool) && append_features(&s, query, pool) &&
	    append_forms(&s, query, pool) && sha1_base64(buf_text(&s), s.len, hash) == ANNEX_OK;
	buf_finish(&s);
	return ok ? annex_strdup(pool, hash) : NULL;
}

void
annex_caps_add(struct annex_element *presence, const char *node, const char *hash)
{
	struct annex_element *c = annex_add(presence, ANNEX_NS_CAPS, "c");

	annex_attr_set(c, "hash", "sha-1");
	annex_attr_set(c, "node", node);
	annex_attr_set(c, "ver", hash);
}
