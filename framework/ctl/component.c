/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * component.c - commands that a component declared, and their help
 *
 * Fields are given as name=value, or by position in the order in which the
 * command declares them; what is left over goes to a last field that takes many.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"

#include "ctl.h"
#include "table.h"

#define ANSWER_WITHIN_MS 60000

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static json_t *
find_node(const json_t *help, const char *node)
{
	static const char *const lists[] = { "component", "framework" };
	json_t *command;
	size_t i;

	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
		json_array_foreach(json_object_get(help, lists[l]), i,
		    command) if (strcmp(text_of(command, "node"), node) == 0) return command;
	return NULL;
}

/* --- From words to fields ------------------------------------------------------------------ */

static bool
is_multi(const json_t *field)
{
	const char *type = text_of(field, "type");
	size_t len = strlen(type);

	return len > 6 && strcmp(type + len - 6, "-multi") == 0;
}

/* A name given twice is a list. */
static void
add_value(json_t *args, const char *name, const char *value)
{
	json_t *had = json_object_get(args, name), *list;

	if (had == NULL) {
		json_object_set_new(args, name, json_string(value));
		return;
	}
	if (!json_is_array(had)) {
		list = json_pack("[O]", had);
		json_object_set_new(args, name, list);
		had = list;
	}
	json_array_append_new(had, json_string(value));
}

/* The length of the name where a word is name=value, else 0. */
static size_t
name_len(const char *word)
{
	size_t n =
	    strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-#.:/{}");

	return word[n] == '=' ? n : 0;
}

/* The next field that no word has filled yet, or one that takes many. */
static const char *
next_field(const json_t *fields, const json_t *args, const json_t *by_position)
{
	const json_t *field;
	const char *var;
	size_t i;

	json_array_foreach(fields, i, field)
	{
		var = text_of(field, "var");
		if (json_object_get(args, var) == NULL)
			return var;
		if (is_multi(field) && i + 1 == json_array_size(fields) &&
		    json_object_get(by_position, var) != NULL)
			return var;
	}
	return NULL;
}

/* The args of a command, or NULL after a complaint. */
static json_t *
take_words(struct ctl *ctl, const char *node, const json_t *fields, char **words, int count)
{
	json_t *args = json_object(), *by_position = json_object();
	const char *var;
	size_t len;

	for (int i = 0; i < count; i++)
		if ((len = name_len(words[i])) > 0)
			add_value(
			    args, annex_strndup(ctl->pool, words[i], len), words[i] + len + 1);
	for (int i = 0; i < count && args != NULL; i++) {
		if (name_len(words[i]) > 0)
			continue;
		if ((var = next_field(fields, args, by_position)) == NULL) {
			ctl_complain(ctl, CTL_BAD,
			    "%s takes no \"%s\"; its fields are in: annexctl DOMAIN help %s", node,
			    words[i], node);
			json_decref(args);
			args = NULL;
			break;
		}
		add_value(args, var, words[i]);
		json_object_set_new(by_position, var, json_true());
	}
	json_decref(by_position);
	return args;
}

/* The field that is a file, opened: -1 where there is none; -2 after a complaint. */
static int
file_open(struct ctl *ctl, const json_t *fields, const json_t *args)
{
	const json_t *field;
	const char *path;
	size_t i;
	int fd;

	json_array_foreach(fields, i, field)
	{
		path = json_string_value(json_object_get(args, text_of(field, "var")));
		if (path == NULL || !json_is_true(json_object_get(field, "file")))
			continue;
		/* A pipe without a writer would be waited for: what it is the command judges. */
		if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) >= 0)
			return fd;
		ctl_complain(ctl, CTL_BAD, "cannot read %s: %s", path, strerror(errno));
		return -2;
	}
	return -1;
}

/* --- Showing a result ------------------------------------------------------------------------ */

static void
show_rows(struct ctl *ctl, const json_t *labels, const json_t *rows)
{
	size_t columns = json_array_size(labels), i, j;
	const char **cells = annex_new_array(ctl->pool, const char *, columns + 1);
	struct table *table = table_create(ctl, columns);
	const json_t *row, *cell;

	json_array_foreach(labels, j, cell) cells[j] = json_string_value(cell);
	table_row(table, cells);
	json_array_foreach(rows, i, row)
	{
		memset(cells, 0, columns * sizeof(*cells));
		json_array_foreach(row, j, cell) if (j < columns) cells[j] =
		    json_string_value(cell);
		table_row(table, cells);
	}
	table_print(table);
}

