/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * section.c - a configuration file of one component
 *
 * annex-worker --check is run in a child, so that what it prints can be read
 * and the modules it loads are not ours.
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <annex/pool.h>

#include "worker/program.h"

#include "section.h"

/* The part of "{ a: b, c: [d, e] }" that is key's value, with the key; "" where there is none. */
static const char *
cut_key(struct annex_pool *pool, char *map, const char *key)
{
	char *at = strstr(map, key), *end;
	unsigned depth = 0;
	const char *cut;

	if (at == NULL || (at > map && strchr(" {,", at[-1]) == NULL) || at[strlen(key)] != ':')
		return "";
	for (end = at; *end != '\0' && !(depth == 0 && (*end == ',' || *end == '}')); end++) {
		depth += *end == '[' || *end == '{';
		depth -= *end == ']' || *end == '}';
	}
	cut = annex_strndup(pool, at, (size_t)(end - at));
	memset(at, ' ', (size_t)(end - at) + (*end == ','));
	return cut;
}

static bool
has_key(const char *map, const char *key)
{
	const char *at = strstr(map, key);

	return at != NULL && at[strlen(key)] == ':';
}

/* Between the braces. */
static char *
inside(struct annex_pool *pool, const char *map)
{
	size_t len = strlen(map);

	if (len < 2 || map[0] != '{' || map[len - 1] != '}')
		return annex_strdup(pool, "");
	return annex_strndup(pool, map + 1, len - 2);
}

static void
write_file(struct annex_pool *pool, const struct setting *s, const char *path)
{
	char *section = inside(pool, s->section);
	const char *locals = cut_key(pool, section, "local-domains");
	FILE *out = fopen(path, "w");

	if (out == NULL)
		err(2, "%s", path);
	fchmod(fileno(out), 0600);
	fprintf(out, "state-dir: %s/state\nrun-dir: %s/run\n", s->dir, s->dir);
	fprintf(out, "servers: { main: { host: 127.0.0.1, %s } }\n",
	    *locals != '\0' ? locals : "local-domains: [example.org]");
	fprintf(out, "components: { %s: { module: \"%s\", secret: %s, ", s->domain, s->module,
	    SECTION_SECRET);
	if (!has_key(section, "admins"))
		fprintf(out, "admins: [admin@example.org], ");
	if (section[strspn(section, " ,")] != '\0')
		fprintf(out, "%s, ", section);
	if (*s->options != '\0')
		fprintf(out, "%s: %s", s->name, s->options);
	fprintf(out, " } }\n");
	fclose(out);
}

/* What it said on standard error matters only where it failed. */
static void
print_file(const char *path)
{
	FILE *in = fopen(path, "r");
	int c;

	while (in != NULL && (c = fgetc(in)) != EOF)
		fputc(c, stderr);
	if (in != NULL)
		fclose(in);
}

static void
redirect(int to, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || dup2(fd, to) < 0)
		err(2, "%s", path);
	close(fd);
}

static int
check_in_child(const char *config, const char *out, const char *complaints)
{
	char *argv[] = { (char *)(uintptr_t) "annex-worker", (char *)(uintptr_t) "--check",
		(char *)(uintptr_t) "-c", (char *)(uintptr_t)config, NULL };
	pid_t pid = fork();
	int status = 0;

	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		redirect(STDOUT_FILENO, out);
		redirect(STDERR_FILENO, complaints);
		optind = 0; /* getopt has run before */
		status = annexp_program(4, argv);
		fflush(stdout);
		fflush(stderr);
		_exit(status);
	}
	if (waitpid(pid, &status, 0) < 0)
		err(2, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* {"domain": ..., "section": {...}} among the lines. */
static char *
find_section(struct annex_pool *pool, const char *path, size_t *len)
{
	FILE *in = fopen(path, "r");
	char *line = NULL, *found = NULL, *text;
	json_t *json, *section;
	size_t room = 0;

	while (in != NULL && found == NULL && getline(&line, &room, in) >= 0) {
		json = json_loads(line, 0, NULL);
		if ((section = json_object_get(json, "section")) != NULL) {
			text = json_dumps(section, JSON_COMPACT);
			found = annex_strdup(pool, text);
			*len = strlen(found);
			free(text);
		}
		json_decref(json);
	}
	free(line);
	if (in != NULL)
		fclose(in);
	return found;
}

char *
section_make(struct annex_pool *pool, const struct setting *s, size_t *len)
{
	const char *config = annex_sprintf(pool, "%s/annex.yaml", s->dir);
	const char *out = annex_sprintf(pool, "%s/sections", s->dir);
	const char *complaints = annex_sprintf(pool, "%s/complaints", s->dir);
	char *found;

	mkdir(annex_sprintf(pool, "%s/state", s->dir), 0700);
	mkdir(annex_sprintf(pool, "%s/run", s->dir), 0700);
	write_file(pool, s, config);
	if (check_in_child(config, out, complaints) != 0) {
		print_file(complaints);
		return NULL;
	}
	found = find_section(pool, out, len);
	if (found == NULL)
		warnx("annex-worker --check printed no section");
	return found;
}
