/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * register.h - who registers with a room, and who lets them (register.c, approve.c)
 */
#ifndef MUC_REGISTER_H
#define MUC_REGISTER_H

#include "change.h"

struct registration {
	const char *first, *last, *nick, *url, *email;
	struct annex_strings faq;
	const char *jid; /* bare, of who asks; in the form for admins alone */
	bool allow;
};

/* XEP-0045 §15.5.1: the fields that both forms have. */
#define REGISTRATION_FIELD(member, var, type, label, ...) \
	ANNEX_FIELD(struct registration, member, "muc#register_" var, type, label, __VA_ARGS__)
#define REGISTRATION_FIELDS                                                                        \
	REGISTRATION_FIELD(first, "first", ANNEX_TEXT_SINGLE, "Given name", .max = 100),           \
	    REGISTRATION_FIELD(last, "last", ANNEX_TEXT_SINGLE, "Family name", .max = 100),        \
	    REGISTRATION_FIELD(nick, "roomnick", ANNEX_TEXT_SINGLE, "Nickname", .required = true), \
	    REGISTRATION_FIELD(url, "url", ANNEX_TEXT_SINGLE, "Your URL", .max = 500),             \
	    REGISTRATION_FIELD(email, "email", ANNEX_TEXT_SINGLE, "Email", .max = 200),            \
	    REGISTRATION_FIELD(faq, "faqentry", ANNEX_TEXT_MULTI, "Entry in the FAQ", .max = 1000)

/* A nickname that is asked for by somebody else already. */
bool request_has_nick(const struct room *room, const char *nick, const char *bare);
/* Ask the admins; the IQ is answered. */
enum annex_verdict request_make(struct muc *m, struct room *room, const struct registration *asked,
    const char *nick, const struct annex_stanza *in);
/* Asked for no more; ANNEX_ENOENT where it was not. */
int request_drop(struct room *room, const char *bare) ANNEX_MUST_CHECK;
/* Who is a member now goes by that nickname, if they are in. */
void rename_registered(struct room *room, const struct change *c);

#endif /* MUC_REGISTER_H */
