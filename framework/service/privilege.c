/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * privilege.c - users' own rosters, where their server lets us (XEP-0356)
 *
 * The advertisement is a message from the domain whose accounts it is about, so nobody can grant
 * what is not theirs.  Servers speak two versions of it: ejabberd up to 24.07 the first, with
 * rosters that can be read and not always written; Prosody and later ejabberd the
 * second.  ejabberd from 24.10 on drops questions to accounts whose domain granted nothing:
 * so nothing is asked there, and what is not answered is logged once.
 */
#include <string.h>

#include <annex/roster.h>

#include "base/check.h"
#include "contact.h"

#define NS_ROSTER "jabber:iq:roster"

#define DOMAINS_MAX 64
#define ITEMS_MAX 10000
#define COOKIE_MAX 256
#define ANSWER_MS 30000

static const struct grant {
	const char *access, *type;
	unsigned privileges;
} grants[] = {
	{ "roster", "get", ANNEX_MAY_READ_ROSTERS },
	{ "roster", "set", ANNEX_MAY_WRITE_ROSTERS },
	{ "roster", "both", ANNEX_MAY_READ_ROSTERS | ANNEX_MAY_WRITE_ROSTERS },
	{ "presence", "managed_entity", ANNEX_MAY_SEE_PRESENCE },
	{ "presence", "roster", ANNEX_MAY_SEE_PRESENCE },
};

static bool
attr_is(const struct annex_element *el, const char *name, const char *value)
{
	const char *text = annex_attr(el, name);

	return text != NULL && strcmp(text, value) == 0;
}

/*
 * Without an attribute "push" they would be sent; but neither ejabberd nor
 * Prosody's module, which leave it out, sends any: there the first one that comes counts.
 */
static bool
is_pushing(const struct annex_element *perm)
{
	return attr_is(perm, "push", "true") || attr_is(perm, "push", "1");
}

static unsigned
grant_read(const struct annex_element *perm)
{
	for (size_t i = 0; i < sizeof(grants) / sizeof(*grants); i++) {
		const struct grant *g = &grants[i];

		if (!attr_is(perm, "access", g->access) || !attr_is(perm, "type", g->type))
			continue;
		if ((g->privileges & ANNEX_MAY_READ_ROSTERS) != 0 && is_pushing(perm))
			return g->privileges | ANNEX_MAY_HEAR_ROSTERS;
		return g->privileges;
	}
	return 0;
}

struct privileged {
	unsigned privileges;
	bool complained;
};

static struct privileged *
privileged_find(const struct annex_instance *inst, const char *domain)
{
	return annex_map_get_str(inst->contacts->privileged, domain);
}

enum annex_verdict
contact_privilege(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_map *map = inst->contacts->privileged;
	struct privileged *p;

	if (inst->module->contacts == NULL || strcmp(in->from->full, in->from->domain) != 0)
		return ANNEX_PASS;
	if ((p = privileged_find(inst, in->from->domain)) == NULL) {
		if (annex_map_count(map) >= DOMAINS_MAX)
			return ANNEX_DONE;
		p = annex_new(inst->contacts->link_pool, struct privileged);
		annex_map_set_str(map, in->from->domain, p);
	}
	p->privileges = 0;
	ANNEX_CHILDREN (in->payload, perm)
		p->privileges |= grant_read(perm);
	annex_log(inst, ANNEX_LOG_INFO, "the server grants privileges: domain=%s rosters=%s%s%s",
	    in->from->domain, (p->privileges & ANNEX_MAY_READ_ROSTERS) != 0 ? "r" : "",
	    (p->privileges & ANNEX_MAY_WRITE_ROSTERS) != 0 ? "w" : "",
	    (p->privileges & ANNEX_MAY_SEE_PRESENCE) != 0 ? " presence" : "");
	return ANNEX_DONE;
}

unsigned
annex_privileges(const struct annex_instance *inst, const char *domain)
{
	const struct privileged *p;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	p = privileged_find(inst, domain);
	return p != NULL ? p->privileges : 0;
}

