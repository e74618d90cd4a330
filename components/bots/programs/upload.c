/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * upload.c - put what comes on the standard input where a server has made room (XEP-0363)
 *
 *	upload [-H HEADER]... [-t SECONDS] TYPE [URL]
 *
 * annex-bots runs it for the files of bots.  Whoever knows the address and the headers may put
 * something else there, and arguments are seen by all users of a machine: so they come in the
 * environment, as UPLOAD_URL and UPLOAD_HEADERS, a line each.  Exit status: 0 it is there;
 * 100 the server does not want it, whatever we do, or it is too large; 111 try again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "web.h"

#define FILE_MOST ((size_t)4 * 1024 * 1024)

struct upload {
	struct curl_slist *headers;
	long timeout_s;
	char *bytes; /* all of it: its length must be known before it is put */
	FILE *file;
	long len;
};

static int
usage(void)
{
	fprintf(stderr, "usage: upload [-H HEADER]... [-t SECONDS] TYPE [URL]\n");
	return EXIT_FOR_GOOD;
}

/* One byte more than may be is asked for, so that what is too large is found so. */
static int
read_all(struct upload *u)
{
	size_t n;

	if ((u->bytes = malloc(FILE_MOST + 1)) == NULL)
		return EXIT_LATER;
	n = fread(u->bytes, 1, FILE_MOST + 1, stdin);
	if (ferror(stdin)) {
		fprintf(stderr, "upload: the file could not be read\n");
		return EXIT_LATER;
	}
	if (n > FILE_MOST) {
		fprintf(stderr, "upload: the file has more than %zu bytes\n", FILE_MOST);
		return EXIT_FOR_GOOD;
	}
	u->len = (long)n;
	/* No file of memory is empty; nothing of this one is read then. */
	u->file = fmemopen(u->bytes, n > 0 ? n : 1, "r");
	return u->file == NULL ? EXIT_LATER : 0;
}

static void
add_headers(struct upload *u)
{
	const char *given = getenv("UPLOAD_HEADERS");
	char *lines = given == NULL ? NULL : strdup(given), *rest = NULL;

	for (char *line = lines == NULL ? NULL : strtok_r(lines, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		u->headers = curl_slist_append(u->headers, line);
	free(lines);
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
	const char *url = getenv("UPLOAD_URL");
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
	if (argc - optind == 2)
		url = argv[optind + 1];
	else if (argc - optind != 1)
		url = NULL;
	if (url == NULL || u.timeout_s <= 0)
		return usage();
	add_headers(&u);
	snprintf(type, sizeof(type), "Content-Type: %s", argv[optind]);
	u.headers = curl_slist_append(u.headers, type);
	u.headers = curl_slist_append(u.headers, "Expect:");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if ((verdict = read_all(&u)) == 0) {
		verdict = put(&u, url);
		fclose(u.file);
	}
	free(u.bytes);
	curl_slist_free_all(u.headers);
	curl_global_cleanup();
	return verdict;
}
