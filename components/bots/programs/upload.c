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

#include <curl/curl.h>

#define EXIT_FOR_GOOD 100
#define EXIT_LATER 111
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

/* Which answers are worth another try (RFC 9110 §15, RFC 6585 §4). */
static int
judge(long status)
{
	if (status >= 200 && status < 300)
		return 0;
	if (status >= 500 || status == 408 || status == 425 || status == 429)
		return EXIT_LATER;
	return EXIT_FOR_GOOD;
}

static int
put(const struct upload *u, const char *url)
{
	CURL *curl = curl_easy_init();
	long status = 0;
	int verdict = EXIT_LATER;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, u->timeout_s);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "Annex");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, u->headers);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READDATA, u->file);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)u->len);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
	code = curl_easy_perform(curl);
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		verdict = EXIT_FOR_GOOD;
	if (code == CURLE_OK) {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		verdict = judge(status);
	}
	if (code != CURLE_OK)
		fprintf(stderr, "upload: %s: %s\n", url, curl_easy_strerror(code));
	else if (verdict != 0)
		fprintf(stderr, "upload: %s: the server says %ld\n", url, status);
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
