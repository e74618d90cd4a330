/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * form.h - data forms (XEP-0004) as tables
 *
 * A form is declared once as a table of fields bound to the members of a
 * struct.  The same table renders the form, validates what comes back
 * (XEP-0122), and reads it into the struct.
 *
 *	struct room_config { const char *name; bool hidden; int64_t most; };
 *	static const struct annex_field room_fields[] = {
 *		ANNEX_FIELD(struct room_config, name, "muc#roomconfig_roomname",
 *		    ANNEX_TEXT_SINGLE, "Name of the room", .max = 200),
 *		{ 0 }
 *	};
 */
#ifndef ANNEX_FORM_H
#define ANNEX_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/element.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_pool;

#define ANNEX_NS_FORM "jabber:x:data"
#define ANNEX_NS_FORM_VALIDATE "http://jabber.org/protocol/xdata-validate"

enum annex_field_type {
	ANNEX_BOOLEAN = 1,
	ANNEX_FIXED,
	ANNEX_HIDDEN,
	ANNEX_JID_MULTI,
	ANNEX_JID_SINGLE,
	ANNEX_LIST_MULTI,
	ANNEX_LIST_SINGLE,
	ANNEX_TEXT_MULTI,
	ANNEX_TEXT_PRIVATE,
	ANNEX_TEXT_SINGLE,
};

struct annex_choice {
	const char *value; /* NULL ends the list */
	const char *label;
};

/* Several values; the type of a struct's member for the multi types. */
struct annex_strings {
	const char *const *value;
	size_t count;
};

/* Which C type a member has; picked by ANNEX_FIELD. */
enum annex_member {
	ANNEX_MEMBER_BOOL = 1,
	ANNEX_MEMBER_INT,
	ANNEX_MEMBER_TEXT,
	ANNEX_MEMBER_TEXTS
};

struct annex_field {
	const char *var; /* NULL ends the table */
	enum annex_field_type type;
	const char *label;
	enum annex_member member;
	size_t offset;
	/* Numbers, and texts whose datatype is one: inclusive (both 0 = any), INT64_MIN and INT64_MAX being
	 * none; other texts: bytes, max 0 = 1,024; multi: bytes of each. */
	int64_t min, max;
	size_t most;                        /* multi types: values allowed; 0 = 256 */
	const struct annex_choice *choices; /* of list types; others are refused unless open */
	bool open; /* xdata-validate <open/>: values outside choices are fine */
	bool required;
	const char *desc;     /* a longer explanation, or NULL */
	const char *datatype; /* of a text (XEP-0122): "xs:dateTime", ...; or NULL */
	/* What a text must match as a whole, a POSIX extended regular expression over its bytes
	 * (XEP-0122, <regex/>); or NULL. */
	const char *pattern;
	uintptr_t reserved[1];
};

#define ANNEX_FIELD(type_, member_, var_, kind_, label_, ...)        \
	{                                                            \
		.var = (var_), .type = (kind_), .label = (label_), \
		.member = _Generic(((type_ *)0)->member_, bool: ANNEX_MEMBER_BOOL, \
		    int64_t: ANNEX_MEMBER_INT, const char *: ANNEX_MEMBER_TEXT, \
		    struct annex_strings: ANNEX_MEMBER_TEXTS), \
		.offset = offsetof(type_, member_), __VA_ARGS__ \
	}

/* What people read instead of a text of the tables: a title, instructions, a label or a desc. */
struct annex_translation {
	const char *text; /* NULL ends the list */
	const char *there;
};

struct annex_language {
	const char *tag; /* RFC 5646: "de"; NULL ends the list */
	const struct annex_translation *texts;
};

struct annex_form {
	const char *type;         /* FORM_TYPE, or NULL */
	const char *title;        /* or NULL */
	const char *instructions; /* or NULL */
	const struct annex_field *fields;
	const struct annex_language *languages; /* beside that of the tables, for ever; or NULL */
};

/*
 * Append <x xmlns='jabber:x:data'/> to parent.  kind is "form" (labels,
 * choices, validation and the values as presets) or "result" or "submit"
 * (values only).  values is the struct the table is bound to, or NULL for none.
 */
struct annex_element *annex_form_add(struct annex_element *parent, const struct annex_form *form,
    const char *kind, const void *values);

/*
 * The same of kind "form" for somebody who reads lang, which is annex_lang of what they sent and
 * may be NULL.  Where form has that language, or the one that it is a kind of (RFC 4647 §3.4),
 * texts that are translated are in it, and xml:lang of the stanza that parent is in says so.
 */
struct annex_element *annex_form_ask(struct annex_element *parent, const struct annex_form *form,
    const void *values, const char *lang);

/* The data form in el with that FORM_TYPE (NULL: any), or else one that has no field at all, as
 * what cancels or accepts everything has (XEP-0045 §10.1.2), or NULL. */
struct annex_element *annex_form_find(const struct annex_element *el, const char *form_type);

/* Whether x is of type "cancel". */
bool annex_form_is_cancelled(const struct annex_element *x);

/*
 * Read a submitted form into values, which hold the present state: a field
 * that was not sent keeps it.  set_r (may be NULL) gets a bit per table row
 * that was sent.  On ANNEX_EINVAL values is untouched and *why names the
 * field and what was expected; strings are in pool.  Unknown fields are
 * ignored.  A text sent without a value becomes "", a boolean false; a
 * number or closed list without one is refused.  With set_r a table has at
 * most 64 rows.  Missing required fields are an error only where the value is
 * empty in values as well.
 */
int annex_form_read(const struct annex_form *form, const struct annex_element *x, void *values,
    uint64_t *set_r, struct annex_pool *pool, const char **why) ANNEX_MUST_CHECK;

/*
 * What values holds in a field, as a component keeps it in records: true is "1", false "0".  The
 * texts live as long as values and pool.  Nothing is judged: what annex_field_set reads was written
 * by annex_field_texts.  Texts that are set are copied to pool; a field without any becomes false,
 * 0, "" or empty.
 */
struct annex_strings
annex_field_texts(const struct annex_field *field, const void *values, struct annex_pool *pool);
void annex_field_set(const struct annex_field *field, void *values, const char *const *value,
    size_t count, struct annex_pool *pool);

/* Whether both hold the same in a field; several values in whatever order.  No text may be NULL. */
bool annex_field_equal(const struct annex_field *field, const void *a, const void *b);

bool annex_strings_have(const struct annex_strings *list, const char *text);

/* One field of any form by name: its first value, or NULL. */
const char *annex_form_value(const struct annex_element *x, const char *var);

/* Judge one text by datatype (XEP-0122 §5): "xs:integer", "xs:dateTime", "xs:anyURI", ..., and
 * "pubsub:integer-or-max" (XEP-0060 §12.23). */
bool annex_datatype_matches(const char *datatype, const char *text);

#pragma GCC visibility pop

#endif /* ANNEX_FORM_H */
