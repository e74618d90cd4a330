/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * command.h - commands for operators and users, declared once
 *
 * One declaration is an ad-hoc command (XEP-0050) with its form, and `annexctl
 * DOMAIN NAME field=value ...`.  One with may belongs to addresses below the domain
 * instead: to rooms, to nodes; it is an ad-hoc command there alone.
 */
#ifndef ANNEX_COMMAND_H
#define ANNEX_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include <annex/form.h>
#include <annex/stanza.h>

#pragma GCC visibility push(default)

#define ANNEX_NS_COMMANDS "http://jabber.org/protocol/commands"

enum annex_who {
	ANNEX_WHO_ADMIN, /* admins of the configuration, and annexctl */
	ANNEX_WHO_LOCAL, /* users of the local domains as well */
	ANNEX_WHO_ANYBODY,
	ANNEX_WHO_OPERATOR, /* annexctl alone: not offered over XMPP */
};

struct annex_pool;

/* One run of a command, ad-hoc or from annexctl. */
struct annex_run;

/*
 * Run stage (0 is the first) with the values of its form.  Return
 *	ANNEX_OK	done; what was said and added is the answer
 *	ANNEX_AGAIN	the next stage's form follows (annex_run_ask)
 *	negative	refused: annex_run_fail said why, or the status' text is used
 * Values of earlier stages are kept by Annex for the session, with the texts of all members that
 * a form shown so far is bound to; what other members point to must live in annex_run_pool or
 * longer.  The session is forgotten after ten minutes without a word, and when the turn fails.
 */
struct annex_command {
	const char *node; /* NULL ends the table; on the wire and for annexctl: "list-rooms" */
	const char *name; /* for people: "List rooms" */
	enum annex_who who;
	const struct annex_form *form; /* of stage 0, or NULL: it runs at once */
	size_t values_size;            /* of the struct the form is bound to */
	int (*run)(
	    struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
	const char *help; /* one sentence, for annexctl and the manual */
	/* Fill the values with the present state before stage 0's form is shown; or NULL.  It may
	 * ask for a form made for the occasion (annex_run_ask), or refuse (annex_run_fail). */
	void (*preset)(struct annex_instance *inst, struct annex_run *run, void *values);
	/* How many stages there are; 0 = 1.  All but the last offer "next", it offers "complete". */
	unsigned stages;
	/*
	 * Of a command of addresses: whether who may run it at that address, 0, or with which
	 * condition it is refused.  Asked at every step, and for each item of disco#items with the
	 * node of commands (XEP-0050 §2.2).  NULL: a command of the domain.
	 */
	enum annex_condition (*may)(
	    struct annex_instance *inst, const struct annex_jid *who, const struct annex_jid *at);
	uintptr_t reserved[3];
};

/* Who runs it: NULL for annexctl.  At which address: the domain, or one below it. */
const struct annex_jid *annex_run_by(const struct annex_run *run);
const struct annex_jid *annex_run_at(const struct annex_run *run);

/* What they read (annex_lang of what they sent), or NULL. */
const char *annex_run_lang(const struct annex_run *run);

/* Memory that lives as long as the values do. */
struct annex_pool *annex_run_pool(struct annex_run *run);

/*
 * The datatype of a field of a command for annexctl alone (ANNEX_WHO_OPERATOR): a file, which
 * annexctl opens with the rights of who calls it.  The field says how they called it; one command
 * has one such field.  The descriptor is handed out once, for reading, and then the caller's to
 * close; -1 where there is none.
 */
#define ANNEX_FILE "annex:file"
int annex_run_file(struct annex_run *run);

/*
 * The answer comes in a later turn.  What is returned is a run of its own, with a pool of its own:
 * say and add rows, or fail, and then end it, once, and not within this call.  What this call of
 * the command says is lost.  A reset ends it before, with a sentence: what is returned is good
 * until destroy is called.  Of a command for annexctl alone.
 */
struct annex_run *annex_run_hold(struct annex_run *run);
void annex_run_end(struct annex_run **run);

/* A note to the user; a row of a table of results: columns are named once, then each row has as many values. */
void annex_run_say(struct annex_run *run, const char *fmt, ...) ANNEX_PRINTF(2, 3);
void annex_run_columns(struct annex_run *run, const char *const *var, const char *const *label);
void annex_run_row(struct annex_run *run, const char *const *value);
/* Bytes that a row takes in an answer over XMPP; run's columns are set.  It may be added or not. */
size_t annex_run_row_bytes(const struct annex_run *run, const char *const *value);
/* Bytes of all rows so far in an answer over XMPP: who hands out many stops in time, and says where to go on. */
size_t annex_run_bytes(const struct annex_run *run);
void annex_run_fail(struct annex_run *run, enum annex_condition condition, const char *fmt, ...)
    ANNEX_PRINTF(3, 4);

/* Ask for the next stage's form, bound to the same struct as values (which is kept); return ANNEX_AGAIN.
 * The form is copied: it may be made up for the occasion. */
void annex_run_ask(struct annex_run *run, const struct annex_form *form);

#pragma GCC visibility pop

#endif /* ANNEX_COMMAND_H */
