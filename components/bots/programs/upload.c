/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * upload.c - put what comes on the standard input where a server has made room (XEP-0363)
 *
 *	upload [-H HEADER]... [-t SECONDS] TYPE URL
 *
 * annex-bots runs it for the files of bots.  Exit status: 0 it is there; 100 the
 * server does not want it, whatever we do; 111 try again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "web.h"

#define FILE_MOST ((size_t)4 * 1024 * 1024)

struct upload {
	struct curl_slist *headers;
	long timeout_s;
	FILE *file; /* its length must be known before it is put */
	long len;
};

static int
usage(void)
{
	fprintf(stderr, "usage: upload [-H HEADER]... [-t SECONDS] TYPE URL\n");
	return EXIT_FOR_GOOD;
}

static int
read_all(struct upload *u)
{
	char *bytes = malloc(FILE_MOST);
	size_t n = bytes == NULL ? 0 : fread(bytes, 1, FILE_MOST, stdin);

	if (bytes == NULL || (u->file = fmemopen(NULL, n + 1, "w+")) == NULL ||
	    fwrite(bytes, 1, n, u->file) != n) {
		free(bytes);
		return -1;
	}
	free(bytes);
	rewind(u->file);
	u->len = (long)n;
	return 0;
}

/* What a server says to it is nobody's affair. */
static size_t
swallow(char *bytes, size_t size, size_t count, void *cookie)
{
	(void)bytes;
	(void)cookie;
	return size * count;
}

static int
put(const struct upload *u, const char *url)
{
	CURL *curl = web_begin(url, u->timeout_s, u->headers);
	int verdict;

	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READDATA, u->file);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)u->len);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
	verdict = web_do(curl, "upload", url);
	curl_easy_cleanup(curl);
	return verdict;
}

int
main(int argc, char **argv)
{
	struct upload u = { .timeout_s = 240 };
	char type[300];
	int option, verdict;

	while ((option = getopt(argc, argv, "H:t:")) != -1) {
		if (option == 'H')
			u.headers = curl_slist_append(u.headers, optarg);
		else if (option == 't')
			u.timeout_s = strtol(optarg, NULL, 10);
		else
			return usage();
	}
	if (argc - optind != 2 || u.timeout_s <= 0)
		return usage();
	snprintf(type, sizeof(type), "Content-Type: %s", argv[optind]);
	u.headers = curl_slist_append(u.headers, type);
	u.headers = curl_slist_append(u.headers, "Expect:");
	if (read_all(&u) < 0)
		return EXIT_LATER;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	verdict = put(&u, argv[optind + 1]);
	fclose(u.file);
	curl_slist_free_all(u.headers);
	curl_global_cleanup();
	return verdict;
}
