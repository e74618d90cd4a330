/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * access.c - who is whom
 *
 * Rules come from people, so case does not matter in them; JIDs come prepared.
 */
#include <string.h>
#include <strings.h>

#include <annex/access.h>

#include "base/check.h"
#include "instance.h"

static bool
is_one_of(const char *const *list, const char *text)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcasecmp(*list, text) == 0)
			return true;
	return false;
}

bool
annex_is_admin(const struct annex_instance *inst, const struct annex_jid *jid)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	return jid != NULL && is_one_of(inst->admins, jid->bare);
}

bool
annex_is_local(const struct annex_instance *inst, const struct annex_jid *jid)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	return jid != NULL && jid->local != NULL && is_one_of(inst->local_domains, jid->domain);
}

static bool
is_anybody(const struct annex_instance *inst, const struct annex_jid *jid)
{
	return true;
}

static bool
is_nobody(const struct annex_instance *inst, const struct annex_jid *jid)
{
	return false;
}

static const struct word {
	const char *rule;
	bool (*matches)(const struct annex_instance *inst, const struct annex_jid *jid);
} words[] = {
	{ "local", annex_is_local },
	{ "admin", annex_is_admin },
	{ "anybody", is_anybody },
	{ "nobody", is_nobody },
};

/* "*.example.org": what is below it, not itself. */
static bool
is_below(const char *domain, const char *suffix)
{
	size_t len = strlen(domain), n = strlen(suffix);

	return n > 1 && len > n && strcasecmp(domain + len - n, suffix) == 0;
}

bool
annex_matches(const struct annex_instance *inst, const char *rule, const struct annex_jid *jid)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i].rule, rule) == 0)
			return words[i].matches(inst, jid);
	if (jid == NULL)
		return false;
	if (strncmp(rule, "*.", 2) == 0)
		return is_below(jid->domain, rule + 1);
	if (strchr(rule, '@') != NULL)
		return strcasecmp(rule, jid->bare) == 0;
	return strcasecmp(rule, jid->domain) == 0;
}

bool
annex_matches_any(const struct annex_instance *inst, const struct annex_strings *rules,
    const struct annex_jid *jid)
{
	for (size_t i = 0; i < rules->count; i++)
		if (annex_matches(inst, rules->value[i], jid))
			return true;
	return false;
}
