/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * deeds.h - a scene of clients does what it is told, a line at a time
 */
#ifndef BENCH_DEEDS_H
#define BENCH_DEEDS_H

/* words: the rest of the line, the callee's to take apart.  One that fails ends the process. */
struct deed {
	const char *word; /* NULL: the last */
	void (*act)(void *scene, char *words);
};

/* Does what the lines of the standard input say until they end, and prints of each "WORD", what the
 * deed adds and " took SECONDS".  A line that is none of deeds ends the process with status 2. */
void deeds_do(const char *program, const struct deed *deeds, void *scene);

#endif
