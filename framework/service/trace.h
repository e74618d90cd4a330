/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * trace.h - watching stanzas as they pass
 *
 * Whoever traces hangs a struct here into the instance; while nobody does it costs
 * one comparison a stanza.
 */
#ifndef SERVICE_TRACE_H
#define SERVICE_TRACE_H

#include <stdbool.h>
#include <stddef.h>

struct annex_element;

enum trace_way { TRACE_IN, TRACE_OUT };

struct trace {
	/* One stanza as text.  recipients is above 1 for a fan-out, whose text has no "to". */
	void (*stanza)(struct trace *trace, enum trace_way way, const char *text, size_t len,
	    size_t recipients);
};

#endif /* SERVICE_TRACE_H */
