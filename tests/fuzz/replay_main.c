/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * replay_main.c - every file of a corpus through a fuzz target, once
 *
 *	replay_NAME [FILE or DIRECTORY]...
 *
 * Without an argument: tests/fuzz/corpus/NAME, as make check wants it.  A
 * corpus without a file is a mistake, not a success.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
replay_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = mem_alloc(size + 1);

	if (file == NULL || fread(data, 1, size, file) != size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	/* Where it fails, the last name printed tells which. */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static size_t
replay(const char *path)
{
	char inner[4096];
	struct dirent *entry;
	struct stat st;
	size_t n = 0;
	DIR *dir;

	if (stat(path, &st) < 0) {
		perror(path);
		exit(1);
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path, (size_t)st.st_size);
	if ((dir = opendir(path)) == NULL) {
		perror(path);
		exit(1);
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		n += replay(inner);
	}
	closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir"), *name = strrchr(argv[0], '_');
	char path[4096];
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		n += replay(argv[i]);
	if (argc < 2 && name != NULL) {
		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
		    srcdir != NULL ? srcdir : ".", name + 1);
		n = replay(path);
	}
	printf("%zu replayed\n", n);
	return n > 0 ? 0 : 1;
}
