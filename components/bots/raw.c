/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * raw.c - XML of a program beside the text of a message, both ways
 *
 * For what the grammar has no key for.  A program says elements of namespaces
 * of their own, which stand in a message as whole trees: no text of a program is ever
 * put between others, and who a message is from and to is not in them.  What a
 * server would do in somebody's name for a component, no bot asks for.
 */
#include <string.h>

#include "action.h"

#define NS_NONE "urn:annex:none" /* what stands in none of its own */
#define RAW_BYTES 16384
#define ELEMENTS_MOST 16

/* RFC 6120 §4.8.2 of stanzas; and what a server acts on by whoever sends it. */
static const char *const forbidden[] = { "", NS_NONE, ANNEX_NS_STANZA, "jabber:client",
	"jabber:server", "http://etherx.jabber.org/streams", "urn:xmpp:delegation:1",
	"urn:xmpp:delegation:2", "urn:xmpp:privilege:1", "urn:xmpp:privilege:2", NULL };

static bool
is_forbidden(const char *ns)
{
	const char *const *f = forbidden;

	while (*f != NULL && strcmp(*f, ns) != 0)
		f++;
	return *f != NULL;
}

int
judge_raw(struct action *a)
{
	const char *text;
	struct annex_element *all;
	size_t n = 0;

	if (a->xml == NULL)
		return ANNEX_OK;
	if (strlen(a->xml) > RAW_BYTES)
		return action_wrong(a, "too-large", "\"xml\" is longer than %d bytes", RAW_BYTES);
	text = annex_sprintf(a->pool, "<all xmlns='" NS_NONE "'>%s</all>", a->xml);
	all = annex_element_read(a->pool, text, strlen(text), RAW_BYTES + 64);
	if (all == NULL)
		return action_wrong(a, "bad-json", "\"xml\" is not well-formed");
	ANNEX_CHILDREN (all, el) {
		if (is_forbidden(el->ns))
			return action_wrong(a, "not-allowed",
			    "<%.60s/> of \"xml\" needs a namespace of its own, and not that of the "
			    "server",
			    el->name);
		n++;
	}
	if (n == 0 || n > ELEMENTS_MOST)
		return action_wrong(a, "bad-json", "\"xml\" has 1 to %d elements", ELEMENTS_MOST);
	a->raw = all;
	return ANNEX_OK;
}

void
raw_add(const struct action *a, struct annex_element *message)
{
	if (a->raw != NULL)
		ANNEX_CHILDREN (a->raw, el)
			annex_add_copy(message, el);
}

void
add_raw(struct text *t, const struct bot *bot, const struct annex_element *message)
{
	struct text xml = { .pool = t->pool };
	const char *one;
	size_t len;

	if (!bot->set->raw)
		return;
	ANNEX_CHILDREN (message, el) {
		if (strcmp(el->ns, ANNEX_NS_STANZA) == 0)
			continue;
		one = annex_element_write(el, t->pool, &len);
		if (xml.len + len <= RAW_BYTES)
			text_add(&xml, one, len);
	}
	text_member(t, "xml", xml.bytes);
}
