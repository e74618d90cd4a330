/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * log.h - telling the operator
 *
 * One sentence fragment per event, who and what and why, without a final
 * stop: "join to den refused (nickname in use)".  The instance's domain is
 * put in front, bytes from the wire are escaped, and what a remote can
 * repeat at will (ANNEX_LOG_REMOTE) is rate limited with a count of what
 * was left out.  Never log bodies or secrets.
 */
#ifndef ANNEX_LOG_H
#define ANNEX_LOG_H

#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_instance;

enum annex_log_level {
	ANNEX_LOG_BUG = 2,     /* only we can have done this */
	ANNEX_LOG_ERROR = 3,   /* something is lost or refused until somebody acts */
	ANNEX_LOG_WARNING = 4, /* somebody should look */
	ANNEX_LOG_NOTICE = 5,  /* rare news: started, attached, reloaded */
	ANNEX_LOG_INFO = 6,    /* news */
	ANNEX_LOG_REMOTE = 16, /* info, caused by a remote at will: rate limited */
	ANNEX_LOG_DEBUG = 7,   /* for developers */
};

void annex_log(struct annex_instance *inst, enum annex_log_level level, const char *fmt, ...)
    ANNEX_PRINTF(3, 4);

#pragma GCC visibility pop

#endif /* ANNEX_LOG_H */
