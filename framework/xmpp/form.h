/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * form.h - what rendering and reading a form agree about
 */
#ifndef XMPP_FORM_H
#define XMPP_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/form.h>

#define FIELD_TEXT_MAX 1024 /* bytes, where the table says nothing */
#define FIELD_MOST 256      /* values, where the table says nothing */

/* XEP-0004 §3.3. */
const char *field_type_name(enum annex_field_type type);

bool field_is_list(const struct annex_field *field);
bool field_has_choice(const struct annex_field *field, const char *value);

/* Whether it is a number, be it kept as one or as a text; and whether its min and max say anything. */
bool field_is_number(const struct annex_field *field);
bool field_has_range(const struct annex_field *field);

/* Whether values are integers, "max" among them or not. */
bool datatype_is_integer(const char *datatype);

/* Whether all of text matches the pattern, which is one. */
bool field_pattern_matches(const char *pattern, const char *text);

/* Who reads a form: where strings are, and what is wrong with it. */
struct reading {
	struct annex_pool *pool;
	const char **why;
};

bool field_is_jid(const struct annex_field *field);

/* Judge the bytes of a text; one text by all that the row says, *text_r being in the pool; a number. */
int field_judge_length(struct reading *r, const struct annex_field *field, size_t len);
int field_judge_text(
    struct reading *r, const struct annex_field *field, const char *value, const char **text_r);
int field_judge_number(
    struct reading *r, const struct annex_field *field, const char *value, int64_t *number_r);

/* ANNEX_EINVAL, and "Name (var): expected is expected, not "value"."; value NULL: nothing is shown. */
int field_refuse(
    struct reading *r, const struct annex_field *field, const char *value, const char *expected);

/* The <field/> of a form by its var, or NULL. */
struct annex_element *form_field(const struct annex_element *x, const char *var);

#endif /* XMPP_FORM_H */
