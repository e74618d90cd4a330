/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * trace.c - stanzas as they pass, until Ctrl-C
 */
#include <string.h>
#include <time.h>

#include "control/control.h"

#include "ctl.h"

static void
show_event(struct ctl *ctl, const json_t *event)
{
	const json_t *stanza = json_object_get(event, "stanza");
	const char *way = json_string_value(json_object_get(event, "way"));
	json_int_t recipients = json_integer_value(json_object_get(event, "recipients"));
	char stamp[16];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	strftime(stamp, sizeof(stamp), "%H:%M:%S", localtime_r(&now.tv_sec, &tm));
	fprintf(
	    ctl->out, "%s.%03d %-3s ", stamp, (int)(now.tv_nsec / 1000000), way != NULL ? way : "");
	if (recipients > 1)
		fprintf(ctl->out, "x%lld ", (long long)recipients);
	ctl_print_text(ctl, json_string_value(stanza), json_string_length(stanza));
	putc('\n', ctl->out);
}

static bool
each_event(void *cookie, json_t *event)
{
	struct ctl *ctl = cookie;

	if (ctl->json) {
		json_dumpf(event, ctl->out, JSON_COMPACT | JSON_ENCODE_ANY);
		putc('\n', ctl->out);
	} else {
		show_event(ctl, event);
	}
	/* Who reads along with us in a pipe wants it now; who went away ends it. */
	return fflush(ctl->out) == 0;
}

int
trace_command(struct ctl *ctl, const char *domain, char **words, int count)
{
	const char *why = NULL;
	json_t *args, *result;

	if (count > 1)
		return ctl_complain(ctl, CTL_BAD, "trace takes one JID, not \"%s\" too", words[1]);
	args = json_pack("{s:b}", "bodies", ctl->bodies);
	if (count == 1)
		json_object_set_new(args, "jid", json_string(words[0]));
	result = control_call(
	    ctl_socket(ctl, domain), "trace", args, -1, -1, each_event, ctl, ctl->pool, &why);
	json_decref(args);
	if (result == NULL)
		return ctl_unanswered(ctl, domain, why);
	json_decref(result);
	return CTL_FINE;
}
