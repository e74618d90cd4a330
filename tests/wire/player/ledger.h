/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ledger.h - what must be true of every run, whatever was expected
 *
 * Every IQ get or set that went in is answered exactly once, nothing is
 * answered that was not asked, no error answers an error, and every stanza
 * that comes out is addressed, identified and from the component's domain.
 */
#ifndef WIRE_LEDGER_H
#define WIRE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/element.h>

struct annex_pool;

struct question {
	const char *from, *id; /* prepared, where it can be */
	unsigned line;
	unsigned answers;
	unsigned long connection; /* it was answered on */
	const char *answer;       /* as it was written */
	bool forgiven;            /* nobody can answer it any more */
};

struct incoming_error {
	const char *name, *from, *id;
};

struct ledger {
	struct annex_pool *pool;
	const char *domain;
	struct question *questions;
	size_t question_count, question_room;
	struct incoming_error *errors;
	size_t error_count, error_room;
};

void ledger_init(struct ledger *ledger, struct annex_pool *pool, const char *domain);

/* A stanza went in.  Tags alone will do where the rest cannot be read. */
void ledger_in(struct ledger *ledger, const struct annex_element *el, unsigned line);

/* One came out, on that connection: NULL, or what is wrong with it. */
const char *ledger_out(struct ledger *ledger, const struct annex_element *el, const char *raw,
    size_t raw_len, unsigned long connection);

/* Whoever had them in hand is gone. */
void ledger_forgive(struct ledger *ledger);

/* The first question that has no answer, or NULL. */
const struct question *ledger_unanswered(const struct ledger *ledger);

#endif /* WIRE_LEDGER_H */
