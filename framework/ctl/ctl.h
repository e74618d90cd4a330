/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ctl.h - one run of annexctl
 *
 * A command asks annexd (RUN/annexd.sock) or a worker (RUN/DOMAIN.sock) and
 * shows the answer; what needs a store that nobody uses is done by
 * annex-worker, which we run.  Everything lives in one pool until the end.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <annex/pool.h>

/* Exit status, for scripts and monitoring; documented in annexctl(1). */
enum {
	CTL_FINE = 0,
	CTL_WARNING =
	    1,       /* of status: somebody should look; else: the command was refused or failed */
	CTL_BAD = 2, /* of status: something is down; else: nobody to ask, or not understood */
};

struct ctl {
	struct annex_pool *pool;
	const char *program; /* annex-worker */
	const char *config;  /* the configuration file */
	bool config_given;   /* with -c: then it must be there */
	const char *run_dir; /* as given, or NULL: see ctl_run_dir */
	bool json;           /* show answers as they came */
	bool bodies;         /* of trace */
	FILE *out, *err;
};

/* Where the control sockets are. */
const char *ctl_run_dir(struct ctl *ctl);
const char *ctl_socket(struct ctl *ctl, const char *name); /* "annexd" or a domain */

/* "annexctl: sentence" on err; returns status. */
int ctl_complain(struct ctl *ctl, int status, const char *fmt, ...) ANNEX_PRINTF(3, 4);

/*
 * Ask; the answer (the caller's to decref), or NULL after a complaint whose
 * exit status is in *status_r.  args is consumed.
 */
json_t *ctl_ask(struct ctl *ctl, const char *name, const char *command, json_t *args, int fd,
    int timeout_ms, int *status_r);

/* Complain of a request to name that failed, with why unless annexd knows better; the exit status. */
int ctl_unanswered(struct ctl *ctl, const char *name, const char *why);

/* An answer nobody knows the shape of, or any with --json. */
void ctl_print_json(struct ctl *ctl, const json_t *value);

/* Print bytes from the wire so that a terminal does nothing but show them. */
void ctl_print_text(struct ctl *ctl, const char *text, size_t len);

/*
 * Run annex-worker with these arguments (argv[0] is put in front) and wait;
 * its exit status.  stdout_fd: -1 for ours.
 */
int ctl_run_worker(struct ctl *ctl, const char *const *argv, int stdout_fd);

/* Do what at least one word asks for; the exit status.  The words are moved about. */
int ctl_act(struct ctl *ctl, char **words, int count);

/* Commands of ours that come first or behind a domain, for hints; how many. */
#define CTL_WORDS_MAX 8
size_t ctl_words(const char **words);

/* The commands: words are what follows, count of them. */
typedef int ctl_command_fn(struct ctl *ctl, const char *domain, char **words, int count);

ctl_command_fn status_command;    /* status.c; of annexd, domain NULL */
ctl_command_fn component_command; /* component.c; words[0] is the command */
ctl_command_fn help_command;
ctl_command_fn trace_command; /* trace.c */
ctl_command_fn store_command; /* store.c; words[0] is what */

#endif /* CTL_CTL_H */
