/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * delay.c - delay stamps (XEP-0203): when a stanza was said, and who kept it since
 *
 * Anybody may stamp, so a reader names whose stamp is meant.
 */
#include <string.h>

#include <annex/datetime.h>

void
annex_delay_add(struct annex_element *stanza, const char *by, int64_t wall_ms, const char *reason)
{
	struct annex_element *delay = annex_add(stanza, ANNEX_NS_DELAY, "delay");

	annex_attr_set(delay, "from", by);
	annex_attr_set(delay, "stamp", annex_datetime(stanza->pool, wall_ms));
	if (reason != NULL)
		annex_text_append(delay, reason);
}

int
annex_delay_read(const struct annex_element *stanza, const char *by, int64_t *wall_ms_r)
{
	const struct annex_element *delay = annex_child(stanza, ANNEX_NS_DELAY, "delay");
	const char *from, *stamp;

	for (; delay != NULL; delay = annex_child_after(delay, ANNEX_NS_DELAY, "delay")) {
		from = annex_attr(delay, "from");
		if (by != NULL && (from == NULL || strcmp(from, by) != 0))
			continue;
		stamp = annex_attr(delay, "stamp");
		return stamp == NULL ? ANNEX_EINVAL : annex_datetime_read(stamp, wall_ms_r);
	}
	return ANNEX_ENOENT;
}
