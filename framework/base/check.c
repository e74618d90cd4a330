/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check.c - the last words of a process that found itself wrong
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

void
check_failed(const char *what, const char *file, int line)
{
	char text[512];
	int n;

	n = snprintf(text, sizeof(text), "<2>BUG: %s (%s:%d)\n", what, file, line);
	if (n >= (int)sizeof(text)) {
		n = (int)sizeof(text) - 1;
		text[n - 1] = '\n';
	}
	if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(1);
	abort();
}
