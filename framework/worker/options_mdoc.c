/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * options_mdoc.c - annex.yaml(5), its lists of options made from the tables
 *
 * Run by the build.  Copies a manual page from standard input to standard
 * output; a line @NAME-options@ becomes the list of that table, so the page
 * cannot say anything else than the program does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/config.h"
#include "settings.h"

static const struct {
	const char *line;
	const struct annex_option *options;
} lists[] = {
	{ "@global-options@\n", global_options },
	{ "@server-options@\n", server_options },
	{ "@component-options@\n", component_options },
};

#define LINE_MAX_BYTES 78

/* One word.  A backslash, and a dot or quote that begins a line, mean something to mdoc. */
static void
put_word(struct buf *line, const char *word, size_t len)
{
	if (line->len > 0 && line->len + 1 + len > LINE_MAX_BYTES) {
		puts(buf_text(line));
		buf_clear(line);
	}
	if (line->len > 0)
		buf_putc(line, ' ');
	else if (*word == '.' || *word == '\'')
		buf_puts(line, "\\&");
	for (size_t i = 0; i < len; i++)
		if (word[i] == '\\')
			buf_puts(line, "\\e");
		else
			buf_putc(line, word[i]);
}

static void
print_text(const char *text)
{
	struct buf line = { 0 };

	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		put_word(&line, text, len);
		text += len;
	}
	puts(buf_text(&line));
	buf_finish(&line);
}

static const char *
how_to_leave_out(const struct annex_option *option)
{
	if (option->preset == NULL)
		return "; it is required.";
	return *option->preset == '\0' ? "." : "; the default is";
}

static void
print_list(const struct annex_option *options, struct annex_pool *pool)
{
	puts(".Bl -tag -width Ds");
	for (const struct annex_option *o = options; o->name != NULL; o++) {
		printf(".It Ic %s\n", config_option_name(o, pool));
		print_text(o->help);
		print_text(annex_sprintf(
		    pool, "It must be %s%s", config_option_range(o, pool), how_to_leave_out(o)));
		if (o->preset != NULL && *o->preset != '\0')
			printf(".Ql %s .\n", o->preset);
	}
	puts(".El");
}

static const struct annex_option *
list_of(const char *line)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(line, lists[i].line) == 0)
			return lists[i].options;
	return NULL;
}

int
main(void)
{
	struct annex_pool *pool = annex_pool_create(NULL, "options");
	char line[1000];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		const struct annex_option *options = list_of(line);

		if (options != NULL)
			print_list(options, pool);
		else
			fputs(line, stdout);
	}
	annex_pool_destroy(&pool);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
