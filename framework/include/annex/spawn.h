/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * spawn.h - running programs
 *
 * Programs are started by a small process forked before the worker was
 * restricted, with all descriptors closed but their standard three.
 */
#ifndef ANNEX_SPAWN_H
#define ANNEX_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(default)

struct annex_instance;
struct annex_child;

struct annex_program {
	const char *const *argv; /* NULL-ended; argv[0] is looked up in PATH */
	const char *const *env;  /* NULL-ended "NAME=value", added to a small clean environment */
	const char *dir;         /* working directory; NULL = "/" */
	int timeout_ms;          /* killed (TERM, then KILL after 5 s); 0 = never */
};

struct annex_child_events {
	/* Bytes of its standard output; every line of its standard error is logged. */
	void (*output)(struct annex_instance *inst, struct annex_child *child, const char *bytes,
	    size_t len, void *cookie);
	/* It ended: exit status 0 to 255, or -signal; -127 where it could not be started.  The child is freed after. */
	void (*ended)(
	    struct annex_instance *inst, struct annex_child *child, int status, void *cookie);
};

/*
 * The path of a program that came with this module, until the callback returns:
 * ${libexecdir}/annex/MODULE/NAME, below DESTDIR where Annex runs there, and
 * components/MODULE/programs/NAME of a build tree.  It need not exist.
 */
const char *annex_program_path(struct annex_instance *inst, const char *name);

/*
 * Start it; what program points to is copied, events and cookie stay the caller's until ended was
 * called, or the instance is reset, which stops the child and calls nothing.  Where it cannot be
 * run, ended tells.  NULL, and logged: 64 run already, no descriptors are left, or its arguments
 * are above 64 KiB.
 */
struct annex_child *annex_spawn(struct annex_instance *inst, const struct annex_program *program,
    const struct annex_child_events *events, void *cookie);

/* To its standard input: queued, at most 1 MiB, else ANNEX_ELIMIT.  end closes it when written. */
int annex_child_write(struct annex_child *child, const void *bytes, size_t len);
/* How many bytes of that the program has not read yet. */
size_t annex_child_unread(const struct annex_child *child);
void annex_child_end(struct annex_child *child);
void annex_child_kill(struct annex_child *child, int signal);

#pragma GCC visibility pop

#endif /* ANNEX_SPAWN_H */
