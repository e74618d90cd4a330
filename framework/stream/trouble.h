/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * trouble.h - why there is no link, how loud that is, and what helps
 */
#ifndef STREAM_TROUBLE_H
#define STREAM_TROUBLE_H

#include <stdbool.h>

#include <annex/element.h>
#include <annex/log.h>

#include "backoff.h"

#define NS_STREAM "http://etherx.jabber.org/streams"
#define NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"

struct trouble {
	const char *condition; /* of a stream error, or NULL */
	enum annex_log_level level;
	enum backoff_class backoff;
	bool blames_us;     /* a stanza of ours offended: find out which */
	const char *advice; /* what it means and what the operator should do, or NULL */
};

/* The row for a <stream:error/>; one the table does not have is undefined-condition. */
const struct trouble *trouble_of_error(const struct annex_element *error);

/* The error's own text, or NULL. */
const char *trouble_text(const struct annex_element *error);

extern const struct trouble trouble_away; /* refused, closed, silent, not to be reached */
extern const struct trouble
    trouble_alien; /* what answers is not what we expect: wrong port, TLS, XML */

#endif /* STREAM_TROUBLE_H */
