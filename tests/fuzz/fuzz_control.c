/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * Any bytes to a control socket, cut in two ways: the lines that come out
 * are the same however the bytes were cut, none holds a newline or exceeds
 * the limit, and what is a request has a command and args, also when it is written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>

#include "base/check.h"
#include "control/lines.h"
#include "control/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_request(struct annex_pool *pool, const char *line, size_t len)
{
	struct request request, again;
	const char *why = NULL;
	char *text;

	if (request_parse(line, len, &request, pool, &why) < 0) {
		CHECK(why != NULL && why[0] != '\0');
		return;
	}
	CHECK(request.command[0] != '\0' && json_is_object(request.args));
	text = json_dumps(request.root, JSON_COMPACT);
	CHECK(text != NULL);
	CHECK(request_parse(text, strlen(text), &again, pool, &why) == ANNEX_OK);
	CHECK(strcmp(request.command, again.command) == 0);
	CHECK(json_equal(request.args, again.args));
	json_decref(again.root);
	json_decref(request.root);
	free(text);
}

/* All lines, one behind the other, fed in chunks of at most step bytes. */
static void
collect(struct annex_pool *pool, const uint8_t *data, size_t size, size_t step, bool parse,
    struct buf *out)
{
	struct lines lines = { 0 };
	char *line;
	size_t len;

	for (size_t at = 0; at < size; at += step) {
		lines_feed(&lines, data + at, size - at < step ? size - at : step);
		while (lines_next(&lines, &line, &len)) {
			CHECK(len > 0 && len <= LINES_MAX && line[len] == '\0');
			CHECK(memchr(line, '\n', len) == NULL);
			buf_append(out, line, len);
			buf_putc(out, '\n');
			if (parse)
				try_request(pool, line, len);
		}
	}
	CHECK(lines_waiting(&lines) <= size);
	lines_finish(&lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct annex_pool *pool;
	struct buf whole = { 0 }, cut = { 0 };

	if (size < 1)
		return 0;
	pool = annex_pool_create(NULL, "fuzz");
	collect(pool, data + 1, size - 1, size, true, &whole);
	collect(pool, data + 1, size - 1, (size_t)data[0] % 32 + 1, false, &cut);
	CHECK(whole.len == cut.len && memcmp(buf_text(&whole), buf_text(&cut), cut.len) == 0);
	buf_finish(&whole);
	buf_finish(&cut);
	annex_pool_destroy(&pool);
	return 0;
}
