/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * option.h - options of the configuration file, each declared once
 *
 * One line says how an option is spelled, where it lands in a settings
 * struct, what it may be, what it is when left out, and what the manual
 * says.  The configuration parser, `annexd --modules -v` and the manual page
 * all read that line.
 *
 *	struct muc_settings { int64_t max_occupants; int64_t idle_ms; bool open; };
 *	static const struct annex_option muc_options[] = {
 *		ANNEX_OPTION(struct muc_settings, max_occupants, 1, 10000, "200",
 *		    "Most occupants one room admits."),
 *		{ 0 }
 *	};
 *
 * The spelling is the member's name with dashes, the unit at the end of a
 * time or a size left out: max_occupants is max-occupants, idle_ms is idle.
 *
 * min and max both 0 leave the range open.  A value equal to the preset is
 * always allowed, so that a preset outside the range can mean "none": "0" of
 * a number, "" of a text, of a JID or of a list.
 *
 * What stands in the file may be set by a command as well, by the same table: see the end.
 */
#ifndef ANNEX_OPTION_H
#define ANNEX_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/form.h>
#include <annex/pool.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

enum annex_option_type {
	ANNEX_OPTION_BOOL = 1, /* yes, no, true, false, on, off */
	ANNEX_OPTION_INT,      /* 200 */
	ANNEX_OPTION_TIME, /* 500ms, 30s, 5m, 12h, 7d, 4w; an int64_t of milliseconds, named _ms */
	ANNEX_OPTION_SIZE, /* 4096, 64K, 256M, 2G; an int64_t of bytes, named _bytes */
	ANNEX_OPTION_STRING, /* min and max are bytes */
	ANNEX_OPTION_CHOICE, /* a string that is one of choices */
	ANNEX_OPTION_LIST,   /* [a, b], or one; a struct annex_strings; min and max are how many */
	ANNEX_OPTION_JID,    /* a string, prepared */
	ANNEX_OPTION_JID_LIST,
	ANNEX_OPTION_SECTIONS, /* { NAME: { option: value }, ... }; a struct annex_sections */
};

/* Named sections, each a settings struct of its own, in the order of the file. */
struct annex_sections {
	const char **name;
	void **settings;
	size_t count;
};

struct annex_option {
	const char *name; /* the member's name; NULL ends the table */
	enum annex_option_type type;
	size_t offset;              /* into the settings struct */
	int64_t min, max;           /* inclusive */
	const char *preset;         /* as written in the file, lists as "a b"; NULL = required */
	const char *help;           /* one sentence, ends with a stop */
	const char *const *choices; /* NULL-ended, of ANNEX_OPTION_CHOICE */
	/* Of ANNEX_OPTION_SECTIONS: the table of each, and the size of its settings. */
	const struct annex_option *options;
	size_t size;
	uintptr_t reserved[2];
};

/* The member's own C type picks the option's; no other type compiles. */
#define ANNEX_OPTION(settings, member_, lo, hi, dflt, text)                           \
	{                                                                             \
		.name = #member_,                                                   \
		.type = _Generic(((settings *)0)->member_, bool: ANNEX_OPTION_BOOL, \
		    int64_t: ANNEX_OPTION_INT, const char *: ANNEX_OPTION_STRING,   \
		    struct annex_strings: ANNEX_OPTION_LIST),                       \
		.offset = offsetof(settings, member_), .min = (lo), .max = (hi),    \
		.preset = (dflt), .help = (text), \
	}

/* The same where the C type does not say it all: TIME, SIZE, JID, JID_LIST. */
#define ANNEX_OPTION_AS(kind, settings, member_, lo, hi, dflt, text)                     \
	{                                                                                \
		.name = #member_, .type = (kind), .offset = offsetof(settings, member_), \
		.min = (lo), .max = (hi), .preset = (dflt), .help = (text),              \
	}

#define ANNEX_OPTION_OF(settings, member_, choices_, dflt, text)                         \
	{                                                                                \
		.name = #member_, .type = ANNEX_OPTION_CHOICE,                           \
		.offset = offsetof(settings, member_), .preset = (dflt), .help = (text), \
		.choices = (choices_),                                                   \
	}

/* A map of sections; each is read by the table into a section_settings.  None where left out. */
#define ANNEX_OPTION_EACH(settings, member_, section_settings, table, text)          \
	{                                                                            \
		.name = #member_, .type = ANNEX_OPTION_SECTIONS,                     \
		.offset = offsetof(settings, member_), .preset = "", .help = (text), \
		.options = (table), .size = sizeof(section_settings),                \
	}

/* --- By name: for settings that a component keeps itself ----------------- */

/* A JID as it is prepared, in pool, or NULL where it is none. */
typedef const char *annex_prepare_fn(struct annex_pool *pool, const char *text);

/*
 * Set one option, as spelled and written in the file: "max-queue", "500"; a list as "a b", one with
 * blanks in it between double quotes.  text NULL: its preset.  Texts are in pool.  prepare is only
 * called for JIDs.  ANNEX_ENOENT where the table has no such option; ANNEX_EINVAL, settings are as
 * they were, and *why goes behind the option's name: "must be a whole number from 1 to 10, not
 * "0"".
 */
int annex_option_set(const struct annex_option *options, void *settings, const char *name,
    const char *text, annex_prepare_fn *prepare, struct annex_pool *pool,
    const char **why) ANNEX_MUST_CHECK;

/* All options that have a preset are set to it.  ANNEX_EINVAL: the table has one that is wrong. */
int annex_options_preset(
    const struct annex_option *options, void *settings, struct annex_pool *pool) ANNEX_MUST_CHECK;

/* What annex_option_set would have to be told; in pool.  NULL where there is no such option. */
const char *annex_option_text(const struct annex_option *options, const void *settings,
    const char *name, struct annex_pool *pool);

#pragma GCC visibility pop

#endif /* ANNEX_OPTION_H */
