/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * status.h - what a function returns when all is well, or why it is not
 *
 * One idiom everywhere: 0 or positive is fine, negative is why not; test
 * with < 0.  Memory is never a reason: the process stops when it has none.
 */
#ifndef ANNEX_STATUS_H
#define ANNEX_STATUS_H

#pragma GCC visibility push(default)

#define ANNEX_MUST_CHECK __attribute__((warn_unused_result))
#define ANNEX_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum annex_status {
	ANNEX_OK = 0,
	ANNEX_AGAIN = 1,     /* not finished; more will follow */
	ANNEX_EINVAL = -1,   /* the input is not what it must be */
	ANNEX_ENOENT = -2,   /* no such thing */
	ANNEX_EEXIST = -3,   /* there is one already */
	ANNEX_ELIMIT = -4,   /* a configured limit was reached */
	ANNEX_ESTORE = -5,   /* the store failed; the log says how */
	ANNEX_EFULL = -6,    /* the disk or a quota of the store is full */
	ANNEX_EOFFLINE = -7, /* no stream to send on */
	ANNEX_ERESTART = -8, /* from reload: destroy me, create me anew */
	ANNEX_EIO = -9,      /* the system failed; errno was logged */
	ANNEX_EDENIED = -10, /* not allowed */
};

/* The status in words, for logs: "no such thing".  Static. */
const char *annex_status_text(int status);

#pragma GCC visibility pop

#endif /* ANNEX_STATUS_H */
