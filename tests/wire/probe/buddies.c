/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * buddies.c - the probe's contacts
 *
 * The name of an address says what is decided there: open accepts, mutual accepts and
 * asks back, later waits, closed refuses; any other is not there.  With the token "secret"
 * everybody is accepted.  What changes is told to log@example.org.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/avatar.h>
#include <annex/roster.h>

#include "buddies.h"

static void
    ANNEX_PRINTF(3, 4) tell(struct annex_instance *inst, const char *to, const char *fmt, ...)
{
	struct annex_stanza *out = annex_message(inst, NULL, to, "chat");
	va_list args;

	va_start(args, fmt);
	annex_add_text(out->element, NULL, "body", annex_vsprintf(annex_scratch(inst), fmt, args));
	va_end(args);
	annex_send(inst, out);
}

/* --- Policies ------------------------------------------------------------ */

static const struct policy {
	const char *local;
	enum annex_decision decision;
} policies[] = {
	{ "open", ANNEX_ACCEPT },
	{ "mutual", ANNEX_ACCEPT_AND_ASK },
	{ "later", ANNEX_LATER },
	{ "closed", ANNEX_REFUSE },
};

static enum annex_decision
buddies_decide(struct annex_instance *inst, const struct annex_request *request)
{
	if (request->preauth != NULL && strcmp(request->preauth, "secret") == 0)
		return ANNEX_ACCEPT;
	for (size_t i = 0; request->me->local != NULL && i < sizeof(policies) / sizeof(*policies);
	     i++)
		if (strcmp(policies[i].local, request->me->local) == 0)
			return policies[i].decision;
	return ANNEX_IGNORE;
}

static const char *const states[] = { "no", "pending", "yes" };

static const char *
describe(struct annex_instance *inst, const struct annex_contact *c)
{
	const char *text = annex_sprintf(annex_scratch(inst), "%s and %s: out=%s in=%s", c->me,
	    c->jid, states[c->out], states[c->in]);

	if (c->preauth != NULL)
		text = annex_sprintf(annex_scratch(inst), "%s preauth=%s", text, c->preauth);
	if (c->approved)
		text = annex_sprintf(annex_scratch(inst), "%s approved", text);
	if (c->stale)
		text = annex_sprintf(annex_scratch(inst), "%s stale", text);
	for (const char *const *g = c->groups; *g != NULL; g++)
		text = annex_sprintf(annex_scratch(inst), "%s %s", text, *g);
	return text;
}

static const char *const shows[] = { "online", "chat", "away", "xa", "dnd", "offline" };

static void
tell_resources(struct annex_instance *inst, const char *to, const char *me, const char *contact)
{
	static const char *const known[] = { "offline", "online", "unknown" };
	const struct annex_resource *list, *best = annex_contact_best(inst, me, contact);
	size_t n = annex_contact_resources(inst, me, contact, &list);
	const char *text = annex_sprintf(annex_scratch(inst), "%s is %s, best %s", contact,
	    known[annex_contact_availability(inst, me, contact)],
	    best == NULL ? "none" : best->jid);

	for (size_t i = 0; i < n; i++)
		text = annex_sprintf(annex_scratch(inst), "%s; %s %s %d%s%s", text, list[i].jid,
		    shows[list[i].show], list[i].priority, list[i].status == NULL ? "" : " ",
		    list[i].status == NULL ? "" : list[i].status);
	tell(inst, to, "%s", text);
}

static void
buddies_changed(struct annex_instance *inst, const char *me, const char *contact,
    enum annex_contact_event event)
{
	struct annex_contact c;

	if (event == ANNEX_CONTACT_PRESENCE)
		tell_resources(inst, "log@example.org", me, contact);
	else if (annex_contact_get(inst, me, contact, &c) == ANNEX_OK)
		tell(inst, "log@example.org", "%s", describe(inst, &c));
	else
		tell(inst, "log@example.org", "%s and %s: nothing", me, contact);
}

static void
buddies_pushed(
    struct annex_instance *inst, const char *account, const struct annex_roster_item *item)
{
	tell(inst, "log@example.org", "%s has %s, %s", account, item->jid, item->subscription);
}

