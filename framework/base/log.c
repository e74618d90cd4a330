/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * log.c - one line per event
 *
 * A line is put together in a fixed buffer and written in one piece.  Its
 * values are escaped byte by byte: a name from the wire can neither end a
 * line, nor a value, nor speak to a terminal (control characters of both
 * kinds and the ones that turn the direction of writing are escaped).
 *
 * errno is kept, so that %m works and a caller may log before it looks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <annex/limit.h>
#include <annex/map.h>
#include <annex/pool.h>

#include "check.h"
#include "log.h"
#include "utf8.h"

#define LINE_MAX_BYTES 2048
#define FORMATS_MAX 1024 /* literals in the programs; more would be a bug */

#define REMOTE_BURST 5.0
#define REMOTE_RATE 0.1 /* per second */

#define LOG_MAGIC 0x10663a17u

struct log {
	uint32_t magic;
	struct annex_pool *pool;
	const char *from;
	const struct clock *clock;
	log_sink_fn *sink;
	void *cookie;
	enum annex_log_level most;
	unsigned long complaints;
	struct annex_map *repeats; /* format -> struct repeat */
};

struct repeat {
	struct annex_bucket bucket;
	unsigned long left_out;
};

struct line {
	char text[LINE_MAX_BYTES];
	size_t len, most; /* most is lower inside a value: its end must fit */
	bool cut;
};

static const char *const level_names[] = {
	[ANNEX_LOG_BUG] = "bug",
	[ANNEX_LOG_ERROR] = "error",
	[ANNEX_LOG_WARNING] = "warning",
	[ANNEX_LOG_NOTICE] = "notice",
	[ANNEX_LOG_INFO] = "info",
	[ANNEX_LOG_DEBUG] = "debug",
};

static void
stderr_sink(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody left to tell */
		line += n;
		len -= (size_t)n;
	}
}

struct log *
log_create(const char *from, const struct clock *clock, log_sink_fn *sink, void *cookie)
{
	struct annex_pool *pool = annex_pool_create(NULL, "log");
	struct log *log = annex_new(pool, struct log);

	log->magic = LOG_MAGIC;
	log->pool = pool;
	log->from = annex_strdup(pool, from);
	log->clock = clock;
	log->sink = sink != NULL ? sink : stderr_sink;
	log->cookie = cookie;
	log->most = ANNEX_LOG_INFO;
	log->repeats = annex_map_create(pool);
	return log;
}

void
log_destroy(struct log **logp)
{
	struct annex_pool *pool;

	if (*logp == NULL)
		return;
	CHECK_OBJECT(*logp, LOG_MAGIC);
	pool = (*logp)->pool;
	*logp = NULL;
	annex_pool_destroy(&pool);
}

void
log_set_level(struct log *log, enum annex_log_level most)
{
	CHECK_OBJECT(log, LOG_MAGIC);
	log->most = most;
}

enum annex_log_level
log_level(const struct log *log)
{
	CHECK_OBJECT(log, LOG_MAGIC);
	return log->most;
}

unsigned long
log_complaints(const struct log *log)
{
	CHECK_OBJECT(log, LOG_MAGIC);
	return log->complaints;
}

static void
add(struct line *line, const char *bytes, size_t n)
{
	if (line->cut || n > line->most - line->len) {
		line->cut = true;
		return;
	}
	memcpy(line->text + line->len, bytes, n);
	line->len += n;
}

static bool
is_unsafe(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* One character, as it is or escaped, whole or not at all. */
static void
add_escaped(struct line *line, const char *at, const char *next, int32_t c)
{
	char text[4 * 4 + 1];
	size_t n = 0;

	if (c == '"' || c == '\\') {
		text[0] = '\\';
		text[1] = (char)c;
		add(line, text, 2);
		return;
	}
	if (!is_unsafe(c)) {
		add(line, at, (size_t)(next - at));
		return;
	}
	for (; at < next; at++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\\x%02x", (unsigned char)*at);
	add(line, text, n);
}

static bool
is_bare(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] <= 0x20 || (unsigned char)value[i] >= 0x7f ||
		    value[i] == '"' || value[i] == '=' || value[i] == '\\')
			return false;
	return len > 0;
}