/* What a component's command answers: notes, and a table of results. */
static void
show_answer(struct ctl *ctl, const json_t *answer)
{
	const json_t *labels = json_object_get(answer, "labels"), *line;
	size_t i;

	json_array_foreach(json_object_get(answer, "say"), i, line)
	{
		ctl_print_text(ctl, json_string_value(line), json_string_length(line));
		putc('\n', ctl->out);
	}
	if (json_array_size(labels) > 0)
		show_rows(ctl, labels, json_object_get(answer, "rows"));
}

static void
show_pair(
    struct ctl *ctl, struct table *table, const char *prefix, const char *key, const json_t *value)
{
	const char *name = annex_sprintf(ctl->pool, "%s%s", prefix, key), *inner;
	char *text;
	const json_t *member;

	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, inner, member)
		    show_pair(ctl, table, annex_sprintf(ctl->pool, "%s.", name), inner, member);
		return;
	}
	if (json_is_string(value)) {
		table_row(table, (const char *const[]) { name, json_string_value(value) });
		return;
	}
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	table_row(table, (const char *const[]) { name, text });
	free(text);
}

/* What the framework answers: pairs. */
static void
show_pairs(struct ctl *ctl, json_t *answer)
{
	struct table *table = table_create(ctl, 2);
	const char *key;
	json_t *value;

	json_object_foreach(answer, key, value) show_pair(ctl, table, "", key, value);
	table_print(table);
}

/* --- The commands ------------------------------------------------------------------------------ */

int
component_command(struct ctl *ctl, const char *domain, char **words, int count)
{
	json_t *help, *fields, *args, *answer;
	int status = CTL_FINE, fd = -1;

	if ((help = ctl_ask(ctl, domain, "help", NULL, -1, ANSWER_WITHIN_MS, &status)) == NULL)
		return status;
	fields = json_object_get(find_node(help, words[0]), "fields");
	args = take_words(ctl, words[0], fields, words + 1, count - 1);
	if (args != NULL)
		fd = file_open(ctl, fields, args);
	json_decref(help);
	if (args == NULL || fd == -2) {
		json_decref(args);
		return CTL_BAD;
	}
	/* What is done with a file takes the time it takes. */
	answer = ctl_ask(ctl, domain, words[0], args, fd, fd < 0 ? ANSWER_WITHIN_MS : -1, &status);
	io_close(&fd);
	if (answer == NULL)
		return status;
	if (ctl->json)
		ctl_print_json(ctl, answer);
	else if (json_object_get(answer, "say") != NULL)
		show_answer(ctl, answer);
	else
		show_pairs(ctl, answer);
	json_decref(answer);
	return CTL_FINE;
}

static void
add_commands(struct table *table, const json_t *commands)
{
	const json_t *command;
	size_t i;

	json_array_foreach(commands, i, command)
	{
		const char *about = text_of(command, "help");

		if (about[0] == '\0')
			about = text_of(command, "name");
		table_row(table, (const char *const[]) { text_of(command, "node"), about });
	}
}

static void
show_fields(struct ctl *ctl, const json_t *command)
{
	struct table *table = table_create(ctl, 4);
	const json_t *field;
	size_t i;

	ctl_print_text(ctl, text_of(command, "help"), strlen(text_of(command, "help")));
	putc('\n', ctl->out);
	json_array_foreach(json_object_get(command, "fields"), i, field)
	{
		const char *about = text_of(field, "help");

		if (about[0] == '\0')
			about = text_of(field, "label");
		table_row(table,
		    (const char *const[]) { text_of(field, "var"), text_of(field, "type"),
			json_is_true(json_object_get(field, "required")) ? "required" : "",
			about });
	}
	table_print(table);
}

/* "help", or "help COMMAND". */
int
help_command(struct ctl *ctl, const char *domain, char **words, int count)
{
	json_t *help, *command = NULL;
	struct table *table;
	int status = CTL_FINE;

	if ((help = ctl_ask(ctl, domain, "help", NULL, -1, ANSWER_WITHIN_MS, &status)) == NULL)
		return status;
	if (count > 0 && (command = find_node(help, words[0])) == NULL) {
		status =
		    ctl_complain(ctl, CTL_WARNING, "%s has no command \"%s\"", domain, words[0]);
	} else if (ctl->json) {
		ctl_print_json(ctl, command != NULL ? command : help);
	} else if (command != NULL) {
		show_fields(ctl, command);
	} else {
		table = table_create(ctl, 2);
		add_commands(table, json_object_get(help, "component"));
		add_commands(table, json_object_get(help, "framework"));
		table_print(table);
	}
	json_decref(help);
	return status;
}
