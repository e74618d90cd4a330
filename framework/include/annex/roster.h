/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * roster.h - users' own rosters, where their server lets us (XEP-0356)
 *
 * After each connection a server says what we may do with the accounts of its
 * domain.  Few do, so ask annex_may before, and have another way: a subscription that
 * the user has to confirm.  What was granted is forgotten with the connection.
 */
#ifndef ANNEX_ROSTER_H
#define ANNEX_ROSTER_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/contacts.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_instance;

enum annex_privilege {
	ANNEX_MAY_READ_ROSTERS = 1,
	ANNEX_MAY_WRITE_ROSTERS = 2,
	/* Changes of them come by themselves (pushed of struct annex_contacts): the server has said
	 * so, or one has come.  Where they do not, read again. */
	ANNEX_MAY_HEAR_ROSTERS = 4,
	ANNEX_MAY_SEE_PRESENCE = 8, /* of every account: annex_account_availability */
};

/* Which of them, for the accounts of a domain. */
unsigned annex_privileges(const struct annex_instance *inst, const char *domain);

struct annex_roster_item {
	const char *jid;
	const char *name; /* or NULL */
	const char
	    *subscription; /* the user's side: "none", "to", "from", "both", in a push "remove" */
	bool asks;         /* the user waits for an answer */
	const char *const *groups; /* NULL-ended */
};

/* status as annex_answer_fn; items are borrowed. */
typedef void annex_roster_fn(struct annex_instance *inst, int status, const char *account,
    const struct annex_roster_item *items, size_t count, const void *cookie, size_t cookie_len);

/*
 * Read the roster of an account.  Where it says that an address of ours is not in it any more, the
 * contact is corrected first.  ANNEX_EDENIED where we may not; cookie at most 256 bytes.
 */
int annex_roster_get(struct annex_instance *inst, const char *account, annex_roster_fn *fn,
    const void *cookie, size_t cookie_len);

/*
 * Put an address of ours into the roster of an account, subscribed both ways, without a question to
 * the user; where we may not, or the server cannot after all (ejabberd before 23.10), the user is
 * asked as by annex_contact_ask.  name and groups are what the user's client shows; both may be
 * NULL.  As annex_contact_ask.
 */
int annex_roster_add(struct annex_instance *inst, const char *me, const char *account,
    const char *name, const char *const *groups);

/* Whether an account is online at all, where we may see it: for pacing, never to be told to others. */
enum annex_availability
annex_account_availability(struct annex_instance *inst, const char *account);

/* As annex_contact_resources: those that have come, or were told of, since the connection. */
size_t annex_account_resources(
    struct annex_instance *inst, const char *account, const struct annex_resource **resources_r);

#pragma GCC visibility pop

#endif /* ANNEX_ROSTER_H */
