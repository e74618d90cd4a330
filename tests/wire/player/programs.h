/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * programs.h - the programs that a component runs, played by the conversation
 *
 * The player is the worker's spawner: it takes the requests and the pipes
 * that go with them, and what a program reads, writes and ends with, the
 * conversation says.
 */
#ifndef WIRE_PROGRAMS_H
#define WIRE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAMS_MAX 256

struct annex_pool;

struct program {
	uint32_t child;
	const char *line; /* its arguments, blanks between */
	const char *env;  /* "NAME=value" each in a line of its own */
	int in, out, err; /* our ends: what it reads, what it writes */
	char *read;       /* and was not asked for yet */
	size_t read_len;
	bool read_all; /* its input was closed */
	bool runs;
	int stopped_by; /* the signal, or 0 */
};

struct programs {
	struct annex_pool *pool;
	int fd; /* the spawner's end, or -1 */
	size_t count;
	struct program at[PROGRAMS_MAX]; /* in the order they were started, by whichever worker */
};

void programs_init(struct programs *ps, struct annex_pool *pool);
/* The worker's end, for one that begins now.  The programs of the last one are gone. */
int programs_listen(struct programs *ps);
void programs_forget(struct programs *ps);
void programs_finish(struct programs *ps);
/* Take what the worker asked for and wrote; whether there was anything. */
bool programs_step(struct programs *ps);

/* The next line it was given, or NULL. */
const char *program_read_line(struct programs *ps, struct program *program);
bool program_write(struct program *program, int fd, const char *text, size_t len);
void program_end(struct programs *ps, struct program *program, int status);

#endif /* WIRE_PROGRAMS_H */
