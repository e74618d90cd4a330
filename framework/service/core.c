/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * core.c - what every component answers
 *
 * Servers ask right after the handshake whether there is anybody: Openfire
 * lists a component only once disco#info was answered.  Ping (XEP-0199),
 * version (XEP-0092), time (XEP-0202), last activity (XEP-0012, of a
 * service: its uptime) and vCard (XEP-0054) are those of the domain; for other
 * addresses they are the component's to answer.  The version says nothing of the machine.
 */
#include <string.h>

#include <annex/caps.h>
#include <annex/datetime.h>
#include <annex/disco.h>

#include "config.h"
#include "contact.h"
#include "instance.h"
#include "output.h"
#include "service.h"

#define NS_PING "urn:xmpp:ping"
#define NS_VERSION "jabber:iq:version"
#define NS_TIME "urn:xmpp:time"
#define NS_LAST "jabber:iq:last"
#define NS_PEP "http://jabber.org/protocol/pubsub"
#define NS_VCARD "vcard-temp"

bool
is_for_domain(const struct annex_instance *inst, const struct annex_stanza *in)
{
	return strcmp(in->to->full, inst->jid->full) == 0;
}

size_t
payload_max(const struct annex_instance *inst)
{
	size_t most = output_max(inst->output);

	return most - most / 4;
}

size_t
bytes_on_wire(const char *text)
{
	size_t n = 0;

	for (; text != NULL && *text != '\0'; text++)
		n += strchr("&<>'\"\t\n\r", *text) != NULL ? strlen("&quot;") : 1;
	return n;
}

static enum annex_verdict
ping_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	return is_for_domain(inst, in) ? annex_confirm(inst, in) : ANNEX_PASS;
}

static enum annex_verdict
version_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	const struct annex_module *m = inst->module;
	struct annex_stanza *out;
	struct annex_element *query;

	if (!is_for_domain(inst, in))
		return ANNEX_PASS;
	out = annex_reply(inst, in);
	query = annex_add(out->element, NS_VERSION, "query");
	annex_text_appendf(annex_add(query, NULL, "name"), "Annex/%s", m->name);
	annex_add_text(query, NULL, "version", m->version != NULL ? m->version : PACKAGE_VERSION);
	annex_send(inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
time_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_stanza *out;
	struct annex_element *time;

	if (!is_for_domain(inst, in))
		return ANNEX_PASS;
	out = annex_reply(inst, in);
	time = annex_add(out->element, NS_TIME, "time");
	annex_add_text(time, NULL, "tzo", "+00:00");
	annex_add_text(time, NULL, "utc", annex_datetime(inst->scratch, annex_wall_ms(inst)));
	annex_send(inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
last_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	int64_t up_ms = annex_wall_ms(inst) - inst->started_ms;
	struct annex_stanza *out;

	if (!is_for_domain(inst, in))
		return ANNEX_PASS;
	out = annex_reply(inst, in);
	annex_attr_setf(annex_add(out->element, NS_LAST, "query"), "seconds", "%lld",
	    (long long)(up_ms > 0 ? up_ms / 1000 : 0));
	annex_send(inst, out);
	return ANNEX_DONE;
}

/* As people call it: the name of its first identity. */
static const char *
name_of(const struct annex_module *m)
{
	const struct annex_identity *first = m->disco != NULL ? m->disco->identities : NULL;

	return first != NULL && first->name != NULL ? first->name : m->name;
}

static enum annex_verdict
vcard_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_element *vcard;
	struct annex_stanza *out;

	if (!is_for_domain(inst, in))
		return ANNEX_PASS;
	out = annex_reply(inst, in);
	vcard = annex_add(out->element, NS_VCARD, "vCard");
	annex_add_text(vcard, NULL, "FN", name_of(inst->module));
	annex_add_text(vcard, NULL, "JABBERID", inst->jid->full);
	if (inst->module->summary != NULL)
		annex_text_appendf(
		    annex_add(vcard, NULL, "DESC"), "%s, by Annex", inst->module->summary);
	annex_send(inst, out);
	return ANNEX_DONE;
}

const struct annex_route service_first_routes[] = {
	{ ANNEX_MESSAGE, "urn:xmpp:privilege:2", "privilege", contact_privilege },
	{ ANNEX_MESSAGE, "urn:xmpp:privilege:1", "privilege", contact_privilege },
	{ ANNEX_IQ_SET, "jabber:iq:roster", "query", contact_roster_push },
	{ 0 },
};

const struct annex_route service_routes[] = {
	{ ANNEX_IQ_GET, ANNEX_NS_DISCO_INFO, "query", disco_info_get },
	{ ANNEX_IQ_GET, ANNEX_NS_DISCO_ITEMS, "query", disco_items_get },
	{ ANNEX_IQ_SET, ANNEX_NS_DISCO_INFO, "query", disco_set },
	{ ANNEX_IQ_SET, ANNEX_NS_DISCO_ITEMS, "query", disco_set },
	{ ANNEX_IQ_SET, ANNEX_NS_COMMANDS, "command", command_set },
	{ ANNEX_IQ_GET, NS_PING, "ping", ping_get },
	{ ANNEX_IQ_GET, NS_VERSION, "query", version_get },
	{ ANNEX_IQ_GET, NS_TIME, "time", time_get },
	{ ANNEX_IQ_GET, NS_LAST, "query", last_get },
	{ ANNEX_IQ_GET, NS_VCARD, "vCard", contact_vcard },
	{ ANNEX_IQ_GET, NS_VCARD, "vCard", vcard_get },
	{ ANNEX_IQ_GET, NS_PEP, "pubsub", contact_pep },
	{ ANNEX_PRESENCE, NULL, NULL, contact_presence },
	{ ANNEX_PRESENCE_ERROR, NULL, NULL, contact_presence_error },
	{ 0 },
};