static int
buddies_vcard(
    struct annex_instance *inst, const struct annex_stanza *in, struct annex_element *vcard)
{
	if (in->to->local == NULL || strcmp(in->to->local, "nobody") == 0)
		return ANNEX_ENOENT;
	annex_add_text(vcard, NULL, "FN", in->to->local);
	return ANNEX_OK;
}

const struct annex_contacts probe_contacts = {
	.decide = buddies_decide,
	.changed = buddies_changed,
	.vcard = buddies_vcard,
	.pushed = buddies_pushed,
};

/* --- Orders ---------------------------------------------------------------- */

#define WORDS 8

struct order {
	struct annex_instance *inst;
	const struct annex_stanza *in;
	const char *me;          /* with the domain */
	const char *word[WORDS]; /* behind it */
	const char *rest;        /* behind the second of them */
};

static int
verb_ask(struct order *o)
{
	return annex_contact_ask(o->inst, o->me, o->word[0], o->word[1]);
}

static int
verb_unask(struct order *o)
{
	return annex_contact_unask(o->inst, o->me, o->word[0]);
}

static int
verb_allow(struct order *o)
{
	return annex_contact_allow(o->inst, o->me, o->word[0]);
}

static int
verb_deny(struct order *o)
{
	return annex_contact_deny(o->inst, o->me, o->word[0]);
}

static int
verb_groups(struct order *o)
{
	return annex_contact_set_groups(o->inst, o->me, o->word[0], o->word + 1);
}

static int
verb_get(struct order *o)
{
	struct annex_contact c;
	int r = annex_contact_get(o->inst, o->me, o->word[0], &c);

	if (r == ANNEX_OK)
		tell(o->inst, o->in->from->full, "%s", describe(o->inst, &c));
	return r;
}

static int
verb_list(struct order *o)
{
	struct annex_contact_cursor *cursor = NULL;
	struct annex_contact c;
	int r;

	while ((r = annex_contact_next(o->inst, o->me, &cursor, &c)) == ANNEX_AGAIN)
		tell(o->inst, o->in->from->full, "%s", describe(o->inst, &c));
	return r;
}

static int
verb_who(struct order *o)
{
	tell_resources(o->inst, o->in->from->full, o->me, o->word[0]);
	return ANNEX_OK;
}

/* Whose it is: "all", a word with an @, or a group. */
static enum annex_view_kind
kind_of(struct order *o, const char **whose)
{
	*whose = strcmp(o->word[0], "all") == 0 ? NULL : o->word[0];
	if (*whose == NULL)
		return ANNEX_VIEW_DEFAULT;
	return strchr(*whose, '@') != NULL ? ANNEX_VIEW_CONTACT : ANNEX_VIEW_GROUP;
}

/* Sixteen by sixteen, 32 by 32 pixels; the rest of them is missing. */
static const unsigned char pictures[2][33] = {
	"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0....",
	"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x20\x08\x02\0\0\0....",
};

/* picture ME/RESOURCE WHOSE N: the view that is set there, with that picture. */
static int
verb_picture(struct order *o)
{
	unsigned n = o->word[1][0] == '1';
	struct annex_view view = { 0 };
	const char *whose, *sha1;
	enum annex_view_kind kind = kind_of(o, &whose);
	int r;

	if ((r = annex_view_get(o->inst, o->me, kind, whose, &view)) < 0 && r != ANNEX_ENOENT)
		return r;
	if ((r = annex_avatar_put(o->inst, pictures[n], sizeof(pictures[n]), &sha1)) < 0)
		return r;
	view.avatar = sha1;
	return annex_view_set(o->inst, o->me, kind, whose, &view);
}

static void
tell_roster(struct annex_instance *inst, int status, const char *account,
    const struct annex_roster_item *items, size_t count, const void *cookie, size_t len)
{
	const char *text =
	    annex_sprintf(annex_scratch(inst), "%s: %s", account, annex_status_text(status));

	for (size_t i = 0; i < count; i++)
		text = annex_sprintf(annex_scratch(inst), "%s; %s %s%s", text, items[i].jid,
		    items[i].subscription, items[i].asks ? " asks" : "");
	tell(inst, cookie, "%s", text);
}

/* roster ME ACCOUNT */
static int
verb_roster(struct order *o)
{
	return annex_roster_get(
	    o->inst, o->word[0], tell_roster, o->in->from->full, strlen(o->in->from->full) + 1);
}

