/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * program.h - the ways to start annex-worker
 *
 *	annex-worker --worker                     one component; its section comes on descriptor 3
 *	annex-worker --check -c FILE              validate, print normalised sections (section.h)
 *	annex-worker --check --quiet -c FILE      the same, and print no section: secrets are in them
 *	annex-worker --modules [-v]               modules found
 *	annex-worker --store WHAT DOMAIN FILE -c FILE
 */
#ifndef WORKER_PROGRAM_H
#define WORKER_PROGRAM_H

__attribute__((visibility("default"))) int annexp_program(int argc, char **argv);

/* What annexd gives a worker, by number. */
enum { PROGRAM_PARENT_FD = 3, PROGRAM_PAGE_FD = 4 };

/* Exit status. */
enum {
	PROGRAM_STOPPED = 0,
	PROGRAM_FAILED = 1,       /* a sentence was logged; another start may help */
	PROGRAM_CANNOT_START = 2, /* configuration or state make a start impossible */
};

/* offline.c: --store; what is verify, export, import or restore. */
int program_store(const char *config, const char *what, const char *domain, const char *file);

#endif /* WORKER_PROGRAM_H */