/* --- Rosters ------------------------------------------------------------------- */

static bool
is_ours(const struct annex_instance *inst, const char *jid)
{
	return strcmp(domain_of(jid), inst->jid->domain) == 0;
}

/* In scratch; those of which the address is none are left out. */
static size_t
items_read(struct annex_instance *inst, const struct annex_element *query,
    struct annex_roster_item **items_r)
{
	struct annex_roster_item *items;
	size_t room = 0, n = 0;

	ANNEX_CHILDREN (query, el)
		room++;
	if (room > ITEMS_MAX)
		room = ITEMS_MAX;
	items = *items_r = annex_new_array(inst->scratch, struct annex_roster_item, room + 1);
	ANNEX_CHILDREN (query, el) {
		const char *jid = annex_attr(el, "jid"), *subscription;
		const struct annex_jid *parsed = jid == NULL ? NULL : annex_jid(inst->scratch, jid);
		const char **groups;
		size_t group = 0;

		if (n == room || parsed == NULL)
			continue;
		ANNEX_CHILDREN (el, g)
			group++;
		groups = annex_new_array(inst->scratch, const char *, group + 1);
		group = 0;
		ANNEX_CHILDREN (el, g)
			groups[group++] = annex_text(g);
		subscription = annex_attr(el, "subscription");
		items[n++] = (struct annex_roster_item) {
			.jid = parsed->full,
			.name = annex_attr(el, "name"),
			.subscription = subscription != NULL ? subscription : "none",
			.asks = attr_is(el, "ask", "subscribe"),
			.groups = groups,
		};
	}
	return n;
}

/* The roster is the truth: who has us in it no more has unsubscribed while we were away. */
static void
correct(struct annex_instance *inst, const char *account, const struct annex_roster_item *item)
{
	bool to = strcmp(item->subscription, "to") == 0 || strcmp(item->subscription, "both") == 0;
	bool from =
	    strcmp(item->subscription, "from") == 0 || strcmp(item->subscription, "both") == 0;
	contact_row *row;

	if (contact_load(inst, item->jid, account, &row) != ANNEX_OK)
		return;
	if (row->out == ANNEX_SUBSCRIBED && !to)
		contact_must(inst, contact_dismiss(inst, row));
	if (row->in == ANNEX_SUBSCRIBED && !from)
		contact_must(inst, contact_lose(inst, row));
}

struct asking {
	annex_roster_fn *fn;
	size_t len;
	unsigned char cookie[COOKIE_MAX];
};

static void
complain(struct annex_instance *inst, const char *account, const char *why)
{
	struct privileged *p = privileged_find(inst, domain_of(account));

	if (p == NULL || p->complained)
		return;
	p->complained = true;
	annex_log(inst, ANNEX_LOG_WARNING,
	    "rosters are granted, but the server does not do it (%s): account=%s", why, account);
}

static void
roster_came(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t len)
{
	const struct asking *asking = cookie;
	const char *account = (const char *)cookie + sizeof(*asking);
	struct annex_roster_item *items = NULL;
	size_t n = 0;

	if (status == ANNEX_AGAIN)
		complain(inst, account, "no answer");
	if (status == ANNEX_OK && answer->payload != NULL)
		n = items_read(inst, answer->payload, &items);
	for (size_t i = 0; i < n; i++)
		if (is_ours(inst, items[i].jid))
			correct(inst, account, &items[i]);
	asking->fn(inst, status, account, items, n, asking->cookie, asking->len);
}

int
annex_roster_get(struct annex_instance *inst, const char *account, annex_roster_fn *fn,
    const void *cookie, size_t len)
{
	size_t account_len = strlen(account) + 1;
	struct asking *asking = annex_pool_zalloc(inst->scratch, sizeof(*asking) + account_len);
	struct annex_stanza *iq;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	CHECK(len <= COOKIE_MAX);
	if ((annex_privileges(inst, domain_of(account)) & ANNEX_MAY_READ_ROSTERS) == 0)
		return ANNEX_EDENIED;
	asking->fn = fn;
	asking->len = len;
	if (len > 0)
		memcpy(asking->cookie, cookie, len);
	memcpy(asking + 1, account, account_len);
	iq = annex_iq(inst, NULL, account, "get");
	annex_add(iq->element, NS_ROSTER, "query");
	return annex_ask(inst, iq, ANSWER_MS, roster_came, asking, sizeof(*asking) + account_len);
}

