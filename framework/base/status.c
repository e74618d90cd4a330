/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * status.c - a status in words
 */
#include <stddef.h>

#include <annex/status.h>

static const char *const words[] = {
	[0] = "all is well",
	[-ANNEX_EINVAL] = "not valid",
	[-ANNEX_ENOENT] = "no such thing",
	[-ANNEX_EEXIST] = "exists already",
	[-ANNEX_ELIMIT] = "limit reached",
	[-ANNEX_ESTORE] = "the store failed",
	[-ANNEX_EFULL] = "disk or quota full",
	[-ANNEX_EOFFLINE] = "not connected",
	[-ANNEX_ERESTART] = "restart needed",
	[-ANNEX_EIO] = "the system failed",
	[-ANNEX_EDENIED] = "not allowed",
};

const char *
annex_status_text(int status)
{
	if (status == ANNEX_AGAIN)
		return "not finished";
	if (status >= 0)
		return words[0];
	if (status <= -(int)(sizeof(words) / sizeof(words[0])))
		return "unknown status";
	return words[-status];
}
