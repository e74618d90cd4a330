/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * log.h - one line per event: who, what, why
 *
 * Lines are logfmt after a syslog priority, as systemd's journal reads them:
 *
 *	<4>level=warning from=rooms.example.org msg="link lost" why="closed by peer"
 *
 * All arguments may hold bytes from the wire: the value is escaped, never
 * the caller's business.  What a remote can repeat (LOG_REMOTE) is limited
 * per format string to a burst of 5 and one per 10 s, with a count of what
 * was left out.  The format string of printf-like arguments is the literal
 * that identifies the event.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <annex/log.h>

#include "clock.h"

struct log;

/* Writes one finished line, newline included, of the given level. */
typedef void log_sink_fn(void *cookie, enum annex_log_level level, const char *line, size_t len);

/* from is copied; sink NULL writes to standard error. */
struct log *
log_create(const char *from, const struct clock *clock, log_sink_fn *sink, void *cookie);
void log_destroy(struct log **log);
void log_set_level(struct log *log, enum annex_log_level most); /* ANNEX_LOG_INFO at first */
enum annex_log_level log_level(const struct log *log);

void
log_write(struct log *log, enum annex_log_level level, const char *fmt, ...) ANNEX_PRINTF(3, 4);
void log_vwrite(struct log *log, enum annex_log_level level, const char *fmt, va_list args)
    ANNEX_PRINTF(3, 0);

/*
 * The same with more pairs behind msg: { "why", text, "host", text, NULL }.
 * Keys are literals; a pair whose value is NULL is left out.
 */
void log_pairs(struct log *log, enum annex_log_level level, const char *const *pairs,
    const char *fmt, ...) ANNEX_PRINTF(4, 5);
void log_vpairs(struct log *log, enum annex_log_level level, const char *const *pairs,
    const char *fmt, va_list args) ANNEX_PRINTF(4, 0);

/* Lines written at warning and above since the start. */
unsigned long log_complaints(const struct log *log);

#endif /* BASE_LOG_H */