/* " key=value". */
static void
add_pair(struct line *line, const char *key, const char *value, size_t len, bool bare)
{
	const char *at = value, *end = value + len, *next;

	add(line, " ", line->len > 0 && line->text[line->len - 1] != '>' ? 1 : 0);
	add(line, key, strlen(key));
	add(line, "=", 1);
	if (bare && is_bare(value, len)) {
		add(line, value, len);
		return;
	}
	add(line, "\"", 1);
	if (line->cut)
		return;
	line->most -= 4; /* "..." or the ellipsis, and the quote */
	for (; at < end && !line->cut; at = next) {
		int32_t c;

		next = at;
		c = utf8_next(&next, end);
		add_escaped(line, at, next, c);
	}
	line->most += 4;
	if (line->cut) {
		line->cut = false;
		add(line, "\xe2\x80\xa6\"", 4);
		line->cut = true;
		return;
	}
	add(line, "\"", 1);
}

/* Whether a remote has said this often enough; left_out_r once it may again. */
static bool
is_repeated(struct log *log, const char *fmt, unsigned long *left_out_r)
{
	struct repeat *repeat;

	if (annex_map_count(log->repeats) >= FORMATS_MAX &&
	    annex_map_get_str(log->repeats, fmt) == NULL)
		fmt = "";
	repeat = annex_map_get_str(log->repeats, fmt);
	if (repeat == NULL) {
		repeat = annex_new(log->pool, struct repeat);
		annex_map_set_str(log->repeats, fmt, repeat);
	}
	if (!annex_bucket_take(
		&repeat->bucket, REMOTE_RATE, REMOTE_BURST, 1, clock_ms(log->clock))) {
		repeat->left_out++;
		return true;
	}
	*left_out_r = repeat->left_out;
	repeat->left_out = 0;
	return false;
}

static void
write_line(struct log *log, enum annex_log_level level, unsigned long left_out,
    const char *const *pairs, const char *text, size_t len)
{
	struct line line = { .most = LINE_MAX_BYTES - 1 };
	char number[24];

	add(&line, number, (size_t)snprintf(number, sizeof(number), "<%d>", (int)level));
	add_pair(&line, "level", level_names[level], strlen(level_names[level]), true);
	if (log->from != NULL)
		add_pair(&line, "from", log->from, strlen(log->from), true);
	if (left_out > 0)
		add_pair(&line, "left-out", number,
		    (size_t)snprintf(number, sizeof(number), "%lu", left_out), true);
	add_pair(&line, "msg", text, len, false);
	for (; pairs != NULL && pairs[0] != NULL; pairs += 2)
		if (pairs[1] != NULL)
			add_pair(&line, pairs[0], pairs[1], strlen(pairs[1]), true);
	line.text[line.len++] = '\n';
	log->sink(log->cookie, level, line.text, line.len);
}

void
log_vpairs(struct log *log, enum annex_log_level level, const char *const *pairs, const char *fmt,
    va_list args)
{
	int error = errno, n;
	unsigned long left_out = 0;
	bool remote = level == ANNEX_LOG_REMOTE;
	char text[LINE_MAX_BYTES];

	CHECK_OBJECT(log, LOG_MAGIC);
	if (remote)
		level = ANNEX_LOG_INFO;
	CHECK(level >= ANNEX_LOG_BUG && level <= ANNEX_LOG_DEBUG);
	if (level > log->most || (remote && is_repeated(log, fmt, &left_out)))
		return;
	if (level <= ANNEX_LOG_WARNING)
		log->complaints++;
	errno = error; /* what %m is meant to say */
	n = vsnprintf(text, sizeof(text), fmt, args);
	CHECK(n >= 0);
	write_line(log, level, left_out, pairs, text,
	    (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
	errno = error;
}

void
log_pairs(
    struct log *log, enum annex_log_level level, const char *const *pairs, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vpairs(log, level, pairs, fmt, args);
	va_end(args);
}

void
log_write(struct log *log, enum annex_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vpairs(log, level, NULL, fmt, args);
	va_end(args);
}

void
log_vwrite(struct log *log, enum annex_log_level level, const char *fmt, va_list args)
{
	log_vpairs(log, level, NULL, fmt, args);
}
