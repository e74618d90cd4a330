/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * access.h - who is whom: admins, local users, and rules that options name them by
 */
#ifndef ANNEX_ACCESS_H
#define ANNEX_ACCESS_H

#include <stdbool.h>

#include <annex/form.h>
#include <annex/jid.h>

#pragma GCC visibility push(default)

struct annex_instance;

/* One of the admins of the configuration (by bare JID). */
bool annex_is_admin(const struct annex_instance *inst, const struct annex_jid *jid);

/* A user of one of the server's local-domains. */
bool annex_is_local(const struct annex_instance *inst, const struct annex_jid *jid);

/*
 * Whether jid matches a rule: "local", "admin", "anybody", "nobody", a bare JID, a
 * domain, or "*.example.org" for the domains below one.
 */
bool
annex_matches(const struct annex_instance *inst, const char *rule, const struct annex_jid *jid);
bool annex_matches_any(const struct annex_instance *inst, const struct annex_strings *rules,
    const struct annex_jid *jid);

#pragma GCC visibility pop

#endif /* ANNEX_ACCESS_H */