/* me, NUL, account, NUL */
static void
was_added(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t len)
{
	const char *me = cookie, *account = me + strlen(me) + 1;
	contact_row *row;
	int r;

	if (status != ANNEX_OK) {
		complain(inst, account, status == ANNEX_AGAIN ? "no answer" : "refused");
		contact_must(inst, annex_contact_ask(inst, me, account, NULL));
		return;
	}
	if ((r = contact_load(inst, me, account, &row)) < 0 && r != ANNEX_ENOENT)
		return;
	contact_must(inst, contact_join(inst, row));
}

int
annex_roster_add(struct annex_instance *inst, const char *me, const char *account, const char *name,
    const char *const *groups)
{
	struct annex_element *item;
	struct annex_stanza *iq;
	const char *cookie;
	size_t len;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if ((annex_privileges(inst, domain_of(account)) & ANNEX_MAY_WRITE_ROSTERS) == 0)
		return annex_contact_ask(inst, me, account, NULL);
	iq = annex_iq(inst, NULL, account, "set");
	item = annex_add(annex_add(iq->element, NS_ROSTER, "query"), NULL, "item");
	annex_attr_set(item, "jid", me);
	annex_attr_set(item, "name", name);
	annex_attr_set(item, "subscription", "both");
	for (; groups != NULL && *groups != NULL; groups++)
		annex_add_text(item, NULL, "group", *groups);
	cookie = contact_key(inst, me, account, &len);
	return annex_ask(inst, iq, ANSWER_MS, was_added, cookie, len + 1);
}

/* --- What comes by itself --------------------------------------------------------- */

/* A push: from the account, whose domain has granted it. */
enum annex_verdict
contact_roster_push(struct annex_instance *inst, const struct annex_stanza *in)
{
	const struct annex_contacts *ops = inst->module->contacts;
	struct privileged *p = privileged_find(inst, in->from->domain);
	struct annex_roster_item *items;
	size_t n;

	if (ops == NULL || in->to->local != NULL || in->from->resource != NULL || p == NULL ||
	    (p->privileges & ANNEX_MAY_READ_ROSTERS) == 0)
		return ANNEX_PASS;
	p->privileges |= ANNEX_MAY_HEAR_ROSTERS;
	n = items_read(inst, in->payload, &items);
	for (size_t i = 0; i < n; i++) {
		if (is_ours(inst, items[i].jid))
			correct(inst, in->from->bare, &items[i]);
		if (ops->pushed != NULL)
			ops->pushed(inst, in->from->bare, &items[i]);
	}
	return annex_confirm(inst, in);
}

bool
privilege_presence(struct annex_instance *inst, const struct annex_stanza *in)
{
	contact_row *row;

	if (in->to->local != NULL ||
	    (annex_privileges(inst, in->from->domain) & ANNEX_MAY_SEE_PRESENCE) == 0 ||
	    contact_load(inst, in->to->bare, in->from->bare, &row) == ANNEX_OK)
		return false;
	if (in->type == NULL)
		online_set(inst, "", in, false);
	else
		online_remove(inst, "", in->from);
	return true;
}

enum annex_availability
annex_account_availability(struct annex_instance *inst, const char *account)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if ((annex_privileges(inst, domain_of(account)) & ANNEX_MAY_SEE_PRESENCE) == 0)
		return ANNEX_UNKNOWN;
	return annex_contact_availability(inst, "", account);
}

size_t
annex_account_resources(
    struct annex_instance *inst, const char *account, const struct annex_resource **resources_r)
{
	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	return annex_contact_resources(inst, "", account, resources_r);
}