/* join ME ACCOUNT NAME */
static int
verb_join(struct order *o)
{
	static const char *const groups[] = { "Bots", NULL };

	return annex_roster_add(o->inst, o->me, o->word[0], o->word[1], groups);
}

/* account ME ACCOUNT */
static int
verb_account(struct order *o)
{
	static const char *const known[] = { "offline", "online", "unknown" };

	tell(o->inst, o->in->from->full, "%s",
	    known[annex_account_availability(o->inst, o->word[0])]);
	return ANNEX_OK;
}

/* view ME/RESOURCE WHOSE SHOW[:SECONDS] TEXT */
static int
verb_view(struct order *o)
{
	const struct annex_view_text text = { NULL, o->rest };
	struct annex_view view = { .texts = &text, .text_count = o->rest != NULL };
	const char *whose, *colon = strchr(o->word[1], ':');
	enum annex_view_kind kind = kind_of(o, &whose);

	for (unsigned i = 0; i < sizeof(shows) / sizeof(*shows); i++)
		if (strncmp(shows[i], o->word[1], strlen(shows[i])) == 0)
			view.show = (enum annex_show)i;
	if (colon != NULL)
		view.until_ms = annex_wall_ms(o->inst) + atol(colon + 1) * 1000;
	return annex_view_set(o->inst, o->me, kind, whose, &view);
}

static int
verb_clear(struct order *o)
{
	const char *whose;
	enum annex_view_kind kind = kind_of(o, &whose);

	return annex_view_set(o->inst, o->me, kind, whose, NULL);
}

static int
verb_touch(struct order *o)
{
	annex_contacts_touch(o->inst, o->me);
	return ANNEX_OK;
}

static int
verb_remove(struct order *o)
{
	return annex_contacts_remove(o->inst, o->me);
}

static const struct verb {
	const char *word;
	int words; /* at least, behind ME */
	int (*run)(struct order *o);
} verbs[] = {
	{ "account", 1, verb_account },
	{ "allow", 1, verb_allow },
	{ "ask", 1, verb_ask },
	{ "clear", 1, verb_clear },
	{ "deny", 1, verb_deny },
	{ "get", 1, verb_get },
	{ "groups", 1, verb_groups },
	{ "join", 2, verb_join },
	{ "list", 0, verb_list },
	{ "picture", 2, verb_picture },
	{ "remove", 0, verb_remove },
	{ "roster", 1, verb_roster },
	{ "touch", 0, verb_touch },
	{ "unask", 1, verb_unask },
	{ "view", 2, verb_view },
	{ "who", 1, verb_who },
};

/* open/res is open@probe.test/res; . is the domain. */
static const char *
address_of(struct annex_instance *inst, const char *word)
{
	size_t len = strcspn(word, "/");
	struct annex_pool *pool = annex_scratch(inst);

	if (word[0] == '.')
		return annex_sprintf(pool, "%s%s", annex_domain(inst), word + 1);
	return annex_sprintf(pool, "%.*s@%s%s", (int)len, word, annex_domain(inst), word + len);
}

enum annex_verdict
order_contact(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	char *text = annex_strdup(annex_scratch(inst), args), *rest, *verb, *me;
	struct order o = { .inst = inst, .in = in };
	int n = 0, r = ANNEX_EINVAL;

	verb = strtok_r(text, " ", &rest);
	me = strtok_r(NULL, " ", &rest);
	if (me == NULL)
		return annex_refuse(inst, in, ANNEX_BAD_REQUEST, "contact VERB ME ...");
	o.me = address_of(inst, me);
	while (n < WORDS - 1 && (o.word[n] = strtok_r(NULL, " ", &rest)) != NULL)
		n++;
	for (size_t i = 0, at = 0; i < 4 && args != NULL; i++) {
		at += strcspn(args + at, " ");
		o.rest = args[at] == '\0' ? NULL : args + ++at;
		if (o.rest == NULL)
			break;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].word, verb) == 0 && n >= verbs[i].words)
			r = verbs[i].run(&o);
	if (r < 0)
		tell(inst, in->from->full, "%s", annex_status_text(r));
	return ANNEX_DONE;
}
