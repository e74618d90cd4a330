/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fake_worker.c - what annexd takes for annex-worker, in its tests
 *
 *	--check -c FILE   the file is its output: a line "! text" goes to standard error and makes it fail,
 *	                  "? text" only goes there, "hang" never ends, "die N" ends at once
 *	--worker          does what its section says:
 *	  {"do": "serve"}               ready, attached, obeys; "refuse": TEXT to answer a new section with
 *	  {"do": "crash", "hash": N, "phase": P}   dies of SIGSEGV in that phase, unless N is in quarantine
 *	  {"do": "exit", "status": N}   ends before it is ready
 *	  {"do": "hang", "phase": P}    ready, then neither beats nor listens, not even to SIGTERM
 *	  {"do": "mute"}                never ready
 *	  {"do": "babble"}              ready, after words nobody knows
 *	  "count": N                    counts N stanzas in
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "base/page.h"

static int
check(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[8192];
	int status = 0;

	if (file == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return 1;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "! ", 2) == 0 || strncmp(line, "? ", 2) == 0)
			fputs(line + 2, stderr);
		else if (strcmp(line, "hang\n") == 0)
			for (fflush(stdout);;)
				pause();
		else if (strncmp(line, "die ", 4) == 0)
			exit(atoi(line + 4));
		else
			fputs(line, stdout);
		if (line[0] == '!')
			status = 1;
	}
	fclose(file);
	return status;
}

static void
say(const char *line)
{
	if (write(3, line, strlen(line)) < 0)
		exit(0);
}

/* A line of annexd, or NULL at the end of the socketpair. */
static json_t *
hear(void)
{
	char line[65536];
	size_t len = 0;

	while (len < sizeof(line) && read(3, line + len, 1) == 1)
		if (line[len++] == '\n')
			return json_loadb(line, len, 0, NULL);
	return NULL;
}

static const char *
text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static int
serve(void)
{
	json_t *line, *section;

	say("{\"ready\": true}\n{\"attached\": true}\n");
	while ((line = hear()) != NULL) {
		if (json_is_true(json_object_get(line, "stop")))
			return 0;
		if (json_is_true(json_object_get(line, "drain"))) {
			say("{\"drained\": true}\n");
			return 0;
		}
		section = json_object_get(line, "section");
		if (text_of(section, "refuse")[0] != '\0') {
			char answer[256];

			snprintf(answer, sizeof(answer), "{\"failed\": \"%s\"}\n",
			    text_of(section, "refuse"));
			say(answer);
		} else if (section != NULL) {
			say("{\"reloaded\": true}\n");
		}
		json_decref(line);
	}
	return 0;
}

static uint32_t
phase_of(json_t *section)
{
	const char *name = text_of(section, "phase");

	return strcmp(name, "commit") == 0 ? PAGE_COMMIT
	    : strcmp(name, "create") == 0  ? PAGE_CREATE
	    : strcmp(name, "idle") == 0    ? PAGE_IDLE
					   : PAGE_HANDLER;
}

static int
crash(struct page *page, json_t *section)
{
	uint64_t hash = (uint64_t)json_integer_value(json_object_get(section, "hash"));

	for (uint32_t i = 0; i < page->quarantine_count; i++)
		if (page->quarantine[i] == hash)
			return serve();
	say("{\"ready\": true}\n");
	atomic_store(&page->stanza_hash, hash);
	atomic_store(&page->phase, phase_of(section));
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return 0;
}

static _Noreturn void
hang(struct page *page, json_t *section)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGABRT, strcmp(text_of(section, "phase"), "idle") == 0 ? SIG_IGN : SIG_DFL);
	atomic_store(&page->stanza_hash, 7);
	atomic_store(&page->phase, phase_of(section));
	say("{\"ready\": true}\n");
	for (;;)
		pause();
}

static int
work(void)
{
	struct page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, 4, 0);
	json_t *section = json_object_get(hear(), "section");
	const char *what = text_of(section, "do");
	struct counter_slot *slot;

	signal(SIGTERM, SIG_IGN); /* the word is enough */
	slot = counters_get(&page->counters, COUNTER_COUNT, "stanzas_in_total", "Stanzas in.");
	slot->value = json_integer_value(json_object_get(section, "count"));
	atomic_store(&page->attached, 1);
	atomic_store(&page->phase, PAGE_IDLE);
	if (strcmp(what, "crash") == 0)
		return crash(page, section);
	if (strcmp(what, "exit") == 0)
		return (int)json_integer_value(json_object_get(section, "status"));
	if (strcmp(what, "hang") == 0)
		hang(page, section);
	if (strcmp(what, "mute") == 0)
		return hear() != NULL ? 0 : 1;
	if (strcmp(what, "babble") == 0)
		say("[1]\n{\"what\": 1}\nnonsense\n");
	return serve();
}

/* No tidying up: annexd is tested, not this. */
static _Noreturn void
end(int status)
{
	fflush(stdout);
	_exit(status);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--check") == 0)
		end(check(argv[3]));
	if (argc == 2 && strcmp(argv[1], "--worker") == 0)
		end(work());
	end(2);
}
