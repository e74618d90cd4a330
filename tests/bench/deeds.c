/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * deeds.c - a scene of clients does what it is told, a line at a time
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c2s.h"
#include "deeds.h"

static void
act(const char *program, const struct deed *deed, void *scene, char *line)
{
	char *words = strchrnul(line, ' ');
	double began = c2s_now_s();

	if (*words != '\0')
		*words++ = '\0';
	while (deed->word != NULL && strcmp(line, deed->word) != 0)
		deed++;
	if (deed->word == NULL) {
		fprintf(stderr, "%s: what is \"%s\"?\n", program, line);
		exit(2);
	}
	printf("%s", line);
	deed->act(scene, words);
	printf(" took %.3f\n", c2s_now_s() - began);
	fflush(stdout);
}

void
deeds_do(const char *program, const struct deed *deeds, void *scene)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		act(program, deeds, scene, line);
	}
}
