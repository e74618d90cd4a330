/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * checked.h - a configuration in a directory of its own, and what is said of it
 *
 * The files are real; the modules' are empty, and a loader of ours says what
 * is in them.  The directory is cut out of what is printed.
 */
#ifndef TEST_WORKER_CHECKED_H
#define TEST_WORKER_CHECKED_H

#include <stdbool.h>
#include <sys/types.h>

#include "worker/check.h"

#define NOBODY 65534

#define TOP "state-dir: state\nrun-dir: run\n"
#define SERVER "servers:\n  main:\n    host: 127.0.0.1\n    local-domains: [example.org]\n"
#define HEAD TOP SERVER "components:\n"
#define MUC "  rooms.example.org:\n    module: muc\n    secret: correct horse\n"

struct fixture {
	char dir[64];
	struct annex_pool *pool;
	struct check_env env;
	const char *dirs[2];
	bool humble; /* root judges as somebody else, since root may do everything */
	char *out, *err;
	int status;
};

int setup(void **state);
int teardown(void **state);

const char *in_dir(struct fixture *f, const char *name);
void put(struct fixture *f, const char *name, const char *text, mode_t mode);

/* Check text, as the file a.yaml with that mode (0600): see out, err and status. */
void check_mode(struct fixture *f, const char *text, mode_t mode);
void check_text(struct fixture *f, const char *text);

/* Text without the directory's name and its slash. */
char *without_dir(struct fixture *f, char *text);

#endif /* TEST_WORKER_CHECKED_H */
