/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bot.c - an echo bot as quick as one can be, for bench_bots
 *
 * It answers each line that has a number and a text with what is between,
 * escapes and all, and writes when there is nothing left to read.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char in[1 << 20], out[1 << 20];
static size_t in_len, out_len;

static void
flush(void)
{
	for (size_t at = 0; at < out_len;) {
		ssize_t n = write(STDOUT_FILENO, out + at, out_len - at);

		if (n <= 0)
			_exit(1);
		at += (size_t)n;
	}
	out_len = 0;
}

static void
answer(const char *line, const char *end)
{
	const char *seq = strstr(line, "\"seq\":"), *body = strstr(line, "\"body\":");
	const char *stop = strstr(line, ",\"who\"");

	if (seq == NULL || body == NULL || stop == NULL || stop > end)
		return;
	if (sizeof(out) - out_len < (size_t)(end - line) + 64)
		flush();
	out_len += (size_t)sprintf(out + out_len, "{\"reply\":%.*s,%.*s}\n",
	    (int)strspn(seq + 6, "0123456789"), seq + 6, (int)(stop - body), body);
}

int
main(void)
{
	ssize_t n;

	while ((n = read(STDIN_FILENO, in + in_len, sizeof(in) - 1 - in_len)) > 0) {
		char *line = in, *end;

		in_len += (size_t)n;
		in[in_len] = '\0';
		for (; (end = memchr(line, '\n', in_len - (size_t)(line - in))) != NULL;
		     line = end + 1) {
			*end = '\0';
			answer(line, end);
		}
		in_len -= (size_t)(line - in);
		memmove(in, line, in_len);
		flush();
	}
	return 0;
}
