/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * trouble.c - why there is no link, how loud that is, and what helps
 *
 * Stream errors are those of RFC 6120 §4.9.3.  Servers use them as they
 * please, and some send wrong ones while they start or stop, so every one
 * of them is tried again; only the pace differs.
 */
#include <stddef.h>
#include <string.h>

#include "trouble.h"

#define AWAY ANNEX_LOG_NOTICE, BACKOFF_AWAY, false
#define NO ANNEX_LOG_ERROR, BACKOFF_REFUSED, false
#define OURS ANNEX_LOG_ERROR, BACKOFF_REFUSED, true

const struct trouble trouble_away = { NULL, ANNEX_LOG_WARNING, BACKOFF_AWAY, false, NULL };
const struct trouble trouble_alien = { NULL, ANNEX_LOG_ERROR, BACKOFF_REFUSED, false, NULL };

/* undefined-condition is the first: it stands for what is not listed. */
static const struct trouble troubles[] = {
	{ "undefined-condition", ANNEX_LOG_WARNING, BACKOFF_REFUSED, false,
	    "the server gave no usual reason; its log may say more" },
	{ "bad-format", OURS, "the server could not read something we sent" },
	{ "bad-namespace-prefix", OURS, "the server could not read something we sent" },
	{ "conflict", ANNEX_LOG_WARNING, BACKOFF_REFUSED, false,
	    "the server believes that this domain is attached already: another process may serve "
	    "it, or an old connection has not died yet (Prosody: component_conflict_resolve = "
	    "\"kick_old\")" },
	{ "connection-timeout", AWAY, "the server heard nothing from us for too long" },
	{ "host-gone", NO, "the server no longer serves this domain; look at its configuration" },
	{ "host-unknown", ANNEX_LOG_WARNING, BACKOFF_REFUSED, false,
	    "the server does not know this domain as a component: it may still be starting, or its "
	    "configuration lacks it" },
	{ "improper-addressing", OURS, "the server did not like an address we used" },
	{ "internal-server-error", ANNEX_LOG_WARNING, BACKOFF_REFUSED, false,
	    "the server failed (Openfire says so, too, where no secret is set for the component)" },
	{ "invalid-from", OURS, "the server did not accept a sender's address of ours" },
	{ "invalid-id", NO, "the server did not accept the stream" },
	{ "invalid-namespace", ANNEX_LOG_WARNING, BACKOFF_REFUSED, false,
	    "this may be no component port, or the server is still starting" },
	{ "invalid-xml", OURS, "the server did not accept something we sent" },
	{ "not-authorized", NO,
	    "the secret is wrong, or the server does not know this domain; compare the secret here "
	    "and in the server's configuration" },
	{ "not-well-formed", OURS,
	    "the server could not read something we sent (Prosody says so of a stanza above its "
	    "component_stanza_size_limit)" },
	{ "policy-violation", OURS, "the server has a rule that something we sent broke" },
	{ "remote-connection-failed", ANNEX_LOG_WARNING, BACKOFF_AWAY, false,
	    "the server could not reach something it needs" },
	{ "reset", AWAY, "the server wants the stream anew" },
	{ "resource-constraint", ANNEX_LOG_WARNING, BACKOFF_REFUSED, false,
	    "the server is short of something" },
	{ "restricted-xml", OURS, "the server did not accept something we sent" },
	{ "see-other-host", NO, "the server sends us elsewhere; configure that host" },
	{ "system-shutdown", AWAY, "the server is stopping" },
	{ "unsupported-encoding", NO, "this is no component port" },
	{ "unsupported-feature", NO, "this is no component port" },
	{ "unsupported-stanza-type", OURS, "the server did not know something we sent" },
	{ "unsupported-version", NO, "this is no component port" },
};

const struct trouble *
trouble_of_error(const struct annex_element *error)
{
	ANNEX_CHILDREN (error, child) {
		if (strcmp(child->ns, NS_STREAM_ERRORS) != 0)
			continue;
		for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
			if (strcmp(child->name, troubles[i].condition) == 0)
				return &troubles[i];
	}
	return &troubles[0];
}

const char *
trouble_text(const struct annex_element *error)
{
	const char *text = annex_child_text(error, NS_STREAM_ERRORS, "text");

	return text != NULL && *text != '\0' ? text : NULL;
}
